"""Choices of a drop-down from the records of its source, and the guard of inputs that are keyed by them. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..contract.digging import dig
from ..contract.errors import Problem
from ..contract.inputs import InputField, changed
from ..contract.located import PathParts, dotted
from ..contract.manifest import InnerChoices, Manifest, OptionSource
from ..contract.models import Choice


def choices(source: OptionSource, records: Sequence[Any], search: str = "") -> tuple[Choice, ...]:
    """One choice for each record that fits the source's `where` and has a value; a record without a label shows its
    value. `search` keeps labels that contain it, for services that can't search themselves."""
    wanted = search.casefold()
    return tuple(choice for choice in _all(source, records) if wanted in choice.label.casefold())


def _all(source: OptionSource, records: Sequence[Any]) -> Iterator[Choice]:
    for record in records:
        value = dig(record, source.value)
        if value is not None and all(dig(record, name) == wanted for name, wanted in source.where.items()):
            parts = [str(part) for name in source.label.split() if (part := dig(record, name)) is not None]
            kind = source.types.get(str(dig(record, source.type))) if source.type else None
            inner = tuple(_inner(source.choices, record)) if source.choices else ()
            yield Choice(" · ".join(parts) or str(value), str(value), kind or "", inner)


def _inner(declared: InnerChoices, record: Any) -> Iterator[Choice]:
    found = dig(record, declared.records)
    for item in found if isinstance(found, list) else ():
        value, label = dig(item, declared.value), dig(item, declared.label)
        if value is not None:
            yield Choice(str(value if label is None else label), str(value))


def names_left(manifest: Manifest, fields: Iterable[InputField], values: Mapping[str, Any]) -> list[Problem]:
    """Keys of field maps that aren't ids: a host puts ids in the place of names before it calls, since the service may
    drop a key that it doesn't know in silence."""
    problems: list[Problem] = []
    for field in fields:
        form = manifest.option_sources[field.fields].ids if field.fields else None
        if form is None:
            continue

        def note(at: PathParts, found: Any, ids: re.Pattern[str] = re.compile(form)) -> Any:
            keys = [key for key in found if not ids.fullmatch(key)] if isinstance(found, Mapping) else ()
            problems.extend(Problem("must be the id of the field here", path=dotted((*at, key))) for key in keys)
            return found

        changed(values, field.path, note)
    return problems
