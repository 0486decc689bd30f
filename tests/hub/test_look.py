"""The look that an operator gives the Hub, and where it is reached."""

import contextlib
import os
import re
from pathlib import Path

import pytest

import apollo_component.hub as hub_package
from apollo_component.cli.hub import _beside, _hub, _introduce
from apollo_component.cli.output import Output
from apollo_component.contract.errors import InputError
from apollo_component.host.host import Host
from apollo_component.host.registry import Registry
from apollo_component.host.settings import Settings
from apollo_component.hub.hub import Hub, Look
from apollo_component.hub.sessions import Sessions

from .conftest import ADDRESS, Browser
from .test_trying import tried

KEPT_APART = "WORKFLOW_HOST_DATABASE_URL", "WORKFLOW_HOST_KEY", "WORKFLOW_HOST_OLD_KEYS"
PUBLIC = "https://tools.example.com/hub"


@pytest.fixture
def logo(tmp_path):
    file = tmp_path / "logo.svg"
    file.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    return file


def test_name_colour_and_logo_are_the_operators(host, logo):
    """They stand on every page, the sign-in page too."""
    given = {"WORKFLOW_HUB_NAME": "Acme tools", "WORKFLOW_HUB_ACCENT": "#0b7285", "WORKFLOW_HUB_LOGO": str(logo)}
    look = Look.from_environment(given)
    browser = Browser(Hub(host, Sessions(lambda _token: None, host.clock), ADDRESS, look))
    page = browser.get("/sign-in")
    assert "Acme tools" in page.text
    assert "/look/logo" in page.html
    assert "#0b7285" in browser.get("/look/accent.css").html
    picture = browser.get("/look/logo")
    assert (picture.answer.headers["content-type"], picture.html) == ("image/svg+xml", logo.read_text())


@pytest.mark.parametrize(
    ("name", "value"),
    [("NAME", "x" * 41), ("NAME", "a\nb"), ("ACCENT", "red"), ("ACCENT", "#fff; }"), ("LOGO", "/nowhere/logo.svg"),
     ("LOGO", "logo.gif"), ("LOGO", "large.png")],
)  # fmt: skip
def test_a_look_that_can_not_be_used_is_refused(tmp_path, monkeypatch, name, value):
    """The variable is named: too long a name, no colour, a file of another kind, missing or too large."""
    (tmp_path / "large.png").write_bytes(b"x" * 50_001)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        Look.from_environment({f"WORKFLOW_HUB_{name}": value})
    [problem] = caught.value.problems
    assert problem.path == f"WORKFLOW_HUB_{name}"


def test_behind_a_proxy_links_and_callback_have_its_address(host):
    """The path of the public address stands before every link, and requests are addressed to its name."""
    hub = Hub(host, Sessions(lambda _token: None, host.clock), PUBLIC)
    browser = Browser(hub, "https://tools.example.com")
    page = browser.get("/sign-in")
    assert page.status == 200
    assert 'href="/hub/' in page.html
    assert browser.get("/accounts").answer.headers["location"] == "/hub/sign-in"
    assert browser.get("/sign-in", headers={"host": "127.0.0.1:8765"}).status == 421
    assert hub.redirect_uri == f"{PUBLIC}/callback"
    assert Hub(host, hub.sessions, ADDRESS).redirect_uri == f"{ADDRESS}/callback"


def test_a_session_ends_with_the_process(host, browser):
    """The cookie of before signs nobody in at a Hub that was started again; its database is the same."""
    assert browser.get("/accounts").status == 200
    again = Browser(Hub(host, Sessions(lambda _token: None, host.clock), ADDRESS))
    again.client.cookies = browser.client.cookies
    assert again.get("/accounts").status == 303


def test_it_drives_runs_unless_it_is_told_not_to(host):
    """`--no-worker` leaves that to other processes."""
    assert _hub(host, Output(False), ADDRESS, None, worker=True).worker
    assert _hub(host, Output(False), ADDRESS, None, worker=False).worker is None


def test_the_link_that_signs_in_has_its_token_behind_the_hash(host, monkeypatch, capsys):
    """What stands there isn't sent to a server; the link is of the address where the Hub is reached."""
    hub = _hub(host, Output(False), ADDRESS, None, worker=False)
    hub.sessions.offer()
    [link] = re.findall(r"https?://\S+", capsys.readouterr().err)
    place, _, token = link.partition("#")
    assert place == f"{ADDRESS}/sign-in"
    assert Browser(hub).post("/sign-in", {"token": token}).status == 200


@pytest.mark.parametrize(("limit", "refused"), [("1000", False), ("1001", True)])
def test_so_many_records_are_tried_for_and_no_more(browser, linked, limit, refused):
    """More is a mistake beside its field, and nothing is sent."""
    page = tried(browser, "users_search", {}, do="look", _limit=limit)
    assert ("from 1 to 1,000" in page.text) is refused


WORDS = re.compile(r"[A-Za-z]{3,}")
NO_TEXT = re.compile(
    r"\{#.*?#\}|\{% block \w+ %\}[\w ]*\{% endblock %\}|\{%.*?%\}|\{\{.*?\}\}|<(script|style|code|pre)\b.*?</\1>|<[^>]*>"
    r'|[\w-]+="[^"]*"',
    re.DOTALL,
)


def test_every_text_is_in_one_file():
    """No template has words of its own beside what it takes from messages.yaml and what is typed as it stands."""
    templates = sorted((Path(hub_package.__file__).parent / "templates").glob("*.html"))
    assert len(templates) > 30
    found = {file.name: WORDS.findall(NO_TEXT.sub(" ", file.read_text("utf-8"))) for file in templates}
    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.real
def test_a_sandbox_beside_it_is_forgotten_at_the_end(monkeypatch, capsys):
    """It prints made-up keys and stores an OAuth app that leads back to this Hub; then its folder is gone."""
    monkeypatch.delenv("WORKFLOW_HOST_PUBLIC_URL", raising=False)
    for name in ("WORKFLOW_HOST_HOME", "APOLLO_API_URL", "APOLLO_OAUTH_URL", *KEPT_APART):
        monkeypatch.setenv(name, "unused")
    with _beside(ADDRESS) as facts:
        home = Path(os.environ["WORKFLOW_HOST_HOME"])
        with contextlib.closing(Host.open(Settings.from_environment(os.environ), Registry.installed())) as host:
            hub = Hub(host, Sessions(lambda _token: None, host.clock), ADDRESS)
            _introduce(hub, facts, Output(False))
            [app] = host.apps.all()
        assert (app["name"], home.is_dir()) == ("Sandbox app", True)
        assert set(facts["keys"].values()) <= set(capsys.readouterr().err.split())
    assert not home.exists()
