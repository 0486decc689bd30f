"""What Apollo needs beyond its manifest, each thing by name."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..connector.connector import Quirk
from ..contract.models import Page

PLACEHOLDER = "email_not_unlocked@domain.com"
"""Apollo's literal for a verified email that was not revealed; it is nobody's address."""


def without_placeholder(page: Page) -> Page:
    records = [_revealed(record) for record in page.records]
    single = isinstance(page.value, Mapping) and page.value.get("email") == PLACEHOLDER
    return replace(page, records=records, value=_revealed(page.value) if single else page.value)


def _revealed(record: Any) -> Any:
    hidden = isinstance(record, Mapping) and record.get("email") == PLACEHOLDER
    return {**record, "email": None} if hidden else record


def with_sequence_id(values: dict[str, Any]) -> dict[str, Any]:
    """The sequence id is wanted twice: in the path and as a parameter."""
    return {**values, "emailer_campaign_id": values["sequence_id"]}


def with_skipped(page: Page) -> Page:
    """The answer is 200 even when contacts were skipped: each reason becomes a warning with its count."""
    answer = page.value if isinstance(page.value, Mapping) else {}
    skipped = answer.get("skipped_contact_ids") or {}
    reasons = Counter(str(reason) for reason in skipped.values()) if isinstance(skipped, Mapping) else Counter()
    warnings = tuple(f"{count} skipped: {reason}" for reason, count in sorted(reasons.items()))
    return replace(page, warnings=warnings, value={"skipped_contact_ids": skipped})


QUIRKS = {
    "placeholder_email": Quirk(read=without_placeholder),
    "enroll": Quirk(prepare=with_sequence_id, read=with_skipped),
}
