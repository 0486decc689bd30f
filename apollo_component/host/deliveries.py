"""Results that a service delivers to an address of ours: who they are for, and what came. Tokens are kept hashed."""

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from ..contract.actions import Action
from ..contract.errors import ConnectorError, PermissionDeniedError
from ..contract.models import Event, HostUrl
from ..contract.placeholders import cleared
from ..contract.waits import CallbackRule
from .calls import Call
from .connections import Connection
from .journal import RECEIVED, Key
from .registry import Registry
from .store import Store
from .tables import deliveries, history, journal
from .tokens import hashed

TOKEN_BYTES = 32
EXTRA_SECONDS = 86400.0
"""An address is good for as long as its result is waited for, and so much longer."""
PATH = "/callbacks/"


@dataclass(frozen=True, slots=True)
class Expected:
    """A result that is expected, and what has come of it. `source` is the trigger that it is parsed as."""

    token_hash: str
    key: Key
    connection: str
    source: str
    body: bytes | None = field(repr=False)


class Deliveries:
    """`public_url` is where the outside reaches this host; without one, nothing is delivered and all is polled."""

    def __init__(
        self, store: Store, registry: Registry, public_url: str = "", clock: Callable[[], float] = time.time
    ) -> None:
        self.store, self.registry, self.public_url, self.clock = store, registry, public_url, clock

    def addressed(self, call: Call, connection: Connection) -> dict[str, Any]:
        """The input of a request that is about to leave, with a new address when its result can be delivered here.

        Raises PermissionDeniedError when it could only be polled, and the connection is known not to have the right.
        """
        values, wait = dict(call.input), call.action.wait
        if wait is None or wait.callback is None or not wait.expected(values) or values.get(wait.callback.url):
            return values
        if self._delivers(wait.callback, values):
            token = self._issue(call.key, connection.id, wait.callback.trigger, wait.timeout + EXTRA_SECONDS)
            return self._with(wait.callback, values, token)
        self._check_pollable(call.action, connection)
        return values

    def sketched(self, action: Action, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The same for somebody who only looks: no address is made, and TOKEN stands in its place."""
        wait = action.wait
        if wait is None or wait.callback is None or not wait.expected(values) or values.get(wait.callback.url):
            return values
        return self._with(wait.callback, values, "TOKEN") if self._delivers(wait.callback, values) else values

    def _delivers(self, callback: CallbackRule, values: Mapping[str, Any]) -> bool:
        polled = callback.poll is not None and values.get(callback.poll) is True
        return bool(self.public_url) and not polled

    def _with(self, callback: CallbackRule, values: Mapping[str, Any], token: str) -> dict[str, Any]:
        return {**values, callback.url: HostUrl(f"{self.public_url}{PATH}{token}")}

    def _check_pollable(self, action: Action, connection: Connection) -> None:
        manifest = self.registry.manifest(connection.connector)
        asked = manifest.actions[action.wait.action] if action.wait else action
        scope, granted = asked.requires.oauth_scope, connection.scopes
        if granted is not None and scope is not None and scope not in granted:
            raise PermissionDeniedError(
                f"The result of {action.title} comes later, and this connection may not fetch it; nothing was sent.",
                missing={"oauth_scope": scope},
                hint=f"Add the scope {scope} to the OAuth app and authorize again.",
            )

    def _issue(self, key: Key, connection: str, source: str, seconds: float) -> str:
        """A new unguessable token; what has expired is deleted on the way."""
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self.clock()
        row = {"run": key.run, "step": key.step, "item": key.item, "connection": connection, "source": source}
        with self.store.write() as open_:
            open_.execute(sa.delete(deliveries).where(deliveries.c.expires_at < now))
            values = {"token_hash": hashed(token), "created_at": now, "expires_at": now + seconds, **row}
            open_.execute(sa.insert(deliveries).values(**values))
        return token

    def find(self, token: str) -> Expected | None:
        """What a token stands for; None when there is none or it has expired.

        The look-up is by hash, so its time tells nothing about the tokens there are.
        """
        mine = (deliveries.c.token_hash == hashed(token), deliveries.c.expires_at >= self.clock())
        return next(iter(self._expected(*mine)), None)

    def of(self, key: Key) -> list[Expected]:
        """What is or was expected for a request: one for each time it was sent."""
        return self._expected(deliveries.c.run == key.run, deliveries.c.step == key.step, deliveries.c.item == key.item)

    def keep(self, expected: Expected, body: bytes) -> bool:
        """Keep a delivery, the first one only; False when there was one."""
        free = (deliveries.c.token_hash == expected.token_hash, deliveries.c.body.is_(None))
        values = {"body": body, "received_at": self.clock()}
        with self.store.write() as open_:
            return bool(open_.execute(sa.update(deliveries).where(*free).values(**values)).rowcount)

    def ignore(self, expected: Expected) -> None:
        """Note that a delivery is not the one that was asked for. Was it kept, its place is free again."""
        note = {"connection_id": expected.connection, "at": self.clock(), "event": "delivery ignored"}
        text = f"its ids are not those that run {expected.key.run}, step {expected.key.step} asked for"
        mine = (deliveries.c.token_hash == expected.token_hash, deliveries.c.body == expected.body)
        with self.store.write() as open_:
            open_.execute(sa.update(deliveries).where(*mine).values(body=None, received_at=None))
            open_.execute(sa.insert(history).values(**note, text=text))

    def ids(self, expected: Expected, connector: str, body: bytes) -> list[str]:
        """Which records a delivery is about, as its connector reads it. Raises InputError when it can't be read."""
        return [event.id for event in self._received(connector, expected.source, body)]

    def _received(self, connector: str, source: str, body: bytes) -> tuple[Event, ...]:
        headers = {"content-type": "application/json"}
        found: tuple[Event, ...] = self.registry.call(
            connector, "connector_receive", trigger=source, body=body, headers=headers
        )
        return found

    def matches(self, expected: Expected, ids: Sequence[str]) -> bool:
        """Whether every id stands in an answer recorded for the request; true while none is recorded yet."""
        key = expected.key
        mine = (journal.c.run == key.run, journal.c.step == key.step, journal.c.item == key.item)
        query = sa.select(journal.c.body).where(*mine, journal.c.state == RECEIVED, journal.c.body.is_not(None))
        with self.store.read() as open_:
            answers = open_.execute(query).scalars().all()
        return not answers or all(any(json.dumps(own).encode() in answer for answer in answers) for own in set(ids))

    def arrived(self, key: Key, connector: str, asked: Sequence[str]) -> Any:
        """The payload that has come for a request, None while there is none. One about other records is ignored."""
        for expected in self.of(key):
            if expected.body is None:
                continue
            try:
                known = set(self.ids(expected, connector, expected.body)) <= set(asked)
            except ConnectorError:
                known = False
            if known:
                return cleared(json.loads(expected.body), self.registry.manifest(connector).placeholders)
            self.ignore(expected)
        return None

    def events(self, source: str, connection: str, connector: str, after: float) -> tuple[list[Event], float]:
        """What was delivered to a connection for a callback trigger since `after`, each delivery a version of its own,
        and when the last of it came."""
        mine = (deliveries.c.source == source, deliveries.c.connection == connection)
        query = sa.select(deliveries).where(*mine, deliveries.c.received_at >= after, deliveries.c.body.is_not(None))
        rows = self.store.rows(query.order_by(deliveries.c.received_at))
        found = [
            replace(event, version=row["token_hash"][:32])
            for row in rows
            for event in self._received(connector, source, row["body"])
        ]
        return found, max([after, *(row["received_at"] for row in rows)])

    def _expected(self, *where: sa.ColumnElement[bool]) -> list[Expected]:
        rows = self.store.rows(sa.select(deliveries).where(*where).order_by(deliveries.c.created_at.desc()))
        return [
            Expected(
                row["token_hash"],
                Key(row["run"], row["step"], row["item"]),
                row["connection"],
                row["source"],
                row["body"],
            )
            for row in rows
        ]
