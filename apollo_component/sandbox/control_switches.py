"""What the control door changes: clock, quotas, credits, tokens, settings, faults."""

from typing import TYPE_CHECKING, Any

from .operations import OPERATIONS

if TYPE_CHECKING:
    from .app import Sandbox

Order = dict[str, Any]
Query = dict[str, str]

DIALECTS = ("new", "old")
FAULT_NAMES = {"*", "oauth_token", *(operation.id for operation in OPERATIONS)}


def forget_requests(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    removed = len(sandbox.state.recorder.requests)
    sandbox.state.recorder.requests.clear()
    return {"removed": removed}


def delete_contact(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    return {"deleted": sandbox.state.world.contacts.delete(order["id"])}


def add_fault(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    """Adds a fault for an operation's id, "oauth_token", "*" or the path of an unknown route."""
    name = str(order.get("operation", "*"))
    if name not in FAULT_NAMES and not name.startswith("/"):
        raise ValueError(f"no operation is called {name}")
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
    sandbox.state.clock.advance(float(order["advance"]))
    return {"now": sandbox.state.clock.now()}


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
    if order.get("dialect", "new") not in DIALECTS:
        raise ValueError(f"dialect must be one of {', '.join(DIALECTS)}")
    state.settings.dialect = order.get("dialect", state.settings.dialect)
    state.settings.latency_ms = float(order.get("latency_ms", state.settings.latency_ms))
    state.settings.plan = order.get("plan", state.settings.plan)
    state.tokens.revoke_family = bool(order.get("revoke_family", state.tokens.revoke_family))
    return {
        "dialect": state.settings.dialect,
        "latency_ms": state.settings.latency_ms,
        "plan": state.settings.plan,
        "revoke_family": state.tokens.revoke_family,
    }


def reset(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    sandbox.reset()
    return {"reset": True, "people": len(sandbox.state.world.directory.people)}
