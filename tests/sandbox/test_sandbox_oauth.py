"""The consent page, codes, tokens and scopes."""

from urllib.parse import parse_qs, urlsplit

import pytest

CALLBACK = "http://127.0.0.1:8765/callback"
DOCUMENTED_REFUSAL = (
    "?status_code=403&error_message=You%20do%20not%20have%20permission%20to%20connect%20integrations."
    "%20Please%20contact%20your%20Apollo%20admin..."
)


def consent(client, decision="allow", **changes):
    app = client.sandbox.state.tokens.app
    form = {
        "client_id": app.client_id, "redirect_uri": CALLBACK, "response_type": "code",
        "scope": "contacts_search", "state": "s&1", "decision": decision,
    } | changes  # fmt: skip
    return client.send("POST", "/oauth/consent", data=form)


def code(client, **changes):
    return parse_qs(urlsplit(consent(client, **changes).headers["location"]).query)["code"][0]


def token(client, **fields):
    app = client.sandbox.state.tokens.app
    form = {"client_id": app.client_id, "client_secret": app.client_secret} | fields
    return client.send("POST", "/api/v1/oauth/token", data=form)


def pair(client, **changes):
    return token(client, grant_type="authorization_code", code=code(client, **changes)).json()


def bearer(client, access, path="/contacts/search"):
    return client.send("POST", f"/api/v1{path}", json={}, headers={"authorization": f"Bearer {access}"})


def refresh(client, value, **more):
    return token(client, grant_type="refresh_token", refresh_token=value, **more)


def test_a_client_may_show_itself_by_basic(client):
    """Client id and secret in the header do as well as in the body; a wrong secret there is refused."""
    app = client.sandbox.state.tokens.app
    form = {"grant_type": "authorization_code", "code": code(client)}
    path = "/api/v1/oauth/token"
    wrong = client.send("POST", path, data=form, auth=(app.client_id, "wrong"))
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    right = client.send("POST", path, data=form, auth=(app.client_id, app.client_secret))
    assert right.status_code == 200
    unread = client.send("POST", path, data=form, headers={"authorization": "Basic !"})
    assert unread.json()["error"] == "invalid_client"
    assert app.client_secret not in str(client.control("GET", "/requests"))


def test_the_scope_of_the_retired_search_is_accepted(client):
    """The official client still asks for it: consent and token name it."""
    scope = "contacts_search mixed_people_search"
    assert set(scope.split()) <= set(pair(client, scope=scope)["scope"].split())
    assert consent(client, scope="nonsense").status_code == 400


def test_the_page_is_served(shared):
    """The page behind the hash route is plain HTML with a form for the consent endpoint."""
    page = shared.send("GET", "/")
    assert page.headers["content-type"].startswith("text/html")
    assert 'action="/oauth/consent"' in page.text
    for label in ("Allow", "Deny", "Continue as a user without permission"):
        assert f">{label}</button>" in page.text
    assert "Missing required parameter: " in page.text


def test_describe_names_app_and_scopes(shared):
    """The page learns from the server what it asks the user to allow."""
    app = shared.sandbox.state.tokens.app
    told = shared.send("GET", f"/oauth/consent/describe?client_id={app.client_id}").json()
    assert told["name"] == app.name
    assert {"read_user_profile", "app_scopes", "contacts_search"} <= set(told["scopes"])
    assert shared.send("GET", "/oauth/consent/describe?client_id=x").status_code == 404


def test_allow_returns_code_and_state(shared):
    """The browser goes back with 303, a code and the state unchanged."""
    reply = consent(shared)
    assert reply.status_code == 303
    sent = urlsplit(reply.headers["location"])
    assert reply.headers["location"].startswith(CALLBACK)
    assert parse_qs(sent.query)["state"] == ["s&1"]


def test_no_permission_is_exactly_as_documented(shared):
    """status_code and error_message, and no state."""
    assert consent(shared, "no_permission").headers["location"] == CALLBACK + DOCUMENTED_REFUSAL


def test_deny_has_the_same_shape(shared):
    """A refusal is told as status_code and error_message."""
    query = parse_qs(urlsplit(consent(shared, "deny").headers["location"]).query)
    assert query == {"status_code": ["403"], "error_message": ["The user denied access."]}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"client_id": ""}, "Missing required parameter: client_id"),
        ({"client_id": "x"}, "Unknown client_id."),
        ({"redirect_uri": CALLBACK + "/"}, "redirect_uri is not registered"),
        ({"response_type": "token"}, "must be code"),
        ({"scope": "contacts_search nonsense"}, "requested scope is invalid"),
    ],
)
def test_a_broken_request_stays_on_an_error_page(shared, changes, text):
    """What cannot be trusted is told to the user with 400, and never sent to a redirect."""
    reply = consent(shared, **changes)
    assert reply.status_code == 400
    assert text in reply.text


def test_a_code_becomes_a_pair(shared):
    """The answer has Apollo's fields, thirty days and the two added scopes."""
    answer = pair(shared)
    assert answer["scope"] == "read_user_profile app_scopes contacts_search"
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 2_592_000)
    assert set(answer) == {"access_token", "token_type", "expires_in", "refresh_token", "scope", "created_at"}
    assert bearer(shared, answer["access_token"]).status_code == 200


def test_without_scope_all_registered_ones_are_given(shared):
    """No scope means every registered one."""
    given = pair(shared, scope="")["scope"].split()
    assert {"people_match", "opportunity_write", "read_user_profile"} <= set(given)


def test_a_token_acts_as_the_user_who_allowed_it(shared):
    """The profile behind a token is not the admin's."""
    headers = {"authorization": f"Bearer {pair(shared)['access_token']}"}
    profile = shared.send("GET", "/api/v1/users/api_profile", headers=headers).json()
    assert profile["id"] == shared.ids["oauth_user_id"] != shared.ids["acting_admin_id"]


def test_codes_work_once_and_for_ten_minutes(client):
    """A used, an old and a made-up code are invalid_grant."""
    used, old = code(client), code(client)
    token(client, grant_type="authorization_code", code=used)
    client.control("POST", "/clock", {"advance": 601})
    for value in (used, old, "made-up"):
        reply = token(client, grant_type="authorization_code", code=value)
        assert (reply.status_code, reply.json()["error"]) == (400, "invalid_grant")


def test_a_code_is_bound_to_its_redirect(shared):
    """A redirect_uri other than the authorized one is refused, the right one accepted."""
    value = code(shared)
    wrong = token(shared, grant_type="authorization_code", code=value, redirect_uri="http://127.0.0.1:1/x")
    assert wrong.json()["error"] == "invalid_grant"
    right = token(shared, grant_type="authorization_code", code=value, redirect_uri=CALLBACK)
    assert right.status_code == 200


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"grant_type": "authorization_code", "client_secret": "x"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, 400, "invalid_request"),
        ({}, 400, "invalid_request"),
    ],
)
def test_token_refusals(shared, fields, status, error):
    """Doorkeeper's errors with their statuses."""
    reply = token(shared, **fields)
    assert (reply.status_code, reply.json()["error"]) == (status, error)


def test_refresh_rotates_and_revokes_the_old_pair(client):
    """A refresh token works once, and the old access token ends with it."""
    old = pair(client)
    new = refresh(client, old["refresh_token"]).json()
    assert bearer(client, new["access_token"]).status_code == 200
    refused = bearer(client, old["access_token"])
    assert (refused.status_code, refused.json()["error_code"]) == (401, "INVALID_ACCESS_TOKEN")
    assert refresh(client, old["refresh_token"]).json()["error"] == "invalid_grant"
    assert bearer(client, new["access_token"]).status_code == 200
    counts = client.control("GET", "/oauth")["requests"]
    assert counts == {"authorization_code": {"ok": 1}, "refresh_token": {"ok": 1, "invalid_grant": 1}}


def test_reuse_ends_the_family_when_switched_on(client):
    """With revoke_family a spent refresh token takes its successors with it."""
    client.control("POST", "/settings", {"revoke_family": True})
    old = pair(client)
    new = refresh(client, old["refresh_token"]).json()
    refresh(client, old["refresh_token"])
    assert bearer(client, new["access_token"]).status_code == 401
    assert refresh(client, new["refresh_token"]).json()["error"] == "invalid_grant"


def test_refresh_may_only_narrow(shared):
    """A scope the token never had is invalid_scope."""
    old = pair(shared)
    assert refresh(shared, old["refresh_token"], scope="people_match").json()["error"] == "invalid_scope"
    narrowed = refresh(shared, old["refresh_token"], scope="read_user_profile").json()
    assert bearer(shared, narrowed["access_token"]).status_code == 403


def test_expiry_and_revocation(client):
    """Tokens end after thirty days, on expire and on revoke; only expiry leaves the refresh token."""
    first, second = pair(client), pair(client)
    assert client.control("POST", "/tokens/expire", {"access_token": first["access_token"]}) == {"expired": 1}
    assert bearer(client, first["access_token"]).status_code == 401
    assert refresh(client, first["refresh_token"]).status_code == 200
    client.control("POST", "/tokens/revoke", {"access_token": second["access_token"]})
    assert bearer(client, second["access_token"]).status_code == 401
    assert refresh(client, second["refresh_token"]).status_code == 400
    third = pair(client)
    client.control("POST", "/clock", {"advance": 2_592_001})
    assert bearer(client, third["access_token"]).status_code == 401


def test_a_missing_scope_is_403(shared):
    """A token reaches only what its scopes open."""
    reply = bearer(shared, pair(shared)["access_token"], "/mixed_people/api_search")
    assert reply.status_code == 403
    assert "access token" in reply.json()["error"]


def test_token_requests_leave_no_secret_behind(client):
    """Of a token request only the grant type is recorded; keys and tokens are named, not kept."""
    answer = pair(client)
    bearer(client, answer["access_token"])
    client.api("POST", "/contacts/search?api_key=" + client.keys["free"], {"api_key": client.keys["free"]})
    recorded = client.control("GET", "/requests")
    app = client.sandbox.state.tokens.app
    secrets = [app.client_secret, answer["access_token"], answer["refresh_token"], *client.keys.values()]
    assert recorded[0]["body"] == "grant_type=authorization_code"
    assert not [secret for secret in secrets if secret in str(recorded)]
    assert [entry["auth"].partition(":")[0] for entry in recorded] == ["none", "token", "key"]


def test_json_token_requests_are_tolerated(shared):
    """Some clients send the token request as JSON."""
    app = shared.sandbox.state.tokens.app
    body = {"grant_type": "authorization_code", "code": code(shared), "client_id": app.client_id}
    reply = shared.send("POST", "/api/v1/oauth/token", json=body | {"client_secret": app.client_secret})
    assert reply.status_code == 200


def test_the_deals_of_a_contact_can_be_refused_to_tokens(client):
    """With the scope a token may ask; a switch refuses it, as one source has it. A key is never refused."""
    access, path = pair(client, scope="opportunities_list")["access_token"], f"/contacts/{'a' * 24}/opportunities"
    assert bearer(client, access, path).json() == {"opportunities": []}
    client.control("POST", "/settings", {"contact_deals_by_token": "refused"})
    refused = bearer(client, access, path)
    assert (refused.status_code, refused.json()["error_code"]) == (403, "API_INACCESSIBLE")
    assert client.post(path) == {"opportunities": []}
