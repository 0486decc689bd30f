"""The accounts that a page offers to choose from: all of them while they are few, else a search by name."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..host.connections import Connection, Connections
from .messages import Messages

LISTED = 50
"""More accounts than this aren't listed at once."""


@dataclass(frozen=True, slots=True)
class AccountChoice:
    """What a field shows: `listed` is empty where there are too `many`; `text` is the name that stands in it, of an
    account or not."""

    connector: str
    listed: Sequence[Connection] = field(repr=False)
    many: bool
    text: str

    @property
    def possible(self) -> bool:
        return self.many or bool(self.listed)


def account_choice(stored: Connections, connector: str, text: str) -> AccountChoice:
    """Of one connector's accounts, or of all where `connector` is empty."""
    found, total = stored.search(connector=connector, limit=LISTED)
    many = total > LISTED
    return AccountChoice(connector, [] if many else found, many, text)


def first(stored: Connections, connector: str) -> Connection | None:
    found, _ = stored.search(connector=connector, limit=1)
    return found[0] if found else None


def chosen(stored: Connections, connector: str, name: str) -> Connection | None:
    """The account of this name or id, where the connector has one."""
    found = stored.find(name) if name else None
    return found if found and connector in ("", found.connector) else None


def offered(stored: Connections, texts: Messages, connector: str, text: str, cursor: str) -> dict[str, Any]:
    """A part of those that `text` finds: `{choices: [{label, value, note}], next_cursor}`."""
    start = int(cursor) if cursor.isdecimal() and len(cursor) < 9 else 0
    found, total = stored.search(text, connector=connector, limit=LISTED, offset=start)
    choices = [{"label": one.name, "value": one.name, "note": account_note(one, texts)} for one in found]
    return {"choices": choices, "next_cursor": str(start + LISTED) if start + LISTED < total else None}


def account_note(one: Connection, texts: Messages) -> str:
    """Whose it is, whether it is a sandbox's, and its state where that is not good."""
    status = "" if one.status == "active" else texts.word("accounts.statuses", one.status)
    sandbox = texts("accounts.sandbox") if one.is_sandbox else ""
    return ", ".join(part for part in (sandbox, one.account.name or one.account.email, status) if part)
