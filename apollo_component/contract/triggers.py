"""A trigger as frozen values: which action it asks, and how it tells what is new in the answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .actions import names


@dataclass(frozen=True, slots=True)
class Recent:
    """A date filter that keeps a scan short: `input` gets `{min: DATE}`, so many `days` before today (UTC)."""

    input: str
    days: int


@dataclass(frozen=True, slots=True)
class Trigger:
    """How a trigger finds its events.

    `style` is `newest` (the action answers newest first: read until what is known), `scan` (all records, each time)
    or `callback` (what is delivered to the host). `time` names the record's own time of what happened, several names
    where the service answers it under one or another; under `newest` it is the watermark. `version` names the fields
    whose change makes a new event: one field is taken as it is, several as a fingerprint, none means that a record is
    an event once. `changes` leaves out the first sight of a record, `leaves` forgets one that is gone, so that its
    return is an event, `due` waits until `time` is past.
    """

    id: str
    title: str
    group: str
    description: str
    input: str
    style: str
    interval: int
    action: str | None = None
    record: str | None = None
    """The schema of what is delivered; without one a record is what the action gives."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    id_field: str = "id"
    time: tuple[str, ...] = ()
    overlap: int = 300
    version: tuple[str, ...] = ()
    where: Mapping[str, Any] = field(default_factory=dict)
    recent: Recent | None = None
    changes: bool = False
    leaves: bool = False
    due: bool = False

    @property
    def since_allowed(self) -> bool:
        """Whether it can begin in the past: the records must tell when it happened."""
        return bool(self.time) and not self.changes and not self.due


def trigger_from(item: Mapping[str, Any]) -> Trigger:
    recent = item.get("recent")
    return Trigger(
        **dict(item)
        | {
            "time": names(item.get("time")),
            "version": tuple(item.get("version", ())),
            "recent": Recent(**recent) if recent else None,
        }
    )
