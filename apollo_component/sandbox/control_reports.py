"""What the control door tells: counts, the ledger, recorded requests, held requests."""

from collections.abc import Callable, Sized
from typing import TYPE_CHECKING, Any

from .control_switches import shown_settings
from .operation import Call
from .operations import (
    OPERATIONS,
    accounts,
    calls,
    companies,
    company_search,
    contacts,
    conversations,
    deals,
    email_search,
    notes,
    people,
    sequences,
    task_search,
    users,
)
from .refusals import REFUSALS

if TYPE_CHECKING:
    from .app import Sandbox

Order = dict[str, Any]
Query = dict[str, str]

COUNTS: dict[str, Callable[[Call], Sized]] = {
    "people_api_search": people.people_matching,
    "contacts_search": contacts.matching,
    "accounts_search": accounts.matching,
    "opportunities_search": deals.matching,
    "emailer_campaigns_search": sequences.matching,
    "users_search": users.matching,
    "mixed_companies_search": company_search.matching,
    "news_articles_search": companies.news_matching,
    "tasks_search": task_search.matching,
    "phone_calls_search": calls.matching,
    "emailer_messages_search": email_search.matching,
    "notes_list": notes.matching,
    "conversations_search": conversations.matching,
}


def state(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    """Counts, and the ids a test needs to begin with."""
    held = sandbox.state
    world = held.world
    active = [box for box in world.mailboxes if box["active"]]
    return {
        "seed": world.seed,
        "now": held.clock.now(),
        "team_id": world.team_id,
        "people": len(world.directory.people),
        "companies": len(world.directory.companies),
        "contacts": len(world.contacts.records),
        "accounts": len(world.accounts),
        "deals": len(world.deals),
        "requests": len(held.recorder.requests),
        "credits_left": held.ledger.left,
        "credits_used": held.ledger.total,
        "users": [{name: user[name] for name in ("id", "name", "email")} for user in world.users],
        "acting_admin_id": world.acting_admin["id"],
        "oauth_user_id": world.users[1]["id"],
        "sequences": {record["name"]: own for own, record in world.sequences.items()},
        "inactive_sequences": [r["name"] for r in world.sequences.values() if not r["active"]],
        "enrolled": {world.sequences[own]["name"]: len(members) for own, members in world.enrolled.items()},
        "mailbox_id": active[0]["id"],
        "mailboxes": {box["email"]: box["id"] for box in world.mailboxes},
        "inactive_mailbox_id": next(box["id"] for box in world.mailboxes if not box["active"]),
        "aggregate_mailbox_id": world.aggregate_mailbox_id,
        "contact_stages": {stage["name"]: stage["id"] for stage in world.contact_stages},
        "account_stages": {stage["name"]: stage["id"] for stage in world.account_stages},
        "deal_stages": {stage["name"]: stage["id"] for stage in world.deal_stages},
        "labels": {label["name"]: own for own, label in world.labels.items()},
        "async_requests": {own: one for own, one in world.reveals.items() if not one.get("earlier")},
        "schedules": {record["name"]: own for own, record in world.schedules.items()},
        "custom_fields": {field["label"]: field["id"] for field in world.fields.values()},
        "call_purposes": {name: own for own, name in world.call_purposes.items()},
        "call_outcomes": {name: own for own, name in world.call_outcomes.items()},
        "tasks": len(world.tasks),
        "calls": len(world.calls),
        "conversations": len(world.conversations),
        "pipeline_id": world.pipeline_id,
        "settings": shown_settings(sandbox),
    }


def ledger(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    book = sandbox.state.ledger
    return {"total": book.total, "left": book.left, "entries": book.entries}


def requests(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    """Recorded requests, of one operation when asked."""
    wanted = query.get("operation")
    kept = sandbox.state.recorder.requests
    return [entry.shown() for entry in kept if wanted in (None, entry.operation)]


def oauth(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    """Token requests by grant and outcome: {"requests": {"refresh_token": {"ok": 1}}, ...}."""
    tokens = sandbox.state.tokens
    counts: dict[str, dict[str, int]] = {}
    for (grant, outcome), number in tokens.outcomes.items():
        counts.setdefault(grant, {})[outcome] = number
    live = sum(tokens.live(access) is not None for access in tokens.by_access)
    return {"requests": counts, "tokens": len(tokens.by_access), "live_tokens": live}


def contacts_of(sandbox: "Sandbox", query: Query) -> list[Any]:
    book = sandbox.state.world.contacts
    if "email" in query:
        return book.find("email", query["email"].lower())
    if "person_id" in query:
        return book.find("person_id", query["person_id"])
    if "id" in query:
        return [book.records[query["id"]]] if query["id"] in book.records else []
    return list(book.records.values())


def contacts_report(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    found = contacts_of(sandbox, query)
    return {"total": len(found), "contacts": found}


def count(sandbox: "Sandbox", query: Query, order: Order) -> Any:
    """How many records the filters of a search match, without pages and ceilings."""
    name = query.get("operation", "")
    operation = next(operation for operation in OPERATIONS if operation.id == name)
    held = sandbox.state
    caller = next(iter(held.keys.by_secret.values()))
    call = Call(held, operation, caller, order, {}, "control")
    return {"operation": name, "count": len(COUNTS[name](call))}


def strange(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    """What odd answers withheld, of one operation or one request when asked."""
    log = sandbox.state.oddities.log
    wanted = {name: query[name] for name in ("operation", "request_id", "number") if name in query}
    return [entry for entry in log if all(str(entry[name]) == value for name, value in wanted.items())]


def held(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    waiting = sandbox.state.faults.held.items()
    return [{"id": number, "operation": one.operation, "kind": one.kind} for number, one in waiting]


def faults(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    return [fault.shown() for fault in sandbox.state.faults.active]


def refusals(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    return {name: {"status": one.status, "body": one.body} for name, one in REFUSALS.items()}


def usage(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    """Requests of the team in its open windows: {"classes": {"default": {"minute": 3, ..}}, "operations": ..}."""
    state = sandbox.state
    classes: dict[str, dict[str, int]] = {}
    operations: dict[str, dict[str, int]] = {}
    for operation in OPERATIONS:
        used = state.quotas.used(state.world.team_id, operation.id)
        total = classes.setdefault(operation.quota_class, dict.fromkeys(used, 0))
        total |= {word: total[word] + number for word, number in used.items()}
        if any(used.values()):
            operations[operation.id] = used
    return {"classes": classes, "operations": operations}


def webhooks(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    return [one.shown() for one in sandbox.state.courier.deliveries]


def jobs(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    return list(sandbox.state.world.jobs.values())
