"""What the team has used: credits by pool, requests by endpoint."""

from datetime import UTC, datetime
from typing import Any

import orjson

from ..clock import stamp
from ..operation import Answer, Call, Operation
from ..quotas import SPANS, key_of

POOLS = (
    "lead_credit", "direct_dial_credit", "export_credit", "conversation_credit", "ai_credit", "power_up_credit",
    "inbound_website_visitor_credit", "dialer", "web_search_record_credit", "contact_website_visitor_credit",
)  # fmt: skip
DIALER_MINUTES = 500


def credit_stats(call: Call) -> Answer:
    """A plan with one pool for everything: the others have a limit of 0, as a pool outside of the plan has."""
    ledger = call.state.ledger
    pools: dict[str, dict[str, int]] = {name: _pool(0, 0) for name in POOLS}
    pools["lead_credit"] = _pool(ledger.limit, ledger.total)
    minutes = sum(record["duration"] for record in call.state.world.calls.values()) // 60
    pools["dialer"] = _pool(DIALER_MINUTES, min(minutes, DIALER_MINUTES))
    now = datetime.fromtimestamp(call.now, UTC)
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    cycle = {"start_date": stamp(start.timestamp()), "end_date": stamp(end.timestamp())}
    return {"credit_usage_stats": pools, "current_credit_cycle": cycle}


def _pool(limit: int, consumed: int) -> dict[str, int]:
    return {"limit": limit, "consumed": consumed, "left_over": limit - consumed}


def api_stats(call: Call) -> Answer:
    """Per endpoint and window; keys are the texts of arrays of two."""
    from . import OPERATIONS

    quotas, plan = call.state.quotas, "free" if call.caller.free else call.state.settings.plan
    found: dict[str, Any] = {}
    for operation in OPERATIONS:
        if operation.public:
            continue
        used = quotas.used(call.caller.team, operation.id)
        limits = quotas.limits(operation, plan)
        windows = found.setdefault(_key(operation), {})
        for span, limit in zip(SPANS, limits, strict=True):
            before = windows.get(span.word, {"consumed": 0})["consumed"]
            consumed = before + used[span.word]
            left = None if limit is None else max(0, limit - consumed)  # how "unlimited" is told is unverified
            windows[span.word] = {"limit": limit, "consumed": consumed, "left_over": left}
    return found


def _key(operation: Operation) -> str:
    """`["api/v1/contacts", "search"]`, with a blank after the comma."""
    controller, action = key_of(operation)
    return f"[{orjson.dumps(controller).decode()}, {orjson.dumps(action).decode()}]"


USAGE = (
    Operation(
        "usage_credit_stats", "POST", "/usage_stats/credit_usage_stats", "api/v1/usage_stats/credit_usage_stats",
        "credit_usage_stats_read", credit_stats,
    ),
    Operation(
        "usage_api_stats", "POST", "/usage_stats/api_usage_stats", "api/v1/usage_stats/api_usage_stats",
        "api_usage_stats_read", api_stats,
    ),
)  # fmt: skip
