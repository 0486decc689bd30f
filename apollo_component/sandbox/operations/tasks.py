"""Tasks: making, changing and closing them."""

from typing import Any

from .. import params as read
from ..clock import offset_stamp, touch
from ..errors import Refusal, unprocessable
from ..mailing import step_done
from ..operation import Answer, Call, Operation
from ..operations.accounts import shown as shown_account
from ..operations.deals import shown as shown_deal
from ..searching import moment
from ..word_list import words
from ..world import World
from ..world.activity_records import task as blank_task

Record = dict[str, Any]

TYPES = words(
    """call outreach_manual_email linkedin_step_connect linkedin_step_message linkedin_step_view_profile
    linkedin_step_interact_post action_item"""
)
CLOSED = {"completed": "completed_at", "skipped": "skipped_at"}
PRIORITIES = {"0": "high", "1": "medium", "2": "low"}  # the numbers of priority_cd are unverified
ALREADY = "This task is already completed / skipped."
DELETED = "This task or emailer message has been deleted. Please refresh your page."
FOREIGN = "This task belongs to another user. You do not have permissions to modify other people's tasks."


def create(call: Call) -> Answer:
    _check(call)
    contact = read.object_id_param(call.params, "contact_id")
    if contact and contact not in call.state.world.contacts.records:
        raise unprocessable("Contact does not exist")  # unverified for tasks
    world = call.state.world
    made = shown(world, _new(call, call.params, contact))
    return {"task": made, "team": {"id": world.team_id, "tasks_finder_empty": False}}


def bulk_create(call: Call) -> Answer:
    """One task per contact, or one per object of tasks_attributes; unknown contacts are left out (unverified)."""
    each = call.params.get("tasks_attributes")
    if isinstance(each, list) and each:
        orders = [({**call.params, **item}, read.text(item, "contact_id")) for item in each if isinstance(item, dict)]
        for item, _ in orders:
            _check(call, item)
    else:
        _check(call)
        orders = [(dict(call.params), own) for own in read.object_ids(read.texts(call.params, "contact_ids"))]
    known = call.state.world.contacts.records
    made = [_new(call, item, own) for item, own in orders if own in known or not own]
    return {"success": True, "tasks": [shown(call.state.world, task) for task in made]}


def _check(call: Call, params: dict[str, Any] | None = None) -> None:
    sent = params if params is not None else call.params
    if not read.text(sent, "type"):
        raise unprocessable("type and user can not be blank")
    if not read.text(sent, "user_id"):
        raise unprocessable("Invalid user or creator id")  # seen live; documented is the text above
    for name in ("user_id", "contact_id", "account_id", "opportunity_id"):
        read.object_id_param(sent, name)


def _new(call: Call, params: Any, contact_id: str) -> Record:
    world = call.state.world
    contact = world.contacts.records.get(contact_id)
    made = blank_task(
        world.fresh_id("task", call.now), read.text(params, "user_id"), read.text(params, "type"),
        due_at=_due(params) or offset_stamp(call.now), creator_id=call.caller.user_id, moment=call.now,
    )  # fmt: skip
    links = ("account_id", "person_id", "organization_id")
    made |= {name: contact[name] for name in links} | {"contact_id": contact["id"]} if contact else {}
    for name in ("account_id", "opportunity_id", "note"):
        made[name] = read.text(params, name) or made[name]
    kind = made["type"].replace("_", " ").capitalize()
    made["title"] = read.text(params, "title") or (f"{kind}: {contact['name']}" if contact else kind)
    made["priority"] = read.text(params, "priority") or "medium"
    made |= {"status": read.text(params, "status") or None, "created_from": "zp_ui"}  # both recorded
    if made["status"] in CLOSED:
        made[CLOSED[made["status"]]] = offset_stamp(call.now)
    world.tasks[made["id"]] = made
    return made


def _due(params: Any) -> str | None:
    at = moment(read.text(params, "due_at"))
    return offset_stamp(at.timestamp()) if at else None


def shown(world: World, task: Record) -> Record:
    """A task with the people it is about."""
    return row(world, task) | {
        "pending_send": False,
        "note_text": task["note"] or "",
        "phone_call": None,
        "relevant_field_values": {},
    }


def row(world: World, task: Record) -> Record:
    """A task as searches show it; what it isn't about has no key (recorded)."""
    contact = world.contacts.records.get(task["contact_id"] or "")
    account = world.accounts.get(task["account_id"] or "")
    deal = world.deals.get(task["opportunity_id"] or "")
    return task | {
        **({"contact": contact} if contact else {}),
        **({"account": shown_account(world, account)} if account else {}),
        **({"opportunity": shown_deal(world, deal)} if deal else {}),
        "recommended": False,
        "recommendation_reasons": [],
    }


def show(call: Call) -> Answer:
    task = call.state.world.tasks.get(read.object_ids([call.path["id"]])[0])
    if task is None:
        raise unprocessable(DELETED)
    return {"task": shown(call.state.world, task)}


def update(call: Call) -> Answer:
    """An open task loses what is left out of priority and creator; of a closed one little can change."""
    task, params = call.state.world.tasks.get(read.object_ids([call.path["id"]])[0]), call.params
    if task is None:
        raise unprocessable("This task has been deleted. Please refresh your page.")
    if task["user_id"] != call.caller.user_id and not _is_admin(call):
        raise Refusal(401, {"error": FOREIGN})
    for name in ("user_id", "creator_id", "contact_id"):
        read.object_id_param(params, name)
    for name in ("note", "contact_id", "priority"):
        if name in params:
            task[name] = read.text(params, name) or None
    if task["status"] in CLOSED:
        task["priority"] = PRIORITIES.get(read.text(params, "priority_cd"), task["priority"] or "medium")
        return {"task": shown(call.state.world, task)}
    task["priority"] = read.text(params, "priority") or "medium"
    task["creator_id"] = read.text(params, "creator_id") or call.caller.user_id
    for name in ("user_id", "type", "title", "call_script"):
        task[name] = read.text(params, name) or task[name]
    if "relevant_fields" in params:
        task["relevant_fields"] = read.texts(params, "relevant_fields")
    task["due_at"] = _due(params) or task["due_at"]
    if (status := read.text(params, "status")) in CLOSED:
        _close(call, task, status)
    return {"task": shown(call.state.world, task)}


def _is_admin(call: Call) -> bool:
    return bool(call.caller.user_id == call.state.world.acting_admin["id"])


def _close(call: Call, task: Record, status: str) -> None:
    task |= {"status": status, CLOSED[status]: offset_stamp(call.now), "completed_by_user_id": call.caller.user_id}
    if "note" in call.params:
        task["note"] = read.text(call.params, "note") or None
    contact = call.state.world.contacts.records.get(task["contact_id"] or "")
    if contact and status == "completed":
        contact["last_activity_date"] = offset_stamp(call.now)
        touch(contact, call.now)
        call.state.world.contacts.version += 1
    step_done(call.state, task, call.now)


def _closing(call: Call, status: str) -> Record | None:
    """The task after it was closed, or None when it is no longer there."""
    task = call.state.world.tasks.get(read.object_ids([call.path["id"]])[0])
    if task is None:
        return None
    if task["status"] in CLOSED:
        raise unprocessable(ALREADY, allow_moving_to_next_task=True)
    _close(call, task, status)
    return task


def complete(call: Call) -> Answer:
    task, world = _closing(call, "completed"), call.state.world
    if task is None:
        return {"task": {"id": call.path["id"], "deleted": True}}
    contact = world.contacts.records.get(task["contact_id"] or "")
    return {"task": shown(world, task)} | ({"contact": contact} if contact else {})


def skip(call: Call) -> Answer:
    task = _closing(call, "skipped")
    if task is None:
        return {"task": {"id": call.path["id"], "deleted": True}}
    return {"task": {name: task[name] for name in ("id", "status", "note")} | {"completed": False}}


SHARED = ("user_id", "type", "priority", "status", "due_at", "note")

TASKS = (
    Operation(
        "tasks_create", "POST", "/tasks", "api/v1/tasks/create", "tasks_create", create,
        (*SHARED, "contact_id", "title", "account_id", "opportunity_id"),
    ),
    Operation(
        "tasks_bulk_create", "POST", "/tasks/bulk_create", "api/v1/tasks/bulk_create", "tasks_create",
        bulk_create, (*SHARED, "contact_ids", "tasks_attributes"),
    ),
    Operation("tasks_show", "GET", "/tasks/{id}", "api/v1/tasks/show", "tasks_list", show),
    Operation(
        "tasks_update", "PATCH", "/tasks/{id}", "api/v1/tasks/update", "tasks_create", update,
        (*SHARED, "creator_id", "contact_id", "priority_cd", "title", "call_script", "relevant_fields"), also=("PUT",),
    ),
    Operation(
        "tasks_complete", "POST", "/tasks/{id}/complete", "api/v1/tasks/complete", "tasks_create", complete, ("note",)
    ),
    Operation(
        "tasks_skip", "POST", "/tasks/{id}/skip", "api/v1/tasks/skip", "tasks_create", skip,
        ("note", "on_task_page"),
    ),
)  # fmt: skip
