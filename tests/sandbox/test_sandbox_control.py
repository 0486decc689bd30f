"""Faults, records and switches, in this process."""

import httpx
import pytest

from apollo_component.sandbox.http import ConnectionDropped
from apollo_component.sandbox.operations import OPERATIONS
from apollo_component.sandbox.quotas import PLANS


def fault(client, kind, **more):
    return client.control("POST", "/faults", {"operation": "users_search", "kind": kind} | more)


def users(client):
    return client.api("GET", "/users/search")


def test_a_status_fault_answers_without_work(client):
    """Status, body and headers are as ordered, the times are kept, and nothing was done."""
    fault(client, "status", status=503, times=2, headers={"retry-after": "7"}, body={"error": "busy"}, operation="*")
    replies = [client.api("POST", "/contacts", {"email": "x@example.com"}) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [503, 503, 200]
    assert (replies[0].headers["retry-after"], replies[0].json()) == ("7", {"error": "busy"})
    assert client.control("GET", "/contacts?email=x@example.com")["total"] == 1


def test_after_and_probability(client):
    """A fault lets the first requests through; probability 0 never strikes."""
    fault(client, "status", after=1, times=1)
    assert [users(client).status_code for _ in range(3)] == [200, 503, 200]
    fault(client, "status", probability=0.0)
    assert users(client).status_code == 200
    assert client.control("DELETE", "/faults") == {"removed": 2}


def test_html_and_wrong_types(client):
    """A proxy's page comes with 200; wrong types turn numbers into texts and some values into null."""
    fault(client, "html", times=1)
    assert users(client).headers["content-type"].startswith("text/html")
    fault(client, "wrong_types", times=1)
    answer = users(client).json()
    assert answer["pagination"]["total_entries"] == "3"
    assert answer["users"][0]["id"] == client.ids["acting_admin_id"]


def test_a_drop_after_the_work_leaves_the_work_done(client):
    """The answer is lost, the contact is there and the record says that nothing was answered."""
    client.control("POST", "/faults", {"operation": "contacts_create", "kind": "drop_after", "times": 1})
    with pytest.raises(ConnectionDropped):
        client.api("POST", "/contacts", {"email": "x@example.com"})
    assert client.control("GET", "/contacts?email=x@example.com")["total"] == 1
    last = client.control("GET", "/requests?operation=contacts_create")[-1]
    assert (last["status"], last["answered"], last["fault"]) == (200, False, "drop_after")


def test_a_drop_before_does_no_work(client):
    """The connection is gone before anything happened."""
    client.control("POST", "/faults", {"operation": "contacts_create", "kind": "drop_before", "times": 1})
    with pytest.raises(ConnectionDropped):
        client.api("POST", "/contacts", {"email": "x@example.com"})
    assert client.control("GET", "/contacts?email=x@example.com")["total"] == 0


def test_token_faults_are_named_oauth_token(client):
    """The token endpoint has a name of its own."""
    fault(client, "status", operation="oauth_token", status=500)
    assert client.send("POST", "/api/v1/oauth/token", data={}).status_code == 500
    assert users(client).status_code == 200


def test_requests_are_recorded_raw(client):
    """Method, path, query, body, operation and status are kept; DELETE forgets them."""
    client.api("POST", "/contacts/search?page=2", {"q_keywords": "x"})
    (entry,) = client.control("GET", "/requests")
    assert (entry["method"], entry["path"], entry["query"]) == ("POST", "/api/v1/contacts/search", "page=2")
    assert entry["body"] == '{"q_keywords":"x"}'
    assert (entry["operation"], entry["status"], entry["answered"]) == ("contacts_search", 200, True)
    assert (entry["auth"], "x-api-key" in entry["headers"]) == ("key:master", False)
    assert client.control("DELETE", "/requests") == {"removed": 1}


@pytest.mark.parametrize(
    ("path", "order"),
    [
        ("/faults", {"kind": "nonsense"}),
        ("/faults", {"kind": "html", "tims": 1}),
        ("/faults", {"kind": "html", "operation": "contacts_creat"}),
        ("/release", {}),
        ("/clock", {}),
    ],
)
def test_an_order_that_cannot_be_read_is_400(shared, path, order):
    """A test's typing error is told and not ignored."""
    assert shared.send("POST", f"/_sandbox{path}", json=order).status_code == 400


def test_reset_is_the_same_world(client):
    """After a reset everything is as at the start, ids included."""
    client.contact(email="x@example.com")
    client.control("POST", "/reset")
    fresh = client.control("GET", "/state")
    assert fresh | {"now": 0, "requests": 0} == client.ids | {"now": 0, "requests": 0}


def test_the_table_is_complete():
    """Every operation has an id, a verb and path of its own, a class of quota that exists, and a way in by key and by
    token; the validation beta has none by token."""
    assert len({operation.id for operation in OPERATIONS}) == len(OPERATIONS) == 83
    assert len({(operation.method, operation.path) for operation in OPERATIONS}) == len(OPERATIONS)
    for operation in OPERATIONS:
        assert operation.quota_class in PLANS["organization"]
        assert operation.path.startswith("/")
        assert operation.public or operation.master_only or operation.key_endpoint
    reached = {operation.id for operation in OPERATIONS if not (operation.public or operation.master_only)}
    assert {operation.id for operation in OPERATIONS if not operation.oauth_scope} & reached == {"enrich_create"}


def test_a_broken_body_is_400(shared):
    """What is not JSON is refused, what is not an object counts as nothing."""
    headers = {"x-api-key": shared.keys["master"], "content-type": "application/json"}
    broken = shared.send("POST", "/api/v1/contacts/search", content=b"{", headers=headers)
    listed = shared.send("POST", "/api/v1/contacts/search", content=b"[]", headers=headers)
    assert (broken.status_code, listed.status_code) == (400, 200)
    assert isinstance(broken, httpx.Response)
