"""OAuth from the command line: the browser is played by a program that presses the consent page's buttons."""

import json
import urllib.request

import pytest

from apollo_component.cli.consent import decide

pytestmark = pytest.mark.real


@pytest.fixture
def app(cli, service):
    """The sandbox's registered app, stored as `app`."""
    redirects = [part for uri in service.oauth["redirect_uris"] for part in ("--redirect-uri", uri)]
    done = cli("apps", "add", "app", "--client-id", service.oauth["client_id"], *redirects, "--json",
               env={"APOLLO_CLIENT_SECRET": service.oauth["client_secret"]})  # fmt: skip
    assert done.code == 0, done.err
    return "app"


def begun(cli, *arguments):
    """A `connect` that waits for the answer, and where it sends the person."""
    process = cli.process("connect", "oauth2", "--name", "oauth", "--no-browser", "--json", *arguments)
    first = json.loads(process.stdout.readline())
    return process, first


def loopback(service):
    return next(uri for uri in service.oauth["redirect_uris"] if uri.startswith("http://") and ":8765" not in uri)


def through_the_browser(cli, service, app, decision, *arguments):
    process, first = begun(cli, "--app", app, "--redirect-uri", loopback(service), *arguments)
    urllib.request.urlopen(decide(first["authorize_url"], decision), timeout=10).close()
    return cli.finished(process)


def test_allowing_access_links_the_account(cli, service, app):
    """After the consent page and the redirect, the connection is stored with what was granted."""
    done = through_the_browser(cli, service, app, "allow", "--for", "contacts_create", "--for", "people_api_search")
    assert done.code == 0, done.err
    connection = done.json["connection"]
    assert {"contact_write", "mixed_people_api_search"} <= set(connection["scopes"])
    assert connection["expires_at"]
    assert done.json["test"]["verdict"] == "connected"
    assert cli("test", "oauth", "--json").code == 0


@pytest.mark.parametrize(("decision", "text"), [("deny", "Access was not given"), ("no_permission", "admin")])
def test_a_denial_is_told_in_plain_words(cli, service, app, decision, text):
    """Someone who says no, or who may not say yes, gets exit 3 and a sentence; nothing is stored."""
    done = through_the_browser(cli, service, app, decision)
    assert done.code == 3
    assert text in done.err
    assert cli("connections", "--json").json == []


def test_a_pasted_address_links_the_account(cli, service, app):
    """With an https redirect that isn't served here, the final address is read from stdin."""
    process, first = begun(cli, "--app", app, "--redirect-uri", "https://example.com/callback")
    location = decide(first["authorize_url"], "allow")
    done = cli.finished(process, f"{location}\n")
    assert done.code == 0, done.err
    assert done.json["test"]["verdict"] == "connected"


def test_a_foreign_address_is_refused(cli, app):
    """A pasted address that isn't the redirect address, or carries another state, links nothing."""
    for pasted in ("https://evil.example/callback?code=x", "https://example.com/callback?code=x&state=other"):
        process, _ = begun(cli, "--app", app, "--redirect-uri", "https://example.com/callback")
        assert cli.finished(process, f"{pasted}\n").code == 2
    assert cli("connections", "--json").json == []


def test_an_app_can_be_given_with_the_connection(cli, service):
    """Client id as a field and the secret from the environment need no stored app."""
    cli.env["APOLLO_CLIENT_SECRET"] = service.oauth["client_secret"]
    process, first = begun(cli, "--field", f"client_id={service.oauth['client_id']}", "--paste",
                           "--redirect-uri", "https://example.com/callback")  # fmt: skip
    done = cli.finished(process, decide(first["authorize_url"], "allow") + "\n")
    assert done.code == 0, done.err
    assert cli("apps", "list", "--json").json == []


def test_an_app_in_use_is_not_removed(cli, service, app):
    """`apps remove` refuses while a connection uses the app, and works afterwards."""
    assert through_the_browser(cli, service, app, "allow").code == 0
    assert cli("apps", "list", "--json").json[0]["connections"] == ["oauth"]
    assert cli("apps", "remove", "app", "--yes", "--json").code == 2
    assert cli("remove", "oauth", "--yes", "--json").code == 0
    assert cli("apps", "remove", "app", "--yes", "--json").code == 0


def test_tokens_made_elsewhere_are_taken_over(cli, service, tmp_path):
    """`--import-credential` stores tokens of another platform and warns that it must stop refreshing them."""
    tokens = _tokens(service)
    cli.secrets |= {tokens["access_token"], tokens["refresh_token"]}
    file = tmp_path / "credential.json"
    identity = {key: service.oauth[key] for key in ("client_id", "client_secret")}
    file.write_text(json.dumps({**identity, **{key: tokens[key] for key in ("access_token", "refresh_token")}}))
    done = cli("connect", "oauth2", "--name", "moved", "--import-credential", str(file), "--json")
    assert done.code == 0, done.err
    assert "only this host" in done.err
    assert cli("run", "users_api_profile", "--connection", "moved", "--json").json["email"]


def test_tokens_are_refreshed_on_demand(cli, service, app):
    """`refresh` does what is due, and nothing else; with a name it refreshes that connection now; a key is refused."""
    assert through_the_browser(cli, service, app, "allow").code == 0
    assert cli("refresh", "--json").json == []
    done = cli("refresh", "oauth", "--json")
    assert (done.code, [one["refreshed"] for one in done.json]) == (0, [True])
    assert service.control("GET", "/oauth")["requests"]["refresh_token"] == {"ok": 1}
    service.control("POST", "/tokens/revoke", {})
    assert cli("refresh", "oauth", "--json").code == 3
    cli.link("key")
    assert cli("refresh", "key", "--json").code == 2


def test_an_incomplete_credential_file_names_what_is_missing(cli, tmp_path):
    """A file without a refresh token exits 2 and names the field, not the values."""
    cli.secrets.add("canary-4711")
    file = tmp_path / "credential.json"
    file.write_text(json.dumps({"client_id": "c", "client_secret": "canary-4711", "access_token": "canary-4711"}))
    done = cli("connect", "oauth2", "--name", "moved", "--import-credential", str(file), "--json")
    assert done.code == 2
    assert [problem["path"] for problem in done.error["problems"]] == ["refresh_token"]


def _tokens(service):
    from urllib.parse import parse_qs, urlencode, urlsplit

    redirect = "https://example.com/callback"
    query = {"client_id": service.oauth["client_id"], "redirect_uri": redirect, "response_type": "code", "state": "s"}
    location = decide(f"{service.facts['oauth_url']}/#/oauth/authorize?{urlencode(query)}", "allow")
    code = parse_qs(urlsplit(location).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect,
            "client_id": service.oauth["client_id"], "client_secret": service.oauth["client_secret"]}  # fmt: skip
    address = service.facts["oauth_url"] + "/api/v1/oauth/token"
    with urllib.request.urlopen(address, urlencode(form).encode(), timeout=10) as answer:
        return json.load(answer)
