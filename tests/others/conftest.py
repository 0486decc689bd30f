"""The sandbox process that the clients call, and the environment that they run in."""

import contextlib
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.actions.conftest import World, default_world, world

__all__ = ["default_world", "world"]

ROOT = Path(__file__).parents[2]
SERVER = Path(__file__).with_name("server")
CLIENTS = Path(__file__).with_name("clients")
REQUIREMENTS = CLIENTS / "requirements.txt"


@pytest.fixture(scope="session")
def python() -> Path:
    """The interpreter of the clients' own environment."""
    return installed([REQUIREMENTS], with_pip) / "bin" / "python"


@pytest.fixture(scope="session")
def authorization_server() -> Iterator[str]:
    """The address of an OAuth server that others wrote, run by node."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("there is no node with npm on this machine")
    home = installed([SERVER / "package.json", SERVER / "package-lock.json", SERVER / "server.mjs"], with_npm)
    process = subprocess.Popen(
        ["node", "server.mjs"], cwd=home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin
    assert process.stdout
    with process.stdout:
        yield json.loads(process.stdout.readline())["url"]
        process.stdin.close()
        process.wait(10)


def installed(files: list[Path], install: Callable[[Path], list[str | Path]]) -> Path:
    """A folder under build/ with what the files ask for, made once for each state of them."""
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    home = ROOT / "build" / "others" / f"{files[0].parent.name}-{digest}-py{sys.version_info.minor}"
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f"{home.name}.", dir=home.parent))
        for file in files:
            shutil.copy(file, made)
        command = install(made)
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=made)
        if done.returncode:
            shutil.rmtree(made)
            skip_or_fail(str(Path(command[0]).name), done.stderr)
        with contextlib.suppress(FileExistsError, OSError):  # another process of this test run was faster
            made.rename(home)
    return home


def with_pip(home: Path) -> list[str | Path]:
    venv.create(home, with_pip=True)
    options = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:"]
    return [home / "bin" / "python", "-m", "pip", "install", *options, "-r", "requirements.txt"]


def with_npm(home: Path) -> list[str | Path]:
    return ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]


def skip_or_fail(client: str, said: str) -> None:
    """An installation that failed skips only where the registry can't be reached."""
    unreachable = ("NewConnectionError", "Temporary failure in name resolution", "ConnectTimeout", "ProxyError")
    unreachable += ("ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "ECONNREFUSED")
    if any(word in said for word in unreachable):
        pytest.skip(f"the registry of {client} can't be reached")
    pytest.fail(f"{client} failed: {said[-1500:]}")


def rows(http: httpx.Client, path: str, key: str, **asked: Any) -> list[dict[str, Any]]:
    """The records of one search."""
    method = "GET" if not asked else "POST"
    answer = http.request(method, path, json=asked or None).raise_for_status().json()
    found: list[dict[str, Any]] = answer[key]
    return found


@pytest.fixture
def facts(world: World) -> dict[str, Any]:
    """What a driver is told: addresses, a key, the app, and ids of the default world."""
    headers = {"x-api-key": world.facts["keys"]["master"]}
    with httpx.Client(base_url=world.facts["api_url"], headers=headers, timeout=10) as http:
        ids = ids_in(http)
    app = world.facts["oauth"]
    return {
        "api_url": world.facts["api_url"],
        "oauth_url": world.facts["oauth_url"],
        "key": world.facts["keys"]["master"],
        "app": {**app, "redirect_uri": app["redirect_uris"][0]},
        "ids": ids,
    }


def ids_in(http: httpx.Client) -> dict[str, str]:
    """An id of each kind of record, and what names a person and a company."""
    page = {"per_page": 100}
    contacts = rows(http, "/contacts/search", "contacts", **page)
    contact = next(one for one in contacts if one["account_id"] and one["linkedin_url"])
    account = next(one for one in rows(http, "/accounts/search", "accounts", **page) if one["organization_id"])
    deal = rows(http, "/opportunities/search?per_page=100", "opportunities")[0]
    task = next(one for one in rows(http, "/tasks/search", "tasks", **page) if one["status"] == "scheduled")
    sequences = rows(http, "/emailer_campaigns/search", "emailer_campaigns", **page)
    companies = rows(http, "/mixed_companies/search", "organizations", **page)
    person = rows(http, "/mixed_people/api_search", "people", organization_ids=[companies[0]["id"]], **page)[0]
    known = http.get(f"/people/{person['id']}").raise_for_status().json()["person"]
    return {
        "contact": contact["id"],
        "linkedin_url": contact["linkedin_url"],
        "contact_stage": rows(http, "/contact_stages", "contact_stages")[0]["id"],
        "account": account["id"],
        "deal": deal["id"],
        "pipeline": rows(http, "/opportunity_stages", "opportunity_stages")[0]["opportunity_pipeline_id"],
        "task": task["id"],
        "sequence": next(one["id"] for one in sequences if one["active"] and one["num_steps"]),
        "mailbox": rows(http, "/email_accounts", "email_accounts")[0]["id"],
        "message": rows(http, "/emailer_messages/search?per_page=100", "emailer_messages")[0]["id"],
        "call": rows(http, "/phone_calls/search?per_page=100", "phone_calls")[0]["id"],
        "conversation": rows(http, "/conversations/search", "conversations", page=1)[0]["id"],
        "note": next(note["id"] for one in contacts for note in rows(http, f"/notes?contact_id={one['id']}", "notes")),
        "user": rows(http, "/users/search?per_page=100", "users")[0]["id"],
        "organization": companies[0]["id"],
        "company": companies[0]["name"],
        "domain": companies[0]["primary_domain"],
        "person": person["id"],
        "name": known["name"],
        "email": f"{known['first_name']}.{known['last_name']}@{companies[0]['primary_domain']}".lower(),
    }


def outcomes(python: Path, client: str, facts: dict[str, Any]) -> dict[str, str]:
    """What came of the calls of one driver: empty where one passed, else its error."""
    driver = subprocess.run(
        [python, "-E", CLIENTS / f"{client}.py"],
        check=False,
        input=json.dumps(facts),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert driver.returncode == 0, driver.stderr[-2000:]
    found: dict[str, str] = json.loads(driver.stdout)
    return found
