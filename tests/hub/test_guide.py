"""The linking page holds what the manifest says, no more and no less: its form, its guide, and what is to be ticked."""

import contextlib
import io
import json
import re
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from apollo_component.apollo.plugin import plugin as apollo  # noqa: E402
from apollo_component.cli.describing import requirements  # noqa: E402
from apollo_component.contract.models import OAuthApp  # noqa: E402
from apollo_component.host.connect_sessions import ConnectSessions  # noqa: E402
from apollo_component.host.host import Host  # noqa: E402
from apollo_component.host.needs import needs_of, remarks  # noqa: E402
from apollo_component.host.registry import Registry  # noqa: E402
from apollo_component.host.settings import Settings  # noqa: E402
from apollo_component.hub.hub import Hub  # noqa: E402
from apollo_component.hub.sessions import Sessions  # noqa: E402
from tests.hub.conftest import ADDRESS, Browser  # noqa: E402
from tests.hub.pages import read  # noqa: E402
from tests.toy.tidepool.plugin import plugin as tidepool  # noqa: E402

PLUGINS = {"apollo": apollo, "tidepool": tidepool}
KINDS = [
    pytest.param(plugin.manifest, kind, id=f"{name}-{kind.id}")
    for name, plugin in PLUGINS.items()
    for kind in plugin.manifest.connection_types.values()
]
WHO = pytest.mark.parametrize("who", ["operator", "guest"])
EACH = pytest.mark.parametrize(("manifest", "kind"), KINDS)
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
NODES = [*apollo.manifest.actions, *apollo.manifest.triggers]
BY_KEY, BY_OAUTH = apollo.manifest.connection_types.values()


@pytest.fixture(scope="module")
def host(tmp_path_factory, registered):
    home = tmp_path_factory.mktemp("guide")
    host = Host.open(Settings(home, f"sqlite:///{home / 'host.db'}"), Registry(PLUGINS))
    yield host
    host.close()


@pytest.fixture(scope="module")
def hub(host):
    return Hub(host, Sessions(lambda _token: None, host.clock), ADDRESS, workflows=ROOT / "examples")


@pytest.fixture(scope="module")
def browser(hub):
    return Browser(hub).signed_in()


def linking_page(browser, manifest, kind, who, names=()):
    """What an operator sees, or an end user who came by a link."""
    if who == "operator":
        chosen = "".join(f"&for={name}" for name in names)
        return read(browser.get(f"/link?connector={manifest.id}&type={kind.id}{chosen}").html)
    host = browser.hub.host
    app = ""
    if kind.oauth:
        app = host.apps.add(None, manifest.id, OAuthApp(f"client-of-{kind.id}", "secret", (f"{ADDRESS}/callback",)))
    _, token = ConnectSessions(host).make("Acme", manifest.id, types=[kind.id], app=app, actions=names)
    guest = Browser(browser.hub)
    assert guest.post("/connect/start", {"token": token}).status == 200
    return read(guest.get("/connect").html)


def declared(manifest, kind):
    """The form's schema as it is on the disk."""
    return json.loads((manifest.root / kind.fields).read_bytes())


def asked_for(kind, who, schema):
    """The fields that a person fills in: end users bring no app, and where it sends people back to is this Hub."""
    names = [name for name in schema["properties"] if not kind.oauth or name != "redirect_uri"]
    return [] if kind.oauth and who == "guest" else names


def guided(page):
    return [step for part in page.all("ol", class_="guide") for step in part.parts if not isinstance(step, str)]


def expected_guide(kind, who):
    return () if kind.oauth and who == "guest" else kind.guide


# The form


@EACH
@WHO
def test_the_form_asks_for_the_manifests_fields(browser, manifest, kind, who):
    """Each once and in order, with title, description, placeholder, pattern, what is required, and secrets hidden."""
    page, schema = linking_page(browser, manifest, kind, who), declared(manifest, kind)
    form = page.one("form", class_="link-form")
    asked = [one for one in form.all("input") if one["type"] != "hidden" and one["name"] != "name"]
    assert [one["name"] for one in asked] == asked_for(kind, who, schema)
    for entry in asked:
        name, field = entry["name"], schema["properties"][entry["name"]]
        required = name in schema["required"]
        label, help_ = form.one("label", **{"for": entry["id"]}), form.one("p", id=f"help-{name}")
        assert label.text == field["title"] + ("" if required else " (optional)")
        assert ("required" in entry, help_.text) == (required, field["description"])
        assert help_["id"] in entry["aria-describedby"].split()
        assert (entry["type"], entry["value"]) == ("password" if field.get("secret") else "text", "")
        assert (entry["placeholder"], entry["pattern"]) == (field.get("placeholder", ""), field.get("pattern", ""))
    others = [one["name"] for tag in ("textarea", "select") for one in form.all(tag)]
    assert [name for name in others if name != "app"] == []


@EACH
def test_no_secret_stands_in_a_form_that_is_shown_again(browser, manifest, kind):
    """What was typed is kept, but for secrets."""
    schema = declared(manifest, kind)
    typed = {name: f"a b {name}" for name in asked_for(kind, "operator", schema)}
    form = {"name": "!", **typed}
    answer = browser.post(f"/link?connector={manifest.id}&type={kind.id}", form)
    assert answer.status == 422
    page = read(answer.html)
    for name, value in typed.items():
        secret = schema["properties"][name].get("secret")
        assert page.one("input", id=f"field-{name}")["value"] == ("" if secret else value)


# The guide


@EACH
@WHO
def test_the_guide_is_the_manifests(browser, manifest, kind, who):
    """Every step in its order with its text; an end user whom an app of ours leads there has nothing to prepare."""
    steps = guided(linking_page(browser, manifest, kind, who))
    told = [(step.one("h3").text, step.all("p")[0].text) for step in steps]
    assert told == [(step.title, " ".join(step.text.split())) for step in expected_guide(kind, who)]


@EACH
@WHO
def test_what_a_step_lists_can_be_copied(browser, manifest, kind, who):
    """The address to register, what to call the key, the endpoints and the scopes: each beside a button, and all."""
    names = list(manifest.actions)[:3]
    page = linking_page(browser, manifest, kind, who, names)
    own = {"redirect_uri": [f"{ADDRESS}/callback"], "name": [browser.hub.name]}
    lists = {**needs_of({manifest.id: manifest}, names), **own}
    for step, declared_step in zip(guided(page), expected_guide(kind, who), strict=True):
        listed = step.all("code")
        assert [one.text for one in listed] == (lists[declared_step.show] if declared_step.show else [])
        copied = {page.one("", id=button["data-copy"]).text for button in step.all("button")}
        every = " ".join(one.text for one in listed)
        assert copied == {one.text for one in listed} | ({every} if listed else set())


@EACH
def test_the_guide_and_the_form_name_the_same_fields(browser, manifest, kind):
    """Each field is explained by a step that calls it by its title, and no step names another form's."""
    fields = declared(manifest, kind)["properties"]
    assert sorted(name for step in kind.guide for name in step.fields) == sorted(fields)
    others = {
        field["title"].lower()
        for plugin in PLUGINS.values()
        for each in plugin.manifest.connection_types.values()
        for field in declared(plugin.manifest, each)["properties"].values()
    }
    others -= {field["title"].lower() for field in fields.values()}
    for step in kind.guide:
        words = f"{step.title} {step.text}".lower()
        assert all(fields[name]["title"].lower() in words for name in step.fields)
        assert [title for title in others if title in words] == []


@EACH
@WHO
def test_a_step_leads_to_the_fields_that_it_explains(browser, manifest, kind, who):
    """To those that are asked for on this page."""
    page, schema = linking_page(browser, manifest, kind, who), declared(manifest, kind)
    asked = asked_for(kind, who, schema)
    for step, told in zip(guided(page), expected_guide(kind, who), strict=True):
        links = [(one["href"], one.text) for one in step.all("a")]
        named = [name for name in schema["properties"] if name in told.fields and name in asked]
        assert links == [(f"#field-{name}", schema["properties"][name]["title"]) for name in named]


@EACH
@WHO
def test_the_links_of_the_guide_are_the_manifests(browser, manifest, kind, who):
    """Whatever leads away from the Hub beside the form is declared."""
    page = linking_page(browser, manifest, kind, who)
    found = [one["href"] for one in page.all("a") if not one["href"].startswith(("/", "#"))]
    assert found == ([manifest.docs] if manifest.docs and expected_guide(kind, who) else [])


@WHO
def test_a_key_that_is_no_master_key_includes_what_the_test_asks(browser, who):
    """The guide says so in words and lists it, whatever was chosen."""
    page = linking_page(browser, apollo.manifest, BY_KEY, who)
    [step] = [step for step in guided(page) if step.all("label")]
    sentence = "A key that is not a master key must include api/v1/mixed_people/api_search"
    assert sentence in step.all("p")[0].text
    assert "api/v1/mixed_people/api_search" in [one.text for one in step.all("code")]


# What is to be ticked


def printed(*names):
    """What the command prints as JSON."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        requirements(list(names), as_json=True)
    return json.loads(out.getvalue())


def ticks(browser, kind, query):
    """What the page lists, whether it asks for a master key, and what it adds."""
    page = read(browser.get(f"/link?connector=apollo&type={kind.id}&{query}").html)
    listed = [code.text for step in guided(page) for label in step.all("label") for code in label.all("code")]
    master = browser.hub.texts("linking.master") in page.text
    return listed, master, [one.text for one in page.all("p", class_="remark")]


def assert_same(browser, query, needs):
    for kind, key in ((BY_KEY, "key_endpoints"), (BY_OAUTH, "oauth_scopes")):
        wanted = (needs[key], kind is BY_KEY and needs["master_key"], [*remarks(needs)])
        assert ticks(browser, kind, query) == wanted, query


@pytest.mark.parametrize("name", NODES)
def test_the_list_of_one_choice_is_what_requirements_finds(browser, name):
    """Every action and every trigger by itself."""
    assert_same(browser, f"for={name}", needs_of(browser.hub.host.registry.manifests, [f"apollo.{name}"]))


@settings(
    max_examples=10,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(names=st.lists(st.sampled_from(NODES), min_size=2, max_size=15, unique=True))
def test_the_list_of_any_choices_is_what_the_command_prints(browser, names):
    """Sets of actions and triggers drawn at random."""
    assert_same(browser, "&".join(f"for={name}" for name in names), printed(*names))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_list_for_a_workflow_is_what_the_command_prints(browser, file):
    """By its name, and for its text when that is pasted."""
    needs = printed(str(file))
    text = file.read_text()
    name = re.search(r"(?m)^name: (.*)$", text)[1]
    assert_same(browser, f"workflow={name}", needs)
    pasted = browser.post("/link/workflow?connector=apollo", {"text": text})
    assert pasted.status == 303, pasted.text
    assert_same(browser, pasted.answer.headers["location"].partition("?")[2].replace("type=api_key&", ""), needs)
