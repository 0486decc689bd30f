"""Credentials of requests: refreshed, refused, and never shown."""

import itertools
import threading
import time
from dataclasses import replace

import pytest

from apollo_component.contract.errors import PermissionDeniedError, ReauthorizationError, RejectedError

from .calling import EFFECTS, GOOD, NEVER_SENT, NOTHING, PAID, call, path
from .conftest import TOKEN_PATH, Caller, answer


@pytest.fixture
def theirs(host, oauth, manifest):
    return Caller(host, oauth, manifest)


EXPIRED = answer({"error": "expired"}, 401)


def test_a_401_refreshes_and_repeats_this_one_request(theirs, service, effect):
    """A token that is refused is refreshed once and the request sent again, whatever its effect."""
    service.on(path(effect), EXPIRED, GOOD)
    call(theirs, effect)
    first, second = service.sent(path(effect))
    assert first.headers["authorization"] == "Bearer access-0"
    assert second.headers["authorization"] == "Bearer access-1"
    assert len(service.sent(TOKEN_PATH)) == 1
    assert theirs.credits == (PAID if effect == "bill" else NOTHING)


def test_a_fresh_token_that_is_refused_too_needs_the_person(theirs, service, effect, host, oauth):
    """Two 401 in a row end in one verdict; no third request and no second refresh is made."""
    service.always(path(effect), EXPIRED)
    with pytest.raises(ReauthorizationError):
        call(theirs, effect)
    assert len(service.sent(path(effect))) == 2
    assert len(service.sent(TOKEN_PATH)) == 1
    assert host.connections.get(oauth.id).status == "needs_reauthorization"
    with pytest.raises(ReauthorizationError):
        call(theirs, effect)
    assert len(service.requests) == 3


def test_a_token_that_was_refused_meanwhile_is_not_sent(theirs, service, host, oauth, clock, effect):
    """A call that waits for quota sends the pair that came of it when another finds its token refused."""
    host.limits.observed("", oauth.quota_scope, EFFECTS[effect][0], (), 50.0)

    def sleeping(seconds):
        clock.sleep(seconds)
        host.refresher.usable(oauth.id, rejected=1)

    host.limits.sleep = sleeping
    service.on(path(effect), GOOD)
    call(theirs, effect)
    assert [sent.headers["authorization"] for sent in service.sent(path(effect))] == ["Bearer access-1"]
    assert theirs.credits == (PAID if effect == "bill" else NOTHING)


def test_what_was_refused_to_others_is_no_verdict_on_the_connection(theirs, service, host, oauth, effect, monkeypatch):
    """A second token that is refused to another while this call waits for quota is being replaced, too: only two
    refusals that the call itself got say that no token is good."""
    waits, permit, refreshing = itertools.count(), host.limits.permit, threading.Event()
    another = threading.Thread(target=host.refresher.usable, args=(oauth.id, 2))

    def slowly(request):
        refreshing.set()
        time.sleep(0.2)
        return service._tokens(request)

    def waiting(*asked):
        if next(waits) == 1:
            service.on(TOKEN_PATH, slowly)
            another.start()
            assert refreshing.wait(10)
        return permit(*asked)

    monkeypatch.setattr(host.limits, "permit", waiting)
    service.on(path(effect), EXPIRED, GOOD)
    call(theirs, effect)
    another.join(10)
    sent = [one.headers["authorization"] for one in service.sent(path(effect))]
    assert sent == ["Bearer access-0", "Bearer access-2"]
    assert host.connections.get(oauth.id).status == "active"


def test_a_refused_token_is_asked_about_again_when_none_is_better(theirs, service, effect):
    """While the refresh can't be sent, each try asks the service once more whether it refuses the token."""
    service.on(path(effect), EXPIRED, GOOD)
    service.on(TOKEN_PATH, NEVER_SENT)
    call(theirs, effect)
    assert [sent.headers["authorization"] for sent in service.sent(path(effect))] == ["Bearer access-0"] * 2


def test_a_refused_key_needs_the_person(caller, service, host, key):
    """A key has nothing to refresh: one request, and later ones aren't sent."""
    service.always("/put", EXPIRED)
    for _ in range(2):
        with pytest.raises(ReauthorizationError):
            call(caller, "upsert")
    assert len(service.requests) == 1
    assert host.connections.get(key.id).status == "needs_reauthorization"


def test_a_permission_that_is_missing_is_remembered(caller, service, host, key):
    """A refusal for want of a right is kept with the connection, which stays active."""
    service.on("/put", answer({"error": "no"}, 403))
    with pytest.raises(PermissionDeniedError):
        call(caller, "upsert")
    found = host.connections.get(key.id)
    assert found.status == "active"
    assert set(found.missed) == {"put"}


@pytest.mark.parametrize(
    "words", ["Requests from this IP address are not allowed.", "This account is suspended.", "Not from your region."]
)
def test_a_refused_account_is_no_missing_permission(caller, service, host, key, words):
    """A refusal that isn't about the action says nothing of what it may do: nothing is remembered, and the next
    request is sent."""
    service.on("/put", answer({"error": words}, 403), GOOD)
    with pytest.raises(PermissionDeniedError) as caught:
        call(caller, "upsert")
    assert caught.value.missing == {"account": True}
    assert words in str(caught.value)
    found = host.connections.get(key.id)
    assert (found.status, found.missed) == ("active", {})
    assert call(caller, "upsert").records


def test_a_scope_that_was_not_granted_costs_no_request(host, clock, manifest, service, oauth):
    """What the granted scopes rule out isn't sent."""
    host.connections.replace_credential(
        oauth, replace(host.connections.credential(oauth), scopes=("find_scope",)), "", ""
    )
    caller = Caller(host, oauth, manifest)
    with pytest.raises(PermissionDeniedError, match="put_scope"):
        call(caller, "upsert")
    assert service.requests == []


def test_no_credential_is_in_an_error_or_the_journal(theirs, service, host, home):
    """Whatever goes wrong, neither message nor journal holds a token."""
    service.on("/put", answer({"error": "denied"}, 422))
    with pytest.raises(RejectedError) as caught:
        call(theirs, "upsert")
    assert "access-0" not in repr(caught.value.as_dict()) + repr(theirs.make("put"))
    host.store.close()
    data = b"".join(file.read_bytes() for file in home.iterdir())
    assert b"access-0" not in data
