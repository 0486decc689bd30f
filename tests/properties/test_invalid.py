"""An invalid input never leaves the machine: one violation for each keyword, at every place of every input schema."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apollo_component.contract.errors import InputError
from apollo_component.contract.located import dotted

from .breaking import CANARY, FAR, Site, broken, sites
from .conftest import FACTS, Host, examples, schema_of
from .whole import Way, fits
from .wire import Server


def by_keyword(action: str) -> dict[str, list[Site]]:
    found: dict[str, list[Site]] = {}
    for site in sites(schema_of(action)):
        found.setdefault(site.keyword, []).append(site)
    return found


CASES = [(action, keyword) for action in FACTS for keyword in by_keyword(action)]


def violations(action: str, keyword: str) -> st.SearchStrategy[tuple[Any, Way]]:
    schema = schema_of(action)
    return st.sampled_from(by_keyword(action)[keyword]).flatmap(lambda site: broken(schema, site))


def refused(error: InputError, place: Way) -> None:
    """The error names the place, and shows nothing of the value that stands there."""
    told = f"{error} {error!r} {error.hint} {json.dumps(error.as_dict())}"
    assert dotted(place) in {problem.path for problem in error.problems}, (dotted(place), str(error))
    assert CANARY not in told
    assert str(FAR) not in told


@pytest.mark.parametrize(("action", "keyword"), CASES)
def test_a_violation_is_refused_before_anything_is_asked_for(
    action: str, keyword: str, server: Server, execute: Callable[..., Any]
) -> None:
    """The error names the place and not the value; no permit is asked for, no row written, nothing sent."""

    @examples(3)
    @given(violations(action, keyword))
    def is_refused(case: tuple[Any, Way]) -> None:
        values, place = case
        assert not fits(schema_of(action), values)
        host = Host()
        server.seen.clear()
        with pytest.raises(InputError) as caught:
            execute(action, values, host)
        refused(caught.value, place)
        assert host.calls == []
        assert server.seen == []

    is_refused()
