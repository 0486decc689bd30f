"""Linking: tested before it is stored, and nothing is left behind when it fails."""

import json

import pytest
import sqlalchemy as sa

from apollo_component.contract.errors import InputError, NotFoundError, ReauthorizationError, TransientError
from apollo_component.contract.models import Credential, OAuthApp
from apollo_component.host import linking, tables

from .calling import NEVER_SENT
from .conftest import APP, TOKEN_PATH, add_oauth, answer

REFUSED = answer({"error": "bad key"}, 401)


def link(host, name="mine", key="canary-key", actions=()):
    return linking.link_key(host, "demo", name, "api_key", {"api_key": key}, actions)


def begin(host, name="theirs", **more):
    return linking.begin(host, "demo", name, "oauth2", APP, **more)


def finish(host, attempt, *arguments):
    """The person said yes and came back."""
    return linking.finish(host, attempt, {"code": "c", "state": attempt.state}, *arguments)


def linked(host, **more):
    return finish(host, begin(host, **more))


def nothing_stored(host):
    counts = [len(host.store.rows(sa.select(table))) for table in (tables.connections, tables.apps, tables.history)]
    return counts == [0, 0, 0]


def test_a_key_is_tested_and_stored(host, service):
    """A good key becomes an active connection that knows whose account it is."""
    connection, report = link(host)
    assert (report.verdict, connection.status, connection.account.team_id) == ("connected", "active", "t1")
    assert host.connections.credential(connection).api_key == "canary-key"
    assert [request.headers["x-key"] for request in service.requests] == ["canary-key"] * 2


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (REFUSED, ReauthorizationError),
        (NEVER_SENT, TransientError),
        (answer(b"<html>proxy</html>"), TransientError),
        (answer({}, 302), TransientError),
        (answer({}, 500), TransientError),
    ],
)
def test_a_key_that_fails_its_test_is_not_stored(host, service, reply, error):
    """Refused or unreachable: an error that says that nothing was stored, and nothing was."""
    service.always("/whoami", reply)
    with pytest.raises(error, match="Nothing was stored"):
        link(host)
    assert nothing_stored(host)


def test_a_limited_key_is_stored_with_what_it_misses(host, service):
    """Signed in but not allowed everything: stored, and every miss is kept."""
    service.on("/find", answer({"error": "no"}, 403))
    connection, report = link(host)
    assert (report.verdict, connection.status) == ("limited", "active")
    assert set(connection.missed) == {"find"}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"name": ""}, "name"), ({"name": "a/b"}, "name"), ({"key": "  "}, "api_key")],
    ids=["no name", "a name with a slash", "an empty key"],
)
def test_a_wrong_name_or_key_costs_no_request(host, service, wrong, words):
    """What can be known before asking is said before asking."""
    with pytest.raises(InputError, match=words):
        link(host, **wrong)
    assert service.requests == []


def test_linking_again_keeps_the_id(host):
    """The same name with a new key is the same connection, with its history."""
    first, _ = link(host)
    host.connections.mark(first, "needs_reauthorization", "revoked")
    second, _ = link(host, key="canary-2")
    assert (second.id, second.status) == (first.id, "active")
    assert host.connections.credential(second).api_key == "canary-2"
    events = [entry["event"] for entry in host.connections.history(second)]
    assert "linked again" in events


def test_linking_again_that_fails_leaves_the_old_key(host, service):
    """A new key that is refused changes nothing."""
    link(host)
    service.always("/whoami", REFUSED)
    with pytest.raises(ReauthorizationError):
        link(host, key="canary-2")
    assert host.connections.credential(host.connections.get("mine")).api_key == "canary-key"
    assert host.connections.get("mine").status == "active"


def test_a_name_keeps_its_type(host, clock):
    """A connection by key doesn't become one by OAuth under the same name."""
    link(host)
    attempt = begin(host, "mine")
    with pytest.raises(InputError, match="another type"):
        finish(host, attempt)
    assert host.store.rows(sa.select(tables.apps)) == []


def test_linking_again_wins_over_a_refresh_at_the_same_moment(host, service):
    """A person's new link isn't lost because something else changed the connection meanwhile."""
    linked(host)
    real = host.connections.replace_credential
    raced = []

    def racing(connection, credential, *arguments, **named):
        if not raced:
            raced.append(1)
            other = Credential("oauth2", access_token="access-raced", refresh_token="refresh-raced")
            assert real(connection, other, "refreshed", "")
        return real(connection, credential, *arguments, **named)

    object.__setattr__(host.connections, "replace_credential", racing)
    found, _ = linked(host)
    assert host.connections.credential(found).access_token == "access-2"


def test_an_authorization_begins_and_ends(host, service):
    """The person is sent to the service with a secret state; what comes back becomes a connection with its app."""
    attempt = begin(host, actions=["put", "find"])
    assert attempt.url.startswith("https://login.test/#/authorize?")
    assert attempt.state in attempt.url
    assert attempt.state not in repr(attempt)
    assert attempt.scopes == ("find_scope", "put_scope")
    connection, report = finish(host, attempt, ["put"])
    assert report.verdict == "connected"
    assert host.apps.get(connection.app_id)[1].client_secret == APP.client_secret
    form = service.sent(TOKEN_PATH)[0].form
    assert (form["code"], form["redirect_uri"]) == ("c", attempt.redirect_uri)
    assert host.connections.credential(connection).refresh_token == "refresh-1"


def test_two_attempts_have_two_states(host):
    """A state is never used twice and long enough not to be guessed."""
    states = {begin(host).state for _ in range(20)}
    assert len(states) == 20
    assert min(map(len, states)) >= 32


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"state": "foreign", "code": "c"}, InputError),
        ({"code": "c"}, InputError),
        ({"code": "c", "state": ""}, InputError),
        ({}, InputError),
        ({"error": "access_denied", "error_description": "No, thanks."}, ReauthorizationError),
        ({"error": "access_denied", "state": "foreign"}, InputError),
    ],
)
def test_an_answer_that_is_not_a_yes_links_nothing(host, service, query, error):
    """A foreign or missing state and a denial end without a token request and without a trace."""
    attempt = begin(host)
    with pytest.raises(error):
        linking.finish(host, attempt, query)
    assert service.requests == []
    assert nothing_stored(host)


def test_a_denial_tells_what_the_service_said(host):
    """In its words, with what to ask for."""
    attempt = begin(host)
    with pytest.raises(ReauthorizationError, match="No, thanks") as caught:
        linking.finish(host, attempt, {"error": "denied", "error_description": "No, thanks."})
    assert caught.value.hint


@pytest.mark.parametrize(("seconds", "expired"), [(599, False), (601, True)])
def test_an_attempt_lasts_ten_minutes(host, clock, service, seconds, expired):
    """Later answers are refused without a request."""
    attempt = begin(host)
    clock.now += seconds
    if not expired:
        finish(host, attempt)
        return
    with pytest.raises(InputError, match="ten minutes"):
        finish(host, attempt)
    assert service.requests == []


@pytest.mark.parametrize(
    ("path", "reply", "words"),
    [
        (TOKEN_PATH, answer({"error": "invalid_grant"}, 400), None),
        (TOKEN_PATH, answer({"error": "invalid_client"}, 401), None),
        (TOKEN_PATH, answer({}, 500), None),
        (TOKEN_PATH, NEVER_SENT, None),
        ("/whoami", REFUSED, "Nothing was stored"),
    ],
    ids=["code refused", "app refused", "a fault", "not reached", "tokens refused by their test"],
)
def test_a_code_or_tokens_that_are_refused_link_nothing(host, service, path, reply, words):
    """When the exchange fails, or the service refuses the tokens at once, nothing is stored, no app's secret either."""
    service.always(path, reply)
    attempt = begin(host)
    with pytest.raises((ReauthorizationError, TransientError), match=words) as caught:
        finish(host, attempt)
    assert path == TOKEN_PATH or isinstance(caught.value, ReauthorizationError)
    assert nothing_stored(host)


def test_tokens_are_kept_when_the_test_can_not_be_made(host, service):
    """A code is spent: tokens are stored though the service can't be asked just now."""
    service.always("/whoami", NEVER_SENT)
    connection, report = linked(host)
    assert (report.verdict, connection.status) == ("unreachable", "active")


def test_linking_again_leaves_one_private_app(host):
    """The app of the old link goes with it, unless it has a name of its own."""
    for _ in range(3):
        linked(host)
    assert len(host.store.rows(sa.select(tables.apps))) == 1
    named = host.apps.add("ours", "demo", APP)
    connection, _ = linked(host, app_id=named)
    assert connection.app_id == named
    linked(host)
    assert [app["name"] for app in host.apps.all()] == ["ours"]


def test_a_key_is_not_linked_in_the_browser(host):
    """Beginning an authorization for a type without one is refused."""
    with pytest.raises(InputError, match="not linked in the browser"):
        linking.begin(host, "demo", "x", "api_key", APP)
    with pytest.raises(InputError, match="api_key, oauth2"):
        linking.begin(host, "demo", "x", "nonsense", APP)


def test_a_redirect_that_the_app_doesnt_register_is_refused(host):
    """Before the person leaves, not after."""
    with pytest.raises(InputError, match="redirect_uri"):
        begin(host, redirect_uri="http://127.0.0.1:9/elsewhere")


# Taking over tokens

GOOD = {"client_id": "c", "client_secret": "canary-s", "access_token": "canary-a", "refresh_token": "canary-r"}


def take(host, tmp_path, content, name="taken"):
    file = tmp_path / "tokens.json"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return linking.take_over(host, "demo", name, "oauth2", file)


def test_tokens_from_elsewhere_are_taken_over(host, tmp_path, clock):
    """Access token, refresh token, expiry, scopes and app come from a file."""
    connection, _ = take(host, tmp_path, {**GOOD, "expires_at": clock.now + 1000, "scopes": "a b"})
    credential = host.connections.credential(connection)
    assert (credential.access_token, credential.refresh_token) == ("canary-a", "canary-r")
    assert (credential.scopes, credential.expires_at) == (("a", "b"), clock.moment(1000))
    assert host.apps.get(connection.app_id)[1] == OAuthApp("c", "canary-s")


def test_the_expiry_may_be_a_time_in_words(host, tmp_path):
    """ISO 8601 is as good as seconds, and scopes may be a list."""
    connection, _ = take(host, tmp_path, {**GOOD, "expires_at": "2027-02-01T00:00:00+00:00", "scopes": ["a"]})
    assert connection.expires_at.isoformat() == "2027-02-01T00:00:00+00:00"
    assert connection.scopes == ("a",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "object"),
        (b'"canary"', "object"),
        ({}, "client_id"),
        ({**GOOD, "refresh_token": ""}, "refresh_token"),
        ({**GOOD, "access_token": 5}, "text"),
        ({**GOOD, "client_secret": ["canary"]}, "text"),
        ({**GOOD, "acess_token": "canary"}, "not a known field"),
        ({**GOOD, "expires_at": "tomorrow"}, "ISO 8601"),
        ({**GOOD, "expires_at": 1e300}, "ISO 8601"),
        ({**GOOD, "expires_at": []}, "ISO 8601"),
        ({**GOOD, "expires_at": True}, "ISO 8601"),
        ({**GOOD, "scopes": 5}, "scopes"),
        ({**GOOD, "scopes": {"a": 1}}, "scopes"),
        ({**GOOD, "scopes": [5]}, "scopes"),
    ],
)
def test_a_file_that_can_not_be_used_says_why(host, tmp_path, service, content, said):
    """Every kind of bad file is an error in words that show no value, before any request and with nothing stored."""
    with pytest.raises(InputError, match=said) as caught:
        take(host, tmp_path, content)
    assert "canary" not in str(caught.value)
    assert service.requests == []
    assert nothing_stored(host)


def test_a_missing_file_is_told(host, tmp_path):
    """A path that leads nowhere is an error, not a trace."""
    with pytest.raises(InputError):
        linking.take_over(host, "demo", "x", "oauth2", tmp_path / "nothing.json")


def test_every_missing_field_is_told_at_once(host, tmp_path):
    """All that is missing in one go."""
    with pytest.raises(InputError) as caught:
        take(host, tmp_path, {"client_id": "c"})
    assert {problem.path for problem in caught.value.problems} == {"client_secret", "access_token", "refresh_token"}


def test_tokens_that_are_refused_leave_nothing(host, tmp_path, service):
    """Neither connection nor app is stored when the service refuses the tokens, or the name can't be used."""
    service.always("/whoami", REFUSED)
    with pytest.raises(ReauthorizationError):
        take(host, tmp_path, GOOD)
    with pytest.raises(InputError):
        take(host, tmp_path, GOOD, name="a/b")
    assert nothing_stored(host)


# Testing what is stored


def test_a_stored_connection_is_tested_with_a_fresh_token(host, clock, service):
    """A token that is due is refreshed before the test; the result is kept."""
    add_oauth(host, clock, age=30 * 86400 + 1)
    connection, report = linking.test_stored(host, "theirs")
    assert (report.verdict, connection.version) == ("connected", 2)
    assert connection.tested_at == clock.moment()


def test_a_refused_token_is_refreshed_before_it_is_judged(host, oauth, service):
    """One 401 leads to one refresh, not to a verdict."""
    service.on("/whoami", REFUSED)
    connection, report = linking.test_stored(host, "theirs")
    assert (report.verdict, connection.status, connection.version) == ("connected", "active", 2)


def test_a_test_tells_refused_and_unreachable(host, key, service):
    """A refused key needs the person; a service out of reach changes nothing."""
    service.on("/whoami", NEVER_SENT, REFUSED)
    assert linking.test_stored(host, "mine")[1].verdict == "unreachable"
    assert host.connections.get("mine").status == "active"
    connection, report = linking.test_stored(host, "mine")
    assert (report.verdict, connection.status) == ("refused", "needs_reauthorization")
    with pytest.raises(NotFoundError):
        linking.test_stored(host, "nobody")
