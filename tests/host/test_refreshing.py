"""Refreshing: one request per expiry, nothing lost in trouble, and a verdict only after looking again."""

import time

import pytest

from apollo_component.contract.errors import NotFoundError, ReauthorizationError, TransientError, UnreadableReplyError
from apollo_component.contract.models import Credential
from apollo_component.host.host import Host
from apollo_component.host.leases import Leases
from apollo_component.host.unmetered import Unmetered

from .calling import NEVER_SENT, NO_ANSWER
from .conftest import START, TOKEN_PATH, Clock, add_oauth, answer, in_threads

DAYS = 86400
GRANT_GONE = answer({"error": "invalid_grant", "error_description": "spent"}, 400)
PROXY_PAGE = answer(b"<html><body>Bad gateway</body></html>", 502, content_type="text/html")
REFUSED = answer({"error": "expired"}, 401)


def use(host, connection, rejected=None):
    return host.refresher.usable(connection.id, rejected=rejected)


def status(host, connection):
    return host.connections.get(connection.id).status


@pytest.fixture
def expired(host, clock):
    return add_oauth(host, clock, age=30 * DAYS + 1)


def test_a_fresh_token_is_used_as_it_is(host, oauth, service):
    """No request is made while the token is good."""
    found, credential = use(host, oauth)
    assert (credential.access_token, found.version) == ("access-0", 1)
    assert service.requests == []


def test_a_key_is_never_refreshed(host, key, service):
    """A key has nothing to refresh; when it is refused the person must act."""
    assert use(host, key)[1].api_key == "canary-key"
    with pytest.raises(ReauthorizationError):
        use(host, key, rejected=key.version)
    assert status(host, key) == "needs_reauthorization"
    assert service.requests == []


def test_an_expired_token_is_refreshed_once_and_saved(host, expired, service, clock):
    """One request, the whole new pair in the store, and no further request afterwards."""
    for _ in range(3):
        found, credential = use(host, expired)
        assert (credential.access_token, credential.refresh_token) == ("access-1", "refresh-1")
    (request,) = service.requests
    assert request.form["refresh_token"] == "refresh-0"
    assert (found.version, found.status, found.refresh_sent_at) == (2, "active", None)
    assert found.expires_at == clock.moment(30 * DAYS)


def test_the_new_pair_is_on_disk_before_anyone_uses_it(host, expired, settings, registry, clock):
    """A second host that opens the database right after sees the new pair."""
    use(host, expired)
    other = Host.open(settings, registry, clock=clock)
    assert other.connections.current(expired.id)[1].access_token == "access-1"
    other.close()


def test_a_token_about_to_end_is_not_used_any_more(host, clock, service):
    """Within the last minute of its life a token is refreshed first."""
    connection = add_oauth(host, clock, age=30 * DAYS - 30)
    assert use(host, connection)[1].access_token == "access-1"


def test_a_token_without_an_expiry_is_used_until_it_is_refused(host, clock, service):
    """When the service never told an expiry only a refusal leads to a refresh."""
    app_id = host.apps.get(add_oauth(host, clock, "a").app_id)[0]
    credential = Credential("oauth2", access_token="access-0", refresh_token="refresh-0")
    connection = host.connections.add("b", "demo", credential, app_id=app_id)
    assert use(host, connection)[1].access_token == "access-0"
    assert use(host, connection, rejected=1)[1].access_token == "access-1"


@pytest.mark.parametrize("seconds", [1, 30, 60])
def test_a_token_that_hardly_lives_is_not_refreshed_for_ever(host, expired, service, seconds):
    """A new token whose life is shorter than the leeway is used for the call that made it, with one request."""
    service.always(TOKEN_PATH, answer({"access_token": "brief", "refresh_token": "r", "expires_in": seconds}))
    assert use(host, expired)[1].access_token == "brief"
    assert len(service.requests) == 1


@pytest.mark.parametrize(("days", "requests"), [(23.9, 0), (25.6, 1), (29, 1)])
def test_a_refresh_begins_ahead_of_need(host, clock, service, days, requests):
    """From 80 to 85 percent of its life on, a token that is still good is refreshed."""
    use(host, add_oauth(host, clock, age=days * DAYS))
    assert len(service.requests) == requests


def test_connections_are_not_refreshed_at_one_moment(host, clock, service):
    """The moment of a refresh ahead of need differs between connections."""
    many = [add_oauth(host, clock, f"c{number}", age=24.6 * DAYS) for number in range(30)]
    for connection in many:
        use(host, connection)
    assert 0 < len(service.requests) < 30


@pytest.mark.parametrize("trouble", [NEVER_SENT, NO_ANSWER, PROXY_PAGE, answer({}, 503), answer({}, 429)])
def test_trouble_ahead_of_need_does_no_harm(host, clock, service, trouble):
    """While the token is good, a refresh that fails is one request, no error, and not tried again at once."""
    service.always(TOKEN_PATH, trouble)
    connection = add_oauth(host, clock, age=27 * DAYS)
    for _ in range(5):
        assert use(host, connection)[1].access_token == "access-0"
    assert len(service.sent(TOKEN_PATH)) == 1


def test_a_refresh_ahead_of_need_is_tried_again_later(host, clock, service):
    """After a while the refresh that failed ahead of need is tried again."""
    service.on(TOKEN_PATH, NEVER_SENT)
    connection = add_oauth(host, clock, age=27 * DAYS)
    use(host, connection)
    clock.now += 3600
    assert use(host, connection)[1].access_token == "access-1"


def test_while_another_refreshes_ahead_of_need_nobody_waits(host, clock, service):
    """A good token is used at once although somebody else refreshes it right now."""
    connection = add_oauth(host, clock, age=27 * DAYS)
    Leases(host.store, clock).acquire(f"connection:{connection.id}", 60)
    assert use(host, connection)[1].access_token == "access-0"
    assert (service.requests, clock.waits) == ([], [])


@pytest.mark.parametrize("trouble", [NEVER_SENT, answer({}, 503), answer({}, 429)])
def test_what_never_happened_leaves_the_connection_active(host, expired, service, clock, trouble):
    """A refresh that can't have worked is temporary trouble: the next use simply refreshes."""
    service.on(TOKEN_PATH, trouble)
    with pytest.raises(TransientError):
        use(host, expired)
    clock.now += 2
    assert (status(host, expired), host.connections.get(expired.id).refresh_sent_at) == ("active", None)
    assert use(host, expired)[1].access_token == "access-1"
    assert service.sent("/whoami") == []


@pytest.mark.parametrize(
    "trouble", [NO_ANSWER, UnreadableReplyError("broke off"), PROXY_PAGE, answer({}, 500), answer(b"<html>", 200)]
)
def test_a_lost_answer_is_an_open_question(host, expired, service, trouble):
    """A refresh that may have worked is neither repeated blindly nor judged: it is unknown."""
    service.on(TOKEN_PATH, trouble)
    with pytest.raises(TransientError):
        use(host, expired)
    found = host.connections.get(expired.id)
    assert found.status == "refreshing_unknown"
    assert found.refresh_sent_at is not None
    assert len(service.sent(TOKEN_PATH)) == 1


def lose(host, connection, service, clock, rejected=1):
    service.on(TOKEN_PATH, NO_ANSWER)
    with pytest.raises(TransientError):
        use(host, connection, rejected=rejected)
    clock.now += 2


def test_when_the_old_token_still_works_nothing_was_rotated(host, oauth, service, clock):
    """After a lost answer the old access token is asked first; while it works, refreshing anew is safe."""
    lose(host, oauth, service, clock)
    found, credential = use(host, oauth, rejected=1)
    assert (found.status, credential.access_token) == ("active", "access-1")
    paths = [request.url.rpartition("/")[2] for request in service.requests]
    assert paths == ["token", "whoami", "token"]


def test_when_the_old_token_is_refused_the_old_refresh_token_is_sent_once_more(host, oauth, service, clock):
    """A success of the second sending is saved like any refresh."""
    lose(host, oauth, service, clock)
    service.always("/whoami", REFUSED)
    assert use(host, oauth, rejected=1)[1].access_token == "access-1"
    assert [request.form["refresh_token"] for request in service.sent(TOKEN_PATH)] == ["refresh-0", "refresh-0"]


def test_only_when_that_is_refused_too_the_pair_was_lost(host, oauth, service, clock):
    """Old token dead and old refresh token spent: the person must act, in the words that the tokens were lost."""
    lose(host, oauth, service, clock)
    service.always("/whoami", REFUSED)
    service.on(TOKEN_PATH, GRANT_GONE)
    with pytest.raises(ReauthorizationError, match="lost"):
        use(host, oauth, rejected=1)
    found = host.connections.get(oauth.id)
    assert found.status == "needs_reauthorization"
    assert "lost" in found.reason
    with pytest.raises(ReauthorizationError, match="lost"):
        use(host, oauth)
    assert len(service.sent(TOKEN_PATH)) == 2


def test_an_expired_token_needs_no_question(host, expired, service, clock):
    """When the old token has run out by date, asking it would tell nothing."""
    lose(host, expired, service, clock, rejected=None)
    assert use(host, expired)[1].access_token == "access-1"
    assert service.sent("/whoami") == []


def test_an_unreachable_service_settles_nothing(host, oauth, service, clock):
    """While the question can't be asked the refresh token isn't sent."""
    lose(host, oauth, service, clock)
    service.always("/whoami", NEVER_SENT)
    for _ in range(2):
        clock.now += 2
        with pytest.raises(TransientError, match="unsettled"):
            use(host, oauth, rejected=1)
    assert len(service.sent(TOKEN_PATH)) == 1
    assert status(host, oauth) == "refreshing_unknown"


def test_an_open_question_stays_open_when_the_second_sending_never_left(host, oauth, service, clock):
    """The words at the end are still that the tokens were lost, whatever trouble came in between."""
    lose(host, oauth, service, clock)
    service.always("/whoami", REFUSED)
    service.on(TOKEN_PATH, NEVER_SENT, GRANT_GONE)
    with pytest.raises(TransientError):
        use(host, oauth, rejected=1)
    assert status(host, oauth) == "refreshing_unknown"
    clock.now += 2
    with pytest.raises(ReauthorizationError, match="lost"):
        use(host, oauth, rejected=1)


def test_a_process_that_died_while_refreshing_leaves_an_open_question(host, oauth, service, clock):
    """A refresh that was noted as sent and never ended is treated as one whose answer was lost."""
    host.connections.mark(oauth, "active", "", refresh_sent_at=clock())
    service.always("/whoami", REFUSED)
    service.on(TOKEN_PATH, GRANT_GONE)
    with pytest.raises(ReauthorizationError, match="lost"):
        use(host, oauth, rejected=1)


def test_a_refused_grant_needs_the_person_and_is_not_sent_again(host, expired, service):
    """`invalid_grant` on a first refresh: link again; later uses fail without a request."""
    service.always(TOKEN_PATH, GRANT_GONE)
    for _ in range(3):
        with pytest.raises(ReauthorizationError) as caught:
            use(host, expired)
    assert "lost" not in caught.value.message
    assert "theirs" in caught.value.hint
    assert len(service.requests) == 1


def test_a_refused_app_says_what_to_check(host, expired, service):
    """A wrong client secret is told as such."""
    service.always(TOKEN_PATH, answer({"error": "invalid_client"}, 401))
    with pytest.raises(ReauthorizationError, match="client id and secret"):
        use(host, expired)


def test_whoever_comes_second_reads_again_instead_of_sending(host, expired, service):
    """When a faster refresh elsewhere saved a new pair, a refusal of the old one is no verdict."""

    def faster(_request):
        other = Credential("oauth2", access_token="access-x", refresh_token="refresh-x")
        host.connections.replace_credential(host.connections.get(expired.id), other, "refreshed", "")
        return GRANT_GONE

    service.on(TOKEN_PATH, faster)
    found, credential = use(host, expired)
    assert (found.status, credential.access_token) == ("active", "access-x")


def test_a_rejected_version_is_refreshed_and_a_newer_one_is_used(host, oauth, service):
    """A 401 on version 1 refreshes; a late 401 of version 1 when version 2 is there doesn't."""
    assert use(host, oauth, rejected=1)[0].version == 2
    assert use(host, oauth, rejected=1)[0].version == 2
    assert len(service.requests) == 1
    assert use(host, oauth, rejected=2)[0].version == 3


def test_waiting_for_another_refresh_has_an_end(host, expired, service, clock):
    """Who waits for somebody else's refresh gives up in the end, with an error to try again."""
    Leases(host.store, clock).acquire(f"connection:{expired.id}", 10 * DAYS)
    with pytest.raises(TransientError, match="Another process"):
        use(host, expired)
    assert service.requests == []


def test_the_refresh_of_a_dead_process_is_taken_over(host, expired, service, clock):
    """The lease of a process that died ends by itself and the next one refreshes."""
    Leases(host.store, clock).acquire(f"connection:{expired.id}", 60)
    assert use(host, expired)[1].access_token == "access-1"


def test_a_connection_removed_meanwhile_is_not_found(host, expired, service):
    """A connection that is removed while its refresh is under way isn't brought back."""

    def removing(request):
        host.connections.remove(host.connections.get(expired.id))
        return service._tokens(request)

    service.on(TOKEN_PATH, removing)
    with pytest.raises(NotFoundError):
        use(host, expired)
    assert host.connections.all() == []


def test_a_link_made_while_refreshing_wins(host, expired, service):
    """Who links again during a refresh keeps the new link; the refreshed pair of the old one is dropped."""

    def linking(request):
        fresh = Credential("oauth2", access_token="access-linked", refresh_token="refresh-linked")
        host.connections.replace_credential(host.connections.get(expired.id), fresh, "linked again", "")
        return service._tokens(request)

    service.on(TOKEN_PATH, linking)
    assert use(host, expired)[1].access_token == "access-linked"


@pytest.mark.parametrize("rejected", [None, 1], ids=["expired", "refused with 401"])
def test_sixty_threads_make_one_request(settings, registry, service, rejected):
    """However many threads find a token expired, or refused though it looks good by date, one request is sent and all
    get the new token."""
    begun = time.monotonic()
    host = Host.open(settings, registry, clock=lambda: START + (time.monotonic() - begun))
    connection, found = add_oauth(host, Clock(), age=0 if rejected else 30 * DAYS + 1), []

    def slowly(request):
        time.sleep(0.2)
        return service._tokens(request)

    service.always(TOKEN_PATH, slowly)
    in_threads(60, lambda _number: found.append(use(host, connection, rejected)[1].access_token))
    assert found == ["access-1"] * 60
    assert len(service.requests) == 1
    host.close()


def test_the_context_of_a_test_has_an_end(clock):
    """The few free calls outside of runs have half a minute and need no permit."""
    context = Unmetered(clock.moment())
    assert (context.deadline - clock.moment()).total_seconds() == 30
    assert context.sending() is None
    assert clock.moment() <= context.now() < context.deadline
