"""The control door: everything under `/_sandbox`, for tests only, JSON in and out, never part of Apollo.

GET    /_sandbox/state                     counts, the ids of useful things, the settings
GET    /_sandbox/ledger                    {total, left, entries: [{at, operation, credits, people, ...}]}
POST   /_sandbox/credits                   {left: 5}
GET    /_sandbox/usage                     requests of the open windows, by quota class and by operation
GET    /_sandbox/requests[?operation=..]   recorded API requests, credentials removed; DELETE forgets them
GET    /_sandbox/oauth                     token requests by grant and outcome, live tokens
GET    /_sandbox/contacts[?email=..|id=..] contacts as stored
POST   /_sandbox/contacts/delete           {id: ".."}: a contact somebody deleted in Apollo's interface
GET    /_sandbox/record?kind=..&id=..      one record as stored
GET    /_sandbox/count?operation=..        own count of what filters in the JSON body match (POST works too)
POST   /_sandbox/clock                     {advance: 3600}, {rate: 10}: ten times as fast from now on
POST   /_sandbox/quotas                    {people_match: [5, null, null]}, by operation or quota class
POST   /_sandbox/tokens/expire | revoke    {} for all, or {access_token: ".."}
POST   /_sandbox/settings                  any of the switches below
POST   /_sandbox/faults                    {operation, kind, times, probability, after, auth, status, body, name, ..}
GET    /_sandbox/faults                    active faults; DELETE removes them (held requests stay held)
GET    /_sandbox/refusals                  the names of documented refusals the fault "refusal" knows
GET    /_sandbox/strange                   what odd answers withheld (?operation=.., ?request_id=.., ?number=..):
                                           {number, request_id, operation, kinds} and, of a bulk answer, {asked,
                                           withheld: [{place, id, reason}], given}; of a page {page, per_page,
                                           per_page_given, total_true, total_told, rows_true, rows_given}
GET    /_sandbox/held                      requests held now
POST   /_sandbox/release                   {id: 3} or {all: true}
POST   /_sandbox/reset                     the same seed, anew

What another user of the team does, at the sandbox's time:

POST   /_sandbox/create                    {kind: contact|account|deal|task|call|label|note, fields}
POST   /_sandbox/touch                     {kind: contact|account|deal|task, id, fields}; its time of change moves
POST   /_sandbox/delete                    {kind: contact|account|deal|task|email|note|call, id}
POST   /_sandbox/activity                  {contact_id, sequence_id, type}, type one of sent, opened, clicked, replied,
                                           bounced, hard_bounced, spam_blocked, unsubscribed, demoed (of the latest
                                           mail, which is sent when there is none), paused, resumed, completed, failed

What goes on by itself:

GET    /_sandbox/webhooks                  deliveries: {request_id, url, state, attempts: [{at, status, fault}]}
POST   /_sandbox/webhooks                  attempts at once what is due; the same answer
GET    /_sandbox/jobs                      entity_progress_jobs as they stand

Settings: dialect "new" | "old"; revoke_family; latency_ms; plan; async_seconds (until asynchronous results, exports
and assistant tasks are there, default 2); job_seconds; email_seconds; retry_after_seconds; bill_on "accept" |
"deliver"; contact_deals_by_token "allowed" | "refused"; webhook_retries [seconds, ..]; search_lag (seconds a new record
stays invisible to searches); page_repeats
(share of the rows after page 1 that repeat the page before); custom_field_errors "told" | "silent"; strange (a seed,
0 is off), strange_share and strange_kinds [reordered, dropped, clamped, total, repeated]. Seconds are those of the
sandbox's clock, which a test may move.

A fault with an `auth` ("key:scoped", as requests are recorded) strikes that credential alone.

Faults of deliveries have the operation "webhook" and the kinds duplicate, drop_before, drop_after (received, not
noticed: it comes again), latency, truncate, wrong_types; the operation "webhook_result" has the kind fail. The kind
"refusal" answers a documented refusal by its name.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import orjson

from . import control_reports as reports
from . import control_switches as switches
from . import control_world as world
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
    ("POST", "/contacts/delete"): world.delete_contact,
    ("GET", "/count"): reports.count,
    ("POST", "/count"): reports.count,
    ("GET", "/strange"): reports.strange,
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
    ("GET", "/usage"): reports.usage,
    ("GET", "/record"): world.record,
    ("GET", "/refusals"): reports.refusals,
    ("POST", "/create"): world.create,
    ("POST", "/touch"): world.touch,
    ("POST", "/delete"): world.delete,
    ("POST", "/activity"): world.activity,
    ("GET", "/webhooks"): reports.webhooks,
    ("POST", "/webhooks"): reports.webhooks,
    ("GET", "/jobs"): reports.jobs,
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
        sandbox.state.agenda.run(sandbox.state.clock.now())
        if (scope["method"], scope["path"]) == ("POST", f"{PREFIX}/webhooks"):
            await sandbox.state.courier.send_due()
        reply = json_reply(door(sandbox, query, order))
    except (ValueError, TypeError, KeyError, LookupError) as error:
        reply = json_reply({"error": f"{type(error).__name__}: {error}"}, 400)
    except Refusal as refusal:
        reply = json_reply(refusal.body, refusal.status)
    sandbox.state.courier.wake()
    return await send_reply(send, reply)
