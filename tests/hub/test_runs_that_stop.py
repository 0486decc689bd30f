"""Runs that stand still: for a quota until it is there again, and for a person who says what became of a request."""

import re
from datetime import UTC, datetime

import pytest

from apollo_component.host.host import Host
from apollo_component.host.registry import Registry
from apollo_component.host.settings import Settings
from apollo_component.hub.hub import Hub
from apollo_component.hub.sessions import Sessions

from .conftest import ADDRESS
from .pages import read
from .test_workflows import worked

FIND = """\
name: Find
connections: {apollo: {connector: apollo}}
steps:
  - {id: find, action: contacts_search, with: {per_page: 3}}
"""
MAKE = """\
name: Make a task
connections: {apollo: {connector: apollo}}
inputs:
  user: {description: Whose it is.}
  contact: {description: For whom.}
steps:
  - id: make
    action: tasks_bulk_create
    with:
      user_id: {$from: inputs.user}
      contact_ids: {$from: "[inputs.contact]"}
      priority: high
      type: call
      status: scheduled
      due_at: "2030-01-01T09:00:00Z"
  - id: contact
    action: contacts_show
    with: {contact_id: {$from: steps.make.record.contact_id}}
"""
HOURS = 7200
pytestmark = pytest.mark.both


class Later:
    """The host's clock, moved by tests."""

    def __init__(self, clock):
        self.clock, self.offset = clock, 0.0

    def __call__(self):
        return self.clock() + self.offset


@pytest.fixture
def host(tmp_path, service, registered, monkeypatch, database_at):
    for name, value in service.env.items():
        monkeypatch.setenv(name, value)
    home = tmp_path / "home"
    host = Host.open(Settings(home, database_at(home)), Registry.installed(), clock=Later(datetime.now(UTC).timestamp))
    yield host
    host.close()


@pytest.fixture
def hub(host, tmp_path):
    (tmp_path / "find.yaml").write_text(FIND)
    (tmp_path / "make.yaml").write_text(MAKE)
    return Hub(host, Sessions(lambda _token: None, host.clock), ADDRESS, workflows=tmp_path)


def begun(browser, linked, name, **inputs):
    form = {f"input.{key}": value for key, value in inputs.items()}
    page = browser.post(f"/workflows/{name}/start", {"connection.apollo": linked.id, **form})
    assert page.status == 303, page.text
    worked(browser.hub.host)
    return page.answer.headers["location"]


def out_of_quota(browser, linked, service):
    """A run whose first request is told to come again in two hours."""
    fault = {"operation": "contacts_search", "kind": "status", "status": 429, "times": 1}
    service.control("POST", "/faults", {**fault, "headers": {"retry-after": str(HOURS)}})
    return begun(browser, linked, "Find")


def in_doubt(browser, linked, service):
    """A run whose create was answered into nowhere."""
    service.control("POST", "/faults", {"operation": "tasks_bulk_create", "kind": "drop_after", "times": 1})
    user = service.control("GET", "/state")["acting_admin_id"]
    return begun(browser, linked, "Make a task", user=user, contact=contact(service))


def contact(service):
    return service.control("GET", "/contacts")["contacts"][0]["id"]


def sent(service, operation):
    return sum(request["operation"] == operation for request in service.requests())


def test_a_run_that_waits_for_quota_tells_until_when_and_goes_on(browser, host, linked, service):
    """Before that time nothing is sent; after it the run ends by itself."""
    place = out_of_quota(browser, linked, service)
    page = browser.get(place)
    assert "Waiting for quota" in page.text
    notice = read(page.html).one("section", class_="notice")
    assert "It goes on by itself at" in notice.text
    [until] = [datetime.fromisoformat(one["datetime"]) for one in notice.all("time")]
    assert HOURS - 60 <= until.timestamp() - host.clock() <= HOURS
    before = sent(service, "contacts_search")
    worked(host)
    assert (browser.get(f"{place}/now").json()["status"], sent(service, "contacts_search")) == (
        "waiting_for_quota",
        before,
    )
    host.clock.offset = HOURS + 1
    worked(host)
    assert "Done" in browser.get(place).text
    assert sent(service, "contacts_search") == before + 1


@pytest.mark.parametrize(("told", "times"), [("done", 1), ("not_done", 2)])
def test_what_is_in_doubt_is_settled_on_the_page(browser, host, linked, service, told, times):
    """What took effect isn't sent again and its record is handed on; what didn't is sent when the run goes on."""
    place = in_doubt(browser, linked, service)
    doubt = read(browser.get(place).html).one("section", id="doubts").one("form", class_="doubt")
    hidden = {one["name"]: one["value"] for one in doubt.all("input", type="hidden") if one["name"] != "csrf"}
    assert (hidden, "Create tasks" in doubt.text or "tasks_bulk_create" in doubt.text) == (
        {"step": "make", "item": "0"},
        True,
    )
    record = f'{{"id": "made", "contact_id": "{contact(service)}"}}'
    form = {**hidden, "told": told, "record": record if told == "done" else ""}
    settled = browser.post(f"{place}/settle", form)
    assert (settled.status, settled.answer.headers["location"]) == (303, f"{place}#doubts")
    page = read(browser.get(place).html)
    assert page.all("section", id="doubts") == []
    assert "a person looked" in page.text
    assert browser.post(f"{place}/resume", {}).status == 303
    worked(host)
    assert "Done" in browser.get(place).text
    assert sent(service, "tasks_bulk_create") == times
    assert contact(service) in browser.get(f"{place}/steps/contact/records/0").text


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"record": "{}"}, "Choose one of the two."),
        ({"told": "maybe"}, "Choose one of the two."),
        ({"told": "done", "record": "{"}, "Must be a JSON object."),
        ({"told": "done", "record": "[1]"}, "Must be a JSON object."),
        ({"told": "done", "item": "7"}, "No request of that step and item is in doubt."),
    ],
)
def test_what_is_wrong_with_a_settlement_is_told(browser, linked, service, form, said):
    """Beside the request, with what was typed, or above all where there is no such request; nothing is settled."""
    place = in_doubt(browser, linked, service)
    page = browser.post(f"{place}/settle", {"step": "make", "item": "0", **form})
    assert page.status == 422
    assert said in page.text
    doubt = read(browser.get(place).html).one("form", class_="doubt")
    if "item" not in form:
        shown = read(page.html).one("form", class_="doubt")
        assert said in shown.text
        assert shown.one("textarea").text == form.get("record", "")
        assert [one["value"] for one in shown.all("input", type="radio") if "checked" in one] == [
            told for told in [form.get("told")] if told == "done"
        ]
    assert re.findall("checked", str([one.attributes for one in doubt.all("input")])) == []


def test_a_run_that_has_ended_meanwhile_says_so(browser, host, linked, service):
    """What is sent from a page that was out of date is answered in words, although its form is gone."""
    place = out_of_quota(browser, linked, service)
    host.clock.offset = HOURS + 1
    worked(host)
    page = browser.post(f"{place}/resume", {})
    assert page.status == 422
    assert "there is nothing to resume" in read(page.html).one("div", role="alert").text
