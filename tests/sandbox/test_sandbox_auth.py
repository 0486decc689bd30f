"""Credentials, plans, quotas and the health check."""

import pytest

PROFILE = "/users/api_profile"


def test_a_key_in_the_header_is_let_in(shared):
    """A valid key acts as the longest-standing admin."""
    profile = shared.api("GET", PROFILE).json()
    assert profile["id"] == shared.ids["acting_admin_id"]
    assert set(profile) == {"id", "team_id", "first_name", "last_name", "title", "email"}


def test_no_key_is_422(shared):
    """Without any credential Apollo answers 422 and not 401."""
    reply = shared.send("GET", "/api/v1/users/api_profile")
    assert (reply.status_code, reply.json()) == (422, {"error": "Api key required"})


@pytest.mark.parametrize("where", ["query", "body"])
def test_a_key_outside_the_header_is_refused(shared, where):
    """A key in the query or the body is 422 INVALID_API_KEY_LOCATION."""
    sent = {"api_key": shared.keys["master"]}
    more = {"params": sent} if where == "query" else {"json": sent}
    reply = shared.send("POST", "/api/v1/contacts/search", **more)
    assert reply.status_code == 422
    assert reply.json()["error_code"] == "INVALID_API_KEY_LOCATION"


def test_a_wrong_key_is_401_in_both_dialects(client):
    """The new dialect is JSON with error_details, the old one plain text; neither has rate headers."""
    new = client.api("GET", PROFILE, headers={"x-api-key": "wrong"})
    assert new.status_code == 401
    assert new.json()["error_details"]["code"] == "AUTH.AUTHENTICATION.API_KEY_INVALID"
    client.control("POST", "/settings", {"dialect": "old"})
    old = client.api("GET", PROFILE, headers={"x-api-key": "wrong"})
    assert old.headers["content-type"].startswith("text/plain")
    assert old.text.startswith("Invalid API key. See https://docs.apollo.io")
    assert not any(name.startswith("x-rate-limit") for reply in (new, old) for name in reply.headers)


def test_a_scoped_key_without_the_endpoint_is_403(client):
    """The text names the endpoint by controller and action."""
    reply = client.api("POST", "/opportunities", {"name": "x"}, key="scoped")
    assert reply.status_code == 403
    assert reply.json()["error_code"] == "API_INACCESSIBLE"
    assert "deals/api/v1/opportunities/create" in reply.json()["error"]
    assert "x-rate-limit-minute" not in reply.headers
    client.control("POST", "/settings", {"dialect": "old"})
    old = client.api("POST", "/opportunities", {"name": "x"}, key="scoped").json()
    assert old["error"] == "deals/api/v1/opportunities/create is not accessible with this api_key"


def test_the_key_without_search_has_contacts_only(shared):
    """scoped_without_search reaches contacts, but neither people search nor the profile."""
    key = "scoped_without_search"
    assert shared.api("POST", "/contacts/search", {}, key=key).status_code == 200
    assert shared.api("POST", "/mixed_people/api_search", {}, key=key).status_code == 403
    assert shared.api("GET", PROFILE, key=key).status_code == 403
    assert shared.api("GET", "/auth/health", key=key).json()["is_logged_in"] is True


def test_a_free_plan_is_refused_with_its_own_text(shared):
    """The free key may ask for its profile and nothing that costs."""
    assert shared.api("GET", PROFILE, key="free").status_code == 200
    reply = shared.api("POST", "/mixed_people/api_search", {}, key="free")
    assert reply.status_code == 403
    assert "on a free plan" in reply.json()["error"]


@pytest.mark.parametrize(("headers", "flag"), [({}, False), ({"x-api-key": "wrong"}, False)])
def test_health_is_200_for_anybody(shared, headers, flag):
    """Only the flag tells that a key is wrong."""
    reply = shared.send("GET", "/api/v1/auth/health", headers=headers)
    assert (reply.status_code, reply.json()) == (200, {"healthy": True, "is_logged_in": flag})


def test_success_carries_the_nine_headers(client):
    """Limits of the organization plan, the use and what is left, per window."""
    reply = client.api("POST", "/contacts/search", {})
    limits = [reply.headers[f"x-rate-limit-{name}"] for name in ("minute", "hourly", "24-hour")]
    usage = [reply.headers[f"x-{name}-usage"] for name in ("minute", "hourly", "24-hour")]
    left = [reply.headers[f"x-{name}-requests-left"] for name in ("minute", "hourly", "24-hour")]
    assert (limits, usage, left) == (["200", "600", "6000"], ["1"] * 3, ["199", "599", "5999"])


def test_an_unlimited_window_has_an_empty_header(client):
    """Enrichment has no hourly limit: the header is there and empty, its usage is not."""
    reply = client.api("POST", "/people/match", {"id": client.people()[0]["id"]})
    assert reply.headers["x-rate-limit-hourly"] == ""
    assert reply.headers["x-rate-limit-minute"] == "1000"
    assert "x-hourly-usage" not in reply.headers


def test_over_the_limit_is_429_until_the_window_ends(client):
    """The text names endpoint, number and window; moving the clock opens the next window."""
    client.control("POST", "/quotas", {"users_search": [2, None, None]})
    codes = [client.api("GET", "/users/search").status_code for _ in range(2)]
    refused = client.api("GET", "/users/search")
    assert (codes, refused.status_code) == ([200, 200], 429)
    assert refused.json()["message"].startswith(
        "The maximum number of api calls allowed for api/v1/users/search is 2 times per minute."
    )
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert client.api("GET", "/email_accounts").status_code == 200
    client.control("POST", "/clock", {"advance": int(refused.headers["retry-after"])})
    assert client.api("GET", "/users/search").status_code == 200


def test_unknown_and_retired_routes(shared):
    """An unknown route is 404 JSON; the old searches say where to go."""
    assert shared.api("GET", "/nothing").json() == {"status": 404, "error": "Not Found"}
    assert shared.api("DELETE", "/users/search").status_code == 404
    for path in ("/mixed_people/search", "/people/search"):
        reply = shared.api("POST", path, {})
        assert reply.status_code == 422
        assert reply.json()["error"].startswith("This endpoint is deprecated for API callers.")
