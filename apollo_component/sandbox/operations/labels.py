"""Lists of contacts and accounts, which the API calls labels."""

from typing import Any

from .. import params as read
from ..clock import touch
from ..errors import Refusal, unprocessable
from ..ids import is_object_id
from ..jobs import start_job
from ..operation import Answer, Call, Listing, Operation
from ..world.lists import add_list, counted, lists_named, set_membership

Record = dict[str, Any]

MODALITIES = ("contacts", "accounts")
NOTHING = {"message": "No Models or Lists provided"}


def listing(call: Call) -> Listing:
    """All lists, as a bare array."""
    world = call.state.world
    return [counted(world, label) for label in world.labels.values()]


def create(call: Call) -> Answer:
    name, modality = read.text(call.params, "name"), read.text(call.params, "modality")
    if not name:
        raise unprocessable("Please enter a non-empty name!")
    if not modality:
        raise unprocessable("Please enter a non-empty modality!")
    if modality not in MODALITIES:
        raise unprocessable("Please enter a valid modality!")
    _check_free(call, name, modality)
    label = add_list(call.state.world, name, call.caller.user_id, call.now, modality)
    call.state.world.born[label["id"]] = call.now
    _set_book(call, label)
    return {"label": label}


def _check_free(call: Call, name: str, modality: str, own: str | None = None) -> None:
    known = call.state.world.labels_of(modality).get(name)
    if known and known["id"] != own:
        raise unprocessable(f"{name} already exists", skip_alert_dialog=True)


def _set_book(call: Call, label: Record) -> None:
    if "book_of_business" in call.params:
        label["book_of_business"] = read.flag(call.params, "book_of_business")


def update(call: Call) -> Answer:
    own, name = call.path["id"], read.text(call.params, "name")
    label = call.state.world.labels.get(own)
    if label is None:
        raise Refusal(404, {"message": f"Could not find label with id {own}", "error": "Record not found."})
    if not name:
        raise unprocessable("Please enter a non-empty name!")
    _check_free(call, name, label["modality"], own)
    label["name"] = name
    touch(label, call.now)
    _set_book(call, label)
    return {"label": counted(call.state.world, label)}


def add_records(call: Call) -> Answer:
    """Puts records on lists by the lists' names; missing lists are made, unknown records ignored."""
    return _change(call, "add_entities_to_labels", add=True)


def remove_records(call: Call) -> Answer:
    return _change(call, "remove_entities_from_labels", add=False)


def _change(call: Call, kind: str, *, add: bool) -> Answer:
    modality = read.text(call.params, "modality")
    if modality not in MODALITIES:
        raise unprocessable(f"Invalid modality: {modality}.")
    ids = [own for own in read.texts(call.params, "entity_ids") if is_object_id(own)]
    names = [name for name in read.texts(call.params, "label_names") if name.strip()]
    if not ids or not names:
        return dict(NOTHING)
    world = call.state.world
    if add:
        labels = lists_named(world, names, call.caller.user_id, call.now, modality)
    else:
        known = world.labels_of(modality)
        labels = [known[name] for name in dict.fromkeys(names) if name in known]
    if not labels:
        return dict(NOTHING)
    if read.flag(call.params, "async"):
        work = [lambda own=own: _change_one(call, own, labels, modality, add=add) for own in dict.fromkeys(ids)]
        job = start_job(call, kind, ids, work, modality=modality, label_names=names)
        return {"entity_progress_job": job}
    for own in dict.fromkeys(ids):
        _change_one(call, own, labels, modality, add=add)
    return {"labels": [counted(world, label) for label in labels]}


def _change_one(call: Call, own: str, labels: list[Record], modality: str, *, add: bool) -> None:
    world = call.state.world
    record = world.contacts.records.get(own) if modality == "contacts" else world.accounts.get(own)
    if record is None:
        return
    theirs = [label["id"] for label in labels]
    before = record["label_ids"]
    after = [*before, *(one for one in theirs if one not in before)] if add else [o for o in before if o not in theirs]
    if after != before:
        set_membership(world, record, after, call.now)
        for label in labels:
            touch(label, call.now)


RECORD_PARAMETERS = ("entity_ids", "label_names", "modality", "async")

LABELS = (
    Operation("labels_list", "GET", "/labels", "api/v1/labels/index", "tags_list", listing),
    Operation(
        "labels_create", "POST", "/labels", "api/v1/labels/create", "lists_create", create,
        ("name", "modality", "book_of_business"),
    ),
    Operation(
        "labels_update", "PATCH", "/labels/{id}", "api/v1/labels/update", "lists_update", update,
        ("name", "book_of_business"),
    ),
    Operation(
        "labels_add_records", "POST", "/labels/add_entity_ids_to_label_names",
        "api/v1/labels/add_entity_ids_to_label_names", "lists_add_entities", add_records, RECORD_PARAMETERS,
    ),
    Operation(
        "labels_remove_records", "POST", "/labels/remove_entity_ids_from_label_names",
        "api/v1/labels/remove_entity_ids_from_label_names", "lists_remove_entities", remove_records,
        RECORD_PARAMETERS,
    ),
)  # fmt: skip
