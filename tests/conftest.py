"""What several test folders share: the plugin's registration, and a sandbox in a process of its own."""

import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import settings

from tests.canary.sink import SINK
from tests.ordering import ByFile, ordered
from tests.postgres import Postgres, started
from tests.times import Times

# Generated examples: as slow as a busy machine makes them, and kept nowhere.
settings.register_profile("unit", deadline=None, database=None, max_examples=50)
settings.load_profile("unit")

ROOT = Path(__file__).parent.parent
ENTRY_POINTS = "[workflow_connectors]\napollo = apollo_component.apollo.plugin:plugin\n"
ON_BOTH = {
    "host": {
        "attempts", "calls", "connect_sessions", "connections", "daily", "journal", "leases", "limits", "linking",
        "refreshing", "runs", "servers", "store", "sweeps", "workflow_units",
    },
    "hub": {"accounts", "every_place", "linking", "workflows"},
}  # fmt: skip
"""The modules (test_NAME.py of a folder) whose promises are the database's, too: they run on SQLite and on PostgreSQL."""
BACKENDS = ("sqlite", pytest.param("postgres", marks=pytest.mark.full))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database", choices=("sqlite", "postgres"), default="", help="Run every test of the host on this database."
    )
    parser.addoption("--shuffle", type=int, metavar="SEED", help="Run the tests in a random order.")
    parser.addoption(
        "--times", type=Path, metavar="FILE", help="Write what each test takes to FILE.PID of each process."
    )


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption("times")
    if path:
        config.pluginmanager.register(Times(path.absolute()), "times")


@pytest.hookimpl(optionalhook=True)  # mutation testing goes without xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items[:] = ordered(items, config.getoption("shuffle"))
    if config.getoption("database") == "postgres":
        for item in items:
            if item.get_closest_marker("sqlite"):
                item.add_marker(pytest.mark.skip(reason="about SQLite's own files"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" not in metafunc.fixturenames or metafunc.config.getoption("database"):
        return
    path, marked = metafunc.definition.path, metafunc.definition.get_closest_marker
    if marked("both") or path.stem.removeprefix("test_") in ON_BOTH.get(path.parent.name, ()):
        kinds = BACKENDS[:1] if marked("sqlite") else BACKENDS
        metafunc.parametrize("backend", kinds, indirect=True, scope="session")


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> str:
    """sqlite or postgres: what `--database` says, else what a test asks for, else sqlite."""
    return str(request.config.getoption("database") or getattr(request, "param", "sqlite"))


@pytest.fixture(scope="session")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The Apollo plugin is found in this process and its children, also when the package is not installed."""
    with pytest.MonkeyPatch.context() as patch:
        found = [str(ROOT)]
        if not entry_points(group="workflow_connectors"):
            folder = tmp_path_factory.mktemp("site") / "apollo_component-0.1.0.dist-info"
            folder.mkdir()
            (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: apollo-component\nVersion: 0.1.0\n")
            (folder / "entry_points.txt").write_text(ENTRY_POINTS)
            found.append(str(folder.parent))
            patch.syspath_prepend(str(folder.parent))
        patch.setenv("PYTHONPATH", os.pathsep.join([*found, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep))
        yield


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    SINK.hear(report)


@pytest.fixture(scope="session", autouse=True)
def _no_secret_left_behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Of all that the tests of this process printed, logged and stored, nothing holds a key of the shared sandbox."""
    yield
    assert SINK.found(tmp_path_factory.getbasetemp()) == []


@dataclass(frozen=True)
class Service:
    """A running sandbox: its announcement, and the door that only tests use."""

    facts: dict[str, Any] = field(repr=False)

    @property
    def env(self) -> dict[str, str]:
        return {"APOLLO_API_URL": self.facts["api_url"], "APOLLO_OAUTH_URL": self.facts["oauth_url"]}

    @property
    def keys(self) -> dict[str, str]:
        return self.facts["keys"]

    @property
    def oauth(self) -> dict[str, Any]:
        return self.facts["oauth"]

    def control(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.facts["control_url"] + path, data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def requests(self) -> list[dict[str, Any]]:
        """The API requests it has seen, credentials removed."""
        found: list[dict[str, Any]] = self.control("GET", "/requests")
        return found


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL server for all tests of this process."""
    server = started()
    yield server
    server.stop()
    shutil.rmtree(server.data.parent, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    """The name of a database with the newest schema and nothing in it; new ones are copies."""
    from apollo_component.host.store import Store

    url = postgres.database()
    Store.open(url).close()
    return str(sa.make_url(url).database)


@pytest.fixture
def database_at(backend: str, request: pytest.FixtureRequest) -> Iterator[Callable[[Path], str]]:
    """The address of a home's own database, of the kind that the test runs on; the same whenever it is asked for."""
    if backend == "sqlite":
        yield lambda home: f"sqlite:///{home / 'host.db'}"
        return
    server = request.getfixturevalue("postgres")
    made: dict[Path, str] = {}
    yield (
        lambda home: (
            made.get(home) or made.setdefault(home, server.database(request.getfixturevalue("postgres_template")))
        )
    )
    for url in made.values():
        server.drop(url)


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of either kind, for tests whose promise holds on both."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'database' / 'host.db'}"
        return
    server = request.getfixturevalue("postgres")
    url = server.database()
    yield url
    server.drop(url)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Service]:
    """One sandbox for the whole session; use `service`, which starts each test from the same world."""
    redirects = [f"http://127.0.0.1:{free_port()}/callback", "https://example.com/callback"]
    command = [sys.executable, "-m", "apollo_component.sandbox", "--json", "--people", "400"]
    command += [part for uri in redirects for part in ("--redirect-uri", uri)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout
    with process.stdout:
        service = Service(json.loads(process.stdout.readline()))
        SINK.secrets |= service.keys | {"client secret": service.oauth["client_secret"]}
        yield service
        process.terminate()
        process.wait(10)


@pytest.fixture
def service(sandbox_process: Service) -> Service:
    sandbox_process.control("POST", "/reset", {})
    return sandbox_process
