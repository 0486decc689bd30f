"""The control door: everything under `/_sandbox`, for tests only, JSON in and out, never part of Apollo.

GET    /_sandbox/state                     counts and the ids of useful things
GET    /_sandbox/ledger                    {total, left, entries: [{at, operation, credits, people, ...}]}
POST   /_sandbox/credits                   {left: 5}
GET    /_sandbox/requests[?operation=..]   recorded API requests, credentials removed; DELETE forgets them
GET    /_sandbox/oauth                     token requests by grant and outcome, live tokens
GET    /_sandbox/contacts[?email=..|id=..] contacts as stored
POST   /_sandbox/contacts/delete           {id: ".."}: a contact somebody deleted in Apollo's interface
GET    /_sandbox/count?operation=..        own count of what filters in the JSON body match (POST works too)
POST   /_sandbox/clock                     {advance: 3600}
POST   /_sandbox/quotas                    {people_match: [5, null, null]}, by operation or quota class
POST   /_sandbox/tokens/expire | revoke    {} for all, or {access_token: ".."}
POST   /_sandbox/settings                  {dialect: "old", revoke_family: true, latency_ms: 20, plan: "basic"}
POST   /_sandbox/faults                    {operation, kind, times, probability, after, status, body, ...}
GET    /_sandbox/faults                    active faults; DELETE removes them (held requests stay held)
GET    /_sandbox/held                      requests held now
POST   /_sandbox/release                   {id: 3} or {all: true}
POST   /_sandbox/reset                     the same seed, anew
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import orjson

from . import control_reports as reports
from . import control_switches as switches
from .errors import Refusal
from .http import Receive, Scope, Send, json_reply, read_body, send_reply

if TYPE_CHECKING:
    from .app import Sandbox

PREFIX = "/_sandbox"

Order = dict[str, Any]
Query = dict[str, str]

DOORS: dict[tuple[str, str], Callable[["Sandbox", Query, Order], Any]] = {
    ("GET", "/state"): reports.state,
    ("GET", "/ledger"): reports.ledger,
    ("GET", "/requests"): reports.requests,
    ("DELETE", "/requests"): switches.forget_requests,
    ("GET", "/oauth"): reports.oauth,
    ("GET", "/contacts"): reports.contacts_report,
    ("POST", "/contacts/delete"): switches.delete_contact,
    ("GET", "/count"): reports.count,
    ("POST", "/count"): reports.count,
    ("GET", "/held"): reports.held,
    ("GET", "/faults"): reports.faults,
    ("POST", "/faults"): switches.add_fault,
    ("DELETE", "/faults"): switches.clear_faults,
    ("POST", "/release"): switches.release,
    ("POST", "/clock"): switches.move_clock,
    ("POST", "/quotas"): switches.set_quotas,
    ("POST", "/credits"): switches.set_credits,
    ("POST", "/tokens/expire"): switches.expire_tokens,
    ("POST", "/tokens/revoke"): switches.revoke_tokens,
    ("POST", "/settings"): switches.set_settings,
    ("POST", "/reset"): switches.reset,
}


async def serve(sandbox: "Sandbox", scope: Scope, receive: Receive, send: Send) -> None:
    """Answers one control request; 400 with the reason when an order cannot be read."""
    body = await read_body(receive)
    door = DOORS.get((scope["method"], scope["path"].removeprefix(PREFIX)))
    if door is None:
        return await send_reply(send, json_reply({"error": "no such control"}, 404))
    query = {name: values[-1] for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
    try:
        order = orjson.loads(body) if body.strip() else {}
        reply = json_reply(door(sandbox, query, order))
    except (ValueError, TypeError, KeyError, LookupError) as error:
        reply = json_reply({"error": f"{type(error).__name__}: {error}"}, 400)
    except Refusal as refusal:
        reply = json_reply(refusal.body, refusal.status)
    return await send_reply(send, reply)
