"""Polling for the results of asynchronous enrichment."""

from ..asynchronous import KEPT_SECONDS
from ..clock import stamp
from ..errors import Refusal
from ..operation import Answer, Call, Operation

INT64 = 2**63
FAILED = "enrichment_failed"  # unverified text


def show(call: Call) -> Answer:
    """A finished result; 404 while it is worked on, and for ever when nobody asked for it."""
    own = call.path["request_id"]
    digits = own.removeprefix("-")
    if not digits.isdecimal() or not -INT64 <= int(own) < INT64:
        raise Refusal(400, {"error_code": "invalid_request_id"})
    entry = call.state.world.reveals.get(str(int(own)))
    if entry is None:
        raise Refusal(404, {"error_code": "request_id_unknown"})
    if entry["status"] == "pending":
        wait = call.state.settings.retry_after_seconds
        raise Refusal(404, {"error_code": "result_pending", "retry_after_seconds": wait})
    if call.now > entry["at"] + KEPT_SECONDS:
        raise Refusal(410, {"error_code": "request_id_expired"})
    return {
        "request_id": str(int(own)),
        "webhook_status": entry["status"],
        "request_type": _kind(entry["asked"]),
        "last_dispatched_at": stamp(entry["finished"])[:-5] + "Z",
        "failure_reason": FAILED if entry["status"] == "failed" else None,
        "webhook_result": entry["result"],
    }


def _kind(triggers: list[str]) -> str | None:
    """The documented types; which requests are of the type "email" is unknown, so none are. That of a validation,
    which has no triggers, is unknown too."""
    if not triggers:
        return None
    return "phone" if triggers == ["reveal_phone_number"] else "waterfall"


WEBHOOK_RESULTS = (
    Operation(
        "webhook_result_show", "GET", "/webhook_result/{request_id}", "api/v1/webhook_result/show",
        "webhook_result_read", show,
    ),
)  # fmt: skip
