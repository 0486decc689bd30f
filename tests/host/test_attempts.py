"""Attempts to link in a browser: they outlive windows, take one answer each, and leave nothing behind."""

import pytest
import sqlalchemy as sa

from apollo_component.contract.errors import InputError, NotFoundError, ReauthorizationError
from apollo_component.host import tables
from apollo_component.host.attempt_rows import Wanted
from apollo_component.host.attempts import APP_SECONDS, KEPT_SECONDS, Attempts
from apollo_component.host.connect_sessions import ConnectSessions
from apollo_component.host.linking import ATTEMPT_SECONDS

from .conftest import APP, TOKEN_PATH, add_oauth, answer

ME, OTHER = "browser-1", "browser-2"
HERE = "http://127.0.0.1:8765/callback"
DENIED = {"error": "access_denied", "error_description": "No, thanks."}


@pytest.fixture
def attempts(host):
    return Attempts(host)


def begun(attempts, name="theirs", browser=ME, **more):
    return attempts.begin(browser, Wanted("demo", "oauth2", name, redirect_uri=HERE, **more), APP)


def gone(attempts, attempt, browser=ME):
    """Go to the service; what it would send back."""
    return {"code": "c", "state": attempts.go(attempt.id, browser).partition("state=")[2].partition("&")[0]}


def away(attempts, name="theirs", **more):
    """An attempt that went to the service, and what would come back."""
    attempt = begun(attempts, name, **more)
    return attempt, gone(attempts, attempt)


def apps(host):
    return len(host.store.rows(sa.select(tables.apps)))


def test_an_attempt_ends_in_a_connection(attempts, host):
    """Begun, gone, come back: linked with its app, and the result can be read again."""
    attempt = begun(attempts, actions=("find", "put"))
    assert (attempt.status, attempt.scopes) == ("waiting", ("find_scope", "put_scope"))
    done = attempts.came_back(gone(attempts, attempt), ME)
    assert (done.status, done.result["verdict"]) == ("linked", "connected")
    connection = host.connections.get("theirs")
    assert done.connection == connection.id
    assert host.apps.get(connection.app_id)[1].client_secret == APP.client_secret
    assert attempts.get(attempt.id, ME) == done


def test_the_same_answer_twice_is_taken_once(attempts, service):
    """Going back, or loading again, shows the result and sends nothing."""
    attempt, back = away(attempts)
    first = attempts.came_back(back, ME)
    sent = len(service.requests)
    assert attempts.came_back(back, ME) == first
    assert len(service.requests) == sent
    with pytest.raises(InputError, match="done already"):
        attempts.go(attempt.id, ME)


def test_an_answer_is_for_the_browser_that_began(attempts, service, host):
    """A state that was led into another browser links nothing there, and the page isn't found there either."""
    attempt, back = away(attempts)
    with pytest.raises(InputError, match="no attempt of this browser"):
        attempts.came_back(back, OTHER)
    for asked in (attempts.get, attempts.go, attempts.cancel):
        with pytest.raises(NotFoundError):
            asked(attempt.id, OTHER)
    assert service.requests == []
    assert host.connections.all() == []


@pytest.mark.parametrize("query", [{"code": "c", "state": "foreign"}, {"code": "c"}, {}, {"x": "1"}])
def test_what_no_attempt_sent_for_is_refused(attempts, service, query):
    """A foreign or missing state ends nothing: the true answer is still taken."""
    _, back = away(attempts)
    with pytest.raises(InputError):
        attempts.came_back(query, ME)
    assert service.requests == []
    assert attempts.came_back(back, ME).status == "linked"


def test_going_again_makes_a_new_state(attempts):
    """A window opened a second time has a state of its own; the first one's is void."""
    attempt = begun(attempts)
    first, second = gone(attempts, attempt), gone(attempts, attempt)
    with pytest.raises(InputError):
        attempts.came_back(first, ME)
    assert attempts.came_back(second, ME).status == "linked"


def test_two_attempts_go_side_by_side(attempts, host):
    """Two tabs: each answer finds its own."""
    (one, back_one), (two, back_two) = away(attempts, "one"), away(attempts, "two")
    assert attempts.came_back(back_two, ME).id == two.id
    assert attempts.came_back(back_one, ME).id == one.id
    assert [item.name for item in host.connections.all()] == ["one", "two"]


@pytest.mark.parametrize("with_state", [False, True])
def test_a_refusal_is_told_in_its_words(attempts, with_state):
    """With what to ask for; it may come without a state."""
    attempt, back = away(attempts)
    told = attempts.came_back({**DENIED, **({"state": back["state"]} if with_state else {})}, ME)
    assert (told.id, told.status) == (attempt.id, "denied")
    assert "No, thanks" in told.result["error"]["message"]
    assert told.result["error"]["hint"]


def test_a_refusal_made_up_by_others_stops_nothing(attempts):
    """Any page can lead a browser to the address without a state; the answer that has one is still taken."""
    attempt, back = away(attempts)
    assert attempts.came_back(DENIED, ME).status == "denied"
    assert attempts.came_back(back, ME).status == "linked"
    with pytest.raises(InputError):
        attempts.came_back(DENIED, ME)
    assert attempts.get(attempt.id, ME).status == "linked"


def test_to_cancel_is_soft(attempts):
    """A window that seemed closed may still bring its answer; what is linked can't be cancelled."""
    attempt, back = away(attempts)
    assert attempts.cancel(attempt.id, ME).status == "cancelled"
    assert attempts.came_back(back, ME).status == "linked"
    assert attempts.cancel(attempt.id, ME).status == "linked"


def test_an_attempt_expires_and_can_go_again(attempts, clock, service):
    """After ten minutes its answer is too late; going again gives ten more."""
    attempt, back = away(attempts)
    clock.now += ATTEMPT_SECONDS + 1
    assert attempts.came_back(back, ME).status == "expired"
    assert service.requests == []
    assert attempts.came_back(gone(attempts, attempt), ME).status == "linked"


def test_a_code_that_is_refused_fails_once(attempts, service, host):
    """The result says why, the same answer isn't sent again, and another try may follow."""
    service.on(TOKEN_PATH, answer({"error": "invalid_client"}, 401))
    attempt, back = away(attempts)
    told = attempts.came_back(back, ME)
    assert told.status == "failed"
    assert "client id and secret" in told.result["error"]["message"]
    assert attempts.came_back(back, ME) == told
    assert len(service.sent(TOKEN_PATH)) == 1
    assert host.connections.all() == []
    assert attempts.came_back(gone(attempts, attempt), ME).status == "linked"


def test_a_typed_app_goes_when_nothing_was_linked(attempts, clock, host):
    """Its secret is kept sealed for an hour's tries, then erased; old attempts go after a day."""
    attempt = begun(attempts)
    gone(attempts, attempt)
    assert apps(host) == 1
    clock.now += ATTEMPT_SECONDS + APP_SECONDS + 1
    attempts.tidy()
    assert apps(host) == 0
    with pytest.raises(InputError, match="isn't kept"):
        attempts.go(attempt.id, ME)
    clock.now += KEPT_SECONDS
    attempts.tidy()
    with pytest.raises(NotFoundError):
        attempts.get(attempt.id, ME)


def test_an_app_in_use_stays(attempts, clock, host):
    """That of a connection, and one with a name."""
    host.apps.add("ours", "demo", APP)
    attempts.came_back(away(attempts)[1], ME)
    clock.now += 10 * KEPT_SECONDS
    attempts.tidy()
    assert apps(host) == 2


def test_no_secret_is_at_rest_but_the_sealed_one(attempts, host):
    """Neither state nor client secret can be read from the database."""
    attempt, back = away(attempts)
    state = back["state"]
    rows = [str(row) for table in (tables.attempts, tables.apps) for row in host.store.rows(sa.select(table))]
    assert not any(state in row or APP.client_secret in row or ME in row for row in rows)
    assert state not in repr(attempts.get(attempt.id, ME))


def test_a_taken_name_is_refused_before_and_after(attempts, host, key):
    """An attempt never gives somebody else's connection a new credential."""
    with pytest.raises(InputError, match="is taken"):
        begun(attempts, "mine")
    _, back = away(attempts)
    host.connections.rename(key, "theirs")
    told = attempts.came_back(back, ME)
    assert (told.status, told.result["error"]["problems"][0]["path"]) == ("failed", "name")
    assert host.connections.get("theirs").id == key.id


def test_authorizing_again_keeps_the_id(attempts, host, clock):
    """Also when it is renamed in between; removed in between it doesn't come back."""
    connection = add_oauth(host, clock)
    _, back = away(attempts, "", connection=connection.id)
    host.connections.rename(connection, "renamed")
    done = attempts.came_back(back, ME)
    assert (done.status, done.connection, done.result["other_account"]) == ("linked", connection.id, False)
    _, back = away(attempts, "", connection=connection.id)
    host.connections.remove(host.connections.get(connection.id))
    assert attempts.came_back(back, ME).status == "failed"
    assert host.connections.all() == []


def test_a_key_is_an_attempt_that_is_done(attempts, host, service):
    """Its result can be come back to; a refused key makes none."""
    done = attempts.by_key(ME, Wanted("demo", "api_key", "mine"), {"api_key": "canary-key"})
    assert (done.status, done.result["verdict"]) == ("linked", "connected")
    assert done.connection == host.connections.get("mine").id
    service.always("/whoami", answer({"error": "bad key"}, 401))
    with pytest.raises(ReauthorizationError):
        attempts.by_key(ME, Wanted("demo", "api_key", "more"), {"api_key": "canary-key"})
    assert len(host.store.rows(sa.select(tables.attempts))) == 1


def test_an_app_of_another_connector_is_refused(attempts, host):
    """Its secret is for one service only."""
    host.apps.add("foreign", "demo", APP)
    with host.store.write() as connection:
        connection.execute(sa.update(tables.apps).values(connector="elsewhere"))
    with pytest.raises(InputError, match="another connector"):
        attempts.begin(ME, Wanted("demo", "oauth2", "x", redirect_uri=HERE), "foreign")


# End users


def test_an_end_users_account_is_linked_once(attempts, host):
    """It belongs to its owner, is named after them, and ends the session."""
    sessions = ConnectSessions(host)
    app = host.apps.add("ours", "demo", APP)
    session, _ = sessions.make("Acme", "demo", types=["oauth2"], app="ours", actions=["find"])
    wanted = Wanted("demo", "oauth2", "", redirect_uri=HERE, session=session.id, owner=session.owner)
    one, two = attempts.begin(ME, wanted, app), attempts.begin(ME, wanted, app)
    back_one, back_two = gone(attempts, one), gone(attempts, two)
    assert attempts.came_back(back_one, ME).status == "linked"
    assert attempts.came_back(back_two, ME).status == "failed"
    [connection] = host.connections.all()
    assert (connection.owner, connection.name) == ("Acme", "Acme Demo")
    assert sessions.get(session.id).status == "linked"
    assert sessions.get(session.id).connection_id == connection.id
