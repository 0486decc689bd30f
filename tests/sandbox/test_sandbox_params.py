"""Bracketed queries, read as Rails reads them."""

import pytest

from apollo_component.sandbox.params import flag, merge, parse_query, texts
from apollo_component.sandbox.quotas import PLANS


@pytest.mark.parametrize(
    ("query", "read"),
    [
        ("a=1&b=x%20y", {"a": "1", "b": "x y"}),
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("r[min]=1&r[max]=9", {"r": {"min": "1", "max": "9"}}),
        ("d[][a]=1&d[][b]=2&d[][a]=3", {"d": [{"a": "1", "b": "2"}, {"a": "3"}]}),
        ("a[]=1&a[x]=2", {"a": ["1"]}),
        ("a%5B%5D=1", {"a": ["1"]}),
    ],
)
def test_queries(query, read):
    """Arrays, ranges and arrays of objects come out as in a JSON body."""
    assert parse_query(query) == read


def test_merging_and_reading():
    """Query and body are one set of parameters; a lone text is no array; words are booleans."""
    params = merge("page=2&flag=true", b'{"page": 1, "names": "one"}', "application/json")
    assert params == {"page": "2", "flag": "true", "names": "one"}
    assert flag(params, "flag")
    assert texts(params, "names") == []


def test_every_plan_has_every_class():
    """No operation can be without a limit to look up."""
    assert len({frozenset(classes) for classes in PLANS.values()}) == 1
