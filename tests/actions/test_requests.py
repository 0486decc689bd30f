"""The literal requests are what Apollo's documentation knows: written down once, reviewed, never made by a test."""

import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from .conftest import declared_operations

LITERALS = json.loads((Path(__file__).parents[1] / "facts" / "requests.json").read_bytes())
ACTIONS = declared_operations()


def test_every_action_has_its_literal():
    """One request is written down for each action, and none for anything else."""
    assert list(LITERALS) == list(ACTIONS)


@pytest.mark.parametrize("name", LITERALS)
def test_a_literal_is_documented(name, declared):
    """Verb, path and the name of every parameter are declared for the operation; required ones are there."""
    literal, fact = LITERALS[name], declared(name)
    template = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(fact["path"]))
    found = re.fullmatch(template, literal["path"].removeprefix("/api/v1"))
    assert literal["path"].startswith("/api/v1/")
    assert literal["method"] == fact["method"]
    assert found
    given = {*found.groupdict(), *(_plain(pair[0]) for pair in literal["query"]), *_names(literal["body"] or {})}
    assert {one for one in given if not _is_declared(one, fact["parameters"])} == set()
    assert {one for one in fact["required"] if "." not in one} <= given


@pytest.mark.parametrize("name", LITERALS)
def test_a_literal_carries_its_parameters_where_they_belong(name):
    """GET sends them in the query, with brackets, and has no body; everything else sends JSON, without brackets."""
    literal = LITERALS[name]
    assert (literal["body"] is None) == (literal["method"] == "GET")
    assert literal["method"] == "GET" or not literal["query"]
    assert not any("[" in one for one in _names(literal["body"] or {}))


@pytest.mark.parametrize("name", LITERALS)
def test_the_example_is_in_the_literal(name):
    """Whatever the example says is in the request, in its place, with its value."""
    literal, path = LITERALS[name], ACTIONS[name].path
    segments, pairs = unquote(literal["path"]).split("/"), [tuple(pair) for pair in literal["query"]]
    example = ACTIONS[name].example
    for field, value in (example["body"] if ACTIONS[name].quirk == "free_body" else example).items():
        if "{" + field + "}" in path:
            assert value in segments
        elif literal["body"] is None:
            assert set(_pairs(field, value)) <= set(pairs)
        else:
            assert literal["body"][field] == value


def _plain(name):
    """`emailer_message_date_range[min]` is declared as `emailer_message_date_range.min`."""
    return re.sub(r"\[(\w+)\]", r".\1", name).replace("[]", "")


def _names(body, prefix=""):
    """Every name in a body, dotted; lists have no name of their own."""
    for name, value in body.items():
        yield prefix + name
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                yield from _names(item, f"{prefix}{name}.")


def _is_declared(name, parameters):
    """A parameter, or the name of one with parts of its own."""
    known = {_plain(one).replace("[].", ".") for one in parameters}
    return name in known or any(one.startswith(f"{name}.") for one in known)


def _pairs(name, value):
    if isinstance(value, list):
        return [pair for item in value for pair in _pairs(f"{name}[]", item)]
    if isinstance(value, dict):
        return [pair for key, item in value.items() for pair in _pairs(f"{name}[{key}]", item)]
    return [(name, str(value).lower() if isinstance(value, bool) else str(value))]
