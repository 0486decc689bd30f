"""A request of each effect, and what tests of calls answer to it."""

from typing import Any

from apollo_component.contract.errors import TransientError

from .conftest import Caller, answer

EFFECTS = {
    "read": ("find", {"q": "x"}),
    "upsert": ("put", {"name": "x"}),
    "create": ("blind", {"name": "x"}),
    "bill": ("pay", {"items": [1]}),
    "send": ("mail", {"name": "x"}),
}
WRITES = [effect for effect in EFFECTS if effect != "read"]
REPEATED = ("read", "upsert", "bill")
NEVER_SENT = TransientError("not reached", worked=False)
NO_ANSWER = TransientError("no answer")
GOOD = answer({"records": [{"id": 1}], "total": 1, "id": 1, "spent": 1})
PAID = {"spent": 1, "reserved": 0, "paid_twice": 0}
NOTHING = {"spent": 0, "reserved": 0, "paid_twice": 0}


def path(effect: str) -> str:
    return "/" + EFFECTS[effect][0]


def call(caller: Caller, effect: str, **more: Any) -> Any:
    return caller.page(*EFFECTS[effect], **more)
