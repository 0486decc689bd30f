"""Linking an account for a workflow: one that the Hub knows, or a file that somebody pastes."""

import re
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from apollo_component.host import tables
from apollo_component.host.connect_sessions import ConnectSessions
from apollo_component.host.needs import asked_by, asked_of
from apollo_component.host.workflow.file import load_workflow
from apollo_component.hub.hub import Hub
from apollo_component.hub.sessions import Sessions
from apollo_component.hub.visits import MAX_BODY

from .conftest import ADDRESS
from .pages import read
from .test_workflows import EXAMPLES, NAME

FILE = EXAMPLES / "prospecting.yaml"
BROKEN = FILE.read_text().replace("people_bulk_match", "people_bulk_mach").replace(NAME, "Broken")


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "flows"
    made.mkdir()
    (made / "prospecting.yaml").write_text(FILE.read_text())
    (made / "broken.yaml").write_text(BROKEN)
    return made


@pytest.fixture
def hub(host, folder):
    return Hub(host, Sessions(lambda _token: None, host.clock), ADDRESS, workflows=folder)


@pytest.fixture
def asked(host):
    """What the workflow asks, as `requirements` has it."""
    manifests = host.registry.manifests
    return tuple(name.removeprefix("apollo.") for name in asked_by(load_workflow(FILE, manifests), manifests))


def test_a_workflow_can_be_chosen_beside_actions(browser):
    """Those that can be read and use this connector; what is chosen is kept for the other type and for the form."""
    choice = read(browser.get("/link").html).one("select", id="purpose-workflow")
    assert [one.text for one in choice.all("option")] == [NAME]
    page = read(browser.get(f"/link?workflow={NAME}").html)
    assert f"For the workflow “{NAME}”" in page.one("details", class_="purpose").text
    kept = [one["href"] for one in page.all("a", class_="kind")] + [page.one("form", class_="link-form")["action"]]
    assert all("workflow=Prospect+small+companies" in path for path in kept)


def test_what_it_asks_is_what_the_account_is_tested_for(browser, host, service, asked):
    """The confirmation tells each of its actions."""
    sent = browser.post(f"/link?workflow={NAME}", {"name": "Main", "api_key": service.keys["master"]})
    done = browser.get(sent.answer.headers["location"])
    assert "The account is linked" in done.text
    manifest = host.registry.manifest("apollo")
    assert all(action.title in done.text for action in manifest.needed(asked))


def test_linking_again_keeps_the_account_in_mind(browser, linked):
    """Whichever way the workflow comes."""
    page = read(browser.get(f"/link?connection={linked.id}").html)
    forms = page.one("details", class_="purpose").all("form")
    hidden = [one["value"] for form in forms for one in form.all("input", name="connection")]
    posted = [form["action"] for form in forms if form["method"] == "post"]
    assert hidden == [linked.id] * 2
    assert [f"connection={linked.id}" in path for path in posted] == [True]
    sent = browser.post(f"/link/workflow?connection={linked.id}", {"text": FILE.read_text()})
    assert f"connection={linked.id}" in sent.answer.headers["location"]


def test_a_pasted_file_is_not_kept(browser, host, asked):
    """What it asks stands in the address alone; no workflow and no run came of it."""
    sent = browser.post("/link/workflow?connector=apollo&type=oauth2", {"text": FILE.read_text()})
    place = sent.answer.headers["location"]
    assert (sent.status, re.findall(r"for=(\w+)", place)) == (303, list(asked))
    assert "type=oauth2" in place
    assert browser.get(place).status == 200
    for table in (tables.runs, tables.subscriptions, tables.attempts):
        assert host.store.rows(sa.select(table)) == []


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (BROKEN, "steps[3].action", "did you mean people_bulk_match?"),
        ("a: [", "", "is not YAML"),
        ("", "", "must be an object"),
        ("name: &x One\nsteps: *x", "", "aliases are not allowed"),
        ("a: " + "[" * 60, "", "is nested more than"),
    ],
)
def test_what_is_wrong_with_a_pasted_file_is_told_in_its_place(browser, text, place, said):
    """The loader's own problems with their lines; the text can be mended there and the form below is whole."""
    answer = browser.post("/link/workflow?connector=apollo", {"text": text})
    assert answer.status == 422
    page = read(answer.html)
    purpose = page.one("details", class_="purpose")
    assert "open" in purpose
    problems = purpose.one("div", id="purpose-wrong")
    assert (place in problems.text, said in problems.text) == (True, True)
    area = purpose.one("textarea", id="purpose-text")
    assert (area["aria-invalid"], "purpose-wrong" in area["aria-describedby"]) == ("true", True)
    assert area.text == " ".join(text.split())
    assert page.one("form", class_="link-form").all("input", name="api_key")


def test_a_pasted_file_may_be_as_large_as_any_form(browser):
    """More than 1 MiB is refused unread; an operator alone may send one, from a page of this Hub."""
    large = browser.post("/link/workflow?connector=apollo", {"text": "#" * MAX_BODY})
    assert (large.status, "at most 1024 KiB" in large.text) == (422, True)
    assert browser.post("/link/workflow?connector=apollo", {"text": "x", "csrf": "wrong"}).status == 422


def test_a_pasted_file_needs_somebody_signed_in(anyone):
    """Nobody else has it read."""
    assert anyone.post("/link/workflow?connector=apollo", {"text": "x"}).status == 401


@pytest.mark.parametrize(("name", "status"), [("Broken", 422), ("nothing", 404)])
def test_a_workflow_that_cant_be_used_links_nothing(browser, host, service, name, status):
    """Its problems are told in place, and the form isn't sent on for less than was meant."""
    assert browser.get(f"/link?workflow={name}").status == status
    sent = browser.post(f"/link?workflow={name}", {"name": "Main", "api_key": service.keys["master"]})
    assert sent.status == status
    assert host.connections.all() == []


def test_a_workflow_leads_to_the_account_that_it_lacks(browser, service):
    """From its page and from the form that starts it, until an account is linked that may do what it asks."""
    link = f"/link?connector=apollo&amp;workflow={quote(NAME)}"
    assert link in browser.get(f"/workflows/{NAME}").html
    assert link in browser.get(f"/workflows/{NAME}/start").html
    limited = {"name": "Small", "api_key": service.keys["scoped_without_search"]}
    browser.post(f"/link?workflow={NAME}", limited)
    assert "Link an account for this workflow" in browser.get(f"/workflows/{NAME}").text
    browser.post(f"/link?workflow={NAME}", {"name": "Main", "api_key": service.keys["master"]})
    assert "Link an account for this workflow" not in browser.get(f"/workflows/{NAME}").text


def test_an_operator_makes_a_link_for_a_workflow(browser, host, asked, folder):
    """One is chosen by its name: the link asks for all that it asks, with what was ticked. One that can't be read
    makes no link, and what was typed is kept."""
    choice = read(browser.get(f"/settings/links?workflow={quote(NAME)}").html).one("select", id="field-workflow")
    assert [(one.text, "selected" in one) for one in choice.all("option")] == [("None", False), (NAME, True)]
    sent = {"connector": "apollo", "owner": "Acme", "lasts": "day", "workflow": NAME, "for": "tasks_search"}
    browser.post("/settings/links", sent)
    [session] = ConnectSessions(host).all()
    assert session.actions == ("tasks_search", *asked)
    refused = browser.post("/settings/links", {**sent, "workflow": "Broken"})
    assert (refused.status, 'value="Acme"' in refused.html, len(ConnectSessions(host).all())) == (422, True, 1)
    assert (
        read(refused.html).one("p", id="wrong-workflow").text == "“Broken” can't be used; its page says what to mend."
    )


def test_an_end_user_sees_what_a_workflow_needs(hub, host, asked):
    """A link that was made for it holds its actions."""
    workflow = load_workflow(FILE, host.registry.manifests)
    made, _ = ConnectSessions(host).make(
        "Acme", "apollo", actions=asked_of("apollo", workflow, host.registry.manifests)
    )
    assert made.actions == asked
