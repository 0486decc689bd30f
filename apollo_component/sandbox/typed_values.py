"""Custom fields of contacts, accounts and deals: which values a field takes, and what becomes of the others."""

from typing import Any

from . import params as read
from .operation import Call
from .searching import moment
from .world import World

Record = dict[str, Any]

NO_SUCH_FIELD = "This field does not exist for this record."  # made up


def merged(world: World, modality: str, record: Record, sent: object) -> dict[str, Any]:
    """The typed_custom_fields of a record after a write: omitted fields stay, empty ones clear (unverified).

    Ids of no field, or of a field of other records, are dropped, and a value its field cannot hold becomes null
    (both unverified).
    """
    values = dict(record["typed_custom_fields"])
    if not isinstance(sent, dict):
        return values
    for own, value in sent.items():
        if fits(world, modality, own):
            values[own] = fitted(world.fields[own], value)
    return values


def fits(world: World, modality: str, field_id: str) -> bool:
    """Whether a field is one of this kind of record."""
    return field_id in world.fields and world.fields[field_id]["modality"] == modality


def field_errors(call: Call, modality: str, sent: object) -> dict[str, str]:
    """What `custom_field_errors` tells of a write: ids that belong to no field of these records.

    That Apollo tells them there, and in which form, is made up; with the setting `custom_field_errors` "silent" they
    are dropped without a word.
    """
    if not isinstance(sent, dict) or call.state.settings.custom_field_errors == "silent":
        return {}
    return {own: NO_SUCH_FIELD for own in sent if not fits(call.state.world, modality, own)}


def fitted(field: Record, value: Any) -> Any:
    """A value in the type of its field, or None."""
    if value is None or value == "":
        return None
    kind = field["type"]
    if kind == "number":
        return _number(value)
    if kind == "boolean":
        return read.flag({"value": value}, "value")
    if kind in ("date", "datetime"):
        at = moment(value)
        return None if at is None else at.date().isoformat() if kind == "date" else str(value)
    if kind == "picklist":
        return value if any(option["id"] == value for option in field["options"]) else None
    return str(value)[: field["max_length"] or None]


def _number(value: Any) -> int | float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return int(number) if number.is_integer() else number


def records_of(world: World, modality: str) -> list[Record]:
    """Every record that may hold fields of a modality."""
    if modality == "contact":
        return list(world.contacts.records.values())
    return list(world.accounts.values()) if modality == "account" else list(world.deals.values())
