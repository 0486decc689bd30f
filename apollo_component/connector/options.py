"""Choices of a drop-down from the records of its source. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from ..contract.answers import dig
from ..contract.manifest import OptionSource
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
            yield Choice(" · ".join(parts) or str(value), str(value))
