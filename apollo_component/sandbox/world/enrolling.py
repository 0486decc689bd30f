"""Contacts in sequences: enrolling, changing how they stand, and the feed of what happened."""

from ..clock import stamp, touch
from ..world import team_records
from ..world.model import Record, World


def enroll(
    world: World, contact: Record, sequence_id: str, box: Record, *, adder: str, moment: float, **more: object
) -> Record:
    """Puts a contact into a sequence; the sequence's counts follow from it."""
    own = world.new_id("enrollment")
    made = team_records.enrollment(own, sequence_id, box, adder, moment, **more)
    contact["emailer_campaign_ids"] = [*contact["emailer_campaign_ids"], sequence_id]
    contact["contact_campaign_statuses"] = [*contact["contact_campaign_statuses"], made]
    touch(contact, moment)
    world.enrolled[sequence_id][contact["id"]] = made
    tell(world, contact["id"], sequence_id, "enrolled", moment)
    return made


def tell(world: World, contact_id: str, sequence_id: str, kind: str, moment: float, **more: object) -> None:
    """Adds an event to a contact's feed; keys that do not apply are left out, as documented."""
    sequence = world.sequences.get(sequence_id)
    event: Record = {"type": kind, "occurred_at": stamp(moment)[:-5] + "Z", "sequence_id": sequence_id}
    if sequence:
        event["sequence_name"] = sequence["name"]
    event |= {name: value for name, value in more.items() if value is not None}
    world.events.setdefault(contact_id, []).append(event)


def set_status(world: World, contact: Record, enrollment: Record, kind: str, moment: float, **changes: object) -> None:
    """Changes how a contact stands in a sequence and tells it; `kind` is the event's type."""
    enrollment |= changes
    touch(contact, moment)
    world.contacts.version += 1
    reason = enrollment["failure_reason"] or enrollment["inactive_reason"] if kind != "resumed" else None
    tell(
        world,
        contact["id"],
        enrollment["emailer_campaign_id"],
        kind,
        moment,
        step_position=enrollment["current_step_position"],
        reason=reason,
    )


def finish(world: World, contact: Record, enrollment: Record, reason: str | None, moment: float) -> None:
    """Ends a contact's way through a sequence."""
    changes = {"status": "finished", "inactive_reason": reason, "finished_at": stamp(moment)}
    set_status(world, contact, enrollment, "completed", moment, **changes)


def remove(world: World, contact: Record, sequence_id: str, moment: float) -> None:
    """Takes a contact out of a sequence, as if it had never been in it."""
    gone = world.enrolled[sequence_id].pop(contact["id"])
    contact["emailer_campaign_ids"] = [own for own in contact["emailer_campaign_ids"] if own != sequence_id]
    contact["contact_campaign_statuses"] = [
        status for status in contact["contact_campaign_statuses"] if status["id"] != gone["id"]
    ]
    touch(contact, moment)
    world.contacts.version += 1
    tell(world, contact["id"], sequence_id, "removed", moment)
