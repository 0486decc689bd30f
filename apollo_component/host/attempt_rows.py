"""What an attempt to link an account is: what is wanted, how far it is, and its row in the database."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .servers import Servers, servers_of

Status = Literal["waiting", "finishing", "cancelled", "denied", "failed", "expired", "linked"]
PENDING = ("waiting", "cancelled", "finishing")
TAKES_ANSWER = ("waiting", "cancelled", "denied")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be linked. `connection` is the id of the one to link again, which keeps its name and id; `session` the
    connect session that an end user came by, whose `owner` the connection gets."""

    connector: str
    type: str
    name: str
    actions: tuple[str, ...] = ()
    redirect_uri: str = ""
    connection: str | None = None
    session: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """`result` is what a test told (`TestReport.as_dict()`, and `other_account` where linking again reached another
    account than before), or `{error: ...}` as an error's `as_dict()`; empty while nothing is known."""

    id: str
    status: Status
    wanted: Wanted
    app_id: str | None
    scopes: tuple[str, ...]
    created_at: float
    ends_at: float
    connection: str | None = None
    result: Mapping[str, Any] = field(default_factory=dict)
    servers: Servers | None = None

    def as_dict(self) -> dict[str, Any]:
        """`{id, status, connector, type, name, connection, ends_at, scopes, result}`; fit for JSON, nothing secret."""
        wanted = self.wanted
        return {
            "id": self.id,
            "status": self.status,
            "connector": wanted.connector,
            "type": wanted.type,
            "name": wanted.name,
            "connection": self.connection,
            "ends_at": self.ends_at,
            "scopes": list(self.scopes),
            "result": dict(self.result),
        }


def attempt_of(row: Mapping[str, Any], now: float) -> Attempt:
    """A row as it is to be seen now."""
    wanted = Wanted(
        row["connector"],
        row["type"],
        row["name"],
        tuple(json.loads(row["actions_json"])),
        row["redirect_uri"],
        row["connection_id"] if row["again"] else None,
        row["session"],
        row["owner"],
    )
    over = row["status"] in PENDING and now > row["ends_at"]
    return Attempt(
        row["id"],
        "expired" if over else row["status"],
        wanted,
        row["app_id"],
        tuple(json.loads(row["scopes_json"])),
        row["created_at"],
        row["ends_at"],
        row["connection_id"],
        json.loads(row["result_json"]),
        servers_of(row),
    )
