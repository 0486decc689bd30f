"""The bad inputs this project promises to take well, each by its name: exit code, sentence, and what stays usable."""

import base64
import json
import shutil
import sqlite3
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from io import StringIO
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from apollo_component.cli.consent import decide
from apollo_component.host.settings import Settings
from apollo_component.host.store import Store
from apollo_component.host.vault import open_vault

PASTED = "https://example.com/callback"
SEARCH = "api/v1/mixed_people/api_search"
ONE = {"per_page": 1}
SOMEBODY = {"email": "a@example.com"}
PROBES = ["auth_health", "users_api_profile", "people_api_search"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Where the home of the first test is kept for the others, as linking takes its time."""
    return tmp_path_factory.mktemp("made") / "home"


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def kept(cli, service, made, home, backend):
    """A linked account, `main`, that every bad input must leave as it was."""
    if backend == "postgres":
        cli.link("main")
    elif made.exists():
        shutil.copytree(made, home)
    else:
        cli.link("main")
        shutil.copytree(home, made)
    (before,) = cli("connections", "--json").json
    service.control("DELETE", "/requests")
    yield cli
    service.control("DELETE", "/faults")
    assert [item for item in cli("connections", "--json").json if item["name"] == "main"] == [before]
    assert cli("test", "main", "--json").json["verdict"] == "connected"


@dataclass
class Browser:
    """Stands for a person with a browser: `act` gets the page's address, and what it returns is pasted on stdin."""

    act: Callable[[str], str] | None = None
    opened: list[str] = field(default_factory=list)

    def open(self, url):
        self.opened.append(url)
        sys.stdin = StringIO(f"{self.act(url)}\n")  # the runner puts the old one back


@pytest.fixture
def browser(monkeypatch):
    made = Browser()
    monkeypatch.setattr("webbrowser.get", lambda: made)
    return made


@pytest.fixture
def app(kept, service):
    """The sandbox's registered app, stored as `app` beside the linked account."""
    return add_app(kept, service, "app", *service.oauth["redirect_uris"])


def add_app(cli, service, name, *redirects):
    given = [part for uri in redirects for part in ("--redirect-uri", uri)]
    secret = {"APOLLO_CLIENT_SECRET": service.oauth["client_secret"]}
    done = cli("apps", "add", name, "--client-id", service.oauth["client_id"], *given, "--json", env=secret)
    assert done.code == 0, done.err
    return name


def authorize(cli, browser, act, uri=PASTED, app="app"):
    """`connect oauth2` with a person who does `act` on the consent page and pastes the final address."""
    browser.act = act
    return cli("connect", "oauth2", "--name", "oauth", "--app", app, "--redirect-uri", uri, "--json")


def code_in(cli, location):
    """The code of a final address; it must never be printed."""
    code = dict(parse_qsl(urlsplit(location).query))["code"]
    cli.secrets.add(code)
    return code


def exchanged(service, code):
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": PASTED,
            "client_id": service.oauth["client_id"], "client_secret": service.oauth["client_secret"]}  # fmt: skip
    address = service.facts["oauth_url"] + "/api/v1/oauth/token"
    urllib.request.urlopen(address, urlencode(form).encode(), timeout=10).close()


def run(cli, action, values, *more, connection="main"):
    return cli("run", action, "--connection", connection, "--input", json.dumps(values), "--json", *more)


def connect(cli, key, name="new"):
    return cli("connect", "api_key", "--name", name, "--json", env={"APOLLO_API_KEY": key})


def names(cli):
    return sorted(item["name"] for item in cli("connections", "--json").json)


def sent(service):
    return [item["operation"] for item in service.requests()]


def fault(service, operation, kind, **more):
    service.control("POST", "/faults", {"operation": operation, "kind": kind, **more})


def refused(done, code, *words):
    """The error of a command that ended as promised: a sentence, each of `words`, and never a traceback."""
    assert done.code == code, (done.code, done.out, done.err)
    error = done.error
    assert error["exit_code"] == code
    assert error["message"]
    assert "Traceback" not in done.err
    told = json.dumps(error, ensure_ascii=False)
    assert [word for word in words if word not in told] == []
    return error


# keys


@pytest.mark.parametrize("name", ["new", "main"])
def test_a_wrong_key(kept, service, name):
    """A key that Apollo doesn't know exits 3 after one request, also when it should replace a good one."""
    kept.secrets.add("wrong-key-31337")
    error = refused(connect(kept, "wrong-key-31337", name), 3, "mistyped", "Nothing was stored.")
    assert error["hint"]
    assert sent(service) == ["auth_health"]
    assert names(kept) == ["main"]


@pytest.mark.parametrize("around", [" {} ", '"{}"', "'{}'", '\t "{}"\r\n', "\u201c{}\u201d"])
def test_a_right_key_in_white_space_or_quotes(kept, service, around):
    """What a paste leaves around a key is taken off before it is sent or stored."""
    done = connect(kept, around.format(kept.key("master")))
    assert (done.code, done.json["test"]["verdict"]) == (0, "connected")
    assert sent(service) == PROBES
    assert names(kept) == ["main", "new"]


def test_a_key_without_the_endpoint(kept, service):
    """A run that the key may not make exits 4 after one request and names the endpoint to tick."""
    kept.link("small", "scoped_without_search")
    service.control("DELETE", "/requests")
    error = refused(run(kept, "people_api_search", ONE, connection="small"), 4, f"tick {SEARCH}")
    assert error["missing"]["key_endpoint"] == SEARCH
    assert sent(service) == ["people_api_search"]
    assert run(kept, "contacts_search", ONE, connection="small").code == 0


def test_a_free_plan(kept, service):
    """A run that the account's plan leaves out exits 4 after one request and speaks of the plan, not of the key."""
    kept.link("free", "free")
    service.control("DELETE", "/requests")
    error = refused(run(kept, "people_api_search", ONE, connection="free"), 4, "plan")
    assert (error["missing"], "plan" in error["hint"]) == ({"plan": "paid"}, True)
    assert "tick" not in error["hint"]
    assert sent(service) == ["people_api_search"]


# OAuth


def late(service, _code):
    service.control("POST", "/clock", {"advance": 601})


def forgotten(service, _code):
    """The code is revoked: the service knows it no more."""
    service.control("POST", "/reset", {})


@pytest.mark.parametrize("spoil", [late, forgotten, exchanged], ids=["expired", "revoked", "replayed"])
def test_a_code_that_is_no_longer_good(kept, service, browser, app, spoil):
    """A code that is too old, revoked or used before exits 3 after one token request and links nothing."""

    def act(url):
        location = decide(url, "allow")
        spoil(service, code_in(kept, location))
        return location

    error = refused(authorize(kept, browser, act), 3)
    assert error["code"] == "grant_refused"
    assert "again" in error["hint"]
    outcomes = service.control("GET", "/oauth")["requests"]["authorization_code"]
    assert outcomes == ({"ok": 1} if spoil is exchanged else {}) | {"invalid_grant": 1}
    assert set(sent(service)) == {"oauth_token"}
    assert names(kept) == ["main"]


def test_a_foreign_state(kept, service, browser, app):
    """An answer that belongs to another attempt exits 2, and its code is never sent anywhere."""

    def act(url):
        code = code_in(kept, decide(url, "allow"))
        return f"{PASTED}?{urlencode({'code': code, 'state': 'of-somebody-else'})}"

    refused(authorize(kept, browser, act), 2, "another attempt", "Start again")
    assert service.control("GET", "/oauth")["requests"] == {}
    assert names(kept) == ["main"]


def test_a_revoked_refresh_token(kept, service, browser, app):
    """A grant that was taken back exits 3, is asked for once, shows in the list, and linking again cures it."""
    first = authorize(kept, browser, lambda url: decide(url, "allow"))
    assert first.code == 0, first.err
    for order in ("revoke", "expire"):
        service.control("POST", f"/tokens/{order}", {})
    refused(run(kept, "users_api_profile", {}, connection="oauth"), 3, "again")
    refused(run(kept, "users_api_profile", {}, connection="oauth"), 3, "again")
    assert service.control("GET", "/oauth")["requests"]["refresh_token"] == {"invalid_grant": 1}
    listed = {item["name"]: item for item in kept("connections", "--json").json}
    assert (listed["oauth"]["status"], listed["main"]["status"]) == ("needs_reauthorization", "active")
    assert listed["oauth"]["reason"]
    assert kept("test", "oauth", "--json").code == 3
    again = authorize(kept, browser, lambda url: decide(url, "allow"))
    assert again.json["connection"]["id"] == first.json["connection"]["id"]
    assert again.json["connection"]["status"] == "active"
    assert run(kept, "users_api_profile", {}, connection="oauth").code == 0


@pytest.mark.parametrize(
    ("decision", "word"), [("deny", "The user denied access"), ("no_permission", "contact your Apollo admin")]
)
def test_consent_denied_or_not_permitted(kept, service, browser, app, decision, word):
    """A no, or an account that may not say yes, exits 3 with Apollo's words and asks for no token."""
    error = refused(authorize(kept, browser, lambda url: decide(url, decision)), 3, "Access was not given", word)
    assert "admin" in error["hint"]
    assert service.control("GET", "/oauth")["requests"] == {}
    assert names(kept) == ["main"]


def test_a_redirect_that_the_app_does_not_register(kept, service, browser, app):
    """A redirect address the stored app doesn't have exits 2 with those it has; no browser is opened."""
    done = kept("connect", "oauth2", "--name", "oauth", "--app", app, "--redirect-uri", PASTED + "/", "--json")
    error = refused(done, 2, PASTED, "not one that the app registers")
    assert error["problems"][0]["path"] == "redirect_uri"
    assert browser.opened == []
    assert names(kept) == ["main"]


def test_a_redirect_that_the_service_does_not_know(kept, service, browser, app):
    """When Apollo's page refuses the redirect address nobody comes back: an empty paste exits 2, nothing is linked."""
    other = PASTED + "/elsewhere"
    add_app(kept, service, "other", other)

    def act(url):
        with pytest.raises(urllib.error.HTTPError) as caught:
            decide(url, "allow")
        assert caught.value.code == 400
        return ""

    done = authorize(kept, browser, act, other, "other")
    refused(done, 2, other, "nothing was linked")
    assert service.control("GET", "/oauth")["requests"] == {}
    assert names(kept) == ["main"]


# answers that aren't the service's


@pytest.fixture
def hurried(monkeypatch):
    """Retries without the pauses between them; a request is sent seven times at most."""
    monkeypatch.setattr("apollo_component.host.calls.BACKOFF", (0.0,) * 6)


@pytest.mark.parametrize("name", ["new", "main"])
def test_a_web_page_while_linking(kept, service, name):
    """A proxy's page instead of JSON exits 6 after one request; it is not taken for a wrong key and stores nothing."""
    fault(service, "*", "html")
    refused(connect(kept, kept.key("scoped"), name), 6, "a web page", "proxy", "Nothing was stored.")
    assert sent(service) == ["auth_health"]
    assert names(kept) == ["main"]


def test_a_web_page_in_place_of_tokens(kept, service, browser, app):
    """A proxy's page at the token address exits 6, and a second attempt links."""
    fault(service, "oauth_token", "html", times=1)
    refused(authorize(kept, browser, lambda url: decide(url, "allow")), 6, "a web page", "proxy")
    assert names(kept) == ["main"]
    assert authorize(kept, browser, lambda url: decide(url, "allow")).code == 0


@pytest.mark.parametrize("kind", ["html", "truncate"])
def test_a_broken_answer_to_a_read_once(kept, service, hurried, kind):
    """A web page or half an answer to a read is asked for once more, and nobody notices."""
    fault(service, "people_api_search", kind, times=1)
    done = run(kept, "people_api_search", ONE)
    assert (done.code, len(done.lines)) == (0, 1)
    assert len(sent(service)) == 2


@pytest.mark.parametrize("kind", ["html", "truncate"])
def test_a_broken_answer_to_a_read_for_ever(kept, service, hurried, kind):
    """When every answer is broken the read gives up with exit 6 and says where to look."""
    fault(service, "people_api_search", kind)
    error = refused(run(kept, "people_api_search", ONE), 6, "proxy" if kind == "html" else "broke off")
    assert (error["code"], bool(error["hint"])) == ("unreadable_reply", True)
    assert len(sent(service)) == 7


@pytest.mark.parametrize("kind", ["html", "truncate"])
def test_a_broken_answer_to_what_costs(kept, service, kind):
    """Half an answer to an enrichment that may not be repeated exits 7, is sent once and listed as in doubt."""
    fault(service, "people_match", kind, times=1)
    done = run(kept, "people_match", SOMEBODY, "--on-unknown", "stop")
    refused(done, 7, "not repeated", "Look in the account")
    assert sent(service) == ["people_match"]
    assert [item["action"] for item in done.summary["in_doubt"]] == ["people_match"]
    report = kept("runs", "show", done.summary["id"], "--json").json
    assert report["detail"]["error"]["exit_code"] == 7


# inputs


@pytest.mark.parametrize(
    ("values", "path", "word"),
    [
        ({"person_title": ["CEO"]}, "person_title", "did you mean person_titles?"),
        ({"revenue_range": "1,50"}, "revenue_range", "must be an object"),
        ({"revenue_range": {"min": "1M"}}, "revenue_range.min", "must be a whole number"),
        ({"revenue_range": {"from": 1}}, "revenue_range.from", "is not a known field"),
        ({"organization_num_employees_ranges": ["1-50"]}, "organization_num_employees_ranges[0]", "11,50"),
        ({"organization_num_employees_ranges": "1,50"}, "organization_num_employees_ranges", "must be a list"),
    ],
    ids=["unknown filter", "range as text", "text in a range", "unknown end", "band with a dash", "band as text"],
)
def test_a_filter_that_does_not_fit(kept, service, values, path, word):
    """An unknown filter or a mis-shaped range exits 2 with its place and the right form; nothing is sent."""
    error = refused(run(kept, "people_api_search", values), 2, "nothing was sent")
    assert [(item["path"], word in item["text"]) for item in error["problems"]] == [(path, True)]
    person = kept("run", "people_api_search", "--connection", "main", "--input", json.dumps(values))
    assert (person.code, path in person.err, word in person.err) == (2, True, True)
    assert sent(service) == []


TEN = """\
name: Ten mistakes
colour: blue
connections:
  apollo: {connector: apollo}
steps:
  - id: search
    action: people_api_serch
  - id: people
    action: people_api_search
    limit: 5
    with:
      person_titels: [CEO]
      revenue_range: "1,50"
      organization_num_employees_ranges: ["1-50"]
  - id: people
    action: users_search
    connection: hubspot
  - id: Later
    action: people_match
    on_error: retry
    with:
      email: {$from: inputs.mail}
"""
LINES = [2, 7, 10, 12, 13, 14, 15, 17, 18, 20, 22]


@pytest.fixture
def ten(tmp_path):
    file = tmp_path / "ten.yaml"
    file.write_text(TEN)
    return str(file)


def told_all(done):
    error = refused(done, 2, "people_api_search", "person_titles", "11,50")
    assert error["code"] == "manifest"
    assert [problem["line"] for problem in error["problems"]] == LINES
    assert all(problem["text"] for problem in error["problems"])


def test_a_workflow_file_with_ten_mistakes(kept, service, ten):
    """`check` tells every mistake of a file at once with its line, to programs and to people, and exits 2."""
    told_all(kept("workflow", "check", ten, "--json"))
    person = kept("workflow", "check", ten)
    assert [line for line in LINES if f":{line}:" not in person.err] == []
    assert sent(service) == []


@pytest.mark.real
def test_a_workflow_file_with_ten_mistakes_is_not_run(kept, service, ten):
    """`workflow run` refuses a file with the same list and exit 2; nothing is sent and no run is noted."""
    told_all(kept.finished(kept.process("workflow", "run", ten, "--connection", "apollo=main", "--json")))
    assert sent(service) == []
    assert kept("runs", "list", "--json").json == []


# the store


STORING = (
    ("run", "people_api_search", "--connection", "main"),
    ("connect", "api_key", "--name", "new"),
    ("remove", "main", "--yes"),
    ("test", "main"),
)


def stored(cli, command, **env):
    return cli(*command, "--json", env={"APOLLO_API_KEY": cli.key("scoped"), **env})


def asked(service):
    """What a command sent, by its name; the connection test comes before there is anything to store."""
    found = sent(service)
    service.control("DELETE", "/requests")
    return found


@pytest.mark.sqlite
def test_a_locked_database(kept, service, home, monkeypatch):
    """While another holds the database, writing waits, then exits 6 and stores nothing; reading goes on."""
    monkeypatch.setitem(Store.__init__.__kwdefaults__, "busy_seconds", 0.05)
    with closing(sqlite3.connect(home / "host.db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        for command in STORING:
            error = refused(stored(kept, command), 6, "locked")
            assert "again" in error["hint"]
            assert asked(service) == (PROBES if command[0] in ("connect", "test") else [])
        assert names(kept) == ["main"]
        holder.execute("ROLLBACK")
    assert names(kept) == ["main"]
    assert kept("runs", "list", "--json").json == []


@pytest.mark.sqlite
def test_a_read_only_database(kept, service, home):
    """A database that can't be written exits 2 and says which right is missing; what is stored can still be read."""
    read_only = {"WORKFLOW_HOST_DATABASE_URL": f"sqlite:///file:{home / 'host.db'}?mode=ro&uri=true"}
    for command in STORING:
        error = refused(stored(kept, command, **read_only), 2, "read-only")
        assert (error["code"], "right to write" in error["hint"]) == ("store", True)
        assert asked(service) == (PROBES if command[0] in ("connect", "test") else [])
    assert [item["name"] for item in kept("connections", "--json", env=read_only).json] == ["main"]


@pytest.mark.sqlite
def test_a_database_of_a_newer_version(kept, service, home):
    """A database of a newer version exits 2 naming its schema, and is left as it is."""
    with closing(sqlite3.connect(home / "host.db", isolation_level=None)) as database:
        (known,) = database.execute("SELECT version_num FROM host_schema").fetchone()
        database.execute("UPDATE host_schema SET version_num = '9999'")
        for command in (("connections",), *STORING):
            error = refused(stored(kept, command), 2, "9999")
            assert "newer version" in error["hint"]
        assert database.execute("SELECT version_num FROM host_schema").fetchone() == ("9999",)
        database.execute("UPDATE host_schema SET version_num = ?", (known,))
    assert sent(service) == []


def key_id(home, url, key=""):
    """The id of the key that a home is opened with."""
    with closing(Store.open(url)) as store:
        return open_vault(Settings(home, url, key), store).key_id


def test_a_lost_key_file(kept, service, home, database_at):
    """Without its key file a home exits 2 naming the key it needs; no new key is made, and the old one cures it."""
    wanted, key = key_id(home, database_at(home)), (home / "host.key").read_bytes()
    (home / "host.key").unlink()
    for command in (("connections",), *STORING):
        error = refused(stored(kept, command), 2, wanted, "WORKFLOW_HOST_KEY", "host.key")
        assert "backup" in error["hint"]
    assert [item.name for item in home.glob("host.key*")] == []
    assert sent(service) == []
    (home / "host.key").touch(mode=0o600)
    (home / "host.key").write_bytes(key)


def test_a_wrong_key_of_the_host(kept, service, home, tmp_path, database_at):
    """Another home's WORKFLOW_HOST_KEY exits 2 naming both key ids and shows no key; without it all is as before."""
    other = base64.b64encode(bytes(range(32))).decode()
    kept.secrets |= {other, (home / "host.key").read_text().strip()}
    (tmp_path / "other").mkdir()
    ids = [key_id(place, database_at(place), key) for place, key in ((home, ""), (tmp_path / "other", other))]
    assert ids[0] != ids[1]
    for command in (("connections",), *STORING):
        error = refused(stored(kept, command, WORKFLOW_HOST_KEY=other), 2, *ids)
        assert "right key" in error["hint"]
    assert sent(service) == []


def test_a_key_of_the_host_that_is_none(kept, service):
    """A WORKFLOW_HOST_KEY that isn't base64 of 32 bytes exits 2 with the form that is expected, not with its text."""
    kept.secrets.add("canary-0816")
    error = refused(kept("connections", "--json", env={"WORKFLOW_HOST_KEY": "canary-0816"}), 2, "WORKFLOW_HOST_KEY")
    assert "base64 of exactly 32 bytes" in error["message"]
