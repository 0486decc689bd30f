"""What was asked, given and missed, on the pages of runs, results and workflows."""

import pytest

from apollo_component.host.runs import DONE
from apollo_component.host.workflow.subscriptions import Subscriptions
from apollo_component.hub.hub import Hub
from apollo_component.hub.sessions import Sessions

from .conftest import ADDRESS
from .pages import read
from .test_trying import ended, tried
from .test_workflows import worked

GONE = "f" * 24
STAGES = """\
name: Move contacts
connections: {apollo: {connector: apollo}}
inputs:
  ids: {description: Whom., default: []}
  stage: {description: Where to.}
steps:
  - id: move
    action: contacts_update_stages
    with: {contact_ids: {$from: inputs.ids}, contact_stage_id: {$from: inputs.stage}}
  - id: look
    action: contacts_search
    when: steps.move.misses[?item]
    with: {per_page: 2}
"""
NEW = """\
name: New contacts
connections: {apollo: {connector: apollo}}
trigger: {on: contact_created}
steps:
  - {id: show, action: contacts_show, with: {contact_id: {$from: trigger.id}}}
"""


@pytest.fixture
def hub(host, tmp_path):
    (tmp_path / "stages.yaml").write_text(STAGES)
    (tmp_path / "new.yaml").write_text(NEW)
    return Hub(host, Sessions(lambda _token: None, host.clock), ADDRESS, workflows=tmp_path)


@pytest.fixture
def contact(service):
    return service.control("GET", "/contacts")["contacts"][0]


def facts(page):
    """The terms of a page's lists of facts, with what stands beside each."""
    found = read(page.html)
    return dict(
        zip((one.text for one in found.all("dt")), (one.text for one in found.all("dd")), strict=True),
    )


def table_below(page, heading):
    """The cells of the table of that name, row by row."""
    found = read(page.html).all("div", class_="table", **{"aria-label": heading})
    return [[cell.text for cell in row.all("td")] for one in found for row in one.all("tr") if row.all("td")]


def test_a_result_names_what_was_missed(browser, linked, contact):
    """The result's page, the run's and the step's tell the counts, and name each miss with its reason."""
    values = {"contact_ids": [contact["id"], GONE], "contact_stage_id": contact["contact_stage_id"]}
    result = ended(browser, tried(browser, "contacts_update_stages", values))
    assert "2 asked 1 given 1 missed" in result.text
    place = result.answer.request.url.path.removeprefix("/try")
    for page in (result, browser.get(place), browser.get(f"{place}/steps/run")):
        assert table_below(page, "What was missed") == [[GONE, "no reason given", ""]]
    run = facts(browser.get(place))
    assert [run.get(name) for name in ("Asked", "Given", "Not found", "Missed")] == ["2", "1", "0", "1"]
    [step] = browser.get(f"{place}/now").json()["steps"]
    assert (step["id"], step["status"], step["records"], step["missed"]) == ("run", "done", 1, 1)


def test_a_result_without_misses_counts_none(browser, linked, contact):
    """Where everything came, nothing is said of misses; a search tells no counts of items."""
    values = {"contact_ids": [contact["id"]], "contact_stage_id": contact["contact_stage_id"]}
    whole = ended(browser, tried(browser, "contacts_update_stages", values))
    search = ended(browser, tried(browser, "users_search", {}))
    for page in (whole, search):
        assert "missed" not in page.text
        assert "asked" not in page.text


def test_a_first_page_is_told_as_one(browser, linked):
    """The result and the run say how much of how much was read, and how to read the rest here."""
    result = ended(browser, tried(browser, "contacts_search", {"per_page": 2}))
    place = result.answer.request.url.path.removeprefix("/try")
    for page in (result, browser.get(place)):
        assert "The first page was read: 2 of " in page.text
        assert "“Records at most”" in page.text
    more = ended(browser, tried(browser, "contacts_search", {"per_page": 2}, _limit="3"))
    assert "first page was read" not in more.text


@pytest.mark.parametrize(("missed", "misses", "more"), [(140, 140, 40), (1700, 1000, 1600), (100, 100, 0)])
def test_the_first_hundred_misses_are_listed(browser, host, missed, misses, more):
    """The others are counted, also those that aren't kept by name."""
    named = [{"item": f"item {number}", "reason": "<b>gone</b>"} for number in range(misses)]
    run = host.runs.create("action", "Made up", inputs={"action": "apollo.contacts_update", "connection": "Main"})
    detail = {"records": 3, "pages": 1, "asked": missed + 3, "given": 3, "not_found": 0, "missed": missed}
    host.runs.update(run.id, DONE, {**detail, "misses": named})
    for page in (browser.get(f"/runs/{run.id}"), browser.get(f"/try/runs/{run.id}")):
        rows = table_below(page, "What was missed")
        assert (len(rows), rows[-1]) == (100, ["item 99", "<b>gone</b>", ""])
        assert ("more were missed" in page.text) == bool(more)
        assert not more or f"{more:,} more were missed." in page.text


def test_a_part_that_was_missed_is_named(browser, host):
    """A record that came without a part of what was asked is no missed item; the part stands beside it."""
    run = host.runs.create("action", "Made up", inputs={"action": "apollo.contacts_update", "connection": "Main"})
    detail = {"records": 1, "pages": 1, "asked": 1, "given": 1, "not_found": 0, "missed": 0}
    miss = {"item": "Ada", "reason": "bad value", "field": "typed_custom_fields.x"}
    host.runs.update(run.id, DONE, {**detail, "misses": [miss, {"item": "", "reason": "lost"}]})
    page = browser.get(f"/runs/{run.id}")
    rows = [["Ada", "bad value", "typed_custom_fields.x"], ["nothing tells which one", "lost", ""]]
    assert table_below(page, "What was missed") == rows
    assert facts(page)["Missed"] == "0"


def test_a_workflow_tells_what_its_steps_missed(browser, host, linked, contact):
    """In the table of steps, live as well, and with each miss on the step's page; a first page is told as one."""
    inputs = {"input.ids": f"{contact['id']}\n{GONE}", "input.stage": contact["contact_stage_id"]}
    started = browser.post("/workflows/Move contacts/start", {"connection.apollo": linked.id, **inputs})
    assert started.status == 303, started.text
    worked(host)
    place = started.answer.headers["location"]
    page = browser.get(place)
    cells = {one["data-cell"]: one.text for one in read(page.html).one("tr", **{"data-row": "move"}).all("td")}
    assert (cells["records"], cells["missed"], cells["failed"]) == ("1", "1", "0")
    assert "look: one page was read: 2 of " in page.text
    assert [step["missed"] for step in browser.get(f"{place}/now").json()["steps"]] == [1, 0]
    step = browser.get(f"{place}/steps/move")
    assert table_below(step, "What was missed") == [[GONE, "no reason given", ""]]
    assert facts(step) == {"Asked": "2", "Given": "1", "Not found": "0", "Missed": "1"}


def test_a_workflow_tells_what_its_last_look_saw(browser, host, linked):
    """How many records there were, and what became of them; nothing before the first look."""
    enabled = browser.post("/workflows/New contacts/enable", {"connection.apollo": linked.id})
    assert enabled.status == 303, enabled.text
    assert " seen: " not in browser.get("/workflows/New contacts").text
    worked(host)
    looked = Subscriptions(host.store, host.clock).get("New contacts").looked
    assert looked["seen"] == looked["known"] > 0
    page = browser.get("/workflows/New contacts")
    assert f"{looked['seen']:,} seen: {looked['seen']:,} known, 0 filtered, 0 started" in page.text


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (
            "people_bulk_match",
            "each of details, in its order: a record, null or a named miss; one below minimum_confidence",
        ),
        ("contacts_bulk_create", "each of contacts: a record or a named miss; a key of typed_custom_fields"),
        ("organizations_enrich", "the one that was asked for: a record or not found"),
        ("contacts_search", "how many match; when all pages are read, as many as are missing are told"),
        ("emailer_campaigns_remove_or_stop_contact_ids", "one of emailer_campaign_ids that isn't in the answer"),
        ("contacts_show", "its record; an answer without it can't be read"),
        ("raw_request", "nothing: the answer is given as it came"),
    ],
)
def test_an_action_says_what_its_answer_accounts_for(browser, action, said):
    """On its page, by the names of its inputs."""
    assert said in facts(browser.get(f"/connectors/apollo/actions/{action}"))["Accounts for"]
