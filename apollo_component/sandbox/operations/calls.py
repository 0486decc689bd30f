"""Phone calls."""

from collections.abc import Mapping
from typing import Any

from .. import params as read
from ..clock import offset_stamp, touch
from ..errors import not_found
from ..operation import Answer, Call, Operation
from ..operations.accounts import shown as shown_account
from ..paging import breadcrumbs, page_of, pagination
from ..searching import cut, date_bounds, moment, visible, within
from ..world import World
from ..world.activity_records import phone_call

Record = dict[str, Any]

FILTERS = (
    "date_range", "duration", "inbound", "user_ids", "contact_label_ids", "phone_call_purpose_ids",
    "phone_call_outcome_ids", "q_keywords",
)  # fmt: skip
CRUMBS = {"q_keywords": "Keywords", "inbound": "Direction"}
IDS = ("contact_id", "account_id", "phone_call_purpose_id", "phone_call_outcome_id", "opportunity_id")
NUMBERS = ("to_number", "from_number")
TIMES = ("start_time", "end_time")
FACETS = (("active", "Active Calls"), ("completed", "Completed Calls"), ("no-answer", "Missed Calls"))


def matching(call: Call) -> list[Record]:
    """The calls that pass every filter, the newest first."""
    params, contacts = call.params, call.state.world.contacts.records
    sets = {
        "user_id": set(read.object_ids(read.texts(params, "user_ids"))),
        "phone_call_purpose_id": set(read.object_ids(read.texts(params, "phone_call_purpose_ids"))),
        "phone_call_outcome_id": set(read.object_ids(read.texts(params, "phone_call_outcome_ids"))),
    }
    labels = set(read.object_ids(read.texts(params, "contact_label_ids")))
    dates, words = date_bounds(params, "date_range"), read.text(params, "q_keywords").lower()
    direction = {"incoming": True, "outgoing": False}.get(read.text(params, "inbound"))
    found = [
        record
        for record in call.state.world.calls.values()
        if all(not wanted or record[name] in wanted for name, wanted in sets.items())
        and (direction is None or record["inbound"] == direction)
        and _long_enough(params.get("duration"), record["duration"])
        and within(record["start_time"], dates)
        and (not labels or labels & set(contacts.get(record["contact_id"] or "", {}).get("label_ids", ())))
        and words in _words(record, contacts)
    ]
    return sorted(found, key=lambda record: str(record["start_time"]), reverse=True)


def _words(record: Record, contacts: Mapping[str, Record]) -> str:
    name = contacts.get(record["contact_id"] or "", {}).get("name", "")
    return f"{record['note_text']} {name} {record['to_number']}".lower()


def _long_enough(bounds: object, seconds: int) -> bool:
    if not isinstance(bounds, dict):
        return True
    low, high = read.integer(bounds.get("min"), 0), read.integer(bounds.get("max"))
    return (low or 0) <= seconds and (high is None or seconds <= high)


def search(call: Call) -> Answer:
    """Calls, with page and per_page coming back as texts."""
    page, found, world = page_of(call.params), visible(call, matching(call)), call.state.world
    numbers = pagination(page, len(found)) | {"page": str(page.page), "per_page": str(page.per_page)}
    facets = [
        {"value": value, "display_name": name, "count": sum(record["status"] == value for record in found)}
        for value, name in FACETS
    ]
    return {
        "pagination": numbers,
        "breadcrumbs": breadcrumbs(call.params, CRUMBS),
        "phone_calls": [shown(world, record) for record in cut(call, page, found)],
        "faceting": {"phone_call_stats_facets": facets},
        "pipeline_total": len(found),
        "num_fetch_result": None,
    }


def shown(world: World, record: Record) -> Record:
    """A call with the contact and the account it was with."""
    account = world.accounts.get(record["account_id"] or "")
    return record | {
        "contact": world.contacts.records.get(record["contact_id"] or ""),
        "account": shown_account(world, account) if account else None,
    }


def create(call: Call) -> Answer:
    """A new call; a call_identifier that is there already updates its call."""
    world, key = call.state.world, read.text(call.params, "call_identifier")
    known = next((one for one in world.calls.values() if key and one["call_identifier"] == key), None)
    record = known or phone_call(world.fresh_id("call", call.now), call.caller.user_id, call.now)
    record["call_identifier"] = key or None
    _apply(call, record)
    world.calls[record["id"]] = record
    team = {"id": world.team_id, "phone_calls_finder_empty": False}
    return _answer(world, record) | {"team": team}


def update(call: Call) -> Answer:
    record = call.state.world.calls.get(read.object_ids([call.path["id"]])[0])
    if record is None:
        raise not_found()  # unverified: how an unknown call is answered
    _apply(call, record)
    return _answer(call.state.world, record)


def _answer(world: World, record: Record) -> Answer:
    contact = world.contacts.records.get(record["contact_id"] or "")
    return {"phone_call": shown(world, record)} | ({"contact": contact} if contact else {})


def _apply(call: Call, record: Record) -> None:
    params, world = call.params, call.state.world
    record |= {name: read.object_id_param(params, name) or None for name in IDS if name in params}
    record |= {name: read.text(params, name) or None for name in NUMBERS if name in params}
    users = read.texts(params, "user_id") or [read.text(params, "user_id")]
    record["user_id"] = read.object_ids(users[:1])[0] if users[0] else record["user_id"]
    if status := read.text(params, "status"):
        record["status"] = status.replace("_", "-")  # written with an underscore, read with a hyphen
        record["answered"] = record["status"] in ("completed", "in-progress")
    record["logged"] = read.flag(params, "logged", default=record["logged"])
    if "note" in params:
        record["note_text"] = read.text(params, "note")
    _apply_times(record, params)
    contact = world.contacts.records.get(record["contact_id"] or "")
    if contact:
        record["account_id"] = record["account_id"] or contact["account_id"]
        contact["last_activity_date"] = offset_stamp(call.now)
        touch(contact, call.now)
        world.contacts.version += 1


def _apply_times(record: Record, params: Mapping[str, Any]) -> None:
    """Start, end and duration; a duration that is not sent follows from the times (unverified)."""
    for name in TIMES:
        if at := moment(read.text(params, name)):
            record[name] = offset_stamp(at.timestamp())
    seconds = read.integer(params.get("duration"))
    if seconds is None and any(name in params for name in TIMES):
        start, end = moment(record["start_time"]), moment(record["end_time"])
        seconds = max(0, int((end - start).total_seconds())) if start and end else 0
    if seconds is not None:
        record["duration"] = seconds


WRITE_PARAMETERS = (
    "logged", "user_id", "contact_id", "account_id", "to_number", "from_number", "status", "start_time", "end_time",
    "duration", "phone_call_purpose_id", "phone_call_outcome_id", "note",
)  # fmt: skip

CALLS = (
    Operation(
        "phone_calls_search", "GET", "/phone_calls/search", None, "phone_call_search", search,
        (*FILTERS, "page", "per_page"), master_only=True, also=("POST",),
    ),
    Operation(
        "phone_calls_create", "POST", "/phone_calls", None, "phone_call_write", create,
        (*WRITE_PARAMETERS, "opportunity_id", "call_identifier"), master_only=True,
    ),
    Operation(
        "phone_calls_update", "PUT", "/phone_calls/{id}", None, "phone_call_update", update, WRITE_PARAMETERS,
        master_only=True, also=("PATCH",),
    ),
)  # fmt: skip
