"""The connector reads answers in every shape that Apollo was seen to give."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from apollo_component.apollo.plugin import plugin
from apollo_component.apollo.quirks import QUIRKS
from apollo_component.connector.connector import Connector
from apollo_component.contract.actions import Action
from apollo_component.contract.models import Credential, Reply
from tests.actions.conftest import Context

from .absent import listed, missing
from .answers import OBJECT_ID, Shape, answer, shapes

CREDENTIALS = {
    "api_key": Credential("api_key", api_key="key"),
    "oauth2": Credential("oauth2", access_token="token", refresh_token="next"),
}
WHOLE = ("$",)
RECORDS = {
    "accounts_bulk_create": ("created_accounts", "existing_accounts"),
    "contacts_bulk_create": ("created_contacts", "existing_contacts"),
    "contacts_opportunities": ("opportunities",),
    "conversations_export_show": WHOLE,
    "conversations_show": WHOLE,
    "emailer_campaigns_activity_feed": ("events",),
    "emailer_campaigns_add_contact_ids": ("contacts",),
    "emailer_campaigns_remove_or_stop_contact_ids": ("contacts",),
    "emailer_messages_activities": ("activities",),
    "emailer_messages_send_status": WHOLE,
    "fields_create": ("typed_custom_fields",),
    "labels_list": WHOLE,
    "mixed_companies_search": ("organizations", "accounts"),
    "organizations_job_postings": ("organization_job_postings",),
    "people_api_search": ("people",),
    "people_bulk_match": ("matches",),
    "people_match": ("person",),
    "people_show": ("person",),
    "reports_sync_report": WHOLE,
    "sequences_create": ("emailer_campaign",),
    "sequences_update": ("emailer_campaign",),
    "usage_credit_stats": WHOLE,
    "users_api_profile": WHOLE,
    "webhook_result_show": WHOLE,
}
"""Where the records of an answer lie, when it isn't under the plural or singular of the path's first word."""
ASKED: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "accounts_bulk_update": ("account_ids", lambda record: record["id"]),
    "accounts_update_owners": ("account_ids", lambda record: record["id"]),
    "contacts_bulk_update": ("contact_attributes", lambda record: {"id": record["id"], "title": record["title"]}),
    "contacts_update_owners": ("contact_ids", lambda record: record["id"]),
    "contacts_update_stages": ("contact_ids", lambda record: record["id"]),
    "emailer_campaigns_add_contact_ids": ("contact_ids", lambda record: record["id"]),
    "emailer_campaigns_remove_or_stop_contact_ids": ("contact_ids", lambda record: record["id"]),
    "emailer_messages_get_content": ("ids", lambda record: record["id"]),
    "labels_add_records": ("label_names", lambda record: record["name"]),
    "labels_remove_records": ("label_names", lambda record: record["name"]),
    "organizations_bulk_enrich": ("domains", lambda record: record["primary_domain"]),
    "people_bulk_match": ("details", lambda record: {"id": record["id"]} if record else {"email": "no@example.com"}),
}
"""The input that names what was asked for, and what it says of a record that the answer gives."""


def records_in(shape: Shape, given: Any) -> list[Any]:
    """The records of an answer, by what Apollo's documentation says of its envelopes."""
    word = shape.request.split("/")[1]
    places = RECORDS.get(shape.operation) or (word, word.removesuffix("s"), f"{word.removesuffix('ies')}y")
    if places == WHOLE:
        return given if isinstance(given, list) else [given]
    found = [given[place] for place in places if place in given]
    assert found, f"none of {places} is in the answer"
    return [record for part in found for record in (part if isinstance(part, list) else [part])]


def input_for(action: Action, records: list[Any]) -> dict[str, Any]:
    """The action's example, asking for what the answer gives."""
    values = dict(action.example)
    if action.id in ASKED:
        name, of = ASKED[action.id]
        values[name] = [of(record) for record in records]
    elif OBJECT_ID.fullmatch(str(values.get("id"))) and len(records) == 1 and "id" in records[0]:
        values["id"] = records[0]["id"]
    return values


class Replay:
    """A connector whose every request is answered with `answer`."""

    def __init__(self) -> None:
        self.answer: Any = None
        self.connector = Connector(plugin.manifest, QUIRKS, send=self._send, environ={})

    def _send(self, request: Any, **_: Any) -> Reply:
        return Reply(200, {"content-type": "application/json"}, orjson.dumps(self.answer))


@pytest.fixture(scope="module")
def replay() -> Replay:
    return Replay()


@pytest.mark.parametrize("shape", shapes(), ids=lambda shape: f"{shape.source}-{shape.request}")
def test_every_record_of_an_answer_comes_out(shape: Shape, replay: Replay) -> None:
    """Each record of a shape Apollo gave comes out once, whole and as the schema says, by key and by token."""
    action = plugin.manifest.actions[shape.operation]
    replay.answer = given = answer(shape.types, f"{shape.source} {shape.request}")
    expected = records_in(shape, given)
    values = input_for(action, expected)
    for kind in plugin.manifest.connection_types.values():
        if action.requires.allows(kind.kind):
            credential = CREDENTIALS[kind.id]
            page = replay.connector.connector_execute(action.id, values, credential, None, Context())
            assert [said(record, like) for record, like in paired(page.records, expected)] == expected
            problems = [
                problem for record in page.records for problem in plugin.schemas.problems(action.output, record)
            ]
            assert problems == []


def paired(records: Any, expected: list[Any]) -> list[tuple[Any, Any]]:
    """Each record beside the one that it should be: the one of the same id, else of the same place."""
    by_id = {record["id"]: record for record in records if isinstance(record, dict) and "id" in record}
    named = [like for like in expected if isinstance(like, dict) and like.get("id") in by_id]
    assert len(records) == len(expected)
    return [(by_id[like["id"]] if like in named else records[place], like) for place, like in enumerate(expected)]


def said(record: Any, like: Any) -> Any:
    """The part of a record that has the keys of another."""
    return {name: record[name] for name in like} if isinstance(like, dict) else record


@pytest.fixture(scope="module")
def absent() -> set[tuple[str, str]]:
    return {(operation, path) for operation, places in missing().items() for path in places}


@pytest.fixture(scope="module")
def explained() -> set[tuple[str, str]]:
    return {(name, path) for operations in listed().values() for name, places in operations.items() for path in places}


@pytest.mark.full
def test_whatever_the_sandbox_leaves_out_has_a_reason(absent: set[Any], explained: set[Any]) -> None:
    """A path that Apollo gave and the sandbox doesn't stands in absent.yaml (`python -m tests.others.absent`)."""
    assert sorted(absent - explained) == []


@pytest.mark.full
def test_nothing_is_listed_that_the_sandbox_gives(absent: set[Any], explained: set[Any]) -> None:
    """A path leaves absent.yaml when the sandbox gives it (`python -m tests.others.absent`)."""
    assert sorted(explained - absent) == []


def test_what_is_believed_is_of_an_operation() -> None:
    """The table in docs/unverified.md loses no line of beliefs.yaml to a name that no action has."""
    beliefs = yaml.safe_load(Path(__file__).with_name("beliefs.yaml").read_text("utf-8"))
    assert {*beliefs["live"], *beliefs["inferred"]} <= set(plugin.manifest.actions)
