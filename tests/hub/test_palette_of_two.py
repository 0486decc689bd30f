"""A palette of two connectors: each keeps its own name, picture, groups, needs and accounts."""

import sys
from pathlib import Path
from urllib.parse import quote

import pytest

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from apollo_component.apollo.plugin import plugin as apollo  # noqa: E402
from apollo_component.contract.models import Credential  # noqa: E402
from apollo_component.host.host import Host  # noqa: E402
from apollo_component.host.registry import Registry  # noqa: E402
from apollo_component.host.settings import Settings  # noqa: E402
from apollo_component.hub.hub import Hub  # noqa: E402
from apollo_component.hub.sessions import Sessions  # noqa: E402
from tests.hub.conftest import ADDRESS  # noqa: E402
from tests.hub.pages import read  # noqa: E402
from tests.toy.tidepool.plugin import plugin as tidepool  # noqa: E402

HARBOUR = """\
name: Harbour
connections:
  pool: {connector: tidepool}
steps:
  - {id: list, action: berths_list}
"""
BOTH = """\
name: Both
connections:
  pool: {connector: tidepool}
  apollo: {connector: apollo}
steps:
  - {id: list, action: berths_list, connection: pool}
  - {id: find, action: people_api_search, connection: apollo}
"""


@pytest.fixture
def host(tmp_path):
    home = tmp_path / "home"
    registry = Registry({"apollo": apollo, "tidepool": tidepool})
    host = Host.open(Settings(home, f"sqlite:///{home / 'host.db'}"), registry)
    yield host
    host.close()


@pytest.fixture
def hub(host, tmp_path):
    (tmp_path / "harbour.yaml").write_text(HARBOUR)
    (tmp_path / "both.yaml").write_text(BOTH)
    return Hub(host, Sessions(lambda _token: None, host.clock), ADDRESS, workflows=tmp_path)


def test_both_are_offered_and_searched(browser, host):
    """Groups of the same name are told apart, and a word finds what either has."""
    html = browser.get("/").html
    for manifest in host.registry.manifests.values():
        assert f'href="/connectors/{manifest.id}"' in html
        assert all(f'value="{manifest.id}.{group}"' in html for group in {a.group for a in manifest.actions.values()})
    found = browser.get("/palette/search?q=notes").json()["order"]
    assert {"tidepool.notes_list", "apollo.notes_list"} <= set(found)
    assert browser.get("/connectors/tidepool").status == 200
    assert browser.get("/connectors/tidepool/actions/notes_list").status == 200


def test_a_connector_without_an_icon_has_none(browser):
    """Its letter is shown, and no picture is asked for."""
    assert 'src="/connectors/tidepool/icon"' not in browser.get("/").html
    assert browser.get("/connectors/tidepool/icon").status == 404


def test_the_tick_list_is_told_by_connector(browser):
    """Each with its own link to an account; a name that both have must say which is meant."""
    picks = ["tidepool.notes_create", "apollo.people_match", "tidepool.notes_list"]
    html = browser.get("/", params={"pick": picks}).html
    for_each = {
        "tidepool": "/link?connector=tidepool&amp;for=notes_create&amp;for=notes_list",
        "apollo": "/link?connector=apollo&amp;for=people_match",
    }
    for connector, link in for_each.items():
        part = html.partition(f'data-needs="{connector}"')[2].partition("</section>")[0]
        assert f'href="{link}"' in part
    refused = browser.get("/", params={"pick": "notes_list"})
    assert refused.status == 422
    assert "tidepool.notes_list" in refused.text


def test_an_account_runs_nothing_of_another_connector(browser, host):
    """What isn't its connector's is barred with that reason."""
    account = host.connections.add("Harbour", "tidepool", Credential("harbour_key", api_key="k"))
    found = browser.get(f"/palette/search?account={quote(account.id)}&able=1").json()
    assert {name.partition(".")[0] for name in found["order"]} == {"tidepool"}
    assert found["barred"]["apollo.people_match"] == "Harbour is an account of another connector."


def test_a_workflow_needs_no_account_of_a_service_that_it_doesnt_use(browser):
    """The connector is known by the workflow; another one's form says that it isn't used."""
    page = read(browser.get("/link?workflow=Harbour").html)
    assert page.one("form", class_="link-form").all("input", name="tide_key")
    assert "asks nothing of apollo" in browser.get("/link?connector=apollo&workflow=Harbour").text
    pasted = browser.post("/link/workflow?connector=apollo", {"text": HARBOUR})
    assert (pasted.status, "asks nothing of apollo" in pasted.text) == (422, True)


def test_a_workflow_of_two_services_needs_an_account_of_each(browser, host):
    """Each list is that connector's part, and each account that lacks is led to."""
    links = [one["href"] for one in read(browser.get("/link?workflow=Both").html).all("a") if "link" in one["href"]]
    assert links == ["/link?connector=apollo&workflow=Both", "/link?connector=tidepool&workflow=Both"]
    ticks = read(browser.get(links[1]).html).all("label", class_="choice")
    assert [one.text for one in ticks if one.all("code")] == ["berths", "me"]
    html = browser.get("/workflows/Both").html
    assert all(f'href="{link.replace("&", "&amp;")}"' in html for link in links)
    host.connections.add("Harbour", "tidepool", Credential("harbour_key", api_key="k"))
    html = browser.get("/workflows/Both").html
    assert [link.replace("&", "&amp;") in html for link in links] == [True, False]
