"""What the recipients of a sequence do, on a test's order: they open, click, reply, bounce."""

from typing import TYPE_CHECKING, Any

from .clock import offset_stamp, stamp, touch
from .mailing import deliver, drop_scheduled, resume, told
from .world.enrolling import finish, set_status
from .world.seed_activity import sequence_mail

if TYPE_CHECKING:
    from .state import State

Record = dict[str, Any]

ENROLLMENT_TYPES = ("paused", "resumed", "completed", "failed")
MESSAGE_TYPES = (
    "sent", "opened", "clicked", "replied", "bounced", "hard_bounced", "spam_blocked", "unsubscribed", "demoed",
)  # fmt: skip
FAILURES = {"bounced": "bounced", "hard_bounced": "hard_bounced", "spam_blocked": "spam_blocked"}


def act(state: "State", contact_id: str, sequence_id: str, kind: str) -> Record:
    """Lets one thing happen to a contact in a sequence; raises ValueError when it cannot."""
    contact = state.world.contacts.records.get(contact_id)
    standing = state.world.enrolled.get(sequence_id, {}).get(contact_id)
    if contact is None or standing is None:
        raise ValueError("the contact is not in the sequence")
    if kind not in (*ENROLLMENT_TYPES, *MESSAGE_TYPES):
        raise ValueError(f"type must be one of {', '.join((*ENROLLMENT_TYPES, *MESSAGE_TYPES))}")
    now = state.clock.now()
    message = None
    if kind in ENROLLMENT_TYPES:
        _stand(state, contact, standing, kind, now)
    else:
        message = _sent_mail(state, contact, sequence_id, standing, now)
        _happen(state, contact, standing, message, kind, now)
    state.world.contacts.save(contact)
    return {"contact_id": contact_id, "status": standing["status"], "emailer_message_id": message and message["id"]}


def _stand(state: "State", contact: Record, standing: Record, kind: str, now: float) -> None:
    if kind == "resumed":
        resume(state, contact, standing, now)
    elif kind == "completed":
        finish(state.world, contact, standing, "completed", now)
    elif kind == "paused":
        changes = {"status": "paused", "inactive_reason": "manually paused", "paused_at": stamp(now)}
        set_status(state.world, contact, standing, kind, now, **changes)
    else:
        changes = {"status": "failed", "failure_reason": "past_date_failure"}
        set_status(state.world, contact, standing, kind, now, **changes)


def _sent_mail(state: "State", contact: Record, sequence_id: str, standing: Record, now: float) -> Record:
    """The latest mail the contact got from the sequence; one is sent now when there is none."""
    mails = [m for m in state.world.sequence_messages.get(sequence_id, ()) if m["contact_id"] == contact["id"]]
    if done := [mail for mail in mails if mail["status"] == "completed"]:
        return done[-1]
    waiting = [mail for mail in mails if mail["status"] == "scheduled"]
    position = standing["current_step_position"] or 1
    mail = waiting[-1] if waiting else sequence_mail(state.world, contact, sequence_id, position, standing, now)
    deliver(state, mail, now)
    return mail


def _happen(state: "State", contact: Record, standing: Record, mail: Record, kind: str, now: float) -> None:
    world, own = state.world, contact["id"]
    if kind in ("opened", "clicked", "replied"):
        mail["num_opens"] += 1
        world.opened[own] = stamp(now)
    if kind == "clicked":
        mail["num_clicks"] += 1
        world.clicked[own] = stamp(now)
    if kind in ("demoed", "unsubscribed"):
        mail[kind] = True
    if kind == "unsubscribed":
        contact["email_unsubscribed"] = True
    if kind == "replied":
        _reply(state, contact, standing, mail, now)
    if kind in FAILURES:
        _fail(state, contact, standing, mail, kind, now)
    contact["last_activity_date"] = offset_stamp(now)
    touch(contact, now)


def _reply(state: "State", contact: Record, standing: Record, mail: Record, now: float) -> None:
    mail |= {"replied": True, "reply_class": "willing_to_meet"}
    told(state, mail, "replied", now)
    sequence = state.world.sequences[mail["emailer_campaign_id"]]
    if sequence["mark_finished_if_reply"] and standing["status"] != "finished":
        drop_scheduled(state, contact["id"], mail["emailer_campaign_id"])
        finish(state.world, contact, standing, "replied", now)
        standing["in_response_to_emailer_message_id"] = mail["id"]


def _fail(state: "State", contact: Record, standing: Record, mail: Record, kind: str, now: float) -> None:
    """A bounce is found out after the mail went out; the contact fails in the sequence."""
    mail |= {"spam_blocked": True} if kind == "spam_blocked" else {"bounce": True}
    mail["failure_reason"] = FAILURES[kind]
    drop_scheduled(state, contact["id"], mail["emailer_campaign_id"])
    set_status(state.world, contact, standing, "failed", now, status="failed", failure_reason=FAILURES[kind])
