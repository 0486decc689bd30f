"""What the control door does to the made-up world as another user of the team would."""

from typing import TYPE_CHECKING, Any

from .activity import act
from .clock import offset_stamp
from .mailing import drop_scheduled
from .operation import Call, Caller
from .operations import OPERATIONS
from .world.activity_records import note

if TYPE_CHECKING:
    from .app import Sandbox
    from .state import State

Order = dict[str, Any]
Query = dict[str, str]
Record = dict[str, Any]

CREATES = {
    "contact": ("contacts_create", "contact"),
    "account": ("accounts_create", "account"),
    "deal": ("opportunities_create", "opportunity"),
    "task": ("tasks_create", "task"),
    "call": ("phone_calls_create", "phone_call"),
    "label": ("labels_create", "label"),
}
UPDATES = {
    "contact": ("contacts_update", "contact_id", "contact"),
    "account": ("accounts_update", "account_id", "account"),
    "deal": ("opportunities_update", "opportunity_id", "opportunity"),
    "task": ("tasks_update", "id", "task"),
}


def _call(state: "State", operation_id: str, fields: Order, path: dict[str, str]) -> Call:
    """A request of another admin's, which no key, quota or record knows of."""
    operation = next(operation for operation in OPERATIONS if operation.id == operation_id)
    caller = Caller("control", state.world.team_id, state.world.acting_admin["id"], master=True)
    return Call(state, operation, caller, fields, path, "control")


def _kind(order: Order, table: dict[str, Any]) -> Any:
    if order.get("kind") not in table:
        raise ValueError(f"kind must be one of {', '.join(table)}")
    return table[order["kind"]]


def create(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    """A new record, made at the sandbox's time; fields are those of the operation that creates one."""
    state, fields = sandbox.state, dict(order.get("fields") or {})
    if order.get("kind") == "note":
        own = state.world.fresh_id("note", state.clock.now())
        user = fields.pop("user_id", state.world.acting_admin["id"])
        made = note(own, user, str(fields.pop("content", "")), state.clock.now(), **fields)
        state.world.notes[own] = made
        return made
    operation, key = _kind(order, CREATES)
    if order["kind"] == "task":
        now = offset_stamp(state.clock.now())
        fields = {
            "type": "call", "user_id": state.world.acting_admin["id"], "due_at": now, "status": "scheduled"
        } | fields  # fmt: skip
    call = _call(state, operation, fields, {})
    answer = call.operation.handler(call)
    return answer[key] if isinstance(answer, dict) else answer


def touch(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    """Changes a record: fields its update takes by that update, any other one as it is sent."""
    state, own, fields = sandbox.state, str(order["id"]), dict(order.get("fields") or {})
    operation, name, key = _kind(order, UPDATES)
    record = _stored(state, order["kind"], own)
    if order["kind"] == "task":
        fields = {"priority": record["priority"], "creator_id": record["creator_id"]} | fields
    call = _call(state, operation, fields, {name: own})
    known = {field: value for field, value in fields.items() if field in call.operation.parameters}
    call = _call(state, operation, known, {name: own})
    call.operation.handler(call)
    record |= {field: value for field, value in fields.items() if field not in known}
    if order["kind"] == "contact":
        state.world.contacts.save(record)
    elif order["kind"] == "account":
        state.world.accounts.save(record)
    return {key: record}


def _stored(state: "State", kind: str, own: str) -> Record:
    world = state.world
    books: dict[str, dict[str, Record]] = {
        "contact": world.contacts.records, "account": world.accounts, "deal": world.deals, "task": world.tasks,
        "email": world.messages, "note": world.notes, "call": world.calls,
    }  # fmt: skip
    if kind not in books:
        raise ValueError(f"kind must be one of {', '.join(books)}")
    if own not in books[kind]:
        raise ValueError(f"no {kind} has the id {own}")
    return books[kind][own]


def delete(sandbox: "Sandbox", query: Query, order: Order) -> Any:
    """Deletes a record as somebody does in Apollo's interface."""
    state, kind, own = sandbox.state, str(order["kind"]), str(order["id"])
    _stored(state, kind, own)
    world = state.world
    if kind == "contact":
        return delete_contact(sandbox, query, order)
    if kind == "account":
        return {"deleted": world.accounts.remove(own)}
    books = {"deal": world.deals, "task": world.tasks, "email": world.messages, "note": world.notes}
    (books.get(kind) or world.calls).pop(own)
    world.deleted.add(own)
    return {"deleted": True}


def delete_contact(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    """Deletes a contact; it leaves its sequences, and what they were going to send is dropped."""
    own, state = str(order["id"]), sandbox.state
    for sequence_id, people in state.world.enrolled.items():
        if people.pop(own, None):
            drop_scheduled(state, own, sequence_id)
    return {"deleted": state.world.contacts.delete(own)}


def activity(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    """Lets a contact of a sequence open, click, reply, bounce and so on."""
    return act(sandbox.state, str(order["contact_id"]), str(order["sequence_id"]), str(order["type"]))


def record(sandbox: "Sandbox", query: Query, order: Order) -> Any:  # noqa: ARG001
    """One record as it is stored, not as it is answered."""
    kind, own = query["kind"], query["id"]
    return _stored(sandbox.state, kind, own)
