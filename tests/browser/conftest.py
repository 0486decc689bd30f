"""A Hub in a process of its own with a sandbox beside it, and a real browser that notices every error and request."""

import base64
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from apollo_component.host.host import Host
from apollo_component.host.registry import Registry
from apollo_component.host.settings import Settings

ROOT = Path(__file__).parent.parent.parent
SHOTS, PICTURES = ROOT / "build" / "shots", ROOT / "build" / "pictures"
"""Whole pages in light, dark and narrow, to look at; and what `make pictures` puts into docs/hub/."""
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-quic", "--no-first-run", "--font-render-hinting=none",
]  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass
class Live:
    """A running Hub: where it is, the sandbox beside it, and links that sign in."""

    process: subprocess.Popen[str]
    facts: dict[str, Any] = field(repr=False)
    address: str
    link: str = field(repr=False)

    def next_link(self) -> str:
        """The sign-in link that is good now; each works once, after which the Hub prints the next."""
        link = self.link
        self.link = ""
        return link

    def used(self) -> None:
        """Read the link that follows a sign-in."""
        assert self.process.stdout
        self.link = json.loads(self.process.stdout.readline())["sign_in"]

    @property
    def keys(self) -> dict[str, str]:
        return self.facts["keys"]

    def control(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.facts["control_url"] + path, data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's chromium. A machine without it fails: what isn't tried in a browser isn't known to work."""
    path = shutil.which(os.environ.get("CHROMIUM", "chromium"))
    assert path, "There is no chromium; `make browser` installs it, or set CHROMIUM to its path."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@contextlib.contextmanager
def served(*options: str, env: Mapping[str, str] | None = None, facts: Any = None) -> Iterator[Live]:
    """A Hub; without the `facts` of a sandbox that runs already, with an empty database and a sandbox of its own."""
    own = () if facts else ("--sandbox",)
    command = [sys.executable, "-m", "apollo_component", "hub", *own, "--port", "0", "--json", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, **(env or {})})
    assert process.stdout
    facts = facts or json.loads(process.stdout.readline())["sandbox"]
    link = json.loads(process.stdout.readline())["sign_in"]
    yield Live(process, facts, link.partition("/sign-in")[0], link)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)


@contextlib.contextmanager
def opened_host(home: Path, sandbox: Any) -> Iterator[Host]:
    """The host of a database that a Hub is to show, to fill it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in sandbox.env.items():
            patch.setenv(name, value)
        host = Host.open(Settings(home, f"sqlite:///{home / 'host.db'}"), Registry.installed())
        yield host
        host.close()


@contextlib.contextmanager
def hub_over(home: Path, sandbox: Any) -> Iterator[Live]:
    """A Hub over that database, and a sandbox that runs already."""
    with served(env={**sandbox.env, "WORKFLOW_HOST_HOME": str(home)}, facts=sandbox.facts) as live:
        yield live


@pytest.fixture(scope="module")
def live(registered: None) -> Iterator[Live]:
    """A Hub for the tests of a module."""
    with served() as live:
        yield live


@dataclass
class Watched:
    """What a browser's context did that it must not: errors in the console, and requests to other origins."""

    allowed: tuple[str, ...]
    errors: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    statuses_expected: set[int] = field(default_factory=set)

    def watch(self, context: BrowserContext) -> None:
        context.on("console", self._heard)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("request", lambda request: self._asked(request.url))

    def _heard(self, message: Any) -> None:
        if message.location.get("url", "").endswith("/favicon.ico"):  # of the service's own pages, which have none
            return
        found = re.search(r"status of (\d+)", message.text)
        if message.type == "error" and not (found and int(found[1]) in self.statuses_expected):
            self.errors.append(message.text)

    def _asked(self, url: str) -> None:
        if not url.startswith(("data:", "blob:", *self.allowed)):
            self.strays.append(url)


@pytest.fixture(params=["light"])
def context(chromium: Browser, live: Live, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A browser of its own, watched: at the end no error was in its console and no other origin was asked."""
    context = chromium.new_context(color_scheme=request.param, viewport={"width": 1280, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.set_default_timeout(10_000)
    context.watched = watched = Watched((live.address, live.facts["oauth_url"]))  # type: ignore[attr-defined]
    watched.watch(context)
    yield context
    context.close()
    assert watched.errors == []
    assert watched.strays == []


@pytest.fixture
def tab(context: BrowserContext, live: Live) -> Page:
    """A page of an operator who is signed in."""
    page = context.new_page()
    page.goto(live.next_link())
    page.wait_for_url(f"{live.address}/")
    live.used()
    return page


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """Asserts that axe finds nothing wrong on a page."""

    def check(page: Page) -> None:
        page.wait_for_load_state()  # A click waits only for the next page to begin.
        found = Axe().run(page).response["violations"]
        told = [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]]
        assert told == [], "\n".join(told)

    return check


LOOSE = "on => { document.querySelector('.top').style.position = on ? 'static' : ''; if (on) scrollTo(0, 0); }"
"""The head of a page stays on top while one scrolls; in a picture of the whole page it would be in the middle."""


@pytest.fixture
def shot() -> Callable[..., None]:
    """Keeps a picture of a page in build/shots/ when HUB_SHOTS is set: `shot(page, "accounts")`."""

    def keep(page: Page, name: str, *, full: bool = True) -> None:
        if os.environ.get("HUB_SHOTS"):
            SHOTS.mkdir(parents=True, exist_ok=True)
            full = full and not page.locator("dialog[open]").count()
            page.evaluate(LOOSE, True)
            page.screenshot(path=SHOTS / f"{name}.png", full_page=full)
            page.evaluate(LOOSE, False)

    return keep


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Keeps a small picture of a page's beginning in build/pictures/ when HUB_SHOTS is set, for docs/hub/."""

    def keep(page: Page, name: str) -> None:
        if os.environ.get("HUB_SHOTS"):
            PICTURES.mkdir(parents=True, exist_ok=True)
            page.evaluate(LOOSE, True)
            bottom = page.evaluate("document.querySelector('main').getBoundingClientRect().bottom")
            clip = {"x": 0, "y": 0, "width": 1280, "height": max(200, min(880, bottom - 40)), "scale": 0.75}
            wanted = {"format": "webp", "quality": 55, "clip": clip}
            taken = page.context.new_cdp_session(page).send("Page.captureScreenshot", wanted)
            (PICTURES / f"{name}.webp").write_bytes(base64.b64decode(taken["data"]))
            page.evaluate(LOOSE, False)

    return keep
