"""The promises of the documents and the tests that keep them: `python -m tests.promises`.

A promise is what a document says outside of code, pictures and headings: each row of a table (named by its first cell),
each item of a list (named by its first sentence), each sentence of prose, and each generated part as a whole.
promises.yaml maps a promise to its tests, the cheapest first, or says under `not promises` why it is none. Threats name
their tests in docs/security.md, and the table of faults has its cells.
"""

import argparse
import ast
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml

from .chaos.faults.table import ELSEWHERE
from .chaos.faults.table import load as fault_table

ROOT = Path(__file__).parent.parent
MAP = Path(__file__).parent / "promises.yaml"
DOCUMENTS = ("docs/repeats.md", "docs/hub.md", "docs/contract.md", "docs/faults.md", "docs/security.md")
NONE = "not promises"
THREATS = "docs/security.md", "Threats"

_FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_GENERATED = re.compile(r"<!-- generated: (\w+) -->.*?<!-- end -->", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_LEAD_IN = re.compile(r"\*\*([^*]+)\.\*\*\s")
_ITEM = re.compile(r"(?:[-*]|\d+\.) +")
_END_OF_SENTENCE = re.compile(r"(?<=[.!?]) (?=[A-Z`\"(])")
_TEST = re.compile(r"(tests/[\w/]+\.py)::(\w+(?:::\w+)?)(\[[^\]]+\])?")


class Place(NamedTuple):
    document: str
    section: str
    text: str


@dataclass(frozen=True)
class Promise:
    place: Place
    tests: tuple[str, ...]
    """`tests/host/test_calls.py::test_name`, or the same with `[id]`."""


class FaultPromise(NamedTuple):
    """A row of docs/faults.md: what becomes of these works under this fault, all by their ids in table.yaml."""

    fault: str
    outcome: str
    works: tuple[str, ...]


# The documents


def read(document: str, text: str | None = None) -> list[Place]:
    """All that a document says, in its order; docs/security.md's threats aside, which name their tests themselves.

    A paragraph that begins with words in bold is a section of its own, such as `Pages: Linking`.
    """
    text = (ROOT / document).read_text("utf-8") if text is None else text
    text = _COMMENT.sub("", _GENERATED.sub(r"\n\nThe generated part `\1`.\n\n", _FENCE.sub("", text)))
    parts = re.split(r"^#+ +(.+)$", text, flags=re.MULTILINE)
    found = []
    for heading, body in zip(parts[1::2], parts[2::2], strict=True):
        for block in filter(None, map(str.strip, re.split(r"\n\s*\n", body))):
            lead_in = _LEAD_IN.match(block)
            section = f"{heading}: {lead_in[1]}" if lead_in else heading
            found += [Place(document, section, name) for name in _names(block[lead_in.end() :] if lead_in else block)]
    return [place for place in found if place[:2] != THREATS]


def threats() -> list[list[str]]:
    """The rows of the table in docs/security.md: the threat, what is done, and its tests."""
    part = (ROOT / "docs/security.md").read_text("utf-8").partition("\n## Threats\n")[2].partition("\n## ")[0]
    return [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| ")][2:]


def fault_promises() -> list[FaultPromise]:
    """The rows of docs/faults.md that cells of the table try; each of a row's works is one such cell."""
    found = []
    for fault in fault_table().faults.values():
        outcomes = dict.fromkeys(outcome for outcome in fault.cells.values() if outcome not in ELSEWHERE)
        for outcome in outcomes:
            works = tuple(work for work, becomes in fault.cells.items() if becomes == outcome)
            found.append(FaultPromise(fault.id, outcome, works))
    return found


def _names(block: str) -> Iterator[str]:
    """What the parts of a block are called; a picture and a table of pictures have none."""
    if "![" in block:
        return
    if block.startswith("|"):
        yield from (_plain(line.strip("|").split(" | ")[0]) for line in block.splitlines()[2:])
    elif _ITEM.match(block):
        items = re.split(r"^(?=(?:[-*]|\d+\.) )", block, flags=re.MULTILINE)
        yield from (_first_sentence(_ITEM.sub("", item, count=1)) for item in items if item)
    else:
        yield from filter(None, _END_OF_SENTENCE.split(_plain(block)))


def _first_sentence(text: str) -> str:
    lead_in = _LEAD_IN.match(text)
    return f"{_plain(lead_in[1])}." if lead_in else _END_OF_SENTENCE.split(_plain(text))[0]


def _plain(text: str) -> str:
    """One line without links and bold."""
    return _LINK.sub(r"\1", " ".join(text.split())).replace("**", "")


# The map


def stored() -> dict[str, dict[str, dict[str, list[str]]]]:
    return yaml.safe_load(MAP.read_text("utf-8"))


def promises() -> list[Promise]:
    """Those of the map and the threats."""
    mapped = [
        Promise(Place(document, section, text), tuple(tests))
        for document, sections in stored().items()
        for section, texts in sections.items()
        if section != NONE
        for text, tests in texts.items()
    ]
    return mapped + [Promise(Place(*THREATS, row[0]), tuple(tests_in(row[-1]))) for row in threats()]


def tests_in(text: str) -> list[str]:
    return [found[0] for found in _TEST.finditer(text)]


def unaccounted() -> tuple[list[Place], list[Place]]:
    """What a document says and the map doesn't know, and what the map names and no document says."""
    said = [place for document in DOCUMENTS for place in read(document)]
    mapped = {promise.place for promise in promises() if promise.place[:2] != THREATS}
    sections, sentences = _excused()
    new = [place for place in said if place not in mapped | sentences and place[:2] not in sections]
    gone = [place for place in [*mapped, *sentences] if place not in set(said)]
    empty = [Place(*section, "") for section in sections if section not in {place[:2] for place in said}]
    return new, [*gone, *empty]


def twice() -> list[Place]:
    """What is mapped and excused, or is said twice in one section, so that one entry would stand for both."""
    sections, sentences = _excused()
    mapped = [promise.place for promise in promises()]
    said = [place for document in DOCUMENTS for place in read(document) if place[:2] not in sections]
    both = [place for place in [*mapped, *sentences] if place[:2] in sections]
    return [*both, *sentences.intersection(mapped), *(place for place in set(said) if said.count(place) > 1)]


def _excused() -> tuple[set[tuple[str, str]], set[Place]]:
    """Whole sections, and sentences of others."""
    rows = [(document, *row) for document, sections in stored().items() for row in sections.get(NONE, {}).items()]
    whole = {(document, section) for document, section, why in rows if isinstance(why, str)}
    return whole, {Place(*row[:2], text) for row in rows if not isinstance(row[2], str) for text in row[2]}


def lines(places: list[Place]) -> str:
    """What to write into promises.yaml for these."""
    written, before = [], ("", "")
    for place in places:
        written += [f"{_key(place.document)}"] if place.document != before[0] else []
        written += [f"  {_key(place.section)}"] if place[:2] != before else []
        written += [f"    {_key(place.text)}", "      - tests/.../test_....py::test_..."] if place.text else []
        before = place[:2]
    return "\n".join(written)


def _key(text: str) -> str:
    """A key of YAML, quoted where it has to be."""
    try:
        return f"{text}:" if yaml.safe_load(f"{text}: 1") == {text: 1} else f"{json.dumps(text, ensure_ascii=False)}:"
    except yaml.YAMLError:
        return f"{json.dumps(text, ensure_ascii=False)}:"


# The tests


def exists(test: str, root: Path = ROOT) -> bool:
    """Whether there is such a test; which ids it has isn't looked at."""
    return bool((found := _TEST.fullmatch(test)) and found[2] in _tests(root / found[1]))


def is_full(test: str, root: Path = ROOT) -> bool:
    """Whether a test runs in `make test-all` only: it, its class or its module is marked `full`, or the id is."""
    found = _TEST.fullmatch(test)
    assert found
    marks = _tests(root / found[1])[found[2]]
    return any(map(_is_full_mark, marks)) or any(_has_full_id(mark, (found[3] or "")[1:-1]) for mark in marks)


def by_tier(promise: Promise, root: Path = ROOT) -> tuple[list[str], list[str]]:
    """The tests of a promise that `make test` runs, and those that only `make test-all` does."""
    there = [test for test in promise.tests if exists(test, root)]
    return [test for test in there if not is_full(test, root)], [test for test in there if is_full(test, root)]


@cache
def _tests(file: Path) -> dict[str, list[ast.expr]]:
    """The tests of a file with the marks of each: its decorators, those of its class and the module's `pytestmark`."""
    if not file.is_file():
        return {}
    tree = ast.parse(file.read_text("utf-8"))
    shared = _pytestmark(tree.body)
    found = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            inside = [*shared, *_pytestmark(node.body), *node.decorator_list]
            found |= {f"{node.name}::{name}": [*inside, *marks] for name, marks in _functions(node.body)}
    return found | {name: [*shared, *marks] for name, marks in _functions(tree.body)}


def _functions(body: list[ast.stmt]) -> Iterator[tuple[str, list[ast.expr]]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.name, node.decorator_list


def _pytestmark(body: list[ast.stmt]) -> list[ast.expr]:
    found: list[ast.expr] = []
    for node in body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["pytestmark"]:
            found += node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else [node.value]
    return found


def _is_full_mark(mark: ast.expr) -> bool:
    return ast.unparse(mark.func if isinstance(mark, ast.Call) else mark) == "pytest.mark.full"


def _has_full_id(mark: ast.expr, wanted: str) -> bool:
    """Whether a `pytest.param` of this id is marked by itself."""
    for node in ast.walk(mark):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.param":
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if given.get("id") == repr(wanted) and "pytest.mark.full" in given.get("marks", ""):
                return True
    return False


def without_test(found: list[Promise], root: Path = ROOT) -> list[str]:
    """Promises that name no test, and names that no test has."""
    empty = [f"{_told(promise.place)}\n  names no test" for promise in found if not promise.tests]
    named = [(promise.place, test) for promise in found for test in promise.tests]
    return empty + [f"{_told(place)}\n  there is no {test}" for place, test in named if not exists(test, root)]


def without_quick_test(found: list[Promise], root: Path = ROOT) -> list[str]:
    """Promises whose tests all run in `make test-all` only."""
    tiers = [(promise.place, *by_tier(promise, root)) for promise in found]
    return [
        f"{_told(place)}\n  has no test in `make test`, only {', '.join(full)}"
        for place, quick, full in tiers
        if full and not quick
    ]


def faults() -> list[str]:
    """All that is wrong, in words."""
    new, gone = unaccounted()
    return [
        *([f"Add to tests/promises.yaml, with tests or under `{NONE}`:\n{lines(new)}"] if new else []),
        *(f"No document says this any more, take it out of tests/promises.yaml: {_told(place)}" for place in gone),
        *(f"More than once, or mapped and excused: {_told(place)}" for place in twice()),
        *without_test(promises()),
        *without_quick_test(promises()),
    ]


def _told(place: Place) -> str:
    return f"{place.document}, {place.section}: {place.text}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.promises", description="What keeps each promise.")
    parser.add_argument("--missing", action="store_true", help="only what is wrong")
    arguments = parser.parse_args()
    for promise in [] if arguments.missing else promises():
        quick, full = by_tier(promise)
        print(_told(promise.place))
        print(*(f"  quick  {test}" for test in quick), *(f"  full   {test}" for test in full), sep="\n")
    wrong = faults()
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
