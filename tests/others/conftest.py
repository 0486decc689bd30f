"""The sandbox process that the clients call, and the environment that they run in."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.actions.conftest import World, default_world, world

__all__ = ["default_world", "world"]

ROOT = Path(__file__).parents[2]
CLIENTS = Path(__file__).with_name("clients")
REQUIREMENTS = CLIENTS / "requirements.txt"


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of the clients' own environment, made once for each state of its requirements."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    home = ROOT / "build" / "others" / f"clients-{digest}-{sys.version_info.major}.{sys.version_info.minor}"
    if not home.exists():
        made = Path(f"{home}.{tmp_path_factory.getbasetemp().name}")
        subprocess.run([sys.executable, "-m", "venv", made], check=True)
        command = [made / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        command += ["--require-hashes", "--only-binary", ":all:", "-r", REQUIREMENTS]
        installed = subprocess.run(command, check=False, capture_output=True, text=True)
        if installed.returncode:
            shutil.rmtree(made)
            skip_or_fail("pip", installed.stderr)
        made.rename(home)
    return home / "bin" / "python"


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
