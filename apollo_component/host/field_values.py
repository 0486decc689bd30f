"""Names of a workspace's own fields turned into ids, and their values checked against their types. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from ..contract.errors import Problem
from ..contract.located import PathParts, dotted
from ..contract.models import Choice
from ..contract.schemas import nearest
from .options import matching

NAMED = 30
"""How many known names an error lists."""


class RefusedError(ValueError):
    """Why an entry can't be sent, in words; its place is known to the caller."""


@dataclass(frozen=True, slots=True)
class FieldMap:
    """The fields a map may have; `is_id` tells keys that need not be known. Collects what is wrong in `problems`."""

    fields: Sequence[Choice]
    is_id: Callable[[str], object]
    problems: list[Problem] = field(default_factory=list)

    def resolved(self, at: PathParts, values: Any) -> Any:
        """The map with ids as keys, as far as nothing is wrong."""
        if not isinstance(values, Mapping):
            return values
        found: dict[str, Any] = {}
        for key, value in values.items():
            try:
                known = self._known(key, found)
                found[known.value] = value_of(known, value, self.is_id)
            except RefusedError as error:
                self.problems.append(Problem(str(error), path=dotted((*at, key))))
        return found

    def _known(self, key: str, before: Collection[str]) -> Choice:
        """The field of that id or name; an id that isn't listed stands for a field of which nothing is known."""
        fitting = matching(self.fields, key) or ([Choice(key, key)] if self.is_id(key) else [])
        if len(fitting) > 1:
            raise RefusedError(f"is the name of {len(fitting)} fields; give the id: {_ids(fitting)}")
        if not fitting:
            labels = [choice.label for choice in self.fields]
            close = nearest(key, labels)
            meant = f"did you mean {close}? " if close else ""
            raise RefusedError(f"is no field of this workspace; {meant}it has: {_listed(labels) or 'none'}")
        if fitting[0].value in before:
            raise RefusedError("names a field that was given before")
        return fitting[0]


def value_of(known: Choice, value: Any, is_id: Callable[[str], object]) -> Any:
    """What is sent for a value of a field. Empty values clear a field and fit all. Raises RefusedError."""
    if value is None or value == "":
        return value
    several = known.type == "choices" or (known.choices and known.type != "choice" and isinstance(value, list))
    if several:
        if not isinstance(value, list):
            raise RefusedError("must be a list of options")
        return [_option(known, item, is_id) for item in value]
    if known.type == "choice" or known.choices:
        return _option(known, value, is_id)
    if known.type:
        fits, text = _TYPES[known.type]
        if not fits(value):
            raise RefusedError(text)
    return value


def schema_of(known: Choice) -> dict[str, Any]:
    """A field as a JSON Schema property: its name as title, its options by id and name."""
    option = {"type": "string", "oneOf": [{"const": choice.value, "title": choice.label} for choice in known.choices]}
    several = {"type": "array", "items": option}
    forms: dict[str, dict[str, Any]] = {**_FORMS, "choice": option, "choices": several}
    either = {"anyOf": [option, several]} if known.choices else {}
    return {"title": known.label, **forms.get(known.type, either)}


def _option(known: Choice, value: Any, is_id: Callable[[str], object]) -> str:
    """The id of an option; where the service doesn't tell the options, only an id will do."""
    if not known.choices:
        if not (isinstance(value, str) and is_id(value)):
            raise RefusedError("must be the id of an option; their names aren't known here")
        return value
    fitting = matching(known.choices, value) if isinstance(value, str) else []
    if len(fitting) > 1:
        raise RefusedError(f"is the name of {len(fitting)} options; give the id: {_ids(fitting)}")
    if not fitting:
        raise RefusedError(f"must be one of its options: {_listed(choice.label for choice in known.choices)}")
    return fitting[0].value


def _ids(fitting: Iterable[Choice]) -> str:
    return _listed(choice.value for choice in fitting)


def _listed(names: Iterable[str]) -> str:
    found = list(names)
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return ", ".join(found[:NAMED]) + more


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and len(value) == 10 and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _is_moment(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


_TYPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "text": (lambda value: isinstance(value, str), "must be a text"),
    "number": (_is_number, "must be a number"),
    "boolean": (lambda value: isinstance(value, bool), "must be true or false"),
    "date": (_is_date, "must be a day such as 2026-10-31"),
    "datetime": (_is_moment, "must be a time such as 2026-10-31T09:00:00Z, or a day"),
}
_FORMS: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]},
}
