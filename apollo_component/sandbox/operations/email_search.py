"""Finding mails."""

from collections.abc import Callable
from typing import Any

from .. import params as read
from ..errors import Refusal, unprocessable
from ..operation import Answer, Call, Operation
from ..paging import Page, page_of
from ..searching import cut, date_bounds, visible, within

Record = dict[str, Any]

STATS: dict[str, Callable[[Record], bool]] = {
    "delivered": lambda mail: mail["status"] == "completed" and not mail["bounce"] and not mail["spam_blocked"],
    "scheduled": lambda mail: mail["status"] == "scheduled",
    "drafted": lambda mail: mail["status"] == "drafted",
    "not_opened": lambda mail: mail["status"] == "completed" and not mail["num_opens"],
    "opened": lambda mail: mail["num_opens"] > 0,
    "clicked": lambda mail: mail["num_clicks"] > 0,
    "unsubscribed": lambda mail: bool(mail["unsubscribed"]),
    "demoed": lambda mail: bool(mail["demoed"]),
    "bounced": lambda mail: bool(mail["bounce"]),
    "spam_blocked": lambda mail: bool(mail["spam_blocked"]),
    "failed_other": lambda mail: mail["status"] == "failed",
}
MODES = ("due_at", "completed_at")
PARAMETERS = (
    "emailer_message_stats", "emailer_message_reply_classes", "user_ids", "email_account_id_and_aliases",
    "emailer_campaign_ids", "not_emailer_campaign_ids", "emailer_message_date_range_mode",
    "emailer_message_date_range", "not_sent_reason_cds", "q_keywords", "page", "per_page",
)  # fmt: skip


def matching(call: Call) -> list[Record]:
    """The mails that pass every filter, the newest first; several states mean any of them (unverified)."""
    params = call.params
    stats = [STATS[name] for name in read.texts(params, "emailer_message_stats") if name in STATS]
    sets = {
        "user_id": set(read.texts(params, "user_ids")),
        "emailer_campaign_id": set(read.texts(params, "emailer_campaign_ids")),
        "reply_class": set(read.texts(params, "emailer_message_reply_classes")),
        "not_sent_reason": set(read.texts(params, "not_sent_reason_cds")),
    }
    without = set(read.texts(params, "not_emailer_campaign_ids"))
    box = {part.strip() for part in read.text(params, "email_account_id_and_aliases").split(",") if part.strip()}
    mode = read.text(params, "emailer_message_date_range_mode")
    dates = date_bounds(params, "emailer_message_date_range")
    words = read.text(params, "q_keywords").lower()
    return [
        mail
        for mail in reversed(call.state.world.messages.values())
        if (not stats or any(test(mail) for test in stats))
        and all(not wanted or mail[name] in wanted for name, wanted in sets.items())
        and mail["emailer_campaign_id"] not in without
        and (not box or mail["email_account_id"] in box or mail["from_email"] in box)
        and within(mail[mode if mode in MODES else "completed_at"], dates)
        and words in f"{mail['subject']} {mail['body_text']} {mail['to_email']} {mail['to_name']}".lower()
    ]


def search(call: Call) -> Answer:
    """One page; there is neither a total nor a number of pages."""
    page, found = _page(call), visible(call, matching(call))
    rows = cut(call, page, found)
    shown = {mail["emailer_step_id"] for mail in rows}
    steps = [step for steps in call.state.world.steps.values() for step in steps if step["id"] in shown]
    mails = [_row(call, mail, {step["id"]: step for step in steps}) for mail in rows]
    return {"breadcrumbs": [], "emailer_messages": mails, "emailer_steps": steps, "num_fetch_result": None}


def _row(call: Call, mail: Record, steps: Record) -> Record:
    """A mail with what is known of the sequence it belongs to."""
    sequence, step = call.state.world.sequences.get(mail["emailer_campaign_id"]), steps.get(mail["emailer_step_id"])
    if not sequence:
        return mail
    return mail | {
        "campaign_name": sequence["name"],
        "campaign_max_emails_per_day": sequence["max_emails_per_day"],
        "campaign_position": step["position"] if step else None,
        "step_max_emails_per_day": None,
    }


def _page(call: Call) -> Page:
    try:
        return page_of(call.params)
    except Refusal as refusal:
        text = refusal.body["error"] if isinstance(refusal.body, dict) else ""
        if text.startswith("Page *"):
            raise unprocessable(f"Invalid parameter passed in. {text}") from refusal
        raise


EMAIL_SEARCH = (
    Operation(
        "emailer_messages_search", "GET", "/emailer_messages/search", "api/v1/emailer_messages/search",
        "emailer_messages_search", search, PARAMETERS, also=("POST",),
    ),
)  # fmt: skip
