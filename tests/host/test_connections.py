"""Connections: what is shown and what is sealed, one writer wins, and ids outlive new credentials."""

import json
from dataclasses import replace

import pytest

from apollo_component.contract.errors import InputError, NotFoundError
from apollo_component.contract.models import Account, Credential, OAuthApp, TestCheck, TestReport

from .conftest import APP, add_oauth

KEY = Credential("api_key", api_key="canary-key")


def raw(host):
    """Every byte the database has on disk."""
    host.store.close()
    return b"".join(file.read_bytes() for file in host.settings.home.iterdir())


def test_a_connection_shows_no_secret(host, home):
    """Neither the repr, nor the dictionary, nor the database on disk holds any part of a credential in the clear."""
    secret = Credential("oauth2", access_token="canary-access", refresh_token="canary-refresh", scopes=("a", "b"))
    app_id = host.apps.add("the app", "demo", APP)
    found = host.connections.add("mine", "demo", secret, app_id=app_id)
    shown = repr(found) + json.dumps(found.as_dict()) + repr(host.connections.all()) + json.dumps(host.apps.all())
    shown += repr(host.connections.credential(found)) + repr(host.apps.get("the app"))
    assert "canary" not in shown
    assert b"canary" not in raw(host)
    assert host.connections.credential(found) == secret


def test_a_connection_is_found_by_name_and_by_id(host, key):
    """Both ways lead to the same connection; an unknown one is not found."""
    assert host.connections.get("mine") == host.connections.get(key.id) == key
    with pytest.raises(NotFoundError, match="nobody"):
        host.connections.get("nobody")


@pytest.mark.parametrize("name", ["", " x", "-x", "a/b", "x" * 101, "a\nb", "x\n", "<b>"])
def test_a_name_that_can_not_be_used_is_refused(host, name):
    """Names are words people can type and see; others are refused before anything is stored."""
    with pytest.raises(InputError, match="name"):
        host.connections.add(name, "demo", KEY)
    assert host.connections.all() == []


@pytest.mark.parametrize("name", ["mine", "Sales EU", "a.b+c@d-e_f", "Ünal 1", "x" * 100])
def test_a_name_people_would_choose_is_taken(host, name):
    """Letters of any language, digits, spaces and a few signs."""
    assert host.connections.add(name, "demo", KEY).name == name


def test_a_name_is_taken_once(host, key):
    """A second connection of the same name is refused and the first stays."""
    with pytest.raises(InputError, match="taken"):
        host.connections.add("mine", "demo", replace(KEY, api_key="canary-2"))
    assert host.connections.credential(key).api_key == "canary-key"


def test_of_two_who_replace_one_wins(host, key):
    """A credential is replaced only where nobody was faster: compare and swap on the version."""
    assert host.connections.replace_credential(key, replace(KEY, api_key="canary-a"), "linked again", "")
    assert not host.connections.replace_credential(key, replace(KEY, api_key="canary-b"), "linked again", "")
    found = host.connections.get(key.id)
    assert (found.version, found.id) == (key.version + 1, key.id)
    assert host.connections.credential(found).api_key == "canary-a"


def test_a_mark_holds_for_its_version_only(host, key):
    """A judgement about an old credential doesn't hit the new one."""
    host.connections.replace_credential(key, KEY, "linked again", "")
    assert not host.connections.mark(key, "needs_reauthorization", "old news")
    assert host.connections.get(key.id).status == "active"


def test_a_new_credential_makes_a_dead_connection_active(host, key, clock):
    """Linking again clears what was wrong and says since when it is well."""
    host.connections.mark(key, "needs_reauthorization", "revoked")
    clock.now += 100
    host.connections.replace_credential(host.connections.get(key.id), KEY, "linked again", "by Dana")
    found = host.connections.get(key.id)
    assert (found.status, found.reason, found.since) == ("active", "", clock.moment())


def test_the_history_tells_newest_first(host, key):
    """Every change of a connection is noted once, the newest first; a mark that changes nothing isn't."""
    host.connections.mark(key, "needs_reauthorization", "revoked")
    host.connections.mark(host.connections.get(key.id), "needs_reauthorization", "revoked")
    host.connections.replace_credential(host.connections.get(key.id), KEY, "linked again", "by Dana")
    events = [entry["event"] for entry in host.connections.history(key)]
    assert events == ["linked again", "needs_reauthorization", "linked"]


def test_a_miss_is_remembered_until_it_passes(host, key):
    """What was refused is told with the connection until a test finds that it works."""
    host.connections.remember_miss(key, "put", {"key_endpoint": "put"})
    host.connections.remember_miss(key, "make", {"key_endpoint": "make"})
    found = host.connections.get(key.id)
    assert found.missed == {"put": {"key_endpoint": "put"}, "make": {"key_endpoint": "make"}}
    checks = (TestCheck("put", "passed"), TestCheck("find", "missed", "", {"key_endpoint": "find"}))
    host.connections.record_test(found, TestReport("limited", "", checks=checks))
    assert set(host.connections.get(key.id).missed) == {"make", "find"}


def test_a_test_keeps_whose_account_it_is(host, key, clock):
    """After a test the account is known, and with it whose quota counts."""
    assert key.quota_scope == f"connection:{key.id}"
    host.connections.record_test(key, TestReport("connected", "", Account("u", "t1", "Dana")))
    found = host.connections.get(key.id)
    assert (found.account.name, found.quota_scope, found.tested_at) == ("Dana", "team:t1", clock.moment())


def test_a_refused_test_and_a_cure_change_the_status(host, key):
    """A test that is refused asks for a new authorization; one that passes takes that back."""
    host.connections.record_test(key, TestReport("refused", "revoked"))
    dead = host.connections.get(key.id)
    assert (dead.status, dead.reason) == ("needs_reauthorization", "revoked")
    host.connections.record_test(dead, TestReport("unreachable", "no network"))
    assert host.connections.get(key.id).status == "needs_reauthorization"
    host.connections.record_test(dead, TestReport("connected", ""))
    assert host.connections.get(key.id).status == "active"


def test_a_test_of_an_old_credential_says_nothing_about_the_new_one(host, key):
    """A test's result is kept only for the version it tested."""
    host.connections.replace_credential(key, KEY, "linked again", "")
    host.connections.record_test(key, TestReport("refused", "revoked"))
    assert host.connections.get(key.id).status == "active"


def test_removing_leaves_nothing(host, clock):
    """A removed connection takes its secret, its history and its private app with it; a named app stays."""
    named = host.apps.add("kept", "demo", APP)
    private, shared = add_oauth(host, clock, "a"), add_oauth(host, clock, "b")
    host.connections.replace_credential(shared, host.connections.credential(shared), "x", "", app_id=named)
    for connection in (private, host.connections.get(shared.id)):
        host.connections.remove(connection)
        assert host.connections.history(connection) == []
    with pytest.raises(NotFoundError):
        host.apps.get(private.app_id)
    assert [app["name"] for app in host.apps.all()] == ["kept"]
    with pytest.raises(NotFoundError):
        host.connections.credential(private)
    with pytest.raises(NotFoundError):
        host.connections.current(private.id)


def test_an_app_is_kept_once_and_removed_when_nobody_uses_it(host, clock):
    """An app in use says by whom; its name is taken once; by name and id the same app is found."""
    named = host.apps.add("ours", "demo", APP)
    with pytest.raises(InputError, match="taken"):
        host.apps.add("ours", "demo", OAuthApp("c2", "s2"))
    assert host.apps.get("ours") == host.apps.get(named) == (named, APP)
    used = host.connections.add("x", "demo", Credential("oauth2", access_token="a"), app_id=named)
    assert host.apps.all()[0]["connections"] == ["x"]
    with pytest.raises(InputError, match="used by x"):
        host.apps.remove("ours")
    host.connections.remove(used)
    host.apps.remove("ours")
    assert host.apps.all() == []
