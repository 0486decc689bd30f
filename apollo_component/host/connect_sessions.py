"""Connect sessions: links by which end users of a host application link their own account, and nothing else."""

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from ..contract.errors import InputError, NotFoundError, Problem
from ..contract.manifest import Manifest
from .connections import check_name
from .settings import is_loopback
from .store import dumps
from .tables import connect_sessions, connections
from .tokens import hashed

if TYPE_CHECKING:
    from .host import Host

SHORTEST, LONGEST = 60.0, 30 * 86400.0
"""Seconds that a session may last."""
KEPT_SECONDS = 30 * 86400.0
"""An ended session is still listed for so long."""
_UNNAMEABLE = re.compile(r"[^\w .@+-]+")


@dataclass(frozen=True, slots=True)
class ConnectSession:
    """`status` is waiting, opened, linked, revoked or expired. `types` are those the end user may choose from, `app` is
    the operator's for those that need one, `name` what the connection will be called (empty: after its owner)."""

    id: str
    owner: str
    name: str
    connector: str
    types: tuple[str, ...]
    app: str | None
    actions: tuple[str, ...]
    return_url: str
    status: str
    created_at: float
    expires_at: float
    opened_at: float | None
    connection_id: str | None

    @property
    def is_open(self) -> bool:
        return self.status in ("waiting", "opened")

    def as_dict(self) -> dict[str, Any]:
        """For people and JSON: times in ISO 8601, never the token."""
        return {
            "id": self.id,
            "owner": self.owner,
            "name": self.name,
            "connector": self.connector,
            "types": list(self.types),
            "actions": list(self.actions),
            "return_url": self.return_url,
            "status": self.status,
            "created_at": _iso(self.created_at),
            "expires_at": _iso(self.expires_at),
            "opened_at": _iso(self.opened_at),
            "connection": self.connection_id,
        }


class ConnectSessions:
    def __init__(self, host: "Host") -> None:
        self.host, self.store, self.clock = host, host.store, host.clock

    def make(
        self,
        owner: str,
        connector: str,
        *,
        types: Sequence[str] = (),
        app: str = "",
        actions: Sequence[str] = (),
        name: str = "",
        return_url: str = "",
        seconds: float = 3600.0,
    ) -> tuple[ConnectSession, str]:
        """A session and its token, which is kept hashed and told this once. `app` is the name or id of a stored one;
        without types all are allowed that need no app, or that the app given is for.

        Raises InputError with all that is wrong, NotFoundError for an app that isn't there.
        """
        app_id = self.host.apps.check(app, connector) if app else None
        manifest = self.host.registry.manifests.get(connector)
        problems = _problems(manifest, owner, types, app_id, actions, return_url, seconds)
        if problems or manifest is None:
            raise InputError("The link was not made.", problems)
        if name:
            check_name(name)
        chosen = types or [kind.id for kind in manifest.connection_types.values() if kind.oauth is None or app_id]
        token, now, identity = secrets.token_urlsafe(32), self.clock(), secrets.token_hex(12)
        row: dict[str, Any] = {
            "id": identity,
            "token_hash": hashed(token),
            "owner": owner,
            "name": name,
            "connector": connector,
        }
        row |= {"types_json": dumps(list(chosen)), "app_id": app_id, "actions_json": dumps(list(actions))}
        row |= {"return_url": return_url, "created_at": now, "expires_at": now + seconds}
        with self.store.write() as open_:
            open_.execute(sa.delete(connect_sessions).where(connect_sessions.c.expires_at < now - KEPT_SECONDS))
            open_.execute(sa.insert(connect_sessions).values(**row))
        return self.get(identity), token

    def open(self, token: str) -> ConnectSession | None:
        """The session of a token, opened now; None for a wrong, used, revoked or old one. It can be opened again until
        an account is linked."""
        row = self.store.row(sa.select(connect_sessions).where(connect_sessions.c.token_hash == hashed(token)))
        session = self._session(row) if row else None
        if session is None or not session.is_open:
            return None
        mine = (connect_sessions.c.id == session.id, connect_sessions.c.opened_at.is_(None))
        with self.store.write(f"connect:{session.id}") as open_:
            open_.execute(sa.update(connect_sessions).where(*mine).values(opened_at=self.clock()))
        return self.get(session.id)

    def get(self, identity: str) -> ConnectSession:
        """Raises NotFoundError."""
        row = self.store.row(sa.select(connect_sessions).where(connect_sessions.c.id == identity))
        if row is None:
            raise NotFoundError("There is no such link.", hint="`links list` shows those there are.")
        return self._session(row)

    def usable(self, identity: str) -> ConnectSession:
        """The session while an account can still be linked by it. Raises InputError, NotFoundError."""
        session = self.get(identity)
        if not session.is_open:
            raise InputError("This link can't be used any more.", hint="Ask whoever gave it to you for a new one.")
        return session

    def all(self) -> list[ConnectSession]:
        """The newest first."""
        rows = self.store.rows(sa.select(connect_sessions).order_by(connect_sessions.c.created_at.desc()))
        return [self._session(row) for row in rows]

    def revoke(self, identity: str) -> ConnectSession:
        """End a session that is still open; what it linked stays. Raises NotFoundError."""
        self.get(identity)
        self.end(identity)
        return self.get(identity)

    def end(self, identity: str, connection: str | None = None) -> bool:
        """False when it had ended already."""
        mine = (connect_sessions.c.id == identity, connect_sessions.c.ended_at.is_(None))
        values = {"ended_at": self.clock(), "connection_id": connection}
        with self.store.write(f"connect:{identity}") as open_:
            return bool(open_.execute(sa.update(connect_sessions).where(*mine).values(**values)).rowcount)

    def free_name(self, session: ConnectSession) -> str:
        """What its connection is called: an end user isn't asked, so that they learn no other names. Taken names get a
        number."""
        title = self.host.registry.manifest(session.connector).title
        wanted = session.name or f"{_nameable(session.owner)} {title}".strip()[:90]
        taken = {row["name"] for row in self.store.rows(sa.select(connections.c.name))}
        names = (wanted if number == 1 else f"{wanted} {number}" for number in range(1, len(taken) + 2))
        return next(name for name in names if name not in taken)

    def _session(self, row: Mapping[str, Any]) -> ConnectSession:
        return ConnectSession(
            id=row["id"],
            owner=row["owner"],
            name=row["name"],
            connector=row["connector"],
            types=tuple(json.loads(row["types_json"])),
            app=row["app_id"],
            actions=tuple(json.loads(row["actions_json"])),
            return_url=row["return_url"],
            status=_status(row, self.clock()),
            created_at=row["created_at"],
            expires_at=row["expires_at"],
            opened_at=row["opened_at"],
            connection_id=row["connection_id"],
        )


def _status(row: Mapping[str, Any], now: float) -> str:
    if row["ended_at"] is not None:
        return "linked" if row["connection_id"] else "revoked"
    if now > row["expires_at"]:
        return "expired"
    return "waiting" if row["opened_at"] is None else "opened"


def _problems(
    manifest: Manifest | None,
    owner: str,
    types: Sequence[str],
    app: str | None,
    actions: Sequence[str],
    return_url: str,
    seconds: float,
) -> list[Problem]:
    found = []
    if not (0 < len(owner.strip()) <= 200 and owner.isprintable()):
        found.append(Problem("must be 1 to 200 printable characters", path="owner"))
    if not SHORTEST <= seconds <= LONGEST:
        found.append(Problem("must be from 1 minute to 30 days", path="expires"))
    if return_url and not is_returnable(return_url):
        found.append(Problem("must begin with https:// (or be an address of this computer)", path="return_url"))
    if manifest is None:
        return [*found, Problem("is not installed here", path="connector")]
    return [*found, *_type_problems(manifest, types, app), *_action_problems(manifest, actions)]


def _type_problems(manifest: Manifest, types: Sequence[str], app: str | None) -> list[Problem]:
    kinds = manifest.connection_types
    if unknown := [name for name in types if name not in kinds]:
        return [Problem(f"must be among: {', '.join(kinds)}, not {', '.join(unknown)}"[:300], path="types")]
    if app is None and any(kinds[name].oauth for name in types):
        return [Problem("is needed, since end users bring none", path="app")]
    without = all(kind.oauth for kind in kinds.values()) and app is None
    return [Problem("is needed, since end users bring none", path="app")] if without else []


def _action_problems(manifest: Manifest, actions: Sequence[str]) -> list[Problem]:
    unknown = [name for name in actions if name not in manifest.actions and name not in manifest.triggers]
    return [Problem(f"knows no {', '.join(unknown)}"[:300], path="actions")] if unknown else []


def is_returnable(url: str) -> bool:
    """Whether people may be sent there: https, or this computer, without a user."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    fit = url.isascii() and url.isprintable() and not set(url) & set(' \\<>"') and len(url) <= 2000
    return fit and (parts.scheme == "https" or is_loopback(parts)) and bool(parts.hostname) and "@" not in parts.netloc


def link_to(hub: str, token: str) -> str:
    """The link of a token. That stands behind the #, which no server, proxy or log sees."""
    return f"{hub}/connect/start#{token}"


def _nameable(owner: str) -> str:
    return " ".join(_UNNAMEABLE.sub(" ", owner).split()).lstrip(" .@+-")[:70]


def _iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat()
