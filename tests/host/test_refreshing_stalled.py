"""Refreshing when an owner stands still, a database fails, or a person interrupts: no pair is lost in silence."""

import signal
import threading
import time

import pytest

from apollo_component.contract.errors import ReauthorizationError, StoreError, TransientError
from apollo_component.contract.models import Credential
from apollo_component.host.connections import Apps, Connections
from apollo_component.host.host import Host
from apollo_component.host.leases import Leases
from apollo_component.host.refreshing import Refresher

from .calling import NEVER_SENT
from .conftest import TOKEN_PATH, add_oauth, answer
from .test_refreshing import DAYS, GRANT_GONE, REFUSED, status, use

PAIR = {"access_token": "access-1", "refresh_token": "refresh-1", "expires_in": 2592000}


@pytest.fixture
def another(host, settings, registry, clock):
    """A process on another machine: it shares nothing but the database."""
    return Host.open(settings, registry, store=host.store, clock=clock, sleep=clock.sleep)


def stands_still(service, clock, meanwhile, reply):
    """The next token request takes longer than the lease; `meanwhile` happens before its answer is read."""

    def slowly(_request):
        clock.now += 60
        meanwhile()
        if isinstance(reply, Exception):
            raise reply
        return reply

    service.on(TOKEN_PATH, slowly)


def loses(another, connection, rejected=1):
    with pytest.raises(ReauthorizationError, match="lost"):
        use(another, connection, rejected)


@pytest.fixture
def rotated(service):
    """The service has revoked the old pair: its access token is refused, its refresh token spent."""
    service.on("/whoami", REFUSED)


def test_a_pair_that_comes_late_is_saved_and_brings_the_connection_back(host, another, oauth, service, clock, rotated):
    """An owner that stood still past its lease has the only good pair: it is saved although others judged the old one
    lost, is checked, and then everybody uses it."""
    stands_still(service, clock, lambda: loses(another, oauth), answer(PAIR))
    service.on(TOKEN_PATH, GRANT_GONE)
    found, credential = use(host, oauth, rejected=1)
    assert (found.version, found.status, credential.access_token) == (2, "active", "access-1")
    assert use(another, oauth)[1].access_token == "access-1"
    assert len(service.sent(TOKEN_PATH)) == 2
    events = [entry["event"] for entry in host.connections.history(found)]
    assert {"needs_reauthorization", "refreshed", "active"} <= set(events)


def test_where_reuse_revokes_all_a_late_pair_is_reported_lost(host, another, oauth, service, clock, rotated):
    """The service revoked the late pair because the old token was sent again: no third request is made, nobody uses
    the dead pair, and the reason says what happened."""
    stands_still(service, clock, lambda: loses(another, oauth), answer(PAIR))
    service.on(TOKEN_PATH, GRANT_GONE)
    service.always("/whoami", REFUSED)
    for each in (host, another):
        with pytest.raises(ReauthorizationError, match=r"lost.*stood still.*revoked"):
            use(each, oauth, rejected=1)
    assert len(service.sent(TOKEN_PATH)) == 2


def test_a_late_pair_that_can_t_be_checked_yet_waits(host, another, oauth, service, clock, rotated):
    """While the service can't be asked a late pair is neither used nor given up."""
    stands_still(service, clock, lambda: loses(another, oauth), answer(PAIR))
    service.on(TOKEN_PATH, GRANT_GONE)
    service.on("/whoami", NEVER_SENT)
    with pytest.raises(TransientError):
        use(host, oauth, rejected=1)
    assert status(host, oauth) == "unchecked"
    clock.now += 2
    assert use(another, oauth)[1].access_token == "access-1"
    assert status(host, oauth) == "active"


def test_a_late_answer_never_replaces_a_newer_pair(host, another, oauth, service, clock, rotated):
    """The newest saved pair wins; that an older one was dropped is in the history."""
    stands_still(service, clock, lambda: use(another, oauth, rejected=1), answer({**PAIR, "access_token": "access-x"}))
    assert use(host, oauth, rejected=1)[1].access_token == "access-1"
    assert host.connections.history(oauth)[0]["event"] == "dropped"


def test_a_token_sent_again_late_has_the_newer_pair_checked(host, another, oauth, service, clock, rotated):
    """Who sends the old token after another refreshed may have ended the newer pair: it is checked before use, and
    where the service revoked it, that is said, without a third token request."""
    stands_still(service, clock, lambda: use(another, oauth, rejected=1), GRANT_GONE)
    service.always("/whoami", REFUSED)
    with pytest.raises(ReauthorizationError, match="lost"):
        use(host, oauth, rejected=1)
    assert len(service.sent(TOKEN_PATH)) == 2


def test_a_token_sent_again_late_does_no_harm_where_reuse_is_only_refused(
    host, another, oauth, service, clock, rotated
):
    """The newer pair is found to be good and goes on."""
    stands_still(service, clock, lambda: use(another, oauth, rejected=1), GRANT_GONE)
    assert use(host, oauth, rejected=1)[1].access_token == "access-1"
    assert status(host, oauth) == "active"


def test_an_owner_past_its_lease_doesn_t_touch_what_another_noted(host, another, oauth, service, clock, rotated):
    """Its own request never left; that the other's answer was lost stays known."""

    def lost_meanwhile():
        with pytest.raises(TransientError):
            use(another, oauth, rejected=1)

    stands_still(service, clock, lost_meanwhile, NEVER_SENT)
    service.on(TOKEN_PATH, TransientError("no answer"))
    with pytest.raises(TransientError):
        use(host, oauth, rejected=1)
    found = host.connections.get(oauth.id)
    assert found.status == "refreshing_unknown"
    assert found.refresh_sent_at is not None


def test_an_owner_that_stood_still_before_sending_sends_nothing(host, another, oauth, service, clock):
    """Who lost the lease between its look and its note has no right to send any more."""

    class Slow(Apps):
        def get(self, name):
            found = super().get(name)
            if not service.sent(TOKEN_PATH):
                clock.now += 60
                assert use(another, oauth, rejected=1)[0].version == 2
            return found

    apps = Slow(host.store, host.connections.vault, host.registry, clock)
    refresher = Refresher(host.connections, apps, host.registry, host.leases, clock, clock.sleep)
    assert refresher.usable(oauth.id, rejected=1)[0].version == 2
    assert len(service.sent(TOKEN_PATH)) == 1


class Failing(Connections):
    """A database that doesn't take a new pair so many times."""

    failures = 3

    def replace_credential(self, *arguments, **options):
        if self.failures:
            self.failures -= 1
            raise StoreError("The disk is full.")
        return super().replace_credential(*arguments, **options)


def with_failing(host, clock, failures):
    connections = Failing(host.store, host.connections.vault, host.registry, clock)
    connections.failures = failures
    return Refresher(connections, host.apps, host.registry, host.leases, clock, clock.sleep)


def test_a_pair_outlives_trouble_of_the_database(host, oauth, service, clock):
    """A new pair that can't be saved at once is kept and offered again until it is."""
    assert with_failing(host, clock, 30).usable(oauth.id, rejected=1)[1].access_token == "access-1"
    assert len(service.sent(TOKEN_PATH)) == 1


def test_a_pair_that_can_t_be_saved_is_no_silent_loss(host, oauth, service, clock):
    """In the end the person is told that tokens were lost, and why; the next use settles it."""
    with pytest.raises(StoreError, match=r"lost.*disk is full"):
        with_failing(host, clock, 10_000).usable(oauth.id, rejected=1)
    assert host.connections.get(oauth.id).refresh_sent_at is not None


def test_a_heartbeat_keeps_the_lease_through_a_slow_answer(host, oauth, service):
    """However short the lease, nobody takes over a refresh whose owner is alive."""
    refresher = Refresher(host.connections, host.apps, host.registry, Leases(host.store), lease_seconds=1)
    taken = []

    def slowly(request):
        time.sleep(1.5)
        taken.append(Leases(host.store).acquire(f"connection:{oauth.id}", 10))
        return service._tokens(request)

    service.on(TOKEN_PATH, slowly)
    assert refresher.usable(oauth.id, rejected=1)[1].access_token == "access-1"
    assert taken == [None]


def test_ctrl_c_loses_no_pair(host, oauth, service):
    """An interrupt while the service refreshes is heard after the new pair was saved."""
    assert threading.current_thread() is threading.main_thread()

    def interrupted(request):
        signal.raise_signal(signal.SIGINT)
        time.sleep(0.1)
        return service._tokens(request)

    service.on(TOKEN_PATH, interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background may ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            use(host, oauth, rejected=1)
    finally:
        signal.signal(signal.SIGINT, before)
    assert host.connections.current(oauth.id)[1].access_token == "access-1"


def test_many_runs_don_t_hammer_a_service_in_trouble(host, clock, service):
    """After a refresh that failed the others of the process fail with the same words instead of sending it again."""
    connection = add_oauth(host, clock, age=30 * DAYS + 1)
    service.always(TOKEN_PATH, answer({}, 503))
    for _ in range(20):
        with pytest.raises(TransientError) as caught:
            use(host, connection)
    assert len(service.sent(TOKEN_PATH)) == 1
    assert 0 < caught.value.retry_after <= 1
    assert not caught.value.worked


def test_an_account_that_was_linked_again_rests_no_longer(host, clock, service):
    """Trouble with tokens that were replaced meanwhile holds nobody up."""
    connection = add_oauth(host, clock, age=30 * DAYS + 1)
    service.on(TOKEN_PATH, answer({}, 503))
    with pytest.raises(TransientError):
        use(host, connection)
    again = Credential("oauth2", access_token="a", refresh_token="r", expires_at=clock.moment(-1))
    assert host.connections.replace_credential(host.connections.get(connection.id), again, "linked again", "")
    assert use(host, connection)[1].access_token == "access-1"


def test_a_retry_waits_as_long_as_the_service_asks(host, clock, service):
    """`retry-after` of the token endpoint holds for all runs of the process."""
    connection = add_oauth(host, clock, age=30 * DAYS + 1)
    service.on(TOKEN_PATH, answer({}, 429, retry_after="7"))
    for wait in (0, 6.5, 1):
        clock.now += wait
        if wait != 1:
            with pytest.raises(TransientError):
                use(host, connection)
    assert use(host, connection)[1].access_token == "access-1"


def test_an_open_question_is_settled_while_the_token_is_good(host, oauth, service, clock):
    """A connection that is `refreshing_unknown` whose old token still works was not refreshed: it is active again,
    and nothing is sent until it is due."""
    host.connections.mark(oauth, "refreshing_unknown", "lost", refresh_sent_at=clock())
    assert use(host, oauth)[1].access_token == "access-0"
    found = host.connections.get(oauth.id)
    assert (found.status, found.refresh_sent_at) == ("active", None)
    assert service.sent(TOKEN_PATH) == []


def test_a_new_link_wins_over_a_late_pair(host, another, oauth, service, clock, rotated):
    """A person who authorized again meanwhile keeps that, whatever the one that stood still brings."""

    def linked_again():
        loses(another, oauth)
        fresh = Credential("oauth2", access_token="access-linked", refresh_token="refresh-linked")
        assert host.connections.replace_credential(host.connections.get(oauth.id), fresh, "linked again", "")

    stands_still(service, clock, linked_again, answer(PAIR))
    service.on(TOKEN_PATH, GRANT_GONE)
    assert use(host, oauth, rejected=1)[1].access_token == "access-linked"
