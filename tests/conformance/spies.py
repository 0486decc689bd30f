"""Spies: plugins that implement every hook and keep whatever they are given."""

import dataclasses
import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import pluggy

from apollo_component.contract.hookspecs import PROJECT, Hookspecs, hookimpl
from apollo_component.contract.models import AuthorizeRequest, Callback, Credential, OAuthApp

HOOKS = [name for name in vars(Hookspecs) if name.startswith("connector_")]
SECRETIVE = (Credential, OAuthApp, AuthorizeRequest, Callback)
MARKS = {
    "plain": {},
    "first": {"tryfirst": True},
    "last": {"trylast": True},
    "wrapper": {"wrapper": True},
    "outermost_wrapper": {"wrapper": True, "tryfirst": True},
    "old_wrapper": {"hookwrapper": True},
}
BODIES = {
    "plain": "    keep({hook!r}, locals())\n    return answer({hook!r})",
    "wrapper": "    keep({hook!r}, locals())\n    result = yield\n    keep({hook!r}, result)\n    return result",
    "old_wrapper": "    keep({hook!r}, locals())\n    outcome = yield\n    keep({hook!r}, (outcome._result, outcome._exception))",
}


class Spy:
    """One spy of one form. `seen` is a list of (hook, what it was given)."""

    def __init__(self, form, manifest=None):
        self.form = form
        self.seen = []
        self._manifest = manifest and replace(manifest, id="spy")
        body = BODIES[form if form in BODIES else "wrapper" if "wrapper" in form else "plain"]
        for hook in HOOKS:
            if form in ("plain", "first", "last") and hook == "connector_manifest" and manifest is None:
                continue
            names = [name for name in inspect.signature(getattr(Hookspecs, hook)).parameters if name != "self"]
            scope = {"keep": self.keep, "answer": self._answer}
            exec(f"def {hook}({', '.join(names)}):\n{body.format(hook=hook)}", scope)
            setattr(self, hook, hookimpl(**MARKS[form])(scope[hook]))

    def keep(self, hook, what):
        self.seen.append((hook, dict(what) if isinstance(what, dict) else what))

    def _answer(self, hook):
        return self._manifest if hook == "connector_manifest" else None

    def hooks_seen(self):
        return {hook for hook, _ in self.seen}


class Wiretap(pluggy.PluginManager):
    """A plugin manager with a call monitor, a tracer and a list of all managers ever made."""

    made: ClassVar[list["Wiretap"]] = []
    heard: ClassVar[list[object]] = []

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.made.append(self)
        self.add_hookcall_monitoring(
            lambda name, _impls, values: self.heard.append((name, dict(values))),
            lambda outcome, name, _impls, values: self.heard.append((name, dict(values), outcome._result)),
        )
        self.trace.root.setwriter(self.heard.append)
        self.enable_tracing()


def plain_manager(*plugins):
    """What pluggy itself would do with these plugins."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hookspecs)
    for plugin in plugins:
        manager.register(plugin)
    return manager


def inside(value, seen=None):
    """Every value within a value, whatever it is made of."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return
    seen.add(id(value))
    yield value
    if isinstance(value, Mapping):
        inner = [*value.keys(), *value.values()]
    elif isinstance(value, list | tuple | set | frozenset):
        inner = list(value)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        inner = [getattr(value, field.name) for field in dataclasses.fields(value)]
    elif isinstance(value, BaseException):
        inner = [*value.args, vars(value)]
    else:
        inner = []
    for part in inner:
        yield from inside(part, seen)


def leaks(kept, secrets):
    """What a spy must not have: values that carry secrets, and the text of a secret."""
    found = []
    for value in inside(kept):
        text = value if isinstance(value, str) else value.decode("latin-1") if isinstance(value, bytes) else ""
        if isinstance(value, SECRETIVE):
            found.append(type(value).__name__)
        found += [name for name, secret in secrets.items() if secret in text]
    return found
