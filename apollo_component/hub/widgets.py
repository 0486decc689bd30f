"""A form with what was posted and what is wrong, ready to be drawn. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..contract.errors import Problem
from ..contract.located import PathParts, dotted
from .form_values import AS_JSON, KEY, TYPE, VALUE, Posted
from .forms import Field, Kind

_NATIVE_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?\Z")


@dataclass(frozen=True, slots=True)
class Row:
    """An item of a list of objects, or a pair of a map."""

    at: str
    number: int
    widgets: "tuple[Widget, ...]" = ()
    key: str = ""
    type: str = ""
    value: str = ""
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Widget:
    """A field with its content. `at` is the name it is posted by; `as_json` tells that its content is JSON, since the
    control has no room for it."""

    field: Field
    at: str
    text: str = ""
    chosen: tuple[str, ...] = ()
    wrong: str = ""
    as_json: bool = False
    widgets: "tuple[Widget, ...]" = ()
    rows: tuple[Row, ...] = ()

    @property
    def id(self) -> str:
        return "f" + self.at.replace("/", "-").replace("~", "_")

    @property
    def filled(self) -> bool:
        return bool(self.text or self.chosen or self.rows or any(inner.filled for inner in self.widgets))

    @property
    def needs_look(self) -> bool:
        """Whether it or something in it is wrong."""
        inner = (*self.widgets, *(widget for row in self.rows for widget in row.widgets))
        return bool(self.wrong or any(row.wrong for row in self.rows) or any(one.needs_look for one in inner))

    @property
    def native_moment(self) -> bool:
        return not self.text or bool(_NATIVE_MOMENT.match(self.text))


@dataclass(slots=True)
class Wrong:
    """Problems by place; those that found their field are taken out."""

    problems: Sequence[Problem]
    left: list[Problem] = field(init=False)

    def __post_init__(self) -> None:
        self.left = list(self.problems)

    def at(self, path: PathParts, *, inside: bool) -> str:
        """What is wrong at a place; with `inside` also with its parts, which have no place of their own."""
        place = dotted(path)
        mine = [one for one in self.left if one.path == place or (inside and _is_in(one.path, place))]
        self.left = [one for one in self.left if one not in mine]
        return "; ".join(dict.fromkeys(f"{_part(one.path, place)}{one.text}" for one in mine))


def drawn(fields: Iterable[Field], posted: Posted, wrong: Wrong) -> tuple[Widget, ...]:
    return _all(fields, posted, wrong, "", ())


def unknown(fields: Iterable[Field], posted: Posted, wrong: Wrong) -> tuple[Widget, ...]:
    """What came as JSON for fields that the form hasn't."""
    known = {f"{AS_JSON}/{one.name}" for one in fields}
    names = [name for name in posted.names() if name.startswith(f"{AS_JSON}/") and name not in known]
    return tuple(
        Widget(
            Field((name[len(AS_JSON) + 1 :],), Kind.JSON, name[len(AS_JSON) + 1 :]),
            name.removeprefix(AS_JSON),
            text=posted.one(name),
            as_json=True,
            wrong=wrong.at((name[len(AS_JSON) + 1 :],), inside=True),
        )
        for name in names
        if name.count("/") == 1
    )


def _all(fields: Iterable[Field], posted: Posted, wrong: Wrong, at: str, path: PathParts) -> tuple[Widget, ...]:
    return tuple(_widget(one, posted, wrong, f"{at}/{one.name}", (*path, one.name)) for one in fields)


def _widget(one: Field, posted: Posted, wrong: Wrong, at: str, path: PathParts) -> Widget:
    if text := posted.one(AS_JSON + at):
        return Widget(one, at, text, wrong=wrong.at(path, inside=True), as_json=True)
    if one.kind is Kind.GROUP:
        return Widget(one, at, widgets=_all(one.fields, posted, wrong, at, path), wrong=wrong.at(path, inside=False))
    if one.kind is Kind.GROUPS:
        return _groups(one, posted, wrong, at, path)
    if one.kind is Kind.MAP:
        rows = tuple(_map_row(posted, wrong, f"{at}/{number}", number, path) for number in posted.indexes(at))
        return Widget(one, at, rows=rows, wrong=wrong.at(path, inside=False))
    if one.kind is Kind.CHECKS:
        return Widget(one, at, chosen=tuple(posted.all(at)), wrong=wrong.at(path, inside=True))
    return Widget(one, at, posted.one(at), wrong=wrong.at(path, inside=True), as_json=one.kind is Kind.JSON)


def _groups(one: Field, posted: Posted, wrong: Wrong, at: str, path: PathParts) -> Widget:
    """Items without content aren't sent, so they count for no place."""
    rows: list[Row] = []
    place = 0
    for number in posted.indexes(at):
        widgets = _all(one.fields, posted, Wrong(()), f"{at}/{number}", (*path, place))
        told = ""
        if any(inner.filled for inner in widgets):
            widgets = _all(one.fields, posted, wrong, f"{at}/{number}", (*path, place))
            told = wrong.at((*path, place), inside=False)
            place += 1
        rows.append(Row(f"{at}/{number}", number, widgets, wrong=told))
    return Widget(one, at, rows=tuple(rows), wrong=wrong.at(path, inside=False))


def _map_row(posted: Posted, wrong: Wrong, at: str, number: int, path: PathParts) -> Row:
    key = posted.one(f"{at}/{KEY}")
    kind, value = posted.one(f"{at}/{TYPE}"), posted.one(f"{at}/{VALUE}")
    return Row(at, number, key=key, type=kind, value=value, wrong=wrong.at((*path, key), inside=True) if key else "")


def _is_in(path: str, place: str) -> bool:
    return path.startswith((f"{place}[", f"{place}."))


def _part(path: str, place: str) -> str:
    """Which part of the place it is, as the beginning of a sentence."""
    rest = path.removeprefix(place)
    if found := re.match(r"\[(\d+)\]", rest):
        return f"number {int(found[1]) + 1}{rest[found.end() :]} "
    return f"{rest.lstrip('.')} " if rest else ""
