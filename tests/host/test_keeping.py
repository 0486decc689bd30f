"""Keeping: connections that nobody uses don't die of age."""

from apollo_component.host.keeping import KEEP_SECONDS, due, keep

from .calling import NEVER_SENT, NO_ANSWER
from .conftest import TOKEN_PATH, add_oauth
from .test_refreshing import DAYS, GRANT_GONE, REFUSED


def test_what_is_due_is_refreshed_and_nothing_else(host, key, service, clock):
    """Aged and expired tokens get a new pair; fresh ones and keys cost no request."""
    add_oauth(host, clock, "aged", age=27 * DAYS)
    add_oauth(host, clock, "expired", age=40 * DAYS)
    fresh = add_oauth(host, clock, "fresh")
    assert {one.connection.name: one.refreshed for one in keep(host)} == {"aged": True, "expired": True}
    assert len(service.requests) == 2
    assert host.connections.get(fresh.id).version == 1
    assert keep(host) == []


def test_an_idle_connection_never_gets_old(host, service, clock):
    """Looked at now and then for a year, a connection that nobody uses is refreshed once for each 24 to 26 days."""
    idle = add_oauth(host, clock)
    for _ in range(365):
        clock.now += DAYS
        keep(host)
        found = host.connections.get(idle.id)
        assert found.expires_at > clock.moment()
    assert 14 <= len(service.requests) <= 15


def test_trouble_of_one_stops_no_other(host, service, clock):
    """A refusal and a network fault are told for their connections; the others are refreshed."""
    for name in ("a", "b", "c"):
        add_oauth(host, clock, name, age=40 * DAYS)
    service.on(TOKEN_PATH, GRANT_GONE, NEVER_SENT)
    done = keep(host)
    assert sorted(one.error.code if one.error else "" for one in done) == ["", "reauthorization_needed", "temporary"]


def test_a_connection_that_waits_for_a_person_is_left_alone(host, service, clock):
    """Nothing is sent for a connection that must be authorized again."""
    dead = add_oauth(host, clock, age=40 * DAYS)
    host.connections.mark(dead, "needs_reauthorization", "revoked")
    assert list(due(host)) == []
    assert keep(host) == []


def test_an_unknown_refresh_is_settled_when_the_service_is_back(host, service, clock):
    """A refresh whose answer was lost is settled at one of the next looks, without any run."""
    lost = add_oauth(host, clock, age=27 * DAYS)
    service.on(TOKEN_PATH, NO_ANSWER)
    keep(host)
    assert host.connections.get(lost.id).status == "refreshing_unknown"
    service.on("/whoami", REFUSED)
    clock.now += KEEP_SECONDS
    keep(host)
    found, credential = host.connections.current(lost.id)
    assert (found.status, credential.access_token) == ("active", "access-1")
