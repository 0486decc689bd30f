"""A valid input is sent faithfully: what the service understands is what was given, in every action."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import assume, given

from apollo_component.contract.errors import IncompleteReplyError
from apollo_component.contract.manifest import Manifest

from .conftest import FACTS, Host, examples, schema_of
from .making import inputs
from .wire import Arrived, Server, as_text, same, understood

TWICE = {"emailer_campaigns_add_contact_ids": {"emailer_campaign_id": "sequence_id"}}
"""Inputs that a service wants under a second name too: Apollo's is in the path and among the parameters."""
UNSENT = {"minimum_confidence"}
"""Inputs that only the answer is weighed by."""
LATE = ("reveal_phone_number", "run_waterfall_email", "run_waterfall_phone")
"""What arrives after the answer; Apollo wants to know whether it is fetched or sent to an address."""


def expected(manifest: Manifest, action: str, values: dict[str, Any]) -> dict[str, Any]:
    """The input, its schema's defaults, page parameters as whole numbers, and that late results are fetched."""
    fields = schema_of(action)["properties"]
    whole = {name: field["default"] for name, field in fields.items() if "default" in field} | values
    if manifest.actions[action].quirk == "free_body":
        return dict(whole["body"])
    if style := manifest.actions[action].paging:
        whole |= {style.page: int(whole[style.page]), style.per_page: int(whole[style.per_page])}
    if any(whole.get(name) for name in LATE) and "webhook_url" not in whole:
        whole["poll_only"] = True
    sent = {name: value for name, value in whole.items() if name not in UNSENT}
    return sent | {name: whole[other] for name, other in TWICE.get(action, {}).items()}


def past_the_ceiling(manifest: Manifest, action: str, values: dict[str, Any]) -> bool:
    """Whether a page lies where the service gives none: refused too, though by no schema."""
    style = manifest.actions[action].paging
    most = style.max_records if style else None
    return bool(style and most and values.get(style.page, 1) * values.get(style.per_page, 100) > most)


@pytest.mark.parametrize("action", FACTS)
def test_what_arrives_is_what_was_given(
    action: str, manifest: Manifest, server: Server, execute: Callable[..., Any]
) -> None:
    """Path segments, query pairs or JSON body, as they came over the wire, say the input and nothing else."""

    @examples(8)
    @given(inputs(schema_of(action)))
    def arrives(values: dict[str, Any]) -> None:
        assume(not past_the_ceiling(manifest, action, values))
        host = Host()
        server.seen.clear()
        with suppress(IncompleteReplyError):  # the server's {} is no answer to most actions
            execute(action, values, host)
        assert host.calls == ["sending", "permit", "observed", "received"]
        faithful(server.taken(), action, expected(manifest, action, values))

    arrives()


def faithful(arrived: Arrived, action: str, wanted: dict[str, Any]) -> None:
    in_path, in_query, in_body = understood(arrived, FACTS[action]["path"])
    assert arrived.method == FACTS[action]["method"]
    assert not (arrived.body and arrived.method == "GET")
    assert in_path == {name: wanted.pop(name) for name in in_path}
    assert in_query == {name: as_text(wanted.pop(name)) for name in in_query if name in wanted}
    assert same(in_body, wanted)
