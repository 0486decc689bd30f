"""`link` and `links`: links for end users, made and revoked at the command line."""

import pytest

from apollo_component.host.needs import asked_by
from apollo_component.host.registry import Registry
from apollo_component.host.workflow.file import load_workflow

from .conftest import ROOT


def made(cli, *more, **env):
    return cli("link", "--for", "Acme", *more, "--json", env=env or None)


def test_a_link_is_made_for_the_hub(cli):
    """Its secret part stands behind the #; where the Hub is reached comes from the environment or an option."""
    found = made(cli, "--action", "contacts_search", "--expires", "2h").json
    assert found["url"].startswith("http://127.0.0.1:8765/connect/start#")
    assert (found["owner"], found["status"], found["types"]) == ("Acme", "waiting", ["api_key"])
    assert found["actions"] == ["contacts_search"]
    there = made(cli, WORKFLOW_HOST_PUBLIC_URL="https://hub.example/x").json
    assert there["url"].startswith("https://hub.example/x/connect/start#")
    elsewhere = made(cli, "--hub", "http://127.0.0.1:9000/").json
    assert elsewhere["url"].startswith("http://127.0.0.1:9000/connect/start#")


def test_a_link_is_made_for_a_workflow(cli):
    """It holds all that `requirements` lists for the file; one that can't be read makes no link."""
    file = ROOT / "examples" / "prospecting.yaml"
    found = made(cli, "--workflow", str(file), "--action", "apollo.people_match").json
    manifests = Registry.installed().manifests
    asked = [name.removeprefix("apollo.") for name in asked_by(load_workflow(file, manifests), manifests)]
    assert found["actions"] == list(dict.fromkeys(["people_match", *asked]))
    missing = made(cli, "--workflow", "nothing.yaml")
    assert (missing.code, "can't be read" in str(missing.error)) == (2, True)
    assert len(cli("links", "list", "--json").json) == 1


def test_links_are_listed_and_revoked(cli):
    """Never with their secret part."""
    found = made(cli).json
    listed = cli("links", "list")
    assert found["id"] in listed.out
    assert found["url"].partition("#")[2] not in listed.out
    assert cli("links", "revoke", found["id"], "--yes", "--json").json["status"] == "revoked"
    assert cli("links", "list", "--json").json[0]["status"] == "revoked"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--expires", "soon"], "30m, 12h or 7d"),
        (["--expires", "0m"], "1 minute"),
        (["--type", "oauth2"], "end users bring none"),
        (["--action", "nothing"], "nothing"),
        (["--return-url", "http://elsewhere.example"], "https"),
    ],
)
def test_what_is_wrong_is_said(cli, more, said):
    """With exit code 2, and no link is made."""
    done = made(cli, *more)
    assert (done.code, said in str(done.error)) == (2, True)
    assert cli("links", "list", "--json").json == []
