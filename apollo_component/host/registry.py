"""Loads connector plugins, checks and freezes them, and calls the one that owns a connection, nobody else.

pluggy hands the arguments of a hook call to every plugin, wrapper and monitor. Calls that carry credentials
therefore go straight to the owner's own implementation; wrappers take part only when named as trusted.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib.metadata import entry_points
from typing import Any

import pluggy

from ..contract.errors import ManifestError, NotFoundError, Problem
from ..contract.hookspecs import ENTRY_POINTS, PROJECT, SPEC_VERSION, Hookspecs
from ..contract.manifest import Manifest
from ..contract.servers import origins
from .watching import watched


class Registry:
    """Frozen when made: a plugin that registers later is not seen. `plugins` maps a name to its object; `environ` holds
    the operator's choices of servers."""

    def __init__(
        self,
        plugins: Mapping[str, object],
        trusted_wrappers: Iterable[str] = (),
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._environ = environ
        manager = pluggy.PluginManager(PROJECT)
        manager.add_hookspecs(Hookspecs)
        _register(manager, plugins)
        trusted = set(trusted_wrappers)
        self._calls: dict[str, dict[str, pluggy.HookImpl]] = {}
        self._wrappers: dict[str, list[pluggy.HookImpl]] = {}
        for hook in (name for name in vars(Hookspecs) if name.startswith("connector_")):
            for impl in getattr(manager.hook, hook).get_hookimpls():
                if impl.hookwrapper or impl.wrapper:
                    if impl.plugin_name in trusted and impl.wrapper:
                        self._wrappers.setdefault(hook, []).append(impl)
                else:
                    self._calls.setdefault(impl.plugin_name, {})[hook] = impl
        self._owners: dict[str, str] = {}
        self._manifests: dict[str, Manifest] = {}
        for name in plugins:
            if "connector_manifest" in self._calls.get(name, {}):
                self._adopt(name, _manifest(self._calls[name]["connector_manifest"]))

    @classmethod
    def installed(cls) -> "Registry":
        """The connectors of this environment, from the entry-point group."""
        return cls({entry.name: entry.load() for entry in entry_points(group=ENTRY_POINTS)})

    @property
    def manifests(self) -> Mapping[str, Manifest]:
        return self._manifests

    def manifest(self, connector: str) -> Manifest:
        if connector not in self._manifests:
            known = ", ".join(self._manifests) or "none"
            raise NotFoundError(f"There is no connector {connector!r} here.", hint=f"Installed: {known}.")
        return self._manifests[connector]

    def servers(self, connector: str) -> dict[str, str]:
        """Server name → scheme, host and port that a connector's requests go to now. Raises NotFoundError, and
        InputError for an address that can't be used."""
        return origins(self.manifest(connector), self._environ)

    def offers(self, connector: str, hook: str) -> bool:
        """Whether the plugin that owns `connector` has the hook."""
        return hook in self._calls[self._owners[connector]]

    def call(self, connector: str, hook: str, **arguments: Any) -> Any:
        """Call one hook of the plugin that owns `connector`. Raises what the plugin raises."""
        self.manifest(connector)
        impl = self._calls[self._owners[connector]].get(hook)
        if impl is None:
            raise NotFoundError(f"The connector {connector} has no {hook}.")
        return watched(connector, hook, arguments, partial(_wrapped, self._wrappers.get(hook, []), impl))

    def _adopt(self, owner: str, manifest: Manifest) -> None:
        if manifest.contract.partition(".")[0] != SPEC_VERSION.partition(".")[0]:
            raise ManifestError(
                f"The connector {manifest.id} is made for contract {manifest.contract}, this host for {SPEC_VERSION}.",
                hint="Install a version of the connector made for this host.",
            )
        if manifest.id in self._manifests:
            raise ManifestError(f"Two plugins bring a connector {manifest.id}.", hint="Uninstall one of them.")
        self._manifests[manifest.id] = manifest
        self._owners[manifest.id] = owner


def _manifest(impl: pluggy.HookImpl) -> Manifest:
    found: Any = impl.function()
    if not isinstance(found, Manifest):
        raise ManifestError(f"The plugin {impl.plugin_name} gives no manifest.")
    return found


def _register(manager: pluggy.PluginManager, plugins: Mapping[str, object]) -> None:
    """A misspelt or mis-shaped hook is an error, not silence."""
    try:
        for name, plugin in plugins.items():
            manager.register(plugin, name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise ManifestError("A connector plugin has a hook that the contract doesn't.", [Problem(str(error))]) from None


def _wrapped(wrappers: list[pluggy.HookImpl], impl: pluggy.HookImpl, arguments: Mapping[str, Any]) -> Any:
    """The owner's implementation inside the trusted wrappers, the last registered outermost."""
    if not wrappers:
        return impl.function(**{name: arguments[name] for name in impl.argnames})
    outer, inner = wrappers[-1], wrappers[:-1]
    around: Any = outer.function(**{name: arguments[name] for name in outer.argnames})
    next(around)
    try:
        result = _wrapped(inner, impl, arguments)
    except BaseException as error:  # noqa: BLE001  # a wrapper sees every outcome
        return _finished(around.throw, error)
    return _finished(around.send, result)


def _finished(step: Callable[[Any], Any], value: Any) -> Any:
    try:
        step(value)
    except StopIteration as done:
        return done.value
    raise RuntimeError("a hook wrapper has a second yield")
