"""A made-up connector on the real plugin code with a scripted network, a clock that tests move, and a store."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from apollo_component.connector.connector import Connector
from apollo_component.contract.manifest import Manifest
from apollo_component.contract.models import Credential, OAuthApp, Reply
from apollo_component.contract.schemas import Schemas, schemas_at
from apollo_component.host import linking
from apollo_component.host.calls import Call
from apollo_component.host.connections import Connection, app_place, credential_place
from apollo_component.host.host import Host
from apollo_component.host.journal import Key
from apollo_component.host.registry import Registry
from apollo_component.host.settings import Settings
from apollo_component.host.store import Store
from apollo_component.host.tables import apps, connections, metadata

START = 1_800_000_000.0
TOKEN_PATH = "/token"
APP = OAuthApp("client-1", "canary-client-secret", ("http://127.0.0.1:8765/callback",))


class Clock:
    """Seconds since 1970, moved by tests and by every wait."""

    def __init__(self, now: float = START) -> None:
        self.now = now
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        assert len(self.waits) < 5_000, "waits without end"

    def moment(self, seconds: float = 0) -> datetime:
        return datetime.fromtimestamp(self.now + seconds, UTC)


def action(name: str, method: str, path: str, **more: Any) -> dict[str, Any]:
    base = {
        "id": name,
        "title": name.capitalize(),
        "group": "all",
        "description": name,
        "method": method,
        "path": path,
        "input": "schemas/any.schema.json",
        "output": "schemas/any.schema.json",
        "requires": {"key_endpoint": name, "oauth_scope": f"{name}_scope"},
        "effect": "read",
        "quota_class": "default",
        "reply": {"value": "."},
    }
    return base | more


def kind(name: str, **more: Any) -> dict[str, Any]:
    base = {"id": name, "title": name, "description": name, "fields": "schemas/any.schema.json", "guide": []}
    return base | {"removal": "", "prefix": ""} | more


LOOKUP = {"action": "find", "input": {"q": "name"}, "match": {"name": "name"}, "created": "created_at"}
DATA: dict[str, Any] = {
    "contract": "1.0",
    "id": "demo",
    "title": "Demo",
    "version": "1.0.0",
    "description": "A service made up for tests.",
    "servers": {
        "api": {"url": "https://api.test", "variable": "DEMO_API_URL"},
        "oauth": {"url": "https://login.test", "variable": "DEMO_OAUTH_URL"},
    },
    "groups": [{"id": "all", "title": "All"}],
    "paging_styles": {"page": {"max_per_page": 10, "max_records": 100}, "cursor": {"max_per_page": 10}},
    "quota_headers": {
        name: {"limit": [f"x-{name}-limit"], "left": [f"x-{name}-left"]} for name in ("minute", "hour", "day")
    },
    "errors": [
        {"status": 429, "match": "already processing", "error": "temporary", "worked": False},
        {"status": 404, "error_code": "result_pending", "error": "temporary", "worked": False},
    ],
    "connection_types": [
        kind("api_key", kind="key", header="x-key"),
        kind(
            "oauth2",
            kind="authorization_code",
            header="authorization",
            prefix="Bearer ",
            oauth={"server": "oauth", "authorize": "/#/authorize", "token": TOKEN_PATH},
        ),
    ],
    "test": [
        {"action": "whoami", "account": {"id": "id", "team_id": "team_id", "name": "name"}},
        {"action": "find", "connection_types": ["api_key"], "hint": "Allow find."},
    ],
    "actions": [
        action("whoami", "GET", "/whoami", requires={"open": True}),
        action("find", "GET", "/find", reply={"records": "records", "total": "total"}, paging="page"),
        action("stream", "GET", "/stream", reply={"records": "records"}, paging="cursor"),
        action("put", "PUT", "/put", effect="upsert"),
        action("make", "POST", "/make", effect={"kind": "create", "lookup": LOOKUP}),
        action(
            "ensure",
            "POST",
            "/ensure",
            effect={"kind": "create", "upsert_when": {"flag": "merge", "with_any": ["name"]}},
        ),
        action("blind", "POST", "/blind", effect="create"),
        action(
            "pay",
            "POST",
            "/pay",
            effect="bill",
            credits={"base": 1, "per": "items", "flags": {"phone": 8}, "unbounded": ["waterfall"], "reported": "spent"},
            reply={"records": "records"},
            bulk={"items": "items", "max": 2},
            key=None,
        ),
        action("mail", "POST", "/mail", effect="send"),
    ],
}


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    (folder / "schemas").mkdir()
    (folder / "schemas" / "any.schema.json").write_text('{"type": "object"}')
    return folder


@pytest.fixture(scope="session")
def manifest(root: Path) -> Manifest:
    return Manifest.from_data(DATA, root)


def answer(body: Any, status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status, {"content-type": "application/json", **named}, raw, "api.test")


def windows(**left: int | tuple[int, int]) -> dict[str, str]:
    """Header arguments: minute=5 (of 100) or minute=(5, 10)."""
    pairs = {name: value if isinstance(value, tuple) else (value, 100) for name, value in left.items()}
    told = {f"x_{name}_left": str(pair[0]) for name, pair in pairs.items()}
    return told | {f"x_{name}_limit": str(pair[1]) for name, pair in pairs.items()}


def page(*records: Any, total: int | None = None, **headers: str) -> Reply:
    return answer({"records": list(records)} | ({} if total is None else {"total": total}), **headers)


Script = Reply | Exception | Callable[[Any], Any]


class Service:
    """The network: what each path answers, in turn and at last by default; every request is kept."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.scripts: dict[str, deque[Script]] = {}
        self.defaults: dict[str, Script] = {
            "/whoami": answer({"id": "u1", "team_id": "t1", "name": "Dana"}),
            TOKEN_PATH: self._tokens,
        }
        self.lock = threading.Lock()
        self.issued = 0

    def on(self, path: str, *scripts: Script) -> None:
        """The next answers of a path; an exception is raised, a function is called with the request."""
        self.scripts.setdefault(path, deque()).extend(scripts)

    def always(self, path: str, script: Script) -> None:
        self.defaults[path] = script

    def sent(self, path: str) -> list[Any]:
        return [request for request in self.requests if self._path(request) == path]

    def send(self, request: Any, *, deadline: datetime, now: Callable[[], datetime]) -> Reply:
        with self.lock:
            self.requests.append(request)
            queue = self.scripts.get(self._path(request))
            script = queue.popleft() if queue else self.defaults.get(self._path(request), answer({"records": []}))
        found = script(request) if callable(script) else script
        if isinstance(found, Exception):
            raise found
        return found

    def _tokens(self, _request: Any) -> Reply:
        with self.lock:
            self.issued += 1
            number = self.issued
        return answer({"access_token": f"access-{number}", "refresh_token": f"refresh-{number}", "expires_in": 2592000})

    @staticmethod
    def _path(request: Any) -> str:
        return "/" + request.url.split("/", 3)[3]


class Later:
    """The real time plus what a test has moved it by."""

    offset = 0.0

    def __call__(self) -> float:
        return time.time() + self.offset


def in_threads(count: int, work: Callable[[int], Any]) -> None:
    """Work in so many threads that begin at one moment, each with its number, and wait for all."""
    gate = threading.Barrier(count)

    def begin(number: int) -> None:
        gate.wait()
        work(number)

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def later() -> Later:
    return Later()


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def schemas(root: Path) -> Schemas:
    """Those of the root a module's tests have, compiled once for all of them."""
    return schemas_at(root)


@pytest.fixture
def connector(manifest: Manifest, service: Service, clock: Clock, schemas: Schemas) -> Connector:
    made = Connector(manifest, send=service.send, environ={}, now=clock.moment)
    made.schemas = schemas
    return made


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new database, made once; tests start from copies."""
    file = tmp_path_factory.mktemp("template") / "host.db"
    Store.open(f"sqlite:///{file}").close()
    return file


@contextlib.contextmanager
def memory_folder() -> Iterator[Path]:
    """In memory where the system has such a folder: thousands of commits to a disk take their time."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None, prefix="host-tests-") as folder:
        yield Path(folder)


@pytest.fixture
def home(empty_database: Path) -> Iterator[Path]:
    with memory_folder() as folder:
        shutil.copy(empty_database, folder / "host.db")
        yield folder


@pytest.fixture
def settings(home: Path, database_at: Callable[[Path], str]) -> Settings:
    return Settings(home, database_at(home))


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    made = Store.open(settings.database_url)
    yield made
    made.close()


@pytest.fixture
def registry(connector: Connector) -> Registry:
    return Registry({"demo": connector})


@pytest.fixture
def notices() -> list[str]:
    return []


@pytest.fixture(scope="session")
def shared(backend: str, empty_database: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Settings, Store]]:
    """One database whose statements are compiled once, emptied before each test that uses it."""
    with memory_folder() as folder:
        shutil.copy(empty_database, folder / "host.db")
        url = f"sqlite:///{folder / 'host.db'}"
        if backend == "postgres":
            template = request.getfixturevalue("postgres_template")
            url = request.getfixturevalue("postgres").database(template)
        made = Store.open(url)
        yield Settings(folder, url), made
        made.close()


OWN = {"settings", "home", "store"}


@pytest.fixture
def host(
    request: pytest.FixtureRequest, shared: tuple[Settings, Store], registry: Registry, clock: Clock, notices: list[str]
) -> Iterator[Host]:
    """A host on the shared database, or on one of its own for a test that asks for its settings, home or store."""
    more: dict[str, Any] = {"clock": clock, "sleep": clock.sleep, "notice": notices.append}
    if OWN & set(request.fixturenames):
        made = Host.open(request.getfixturevalue("settings"), registry, **more)
        yield made
        made.close()
        return
    settings, store = shared
    with store.write(durable=False) as connection:
        for table in reversed(metadata.sorted_tables):
            if table.name != "host_keys":
                connection.execute(table.delete())
    yield Host.open(settings, registry, store=store, **more)


@pytest.fixture
def key(host: Host) -> Connection:
    """A connection by key."""
    return host.connections.add("mine", "demo", Credential("api_key", api_key="canary-key"))


@pytest.fixture
def oauth(host: Host, clock: Clock) -> Connection:
    """A connection by OAuth whose token is fresh for 30 days."""
    return add_oauth(host, clock)


def add_oauth(host: Host, clock: Clock, name: str = "theirs", *, age: float = 0, life: float = 2592000) -> Connection:
    """An OAuth connection issued `age` seconds ago for `life` seconds."""
    app_id = host.apps.add(None, "demo", APP)
    issued = clock.moment(-age)
    credential = Credential(
        "oauth2",
        access_token="access-0",
        refresh_token="refresh-0",
        issued_at=issued,
        expires_at=issued + timedelta(seconds=life),
    )
    return host.connections.add(name, "demo", credential, app_id=app_id)


def forget_servers(host: Host) -> None:
    """Make connections and apps what they were before their servers were stored."""
    vault = host.connections.vault
    with host.store.write() as open_:
        for table, place in ((connections, credential_place), (apps, app_place)):
            for row in open_.execute(sa.select(table)).mappings().all():
                secret = vault.open(row["secret"], *place(row))
                sealed = vault.to_seal(open_).seal(secret, *place({**row, "servers_json": None}))
                changed = sa.update(table).where(table.c.id == row["id"])
                open_.execute(changed.values(servers_json=None, secret=sealed))


class Caller:
    """Makes calls of one run as a test wants them."""

    def __init__(self, host: Host, connection: Connection, manifest: Manifest, budget: float | None = None) -> None:
        self.host, self.manifest = host, manifest
        self.connection = connection
        self.run = host.runs.create("action", "test", budget=budget).id

    def make(self, name: str, values: Mapping[str, Any] | None = None, item: str = "0", **more: Any) -> Call:
        place = Key(self.run, "run", item)
        return Call(place, self.connection.id, self.manifest.actions[name], values or {}, **more)

    def page(self, name: str, values: Mapping[str, Any] | None = None, item: str = "0", **more: Any) -> Any:
        return self.host.caller.page(self.make(name, values, item, **more))

    @property
    def credits(self) -> dict[str, float]:
        return self.host.journal.spent(self.run)

    @property
    def doubts(self) -> list[str]:
        return [row["outcome"] for row in self.host.journal.doubtful(self.run)]


@pytest.fixture
def caller(host: Host, key: Connection, manifest: Manifest) -> Caller:
    return Caller(host, key, manifest)


@pytest.fixture(params=["read", "upsert", "create", "bill", "send"])
def effect(request: pytest.FixtureRequest) -> str:
    """Each kind there is, by its name in `calling.EFFECTS`."""
    return str(request.param)


def with_contract(manifest: Manifest, version: str, identity: str = "other") -> Manifest:
    return replace(manifest, contract=version, id=identity)


class Sandbox:
    """The sandbox, started by its command, and its control door."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "apollo_component.sandbox", "--json", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.facts = json.loads(self.process.stdout.readline())
        self.http = httpx.Client(timeout=30)
        self.environ = {"APOLLO_API_URL": self.facts["api_url"], "APOLLO_OAUTH_URL": self.facts["oauth_url"]}

    def control(self, method: str, path: str, body: Any = None) -> Any:
        reply = self.http.request(method, self.facts["control_url"] + path, json=body)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def count(self, operation: str) -> int:
        return len(self.control("GET", f"/requests?operation={operation}"))

    def bodies(self, operation: str) -> list[str]:
        return [entry["body"] for entry in self.control("GET", f"/requests?operation={operation}")]

    def unlimited(self) -> None:
        classes = ("default", "search", "enrichment", "enrichment_bulk")
        self.control("POST", "/quotas", dict.fromkeys(classes, [None] * 3))

    def consent(self, url: str, decision: str = "allow") -> dict[str, str]:
        """What comes back to the redirect address after a person decided on the consent page."""
        query = dict(httpx.QueryParams(url.partition("?")[2]))
        reply = self.http.post(self.facts["oauth_url"] + "/oauth/consent", data={**query, "decision": decision})
        assert reply.status_code == 303, reply.text
        return dict(httpx.QueryParams(reply.headers["location"].partition("?")[2]))

    def stop(self) -> None:
        self.http.close()
        self.process.terminate()
        self.process.wait(10)
        assert self.process.stdout
        self.process.stdout.close()


def link(host: Host, sandbox: Sandbox, key: str = "master") -> Connection:
    """The connection `mine` with a key of the sandbox."""
    return linking.link_key(host, "apollo", "mine", "api_key", {"api_key": sandbox.facts["keys"][key]})[0]


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Sandbox]:
    started = Sandbox()
    yield started
    started.stop()


@pytest.fixture
def sandbox(sandbox_process: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """The sandbox as it was at its start, and the environment that leads to it."""
    sandbox_process.control("POST", "/reset")
    sandbox_process.control("DELETE", "/faults")
    for name, value in sandbox_process.environ.items():
        monkeypatch.setenv(name, value)
    return sandbox_process


@pytest.fixture
def live(sandbox: Sandbox, settings: Settings, later: Later) -> Iterator[Host]:
    """A host on a new database whose connection `mine` is the sandbox's master key; the sandbox has no quotas."""
    sandbox.unlimited()
    made = Host.open(settings, Registry.installed(), clock=later)
    link(made, sandbox)
    sandbox.control("DELETE", "/requests")
    yield made
    made.close()
