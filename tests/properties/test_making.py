"""The strategies themselves: they know every keyword, reach every field, and break what they say they break."""

from pathlib import Path

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from .breaking import sites
from .conftest import FACTS, examples, schema_of
from .making import inputs
from .whole import fits, whole
from .wire import as_text, nested, same

FIRST = settings(examples(50), phases=(Phase.generate,))
"""The first one found, as it is."""


def test_an_unknown_keyword_is_an_error(tmp_path: Path) -> None:
    """A keyword that no strategy knows ends the tests; it is not passed over."""
    with pytest.raises(ValueError, match="contains"):
        whole({"type": "array", "contains": {}}, tmp_path)
    with pytest.raises(ValueError, match="two different maxItems"):
        whole(
            {"allOf": [], "maxItems": 1, "$ref": "#/$defs/two"}, _with(tmp_path, '{"$defs": {"two": {"maxItems": 2}}}')
        )


def _with(folder: Path, text: str) -> Path:
    file = folder / "a.json"
    file.write_text(text)
    return file


@pytest.mark.parametrize("action", ["people_match", "sequences_create"])
def test_every_field_can_be_made(action: str) -> None:
    """Every place of a schema that can be broken can be there in a valid input."""
    schema = schema_of(action)
    for way in {site.way for site in sites(schema)}:
        assert fits(schema, find(inputs(schema, way), lambda _: True, settings=FIRST))


def test_every_action_has_what_can_be_broken() -> None:
    """At least the closed object itself, in every action."""
    for action in FACTS:
        assert {"type", "additionalProperties"} <= {site.keyword for site in sites(schema_of(action))}


@pytest.mark.parametrize(
    ("value", "fine"),
    [("50,1", False), ("1,50", True), ("1,1", True), ({"a": ["2,1"]}, False), ({"a": []}, True)],
)
def test_ranges_are_judged_apart(value: object, fine: bool) -> None:
    """The second opinion on ranges is this folder's own."""
    band = {"type": "string", "x-ascending": ","}
    schema = {"properties": {"a": {"items": band}}} if isinstance(value, dict) else band
    assert fits(schema, value) is fine


@examples(100)
@given(st.dictionaries(st.text("ab_", min_size=1, max_size=3), st.lists(st.integers(), min_size=1) | st.floats(0, 1)))
def test_queries_are_read_by_the_bracket_rules(values: dict[str, object]) -> None:
    """What is written by hand in brackets is read back."""
    pairs = []
    for name, value in values.items():
        pairs += (
            [(f"x[{name}][]", as_text(item)) for item in value]
            if isinstance(value, list)
            else [(f"x[{name}]", as_text(value))]
        )
    assert nested(pairs) == ({"x": as_text(values)} if values else {})
    assert not same({"a": 1}, {"a": True})
