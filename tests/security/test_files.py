"""Bombs and tricks in what an author writes: YAML, JSON, expressions, times and texts that have a form."""

import json
import re
import time
from pathlib import Path

import pytest

from apollo_component.cli.inputs import read_input
from apollo_component.contract.errors import InputError, ManifestError
from apollo_component.contract.keywords import LONGEST, Validator
from apollo_component.contract.located import parse
from apollo_component.host.workflow import expressions
from apollo_component.host.workflow.bounds import GROWTH, growth
from apollo_component.host.workflow.file import parse_workflow
from apollo_component.host.workflow.schedules import schedule_problem

ROOT = Path(__file__).parent.parent.parent
LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)
)


@pytest.fixture(autouse=True)
def soon():
    """Every one of these ends in a moment."""
    start = time.thread_time()
    yield
    assert time.thread_time() - start < 20


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (LAUGHS, "aliases"), ("a: &x 1\nb: *x", "aliases"), ("[" * 100_000, "nested more than 40"),
        ("{a: " * 100_000, "nested more than 40"), ("- " * 100_000, "nested more than 40"),
        ("a: [" + "x," * 600_000 + "]", "50,000 parts"), ("a" * 3_000_000, "larger than"),
        ("".join(f"k{n}: 1\n" for n in range(60_000)), "50,000 parts"), (f"{'k' * 500}: 1", "at most 200"),
        ("a: !!python/object/apply:os.system [ls]", "tags"), ("a: !!binary aGk=", "tags"), ("a: !x y", "tags"),
        ("a: !<tag:yaml.org,2002:int> 3", "tags"), ("a: 1\na: 2", "stands twice"), ("? [a]\n: b", "plain word"),
        ('a: "\\ud800"', "is not YAML"),
    ],
)  # fmt: skip
def test_a_yaml_bomb_is_a_problem(text: str, word: str) -> None:
    """Aliases, depth, size, number of parts, long and double keys and tags are refused, each by name."""
    located = parse(text, "x")
    assert word in " ".join(str(problem)[:500] for problem in located.problems)


def test_merge_keys_and_odd_words_mean_nothing() -> None:
    """What other loaders give a meaning stays the text that it is."""
    assert parse("<<: {a: 1}\nb: on\nc: 0o17\nd: 1_000\ne: .inf\nf: 2001-01-01", "x").data == {
        "<<": {"a": 1}, "b": "on", "c": "0o17", "d": "1_000", "e": ".inf", "f": "2001-01-01",
    }  # fmt: skip


def test_thousands_of_mistakes_are_told_in_a_moment(connector) -> None:
    """The number of parts bounds the problems, too."""
    text = "name: x\nconnections: {a: {connector: apollo}}\nsteps:\n  - id: s\n    action: users_search\n"
    with pytest.raises(ManifestError):
        parse_workflow(text + "".join(f"    actoin{n}: 1\n" for n in range(20_000)), {"apollo": connector.manifest})


@pytest.mark.parametrize("depth", [200, 1000, 100_000])
def test_deep_json_is_an_input_error(depth: int) -> None:
    """JSON on a command line may not be nested deeper than 200 levels, on any Python."""
    with pytest.raises(InputError) as caught:
        read_input('{"a": ' + "[" * depth + "]" * depth + "}")
    assert [problem.text for problem in caught.value.problems] == ["is nested more than 200 levels"]


def test_json_as_deep_as_it_may_be_is_read() -> None:
    """The object and 199 lists in it are 200 levels."""
    assert list(read_input('{"a": ' + "[" * 199 + "1" + "]" * 199 + "}")) == ["a"]


@pytest.mark.parametrize(
    "expression",
    ["(" * 900 + "a" + ")" * 900, "!" * 1900 + "a", "`" + "[" * 1900 + "`", "a" * 2001, "a" + ".b" * 990 + "." * 3,
     "a" + "|[@,@]" * 40, "a|" + "[@,@][]|" * 40 + "@", "a|{" + ",".join(f"k{n}: @" for n in range(100)) + "}",
     "to_string(" * 30 + "a" + ")" * 30],
)  # fmt: skip
def test_an_expression_that_could_explode_is_refused_when_it_is_written(expression: str) -> None:
    """Depth, length and doubling are seen before anything runs."""
    assert expressions.problem(expression, {"a": None, "k": None})


@pytest.mark.parametrize(
    "expression",
    [
        "a|[@,@][]|[@,@][]|[@,@][]|[@,@][]|[@,@][]|[@,@][]", "join(join('', a), a)",
        "rows[?length(all[?@ != 'z']) > `0`]", "rows[].join('', all)",
    ],
)  # fmt: skip
def test_an_expression_that_works_too_much_is_stopped(expression: str) -> None:
    """What only the values make large ends at a limit, as an error of the input."""
    big = ["x" * 40] * 60_000
    with pytest.raises(InputError, match="more than it may"):
        expressions.evaluate(expression, {"a": big, "rows": [{"all": big}] * 1000})


def test_what_authors_write_is_far_below_the_limits() -> None:
    """The usual picking and putting together is let through, for as many records as a search gives."""
    usual = "a[?email].{id: id, name: join(' ', [first, last]), all: [id, email]}"
    assert growth(expressions.compiled(usual).parsed) < GROWTH / 8
    people = [{"id": str(n), "email": "e", "first": "f", "last": "l"} for n in range(50_000)]
    assert len(expressions.evaluate(usual, {"a": people})) == 50_000


@pytest.mark.parametrize(
    "cron",
    ["R R * * *", "H H * * *", "r(1-5) * * * *", "0 0 30 2 *", "@reboot", "* * * * * *", "1," * 100_000 + "1 * * * *",
     "0-99999999 * * * *", "\x00 * * * *", "*/0 * * * *", "a b c d e", "0 0 * * 9999999999999999999"],
)  # fmt: skip
def test_an_odd_time_is_refused(cron: str) -> None:
    """No random times, none that never comes, no list without end."""
    assert [key for key, _ in schedule_problem({"cron": cron})] == ["cron"]


@pytest.mark.parametrize("zone", ["../../etc/passwd", "/etc/passwd", "\x00", "a" * 5000, "Europe/../../x", "", "."])
def test_a_time_zone_is_no_path(zone: str) -> None:
    """A name that leads to a file elsewhere is no time zone."""
    assert [key for key, _ in schedule_problem({"cron": "0 7 * * *", "timezone": zone})] == ["timezone"]


def patterns() -> list[str]:
    found: set[str] = set()

    def look(value):
        if isinstance(value, dict):
            found.update(text for key, text in value.items() if key == "pattern" and isinstance(text, str))
            for inner in value.values():
                look(inner)
        elif isinstance(value, list):
            for inner in value:
                look(inner)

    for file in (ROOT / "schemas").rglob("*.json"):
        look(json.loads(file.read_bytes()))
    return sorted(found)


@pytest.mark.parametrize("pattern", patterns())
def test_no_text_keeps_a_pattern_busy(pattern: str) -> None:
    """Against every pattern of every schema: repeated pieces that nearly fit, as long as a text may be and longer."""
    check = Validator({"type": "string", "pattern": pattern})
    pieces = [
        "a",
        "0",
        ".",
        "/",
        "a.",
        "a/",
        "/a",
        "@",
        "a@",
        "a@a.",
        "%41",
        "-",
        "_",
        ",",
        "0,",
        " ",
        "https://a",
        "(",
        "a b ",
    ]
    start = time.thread_time()
    for piece in pieces:
        for prefix in ("", "a", "/", "https://", "a@"):
            text = prefix + piece * (LONGEST // len(piece) - 8)
            list(check.iter_errors(text + "\x00"))
            list(check.iter_errors(text + "!"))
        list(check.iter_errors(piece * 1_000_000))
    assert time.thread_time() - start < 3
    assert re.compile(pattern)
