"""Workflows and runs in a real browser: started from a page, watched to the end, held up, sent on, cancelled, killed."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from apollo_component.host import linking
from apollo_component.host.host import Host
from apollo_component.host.settings import Settings

from .conftest import ROOT, Live

NAME = "Prospect small companies"
WIDE = """width => [...document.querySelectorAll("main *")].filter(one => one.getBoundingClientRect().right > width
  && !one.closest(".drawing > *, .table > *, pre, tr")).map(one => one.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def live(registered, tmp_path_factory, sandbox_facts):
    """A Hub with the examples on a database of its own, in which an account is linked."""
    home = tmp_path_factory.mktemp("home")
    env = {**os.environ, "WORKFLOW_HOST_HOME": str(home), "APOLLO_API_URL": sandbox_facts["api_url"]}
    env["APOLLO_OAUTH_URL"] = sandbox_facts["oauth_url"]
    hub = Served(env, sandbox_facts)
    hub.relink()
    hub.start()
    yield hub
    hub.stop()


@pytest.fixture(scope="module")
def sandbox_facts():
    command = [sys.executable, "-m", "apollo_component.sandbox", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    yield json.loads(process.stdout.readline())
    process.terminate()
    process.communicate(timeout=20)


class Served(Live):
    """A Hub that can be killed and started again on the same database and port."""

    def __init__(self, env, facts):
        self.env, self.facts, self.port = env, facts, 0

    def start(self):
        command = [sys.executable, "-m", "apollo_component", "hub", "--json", "--port", str(self.port)]
        command += ["--workflows", str(ROOT / "examples")]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=self.env)
        self.link = json.loads(self.process.stdout.readline())["sign_in"]
        self.address = self.link.partition("/sign-in")[0]
        self.port = int(self.address.rpartition(":")[2])

    def relink(self):
        """What somebody does in another window."""
        home = Path(self.env["WORKFLOW_HOST_HOME"])
        with pytest.MonkeyPatch.context() as patch:
            for name in ("APOLLO_API_URL", "APOLLO_OAUTH_URL"):
                patch.setenv(name, self.env[name])
            host = Host.open(Settings(home, f"sqlite:///{home / 'host.db'}"))
            linking.link_key(host, "apollo", "Main", "api_key", {"api_key": self.keys["master"]})
            host.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=30)
        return self.process.returncode

    def kill(self):
        self.process.kill()
        self.process.communicate()


def begin(tab, live, budget="60"):
    """Fill in the form by its labels and send it."""
    tab.goto(f"{live.address}/workflows")
    tab.get_by_role("link", name=NAME).click()
    tab.get_by_role("link", name="Run now").click()
    tab.get_by_label("Account").select_option(index=0)
    tab.get_by_label("Budget in credits").fill(budget)
    tab.get_by_role("checkbox").check()
    tab.get_by_role("button", name="Start the run").click()
    tab.wait_for_url(re.compile("/runs/"))


def wait_for(tab, status, seconds=40):
    tab.wait_for_function(
        "status => document.querySelector('[data-status-badge]')?.textContent.trim() === status",
        arg=status,
        timeout=seconds * 1000,
    )


@pytest.mark.parametrize("context", ["light", "dark"], indirect=True)
@pytest.mark.full
def test_the_pages_of_a_run_from_the_form_to_its_credits(tab, context, live, axe, shot, request):
    """Started from the page, watched without a reload by hand to the end; steps, records, requests and credits are there."""
    look = request.node.callspec.params["context"]
    tab.goto(f"{live.address}/workflows")
    axe(tab)
    shot(tab, f"workflows-{look}")
    tab.get_by_role("link", name=NAME).click()
    axe(tab)
    shot(tab, f"workflow-{look}")
    tab.get_by_role("link", name="Run now").click()
    axe(tab)
    shot(tab, f"workflow-start-{look}")
    begin(tab, live)
    wait_for(tab, "Done")
    assert tab.locator("[data-step='contacts']").get_attribute("data-status") == "done"
    assert "40" in tab.locator("[data-row='search'] [data-cell='records']").inner_text()
    axe(tab)
    shot(tab, f"run-{look}")
    tab.get_by_role("link", name="contacts", exact=True).click()
    assert "run_dedupe" in tab.locator("details.line").first.text_content()
    axe(tab)
    shot(tab, f"run-step-{look}")
    tab.get_by_role("link", name=re.compile("^Show .")).first.click()
    axe(tab)
    tab.goto(f"{live.address}/credits?by=hours")
    axe(tab)
    shot(tab, f"credits-{look}")
    tab.goto(f"{live.address}/runs")
    axe(tab)
    shot(tab, f"runs-{look}")


@pytest.mark.full
def test_a_run_without_budget_waits_and_goes_on_with_more(tab, live, axe, shot):
    """The page says what it waits for; the new budget sends it on, here by the keyboard alone."""
    begin(tab, live, budget="2")
    wait_for(tab, "Waiting for budget")
    axe(tab)
    shot(tab, "run-waiting")
    tab.get_by_label("New budget").fill("90")
    tab.get_by_label("New budget").press("Enter")
    wait_for(tab, "Done")


@pytest.mark.full
def test_a_run_waits_for_an_account_that_must_be_linked_again(tab, live, axe, shot):
    """The page names the account and leads to it; when it is linked again the run goes on by itself."""
    live.control("POST", "/faults", {"operation": "people_bulk_match", "kind": "status", "status": 401, "times": 1})
    begin(tab, live)
    wait_for(tab, "Waiting for authorization")
    link = tab.get_by_role("link", name="Link Main again")
    assert "/accounts/" in link.get_attribute("href")
    axe(tab)
    shot(tab, "run-authorization")
    live.relink()
    wait_for(tab, "Done")


def test_a_run_is_cancelled_in_a_dialog(tab, live, axe):
    """Escape leaves it alone; the button stops it for good."""
    begin(tab, live, budget="2")
    wait_for(tab, "Waiting for budget")
    tab.get_by_role("link", name="Cancel the run").click()
    dialog = tab.get_by_role("dialog")
    axe(tab)
    tab.keyboard.press("Escape")
    assert not dialog.is_visible()
    tab.get_by_role("link", name="Cancel the run").press("Enter")
    dialog.get_by_role("button", name="Cancel the run").click()
    wait_for(tab, "Cancelled")


@pytest.mark.parametrize("width", [320, 360])
@pytest.mark.full
def test_nothing_is_cut_off_on_a_small_screen(tab, live, shot, width):
    """No page is wider than the screen; what is wider scrolls by itself."""
    begin(tab, live)
    wait_for(tab, "Done")
    run = tab.url
    tab.set_viewport_size({"width": width, "height": 740})
    pages = {"run": run, "run-step": f"{run}/steps/contacts", "runs": "/runs", "credits": "/credits"}
    pages |= {"workflows": "/workflows", "workflow": f"/workflows/{NAME}", "workflow-start": f"/workflows/{NAME}/start"}
    for name, path in pages.items():
        tab.goto(path if path.startswith("http") else live.address + path)
        wide = tab.evaluate(WIDE, width)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, (name, wide)
        shot(tab, f"{name}-{width}")


@pytest.mark.full
def test_a_hub_killed_in_the_middle_goes_on_when_it_starts_again(tab, live):
    """The run ends as if nothing had happened: every contact once."""
    live.control("POST", "/settings", {"latency_ms": 200})
    begin(tab, live)
    run = tab.url
    tab.wait_for_selector("[data-step='contacts'][data-status='running']")
    live.kill()
    live.control("POST", "/settings", {"latency_ms": 0})
    live.start()
    page = tab.context.new_page()
    tab.close()
    tab.context.watched.errors.clear()  # of the page that asked while nobody was there
    page.goto(live.next_link())
    page.wait_for_url(f"{live.address}/")
    live.used()
    page.goto(run)
    wait_for(page, "Done")


@pytest.mark.full
def test_the_hub_ends_when_it_is_told_to(live):
    """With its worker launched and idle, in seconds and without an error."""
    begun = time.monotonic()
    assert live.stop() == 0
    assert time.monotonic() - begun < 15
    live.start()
