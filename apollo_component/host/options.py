"""The host's side of drop-downs: the choices of an option source or of a field, searched, paged and kept briefly."""

import functools
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..contract.actions import Action
from ..contract.errors import InputError, ManifestError, NotFoundError, Problem
from ..contract.inputs import InputField, input_fields
from ..contract.manifest import Manifest, OptionSource
from ..contract.models import Choice, Effect, Page
from ..contract.schemas import nearest, schemas_at
from ..contract.triggers import Trigger
from .calls import Call, Caller
from .journal import Key

KEPT_SECONDS = 60.0
KEPT_PAGES = 500
EMPTY_PAGES = 10
"""A page without a fitting choice is passed over, so many in a row at most: some services can't search themselves."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A page of a drop-down. It may be empty and still have a next one."""

    choices: tuple[Choice, ...] = ()
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class OptionsCall(Call):
    """One request for choices; `action` is the one that the source runs."""

    source: str = ""
    search: str = ""

    def request(self, hook: Callable[..., Any]) -> Page:
        found, following = hook("connector_options", source=self.source, search=self.search, cursor=self.cursor)
        return Page(records=found, next_cursor=following)


class Options:
    """Choices for connections. Nothing here costs credits: a source that could is refused."""

    def __init__(self, caller: Caller, clock: Callable[[], float] = time.time) -> None:
        self.caller, self.registry, self.connections = caller, caller.registry, caller.connections
        self._kept = _Kept(clock)
        self._fields = functools.cache(lambda root, path: input_fields(schemas_at(root), path))

    def page(self, connection: str, source: str, search: str = "", cursor: str | None = None) -> Opened:
        """The choices of a source at a cursor, from memory for a minute. Raises any ConnectorError."""
        search = search.strip()
        for _ in range(EMPTY_PAGES):
            found = self._page(connection, source, search, cursor)
            if found.choices or found.next_cursor is None:
                break
            cursor = found.next_cursor
        return found

    def every(self, connection: str, source: str, search: str = "") -> Iterator[Choice]:
        """All choices, page by page."""
        cursor: str | None = None
        while True:
            found = self.page(connection, source, search, cursor)
            yield from found.choices
            if (cursor := found.next_cursor) is None:
                return

    def inside(self, connection: str, source: str, chosen: str, search: str = "") -> Opened:
        """The choices that depend on a choice made before, named by its value or its label: a field's own values."""
        parent = chosen_one(self.every(connection, source), chosen)
        wanted = search.strip().casefold()
        return Opened(tuple(choice for choice in parent.choices if wanted in choice.label.casefold()))

    def of(
        self,
        manifest: Manifest,
        asked: Action | Trigger,
        name: str,
        connection: str | None = None,
        search: str = "",
        cursor: str | None = None,
    ) -> Opened:
        """The choices of a field of an action or trigger, `name` dotted. A fixed list of words needs no connection.

        The values of a field map are named by the key: `typed_fields.Segment`. Raises NotFoundError with the reason
        where there is nothing to choose from, InputError when a connection is needed.
        """
        found, key = self._named(manifest, asked, name)
        if found.vocabulary:
            wanted = search.strip().casefold()
            return Opened(tuple(Choice(word, word) for word in found.vocabulary if wanted in word.casefold()))
        if found.source is None:
            reason = found.reason or "It takes any value of its type."
            raise NotFoundError(f"{found.name} has no list to choose from. {reason}")
        if connection is None:
            raise InputError("Nothing was sent.", [Problem("is needed for these choices", path="--connection")])
        if key:
            return self.inside(connection, found.source, key, search)
        return self.page(connection, found.source, search, cursor)

    def fields(self, manifest: Manifest, path: str) -> tuple[InputField, ...]:
        """The fields of a manifest's schema, at any depth."""
        found: tuple[InputField, ...] = self._fields(manifest.root, path)
        return found

    def _named(self, manifest: Manifest, asked: Action | Trigger, name: str) -> tuple[InputField, str]:
        """The field of that name, and the key behind it where the field is a map."""
        wanted = name.replace("[].", ".")
        fields = self.fields(manifest, asked.input)
        for field in fields:
            if field.name == wanted:
                return field, ""
            if field.fields and wanted.startswith(f"{field.name}."):
                return field, wanted.removeprefix(f"{field.name}.")
        hint = _meant(wanted, [field.name for field in fields]) or _with_choices(fields)
        raise NotFoundError(f"{asked.title} has no field {name!r}.", hint=hint)

    def _page(self, name: str, source: str, search: str, cursor: str | None) -> Opened:
        connection = self.connections.get(name)
        declared, action = self._source(connection.connector, source)
        place = (connection.id, connection.version, source, search, cursor)
        if kept := self._kept.get(place):
            return kept
        key = Key("options", source, cursor or "")
        page = self.caller.page(
            OptionsCall(key, connection.id, action, declared.input, cursor, source=source, search=search)
        )
        return self._kept.put(place, Opened(tuple(page.records), page.next_cursor))

    def _source(self, connector: str, source: str) -> tuple[OptionSource, Action]:
        manifest = self.registry.manifest(connector)
        if source not in manifest.option_sources:
            hint = _meant(source, manifest.option_sources) or f"Known: {', '.join(manifest.option_sources)}."
            raise NotFoundError(f"{manifest.title} has no option source of that name.", hint=hint)
        declared = manifest.option_sources[source]
        action = manifest.actions[declared.action]
        if action.effect.kind is not Effect.READ or action.credits.costs:
            raise ManifestError(f"The option source {source} runs {action.id}, which does more than read for free.")
        return declared, action


def chosen_one(choices: Iterator[Choice], chosen: str) -> Choice:
    """The choice of that value or, where only one has it, of that label. Raises NotFoundError, InputError."""
    found = list(choices)
    fitting = matching(found, chosen)
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        values = ", ".join(choice.value for choice in fitting)
        raise InputError("Several choices have that name.", [Problem(f"must be one of these ids: {values}")])
    raise NotFoundError("There is no choice of that name.", hint=_meant(chosen, [choice.label for choice in found]))


def matching(choices: Sequence[Choice], name: str) -> list[Choice]:
    """The choice of that value, else those of that label, else those whose label differs by case or spaces only."""
    folded = name.strip().casefold()
    return (
        [choice for choice in choices if choice.value == name]
        or [choice for choice in choices if choice.label == name]
        or [choice for choice in choices if choice.label.strip().casefold() == folded]
    )


def _meant(name: str, known: Iterable[str]) -> str:
    close = nearest(name, known)
    return f"Did you mean {close}?" if close else ""


def _with_choices(fields: Iterable[InputField]) -> str:
    names = [field.name for field in fields if field.source or field.vocabulary]
    return f"Fields with choices: {', '.join(names)}." if names else "None of its fields has choices."


class _Kept:
    """Pages for a minute, in memory only; the ones used longest ago go first."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._pages: OrderedDict[tuple[object, ...], tuple[float, Opened]] = OrderedDict()

    def get(self, place: tuple[object, ...]) -> Opened | None:
        with self._lock:
            until, page = self._pages.get(place, (0.0, None))
            if page is None or until <= self._clock():
                return None
            self._pages.move_to_end(place)
            return page

    def put(self, place: tuple[object, ...], page: Opened) -> Opened:
        with self._lock:
            self._pages[place] = (self._clock() + KEPT_SECONDS, page)
            self._pages.move_to_end(place)
            while len(self._pages) > KEPT_PAGES:
                self._pages.popitem(last=False)
        return page
