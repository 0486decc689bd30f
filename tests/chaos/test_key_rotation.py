"""The host's key changes under processes that read and refresh, and the one that changes it is killed twice."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from apollo_component.contract.models import Credential, OAuthApp
from apollo_component.host.host import Host
from apollo_component.host.key_files import KeySource
from apollo_component.host.rotation import listed
from apollo_component.host.settings import Settings
from apollo_component.host.store import insert_many
from apollo_component.host.tables import apps, connections

pytestmark = [pytest.mark.chaos, pytest.mark.full]
HERE = Path(__file__).parent
COUNT = int(os.environ.get("CHAOS_CONNECTIONS", "10000"))
"""`make test-all` makes it less."""
PYTHON = [sys.executable, "-W", "ignore"]
SECONDS = 120


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    (tmp_path / "home").mkdir(mode=0o700)
    return Settings(tmp_path / "home", database_url)


@pytest.fixture
def begin(settings: Settings) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start a process of this host."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WORKFLOW_HOST_")}
    where = {"WORKFLOW_HOST_HOME": str(settings.home), "WORKFLOW_HOST_DATABASE_URL": settings.database_url}
    begun: list[subprocess.Popen[str]] = []

    def started(*arguments: str) -> "subprocess.Popen[str]":
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        begun.append(subprocess.Popen([*PYTHON, *arguments], env=kept | where, text=True, **pipes))
        return begun[-1]

    yield started
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.communicate()


def fill(host: Host) -> None:
    """So many connections as linking stores them, in one transaction; every tenth with an app of its own."""
    owned = [host.apps.add(None, "apollo", OAuthApp(f"client {n}", f"secret {n}")) for n in range(max(COUNT // 100, 1))]
    servers = json.dumps(host.registry.servers("apollo"))
    rows = [
        {"id": f"{n:024x}", "name": f"c{n}", "connector": "apollo", "type": "oauth2", "version": 1, "status": "active",
         "reason": "", "since": 0.0, "created_at": 0.0, "app_id": random.choice(owned) if n % 10 == 0 else None,
         "account_json": "{}", "missed_json": "{}", "servers_json": servers}
        for n in range(COUNT)
    ]  # fmt: skip
    with host.store.write() as open_:
        sealed = [{**row, **host.connections._sealed(open_, row, _first(row["id"]))} for row in rows]
        insert_many(open_, connections, sealed)


def _first(identity: str) -> Credential:
    return Credential("oauth2", access_token=f"{identity}/1", refresh_token=f"{identity}/1")


def killed(process: "subprocess.Popen[str]") -> None:
    _, told = process.communicate(timeout=SECONDS)
    assert process.returncode == -signal.SIGKILL, told


def under(host: Host) -> dict[str, int]:
    """How many secrets are under each key."""
    return {row["id"]: row["secrets"] for row in listed(host.store, host.connections.vault)}


def test_a_rotation_killed_twice_under_load_loses_nothing(
    settings: Settings, begin: Callable[..., "subprocess.Popen[str]"], record_property: Callable[[str, Any], None]
) -> None:
    """Two workers that knew only the old key read and refresh all the while, the rotation is killed twice and taken up
    again: everything is readable and is what was stored last, nothing is under the old key, and that is gone."""
    host = Host.open(settings)
    fill(host)
    [old] = KeySource(settings).read()
    workers = [begin(str(HERE / "token_worker.py"), str(number)) for number in range(2)]
    for worker in workers:
        assert worker.stdout
        assert worker.stdout.readline() == "begun\n", worker.communicate()
    left, began = [], time.monotonic()
    for _ in range(2):
        order = random.randint(0, 5), max(COUNT // 20, 1), random.uniform(0, 0.02)
        killed(begin(str(HERE / "rotation_victim.py"), *map(str, order)))
        left.append(under(host).get(old.id, 0))
    rotation = begin("-m", "apollo_component", "keys", "rotate", "--json")
    out, err = rotation.communicate(timeout=SECONDS)
    assert rotation.returncode == 0, err
    seconds = time.monotonic() - began
    told = [worker.communicate("", timeout=SECONDS) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], told
    done = [json.loads(out) for out, _ in told]
    check(settings, old.id, json.loads(out)["current"], {**done[0]["stored"], **done[1]["stored"]})
    host.close()
    figures = {name: sum(one[name] for one in done) for name in ("reads", "refreshes")}
    record_property(
        "figures",
        f"{COUNT:,} connections, 2 kills with {left[0]:,} and {left[1]:,} still under the old key, beside "
        f"{figures['reads']:,} reads and {figures['refreshes']:,} refreshes: all readable, 0 under the old key, "
        f"{seconds:.1f} s",
    )
    assert left[1] > 0, "both kills came while work was left"


def check(settings: Settings, old: str, new: str, stored: dict[str, int]) -> None:
    """What a process finds that starts afterwards."""
    assert [key.id for key in KeySource(settings).read()] == [new]
    assert sorted(file.name for file in settings.home.glob("*key*")) == ["host.key"]
    after = Host.open(settings)
    rows = listed(after.store, after.connections.vault)
    assert {row["id"]: row["state"] for row in rows} == {old: "retired", new: "current"}
    found = after.connections.all()
    assert len(found) == COUNT
    assert under(after) == {old: 0, new: COUNT + len(after.store.rows(sa.select(apps.c.id)))}
    for connection in found:
        credential = after.connections.credential(connection)
        assert connection.version == stored.get(connection.id, 1)
        assert credential.access_token == credential.refresh_token == f"{connection.id}/{connection.version}"
        if connection.app_id:
            assert after.apps.get(connection.app_id)[1].client_secret.startswith("secret ")
    after.close()
