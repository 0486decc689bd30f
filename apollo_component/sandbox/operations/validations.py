"""The validation beta: accepted at once, done a little later.

What the body, the answer's rows and the result look like isn't published, so any object is taken, nothing is billed
and the result is null: no verdict is invented. The refusal of a plan without unified credits is a fault that a test
orders by name: `legacy_credits`.
"""

from ..ids import signed_int64
from ..operation import Answer, Call, Operation


def create(call: Call) -> Answer:
    """A request id, whose result can be polled once `async_seconds` are over."""
    state, world = call.state, call.state.world
    number = signed_int64(world.seed, len(world.reveals))
    ready = call.now + state.settings.async_seconds
    entry = {"people": [], "asked": [], "webhook_url": "", "at": call.now, "ready": ready}
    world.reveals[str(number)] = entry = {**entry, "status": "pending", "result": None}
    state.agenda.at(ready, lambda moment: entry.update(status="success", finished=moment))
    return {"request_id": number}


VALIDATIONS = (Operation("enrich_create", "POST", "/enrich", "api/v1/enrich/create", None, create, status=202),)
