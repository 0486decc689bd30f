"""Switching sequences on and off, taking contacts out of them, and the feed of what happened."""

from typing import Any

from .. import params as read
from ..clock import stamp
from ..errors import Refusal, not_found, unprocessable
from ..mailing import drop_scheduled, resume
from ..operation import Answer, Call, Operation
from ..operations.sequences import STATUSES
from ..world.enrolling import finish, remove, set_status

Record = dict[str, Any]

INACTIVE = "Sequence inactive"
MODES = ("mark_as_finished", "remove", "stop")
FEED_LIMIT = 50


def _sequence(call: Call) -> Record:
    found = call.state.world.sequences.get(read.object_ids([call.path["sequence_id"]])[0])
    if found is None:
        raise not_found()  # unverified: how an unknown sequence is answered
    return found


def _people(call: Call, own: str) -> list[tuple[Record, Record]]:
    """Everybody in a sequence who is still there, with how they stand."""
    known = call.state.world.contacts.records
    enrolled = call.state.world.enrolled[own].items()
    return [(known[contact_id], standing) for contact_id, standing in enrolled if contact_id in known]


def approve(call: Call) -> Answer:
    """Turns a sequence on; contacts that waited for it go on."""
    world, sequence = call.state.world, _sequence(call)
    own = sequence["id"]
    if sequence["active"]:
        raise unprocessable("The sequence is already active.")
    if not world.steps[own]:
        raise unprocessable("Please make sure you have added at least 1 step before turning on the sequence.")
    if not _ready(call, own):
        raise unprocessable("Please make sure your template has content before turning it on.")
    sequence["active"] = True
    for contact, standing in _people(call, own):
        if standing["status"] == "paused" and standing["inactive_reason"] == INACTIVE:
            resume(call.state, contact, standing, call.now)
    return _answer(call, sequence)


def _ready(call: Call, own: str) -> bool:
    """Whether no step sends mail, or some approved mail has a body."""
    world = call.state.world
    if not any(step["type"] in ("auto_email", "manual_email") for step in world.steps[own]):
        return True
    templates = [world.templates.get(t["emailer_template_id"]) for t in world.touches[own] if t["status"] == "approved"]
    return any(template and template["body_html"] for template in templates)


def abort(call: Call) -> Answer:
    """Turns a sequence off; its active contacts are paused until it is on again (unverified)."""
    world, sequence = call.state.world, _sequence(call)
    if not sequence["active"]:
        raise unprocessable("The sequence is already inactive.")
    sequence["active"] = False
    for contact, standing in _people(call, sequence["id"]):
        if standing["status"] == "active":
            changes = {"status": "paused", "inactive_reason": INACTIVE, "paused_at": stamp(call.now)}
            set_status(world, contact, standing, "paused", call.now, **changes)
            drop_scheduled(call.state, contact["id"], sequence["id"])
    return _answer(call, sequence)


def _answer(call: Call, sequence: Record) -> Answer:
    world, own = call.state.world, sequence["id"]
    scheduled = sum(mail["status"] == "scheduled" for mail in world.sequence_messages.get(own, ()))
    campaign = {"id": own, "active": sequence["active"], "unique_scheduled": scheduled}
    return {"emailer_campaign": campaign, "emailer_steps": world.steps[own]}


def archive(call: Call) -> Answer:
    """Archives a sequence and finishes everybody in it."""
    world, sequence = call.state.world, _sequence(call)
    sequence |= {"active": False, "archived": True, "deleted": True}
    for contact, standing in _people(call, sequence["id"]):
        drop_scheduled(call.state, contact["id"], sequence["id"])
        if standing["status"] in ("active", "paused"):
            finish(world, contact, standing, "Sequence archived", call.now)
    shown_keys = ("id", "active", "archived", "deleted")
    return {"emailer_campaign": {name: sequence[name] for name in shown_keys}}


def remove_or_stop(call: Call) -> Answer:
    """Finishes, removes or stops contacts; the answer follows the documented example, not the schema.

    A sequence that is unknown or malformed is 200 with the contacts as they are (recorded); that a contact outside
    of a known sequence is answered likewise is unverified.
    """
    mode = read.text(call.params, "mode")
    sequences = read.texts(call.params, "emailer_campaign_ids")
    contacts = read.object_ids(read.texts(call.params, "contact_ids"))
    for name, sent in (("emailer_campaign_ids", sequences), ("contact_ids", contacts), ("mode", mode)):
        if not sent:
            raise unprocessable(f"Required parameter '{name}' missing")  # unverified for this operation
    if mode not in MODES:
        raise unprocessable("Invalid parameters")  # unverified
    world = call.state.world
    known = [own for own in sequences if own in world.sequences]
    asked = [world.contacts.records[own] for own in dict.fromkeys(contacts) if own in world.contacts.records]
    if not known:
        return {"contacts": asked, "emailer_campaigns": []}
    changed: set[str] = set()
    for own in known:
        for contact_id in contacts:
            contact, standing = world.contacts.records.get(contact_id), world.enrolled[own].get(contact_id)
            if contact and standing:
                _leave(call, contact, standing, mode)
                changed.add(contact_id)
    loading = {status: 0 if status == "failed" else "loading" for status in STATUSES}
    return {
        "contacts": asked,
        "emailer_campaigns": [{"id": own} for own in known],
        "num_contacts": len(changed),
        "contact_statuses": loading,
        "emailer_steps": [step for own in known for step in world.steps[own]],
    }


def _leave(call: Call, contact: Record, standing: Record, mode: str) -> None:
    world, own = call.state.world, standing["emailer_campaign_id"]
    drop_scheduled(call.state, contact["id"], own)
    if mode == "remove":
        remove(world, contact, own, call.now)
    elif mode == "mark_as_finished":
        finish(world, contact, standing, "manually finished", call.now)
    else:  # what "stop" leaves behind is unverified: taken as a pause
        changes = {"status": "paused", "inactive_reason": "manually stopped", "paused_at": stamp(call.now)}
        set_status(world, contact, standing, "paused", call.now, **changes)


def feed(call: Call) -> Answer:
    """The latest events of a contact, newest first; the size is brought into 1 to 50."""
    own = read.text(call.params, "contact_id")
    if own not in call.state.world.contacts.records:
        raise Refusal(404, {"error": "Contact not found"})
    wanted = read.text(call.params, "sequence_id")
    asked = read.integer(call.params.get("per_page"), FEED_LIMIT)
    size = min(max(1, FEED_LIMIT if asked is None else asked), FEED_LIMIT)
    events = call.state.world.events.get(own, ())
    found = [event for event in reversed(events) if wanted in ("", event["sequence_id"])]
    return {"contact_id": own, "events": found[:size]}


SEQUENCE_STATES = (
    Operation(
        "emailer_campaigns_remove_or_stop_contact_ids", "POST", "/emailer_campaigns/remove_or_stop_contact_ids",
        "api/v1/emailer_campaigns/remove_or_stop_contact_ids", "emailer_campaigns_remove_or_stop_contact_ids",
        remove_or_stop, ("emailer_campaign_ids", "contact_ids", "mode"),
    ),
    Operation(
        "emailer_campaigns_approve", "POST", "/emailer_campaigns/{sequence_id}/approve",
        "api/v1/emailer_campaigns/approve", "emailer_campaigns_approve", approve,
    ),
    Operation(
        "emailer_campaigns_abort", "POST", "/emailer_campaigns/{sequence_id}/abort",
        "api/v1/emailer_campaigns/abort", "emailer_campaigns_abort", abort,
    ),
    Operation(
        "emailer_campaigns_archive", "POST", "/emailer_campaigns/{sequence_id}/archive",
        "api/v1/emailer_campaigns/archive", "emailer_campaigns_archive", archive,
    ),
    Operation(
        "emailer_campaigns_activity_feed", "POST", "/emailer_campaigns/activity_feed",
        "api/v1/emailer_campaigns/activity_feed", "emailer_campaigns_activity_feed", feed,
        ("contact_id", "sequence_id", "per_page"),
    ),
)  # fmt: skip
