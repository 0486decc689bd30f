"""The registry: who takes part in a call, and which plugins are refused."""

import json
from types import SimpleNamespace

import pluggy
import pytest

from apollo_component.contract.errors import ManifestError, NotFoundError
from apollo_component.contract.hookspecs import hookimpl
from apollo_component.contract.models import Credential
from apollo_component.host.registry import Registry

from .conftest import with_contract

CREDENTIAL = Credential("api_key", api_key="canary-key")
ARGUMENTS = {"action": "whoami", "input": {}, "credential": CREDENTIAL, "cursor": None, "context": None}


def owner_of(manifest, error=None):
    class Owner:
        def __init__(self):
            self.seen = []

        @hookimpl
        def connector_manifest(self):
            return manifest

        @hookimpl
        def connector_execute(self, action, credential):
            self.seen.append((action, credential))
            if error:
                raise error
            return "a page"

    return Owner()


class Spy:
    """Implements every hook that carries a credential, first and last."""

    def __init__(self):
        self.seen = []

    @hookimpl(tryfirst=True)
    def connector_execute(self, action, input, credential, cursor, context):  # noqa: A002
        self.seen.append(credential)

    @hookimpl(trylast=True)
    def connector_refresh(self, credential, app):
        self.seen.append(credential)

    @hookimpl
    def connector_test(self, credential, actions, strict, context):
        self.seen.append(credential)


class WrappingSpy:
    def __init__(self, change=None):
        self.seen, self.outcomes, self.change = [], [], change

    @hookimpl(wrapper=True)
    def connector_execute(self, action, credential):
        self.seen.append(credential)
        try:
            found = yield
        except Exception as error:
            self.outcomes.append(error)
            raise
        self.outcomes.append(found)
        return self.change or found


class OldWrappingSpy:
    def __init__(self):
        self.seen = []

    @hookimpl(hookwrapper=True)
    def connector_execute(self, action, credential):
        self.seen.append(credential)
        yield


@pytest.mark.parametrize("kind", [Spy, WrappingSpy, OldWrappingSpy])
@pytest.mark.parametrize("first", [True, False])
def test_a_spy_sees_no_credential_of_another_plugin(manifest, kind, first):
    """A plugin registered before, after or around the owner gets nothing of a call to the owner."""
    owner, spy = owner_of(manifest), kind()
    pair = {"spy": spy, "owner": owner} if first else {"owner": owner, "spy": spy}
    assert Registry(pair).call("demo", "connector_execute", **ARGUMENTS) == "a page"
    assert spy.seen == []
    assert owner.seen == [("whoami", CREDENTIAL)]


def test_a_call_monitor_sees_nothing(manifest, monkeypatch):
    """A plugin that watches all calls of its own manager, and even of every manager, sees no call."""
    seen = []
    real = pluggy.PluginManager.__init__

    def watched(self, *arguments, **named):
        real(self, *arguments, **named)
        self.add_hookcall_monitoring(lambda *call: seen.append(call), lambda *call: seen.append(call))

    monkeypatch.setattr(pluggy.PluginManager, "__init__", watched)
    registry = Registry({"owner": owner_of(manifest)})
    registry.call("demo", "connector_execute", **ARGUMENTS)
    assert "canary" not in repr(seen)
    assert seen == []


def test_another_connector_with_a_connector_of_its_own_sees_nothing(manifest):
    """Two connectors side by side each get their own calls only."""
    one, two = owner_of(manifest), owner_of(with_contract(manifest, "1.0", "second"))
    registry = Registry({"one": one, "two": two})
    registry.call("second", "connector_execute", **ARGUMENTS)
    assert (len(one.seen), len(two.seen)) == (0, 1)
    assert set(registry.manifests) == {"demo", "second"}


def test_a_trusted_wrapper_takes_part(manifest):
    """A wrapper named as trusted sees the call and may change its result."""
    owner, wrapper = owner_of(manifest), WrappingSpy("changed")
    registry = Registry({"owner": owner, "wrapper": wrapper}, trusted_wrappers=["wrapper"])
    assert registry.call("demo", "connector_execute", **ARGUMENTS) == "changed"
    assert (wrapper.seen, wrapper.outcomes) == ([CREDENTIAL], ["a page"])


def test_the_last_trusted_wrapper_is_the_outermost(manifest):
    """Of two trusted wrappers the one registered last sees what the other made of the result."""
    inner, outer = WrappingSpy("inner"), WrappingSpy("outer")
    plugins = {"owner": owner_of(manifest), "inner": inner, "outer": outer}
    registry = Registry(plugins, trusted_wrappers=["inner", "outer"])
    assert registry.call("demo", "connector_execute", **ARGUMENTS) == "outer"
    assert outer.outcomes == ["inner"]


def test_a_trusted_wrapper_sees_an_error_and_lets_it_through(manifest):
    """An error of the owner passes through the wrappers to the caller."""

    owner, wrapper = owner_of(manifest, NotFoundError("gone")), WrappingSpy()
    registry = Registry({"owner": owner, "wrapper": wrapper}, trusted_wrappers=["wrapper"])
    with pytest.raises(NotFoundError, match="gone"):
        registry.call("demo", "connector_execute", **ARGUMENTS)
    assert [type(error) for error in wrapper.outcomes] == [NotFoundError]


def test_a_misspelt_hook_is_refused(manifest):
    """A hook that doesn't exist is an error at loading, with its name, not silence."""

    class Misspelt:
        @hookimpl
        def connector_exekute(self, action):
            pass

    with pytest.raises(ManifestError, match="connector_exekute"):
        Registry({"owner": owner_of(manifest), "wrong": Misspelt()})


def test_a_hook_with_a_foreign_argument_is_refused(manifest):
    """A hook that asks for what the contract doesn't hand out is an error at loading."""

    class Curious:
        @hookimpl
        def connector_execute(self, action, password):
            pass

    with pytest.raises(ManifestError, match="password"):
        Registry({"owner": owner_of(manifest), "curious": Curious()})


@pytest.mark.parametrize(("version", "fits"), [("1.0", True), ("1.9", True), ("2.0", False), ("0.9", False)])
def test_another_major_contract_is_refused(manifest, version, fits):
    """A connector made for another major version of the contract is refused in words that name both."""
    plugins = {"owner": owner_of(with_contract(manifest, version))}
    if fits:
        assert Registry(plugins).manifest("other").contract == version
        return
    with pytest.raises(ManifestError, match=version):
        Registry(plugins)


def test_two_plugins_with_one_connector_are_refused(manifest):
    """Nobody can bring a connector that is there already."""
    with pytest.raises(ManifestError, match="Two plugins bring a connector demo"):
        Registry({"one": owner_of(manifest), "two": owner_of(manifest)})


def test_a_plugin_that_gives_no_manifest_is_refused(manifest):
    """What isn't a manifest is told at loading."""
    with pytest.raises(ManifestError, match="owner"):
        Registry({"owner": owner_of({"id": "demo"})})


def test_a_plugin_that_comes_later_is_not_seen(manifest):
    """The registry is frozen: changing the mapping or the plugin's class afterwards changes nothing."""
    owner = owner_of(manifest)
    plugins = {"owner": owner}
    registry = Registry(plugins)
    spy = Spy()
    plugins["late"] = spy
    late = SimpleNamespace(connector_manifest=hookimpl(lambda: with_contract(manifest, "1.0", "late")))
    plugins["later"] = late
    registry.call("demo", "connector_execute", **ARGUMENTS)
    assert (spy.seen, list(registry.manifests)) == ([], ["demo"])


def test_an_unknown_connector_or_hook_is_not_found(manifest):
    """Asking for what isn't there names what is."""
    registry = Registry({"owner": owner_of(manifest)})
    with pytest.raises(NotFoundError) as caught:
        registry.manifest("nobody")
    assert "demo" in caught.value.hint
    with pytest.raises(NotFoundError, match="connector_options"):
        registry.call("demo", "connector_options")


def test_the_installed_connectors_are_found():
    """The connector of this distribution is found by its entry point."""
    found = Registry.installed().manifests
    assert json.dumps(sorted(found)) == '["apollo"]'
