"""Every action, with its own example, on a fresh world of the sandbox, under each connection type it allows."""

import gzip
import json
from pathlib import Path
from urllib.parse import parse_qsl

import httpx
import pytest

from apollo_component.apollo.plugin import plugin
from apollo_component.contract.errors import PermissionDeniedError

from .conftest import declared_operations

pytestmark = [pytest.mark.real]

LITERALS = json.loads((Path(__file__).parents[1] / "facts" / "requests.json").read_bytes())
ACTIONS, KINDS = declared_operations(), plugin.manifest.connection_types
CASES = [
    pytest.param(action, kind.id, id=f"{action.id}-{kind.id}")
    for action in ACTIONS.values()
    for kind in KINDS.values()
    if action.requires.allows(kind.kind)
]
EXCLUDED = [
    pytest.param(action, kind.id, id=f"{action.id}-{kind.id}")
    for action in ACTIONS.values()
    for kind in KINDS.values()
    if not action.requires.allows(kind.kind)
]
SAYS = {
    "people_match": {"name": "Hugo Winter", "email": "hugo.winter@amberbiotech.example"},
    "organizations_enrich": {"name": "Quill Security", "primary_domain": "quillsecurity.example"},
    "contacts_create": {"email": "dana.reyes@quillsecurity.example", "title": "VP Sales"},
    "contacts_update": {"title": "Head of Sales", "contact_stage_id": "06571c46e40b28ccb0b4fe44"},
    "contacts_update_stages": {"contact_stage_id": "06571c46e40b28ccb0b4fe44"},
    "contacts_update_owners": {"owner_id": "d3e8f2c9961e7a8de3e8d27f"},
    "contacts_bulk_create": {"name": "Sam Ortiz", "already_existed": False},
    "contacts_bulk_update": {"title": "Head of Sales"},
    "accounts_create": {"name": "Example Corp", "domain": "example.com"},
    "accounts_update": {"account_stage_id": "c334d98b279fc0519dd45505"},
    "accounts_bulk_create": {"name": "Example Corp", "already_existed": False},
    "opportunities_create": {"name": "Quill Security, 50 seats", "amount": 25000},
    "opportunities_update": {"stage_name": "Closed Won", "is_won": True},
    "labels_create": {"name": "Trade fair", "cached_count": 0},
    "labels_update": {"name": "Conference 2027"},
    "labels_add_records": {"name": "Customers"},
    "emailer_campaigns_add_contact_ids": {"name": "Tessa Haas"},
    "sequences_create": {"name": "Welcome", "active": False},
    "sequences_update": {"name": "Product launch, second edition", "max_emails_per_day": 50},
    "emailer_campaigns_approve": {"active": True},
    "emailer_campaigns_abort": {"active": False},
    "emailer_campaigns_archive": {"archived": True},
    "emailer_messages_create": {"status": "drafted", "subject": "Hello"},
    "emailer_messages_send_now": {"async_sending": True},
    "emailer_messages_send_status": {"status": "completed"},
    "tasks_create": {"status": "scheduled", "title": "Follow-up call with Tessa Haas"},
    "tasks_update": {"priority": "high", "due_at": "2026-12-16T10:00:00.000+00:00"},
    "tasks_complete": {"status": "completed", "note": "Connected."},
    "tasks_skip": {"status": "skipped", "note": "No longer needed."},
    "phone_calls_create": {"duration": 150, "status": "completed"},
    "phone_calls_update": {"note_text": "Wants an offer by Friday."},
    "webhook_result_show": {"webhook_status": "success"},
    "fields_create": {"name": "Procurement contact"},
    "fields_update": {"label": "Renewal manager"},
    "auth_health": {"healthy": True, "is_logged_in": True},
}
"""What the first record says when the action did what its example asks for."""
ACCEPTED = {"enrich_create": 202}
"""What is only begun when it is answered."""


@pytest.mark.parametrize(("action", "kind"), CASES)
def test_an_action_runs_its_example(action, kind, world):
    """It works, one request arrives and is the literal one, every record fits the output's schema."""
    credential = world.link(kind)
    page = world.execute(action, credential)
    [request] = world.sent()
    assert request["auth"].partition(":")[0] == {"api_key": "key", "oauth2": "token"}[kind]
    assert (request["operation"], request["status"]) == (action.id, ACCEPTED.get(action.id, 200))
    assert _literal(request) == LITERALS[action.id]
    assert page.records
    assert page.warnings == ()
    assert [problem for record in page.records for problem in plugin.schemas.problems(action.output, record)] == []
    said = SAYS.get(action.id, {})
    assert {name: page.records[0][name] for name in said} == said


def test_a_task_of_the_assistant_is_asked_about_by_its_id(world):
    """The id that the example's task is given brings its answer later."""
    credential, action = world.link("api_key"), ACTIONS["agents_task"]
    started = world.execute(action, credential).value
    world.control.post("/clock", json={"advance": 60}).raise_for_status()
    later = world.execute(action, credential, task_id=started["task_id"]).value
    assert (started["status"], later["status"]) == ("running", "completed")
    assert [message["role"] for message in later["messages"]] == ["user", "assistant"]


def test_an_export_is_fetched_by_its_id(world):
    """The id that the example's export is given leads to its file later."""
    credential = world.link("api_key")
    export = world.execute(ACTIONS["conversations_export_create"], credential).value["export_id"]
    world.control.post("/clock", json={"advance": 60}).raise_for_status()
    address = world.execute(ACTIONS["conversations_export_show"], credential, id=export).value["redirect_url"]
    assert len(json.loads(gzip.decompress(httpx.get(address).content))) > 5


@pytest.mark.parametrize(("action", "kind"), EXCLUDED)
def test_an_excluded_connection_is_refused_before_sending(action, kind, world):
    """What no scope opens isn't even tried with a token; the person hears which connection to use."""
    credential = world.link(kind)
    with pytest.raises(PermissionDeniedError) as refusal:
        world.execute(action, credential)
    assert refusal.value.missing == {"connection_type": "api_key"}
    assert world.sent() == []


def test_some_action_is_excluded():
    """A validation and the activities of an email have no scope, so the test above has something to refuse."""
    assert [case.id for case in EXCLUDED] == ["enrich_create-oauth2", "emailer_messages_activities-oauth2"]


@pytest.fixture(scope="module")
def refusing(default_world):
    """One world for refusals: they change nothing in it."""
    default_world.reset()
    return default_world


KEY_REFUSED = [
    action
    for action in ACTIONS.values()
    if not action.requires.open
    and not (action.requires.key_endpoint or "").startswith(("api/v1/contacts/", "api/v1/labels/"))
    and action.requires.key_endpoint != "api/v1/contact_stages/index"
]


@pytest.mark.parametrize("action", KEY_REFUSED, ids=lambda action: action.id)
def test_a_key_without_the_endpoint_is_told_what_to_tick(action, refusing):
    """Apollo alone knows what a key may do: its refusal names the endpoint or the master key, and costs nothing."""
    credential = refusing.link("api_key", "scoped_without_search")
    paid = refusing.ask("/ledger")["total"]
    with pytest.raises(PermissionDeniedError) as refusal:
        refusing.execute(action, credential)
    requires = action.requires
    wanted = {"key_endpoint": requires.key_endpoint, "oauth_scope": requires.oauth_scope}
    known = {name: value for name, value in wanted.items() if value}
    assert refusal.value.missing == (known or {"master_key": True})
    assert [request["status"] for request in refusing.sent()] == [403]
    assert refusing.ask("/ledger")["total"] == paid


def _literal(request):
    """What of a recorded request the literal says."""
    return {
        "method": request["method"],
        "path": request["path"],
        "query": [list(pair) for pair in parse_qsl(request["query"], keep_blank_values=True)],
        "body": json.loads(request["body"]) if request["body"] else None,
    }
