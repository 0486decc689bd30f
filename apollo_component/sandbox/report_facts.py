"""What reports count: one row per mail, call, task, contact, deal or conversation of the made-up team."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .searching import moment
from .world import World

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened, with whom it belongs to and what it can be grouped by."""

    kind: str
    at: datetime | None
    user_id: str | None
    record: Record
    groups: dict[str, str | None]


def facts_of(world: World) -> Iterable[Fact]:
    """Everything there is to count."""
    contacts = world.contacts.records
    for mail in world.messages.values():
        if mail["status"] == "completed":
            more = {"emailer_campaign_id": mail["emailer_campaign_id"], "email_account_id": mail["email_account_id"]}
            more["emailer_message_type"] = mail["type"]
            yield _fact("email", mail["completed_at"], mail["user_id"], mail, contacts.get(mail["contact_id"]), more)
    for one in world.calls.values():
        more = {name: one[name] for name in ("phone_call_outcome_id", "phone_call_purpose_id")}
        yield _fact("call", one["start_time"], one["user_id"], one, contacts.get(one["contact_id"] or ""), more)
    for task in world.tasks.values():
        more = {"task_type": task["type"], "task_status": task["status"]}
        yield _fact("task", task["due_at"], task["user_id"], task, contacts.get(task["contact_id"] or ""), more)
    for contact in contacts.values():
        yield _fact("contact", contact["created_at"], contact["owner_id"], contact, contact, {})
    for account in world.accounts.values():
        more = {"account_stage_id": account["account_stage_id"]}
        yield _fact("account", account["created_at"], account["owner_id"], account, None, more)
    for deal in world.deals.values():
        more = {"opportunity_stage_id": deal["opportunity_stage_id"], "account_id": deal["account_id"]}
        yield _fact("deal", deal["opportunity_created_at"], deal["owner_id"], deal, None, more)
    for talk in world.conversations.values():
        more = {"conversation_type": talk["conversation_type"], "conversation_state": talk["state"]}
        yield _fact("conversation", talk["start_time"], talk["host_id"], talk, None, more)


def _fact(
    kind: str, at: object, user: str | None, record: Record, contact: Record | None, groups: dict[str, str | None]
) -> Fact:
    if contact:
        groups = {"contact_stage_id": contact["contact_stage_id"], "account_id": contact["account_id"], **groups}
    return Fact(kind, moment(at or ""), user, record, groups | {"smart_user_id": user})


def _count(kind: str, test: Callable[[Record], bool] = lambda _: True) -> Callable[[list[Fact]], float]:
    return lambda facts: sum(fact.kind == kind and test(fact.record) for fact in facts)


def _people(kind: str, test: Callable[[Record], bool] = lambda _: True) -> Callable[[list[Fact]], float]:
    return lambda facts: len({f.record["contact_id"] for f in facts if f.kind == kind and test(f.record)})


def _sum(kind: str, name: str, test: Callable[[Record], bool] = lambda _: True) -> Callable[[list[Fact]], float]:
    return lambda facts: sum(float(f.record[name] or 0) for f in facts if f.kind == kind and test(f.record))


def _opened(mail: Record) -> bool:
    return bool(mail["num_opens"])


def _replied(mail: Record) -> bool:
    return bool(mail["replied"])


def _bounced(mail: Record) -> bool:
    return bool(mail["bounce"])


def _done(task: Record) -> bool:
    return bool(task["status"] == "completed")


METRICS: dict[str, Callable[[list[Fact]], float]] = {
    "num_emails_sent": _count("email"),
    "num_emails_delivered": _count("email", lambda mail: not mail["bounce"] and not mail["spam_blocked"]),
    "num_emails_opened": _count("email", _opened),
    "num_emails_clicked": _count("email", lambda mail: bool(mail["num_clicks"])),
    "num_emails_replied": _count("email", _replied),
    "num_emails_bounced": _count("email", _bounced),
    "num_emails_unsubscribed": _count("email", lambda mail: bool(mail["unsubscribed"])),
    "num_contacts_emailed": _people("email"),
    "num_contacts_opened": _people("email", _opened),
    "num_contacts_replied": _people("email", _replied),
    "num_phone_calls": _count("call"),
    "num_phone_calls_completed": _count("call", lambda one: one["status"] == "completed"),
    "num_phone_calls_connect": _count("call", lambda one: bool(one["answered"])),
    "num_contacts_called": _people("call"),
    "num_tasks": _count("task"),
    "num_tasks_completed": _count("task", _done),
    "num_tasks_scheduled": _count("task", lambda task: task["status"] == "scheduled"),
    "num_contacts": _count("contact"),
    "num_accounts": _count("account"),
    "num_opportunities": _count("deal"),
    "num_won": _count("deal", lambda deal: bool(deal["is_won"])),
    "num_closed": _count("deal", lambda deal: bool(deal["is_closed"])),
    "deal_amount": _sum("deal", "amount"),
    "won_amount": _sum("deal", "amount", lambda deal: bool(deal["is_won"])),
    "pipeline_amount": _sum("deal", "amount", lambda deal: not deal["is_closed"]),
    "num_conversations_recorded": _count("conversation"),
    "total_conversation_duration": _sum("conversation", "duration"),
}
RATIOS = {
    "percent_emails_replied": ("num_emails_replied", "num_emails_sent"),
    "percent_emails_opened_tracked": ("num_emails_opened", "num_emails_sent"),
    "percent_phone_calls_connect": ("num_phone_calls_connect", "num_phone_calls"),
    "percent_tasks_completed": ("num_tasks_completed", "num_tasks"),
    "percent_win_rate": ("num_won", "num_closed"),
    "avg_deal_amount": ("deal_amount", "num_opportunities"),
    "avg_won_amount": ("won_amount", "num_won"),
    "avg_conversation_duration": ("total_conversation_duration", "num_conversations_recorded"),
}
