"""The palette: everything is found, typing errors are forgiven, and the tick-list is what `requirements` prints."""

import json
import re
import time
from html import unescape
from pathlib import Path

import pytest
from typer.testing import CliRunner

from apollo_component.cli.app import app
from apollo_component.contract.models import Credential
from apollo_component.host.needs import asked_by
from apollo_component.host.workflow.file import load_workflow
from apollo_component.hub.nodes import nodes_of
from apollo_component.hub.rendering import STATIC
from apollo_component.hub.searching import mistakes

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))


@pytest.fixture
def nodes(host):
    return nodes_of(host.registry.manifests.values())


@pytest.fixture
def cli(registered):
    """A command's output, as people read it."""

    def run(*arguments):
        done = CliRunner().invoke(app, list(arguments))
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def order(browser, **query):
    return [name.partition(".")[2] for name in browser.get("/palette/search", params=query).json()["order"]]


def listed(html):
    """The tick-lists of a page: `{connector: {key_endpoints, oauth_scopes, master_key}}`."""
    found = {}
    for connector, part in re.findall(r'(?s)data-needs="(\w+)">(.*?)</section>', html):
        lists = dict(re.findall(r'(?s)data-list="(\w+)">(.*?)</ul>', part))
        found[connector] = {name: re.findall(r"<code>(.*?)</code>", inner) for name, inner in lists.items()}
        found[connector]["master_key"] = "data-master-key" in part
    return found


def test_every_action_and_trigger_is_offered(browser, nodes, host):
    """Each has a row with its cost and effect that leads to its page; deprecated actions are left out."""
    html = browser.get("/").html
    manifest = host.registry.manifest("apollo")
    current = [action.id for action in manifest.actions.values() if not action.deprecated]
    assert re.findall(r'data-node="apollo\.(\w+)"', html) == [node.id for node in nodes]
    assert {node.id for node in nodes} == {*current, *manifest.triggers}
    assert html.count("<li data-node") == len(nodes)
    for node in nodes:
        assert f'href="{node.path}"' in html


def test_the_whole_palette_is_small_and_quick(browser):
    """With its styles and scripts it weighs less than 100 kB, and is made in less than 100 ms."""
    size = len(browser.get("/").answer.content)
    files = ("style.css", "palette.css", "theme.js", "page.js", "hub.js", "palette.js")
    assert size + sum((STATIC / name).stat().st_size for name in files) < 100_000
    took = []
    for _ in range(5):
        begun = time.perf_counter()
        browser.get("/")
        took.append(time.perf_counter() - begun)
    assert min(took) < 0.1


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("enrich a person", "people_match"),
        ("enrihc preson", "people_match"),
        ("contcat serach", "contacts_search"),
        ("sequnce", "emailer_campaigns_search"),
        ("creat deal", "opportunities_create"),
        ("opportunities_show", "opportunities_show"),
        ("api/v1/people/match", "people_match"),
        ("task_write", None),
        ("TASK DUE", "task_due"),
        ("bounced", "email_bounced"),
        ("zzzz qqqq", None),
        ("!!!", None),
    ],
)
def test_a_search_finds_in_spite_of_typing_errors(browser, typed, first):
    """Titles, ids, groups, endpoints and descriptions count; the best comes first, and nonsense finds nothing."""
    found = order(browser, q=typed)
    assert (found[:1] == [first]) if first else (not found or typed == "task_write")


def test_a_page_without_scripts_finds_the_same(browser):
    """`?q=` shows the rows that the script would, in the same order, and keeps what was typed."""
    html = browser.get("/", params={"q": "enrihc compny"}).html
    shown = re.findall(r'data-node="apollo\.(\w+)">', html)
    wanted = order(browser, q="enrihc compny")
    assert sorted(shown) == sorted(wanted)
    assert shown[0] == wanted[0] == "organizations_enrich"
    assert 'value="enrihc compny"' in html


def test_what_stands_somewhere_is_no_typing_error(browser):
    """A word that is found as it was typed brings no look-alikes."""
    assert {"labels_list", "task_due"}.isdisjoint(order(browser, q="emailer"))


@pytest.mark.parametrize(
    ("typed", "word", "count"),
    [
        ("enrich", "enrichment", 0),
        ("enrihc", "enrich", 1),
        ("enrch", "enrich", 1),
        ("enrrich", "enrich", 1),
        ("xyz", "abc", 3),
    ],
)
def test_mistakes_are_counted(typed, word, count):
    """A letter too many, one missing, one wrong and two swapped are a mistake each."""
    assert mistakes(typed, word, 2) == count


def test_filters_narrow_what_is_shown(browser, nodes):
    """By effect, cost, mail and group; filters and words go together."""
    by = {node.id: node for node in nodes}
    assert {by[name].kind for name in order(browser, show="read")} == {"read"}
    assert all(by[name].costs for name in order(browser, show="cost"))
    assert set(order(browser, show="mail")) >= {"emailer_messages_send_now", "emailer_campaigns_add_contact_ids"}
    assert all(by[name].is_trigger for name in order(browser, show="trigger"))
    assert {by[name].heading for name in order(browser, group="apollo.deals")} == {"Deals"}
    assert order(browser, group="apollo.deals", q="created")[0] == "deal_created"
    assert order(browser, show="nonsense") == order(browser)


PICKS = [
    ["people_match"],
    ["people_api_search", "contacts_create", "deal_stage_changed"],
    ["phone_calls_search", "webhook_result_show", "people_bulk_match"],
    ["contacts_upsert", "raw_request", "enrichment_completed"],
    ["typed_custom_fields_list", "conversations_export_create"],
]


@pytest.mark.parametrize("picks", PICKS, ids=" ".join)
def test_the_tick_list_is_what_requirements_prints(browser, cli, picks):
    """Shown, and copied as text: the same endpoints and scopes, and the same words."""
    page = browser.get("/", params={"pick": picks}).html
    wanted = json.loads(cli("requirements", *picks, "--json"))
    assert listed(page) == {"apollo": {key: wanted[key] for key in ("key_endpoints", "oauth_scopes", "master_key")}}
    copied = unescape(re.search(r'(?s)<pre id="tick-list" hidden>(.*?)</pre>', page)[1])
    assert copied == cli("requirements", *picks).rstrip("\n")
    assert browser.get("/palette/plan", params={"pick": picks}).json()["html"] in page


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_tick_list_of_a_workflow_is_what_requirements_prints(browser, cli, host, file):
    """What a workflow file asks can be ticked, look-ups of custom fields too."""
    manifests = host.registry.manifests
    picks = asked_by(load_workflow(file, manifests), manifests)
    wanted = json.loads(cli("requirements", str(file), "--json"))
    shown = listed(browser.get("/palette/plan", params={"pick": picks}).json()["html"])
    assert shown == {"apollo": {key: wanted[key] for key in ("key_endpoints", "oauth_scopes", "master_key")}}


def test_the_tick_list_leads_to_linking_an_account(browser):
    """With the connector and everything that was ticked."""
    html = unescape(browser.get("/", params={"pick": ["people_match", "task_due"]}).html)
    assert 'href="/link?connector=apollo&for=people_match&for=task_due"' in html


def test_a_pick_that_is_nothing_is_told(browser):
    """No file is opened for it either; near names are offered."""
    page = browser.get("/", params={"pick": "people_mach"})
    assert page.status == 404
    assert "people_match" in page.text
    assert browser.get("/palette/plan", params={"pick": str(EXAMPLES[0])}).status == 404


# Accounts


def barred(browser, account, **query):
    found = browser.get("/palette/search", params={"account": account.id, **query}).json()
    return {name.partition(".")[2]: text for name, text in found["barred"].items()}, found


def test_an_account_that_lacks_nothing_is_told_so(browser, linked, nodes):
    """A master key bars nothing that is known."""
    reasons, found = barred(browser, linked)
    assert reasons == {}
    assert f"{len(nodes)} of {len(nodes)}" in found["account"]


def test_refusals_that_were_met_are_shown_with_their_reason(browser, host, linked):
    """Of the action, of others that need the same endpoint, and of triggers that ask it; they can be hidden."""
    miss = {"key_endpoint": "deals/api/v1/opportunities/search", "oauth_scope": "opportunities_list"}
    host.connections.remember_miss(linked, "opportunities_search", miss)
    host.connections.remember_miss(linked, "phone_calls_create", {"master_key": True})
    host.connections.remember_miss(linked, "usage_credit_stats", {"plan": "paid"})
    reasons, _ = barred(browser, linked)
    assert {"opportunities_search", "contacts_opportunities", "deal_created", "opportunities_upsert"} <= set(reasons)
    assert reasons["deal_created"] == f"The key doesn't have {miss['key_endpoint']}."
    assert reasons["phone_calls_create"] == "It needs a master key."
    assert reasons["usage_credit_stats"] == "The account's plan didn't include it when it was last tried."
    assert "opportunities_show" not in reasons
    left = order(browser, account=linked.id, able="1")
    assert set(reasons).isdisjoint(left)
    html = browser.get("/", params={"account": linked.id}).html
    assert html.count("The key doesn&#39;t have deals/api/v1/opportunities/search.") == len(
        [reason for reason in reasons.values() if "search" in reason]
    )


@pytest.fixture
def tokens(host):
    """An account linked in the browser with two scopes."""
    credential = Credential("oauth2", access_token="a", refresh_token="r", scopes=("contacts_search", "contact_write"))
    return host.connections.add("Tokens", "apollo", credential)


def test_scopes_that_werent_granted_bar_what_needs_them(browser, tokens):
    """What the service adds by itself counts as granted, and what has no scope can't run with tokens."""
    reasons, _ = barred(browser, tokens)
    assert reasons["people_match"] == "The scope people_match wasn't granted."
    assert "key" in reasons["emailer_messages_activities"]
    assert {"contacts_search", "contacts_create", "contact_created", "users_api_profile", "auth_health"}.isdisjoint(
        reasons
    )


def test_an_account_that_ended_runs_nothing(browser, host, tokens, nodes):
    """It must be linked again first."""
    host.connections.mark(tokens, "needs_reauthorization", "revoked")
    reasons, _ = barred(browser, tokens)
    assert len(reasons) == len(nodes)
    assert set(reasons.values()) == {"Tokens must be linked again."}
    assert order(browser, account=tokens.id, able="1") == []


def test_the_palette_needs_a_session(anyone):
    """Nobody sees which actions there are, and requests of scripts are told why."""
    for path in ("/", "/connectors/apollo", "/connectors/apollo/actions/people_match"):
        assert anyone.get(path).status == 303
    answer = anyone.get("/palette/search", headers={"accept": "application/json"})
    assert (answer.status, json.loads(answer.html)["error"]["code"]) == (401, "sign_in")
