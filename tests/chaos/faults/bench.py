"""A real host before a real sandbox, with a door in between, a clock that is moved, and a database that can be hurt."""

import json
import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from apollo_component.apollo.plugin import plugin
from apollo_component.apollo.quirks import QUIRKS
from apollo_component.connector import client
from apollo_component.connector.connector import Connector
from apollo_component.contract.models import AuthorizeRequest, Callback, Credential, OAuthApp, Redirect, Reply
from apollo_component.host.calls import Call
from apollo_component.host.host import Host
from apollo_component.host.journal import Key
from apollo_component.host.registry import Registry
from apollo_component.host.settings import Settings
from apollo_component.host.store import Store
from apollo_component.host.tables import metadata

from .door import Door, Stranger

PATIENT, IMPATIENT = 20.0, 0.25
"""How long an answer is waited for: as long as a slow machine needs, or shortly, where it is known not to come."""
BUSY_SECONDS = 0.05
ROOM = 1000
"""Pages that the database may have in all."""
BALLAST = 8_000_000
"""Bytes that every write takes while the disk is full: more than there is room for."""


class Clock:
    """The time of the host: the machine's, moved by every wait, and by jumps. The first wait after `when_waiting` is
    set calls it."""

    def __init__(self) -> None:
        self.moved = 0.0
        self.waits = 0
        self.when_waiting: Callable[[], None] | None = None
        self.follower: Callable[[float], Any] | None = None

    def __call__(self) -> float:
        return time.time() + self.moved

    def moment(self) -> datetime:
        return datetime.fromtimestamp(self(), UTC)

    def sleep(self, seconds: float) -> None:
        self.moved += seconds
        self.waits += 1
        if self.follower:
            self.follower(seconds)
        due, self.when_waiting = self.when_waiting, None
        if due:
            due()


class Bench:
    """What all cells share. `at` is a world's home: an empty database with its key."""

    def __init__(self, sandbox: Any, folder: Path) -> None:
        self.sandbox = sandbox
        self.http = httpx.Client(
            base_url=sandbox.facts["api_url"], headers={"x-api-key": sandbox.facts["keys"]["master"]}
        )
        self.door = Door(int(re.search(r":(\d+)/", sandbox.facts["api_url"])[1]))  # type: ignore[index]
        self.stranger = Stranger()
        self.environ: dict[str, str] = {}
        self.lead_to(f"http://127.0.0.1:{self.door.port}")
        self.template = folder / "template"
        Host.open(self._settings(self.template), self.registry(Clock())).close()
        self.people = self.http.post("/mixed_people/api_search", json={"per_page": 100}).json()["people"]
        self.people.sort(key=lambda person: person["has_direct_phone"] != "Yes")
        self.contacts = sandbox.ask("/contacts")["contacts"]
        self.numbers = iter(range(10**6))

    def lead_to(self, address: str) -> None:
        """Where the connector finds the service from now on."""
        self.environ |= {"APOLLO_API_URL": f"{address}/api/v1", "APOLLO_OAUTH_URL": address}

    def registry(self, clock: Clock, world: "World | None" = None) -> Registry:
        def send(request: Any, *, deadline: datetime, now: Callable[[], datetime]) -> Reply:
            patience = timedelta(seconds=world.patience if world else PATIENT)
            return client.send(request, deadline=min(deadline, now() + patience), now=now)

        made = Connector(plugin.manifest, QUIRKS, send=send, environ=self.environ, now=clock.moment)
        made.schemas, made.fields = plugin.schemas, plugin.fields
        return Registry({"apollo": made})

    def _settings(self, home: Path, public_url: str = "") -> Settings:
        return Settings(home, f"sqlite:///{home / 'host.db'}", public_url=public_url)

    def world(self, home: Path, database_url: str = "", public_url: str = "") -> "World":
        shutil.copytree(self.template, home)
        settings = self._settings(home, public_url)
        return World(self, replace(settings, database_url=database_url) if database_url else settings)

    def stop(self) -> None:
        self.door.calm()
        self.door.shut()
        self.stranger.stop()
        self.http.close()


class World:
    """One cell's host: a connection, a run, and a service that has forgotten all requests before."""

    def __init__(self, bench: Bench, settings: Settings) -> None:
        self.bench, self.sandbox, self.door = bench, bench.sandbox, bench.door
        self.clock, self.patience = Clock(), PATIENT
        self.settings = settings
        self.number = next(bench.numbers)
        self.store = Store(settings.database_url, busy_seconds=BUSY_SECONDS)
        if self.store.is_sqlite:
            sa.event.listen(self.store.engine, "connect", lambda made, _: made.execute(f"PRAGMA max_page_count={ROOM}"))
        else:
            self.store.close()
            self.store = Store.open(settings.database_url)
        registry = bench.registry(self.clock, self)
        self.host = Host.open(settings, registry, store=self.store, clock=self.clock, sleep=self.clock.sleep)
        self.manifest = registry.manifest("apollo")
        self.run = self.host.runs.create("action", "cell").id
        self.healers: list[Callable[[], None]] = []
        self.server: Any = None
        self.secrets = [*self.sandbox.facts["keys"].values(), self.sandbox.facts["oauth"]["client_secret"]]
        self.begin_anew()

    # The service

    def begin_anew(self) -> None:
        self.sandbox.http.delete("/faults")
        self.sandbox.http.delete("/requests")
        self.spent_before = self.sandbox.ask("/ledger")["total"]
        self.refreshes_before = self._refreshes()

    def api(self, method: str, path: str, **body: Any) -> Any:
        """What somebody else asks the service, not through the door."""
        return self.bench.http.request(method, path, json=body or None).raise_for_status().json()

    def requests(self, operation: str) -> list[dict[str, Any]]:
        return [
            one for one in self.sandbox.ask("/requests", operation=operation) if one["method"] == "GET" or one["body"]
        ]

    def worked(self, operation: str) -> int:
        """How often the service did it."""
        return sum(one["status"] == 200 and one["fault"] != "html" for one in self.requests(operation))

    @property
    def spent(self) -> float:
        return float(self.sandbox.ask("/ledger")["total"] - self.spent_before)

    @property
    def refreshes(self) -> int:
        return self._refreshes() - self.refreshes_before

    def _refreshes(self) -> int:
        return int(self.sandbox.ask("/oauth")["requests"].get("refresh_token", {}).get("ok", 0))

    # Connections

    def key(self) -> str:
        return self.host.connections.add(
            "mine", "apollo", Credential("api_key", api_key=self.sandbox.facts["keys"]["master"])
        ).id

    def tokens(self, **more: Any) -> str:
        """A connection by OAuth."""
        app_id = self.host.apps.add(None, "apollo", self._app)
        return self.host.connections.add("mine", "apollo", replace(self._granted(), **more), app_id=app_id).id

    def link_again(self, identity: str) -> None:
        link = self.host.connections.get(identity)
        self.host.connections.replace_credential(link, self._granted(), "linked", "linked again")

    @property
    def _app(self) -> OAuthApp:
        facts = self.sandbox.facts["oauth"]
        return OAuthApp(facts["client_id"], facts["client_secret"], tuple(facts["redirect_uris"]))

    def _granted(self) -> Credential:
        """What comes of the consent page, asked for directly."""
        app, there = self._app, {name: self.sandbox.facts[f"{name}_url"] for name in ("api", "oauth")}
        environ = {"APOLLO_API_URL": there["api"], "APOLLO_OAUTH_URL": there["oauth"]}
        quiet = Connector(plugin.manifest, QUIRKS, environ=environ, now=lambda: datetime.now(UTC))
        uri = app.redirect_uris[0]
        scopes = tuple(
            sorted({a.requires.oauth_scope for a in self.manifest.actions.values() if a.requires.oauth_scope})
        )
        found = quiet.connector_authorize(AuthorizeRequest("oauth2", {}, app, uri, "state", scopes))
        assert isinstance(found, Redirect)
        form = {**httpx.QueryParams(found.url.partition("?")[2]), "decision": "allow"}
        reply = httpx.post(f"{there['oauth']}/oauth/consent", data=form)
        query = dict(httpx.QueryParams(reply.headers["location"].partition("?")[2]))
        made = quiet.connector_exchange(Callback(query, "state", uri, app, scopes, "oauth2"))
        self.secrets += [made.access_token, made.refresh_token]
        return made

    # Calls

    def call(self, connection: str, action: str, values: Mapping[str, Any], item: str = "0", **more: Any) -> Call:
        return Call(Key(self.run, "run", item), connection, self.manifest.actions[action], values, **more)

    @property
    def doubts(self) -> list[str]:
        return [row["outcome"] for row in self.host.journal.doubtful(self.run)]

    @property
    def credits(self) -> dict[str, float]:
        return self.host.journal.spent(self.run)

    # Harm

    def until_waiting(self, healer: Callable[[], None]) -> None:
        """What is wrong lasts until the host waits for the first time, or until `heal`."""
        self.healers.append(healer)
        self.clock.when_waiting = self.heal

    def heal(self) -> None:
        self.clock.when_waiting = None
        self.patience = PATIENT
        while self.healers:
            self.healers.pop()()

    @property
    def database(self) -> Path:
        return Path(self.store.url.database or "")

    def lock(self) -> None:
        """Another connection writes, and doesn't end."""
        other = sqlite3.connect(self.database, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")

        def unlock() -> None:
            other.execute("ROLLBACK")
            other.close()

        self.healers.append(unlock)

    def halt(self) -> None:
        """The database's server stops."""
        self.server.halt()
        self.healers.append(self.server.go_on)

    def fill(self) -> None:
        """From now on every write needs more room than there is: SQLite itself says that the disk is full."""
        other = sqlite3.connect(self.database, timeout=15)
        other.execute("CREATE TABLE IF NOT EXISTS ballast (bytes BLOB)")
        names = [f"full_{number}" for number in range(2 * len(metadata.tables))]
        places = [(table, event) for table in metadata.tables for event in ("INSERT", "UPDATE")]
        for name, (table, event) in zip(names, places, strict=True):
            heavy = f"BEGIN INSERT INTO ballast VALUES (zeroblob({BALLAST})); END"
            other.execute(f"CREATE TRIGGER {name} AFTER {event} ON {table} {heavy}")
        other.close()

        def free() -> None:
            again = sqlite3.connect(self.database, timeout=15)
            for name in names:
                again.execute(f"DROP TRIGGER {name}")
            again.close()

        self.healers.append(free)

    def stop(self) -> None:
        self.heal()
        self.door.calm()
        self.bench.lead_to(f"http://127.0.0.1:{self.door.port}")
        self.store.close()


@dataclass(frozen=True)
class Target:
    """The request that a fault is meant for, and which of the sandbox's operations it is."""

    operation: str
    path: re.Pattern[bytes]

    @classmethod
    def of(cls, world: World, action: str) -> "Target":
        declared = world.manifest.actions[action]
        path = re.sub(r"\\{[^}]*\\}", "[^/ ?]+", re.escape(declared.path))
        return cls(action, re.compile(f"{declared.method} /api/v1{path}[ ?]".encode()))


TOKENS = Target("oauth_token", re.compile(rb"POST [^ ]*/oauth/token[ ?]"))


def shown(error: Any) -> str:
    return json.dumps(error.as_dict()) + repr(error)
