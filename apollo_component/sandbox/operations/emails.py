"""Single mails: draft, send, status, content and what happened to one."""

from typing import Any

import orjson

from .. import params as read
from ..clock import stamp
from ..errors import Refusal, unprocessable
from ..mailing import queue
from ..operation import Answer, Call, Operation
from ..searching import moment
from ..world import World
from ..world.activity_records import message as blank_message
from ..world.activity_records import plain

Record = dict[str, Any]

CONTENT_LIMIT = 10
DAY = 86_400
LIMIT_TEXT = "You have reached your daily email sending limit. Contact your admin to adjust your sending limits."


def create(call: Call) -> Answer:
    """A draft; one that is tied to a task already is written over."""
    world, params = call.state.world, call.params
    contact = _recipient(call)
    invalid = [mail for mail in _addresses(call) if not _is_address(mail)]
    if invalid:
        listed = orjson.dumps(invalid).decode()
        raise unprocessable(f"ERROR! Email is NOT SAVED. Invalid recipient emails: {listed}")
    task = world.tasks.get(read.object_id_param(params, "outreach_task_id"))
    draft = _draft_of(world, task)
    if draft is None:
        own = world.fresh_id("message", call.now)
        draft = blank_message(own, _mailbox(call), contact, subject="", body_html="", moment=call.now)
        world.messages[own] = draft
    _fill(call, draft, contact)
    if task is None:
        return {"emailer_message": draft | {"contact": contact}}
    draft["outreach_task_id"] = task["id"]
    return {"emailer_message": draft | {"contact": contact}, "task": task}


def _draft_of(world: World, task: Record | None) -> Record | None:
    if task is None:
        return None
    mails = (m for m in world.messages.values() if m.get("outreach_task_id") == task["id"])
    return next((mail for mail in mails if mail["status"] == "drafted"), None)


def _recipient(call: Call) -> Record:
    """The contact, or that of the mail which is answered."""
    world = call.state.world
    own = read.object_id_param(call.params, "contact_id")
    answered = world.messages.get(read.object_id_param(call.params, "in_response_to_emailer_message_id"))
    if not own and answered:
        own = answered["contact_id"] or ""
    contact = world.contacts.records.get(own)
    if contact is None:
        raise unprocessable("Contact does not exist")
    return contact


def _mailbox(call: Call) -> Record:
    """The acting user's mailbox; without one, the team's first (unverified)."""
    boxes = call.state.world.mailboxes
    return next((box for box in boxes if box["user_id"] == call.caller.user_id), boxes[0])


def _entries(call: Call) -> list[Record]:
    sent = call.params.get("recipients")
    return [entry for entry in sent if isinstance(entry, dict)] if isinstance(sent, list) else []


def _addresses(call: Call) -> list[str]:
    return [read.text(entry, "email") for entry in _entries(call)]


def _is_address(text: str) -> bool:
    name, at, host = text.partition("@")
    return bool(name and at and "." in host and " " not in text)


def _fill(call: Call, draft: Record, contact: Record) -> None:
    params, world = call.params, call.state.world
    template = world.templates.get(read.object_id_param(params, "emailer_template_id"))
    draft["subject"] = read.text(params, "subject") or (template["subject"] if template else draft["subject"])
    body = str(params.get("body_html") or "") or (template["body_html"] if template else draft["body_html"])
    draft |= {"body_html": body, "body_text": plain(body)}
    draft["attachment_ids"] = read.texts(params, "attachment_ids")
    draft["enable_tracking"] = read.flag(params, "enable_tracking", default=True)
    if entries := _entries(call):
        named = [
            {
                "email": read.text(entry, "email"),
                "raw_name": contact["name"] if read.text(entry, "email") == contact["email"] else "",
                "recipient_type_cd": read.text(entry, "recipient_type_cd") or "to",
                "contact_id": read.text(entry, "contact_id") or None,
                "user_id": None,
            }
            for entry in entries
        ]
        draft["recipients"] = named
        for kind in ("cc", "bcc"):
            draft[f"{kind}_emails"] = [one["email"] for one in named if one["recipient_type_cd"] == kind]


def send_now(call: Call) -> Answer:
    """Queues a mail; whether it arrived is told by its status."""
    world, own = call.state.world, read.object_ids([call.path["id"]])[0]
    mail = world.messages.get(own)
    if own in world.deleted:
        raise unprocessable("This email has already been deleted. Please refresh the page.")
    if mail is None:
        raise unprocessable("Could not find message to send.")
    if mail["async_sending"]:
        raise unprocessable("This email is currently being sent already! Wait up to 20 seconds and refresh this page.")
    if mail["status"] == "completed":
        raise unprocessable("This email has already been sent!")
    if not mail["email_account_id"]:
        raise unprocessable("Please specify where to send the email from!")
    _check_limit(call, mail)
    queue(call.state, mail, call.now)
    contact = world.contacts.records.get(mail["contact_id"] or "")
    task = world.tasks.get(mail.get("outreach_task_id") or "")
    return {"emailer_message": mail | {"contact": contact}} | ({"task": task} if task else {})


def _check_limit(call: Call, mail: Record) -> None:
    """A mailbox sends so many mails in 24 hours (whether Apollo counts calendar days is unverified)."""
    world = call.state.world
    box = next((box for box in world.mailboxes if box["id"] == mail["email_account_id"]), None)
    if box is None:
        return
    since = call.now - DAY
    used = sum(
        one["email_account_id"] == box["id"] and one["async_sending"] | _sent_since(one, since)
        for one in world.messages.values()
    )
    if used >= int(box["email_daily_threshold"]):
        raise unprocessable(LIMIT_TEXT, error_code="SEND_NOW_LIMIT_EXCEEDED")


def _sent_since(mail: Record, since: float) -> bool:
    at = moment(mail["completed_at"])
    return at is not None and at.timestamp() >= since


def send_status(call: Call) -> Answer:
    own = read.text(call.params, "id")
    if not own:
        raise unprocessable("Missing required parameter: id")
    mail = call.state.world.messages.get(own)
    if mail is None:
        raise Refusal(404, {"error": "Email message not found"})
    if mail["status"] == "completed":
        done = {"status": "completed", "message": "Email delivered successfully."}
        return {"id": own, **done, "completed_at": _short(mail["completed_at"])}
    if mail["status"] == "failed":
        why = {name: mail[name] for name in ("not_sent_reason", "failure_reason")}
        failed = {"status": "failed", "message": "Email failed to send.", **why}
        return {"id": own, **failed, "failed_at": _short(mail["failed_at"])}
    if mail["status"] == "drafted":  # how a draft is told is unverified
        return {"id": own, "status": "drafted", "message": "Email has not been sent."}
    text = "Email is still being processed. Try again in 10-20 seconds."
    wait = call.state.settings.retry_after_seconds
    return {"id": own, "status": "scheduled", "message": text, "retry_after_seconds": wait}


def _short(value: str) -> str:
    at = moment(value)
    return stamp(at.timestamp())[:-5] + "Z" if at else value


def get_content(call: Call) -> Answer:
    """The text of up to ten sent mails; everything else is left out silently."""
    ids = call.params.get("ids")
    if not isinstance(ids, list) or not ids:
        raise unprocessable("Missing required parameter: ids")
    form = "html" if read.text(call.params, "body_format") == "html" else "plain"
    found = [call.state.world.messages.get(str(own)) for own in ids[:CONTENT_LIMIT]]
    rows = [
        {
            "id": mail["id"],
            "subject": mail["subject"],
            "body": mail["body_html"] if form == "html" else mail["body_text"],
            "body_format": form,
            "status": "completed",
            "sent_at": mail["completed_at"],
            "recipients": [{"email": one["email"], "type": one["recipient_type_cd"]} for one in mail["recipients"]],
        }
        for mail in found
        if mail and mail["status"] == "completed"
    ]
    return {"emailer_messages": rows}


def activities(call: Call) -> Answer:
    mail = call.state.world.messages.get(read.object_ids([call.path["id"]])[0])
    if mail is None:
        raise unprocessable("Could not find message.")
    row = {"id": mail["id"], "type": "emailer_message", "emailer_message_id": mail["id"], "emailer_message": mail}
    return {"activities": [row], "emailer_message": mail}


EMAILS = (
    Operation(
        "emailer_messages_create", "POST", "/emailer_messages", "api/v1/emailer_messages/create",
        "emailer_messages_create", create,
        (
            "contact_id", "subject", "body_html", "recipients", "in_response_to_emailer_message_id",
            "emailer_template_id", "attachment_ids", "enable_tracking", "outreach_task_id",
        ),
    ),
    Operation(
        "emailer_messages_send_now", "POST", "/emailer_messages/{id}/send_now",
        "api/v1/emailer_messages/send_now", "emailer_messages_send_now", send_now, ("surface",),
    ),
    Operation(
        "emailer_messages_get_content", "POST", "/emailer_messages/get_content",
        "api/v1/emailer_messages/get_content", "emailer_messages_get_content", get_content, ("ids", "body_format"),
    ),
    Operation(
        "emailer_messages_send_status", "POST", "/emailer_messages/email_send_status",
        "api/v1/emailer_messages/email_send_status", "emailer_messages_email_send_status", send_status, ("id",),
    ),
    Operation(
        "emailer_messages_activities", "GET", "/emailer_messages/{id}/activities", None, None, activities,
        master_only=True,
    ),
)  # fmt: skip
