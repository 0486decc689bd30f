"""Trying an action: any action has a form, the form is its JSON, and what runs is what was shown."""

import json
import re
import time
from html import unescape
from html.parser import HTMLParser

import pytest

from apollo_component.contract.models import Credential
from apollo_component.contract.schemas import schemas_at
from apollo_component.host.registry import Registry
from apollo_component.hub.form_values import Posted, read
from apollo_component.hub.forms import form_of

MANIFEST = Registry.installed().manifests["apollo"]
ACTIONS = sorted(MANIFEST.actions)


def fields_of(name):
    return form_of(schemas_at(MANIFEST.root), MANIFEST.actions[name].input)


class Form(HTMLParser):
    """Collects what a browser would post of the form with the id `try`."""

    def __init__(self):
        super().__init__()
        self.pairs, self.inside, self.template, self.text, self.select = [], False, 0, None, None

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag == "form" and found.get("id") == "try":
            self.inside = True
        self.template += tag == "template"
        if not self.inside or self.template or "disabled" in found:
            return
        name = found.get("name")
        if tag == "input" and name and (found.get("type") != "checkbox" or "checked" in found):
            self.pairs.append((name, found.get("value") or ""))
        elif tag == "textarea":
            self.text = (name, "")
        elif tag == "select":
            self.select = [name, None]
        elif tag == "option" and self.select and (self.select[1] is None or "selected" in found):
            self.select[1] = found.get("value") or ""

    def handle_data(self, data):
        if self.text:
            self.text = (self.text[0], self.text[1] + data)

    def handle_endtag(self, tag):
        self.template -= tag == "template"
        self.inside = self.inside and tag != "form"
        if tag == "textarea" and self.text:
            self.pairs.append(self.text)
            self.text = None
        elif tag == "select" and self.select:
            self.pairs.append((self.select[0], self.select[1] or ""))
            self.select = None


def posted(page):
    form = Form()
    form.feed(page.html)
    return form.pairs


def sent(browser, name, pairs, do, **own):
    """Press a button of an action's page."""
    left = [(key, value) for key, value in pairs if key not in own and key not in ("csrf", "_do")]
    form = {}
    for key, value in [*left, *own.items(), ("_do", do), ("csrf", browser.csrf)]:
        form.setdefault(key, []).append(value)
    return browser.post(f"/try/apollo/{name}", form)


def tried(browser, name, values, do="run", **own):
    """Fill an action's form in as JSON and press a button; costs and mail are confirmed as shown."""
    page = browser.get(f"/try/apollo/{name}")
    own = {"_mode": "json", "_json": json.dumps(values), **own}
    pairs = posted(page)
    page = sent(browser, name, pairs, "look", **own)
    seal = re.search(r'name="_confirmed" value="([^"]+)"', page.html)
    if seal:
        own.setdefault("_confirmed", seal[1])
    return sent(browser, name, posted(page), do, **own)


def ended(browser, page):
    """The page of the result once the run has ended."""
    assert page.status == 303, page.text
    where = page.answer.headers["location"]
    for _ in range(200):
        result = browser.get(where)
        if "data-running" not in result.html:
            return result
        time.sleep(0.05)
    raise AssertionError("still running")


@pytest.mark.full
def test_every_action_has_a_page_that_keeps_its_example(browser, linked):
    """The example filled in, posted as a browser does, and turned to JSON and back is the example."""
    for name in ACTIONS:
        page = browser.get(f"/try/apollo/{name}")
        assert page.status == 200, name
        example = dict(MANIFEST.actions[name].example)
        if not example:
            continue
        page = sent(browser, name, posted(page), "example")
        page = sent(browser, name, posted(page), "json")
        text = re.search(r'(?s)<textarea id="json"[^>]*>(.*?)</textarea>', page.html)[1]
        assert json.loads(unescape(text)) == example, name
        back = sent(browser, name, posted(page), "form")
        own = [(key, value) for key, value in posted(back) if key.startswith(("/", "json:"))]
        assert dict(read(fields_of(name), Posted(own))) == example, name


def test_a_search_runs_and_shows_a_table(browser, linked):
    """Records, the total and the cost stand on the result's page; the run is a run like any other."""
    page = ended(browser, tried(browser, "people_api_search", {"person_titles": ["Founder"]}, _limit="5"))
    assert "5 records of" in page.text
    assert "0 credits spent" in page.text
    assert page.html.count("<tr>") == 6
    run = re.search(r'/runs/([^"]+)"', page.html)[1]
    download = browser.get(f"/try/runs/{run}/result.json")
    assert len(download.json()) == 5


def test_errors_stand_beside_their_fields_and_what_was_typed_stays(browser, linked):
    """Nothing is sent; a problem names its field by being there, others are told on top."""
    page = browser.get("/try/apollo/people_match")
    page = sent(browser, "people_match", posted(page), "check", **{"/email": "nobody", "/id": "short"})
    assert page.status == 422
    assert re.search(r'id="f-email-wrong">Must be an email address', page.html)
    assert re.search(r'id="f-id-wrong">Must be an Apollo id', page.html)
    assert dict(posted(page))["/email"] == "nobody"
    page = sent(browser, "people_match", posted(page), "run", **{"/email": "", "/id": ""})
    assert "Give at least one of" in page.text


def test_errors_in_json_name_the_line(browser, linked):
    """A mistake in the JSON is told with its line, a name given twice by name, and an unknown field in the form too."""
    for text, told in (('{\n"email": }', "Line 2: is not JSON"), ('{"email": "a", "email": "b"}', "stands twice")):
        assert told in tried(browser, "people_match", {}, "check", _json=text).text
    page = tried(browser, "people_match", {"emial": "a@example.com"}, "form")
    assert dict(posted(page))["json:/emial"] == '"a@example.com"'
    assert "did you mean email?" in sent(browser, "people_match", posted(page), "check").text


def test_what_costs_runs_only_as_it_was_confirmed(browser, linked, service):
    """Without the tick nothing is sent, and a tick doesn't count for another input than was shown."""
    values = {"details": [{"email": "ivo@example.com"}]}
    assert tried(browser, "people_bulk_match", values, _confirmed="").status == 422
    page = tried(browser, "people_bulk_match", values, "look")
    seal = re.search(r'name="_confirmed" value="([^"]+)"', page.html)[1]
    dearer = {**values, "reveal_phone_number": True}
    assert tried(browser, "people_bulk_match", dearer, _confirmed=seal).status == 422
    assert [one for one in service.requests() if "match" in one["path"]] == []
    page = ended(browser, tried(browser, "people_bulk_match", values))
    assert "credit spent" in page.text or "credits spent" in page.text


def test_a_budget_is_filled_in_and_kept_where_it_was_changed(browser, linked):
    """It follows the worst cost until somebody writes another one; options without a limit want an estimate."""
    page = tried(browser, "people_bulk_match", {"details": [{"email": "a@example.com"}] * 3}, "look")
    assert dict(posted(page))["_budget"] == "3"
    page = sent(browser, "people_bulk_match", posted(page), "look", _budget="2")
    assert dict(posted(page))["_budget"] == "2"
    page = tried(browser, "people_match", {"email": "a@example.com", "run_waterfall_email": True})
    assert "nobody but you can say" in page.text
    assert "Must be a number of credits" in tried(browser, "people_match", {"email": "a@example.com"}, _budget="x").text


def test_a_form_that_is_sent_twice_runs_once(browser, linked, host):
    """The second answer leads to the first run."""
    first = tried(browser, "users_search", {}, _once="same")
    again = tried(browser, "users_search", {}, _once="same")
    assert first.answer.headers["location"] == again.answer.headers["location"]
    ended(browser, again)
    assert len(host.runs.all()) == 1


def test_what_ended_badly_says_why(browser, linked):
    """The service's refusal is told on the result's page, with what to do."""
    page = ended(browser, tried(browser, "contacts_show", {"contact_id": "f" * 24}))
    assert "failed" in page.text
    assert 'role="alert"' in page.html


def test_choices_are_those_of_the_account(browser, linked):
    """A drop-down's choices come with label and value; without an account only fixed words do."""
    found = browser.get("/try/apollo/contacts_create/options?field=contact_stage_id&connection=Main").json()
    assert {"label", "value"} <= set(found["choices"][0])
    words = browser.get("/try/apollo/people_api_search/options?field=person_seniorities&q=found").json()
    assert words == {"choices": [{"label": "founder", "value": "founder"}], "next_cursor": None}
    refused = browser.get(
        "/try/apollo/contacts_create/options?field=contact_stage_id", headers={"accept": "application/json"}
    )
    assert (refused.status, refused.json()["error"]["code"]) == (422, "input")


def test_entries_are_added_and_removed_without_a_script(browser, linked):
    """Two buttons of the form do it; the others keep what they hold."""
    page = browser.get("/try/apollo/people_bulk_match")
    for _ in range(2):
        page = sent(browser, "people_bulk_match", posted(page), "add:/details")
    page = sent(
        browser, "people_bulk_match", posted(page), "remove:/details/0", **{"/details/1/email": "b@example.com"}
    )
    assert dict(posted(page))["/details/1/email"] == "b@example.com"
    assert "/details/0/email" not in dict(posted(page))
    assert read(fields_of("people_bulk_match"), Posted(posted(page)))["details"] == [{"email": "b@example.com"}]


def test_only_those_who_are_signed_in_come_here(anyone):
    """Trying spends credits of an account, so it is the operators'."""
    for path in ("/try/apollo/people_match", "/try/runs/1", "/try/runs/1/result.json"):
        assert anyone.get(path).status == 303


def test_unknown_actions_and_runs_are_not_there(browser):
    """With what was likely meant."""
    assert browser.get("/try/apollo/people_mtch").status == 404
    assert "people_match" in browser.get("/try/apollo/people_mtch").text
    assert browser.get("/try/nobody/people_match").status == 404
    assert browser.get("/try/runs/none").status == 404
    assert browser.get("/try").answer.headers["location"] == "/"


def test_no_secret_and_no_foreign_script_can_come_in(browser, linked, service):
    """What the service and the person wrote is text on the page, and the key is on none."""
    nasty = "<img src=x onerror=alert(1)>"
    page = tried(browser, "people_api_search", {"q_keywords": nasty}, "form")
    assert nasty not in page.html
    assert service.keys["master"] not in page.html


def test_what_an_account_may_not_run_is_said_as_the_palette_says_it(browser, host):
    """Of an account with few scopes: one that the service always adds isn't missed, one that wasn't granted is."""
    credential = Credential("oauth2", access_token="t", scopes=("contacts_search",))
    host.connections.add("Narrow", "apollo", credential)
    always = host.registry.manifest("apollo").connection_types["oauth2"].oauth.always_scopes
    actions = host.registry.manifest("apollo").actions.values()
    free = next(action.id for action in actions if action.requires.oauth_scope in always)
    said = "The scope people_match wasn't granted."
    assert said in browser.get("/try/apollo/people_match?connection=Narrow").text
    assert browser.get("/palette/search?account=Narrow").json()["barred"]["apollo.people_match"] == said
    assert "wasn't granted" not in browser.get(f"/try/apollo/{free}?connection=Narrow").text


def test_a_raw_write_that_no_action_is_declared_for_is_ticked_off(browser, linked, service):
    """The tick says that nobody else knows what the request does; without it nothing is sent."""
    values = {"method": "DELETE", "path": "/secret/thing", "effect": "read", "credits": 0}
    page = tried(browser, "raw_request", values, _confirmed="")
    assert page.status == 422
    assert "only I know what the request does" in page.text
    assert [one for one in service.requests() if "secret" in one["path"]] == []
    assert tried(browser, "raw_request", values).status == 303
    known = tried(browser, "raw_request", {"method": "POST", "path": "/people/match", "effect": "read"}, "check")
    assert "must be bill or send: this is the route of people_match" in known.text
