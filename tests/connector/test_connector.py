"""The connector as a host calls it: what is sent when, what is told, and which error comes of it."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from apollo_component.connector.connector import Connector, Quirk
from apollo_component.contract.errors import (
    ConnectorError,
    CredentialExpiredError,
    InputError,
    NotFoundError,
    PermissionDeniedError,
    QuotaError,
    ReauthorizationError,
    TransientError,
    UnreadableReplyError,
)
from apollo_component.contract.hookspecs import Hookspecs
from apollo_component.contract.manifest import Manifest, OptionSource
from apollo_component.contract.models import Choice, Credential, Page, Reply, Window

Make = Callable[..., Reply]
ID = "c4010da225e590c49a61164d"
CONTACTS = {"contacts": [{"id": ID}], "pagination": {"total_entries": 1}}


@pytest.fixture
def run(connector: Connector, key: Credential, host: Any) -> Callable[..., Page]:
    def execute(action: str, values: dict[str, Any], credential: Credential = key, cursor: str | None = None) -> Page:
        return connector.connector_execute(action, values, credential, cursor, host)

    return execute


def test_it_answers_every_hook() -> None:
    """Every hook of the contract is implemented and marked."""
    names = [name for name in vars(Hookspecs) if name.startswith("connector_")]
    assert len(names) == 10
    assert all(hasattr(getattr(Connector, name), "workflow_connector_impl") for name in names)


def test_one_call_is_one_request(run: Any, service: Any, reply: Make) -> None:
    """A page is one request with the credential and who asks in its headers, and its records come back."""
    service.answers = {"/contacts/search": reply(200, CONTACTS)}
    page = run("contacts_search", {"q_keywords": "x"})
    (request,) = service.requests
    assert request.url == "https://api.apollo.io/api/v1/contacts/search"
    assert request.json == {"q_keywords": "x", "page": 1, "per_page": 100, "sort_ascending": False}
    assert request.headers == {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "Cache-Control": "no-cache",
        "User-Agent": "apollo-connector/0.1.0",
        "x-api-key": "KEY-canary",
    }
    assert "canary" not in f"{request.url} {request.query} {request.json}"
    assert (list(page.records), page.total) == ([{"id": ID}], 1)


def test_a_token_travels_as_bearer(run: Any, service: Any, token: Credential) -> None:
    """Over OAuth the same request carries the access token and no key."""
    run("contacts_search", {}, token)
    headers = service.requests[0].headers
    assert headers["Authorization"] == "Bearer TOKEN-canary"
    assert "x-api-key" not in headers


def test_the_order_of_events(run: Any, host: Any) -> None:
    """The host is asked for a record, then for permission; told of quotas, then given the answer."""
    run("contacts_search", {})
    assert host.events == ["sending", "permit", "send", "observed", "received"]


@pytest.mark.parametrize(
    ("action", "values", "cursor"),
    [
        ("people_api_search", {"person_title": ["CANARY"]}, None),
        ("people_match", {}, None),
        ("people_match", {"id": "CANARY"}, None),
        ("contacts_search", {"per_page": 101}, None),
        ("people_bulk_match", {"details": [{"id": ID}] * 11}, None),
        ("contacts_search", {}, "501"),
    ],
)
def test_a_bad_input_costs_nothing(run: Any, host: Any, action: str, values: Any, cursor: str | None) -> None:
    """An input that is wrong, too large or past the ceiling is refused before the host is asked for anything."""
    with pytest.raises(InputError) as caught:
        run(action, values, cursor=cursor)
    assert host.events == []
    assert "CANARY" not in str(caught.value)


def test_an_oversize_list_is_told_with_its_limit(run: Any) -> None:
    """More items than one request takes is refused naming the list and the limit; that many are fine."""
    with pytest.raises(InputError, match="details: may have at most 10 items a request"):
        run("people_bulk_match", {"details": [{"id": ID}] * 11})
    assert run("people_bulk_match", {"details": [{"id": ID}] * 10})


def test_an_unknown_action_is_not_found(run: Any, host: Any) -> None:
    """An action that isn't declared is an error, nothing is sent and the name isn't repeated."""
    with pytest.raises(NotFoundError) as caught:
        run("CANARY", {})
    assert host.events == []
    assert "CANARY" not in str(caught.value)


def test_a_recorded_answer_is_not_asked_for_again(run: Any, service: Any, host: Any, reply: Make) -> None:
    """When the host has the answer on record, it is read and nothing is sent, permitted or recorded again."""
    host.recorded = reply(200, CONTACTS)
    assert list(run("contacts_search", {}).records) == [{"id": ID}]
    assert host.events == ["sending"]
    assert service.requests == []


def test_a_recorded_refusal_is_judged_again(run: Any, host: Any, reply: Make) -> None:
    """A refusal on record is the same error a second time, and nothing is sent."""
    host.recorded = reply(422, {"error": "Contact does not exist"})
    with pytest.raises(NotFoundError):
        run("contacts_update", {"contact_id": ID, "title": "x"})
    assert host.events == ["sending"]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [(422, {"error": "No."}, ConnectorError), (200, b"<html>", UnreadableReplyError), (302, b"", UnreadableReplyError)],
)
def test_an_answer_is_kept_before_it_is_judged(
    run: Any, service: Any, host: Any, reply: Make, status: int, body: Any, error: type[ConnectorError]
) -> None:
    """Whatever the answer means, the host has it first."""
    service.answers = {"/contacts/search": reply(status, body)}
    with pytest.raises(error):
        run("contacts_search", {})
    assert host.kept == [service.answers["/contacts/search"]]
    assert host.events[-1] == "received"


def test_a_lost_answer_is_observed_too(run: Any, service: Any, host: Any) -> None:
    """When sending fails, the host is told that the permitted request is over, and gets the error as it was."""
    lost = TransientError("No answer.", worked=True)
    service.answers = {"/contacts/search": lost}
    with pytest.raises(TransientError) as caught:
        run("contacts_search", {})
    assert caught.value is lost
    assert host.events == ["sending", "permit", "send", "observed"]
    assert host.seen == [("contacts_search", (), None)]


def test_without_permission_nothing_is_sent(run: Any, service: Any, host: Any) -> None:
    """A host that refuses permission ends the call before sending."""
    host.refusal = QuotaError("Used up.", window="day")
    with pytest.raises(QuotaError):
        run("contacts_search", {})
    assert service.requests == []
    assert host.events == ["sending", "permit"]


def test_quotas_are_told_to_the_host(run: Any, service: Any, host: Any, reply: Make) -> None:
    """The windows of an answer and the pause of a 429 reach the host under the action's name."""
    service.answers = {"/contacts/search": reply(429, {"message": "x"}, x_rate_limit_minute="50", retry_after="7")}
    with pytest.raises(QuotaError):
        run("contacts_search", {})
    assert host.seen == [("contacts_search", (Window("minute", 50, None),), 7)]


def test_a_pause_of_another_answer_is_no_quota(run: Any, service: Any, host: Any, reply: Make) -> None:
    """`retry-after` counts as a quota's pause under 429 only."""
    service.answers = {"/contacts/search": reply(503, {"error": "x"}, retry_after="7")}
    with pytest.raises(TransientError):
        run("contacts_search", {})
    assert host.seen == [("contacts_search", (), None)]


BODIES_401 = [
    {"error": "Invalid API key.", "error_details": {"code": "AUTH.AUTHENTICATION.API_KEY_INVALID"}},
    {"error_code": "INVALID_ACCESS_TOKEN"},
    {"error": "No."},
    {},
    b"",
]


@pytest.mark.parametrize("body", BODIES_401)
def test_a_refused_credential(
    run: Any, service: Any, reply: Make, key: Credential, token: Credential, body: Any
) -> None:
    """A 401 asks to refresh a token and asks the person for a new key, whatever its body says."""
    service.answers = {"/contacts/search": reply(401, body, x_request_id="req-1")}
    for credential, error in ((token, CredentialExpiredError), (key, ReauthorizationError)):
        with pytest.raises(error) as caught:
            run("contacts_search", {}, credential)
        assert caught.value.request_id == "req-1"
        assert "canary" not in f"{caught.value} {json.dumps(caught.value.as_dict())}"


def test_a_401_about_somebody_elses_record_is_no_bad_credential(
    run: Any, service: Any, reply: Make, token: Credential
) -> None:
    """A 401 that speaks of another user's record is a missing right, for a token too."""
    service.answers = {"/contacts/search": reply(401, {"error": "This task belongs to another user."})}
    with pytest.raises(PermissionDeniedError):
        run("contacts_search", {}, token)


def test_a_scope_that_was_not_granted_is_told_without_a_call(run: Any, host: Any, token: Credential) -> None:
    """What the granted scopes rule out is refused before anything is asked of the host."""
    with pytest.raises(PermissionDeniedError) as caught:
        run("contacts_search", {}, dataclasses.replace(token, scopes=("users_list",)))
    assert caught.value.missing == {"oauth_scope": "contacts_search"}
    assert host.events == []


@pytest.mark.parametrize(
    ("action", "scopes"),
    [
        ("contacts_search", None),
        ("contacts_search", ("contacts_search",)),
        ("users_api_profile", ()),
        ("auth_health", ()),
    ],
)
def test_what_is_granted_runs(run: Any, service: Any, token: Credential, action: str, scopes: Any) -> None:
    """Unknown scopes, granted ones, those the service adds by itself and open actions hold nothing back."""
    run(action, {}, dataclasses.replace(token, scopes=scopes))
    assert len(service.requests) == 1


def test_an_action_without_a_scope_needs_a_key(
    make: Any, manifest: Manifest, token: Credential, key: Credential, host: Any
) -> None:
    """An action that OAuth can't reach says so without a call; with a key it runs."""
    action = manifest.actions["contacts_search"]
    bare = dataclasses.replace(action, requires=dataclasses.replace(action.requires, oauth_scope=None))
    connector = make(dataclasses.replace(manifest, actions={**manifest.actions, "contacts_search": bare}))
    with pytest.raises(PermissionDeniedError) as caught:
        connector.connector_execute("contacts_search", {}, token, None, host)
    assert caught.value.missing == {"connection_type": "api_key"}
    assert host.events == []
    assert connector.connector_execute("contacts_search", {}, key, None, host)


def test_an_operators_address_is_used(make: Any, service: Any, host: Any, key: Credential) -> None:
    """Requests go where the operator's variable says."""
    connector = make(environ={"APOLLO_API_URL": "http://127.0.0.1:9/api/v1/"})
    connector.connector_execute("auth_health", {}, key, None, host)
    assert service.requests[0].url == "http://127.0.0.1:9/api/v1/auth/health"


def test_an_unsafe_address_ends_the_call(make: Any, host: Any, key: Credential) -> None:
    """A wrong variable is an input error naming it; no credential leaves and the host is asked for nothing."""
    connector = make(environ={"APOLLO_API_URL": "http://example.com"})
    with pytest.raises(InputError, match="APOLLO_API_URL"):
        connector.connector_execute("auth_health", {}, key, None, host)
    assert host.events == []


def test_quirks_see_input_and_page(run: Any, service: Any, reply: Make) -> None:
    """A quirk prepares what is sent; the declared names do the rest."""
    answer = {"contacts": [{"id": ID}], "skipped_contact_ids": {}}
    service.answers = {"/add_contact_ids": reply(200, answer)}
    values = {"sequence_id": ID, "contact_ids": [ID], "send_email_from_email_account_id": ID}
    page = run("emailer_campaigns_add_contact_ids", values)
    (request,) = service.requests
    assert request.url.endswith(f"/emailer_campaigns/{ID}/add_contact_ids")
    assert request.json["emailer_campaign_id"] == ID
    assert "sequence_id" not in request.json
    assert list(page.records) == [{"id": ID}]


def test_a_placeholder_email_is_hidden(run: Any, service: Any, reply: Make) -> None:
    """Enriched people come without the literal that stands for an email not revealed."""
    person = {"id": "1", "email": "email_not_unlocked@domain.com"}
    service.answers = {"/people/match": reply(200, {"person": person})}
    assert run("people_match", {"id": ID}).value == {"id": "1", "email": None}


def test_a_plain_quirk_changes_nothing() -> None:
    """Without functions of its own a quirk passes input and page through."""
    page = Page(value=1)
    assert Quirk().prepare({"a": 1}) == {"a": 1}
    assert Quirk().read(page) is page


def with_source(manifest: Manifest, **source: str) -> Manifest:
    declared = {"id": "users", "action": "users_search", "label": "name", "value": "id"} | source
    return dataclasses.replace(manifest, option_sources={"users": OptionSource(**declared)})


def test_options_are_a_page_of_choices(
    make: Any, manifest: Manifest, service: Any, host: Any, key: Credential, reply: Make
) -> None:
    """A drop-down gets labels and values from the declared action, searched for what was typed, page by page."""
    users = [{"id": 7, "name": "Dana", "team": {"name": "A"}}, {"id": "8"}, {"name": "no id"}, {"id": None}]
    service.answers = {"/users/search": reply(200, {"users": users, "pagination": {"total_entries": "900"}})}
    connector = make(with_source(manifest, search="q_keywords"))
    choices, following = connector.connector_options("users", key, "da", None, host)
    assert choices == (Choice("Dana", "7"), Choice("8", "8"))
    assert following == "2"
    assert ("q_keywords", "da") in service.requests[0].query
    deep = make(with_source(manifest, label="team.name"))
    assert deep.connector_options("users", key, "", None, host)[0][0] == Choice("A", "7")


FIELDS = [
    {"id": "contact.c4010da225e590c49a61164d", "label": "Segment", "modality": "contact", "type": "picklist",
     "meta": {"picklist_values": [{"id": "o1", "name": "Startup"}, {"id": "o2"}, {"name": "no id"}, None]}},
    {"id": "contact.c4010da225e590c49a61164e", "label": "Seats", "modality": "contact", "type": "number", "meta": None},
    {"id": "contact.c4010da225e590c49a61164f", "label": "New", "modality": "contact", "type": "brand_new"},
    {"id": "account.c4010da225e590c49a61164a", "label": "Tier", "modality": "account", "type": "string"},
]  # fmt: skip


def test_fields_come_with_their_type_and_options(
    connector: Connector, service: Any, host: Any, key: Credential, reply: Make
) -> None:
    """A workspace's own fields are choices that tell the type of their values and the options of pick lists."""
    service.answers = {"/fields": reply(200, {"fields": FIELDS})}
    choices, following = connector.connector_options("contact_custom_fields", key, "", None, host)
    assert following is None
    assert choices == (
        Choice("Segment", ID, "choice", (Choice("Startup", "o1"), Choice("o2", "o2"))),
        Choice("Seats", ID[:-1] + "e", "number"),
        Choice("New", ID[:-1] + "f"),
    )


@pytest.mark.parametrize(
    ("action", "values", "path"),
    [
        ("contacts_create", {"typed_custom_fields": {"Segment": "x"}}, "typed_custom_fields.Segment"),
        (
            "contacts_bulk_create",
            {
                "contacts": [
                    {"email": "a@example.com"},
                    {"email": "b@example.com", "typed_custom_fields": {"VIP": True}},
                ]
            },
            "contacts[1].typed_custom_fields.VIP",
        ),
    ],
)
def test_names_of_fields_are_never_sent(
    connector: Connector, service: Any, host: Any, key: Credential, action: str, values: Any, path: str
) -> None:
    """A host that leaves a name in place of an id is told so: the service would drop it in silence."""
    given = values if "contacts" in values else values | {"email": "a@example.com"}
    with pytest.raises(InputError) as caught:
        connector.connector_execute(action, given, key, None, host)
    assert [(p.path, p.text) for p in caught.value.problems] == [(path, "must be the id of the field here")]
    assert service.requests == []
    assert "permit" not in host.events


def test_both_forms_of_field_ids_are_sent(connector: Connector, service: Any, host: Any, key: Credential) -> None:
    """Ids of 24 characters and those with dashes, which an example of the documentation shows, go through."""
    own = {ID: "x", "32d42c92-5be4-4ec4-96c7-f689b43ec8a8": "y"}
    connector.connector_execute(
        "contacts_create", {"email": "a@example.com", "typed_custom_fields": own}, key, None, host
    )
    assert service.requests[0].json["typed_custom_fields"] == own


def test_an_unknown_option_source_is_not_found(connector: Connector, key: Credential, host: Any) -> None:
    """A source that isn't declared is an error and nothing is sent."""
    with pytest.raises(NotFoundError):
        connector.connector_options("none", key, "", None, host)
    assert host.events == []


def test_an_unknown_trigger_is_an_error(connector: Connector, key: Credential, host: Any) -> None:
    """Polling or receiving for a trigger that isn't declared is an error."""
    with pytest.raises(NotFoundError):
        connector.connector_poll("none", {}, key, None, None, host)
    with pytest.raises(NotFoundError):
        connector.connector_receive("none", b"", {})


def test_a_token_request_counts_against_no_quota(
    connector: Connector, service: Any, reply: Make, token: Credential
) -> None:
    """Requests to the authorization server belong to no action and no quota class."""
    from apollo_component.contract.models import OAuthApp

    service.answers = {"/oauth/token": reply(200, {"access_token": "a"})}
    connector.connector_refresh(token, OAuthApp("c", "s"))
    assert (service.requests[0].operation, service.requests[0].quota_class) == ("", "")


def test_the_plugin_is_the_connector() -> None:
    """What the entry point names answers the manifest hook with the Apollo manifest, sending nothing."""
    from apollo_component.apollo.plugin import plugin

    assert plugin.connector_manifest().id == "apollo"


def test_a_preview_is_what_would_be_sent(connector: Connector, run: Any, service: Any, reply: Make) -> None:
    """The preview is the request of the execution to the letter; nothing leaves for it, and bad input is refused."""
    values = {"sequence_id": "a" * 24, "contact_ids": ["b" * 24], "send_email_from_email_account_id": "c" * 24}
    preview = connector.connector_preview("emailer_campaigns_add_contact_ids", values)
    assert service.requests == []
    service.answers = {preview.path: reply(200, {"contacts": []})}
    run("emailer_campaigns_add_contact_ids", values)
    (sent,) = service.requests
    assert (sent.method, sent.query, sent.json) == (preview.method, preview.query, preview.body)
    assert sent.url.endswith(preview.path)
    with pytest.raises(InputError):
        connector.connector_preview("emailer_campaigns_add_contact_ids", {})
    assert "a" * 24 not in repr(preview)
