"""Raw requests beside the declared actions: whose rules one keeps, however it is written. Pure."""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .addresses import unreachable
from .errors import Problem
from .models import Effect

if TYPE_CHECKING:
    from .actions import Action

PATH = re.compile(r"^(/(?!(\.{1,2}|[Aa][Pp][Ii]|[Vv][0-9]+)(/|$))[A-Za-z0-9._~!$&'()*+,=:@-]+)+$")
"""Segments that begin with a slash and aren't empty, `.`, `..`, `api` or a version such as `v1`; no query, fragment,
backslash, space, semicolon or control character, and nothing percent-encoded. So no path has a second spelling but by
letter case and by what follows a dot."""
METHOD_OVERRIDE = "_method"
"""The parameter by which web frameworks take one method for another."""
COVERS: Mapping[Effect, tuple[Effect, ...]] = {
    Effect.READ: (Effect.READ, Effect.UPSERT, Effect.CREATE, Effect.BILL, Effect.SEND),
    Effect.UPSERT: (Effect.UPSERT, Effect.CREATE, Effect.BILL, Effect.SEND),
    Effect.CREATE: (Effect.CREATE, Effect.SEND),
    Effect.BILL: (Effect.BILL, Effect.SEND),
    Effect.SEND: (Effect.SEND,),
}
"""For each effect those that are at least as careful: a create stated as `bill` would be repeated."""
_PLACEHOLDER = re.compile(r"{\w+}")
_OFF = (None, False, "", "0", "false")
_APART = re.compile(r"[,;\s]")


@dataclass(frozen=True, slots=True)
class Entry:
    """A name in `place` (query or body), in small letters, and its value. `key` is how it is written at the top, empty
    further in."""

    place: str
    name: str
    value: Any
    key: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """One raw request. `actions` are those whose rules it keeps: the `declared` one for its method and path, else
    every action of that path, since a service may take one method for another. `told` is False while method or path
    aren't known, or when no such path can be sent."""

    method: str
    declared: "Action | None"
    actions: tuple["Action", ...]
    entries: tuple[Entry, ...]
    told: bool

    @property
    def undeclared_write(self) -> bool:
        return self.told and self.declared is None and self.method != "GET"

    def effects(self) -> Iterator[tuple["Action", Effect]]:
        """Each action with what a repeat of it would do."""
        return ((action, action.effect.of(self._given(action))) for action in self.actions)

    def costs(self, max_per_record: float | None = None) -> Iterator[tuple["Action", float]]:
        """Each action with the credits it may cost at most, or at least where nothing limits them."""
        for action in self.actions:
            given = self._given(action)
            worst = None if action.credits.stated_by else action.credits.worst(given, max_per_record)
            yield action, max(action.credits.worst(given, 0) or 0, 1) if worst is None else worst

    def settles_later(self) -> bool:
        return any(action.credits.settles_later(self._given(action)) for action in self.actions)

    def problems(self, stated: Effect, credits_: float) -> Iterator[Problem]:
        """Why the request isn't sent; each names the input that must change."""
        for place in dict.fromkeys(entry.place for entry in self._called(METHOD_OVERRIDE)):
            yield Problem(f"must not hold {METHOD_OVERRIDE}; the method stands in method", path=place)
        for action in self.actions:
            yield from self._unclear_lists(action)
            yield from self._unreachable(action)
        for action, effect in self.effects():
            if stated not in COVERS[effect]:
                yield Problem(f"must be {' or '.join(COVERS[effect])}: {self._named(action)}", path="effect")
        for action, least in self.costs():
            if credits_ < least:
                text = f"must be at least {least:g}, which is what {action.id} may cost with this"
                yield Problem(text, path="credits")

    def _unclear_lists(self, action: "Action") -> Iterator[Problem]:
        """The lists that an action is paid by must be countable."""
        if any(entry.name == "" for entry in self.entries):
            yield Problem(f"must be an object with named fields: {self._named(action)}", path="body")
        for name in action.credits.per:
            found = self._called(name)
            if found and not (len(found) == 1 and found[0].key == name and _countable(found[0].value)):
                place = found[0].place
                yield Problem(f"must hold {name} once, as a plain list: {self._named(action)}", path=place)

    def _unreachable(self, action: "Action") -> Iterator[Problem]:
        """An address that the service can't reach is refused here as in the named action."""
        rule = action.wait.callback if action.wait else None
        for entry in self._called(rule.url) if rule else ():
            if isinstance(entry.value, str) and (why := unreachable(entry.value)):
                yield Problem(f"{why}; the service delivers over the internet", path=f"{entry.place}.{entry.name}")

    def _given(self, action: "Action") -> dict[str, Any]:
        """The input that the action would have, as far as it decides about effect and cost. A flag that makes it
        graver counts wherever and however it is written; what makes it more harmless counts only when it is plain."""
        rule, costs = action.effect, action.credits
        flags = {*costs.flags, *costs.unbounded, *([rule.send_flag] if rule.send_flag else [])}
        plain = {*costs.per, *rule.upsert_keys, *([rule.upsert_flag] if rule.upsert_flag else [])} - flags
        given: dict[str, Any] = {name: True for name in flags if any(map(_is_on, self._called(name)))}
        for name in plain:
            found = self._called(name)
            if len(found) == 1 and found[0].key == name:
                given[name] = found[0].value
        if costs.per and not any(isinstance(given.get(name), list) and given[name] for name in costs.per):
            given |= dict.fromkeys(costs.per) | {costs.per[0]: [None]}
        return given

    def _named(self, action: "Action") -> str:
        """Why the action's rules count here."""
        method = "" if action is self.declared else f"with {action.method} "
        return f"{method}this is the route of {action.id}; better run that"

    def _called(self, name: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.name == name.casefold()]


@dataclass(frozen=True, slots=True)
class Routes:
    """The actions that have a route of their own on the server that raw requests go to."""

    actions: tuple["Action", ...] = ()

    def of(self, values: Mapping[str, Any]) -> Route:
        """The route of a raw request's input; what can't be known of it yet isn't guessed."""
        method, path = values.get("method"), values.get("path")
        entries = tuple(entry for place in ("query", "body") for entry in _entries(place, values.get(place)))
        if not (isinstance(method, str) and isinstance(path, str) and PATH.fullmatch(path)):
            return Route(str(method), None, (), entries, told=False)
        found = sorted(
            (action for action in self.actions if _pattern(action.path).fullmatch(_one_form(path))),
            key=lambda action: action.path.count("{"),
        )
        declared = next((action for action in _nearest(found) if action.method == method), None)
        return Route(method, declared, (declared,) if declared else tuple(found), entries, told=True)


def _nearest(found: list["Action"]) -> Iterable["Action"]:
    """Those with the fewest placeholders: /tasks/search is the search, whatever its method, and no task."""
    return (action for action in found if action.path.count("{") == found[0].path.count("{"))


def _one_form(path: str) -> str:
    """Small letters, and nothing after a dot: frameworks take /people/match.json for /people/match."""
    return "/".join(segment.partition(".")[0] for segment in path.casefold().split("/"))


@functools.cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile("[^/]*".join(re.escape(part) for part in _PLACEHOLDER.split(_one_form(template))))


def _entries(place: str, value: Any) -> Iterator[Entry]:
    """Every name at any depth, those in brackets too, in small letters; a body that is a list has one without name."""
    if isinstance(value, list | tuple):
        yield Entry(place, "", value)
    waiting: list[tuple[Any, bool]] = [(value, True)]
    while waiting:
        inner, top = waiting.pop()
        if isinstance(inner, Mapping):
            for key, item in inner.items():
                for name in re.split(r"[\[\].]", str(key)):
                    if name.strip():
                        yield Entry(place, name.strip().casefold(), item, key if top else "")
            waiting += [(item, False) for item in inner.values()]
        elif isinstance(inner, list | tuple):
            waiting += [(item, False) for item in inner]


def _is_on(entry: Entry) -> bool:
    return entry.value not in _OFF


def _countable(value: Any) -> bool:
    """Whether a list has as many items as it seems to have."""
    return isinstance(value, list) and not any(
        isinstance(item, list) or (isinstance(item, str) and _APART.search(item)) for item in value
    )
