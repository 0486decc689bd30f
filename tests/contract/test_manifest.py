"""A manifest as values: what credentials need, what a call costs at most, what repeating it would do."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from apollo_component.contract.actions import Bulk, Credits, EffectRule, Requires
from apollo_component.contract.loading import load_file
from apollo_component.contract.manifest import Manifest
from apollo_component.contract.models import (
    AuthorizeRequest,
    Callback,
    Credential,
    Effect,
    OAuthApp,
    Redirect,
    Reply,
)

ROOT = Path(__file__).parent.parent.parent
TESTED = ["api/v1/mixed_people/api_search", "api/v1/users/api_profile"]


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return load_file(ROOT / "connector.yaml")


def test_every_action_has_its_declaration(manifest: Manifest) -> None:
    """Actions are found by id and keep method, path, needs, cost, paging and bulk as declared."""
    action = manifest.actions["people_bulk_match"]
    assert (action.method, action.path, action.key) == ("POST", "/people/bulk_match", None)
    assert action.requires == Requires("api/v1/people/bulk_match", "people_bulk_match")
    assert action.bulk == Bulk(("details",), 10)
    assert action.paging is None
    paging = manifest.actions["contacts_search"].paging
    assert paging
    assert (paging.max_per_page, paging.max_records) == (100, 50_000)
    assert manifest.action_data("people_match")["id"] == "people_match"


def test_values_are_frozen(manifest: Manifest) -> None:
    """Nobody can change a loaded manifest or a part of it."""
    for value in (manifest, manifest.actions["people_match"], manifest.connection_types["oauth2"]):
        with pytest.raises(dataclasses.FrozenInstanceError):
            value.title = "x"  # type: ignore[misc, union-attr]


@pytest.mark.parametrize("actions", [[], ["auth_health"], ["contacts_search"], ["people_api_search", "people_match"]])
def test_the_tick_list_always_holds_what_the_test_calls(manifest: Manifest, actions: list[str]) -> None:
    """Whatever is chosen, a key is asked for users/api_profile and mixed_people/api_search too, sorted, once each."""
    endpoints = manifest.requirements(actions)["key_endpoints"]
    chosen = {manifest.actions[name].requires.key_endpoint for name in actions} - {None}
    assert endpoints == sorted({*chosen, *TESTED})


def test_scopes_leave_out_what_the_service_adds(manifest: Manifest) -> None:
    """The scopes to choose are those of the actions; automatic ones and a key's own test stage are left out."""
    assert manifest.requirements([])["oauth_scopes"] == []
    assert manifest.requirements(["users_api_profile", "auth_health"])["oauth_scopes"] == []
    wanted = manifest.requirements(["users_search", "contacts_create", "contacts_search"])["oauth_scopes"]
    assert wanted == ["contact_write", "contacts_search", "users_list"]


def test_requirements_name_what_can_cost(manifest: Manifest) -> None:
    """Credits are listed for the actions that can cost, and for no other."""
    found = manifest.requirements(["people_match", "contacts_search"])
    assert list(found["credits"]) == ["people_match"]
    assert found["credits"]["people_match"]["base"] == 1
    assert found["master_key"] is False


def test_a_master_key_is_asked_for_when_an_action_needs_one(manifest: Manifest) -> None:
    """One action that takes a master key makes the whole choice need one."""
    action = manifest.actions["contacts_search"]
    special = dataclasses.replace(action, id="special", requires=Requires(master_key=True))
    more = dataclasses.replace(manifest, actions={**manifest.actions, "special": special})
    assert more.requirements(["special", "contacts_search"])["master_key"] is True


@pytest.mark.parametrize(
    ("requires", "key", "oauth"),
    [
        (Requires("e", "s"), True, True),
        (Requires("e"), True, False),
        (Requires(master_key=True), True, False),
        (Requires(open=True), True, True),
    ],
)
def test_which_kinds_can_ever_run_an_action(requires: Requires, key: bool, oauth: bool) -> None:
    """An action without a scope can't run over OAuth unless any credential will do; a key can always try."""
    assert (requires.allows("key"), requires.allows("authorization_code")) == (key, oauth)


PER_PERSON = Credits(base=1, per=("details",), flags={"phone": 8}, unbounded=("waterfall",))


@pytest.mark.parametrize(
    ("table", "values", "cap", "worst"),
    [
        (Credits(), {}, None, 0),
        (Credits(base=1), {"phone": True}, None, 1),
        (Credits(base=1, flags={"phone": 8}), {"phone": True}, None, 9),
        (Credits(base=1, flags={"phone": 8}), {"phone": False}, None, 1),
        (PER_PERSON, {"details": [1, 2, 3]}, None, 3),
        (PER_PERSON, {"details": [1, 2, 3], "phone": True}, None, 27),
        (PER_PERSON, {}, None, 0),
        (PER_PERSON, {"details": [1, 2], "waterfall": True}, None, None),
        (PER_PERSON, {"details": [1, 2], "waterfall": True}, 30, 60),
        (PER_PERSON, {"details": [1, 2], "waterfall": True, "phone": True}, 2, 18),
    ],
)
def test_the_worst_cost_of_a_request(table: Credits, values: dict[str, Any], cap: float | None, worst: Any) -> None:
    """The worst is base plus flags for each item; unlimited flags have no bound unless one is given."""
    assert table.worst(values, cap) == worst


@pytest.mark.parametrize(
    ("values", "later"),
    [({}, False), ({"phone": False}, False), ({"phone": True}, True), ({"waterfall": True}, True)],
)
def test_which_costs_are_known_later(values: dict[str, Any], later: bool) -> None:
    """A cost that arrives with a later result is not settled by the answer."""
    assert PER_PERSON.settles_later(values) is later


RULE = EffectRule(Effect.CREATE, upsert_flag="run_dedupe", upsert_keys=("email", "id"))


@pytest.mark.parametrize(
    ("values", "effect"),
    [
        ({}, Effect.CREATE),
        ({"run_dedupe": True}, Effect.CREATE),
        ({"run_dedupe": False, "email": "a@b.c"}, Effect.CREATE),
        ({"run_dedupe": True, "email": ""}, Effect.CREATE),
        ({"run_dedupe": True, "email": "a@b.c"}, Effect.UPSERT),
        ({"run_dedupe": True, "id": "1"}, Effect.UPSERT),
    ],
)
def test_when_a_create_may_be_repeated(values: dict[str, Any], effect: Effect) -> None:
    """A create is an upsert only with its flag on and one of its keys given."""
    assert RULE.of(values) is effect


CANARY = "CANARY-s3cr3t"
APP = OAuthApp("client-1", CANARY, ("https://example.com/cb",))


@pytest.mark.parametrize(
    "value",
    [
        APP,
        Credential("api_key", api_key=CANARY),
        Credential("oauth2", access_token=CANARY, refresh_token=CANARY),
        AuthorizeRequest("api_key", fields={"api_key": CANARY}),
        AuthorizeRequest("oauth2", app=APP, redirect_uri="https://example.com/cb", state=CANARY),
        Callback({"code": CANARY, "state": CANARY}, CANARY, "https://example.com/cb", APP),
        Redirect(f"https://example.com/?state={CANARY}"),
        Reply(200, {}, CANARY.encode()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_repr_shows_a_secret(value: Any) -> None:
    """Secrets, states, codes and bodies are missing from what a value prints as."""
    assert CANARY not in f"{value!r} {value} {[value]}"


def test_a_time_may_have_several_names(manifest: Manifest) -> None:
    """A trigger and the look-up of a lost create know every name of a time; one name or none is a list, too."""
    lookup = manifest.actions["opportunities_create"].effect.lookup
    assert lookup
    assert lookup.created == manifest.triggers["deal_created"].time == ("opportunity_created_at", "created_at")
    assert manifest.triggers["contact_created"].time == ("created_at",)
    assert manifest.triggers["deal_stage_changed"].time == ()
