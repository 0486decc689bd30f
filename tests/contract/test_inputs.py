"""The fields of an input: found at every depth, told where they get their choices, and changed in place."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apollo_component.contract.inputs import InputField, changed, input_fields, rules
from apollo_component.contract.schemas import Schemas

ROOT = Path(__file__).parent.parent.parent
SCHEMA = {
    "properties": {
        "plain": {"type": "string"},
        "word": {"enum": ["a", None, 1]},
        "words": {"type": "array", "items": {"$ref": "other.json#/$defs/word"}},
        "inner": {"$ref": "other.json#/$defs/inner"},
        "list": {"type": "array", "items": {"$ref": "other.json#/$defs/inner"}, "x-no-options": "None."},
        "self": {"$ref": "#"},
    }
}
OTHER = {
    "$defs": {
        "word": {"examples": ["x", "y"]},
        "inner": {"properties": {"owner": {"$ref": "#/$defs/owner"}, "own": {"x-fields": "fields"}}},
        "owner": {"type": "string", "x-options": "users"},
    }
}


@pytest.fixture
def fields(tmp_path: Path) -> dict[str, InputField]:
    (tmp_path / "input.json").write_text(json.dumps(SCHEMA))
    (tmp_path / "other.json").write_text(json.dumps(OTHER))
    return {field.name: field for field in input_fields(Schemas(tmp_path), "input.json")}


def test_fields_are_found_at_every_depth(fields: dict[str, InputField]) -> None:
    """Objects and lists of objects are looked into, through references into other files; recursion ends."""
    assert {"plain", "inner.owner", "list.owner", "list.own", "self.inner.owner"} <= set(fields)
    assert max(len(field.path) for field in fields.values()) == 10


def test_each_field_tells_its_choices(fields: dict[str, InputField]) -> None:
    """A source, fixed words, suggestions for items, or the reason why there are none."""
    assert (fields["inner.owner"].source, fields["inner.owner"].fields) == ("users", None)
    assert (fields["list.own"].source, fields["list.own"].fields) == ("fields", "fields")
    assert (fields["word"].vocabulary, fields["words"].vocabulary) == (("a", "1"), ("x", "y"))
    assert (fields["list"].reason, fields["plain"].reason, fields["plain"].source) == ("None.", "", None)


def test_a_value_is_changed_in_a_copy() -> None:
    """Every value at a path is replaced, with its place, and the input given stays as it was."""
    values = {"list": [{"own": 1}, {"own": 2, "name": "x"}, {}, "odd"], "own": 3}
    seen: list[Any] = []

    def change(at: Any, value: Any) -> Any:
        seen.append(at)
        return value * 10

    made = changed(values, ("list", "own"), change)
    assert made == {"list": [{"own": 10}, {"own": 20, "name": "x"}, {}, "odd"], "own": 3}
    assert seen == [("list", 0, "own"), ("list", 1, "own")]
    assert values["list"] == [{"own": 1}, {"own": 2, "name": "x"}, {}, "odd"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)


@given(JSON, st.lists(st.sampled_from("abc"), max_size=3).map(tuple))
def test_changing_nothing_changes_nothing(values: Any, names: tuple[str, ...]) -> None:
    """Whatever the input looks like, leaving every value as it is gives an equal input."""
    assert changed(values, names, lambda _at, value: value) == values


def test_what_is_needed_is_marked_where_it_stands(tmp_path: Path) -> None:
    """A field is required in the object that it belongs to, at every depth."""
    inner = {"properties": {"a": {}, "b": {}}, "required": ["b"]}
    schema = {"properties": {"list": {"items": inner}, "c": {}}, "required": ["c"]}
    (tmp_path / "input.json").write_text(json.dumps(schema))
    found = input_fields(Schemas(tmp_path), "input.json")
    assert [field.name for field in found if field.required] == ["list.b", "c"]


def test_rules_are_the_sentences_beside_them(tmp_path: Path) -> None:
    """Rules that are named, written out or joined; what says nothing is left out."""
    schema = {"allOf": [{"$ref": "other.json"}, {"x-error": "B.", "not": {}}, {"allOf": [{"x-error": "C."}]}, {}]}
    (tmp_path / "input.json").write_text(json.dumps(schema))
    (tmp_path / "other.json").write_text(json.dumps({"x-error": "A."}))
    assert list(rules(Schemas(tmp_path), "input.json")) == ["A.", "B.", "C."]
