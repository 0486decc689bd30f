"""A credential reaches the one plugin that owns the connection: no other plugin sees any of it."""

import pluggy
import pytest

from apollo_component.contract.errors import ManifestError, NotFoundError, ReauthorizationError
from apollo_component.contract.models import Credential, OAuthApp
from apollo_component.host import linking, registry
from apollo_component.host.host import Host
from apollo_component.host.registry import Registry
from apollo_component.host.runner import Job
from apollo_component.host.settings import Settings
from tests.conformance.spies import HOOKS, MARKS, Spy, Wiretap, leaks, plain_manager
from tests.toy.service import decide
from tests.toy.tidepool.plugin import plugin as tidepool


@pytest.fixture
def wiretap(monkeypatch):
    """The registry's own manager gets a call monitor and a tracer."""
    monkeypatch.setattr(registry.pluggy, "PluginManager", Wiretap)
    monkeypatch.setattr(Wiretap, "heard", [])
    monkeypatch.setattr(Wiretap, "made", [])
    return Wiretap


def everything(found, tmp_path, pool, app):
    """Link by key and by OAuth, test, refresh, execute and all other hooks; the secrets that were handled."""
    home = tmp_path / "home"
    host = Host.open(Settings(home, f"sqlite:///{home / 'host.db'}"), found, sleep=lambda _seconds: None)
    try:
        linking.link_key(host, "tidepool", "key", "harbour_key", {"tide_key": pool.key})
        attempt = linking.begin(host, "tidepool", "sea", "sign_in", app, actions=("berths_list", "notes_create"))
        answer = decide(attempt.url, "allow")
        connection, _ = linking.finish(host, attempt, answer)
        before = host.connections.credential(connection)
        pool.expire()
        for action, values in (("berths_list", {}), ("notes_create", {"berth": "A-1", "words": "hello"})):
            job = Job("run", connection.id, found.manifest("tidepool").actions[action], values, every_page=True)
            assert list(host.runner.pages(job))
        linking.test_stored(host, "sea", ("berths_list",))
        linking.test_stored(host, "key")
        after = host.connections.credential(host.connections.get("sea"))
        rest = {
            "connector_options": {"source": "none", "search": "", "cursor": None, "context": None},
            "connector_poll": {"trigger": "none", "input": {}, "cursor": None, "since": None, "context": None},
        }
        for hook, arguments in rest.items():
            with pytest.raises(NotFoundError):
                found.call("tidepool", hook, credential=after, **arguments)
        with pytest.raises(NotFoundError):
            found.call("tidepool", "connector_receive", trigger="none", body=after.access_token.encode(), headers={})
        with pytest.raises(NotFoundError):
            found.call("tidepool", "connector_preview", action="none", input={})
        pool.expire()
        pool.refresh.clear()
        with pytest.raises(ReauthorizationError):
            list(host.runner.pages(Job("run2", connection.id, found.manifest("tidepool").actions["berths_list"], {})))
    finally:
        host.close()
    assert before.access_token != after.access_token
    return {
        "key": pool.key,
        "client secret": app.client_secret,
        "state": attempt.state,
        "code": answer["code"],
        **{f"{when} {name}": getattr(credential, name)
           for when, credential in (("old", before), ("new", after)) for name in ("access_token", "refresh_token")},
    }  # fmt: skip


@pytest.mark.parametrize("place", ["before", "after", "both"])
@pytest.mark.parametrize("form", MARKS)
def test_a_spy_sees_nothing(form, place, wiretap, tmp_path, pool, app):
    """A spy before or after the owner, as an implementation or either kind of wrapper, and a monitor and tracer
    inside the registry's own manager, are given nothing while another connector works."""
    with_id = tidepool.manifest if form in ("plain", "first", "last") else None
    first, second = Spy(form, with_id), Spy(form)
    plugins = {
        "before": {"spy": first, "tidepool": tidepool},
        "after": {"tidepool": tidepool, "spy": first},
        "both": {"spy": first, "tidepool": tidepool, "other": second},
    }[place]
    secrets = everything(Registry(plugins), tmp_path, pool, app)
    kept = [first.seen, second.seen, wiretap.heard]
    assert leaks(kept, secrets) == []
    assert first.hooks_seen() | second.hooks_seen() <= {"connector_manifest"}


def test_a_latecomer_sees_nothing(wiretap, tmp_path, pool, app):
    """The registry is frozen: a plugin that finds the manager and registers later takes part in nothing."""
    found = Registry({"tidepool": tidepool})
    spies = [Spy(form, tidepool.manifest) for form in MARKS]
    for manager in wiretap.made:
        for spy in spies:
            manager.register(spy)
    assert wiretap.made
    secrets = everything(found, tmp_path, pool, app)
    assert [spy.seen for spy in spies] == [[]] * len(spies)
    assert leaks(wiretap.heard, secrets) == []


def test_a_wrapper_must_be_trusted_by_name(tmp_path, pool, app):
    """Only a new-style wrapper that the host's operator names takes part; an old-style one never does."""
    trusted, stranger, old = Spy("wrapper"), Spy("wrapper"), Spy("old_wrapper")
    plugins = {"tidepool": tidepool, "trusted": trusted, "stranger": stranger, "old": old}
    secrets = everything(Registry(plugins, ["trusted", "old"]), tmp_path, pool, app)
    assert stranger.seen == old.seen == []
    assert set(HOOKS) - {"connector_manifest"} <= trusted.hooks_seen()
    assert set(secrets) - {"state", "code"} <= set(leaks(trusted.seen, secrets))


def test_a_spy_can_not_take_a_connector_over():
    """A plugin that claims the id of another is refused, whichever comes first."""

    class Thief(Spy):
        def _answer(self, hook):
            return tidepool.manifest

    for plugins in (
        {"thief": Thief("plain", tidepool.manifest), "tidepool": tidepool},
        {"tidepool": tidepool, "thief": Thief("first", tidepool.manifest)},
    ):
        with pytest.raises(ManifestError, match="Two plugins bring a connector tidepool"):
            Registry(plugins)


def test_a_misspelt_spy_is_an_error():
    """A hook that doesn't exist is told when plugins are loaded."""
    spy = Spy("plain", tidepool.manifest)
    marker = pluggy.HookimplMarker("workflow_connector")
    spy.connector_refreshed = marker(lambda credential: None)
    with pytest.raises(ManifestError, match=r"the contract doesn.t"):
        Registry({"spy": spy})


@pytest.mark.parametrize("form", MARKS)
def test_the_spies_would_see_it_otherwise(form):
    """What pluggy does by itself: each of these spies and the monitor are handed the credential, so that the tests
    above prove something."""
    spy = Spy(form, tidepool.manifest)
    credential = Credential("sign_in", access_token="ta_old", refresh_token="tr_old")
    heard = []
    manager = plain_manager(spy)
    manager.add_hookcall_monitoring(lambda *call: heard.append(call), lambda *call: None)
    manager.hook.connector_refresh(credential=credential, app=OAuthApp("id", "very secret"))
    assert {"Credential", "OAuthApp", "token", "secret"} <= set(
        leaks([spy.seen], {"token": "tr_old", "secret": "very secret"})
    )
    assert "Credential" in leaks([call[2] for call in heard], {})
