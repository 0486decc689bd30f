"""Fields: what Apollo has itself, and the team's custom ones."""

from typing import Any

from .. import params as read
from ..errors import Refusal, unprocessable
from ..operation import Answer, Call, Operation
from ..typed_values import records_of
from ..world import World
from ..world.activity_records import custom_field

Record = dict[str, Any]

TYPES = ("string", "textarea", "number", "date", "datetime", "boolean")
# A selection of Apollo's own fields, with their types; the whole list is unpublished.
SYSTEM: dict[str, dict[str, str]] = {
    "contact": {
        "id": "string", "first_name": "string", "last_name": "string", "title": "string", "email": "string",
        "contact_stage_id": "string", "owner_id": "string", "created_at": "datetime", "updated_at": "datetime",
    },
    "account": {
        "id": "string", "name": "string", "domain": "string", "account_stage_id": "string", "owner_id": "string",
        "phone": "string", "created_at": "datetime",
    },
    "opportunity": {
        "id": "string", "name": "string", "amount": "number", "closed_date": "date",
        "opportunity_stage_id": "string", "is_won": "boolean",
    },
}  # fmt: skip
CATEGORIES = {"contact": "person", "account": "company", "opportunity": "deal"}  # only person is documented


def listing(call: Call) -> Answer:
    """System fields, custom ones, or both; nothing here is synced from a CRM."""
    source = read.text(call.params, "source")
    system = [_system(modality, name, kind) for modality, named in SYSTEM.items() for name, kind in named.items()]
    custom = [shown(field) for field in call.state.world.fields.values()]
    sources = {"system": system, "custom": custom, "crm_synced": []}
    return {"fields": sources.get(source, [*system, *custom])}


def _system(modality: str, name: str, kind: str) -> Record:
    field = _common(f"{modality}.{name}", modality, name.replace("_", " ").capitalize(), kind)
    labels = {"id": "Identifier"}
    more = {"field_name": f"{modality}.{name}", "source": "system", "group": "basic_info", "icon_class": "user"}
    return field | more | {"label": labels.get(name, field["label"])}


def _common(own: str, modality: str, label: str, kind: str) -> Record:
    return {
        "id": own,
        "category": CATEGORIES[modality],
        "context": ["finder"],
        "description": None,
        "editable": False,
        "example": None,
        "field_name": label,
        "group": None,
        "icon_class": None,
        "label": label,
        "modality": modality,
        "parent": None,
        "source": "custom",
        "type": kind,
        "finder_view_ids": [],
        "project_workspace_id": None,
        "finder_views": [],
        "is_local": False,
    }


def shown(field: Record) -> Record:
    """A custom field as /fields shows it: its id carries the modality."""
    own = f"{field['modality']}.{field['id']}"
    meta = {"max_length": field["max_length"], "computed_type": "manual", "visibility_status": "active"}
    if field["type"] == "picklist":
        meta["picklist_values"] = [_option(option) for option in field["options"]]
    return _common(own, field["modality"], field["label"], field["type"]) | {
        "editable": True,
        "parent": field["parent"],
        "context_card_ids": [],
        "product_profile_ids": [],
        "is_system_field": False,
        "created_at": field["created_at"],
        "meta": meta,
    }


def _option(option: Record) -> Record:
    own = option["id"]
    return {"_id": own, "id": own, "key": own, "name": option["name"], "mapped_crm_values": []}


def _typed(field: Record) -> Record:
    return {
        "id": field["id"],
        "name": field["label"],
        "modality": field["modality"],
        "text_field_max_length": field["max_length"],
    }


def typed_listing(call: Call) -> Answer:
    """The deprecated listing: custom fields alone, with bare ids; the choices are in picklist_values alone."""
    empty = (
        "mapped_crm_field", "additional_mapped_crm_field", "is_readonly_mapped_crm_field",
        "picklist_options_last_synced_at", "picklist_value_set_id", "system_name",
    )  # fmt: skip
    rows = [
        _typed(field)
        | dict.fromkeys(empty)
        | {"type": field["type"], "picklist_options": [], "mirrored": False, "finder_view_ids": [], "is_local": False}
        | {"picklist_values": [_option(option) | {"mapped_crm_values": {}} for option in field["options"]]}
        for field in call.state.world.fields.values()
    ]
    return {"typed_custom_fields": rows}


def create(call: Call) -> Answer:
    """A new custom field; no refusals are documented, so their texts are unverified, as is a 24-hex id."""
    label, modality, kind = (read.text(call.params, name) for name in ("label", "modality", "type"))
    if not label:
        raise unprocessable("Label is required")
    if modality not in SYSTEM:
        raise unprocessable("Please enter a valid modality!")
    if kind not in TYPES:
        raise unprocessable("Please enter a valid type!")
    _check_label(label)
    meta = call.params.get("meta")
    length = read.integer(meta.get("max_length")) if isinstance(meta, dict) else None
    world = call.state.world
    own = world.fresh_id("field", call.now)
    world.fields[own] = custom_field(own, label, modality, kind, call.now, max_length=length)
    return {"typed_custom_fields": [_typed(world.fields[own])]}


def _check_label(label: str) -> None:
    if label.startswith("powerup_"):
        raise unprocessable("Field name with prefix 'powerup_' is not allowed. Please use another name.")


def update(call: Call) -> Answer:
    """Changes exactly one field."""
    sent = call.params.get("fields")
    if not isinstance(sent, list) or len(sent) != 1 or not isinstance(sent[0], dict):
        raise unprocessable("Exactly one field can be updated at a time")  # unverified text
    change = sent[0]
    modality, _, own = read.text(change, "id").partition(".")
    field = call.state.world.fields.get(own)
    if field is None or field["modality"] != modality:
        raise unprocessable("Some fields could not be found")
    _check(field, change)
    if label := read.text(change, "label"):
        field["label"] = label
    meta = _meta(change)
    if "max_length" in meta:
        field["max_length"] = read.integer(meta["max_length"])
    if field["type"] == "picklist":
        _set_options(call, field, meta.get("picklist_values"))
    more: Answer = {"field_groups": [], "picklist_value_sets": [], "finder_views": []}
    return {"fields": [shown(field)], "typed_custom_fields": [_typed(field)], **more}


def _meta(change: Record) -> Record:
    meta = change.get("meta")
    return meta if isinstance(meta, dict) else {}


def _check(field: Record, change: Record) -> None:
    options = _meta(change).get("picklist_values")
    mapped = isinstance(options, list) and any(isinstance(one, dict) and one.get("mapped_crm_id") for one in options)
    if "mapped_crm_field" in change or mapped:  # what exactly counts as a mapping is unverified
        raise Refusal(403, {"error": "CRM Mapping cannot be configured using API Call"})
    if field["parent"]:
        raise unprocessable("Child fields cannot be updated directly")
    if (kind := read.text(change, "type")) and kind != field["type"]:
        raise unprocessable("Cannot change field type after creation")
    _check_label(read.text(change, "label"))
    if field["type"] == "picklist" and not (isinstance(options, list) and options):
        raise unprocessable("Picklist fields must have at least one option")


def _set_options(call: Call, field: Record, sent: Any) -> None:
    """The whole new set; what held a removed option becomes empty, merged options move."""
    moved: dict[str, str] = {}
    options: list[Record] = []
    for entry in sent:
        own = read.text(entry, "id") or call.state.world.new_id("option")
        options.append({"id": own, "name": read.text(entry, "name")})
        moved |= dict.fromkeys(read.texts(entry, "reassign_from"), own)
    field["options"] = options
    _move_values(call.state.world, field, moved)


def _move_values(world: World, field: Record, moved: dict[str, str]) -> None:
    kept = {option["id"] for option in field["options"]}
    for record in records_of(world, field["modality"]):
        value = record["typed_custom_fields"].get(field["id"])
        if value is not None and value not in kept:
            record["typed_custom_fields"][field["id"]] = moved.get(value)


FIELDS = (
    Operation("fields_list", "GET", "/fields", "api/v1/fields/index", "custom_fields_list", listing, ("source",)),
    Operation(
        "fields_create", "POST", "/fields", "api/v1/fields/create", "custom_field_write", create,
        ("label", "modality", "type", "meta"),
    ),
    Operation("fields_update", "PATCH", "/fields", "api/v1/fields/update", "custom_field_write", update, ("fields",)),
    Operation(
        "typed_custom_fields_list", "GET", "/typed_custom_fields", "api/v1/typed_custom_fields/index",
        "custom_fields_list", typed_listing,
    ),
)  # fmt: skip
