"""What the control door changes: clock, quotas, credits, tokens, settings, faults."""

from collections.abc import Callable
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from .courier import FAULTS as WEBHOOK_FAULTS
from .courier import NAME as WEBHOOK
from .operations import OPERATIONS
from .quotas import PLANS
from .refusals import REFUSALS
from .settings import Settings
from .strange import KINDS

if TYPE_CHECKING:
    from .app import Sandbox

Order = dict[str, Any]
Query = dict[str, str]

CHOICES = {
    "dialect": ("new", "old"),
    "bill_on": ("accept", "deliver"),
    "contact_deals_by_token": ("allowed", "refused"),
    "custom_field_errors": ("told", "silent"),
    "plan": tuple(PLANS),
}


def _kinds(value: list[str]) -> tuple[str, ...]:
    if wrong := set(value) - set(KINDS):
        raise ValueError(f"strange_kinds knows {', '.join(KINDS)} and not {', '.join(sorted(wrong))}")
    return tuple(value)


LISTS: dict[str, Callable[[Any], Any]] = {
    "webhook_retries": lambda value: tuple(map(float, value)),
    "strange_kinds": _kinds,
}
FAULT_NAMES = {"*", "oauth_token", WEBHOOK, f"{WEBHOOK}_result", *(operation.id for operation in OPERATIONS)}


def forget_requests(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    removed = len(sandbox.state.recorder.requests)
    sandbox.state.recorder.requests.clear()
    return {"removed": removed}


def add_fault(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    """Adds a fault for an operation's id, "oauth_token", "*" or the path of an unknown route."""
    name = str(order.get("operation", "*"))
    if name not in FAULT_NAMES and not name.startswith("/"):
        raise ValueError(f"no operation is called {name}")
    kind, refusal = order.get("kind"), order.get("name")
    if kind == "refusal" and refusal not in REFUSALS:
        raise ValueError(f"name must be one of {', '.join(REFUSALS)}")
    if (name == WEBHOOK) != (kind in WEBHOOK_FAULTS) and (name == WEBHOOK or kind == "duplicate"):
        raise ValueError(f"{kind} is no fault of {name}")
    if (name == f"{WEBHOOK}_result") != (kind == "fail"):
        raise ValueError(f"{kind} is no fault of {name}")
    return sandbox.state.faults.add(order).shown()


def clear_faults(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    removed = len(sandbox.state.faults.active)
    sandbox.state.faults.active.clear()
    return {"removed": removed}


def release(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    """Lets one held request go by id, or all."""
    if "id" not in order and not order.get("all"):
        raise ValueError('send {"id": number} or {"all": true}')
    return {"released": sandbox.state.faults.release(order.get("id"))}


def move_clock(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    clock = sandbox.state.clock
    if not {"advance", "rate"} & set(order):
        raise ValueError('send {"advance": seconds} or {"rate": 10}')
    if "rate" in order:
        clock.run(float(order["rate"]))
    clock.advance(float(order.get("advance", 0)))
    sandbox.state.agenda.run(clock.now())
    return {"now": clock.now(), "rate": clock.rate}


def set_quotas(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    """Sets limits by operation or class; windows that are open keep what they counted."""
    for name, limits in order.items():
        minute, hour, day = limits
        sandbox.state.quotas.overrides[name] = (minute, hour, day)
    return {"overrides": sandbox.state.quotas.overrides}


def set_credits(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    ledger = sandbox.state.ledger
    ledger.left = int(order["left"])
    ledger.limit = ledger.left + ledger.total
    return {"left": ledger.left}


def expire_tokens(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    return {"expired": sandbox.state.tokens.expire(order.get("access_token"))}


def revoke_tokens(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    return {"revoked": sandbox.state.tokens.revoke_by(order.get("access_token"))}


def set_settings(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    """Turns switches; those left out stay."""
    state = sandbox.state
    if wrong := set(order) - {field.name for field in fields(Settings)} - {"revoke_family"}:
        raise ValueError(f"unknown settings: {', '.join(sorted(wrong))}")
    for name, allowed in CHOICES.items():
        if order.get(name, allowed[0]) not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(allowed)}")
    for name, value in order.items():
        if name != "revoke_family":
            old = getattr(state.settings, name)
            setattr(state.settings, name, LISTS[name](value) if name in LISTS else type(old)(value))
    state.tokens.revoke_family = bool(order.get("revoke_family", state.tokens.revoke_family))
    return shown_settings(sandbox)


def shown_settings(sandbox: "Sandbox") -> Order:
    """All switches as they stand."""
    return asdict(sandbox.state.settings) | {"revoke_family": sandbox.state.tokens.revoke_family}


def reset(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    sandbox.reset()
    return {"reset": True, "people": len(sandbox.state.world.directory.people)}
