"""What Apollo needs beyond its manifest, each thing by name."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..connector.connector import Quirk
from ..contract.errors import IncompleteReplyError
from ..contract.models import Page


def with_sequence_id(values: dict[str, Any]) -> dict[str, Any]:
    """The sequence id is wanted twice: in the path and as a parameter."""
    return {**values, "emailer_campaign_id": values["sequence_id"]}


def as_body(values: dict[str, Any]) -> dict[str, Any]:
    """The body is the person's own; what it may cost is for the host."""
    return dict(values["body"])


def by_rank(page: Page) -> Page:
    """A company search answers in two arrays; `model_ids` tells in which order they belong together."""
    answer = page.value if isinstance(page.value, Mapping) else {}
    found = [record for key in ("organizations", "accounts") for record in _listed(answer.get(key))]
    rank = {identity: place for place, identity in enumerate(_listed(answer.get("model_ids"))) if _is_id(identity)}
    return replace(page, records=sorted(found, key=lambda record: _place(record, rank)))


def _place(record: Any, rank: Mapping[Any, int]) -> int:
    """A saved company stands under the id of the company it is."""
    names = (record.get("organization_id"), record.get("id")) if isinstance(record, Mapping) else ()
    return next((rank[name] for name in names if _is_id(name) and name in rank), len(rank))


def _is_id(value: Any) -> bool:
    return isinstance(value, str)


def _listed(value: Any) -> list[Any]:
    """A list of an answer; anything else in its place counts as an empty one."""
    return value if isinstance(value, list) else []


def with_origin(page: Page) -> Page:
    """What a bulk create made and what was there already, in one list, told apart. Raises IncompleteReplyError."""
    answer = page.value if isinstance(page.value, Mapping) else {}
    if not any(isinstance(value, list) for key, value in answer.items() if key.startswith(("created_", "existing_"))):
        raise IncompleteReplyError("The answer can't be read: it has neither created nor existing records.")
    records = [
        {**record, "already_existed": existed}
        for prefix, existed in (("created_", False), ("existing_", True))
        for key, value in answer.items()
        if key.startswith(prefix)
        for record in _listed(value)
        if isinstance(record, Mapping)
    ]
    return replace(page, records=records, value=None)


def with_bare_id(page: Page) -> Page:
    """A custom field is listed as `contact.<id>`, but inputs want the bare id."""
    records = [
        {**record, "field_id": str(record.get("id", "")).partition(".")[2] or record.get("id")}
        for record in page.records
        if isinstance(record, Mapping)
    ]
    return replace(page, records=records, value=None)


def with_deletion(page: Page) -> Page:
    """Completing or skipping a task that is gone answers 200 and says so in a field."""
    gone = isinstance(page.value, Mapping) and page.value.get("deleted") is True
    return replace(page, warnings=("the record was deleted before",)) if gone else page


def as_rows(page: Page) -> Page:
    """Usage comes as an object whose keys are texts of a JSON array: controller and action."""
    answer = page.value if isinstance(page.value, Mapping) else {}
    rows = [{"endpoint": _endpoint(key), **usage} for key, usage in answer.items() if isinstance(usage, Mapping)]
    return replace(page, records=rows, value=None, total=len(rows))


def _endpoint(key: str) -> str:
    try:
        return "/".join(str(part) for part in json.loads(key))
    except (ValueError, TypeError):
        return key


QUIRKS = {
    "enroll": Quirk(prepare=with_sequence_id),
    "free_body": Quirk(prepare=as_body),
    "two_arrays": Quirk(read=by_rank),
    "created_and_existing": Quirk(read=with_origin),
    "bare_field_id": Quirk(read=with_bare_id),
    "deleted_as_warning": Quirk(read=with_deletion),
    "usage_rows": Quirk(read=as_rows),
}
