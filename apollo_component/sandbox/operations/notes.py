"""Notes about contacts, accounts, deals and conversations."""

from typing import Any

from .. import params as read
from ..errors import Refusal
from ..operation import Answer, Call, Operation
from ..searching import moment, visible, within

Record = dict[str, Any]

RELATIONS = ("contact_id", "account_id", "opportunity_id", "calendar_event_id", "conversation_id")
LISTS = {"conversation_ids": "conversation_ids", "contact_ids": "contact_ids"}
SORTS, DIRECTIONS = ("created_at", "updated_at"), ("asc", "desc")
DEFAULT_LIMIT, MAX_LIMIT = 25, 100


def matching(call: Call) -> list[Record]:
    """The notes with every relation asked for, sorted."""
    params = call.params
    ones = {f"{name}s": own for name in RELATIONS if (own := read.text(params, name))}
    many = {name: set(sent) for name in LISTS if (sent := _texts(call, name))}
    if not ones and not many:
        raise Refusal(400, {"error": "At least one argument is required"})
    sort = read.text(params, "sort_by_field") or "created_at"
    direction = read.text(params, "sort_direction") or "desc"
    if direction not in DIRECTIONS:
        raise Refusal(400, {"error": 'sort_direction must be "asc" or "desc"'})
    if sort not in SORTS:
        raise Refusal(400, {"error": "sort_by_field must be one of: created_at, updated_at"})
    since = moment(read.text(params, "start_date"))
    found = [
        note
        for note in call.state.world.notes.values()
        if all(own in note[name] for name, own in ones.items())
        and all(wanted & set(note[name]) for name, wanted in many.items())
        and within(note["created_at"], (since, None))
    ]
    return sorted(found, key=lambda note: str(note[sort]), reverse=direction == "desc")


def _texts(call: Call, name: str) -> list[str]:
    """An array that is declared without brackets: a lone value or a comma list counts, too (unverified)."""
    sent = call.params.get(name)
    return sent.split(",") if isinstance(sent, str) and sent else read.texts(call.params, name)


def listing(call: Call) -> Answer:
    """A slice by skip and limit; there is no total."""
    found = visible(call, matching(call))
    skip = max(0, read.integer(call.params.get("skip"), 0) or 0)
    asked = read.integer(call.params.get("limit"), DEFAULT_LIMIT)
    limit = min(max(1, DEFAULT_LIMIT if asked is None else asked), MAX_LIMIT)
    return {"notes": found[skip : skip + limit]}


NOTES = (
    Operation(
        "notes_list", "GET", "/notes", "meetings/api/v1/notes/index", "notes_list", listing,
        (*RELATIONS, *LISTS, "start_date", "sort_by_field", "sort_direction", "skip", "limit"),
    ),
)  # fmt: skip
