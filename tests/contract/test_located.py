"""YAML with places: what is data, what is refused, and on which line."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apollo_component.contract.located import Located, dotted, parse, read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("No", "No"),
        ("True", "True"),
        ("1.10", "1.10"),
        ("007", "007"),
        ("+1", "+1"),
        ("-0", "-0"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2026-10-31", "2026-10-31"),
        ("1e3", "1e3"),
        (".5", ".5"),
        (".inf", ".inf"),
        ("1234567890123456789", "1234567890123456789"),
        ("'5'", "5"),
        ('"true"', "true"),
        ("'null'", "null"),
        ("5", 5),
        ("-17", -17),
        ("0", 0),
        ("0.5", 0.5),
        ("-2.25", -2.25),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_only_exact_words_and_numbers_have_a_meaning(text: str, value: Any) -> None:
    """A scalar is a number only when writing that number gives the same text; every other word stays a string."""
    found = parse(f"key: {text}\n", "a.yaml")
    assert found.problems == []
    assert found.data == {"key": value}
    assert type(found.data["key"]) is type(value)


def test_block_texts_stay_texts() -> None:
    """A number or word written as a block is a string."""
    assert parse("a: |-\n  7\nb: >-\n  true\n", "a.yaml").data == {"a": "7", "b": "true"}


def test_two_equal_keys_are_a_problem_that_names_both_lines() -> None:
    """The second of two equal keys is reported at its own line, with the line of the first."""
    found = parse("a: 1\nb:\n  c: 2\n  d: 3\n  c: 4\n", "x.yaml")
    assert [problem.as_dict() for problem in found.problems] == [
        {"file": "x.yaml", "line": 5, "path": "b.c", "text": "stands twice (first on line 3)"}
    ]


def test_every_problem_is_reported_at_once() -> None:
    """Reading goes on after a problem, so that all of them are told together."""
    found = parse("a: 1\na: 2\nb:\n  - {x: 1, x: 2}\n? [odd]\n: 3\na: 3\n", "x.yaml")
    assert sorted((problem.line, problem.path) for problem in found.problems) == [
        (1, ""),
        (2, "a"),
        (4, "b[0].x"),
        (7, "a"),
    ]


def test_lines_are_those_of_the_file() -> None:
    """Every path knows its line, counted from 1; an unknown path has the line of what is around it."""
    found = parse("# first\na: 1\n\nsteps:\n  - id: x\n    with:\n      name: y\n  - id: z\n", "x.yaml")
    lines = {("a",): 2, ("steps",): 4, ("steps", 0, "id"): 5, ("steps", 0, "with", "name"): 7, ("steps", 1): 8}
    assert {path: found.line(path) for path in lines} == lines
    assert found.line(("steps", 0, "with", "nowhere", 3)) == 6
    assert found.line(("nowhere",)) == found.line(()) == 2
    assert Located(None, "x").line(("a",)) == 1


def test_a_problem_tells_file_line_and_path() -> None:
    """A problem made from a path prints as file, line, path and sentence."""
    found = parse("a:\n  - b: 1\n", "x.yaml")
    assert str(found.problem(("a", 0, "b"), "is wrong")) == "x.yaml:2: a[0].b: is wrong"


@pytest.mark.parametrize(
    "path", [((), ""), (("a",), "a"), (("a", 0, "b"), "a[0].b"), ((0, "a"), "[0].a"), (("a", 1, 2), "a[1][2]")]
)
def test_paths_are_written_with_dots_and_brackets(path: tuple[tuple[str | int, ...], str]) -> None:
    """A path is shown the way a person writes it."""
    assert dotted(path[0]) == path[1]


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("a: &x 1\nb: *x\n", "aliases are not allowed", 2),
        ("a: &x [*x]\n", "aliases are not allowed", 1),
        ("a: 1\nb:\n  <<: *base\n", "aliases are not allowed", 3),
        ("a: [1\nb: 2\n", "is not YAML", 2),
        ("a: b: c\n", "is not YAML", 1),
        ("\ta: 1\n", "is not YAML", 1),
        ("a: 1\n---\nb: 2\n", "is not YAML", 2),
        ("a: \x00", "is not YAML that can be read", 0),
    ],
)
def test_what_cannot_be_read_is_a_problem_with_its_line(text: str, said: str, line: int) -> None:
    """Aliases, second documents and broken YAML are refused at their line, and nothing of the file is used."""
    found = parse(text, "x.yaml")
    assert found.data is None
    assert [(problem.line, said in problem.text) for problem in found.problems] == [(line, True)]


@pytest.mark.parametrize(("levels", "fine"), [(40, True), (41, False), (50_000, False)])
def test_depth_is_bounded(levels: int, fine: bool) -> None:
    """Forty levels are read; more are refused before anything is built."""
    found = parse("[" * levels + "]" * levels, "x.yaml")
    assert (found.problems == []) is fine
    assert fine or "nested more than 40 levels" in found.problems[0].text


def test_size_is_bounded() -> None:
    """More than 2 MB are refused unread."""
    assert parse("# " + "x" * 1_999_998, "x.yaml").problems == []
    assert "larger than 2,000,000 bytes" in parse(b"# " + b"x" * 2_000_000, "x.yaml").problems[0].text


def test_bytes_that_are_not_text_are_a_problem() -> None:
    """A file in another encoding is a problem, not an exception."""
    assert [problem.text for problem in parse(b"a: \xff\xfe", "x.yaml").problems] == ["is not UTF-8 text"]
    assert len(parse("a: \ud800", "x.yaml").problems) == 1


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Any) -> None:
    """A file that can't be opened is a problem that names it; a folder is one too."""
    assert "nothing.yaml: can't be read" in str(read(tmp_path / "nothing.yaml").problems[0])
    assert read(tmp_path).problems


def test_a_read_file_is_named_as_asked(tmp_path: Any) -> None:
    """Problems carry the given name of the file, else its own."""
    file = tmp_path / "a.yaml"
    file.write_bytes(b"a: 1\na: 2\n")
    assert [read(file).problems[0].file, read(file, "shown.yaml").problems[0].file] == ["a.yaml", "shown.yaml"]


YAMLISH = st.text(alphabet=st.sampled_from("ab01:- \n\t{}[],\"'|>#&*!?%~.<\\"), max_size=60)


@given(st.one_of(st.text(max_size=200), YAMLISH, st.binary(max_size=200), st.text(st.characters(codec=None))))
def test_any_text_gives_data_or_problems(text: str | bytes) -> None:
    """Whatever stands in a file, parsing it raises nothing."""
    found = parse(text, "x.yaml")
    assert all(problem.text and problem.file == "x.yaml" for problem in found.problems)


KEYS = st.lists(st.text(alphabet="abcdefgh", min_size=1, max_size=2), min_size=1, max_size=12)


@given(KEYS)
def test_every_repeated_key_is_found(keys: list[str]) -> None:
    """Each repetition of a key is one problem, at the line of the repetition; the first one counts."""
    found = parse("".join(f"{key}: 'v{number}'\n" for number, key in enumerate(keys)), "x.yaml")
    repeated = [(number + 1, key) for number, key in enumerate(keys) if key in keys[:number]]
    assert [(problem.line, problem.path) for problem in found.problems] == repeated
    assert found.data == {key: f"v{keys.index(key)}" for key in keys}


@given(
    st.recursive(
        st.text("xyz 01", max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", min_size=1, max_size=3), inner, max_size=3)
        ),
        max_leaves=10,
    )
)
def test_quoted_data_comes_back_as_it_was(data: Any) -> None:
    """JSON is YAML: texts, lists and objects come back unchanged."""
    import json

    assert parse(json.dumps(data), "x.yaml").data == data
