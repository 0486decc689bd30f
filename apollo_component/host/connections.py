"""Connections and OAuth apps in the store: what is open to read, what is sealed, and their history."""

import json
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ..contract.errors import ConnectorError, InputError, NotFoundError, Problem
from ..contract.models import Account, Credential, OAuthApp, TestReport
from .events import LogEvent
from .leases import Lease, owns
from .logs import log
from .registry import Registry
from .sealing import Part
from .servers import Servers, check_servers, is_sandbox, servers_of, told
from .store import Store, dumps, moment, stamp
from .tables import apps, connections, history
from .vault import Vault

Place = Callable[[Mapping[str, Any]], tuple[Part, ...]]
"""What the secret of a row is bound to."""
_NAME = re.compile(r"[\w][\w .@+-]{0,99}\Z")


@dataclass(frozen=True, slots=True)
class Connection:
    """A stored link without its secret."""

    id: str
    name: str
    connector: str
    type: str
    status: str
    reason: str
    since: datetime
    version: int
    app_id: str | None
    scopes: tuple[str, ...] | None
    issued_at: datetime | None
    expires_at: datetime | None
    refresh_sent_at: datetime | None
    account: Account
    missed: Mapping[str, Any] = field(default_factory=dict)
    tested_at: datetime | None = None
    owner: str = ""
    """Whose it is, as a host application calls its end user; empty for the operator's own."""
    servers: Servers | None = None
    """Where it was linked, and the only place it is used at; None for one from before this was stored."""

    @property
    def is_sandbox(self) -> bool:
        """Whether it belongs to a server on this computer rather than to the service itself."""
        return is_sandbox(self.servers)

    @property
    def quota_scope(self) -> str:
        """Quotas are counted per team; while the team is unknown, per connection."""
        return f"team:{self.account.team_id}" if self.account.team_id else f"connection:{self.id}"

    def as_dict(self) -> dict[str, Any]:
        """For people and JSON: times in ISO 8601, nothing secret."""
        return {
            "id": self.id,
            "name": self.name,
            "owner": self.owner,
            "connector": self.connector,
            "type": self.type,
            "servers": None if self.servers is None else dict(self.servers),
            "sandbox": self.is_sandbox,
            "status": self.status,
            "reason": self.reason,
            "since": self.since.isoformat(),
            "scopes": list(self.scopes) if self.scopes is not None else None,
            "expires_at": self.expires_at.isoformat() if self.expires_at else None,
            "account": asdict(self.account),
            "missed": dict(self.missed),
            "tested_at": self.tested_at.isoformat() if self.tested_at else None,
        }


class Connections:
    """The one place that opens credentials: each is handed out only where requests go to the servers it belongs to."""

    def __init__(self, store: Store, vault: Vault, registry: Registry, clock: Callable[[], float] = time.time) -> None:
        self.store, self.vault, self.registry, self.clock = store, vault, registry, clock

    def get(self, name: str) -> Connection:
        """By name or id. Raises NotFoundError."""
        query = sa.select(connections).where(sa.or_(connections.c.name == name, connections.c.id == name))
        row = self.store.row(query)
        if row is None:
            raise NotFoundError(f"There is no connection named {name!r}.", hint="`connections` lists those there are.")
        return _connection(row)

    def find(self, name: str) -> Connection | None:
        """The same, None where there is none."""
        try:
            return self.get(name)
        except NotFoundError:
            return None

    def all(self) -> list[Connection]:
        return [_connection(row) for row in self.store.rows(sa.select(connections).order_by(connections.c.name))]

    def add(
        self,
        name: str,
        connector: str,
        credential: Credential,
        *,
        app_id: str | None = None,
        status: str = "active",
        account: Account | None = None,
        owner: str = "",
    ) -> Connection:
        """Store a new connection, which belongs to the servers that requests go to now. Raises InputError when the name
        is taken or can't be used."""
        check_name(name)
        identity, now = secrets.token_hex(12), self.clock()
        row = {
            "id": identity,
            "name": name,
            "connector": connector,
            "type": credential.connection_type,
            "app_id": app_id,
            "status": status,
            "reason": "",
            "since": now,
            "account_json": dumps(asdict(account or Account())),
            "created_at": now,
            "version": 1,
            "owner": owner,
            "servers_json": dumps(self.registry.servers(connector)),
        }
        with self.store.write() as connection:
            _check_free(connection, name)
            connection.execute(sa.insert(connections).values(**row, **self._sealed(connection, row, credential)))
            self._note(connection, identity, "linked", f"linked by {credential.connection_type}")
        return self.get(identity)

    def credential(self, connection: Connection) -> Credential:
        """The secret of exactly this version. Raises StoreError when it was changed or moved, and WrongServerError."""
        query = sa.select(connections).where(connections.c.id == connection.id)
        row = self.store.row(query)
        if row is None:
            raise NotFoundError(f"The connection {connection.name!r} was removed.")
        return self._opened(row)

    def current(self, identity: str) -> tuple[Connection, Credential]:
        """Connection and credential of one moment, read together. Raises WrongServerError where requests go to other
        servers than the connection's."""
        row = self.store.row(sa.select(connections).where(connections.c.id == identity))
        if row is None:
            raise NotFoundError("The connection was removed.")
        return _connection(row), self._opened(row)

    def replace_credential(
        self,
        connection: Connection,
        credential: Credential,
        event: str,
        text: str,
        *,
        app_id: str | None = None,
        servers: Servers | None = None,
        lease: Lease | None = None,
    ) -> bool:
        """Compare and swap on the version; the status is active again. False when somebody was faster. With `servers`
        it belongs to these from now on.

        With a lease that another has taken over meanwhile the status is `unchecked`: the other one may have done
        something that ended this credential.
        """
        values = {
            "version": connection.version + 1,
            "status": "active",
            "reason": "",
            "since": self.clock() if connection.status != "active" else stamp(connection.since),
            "refresh_sent_at": None,
            "app_id": app_id or connection.app_id,
            "servers_json": _servers_json(connection.servers if servers is None else servers),
        }
        fixed = {"id": connection.id, "type": credential.connection_type, "connector": connection.connector}
        where = (connections.c.id == connection.id, connections.c.version == connection.version)
        with self.store.write(f"connection:{connection.id}") as open_:
            values |= self._sealed(open_, {**fixed, **values}, credential)
            if lease and not owns(open_, lease):
                values |= {"status": "unchecked", "reason": "its tokens came late and are checked before use"}
            done = open_.execute(sa.update(connections).where(*where).values(**values)).rowcount
            if done:
                self._note(open_, connection.id, event, text)
                if app_id not in (None, connection.app_id):
                    own = (apps.c.id == connection.app_id, apps.c.name.is_(None))
                    open_.execute(sa.delete(apps).where(*own))
        return bool(done)

    def mark(
        self, connection: Connection, status: str, reason: str, *, lease: Lease | None = None, **columns: Any
    ) -> bool:
        """Change the status while the version is still this one; noted in the history when it changes. With a lease,
        only while that is still its owner's. False when nothing was changed."""
        where = (connections.c.id == connection.id, connections.c.version == connection.version)
        values: dict[str, Any] = {"status": status, "reason": reason, **columns}
        if status != connection.status:
            values["since"] = self.clock()
        with self.store.write(f"connection:{connection.id}") as open_:
            if lease and not owns(open_, lease):
                return False
            done = open_.execute(sa.update(connections).where(*where).values(**values)).rowcount
            if done and (status, reason) != (connection.status, connection.reason):
                self._note(open_, connection.id, status, reason)
        return bool(done)

    def note(self, connection: Connection, event: str, text: str) -> None:
        """Add to the history of a connection that is still there."""
        with self.store.write(f"connection:{connection.id}") as open_:
            if open_.execute(sa.select(connections.c.id).where(connections.c.id == connection.id)).first():
                self._note(open_, connection.id, event, text)

    def record_test(self, connection: Connection, report: TestReport) -> None:
        """Keep whose account it is and what is missing; a refusal or a cure changes the status."""
        missed = {check.name: dict(check.missing) for check in report.checks if check.outcome == "missed"}
        values: dict[str, Any] = {
            "tested_at": self.clock(),
            "missed_json": dumps({**connection.missed, **missed}),
        }
        passed = {check.name for check in report.checks if check.outcome == "passed"}
        kept = {name: miss for name, miss in {**connection.missed, **missed}.items() if name not in passed}
        values["missed_json"] = dumps(kept)
        if report.account:
            values["account_json"] = dumps(asdict(report.account))
        if report.verdict == "refused":
            values |= {"status": "needs_reauthorization", "reason": report.text, "since": self.clock()}
        elif report.verdict in ("connected", "limited") and connection.status == "needs_reauthorization":
            values |= {"status": "active", "reason": "", "since": self.clock()}
        where = (connections.c.id == connection.id, connections.c.version == connection.version)
        with self.store.write(f"connection:{connection.id}") as open_:
            if open_.execute(sa.update(connections).where(*where).values(**values)).rowcount:
                self._note(open_, connection.id, f"test: {report.verdict}", report.text)

    def move(self, connection: Connection, lease: Lease) -> bool:
        """Let a connection and its app belong to the servers that requests go to now; nothing is sent. False when it
        was changed meanwhile, or `lease`, the right to refresh it, was lost."""
        now = dumps(self.registry.servers(connection.connector))
        with self.store.write(f"connection:{connection.id}") as open_:
            where = (connections.c.id == connection.id, connections.c.version == connection.version)
            row = open_.execute(sa.select(connections).where(*where)).mappings().first()
            if row is None or not owns(open_, lease):
                return False
            self._move(open_, connections, dict(row), credential_place, now)
            app = open_.execute(sa.select(apps).where(apps.c.id == connection.app_id)).mappings().first()
            if app is not None:
                self._move(open_, apps, dict(app), app_place, now)
            text = f"from {told(connection.servers)} to {told(json.loads(now))}"
            self._note(open_, connection.id, "moved", text)
        return True

    def _move(
        self, open_: sa.Connection, table: sa.Table, row: Mapping[str, Any], place: Place, servers_json: str
    ) -> None:
        secret = self.vault.open(row["secret"], *place(row))
        values = {"servers_json": servers_json, "version": row["version"] + 1}
        values["secret"] = self.vault.to_seal(open_).seal(secret, *place({**row, **values}))
        open_.execute(sa.update(table).where(table.c.id == row["id"]).values(**values))

    def remember_miss(self, connection: Connection, action: str, missing: Mapping[str, Any]) -> None:
        """A later refusal is kept, so that the next look at the connection tells it."""
        with self.store.write(f"connection:{connection.id}") as open_:
            query = sa.select(connections.c.missed_json).where(connections.c.id == connection.id)
            known = json.loads(open_.execute(query).scalar() or "{}")
            changed = dumps({**known, action: dict(missing)})
            open_.execute(sa.update(connections).where(connections.c.id == connection.id).values(missed_json=changed))

    def rename(self, connection: Connection, name: str) -> Connection:
        """Raises InputError when the name is taken or can't be used."""
        check_name(name)
        with self.store.write() as open_:
            _check_free(open_, name, connection.id)
            changed = sa.update(connections).where(connections.c.id == connection.id).values(name=name)
            if name != connection.name and open_.execute(changed).rowcount:
                self._note(open_, connection.id, "renamed", f"was {connection.name}")
        return self.get(connection.id)

    def search(
        self,
        text: str = "",
        status: str = "",
        *,
        connector: str = "",
        owner: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> tuple[list[Connection], int]:
        """Those whose name, owner or account holds `text`, in order of their names: a part of them, and how many there
        are in all."""
        columns = (connections.c.name, connections.c.owner, connections.c.account_json)
        where = [sa.or_(*(column.icontains(text, autoescape=True) for column in columns))] if text else []
        where += [connections.c.status == status] if status else []
        where += [connections.c.connector == connector] if connector else []
        where += [connections.c.owner == owner] if owner is not None else []
        query = sa.select(connections).where(*where).order_by(connections.c.name).limit(limit).offset(offset)
        counted = sa.select(sa.func.count().label("count")).select_from(connections).where(*where)
        return [_connection(row) for row in self.store.rows(query)], self.store.rows(counted)[0]["count"]

    def statuses(self) -> dict[str, int]:
        """How many connections there are of each status."""
        query = sa.select(connections.c.status, sa.func.count().label("count")).group_by(connections.c.status)
        return {row["status"]: row["count"] for row in self.store.rows(query)}

    def remove(self, connection: Connection) -> None:
        with self.store.write() as open_:
            open_.execute(sa.delete(connections).where(connections.c.id == connection.id))
            open_.execute(sa.delete(history).where(history.c.connection_id == connection.id))
            private = (apps.c.id == connection.app_id, apps.c.name.is_(None))
            open_.execute(sa.delete(apps).where(*private))

    def history(self, connection: Connection) -> list[dict[str, Any]]:
        query = sa.select(history).where(history.c.connection_id == connection.id).order_by(history.c.id.desc())
        found = self.store.rows(query.limit(200))
        return [{"at": _iso(row["at"]), "event": row["event"], "text": row["text"]} for row in found]

    def _sealed(self, open_: sa.Connection, row: Mapping[str, Any], credential: Credential) -> dict[str, Any]:
        """What a row keeps of a credential, sealed for the place that the row is."""
        secret = {name: getattr(credential, name) for name in ("api_key", "access_token", "refresh_token")}
        text = dumps({k: v for k, v in secret.items() if v}).encode()
        return {
            "secret": self.vault.to_seal(open_).seal(text, *credential_place(row)),
            "scopes_json": None if credential.scopes is None else dumps(list(credential.scopes)),
            "issued_at": stamp(credential.issued_at),
            "expires_at": stamp(credential.expires_at),
        }

    def servers_now(self, name: str) -> Servers:
        """Those that requests of a connection would go to. Raises NotFoundError, and InputError for an address that
        can't be used."""
        return self.registry.servers(self.get(name).connector)

    def check(self, connection: Connection) -> None:
        """Raises WrongServerError where requests go to other servers than the connection's."""
        unknown = f"If it belongs there: `connections move {connection.name!r}`. Else link the account again."
        what = f"The connection {connection.name!r}"
        check_servers(self.registry, connection.connector, what, connection.servers, unknown)

    def is_here(self, connection: Connection) -> bool:
        """Whether requests go to the servers that the connection belongs to."""
        try:
            self.check(connection)
        except ConnectorError:
            return False
        return True

    def _opened(self, row: Mapping[str, Any]) -> Credential:
        raw = self.vault.open(row["secret"], *credential_place(row))
        self.check(_connection(row))
        scopes = None if row["scopes_json"] is None else tuple(json.loads(row["scopes_json"]))
        base = Credential(row["type"], scopes=scopes, **json.loads(raw))
        return replace(base, issued_at=moment(row["issued_at"]), expires_at=moment(row["expires_at"]))

    def _note(self, open_: sa.Connection, identity: str, event: str, text: str) -> None:
        log(LogEvent.CONNECTION_CHANGED, connection=identity, to=event)
        values = {"connection_id": identity, "at": self.clock(), "event": event[:40], "text": text}
        open_.execute(sa.insert(history).values(**values))


class Apps:
    """OAuth apps registered at a service; the secret is sealed like a credential, and handed out only where requests go
    to the servers that the app was stored for."""

    def __init__(self, store: Store, vault: Vault, registry: Registry, clock: Callable[[], float] = time.time) -> None:
        self.store, self.vault, self.registry, self.clock = store, vault, registry, clock

    def add(self, name: str | None, connector: str, app: OAuthApp) -> str:
        """The new app's id; without a name it belongs to one connection. Raises InputError."""
        if name is not None:
            check_name(name)
        identity = secrets.token_hex(12)
        row = {
            "id": identity,
            "name": name,
            "connector": connector,
            "client_id": app.client_id,
            "redirect_uris_json": dumps(list(app.redirect_uris)),
            "servers_json": dumps(self.registry.servers(connector)),
            "version": 1,
            "created_at": self.clock(),
        }
        with self.store.write() as open_:
            if name is not None and open_.execute(sa.select(apps.c.id).where(apps.c.name == name)).first():
                raise InputError("The app was not stored.", [Problem("is taken; choose another", path="name")])
            secret = self.vault.to_seal(open_).seal(app.client_secret.encode(), *app_place(row))
            open_.execute(sa.insert(apps).values(**row, secret=secret))
        return identity

    def get(self, name: str) -> tuple[str, OAuthApp]:
        """(id, app) by name or id. Raises NotFoundError, and WrongServerError where requests go to other servers than
        the app's."""
        row = self._row(name)
        secret = self.vault.open(row["secret"], *app_place(row)).decode()
        what = f"The app {row['name']!r}" if row["name"] else "The app of this connection"
        unknown = "If it belongs there: `connections move NAME` of a connection that uses it. Else store it again."
        check_servers(self.registry, row["connector"], what, servers_of(row), unknown)
        return row["id"], OAuthApp(row["client_id"], secret, tuple(json.loads(row["redirect_uris_json"])))

    def all(self) -> list[dict[str, Any]]:
        query = sa.select(apps).where(apps.c.name.is_not(None)).order_by(apps.c.name)
        return [
            {
                "name": row["name"],
                "connector": row["connector"],
                "client_id": row["client_id"],
                "servers": servers_of(row),
                "sandbox": is_sandbox(servers_of(row)),
                "redirect_uris": json.loads(row["redirect_uris_json"]),
                "connections": self._users(row["id"]),
            }
            for row in self.store.rows(query)
        ]

    def remove(self, name: str) -> None:
        """Also one whose secret can't be opened any more. Raises InputError while a connection uses it."""
        identity = self.check(name)
        if users := self._users(identity):
            problem = Problem(f"is used by {', '.join(users)}; remove those connections first")
            raise InputError("The app was not removed.", [problem])
        with self.store.write() as open_:
            open_.execute(sa.delete(apps).where(apps.c.id == identity))

    def check(self, name: str, connector: str = "") -> str:
        """The id of an app, by name or id, without its secret. Raises NotFoundError, and InputError for an app of
        another connector than the one named."""
        row = self._row(name)
        if connector and row["connector"] != connector:
            raise InputError("The app can't be used.", [Problem("belongs to another connector", path="app")])
        return str(row["id"])

    def _row(self, name: str) -> dict[str, Any]:
        row = self.store.row(sa.select(apps).where(sa.or_(apps.c.name == name, apps.c.id == name)))
        if row is None:
            raise NotFoundError(f"There is no app named {name!r}.", hint="`apps list` shows those there are.")
        return row

    def _users(self, identity: str) -> list[str]:
        query = sa.select(connections.c.name).where(connections.c.app_id == identity).order_by(connections.c.name)
        return [row["name"] for row in self.store.rows(query)]


def credential_place(row: Mapping[str, Any]) -> tuple[Part, ...]:
    """What the secret of a connection is bound to: where it is kept, and whom it is given to."""
    aims = (row["connector"], row["app_id"] or "", *_servers_part(row))
    return row["id"], row["type"], "credential", row["version"], *aims


def app_place(row: Mapping[str, Any]) -> tuple[Part, ...]:
    """What the secret of an app is bound to: where it is kept, and whom it is given to."""
    aims = (row["connector"], row["client_id"], row["redirect_uris_json"], *_servers_part(row))
    return row["id"], "oauth_app", "client_secret", row["version"], *aims


def _servers_part(row: Mapping[str, Any]) -> tuple[Part, ...]:
    """Nothing for a row from before servers were stored: its secret is bound to none."""
    return (row["servers_json"],) if row.get("servers_json") else ()


def _servers_json(servers: Servers | None) -> str | None:
    return None if servers is None else dumps(dict(servers))


def check_name(name: str) -> None:
    if not _NAME.match(name):
        text = "must begin with a letter or digit and hold at most 100 letters, digits, spaces or . _ @ + -"
        raise InputError("The name can't be used.", [Problem(text, path="name")])


def _check_free(open_: sa.Connection, name: str, but: str = "") -> None:
    """Raises InputError when another connection has the name, or has it as its id, by which it is found as well."""
    same = sa.or_(connections.c.name == name, connections.c.id == name)
    if open_.execute(sa.select(connections.c.id).where(same, connections.c.id != but)).first():
        raise InputError("The connection was not stored.", [Problem("is taken; choose another", path="name")])


def _connection(row: Mapping[str, Any]) -> Connection:
    return Connection(
        id=row["id"],
        name=row["name"],
        connector=row["connector"],
        type=row["type"],
        status=row["status"],
        reason=row["reason"],
        since=_moment(row["since"]),
        version=row["version"],
        app_id=row["app_id"],
        scopes=None if row["scopes_json"] is None else tuple(json.loads(row["scopes_json"])),
        issued_at=moment(row["issued_at"]),
        expires_at=moment(row["expires_at"]),
        refresh_sent_at=moment(row["refresh_sent_at"]),
        account=Account(**json.loads(row["account_json"])),
        missed=json.loads(row["missed_json"]),
        tested_at=moment(row["tested_at"]),
        owner=row["owner"],
        servers=servers_of(row),
    )


def _moment(value: float) -> datetime:
    found = moment(value)
    assert found is not None  # noqa: S101  # the column is not null
    return found


def _iso(value: float) -> str:
    return _moment(value).isoformat()
