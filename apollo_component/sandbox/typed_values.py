"""Custom fields of contacts, accounts and deals: which values a field takes, and what becomes of the others."""

from typing import Any

from . import params as read
from .searching import moment
from .world import World

Record = dict[str, Any]


def merged(world: World, modality: str, record: Record, sent: object) -> dict[str, Any]:
    """The typed_custom_fields of a record after a write: omitted fields stay, empty ones clear (unverified).

    Ids of no field are kept as sent, and a value its field cannot hold becomes null (both unverified).
    """
    values = dict(record["typed_custom_fields"])
    if not isinstance(sent, dict):
        return values
    for own, value in sent.items():
        field = world.fields.get(own)
        if field is None:
            values[own] = value
        elif field["modality"] == modality:
            values[own] = fitted(field, value)
    return values


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
