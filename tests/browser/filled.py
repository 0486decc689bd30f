"""A Hub with what there is after some weeks: accounts in every state, links, a token, and runs of every kind.

Everything is done as the pages' forms do it, by an operator who is signed in.
"""

import contextlib
import re
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

from playwright.sync_api import Page

from .conftest import ROOT, Live, served

PROSPECT, WELCOME, CALLS = "Prospect small companies", "Call back new contacts", "Plan the week's calls"
BROKEN = "Clean up old deals"
INPUTS = {"input.sequence": "Founder outreach", "input.titles": "Founder\nCEO", "mails": "yes"}
CHOSEN = ("people_api_search", "people_bulk_match", "contacts_create")
APP = "Sandbox app"


@contextlib.contextmanager
def offering(folder: Path) -> Iterator[Live]:
    """A Hub that offers the workflows of the examples and of the tests, copied into the folder."""
    for file in (*(ROOT / "examples").glob("*.yaml"), *(Path(__file__).parent / "workflows").glob("*.yaml")):
        shutil.copy(file, folder)
    with served("--workflows", str(folder)) as live:
        yield live


class Filling:
    """`known` has what pages are found by: ids of accounts, runs, links and attempts, and addresses."""

    def __init__(self, live: Live, page: Page) -> None:
        self.live, self.page = live, page
        names = {"workflow": PROSPECT, "enabled": WELCOME, "calls": CALLS, "broken": BROKEN}
        self.known: dict[str, str] = {key: quote(name) for key, name in names.items()}
        self.csrf = page.locator("meta[name=csrf]").get_attribute("content") or ""

    def post(self, path: str, fields: Iterable[tuple[str, str]] = (), **more: str) -> str:
        """Sends a form; where its answer leads."""
        body = urlencode([("csrf", self.csrf), *fields, *more.items()])
        headers = {"content-type": "application/x-www-form-urlencoded"}
        answer = self.page.request.post(self.live.address + path, data=body, headers=headers, max_redirects=0)
        wrong = re.findall(r"class=\"wrong[^>]*>([^<]+)", answer.text()) if answer.status == 422 else []
        assert answer.status == 303, f"{path}: {answer.status} {wrong}"
        return answer.headers["location"]

    def told(self, path: str) -> dict:
        return self.page.request.get(self.live.address + path).json()

    def fault(self, operation: str, **fault: object) -> None:
        self.live.control("POST", "/faults", {"operation": operation, "times": 1, **fault})

    def account(self, name: str, key: str, chosen: Iterable[str] = CHOSEN) -> str:
        """Links an account by a key; its id."""
        query = urlencode([("connector", "apollo"), ("type", "api_key"), *(("for", one) for one in chosen)])
        attempt = self.post(f"/link?{query}", name=name, api_key=self.live.keys[key])
        self.known[f"{key}_attempt"] = attempt
        return self.linked(attempt)

    def linked(self, attempt: str) -> str:
        return self.told(attempt.removeprefix("/link"))["connection"]

    def attempt(self, name: str, chosen: Iterable[str] = CHOSEN) -> str:
        """Begins to link an account by OAuth; the path of the attempt."""
        query = urlencode([("connector", "apollo"), ("type", "oauth2"), *(("for", one) for one in chosen)])
        return self.post(f"/link?{query}", name=name, app=APP)

    def decided(self, attempt: str, button: str) -> str:
        """Goes to the service and answers there; the path of the attempt."""
        self.page.goto(f"{self.live.address}{attempt.removeprefix('/link')}/go")
        self.page.get_by_role("button", name=button, exact=True).click()
        self.page.wait_for_url("**/link/attempts/*")
        return attempt

    def link(self, owner: str) -> tuple[str, str]:
        """Makes a link for an end user: it, and its id."""
        self.page.goto(f"{self.live.address}/settings/links")
        self.page.get_by_label("For whom").fill(owner)
        self.page.get_by_label("OAuth app").select_option(APP)
        self.page.get_by_label("Back to").fill("https://app.example/done")
        self.page.get_by_role("button", name="Make the link").click()
        url = self.page.get_by_label("The link", exact=True).input_value()
        form = self.page.locator(f"li:has-text('{owner}') form").get_attribute("action") or ""
        return url, form.split("/")[-2]

    def run(self, status: str, workflow: str = "workflow", **inputs: str) -> str:
        """Starts a workflow and waits until its run is as told; its id."""
        values = {"budget": "60", "connection.apollo": self.known["work"], **inputs}
        place = self.post(f"/workflows/{self.known[workflow]}/start", values.items())
        self.wait(place, status, 60)
        return place.rpartition("/")[2]

    def tried(self, action: str, status: str = "done", **fields: str) -> str:
        """Runs an action from its page; the run's id."""
        self.page.goto(f"{self.live.address}/try/apollo/{action}")
        once = self.page.locator("[name=_once]").get_attribute("value") or ""
        values = {"_once": once, "_mode": "json", "_connection": "Work", "_do": "run", **fields}
        place = self.post(f"/try/apollo/{action}", values.items())
        self.wait(place.replace("/try", ""), status, 30)
        return place.rpartition("/")[2]

    def wait(self, place: str, status: str, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (now := self.told(f"{place}/now")["status"]) != status:
            assert time.monotonic() < end, f"{place} is {now}, not {status}"
            assert now not in ("done", "failed", "cancelled"), f"{place} is {now}, not {status}"
            time.sleep(0.2)


def fill(live: Live, page: Page) -> dict[str, str]:
    filling = Filling(live, page)
    for part in (_accounts, _links, _runs, _rest):
        part(filling)
    return filling.known


def _accounts(filling: Filling) -> None:
    known = filling.known
    ended = filling.decided(filling.attempt("Sales before the move"), "Allow")
    known["ended"] = filling.linked(ended)
    filling.live.control("POST", "/tokens/revoke", {})
    filling.page.goto(f"{filling.live.address}/accounts/{known['ended']}")
    filling.page.get_by_role("button", name="Test now").click()
    known["work"] = filling.account("Work", "master")
    known["limited"] = filling.account("Support", "scoped_without_search", ("people_api_search", "contacts_search"))
    known["linked_limited"] = known["scoped_without_search_attempt"]
    known["linked"] = filling.decided(filling.attempt("Marketing"), "Allow")
    known["oauth"] = filling.linked(known["linked"])
    known["denied"] = filling.decided(filling.attempt("Finance"), "Deny")
    known["waiting"] = filling.attempt("Recruiting")
    known["spare"] = filling.account("Trial", "scoped")


def _links(filling: Filling) -> None:
    known = filling.known
    known["for_guest"], _ = filling.link("Acme")
    known["for_linked_guest"], _ = filling.link("Birch & Sons")
    _, revoked = filling.link("Cedar Works")
    filling.post(f"/settings/links/{revoked}/revoke")


def _runs(filling: Filling) -> None:
    known = filling.known
    known["done"] = filling.run("done", **INPUTS)
    known["failed"] = filling.run("failed", **{**INPUTS, "input.sequence": "Summer fair"})
    filling.fault("tasks_bulk_create", kind="drop_after")
    known["doubtful"] = filling.run("failed", "calls", **{"input.due": "2026-12-15T10:00:00Z"})
    known["held"] = filling.run("waiting_for_budget", **{**INPUTS, "budget": "2"})
    known["tried"] = filling.tried("people_api_search", _json='{"person_titles": ["Founder"]}', _limit="25")


def _rest(filling: Filling) -> None:
    values = {"connection.apollo": filling.known["work"], "input.note": "Say hello within a day."}
    filling.post(f"/workflows/{filling.known['enabled']}/enable", values.items())
    page = filling.page
    page.goto(f"{filling.live.address}/settings/tokens")
    page.get_by_label("Name").fill("Builder")
    page.get_by_role("button", name="Make token").click()
    page.get_by_role("region", name=re.compile("is made")).wait_for()
