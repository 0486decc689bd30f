"""Workflows and runs on pages: what there is, what a run would cost, starting it, and following it to its end."""

import asyncio
import re
from pathlib import Path

import pytest

from apollo_component.host.needs import asked_by, needs_of
from apollo_component.host.workflow.file import load_workflow
from apollo_component.host.workflow.subscriptions import Subscriptions
from apollo_component.host.workflow.worker import Worker
from apollo_component.hub.hub import Hub
from apollo_component.hub.sessions import Sessions

from .conftest import ADDRESS, Browser

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
NAME = "Prospect small companies"
FORM = {"input.sequence": "Founder outreach", "input.titles": "Founder\nCEO", "budget": "60", "mails": "yes"}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "flows"
    made.mkdir()
    for file in EXAMPLES.glob("*.yaml"):
        (made / file.name).write_text(file.read_text())
    return made


@pytest.fixture
def hub(host, folder):
    return Hub(host, Sessions(lambda _token: None, host.clock), ADDRESS, workflows=folder)


def started(browser, linked, **more):
    page = browser.post(f"/workflows/{NAME}/start", {**FORM, "connection.apollo": linked.id, **more})
    assert page.status == 303, page.text
    return page.answer.headers["location"]


def worked(host):
    asyncio.run(Worker(host).serve(once=True))


def test_the_workflows_of_the_folder_are_listed(browser):
    """Each with what it does and what starts it."""
    text = browser.get("/workflows").text
    assert NAME in text
    assert "contact_created, looked at every 60 s" in text


def test_without_a_folder_the_page_says_how_to_offer_one(host):
    """Nothing is pretended to be there."""
    plain = Browser(Hub(host, Sessions(lambda _token: None, host.clock), ADDRESS)).signed_in()
    assert "hub --workflows FOLDER" in plain.get("/workflows").text


def test_a_file_with_problems_tells_each_with_its_line(browser, folder):
    """It is listed, can't be started, and the page names lines and places."""
    text = (folder / "prospecting.yaml").read_text()
    (folder / "broken.yaml").write_text(
        text.replace("name: Prospect small companies", "name: Broken").replace("people_bulk_match", "people_bulk_mach")
    )
    page = browser.get("/workflows/Broken")
    assert "people_bulk_match" in page.text
    assert "steps[3].action" in page.text
    assert browser.get("/workflows/Broken/start").status == 422


def test_a_workflow_tells_its_steps_and_costs_before_it_runs(browser):
    """The drawing has a box for each step and a text alternative; the tick-list is there."""
    page = browser.get(f"/workflows/{NAME}")
    assert page.html.count('class="box ') == 6
    assert "Mails people" in page.text
    assert "api/v1/people/bulk_match" in page.text


def test_the_tick_list_of_a_workflow_is_what_requirements_prints(browser, host):
    """For every file of the folder: what its steps name custom fields by is on the list, too."""
    for file in EXAMPLES.glob("*.yaml"):
        workflow = load_workflow(file, host.registry.manifests)
        wanted = needs_of(host.registry.manifests, asked_by(workflow, host.registry.manifests))
        page = browser.get(f"/workflows/{workflow.name}")
        listed = page.html.partition('<div class="halves">')[2].partition("</details>")[0]
        assert re.findall(r"<li><code>([^<]+)</code>", listed) == [*wanted["key_endpoints"], *wanted["oauth_scopes"]]


def test_the_form_keeps_what_was_typed_and_says_what_is_wrong(browser, linked):
    """Every mistake at once, beside its field."""
    form = {"input.sequence": "Mine", "input.titles": "A\nB", "budget": "lots", "connection.apollo": linked.id}
    page = browser.post(f"/workflows/{NAME}/start", {**form, "mails": ""})
    assert page.status == 422
    assert "Confirm that real people may get mail." in page.text
    assert "Must be a number of credits." in page.text
    assert 'value="Mine"' in page.html
    assert 'value="lots"' in page.html


def test_a_run_is_queued_driven_by_a_worker_and_shown(browser, host, linked):
    """From the form to the records: status, steps, credits, inputs, requests."""
    place = started(browser, linked)
    assert "Queued" in browser.get(place).text
    assert "Nobody takes up runs" in browser.get(place).text
    worked(host)
    page = browser.get(place)
    assert "Done" in page.text
    assert browser.get(f"{place}/now").json()["status"] == "done"
    assert "25" in browser.get(f"{place}/steps/search").text
    step = browser.get(f"{place}/steps/contacts")
    assert "Answered" in step.text
    assert "run_dedupe" in step.text
    assert browser.get(f"{place}/steps/contacts/records/0").status == 200
    assert linked.id not in step.html
    listed = browser.get(f"/runs?workflow={NAME}")
    assert place.rpartition("/")[2] in listed.text
    spent = browser.get("/credits")
    assert "people_bulk_match" in spent.text
    assert browser.get("/credits?by=hours").status == 200


def test_a_run_that_waits_for_budget_goes_on_with_a_larger_one(browser, host, linked):
    """The page says what is missing; a new budget queues it, a wrong one is told."""
    place = started(browser, linked, budget="3")
    worked(host)
    page = browser.get(place)
    assert "Waiting for budget" in page.text
    wrong = browser.post(f"{place}/resume", {"budget": "-1"})
    assert (wrong.status, "Must be a number of credits." in wrong.text) == (422, True)
    assert browser.post(f"{place}/resume", {"budget": "80"}).status == 303
    worked(host)
    assert "Done" in browser.get(place).text


def test_a_cancelled_run_stays_cancelled(browser, host, linked):
    """A worker that comes later takes nothing up."""
    place = started(browser, linked)
    assert browser.get(f"{place}/cancel").status == 200
    assert browser.post(f"{place}/cancel").status == 303
    worked(host)
    assert "Cancelled" in browser.get(place).text
    assert host.runs.steps(place.rpartition("/")[2]) == []


def test_a_workflow_is_enabled_and_disabled(browser, host, linked):
    """With the same form; the list says so."""
    page = browser.post("/workflows/Call back new contacts/enable", {"connection.apollo": linked.id, "input.note": "x"})
    assert page.status == 303
    assert "Enabled" in browser.get("/workflows").text
    assert browser.post("/workflows/Call back new contacts/disable").status == 303
    assert "Disabled" in browser.get("/workflows/Call back new contacts").text


def test_a_workflow_may_begin_in_the_past(browser, host, linked):
    """With a day that is over; another is told at its field, and nothing is enabled."""
    path, form = "/workflows/Call back new contacts/enable", {"connection.apollo": linked.id, "input.note": "x"}
    assert 'name="since"' in browser.get(path).html
    assert 'name="since"' not in browser.get(path.replace("/enable", "/start")).html
    for since, said in (("2099-01-01", "must not be in the future"), ("soon", "must be a date such as")):
        page = browser.post(path, {**form, "since": since})
        assert page.status == 422
        assert said in page.html.partition('id="since-wrong">')[2].partition("</p>")[0]
        assert Subscriptions(host.store).all() == []
    assert browser.post(path, {**form, "since": "2026-05-01"}).status == 303
    assert Subscriptions(host.store).all()[0].since == 1777593600.0


def test_purged_data_is_told_as_such(browser, host, linked):
    """Counts and costs stay, and the page says why there is no more."""
    place = started(browser, linked)
    worked(host)
    host.runs.purge(host.settings.retention * 0)
    assert "deleted when their time was over" in browser.get(place).text
    assert "No records are kept" in browser.get(f"{place}/steps/search").text


@pytest.mark.parametrize("path", ["/runs/none", "/workflows/none", "/runs/none/steps/x", "/runs/none/now"])
def test_what_is_not_there_is_told(browser, path):
    """A page that says so, not an error."""
    assert browser.get(path).status == 404
