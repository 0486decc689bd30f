"""What Apollo needs beyond its manifest."""

import contextlib
from typing import Any

import pytest

from apollo_component.apollo.quirks import QUIRKS, as_body, with_sequence_id
from apollo_component.contract.errors import IncompleteReplyError
from apollo_component.contract.manifest import Manifest
from apollo_component.contract.models import Page


def test_the_sequence_is_named_twice() -> None:
    """The id is wanted in the path and as a parameter; the input itself isn't changed."""
    values = {"sequence_id": "s", "contact_ids": ["c"]}
    assert with_sequence_id(values) == values | {"emailer_campaign_id": "s"}
    assert "emailer_campaign_id" not in values


def test_a_free_body_is_sent_alone() -> None:
    """What a person gives as the body is the whole body; the bound of the cost stays here."""
    assert as_body({"body": {"a": [1]}, "max_credits": 5}) == {"a": [1]}


@pytest.mark.parametrize("odd", [None, 5, True, "x", {}, [None], [[1]], [{"id": [1]}], {"a": 1}])
def test_odd_answers_break_no_quirk(odd: Any) -> None:
    """Whatever stands where lists and names are expected, a page comes of it, or it is told to be unreadable."""
    keys = ("organizations", "accounts", "model_ids", "created_contacts", "existing_contacts", "skipped_contact_ids")
    for quirk in QUIRKS.values():
        for answer in (odd, dict.fromkeys(keys, odd), {"organizations": [{"id": [1]}, odd], "model_ids": [odd, "a"]}):
            with contextlib.suppress(IncompleteReplyError):
                assert isinstance(quirk.read(Page(records=[odd], value=answer)).records, list)


def test_every_named_quirk_exists(manifest: Manifest) -> None:
    """The manifest names only quirks that there are, and every quirk is used."""
    assert {action.quirk for action in manifest.actions.values()} - {None} == set(QUIRKS)
