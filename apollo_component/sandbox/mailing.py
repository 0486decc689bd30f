"""How mails go out: one by one from send_now, and step by step through a sequence, by the sandbox's clock."""

from typing import TYPE_CHECKING, Any

from .clock import offset_stamp, touch
from .world import activity_records as records
from .world.enrolling import finish, set_status, tell
from .world.seed_activity import sequence_mail

if TYPE_CHECKING:
    from .state import State

Record = dict[str, Any]

SECONDS = {"minute": 60.0, "hour": 3600.0, "day": 86_400.0, "week": 604_800.0}
EMAIL_STEPS = ("auto_email",)
STEP_TASKS = {"manual_email": "outreach_manual_email"}


def enter_step(state: "State", contact: Record, sequence_id: str, position: int, moment: float) -> None:
    """Puts a contact before a step: its mail is scheduled, its task made; after the last step it is finished."""
    world, standing = state.world, state.world.enrolled[sequence_id][contact["id"]]
    steps = world.steps[sequence_id]
    if position > len(steps):
        finish(world, contact, standing, "completed", moment)
        return
    step = steps[position - 1]
    standing |= {"current_step_id": step["id"], "current_step_position": position}
    due = moment + (step["wait_time"] or 0) * SECONDS.get(step["wait_mode"] or "day", 0.0)
    if step["type"] in EMAIL_STEPS:
        made = sequence_mail(world, contact, sequence_id, position, standing, moment)
        made["due_at"] = offset_stamp(due)
        state.agenda.at(due, lambda at: _step_mail(state, made, at))
        return
    kind = str(STEP_TASKS.get(step["type"], step["type"]))
    made = records.task(
        world.fresh_id("task", moment), standing["send_email_from_user_id"], kind,
        due_at=offset_stamp(due), creator_id=standing["added_by_user_id"], moment=moment,
    )  # fmt: skip
    links = {name: contact[name] for name in ("account_id", "person_id", "organization_id")}
    made |= {"contact_id": contact["id"], "emailer_campaign_id": sequence_id, "created_from": "sequence", **links}
    made |= {"priority": step["priority"] or "medium", "title": f"{kind} for {contact['name']}", "note": step["note"]}
    world.tasks[made["id"]] = made


def _step_mail(state: "State", message: Record, moment: float) -> None:
    """Sends a sequence's mail, unless the contact has left, was paused or the mail is gone."""
    world, sequence_id = state.world, message["emailer_campaign_id"]
    contact = world.contacts.records.get(message["contact_id"])
    standing = world.enrolled[sequence_id].get(message["contact_id"])
    ready = standing and standing["status"] == "active" and world.sequences[sequence_id]["active"]
    if contact is None or message["status"] != "scheduled" or not ready:
        return
    deliver(state, message, moment)
    enter_step(state, contact, sequence_id, message["campaign_position"] + 1, moment)


def step_done(state: "State", task: Record, moment: float) -> None:
    """A closed task of a sequence lets its contact go on."""
    sequence_id, contact = task["emailer_campaign_id"], state.world.contacts.records.get(task["contact_id"] or "")
    standing = state.world.enrolled.get(sequence_id, {}).get(task["contact_id"]) if sequence_id else None
    if contact and standing and standing["status"] == "active":
        enter_step(state, contact, sequence_id, (standing["current_step_position"] or 0) + 1, moment)


def resume(state: "State", contact: Record, standing: Record, moment: float) -> None:
    """Lets a paused contact go on with the step it stood before."""
    world, sequence_id = state.world, standing["emailer_campaign_id"]
    changes = {"status": "active", "inactive_reason": None, "paused_at": None, "auto_unpause_at": None}
    set_status(world, contact, standing, "resumed", moment, **changes)
    drop_scheduled(state, contact["id"], sequence_id)
    enter_step(state, contact, sequence_id, standing["current_step_position"] or 1, moment)


def drop_scheduled(state: "State", contact_id: str, sequence_id: str) -> None:
    """Forgets the mails of a sequence that have not been sent yet."""
    world = state.world
    kept = []
    for message in world.sequence_messages.get(sequence_id, ()):
        if message["contact_id"] == contact_id and message["status"] == "scheduled":
            message["status"] = "deleted"
            world.messages.pop(message["id"], None)
        else:
            kept.append(message)
    world.sequence_messages[sequence_id] = kept


def deliver(state: "State", message: Record, moment: float) -> None:
    """Sends one mail; from a disconnected mailbox it fails."""
    world = state.world
    box = next((box for box in world.mailboxes if box["id"] == message["email_account_id"]), None)
    if box is None or not box["active"]:
        message |= {
            "status": "failed",
            "not_sent_reason": "no_active_email_account",
            "failure_reason": "Mailbox disconnected",
            "failed_at": offset_stamp(moment),
            "async_sending": False,
        }
        return
    records.sent(message, moment)
    contact = world.contacts.records.get(message["contact_id"] or "")
    if contact:
        contact["last_activity_date"] = offset_stamp(moment)
        touch(contact, moment)
        world.contacts.version += 1
        if account := world.accounts.get(contact["account_id"] or ""):
            account["last_activity_date"] = offset_stamp(moment)
            touch(account, moment)


def queue(state: "State", message: Record, moment: float) -> None:
    """What send_now does: the mail is scheduled at once and goes out a little later."""
    message |= {"status": "scheduled", "due_at": offset_stamp(moment), "due_at_source": "send_now"}
    message["async_sending"] = True

    def send(at: float) -> None:
        if message["id"] in state.world.messages:
            deliver(state, message, at)

    state.agenda.at(moment + state.settings.email_seconds, send)


def told(state: "State", message: Record, kind: str, moment: float, reason: str | None = None) -> None:
    """Adds an event about a mail to the feed of its contact."""
    tell(
        state.world, message["contact_id"], message["emailer_campaign_id"], kind, moment,
        step_position=message.get("campaign_position"), reason=reason, emailer_message_id=message["id"],
    )  # fmt: skip
