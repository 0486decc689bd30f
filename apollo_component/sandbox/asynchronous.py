"""The asynchronous half of enrichment: what is checked and promised when a request comes in.

Delivery to the callback and polling are not part of the sandbox yet; accepted requests are kept by id.
"""

from collections.abc import Mapping
from typing import Any

from . import params as read
from .errors import Refusal
from .ids import signed_int64
from .operation import Call

TRIGGERS = ("reveal_phone_number", "run_waterfall_email", "run_waterfall_phone")
ACCEPTED = "Waterfall enrichment request accepted. Results will be sent to the provided webhook URL."
PENDING = "Phone numbers are being looked up and will be delivered asynchronously."  # unverified text
SKIPPED = "No person was found."  # unverified text


def asked(params: Mapping[str, Any]) -> list[str]:
    return [name for name in TRIGGERS if read.flag(params, name)]


def check_async(params: Mapping[str, Any]) -> None:
    """Refuses an asynchronous request that names no way to deliver its result, or two."""
    triggers, url = asked(params), read.text(params, "webhook_url")
    poll_only = read.flag(params, "poll_only")
    if poll_only and url:
        raise Refusal(400, {"error_code": "WEBHOOK_URL_WITH_POLL_ONLY"})
    # Only the form of the address is looked at; plain http is let through for local receivers.
    if triggers and not poll_only and not url.startswith(("https://", "http://")):
        text = f"Please add a valid 'webhook_url' parameter when using '{triggers[0]}'"
        raise Refusal(400, {"error": text})


def async_parts(call: Call, people: list[str]) -> dict[str, Any]:
    """The request id and the promises; nothing is billed for them yet (the billing moment is unverified)."""
    triggers = asked(call.params)
    if not triggers:
        return {}
    world = call.state.world
    number = signed_int64(world.seed, len(world.reveals))
    world.reveals[str(number)] = {
        "people": people,
        "asked": triggers,
        "webhook_url": read.text(call.params, "webhook_url"),
        "at": call.now,
    }
    parts: dict[str, Any] = {"request_id": number}
    if "reveal_phone_number" in triggers:
        status = "pending" if people else "skipped"
        message = PENDING if people else SKIPPED
        parts["phone_enrichment"] = {"request_id": number, "status": status, "message": message}
    if any(name.startswith("run_waterfall") for name in triggers):
        parts["waterfall"] = {"status": "accepted", "message": ACCEPTED}
    return parts
