"""The table of operations against the documented facts, and what holds for every operation."""

import json
import re
from pathlib import Path

import pytest

from apollo_component.sandbox.operations import OPERATIONS

FACTS = json.loads(Path(__file__).parents[1].joinpath("facts", "apollo.json").read_bytes())["operations"]
BY_ID = {operation.id: operation for operation in OPERATIONS}
LENIENT = {
    "users_search": "POST", "opportunities_search": "POST", "phone_calls_search": "POST", "tasks_search": "GET",
    "organizations_enrich": "POST", "people_match": "GET", "phone_calls_update": "PATCH", "sequences_update": "PATCH",
    "emailer_campaigns_search": "GET", "emailer_messages_search": "POST", "contacts_update": "PUT",
    "accounts_update": "PUT", "tasks_update": "PUT",
}  # fmt: skip


def test_every_documented_operation_is_there():
    """All 83 and no other one."""
    assert set(BY_ID) == set(FACTS)


@pytest.mark.parametrize("name", FACTS)
def test_an_operation_equals_its_facts(name):
    """Method, path, parameters, key endpoint, scope, master key and quota class are those of the documentation."""
    fact, operation = FACTS[name], BY_ID[name]
    in_path = set(re.findall(r"{(\w+)}", operation.path))
    assert (operation.method, operation.path) == (fact["method"], fact["path"])
    assert set(operation.parameters) == {parameter.partition(".")[0] for parameter in fact["parameters"]} - in_path
    assert (operation.key_endpoint, operation.oauth_scope) == (fact["key_endpoint"], fact["oauth_scope"])
    assert (operation.master_only, operation.quota_class) == (fact["master_key"], fact["quota_class"])


def test_other_verbs():
    """Thirteen operations answer to a verb that other clients use or that was recorded."""
    assert {o.id: o.also[0] for o in OPERATIONS if o.also} == LENIENT


@pytest.mark.parametrize("operation", OPERATIONS, ids=list(BY_ID))
def test_nobody_gets_in_without_a_credential(shared, operation):
    """Every operation but the health check asks for one."""
    path = re.sub(r"{\w+}", "a" * 24, operation.path)
    reply = shared.send(operation.method, f"/api/v1{path}")
    assert (reply.status_code, reply.json()) == (
        (200, {"healthy": True, "is_logged_in": False}) if operation.public else (422, {"error": "Api key required"})
    )


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if "{" in o.path], ids=lambda o: o.id)
def test_an_unknown_id_is_never_a_fault_of_ours(shared, operation):
    """Whatever an unknown id leads to, it is a documented kind of answer."""
    path = re.sub(r"{\w+}", "a" * 24, operation.path)
    assert shared.api(operation.method, path, {}).status_code in (200, 400, 404, 422)


def test_master_only_operations_refuse_scoped_keys(shared):
    """Four operations open for master keys alone, and with a token that carries the scope, where there is one."""
    for operation in (o for o in OPERATIONS if o.master_only):
        path = re.sub(r"{\w+}", "a" * 24, operation.path)
        status, body = shared.refusal(operation.method, path, {}, key="scoped")
        assert (status, body["error_code"]) == (403, "API_INACCESSIBLE")


def test_both_transports_mean_the_same(shared):
    """A filter in the query, bracketed, and in a JSON body find the same."""
    stage = shared.ids["contact_stages"]["Cold"]
    by_query = shared.api("POST", f"/contacts/search?contact_stage_ids[]={stage}&per_page=3").json()
    by_body = shared.post("/contacts/search", contact_stage_ids=[stage], per_page=3)
    assert by_query == by_body
    domain = shared.sandbox.state.world.directory.companies[3].domain
    assert shared.api("POST", f"/organizations/bulk_enrich?domains[]={domain}").json() == shared.post(
        "/organizations/bulk_enrich", domains=[domain]
    )
