"""A second connector, one YAML file with its schemas and a ten-line plugin, runs in the same host unchanged."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from apollo_component.contract.errors import InputError, PermissionDeniedError, ReauthorizationError
from apollo_component.contract.loading import load_file, validate
from apollo_component.contract.palette import palette_entry
from apollo_component.host import linking
from apollo_component.host.registry import Registry
from apollo_component.host.runner import Job
from apollo_component.host.workflow import engine
from apollo_component.host.workflow.file import parse_workflow
from tests.toy.service import BERTHS, decide

ROOT = Path(__file__).parent.parent.parent
TOY = Path(__file__).parent / "tidepool"
ALL_ACTIONS = ("berths_list", "notes_create", "notes_list", "me_show")


def by_key(host, pool, name="sea", key=None):
    fields = {"tide_key": pool.key if key is None else key}
    return linking.link_key(host, "tidepool", name, "harbour_key", fields)


def by_oauth(host, app, decision="allow", actions=ALL_ACTIONS, name="sea"):
    attempt = linking.begin(host, "tidepool", name, "sign_in", app, actions=actions)
    return linking.finish(host, attempt, decide(attempt.url, decision))


def records(host, action, connection="sea", run="run", **values):
    stored = host.connections.get(connection)
    job = Job(run, stored.id, host.registry.manifest("tidepool").actions[action], values, every_page=True)
    return [record for page in host.runner.pages(job) for record in page.records]


# The declaration


def test_the_toy_is_data_and_ten_lines():
    """The connector is one YAML file, its schemas and a plugin of at most ten lines, and validates whole."""
    files = [file for file in TOY.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    assert {file.suffix for file in files} == {".yaml", ".json", ".py"}
    assert len((TOY / "plugin.py").read_text().splitlines()) <= 10
    assert validate(TOY / "connector.yaml") == []


@pytest.mark.parametrize("part", ["contract", "connector", "host"])
def test_the_general_parts_never_name_the_service(part):
    """The text of the contract, the manifest-driven connector and the host doesn't contain the word Apollo."""
    places = [
        f"{file.relative_to(ROOT)}:{number}"
        for file in sorted((ROOT / "apollo_component" / part).rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
        if "apollo" in line.lower()
    ]
    assert places == []


def test_the_general_schemas_never_name_the_service():
    """The formats of manifests and workflow files know no service."""
    for name in ("connector", "workflow"):
        assert "apollo" not in (ROOT / "schemas" / f"{name}.schema.json").read_text("utf-8").lower()


# Linking


def test_a_key_links(host, pool):
    """A key from a field of the toy's own name is tested, stored and tells whose account it is."""
    connection, report = by_key(host, pool)
    assert (report.verdict, connection.status, connection.type) == ("connected", "active", "harbour_key")
    assert connection.account.name == "Ada Seaworthy"
    assert connection.account.team_id == "h-1"
    assert pool.requests[-1][2]["X-Tide-Key"] == pool.key
    assert "Authorization" not in pool.requests[-1][2]


@pytest.mark.parametrize("around", ["  {} ", '"{}"', "\t'{}'\n"])
def test_what_is_pasted_around_a_key_is_dropped(host, pool, around):
    """White space and quotes around a key of any service are removed."""
    connection, _ = by_key(host, pool, key=around.format(pool.key))
    assert host.connections.credential(connection).api_key == pool.key


def test_a_missing_key_is_named_by_its_own_field(host, pool):
    """The problem names the field as the toy's form calls it."""
    with pytest.raises(InputError) as caught:
        by_key(host, pool, key=" ")
    assert caught.value.problems[0].path == "tide_key"
    assert pool.requests == []


def test_a_wrong_key_is_refused_in_the_toys_words(host, pool):
    """A refusal is worded by the toy's own error table and nothing is stored."""
    with pytest.raises(ReauthorizationError, match="Tidepool doesn't know this key") as caught:
        by_key(host, pool, key="tide_key_wrong")
    assert caught.value.hint == "Copy it again from the harbour master's page."
    assert host.connections.all() == []


def test_oauth_links_by_the_toys_own_page(host, pool, app):
    """The toy's authorize page at a plain path is asked with its scope separator; the tokens are used and stored."""
    connection, report = by_oauth(host, app)
    assert report.verdict == "connected"
    asked = next(path for path in pool.paths("/authorize"))
    assert "scope=berths%3Aread%2Cnotes%3Awrite" in asked
    assert connection.scopes == ("me", "berths:read", "notes:write")
    assert connection.expires_at is not None
    assert pool.requests[-1][2]["Authorization"].startswith("Tide ta_")


def test_a_denial_is_told_in_the_toys_words(host, pool, app):
    """A person who says no gets the service's reason, and nothing is stored."""
    with pytest.raises(ReauthorizationError, match="Not on my pier"):
        by_oauth(host, app, "deny")
    assert host.connections.all() == []


def test_an_answer_to_another_attempt_is_refused(host, pool, app):
    """A callback with a foreign state links nothing and sends nothing."""
    attempt = linking.begin(host, "tidepool", "sea", "sign_in", app)
    answer = decide(attempt.url, "allow") | {"state": "somebody-elses"}
    with pytest.raises(InputError, match="another attempt"):
        linking.finish(host, attempt, answer)
    assert pool.token_answers == {}


def test_an_expired_token_is_refreshed_once(host, pool, app):
    """When the service takes a token no more, one refresh rotates the pair and the request is repeated."""
    connection, _ = by_oauth(host, app)
    before = host.connections.credential(connection)
    pool.expire()
    assert len(records(host, "berths_list")) == len(BERTHS)
    after = host.connections.credential(host.connections.get("sea"))
    assert pool.token_answers["refresh_token ok"] == 1
    assert after.access_token != before.access_token
    assert after.refresh_token != before.refresh_token
    assert after.scopes == before.scopes


def test_a_spent_refresh_token_needs_the_person(host, pool, app):
    """When the toy's pair is gone for good, the connection says that it must be authorized again."""
    by_oauth(host, app)
    pool.expire()
    pool.refresh.clear()
    with pytest.raises(ReauthorizationError):
        records(host, "berths_list")
    assert host.connections.get("sea").status == "needs_reauthorization"
    assert by_oauth(host, app)[0].status == "active"


@pytest.mark.parametrize("how", ["key", "oauth"])
def test_a_stored_connection_is_tested(host, pool, app, how):
    """The test probes free reads of the chosen actions and leaves writes untested."""
    by_key(host, pool) if how == "key" else by_oauth(host, app)
    _, report = linking.test_stored(host, "sea", ALL_ACTIONS)
    outcomes = {check.name: check.outcome for check in report.checks}
    assert report.verdict == "connected"
    assert outcomes == {
        "me_show": "passed",
        "berths_list": "passed",
        "notes_create": "untested",
        "notes_list": "untested",
    }


def test_a_scope_that_was_not_granted_is_known_without_a_call(host, pool, app):
    """An action outside the granted scopes is refused before anything is sent, naming the scope."""
    by_oauth(host, app, actions=("berths_list",))
    sent = len(pool.requests)
    with pytest.raises(PermissionDeniedError) as caught:
        records(host, "notes_create", berth="A-1", words="hello")
    assert caught.value.missing == {"oauth_scope": "notes:write"}
    assert len(pool.requests) == sent


# Actions


@pytest.mark.parametrize("size", [20, 7, 1])
def test_all_pages_arrive_by_the_toys_own_names(host, pool, size):
    """Pages counted from 0 under names of the toy's own give every record once, in order, with no request too many."""
    by_key(host, pool)
    before = len(pool.paths("/v2/berths"))
    assert records(host, "berths_list", size=size) == BERTHS
    asked = pool.paths("/v2/berths")[before:]
    pages = sorted(int(re.search(r"[?&]p=(\d+)", path)[1]) for path in asked)
    assert pages == list(range(-(-len(BERTHS) // size)))


@pytest.mark.parametrize("size", [20, 15])
def test_the_last_page_is_known_as_the_last(host, pool, size):
    """Reading page by page ends where the total ends, though the first page is number 0."""
    connection, _ = by_key(host, pool)
    action = host.registry.manifest("tidepool").actions["berths_list"]
    cursor, pages = None, []
    while not pages or cursor:
        job = Job("run", connection.id, action, {"size": size} | ({"p": int(cursor)} if cursor else {}))
        pages += host.runner.pages(job)
        cursor = pages[-1].next_cursor
    assert [record for page in pages for record in page.records] == BERTHS
    assert len(pages) == -(-len(BERTHS) // size)


def test_the_ceiling_is_reached_and_not_passed(host, pool):
    """Of a search that reaches 400 records in pages of 20, page 19 is asked for and page 20 is not."""
    by_key(host, pool)
    assert records(host, "berths_list", p=19) == []
    with pytest.raises(InputError) as caught:
        records(host, "berths_list", p=20)
    assert caught.value.problems[0].path == "p"


def test_a_path_takes_any_text(host, pool):
    """An input that goes into the path arrives whole, whatever characters it has."""
    by_key(host, pool)
    [note] = records(host, "notes_create", berth="A/1 ?#ü", words="hello")
    assert note["berth"] == "A/1 ?#ü"


def test_a_lost_create_is_found_again(host, pool):
    """A note whose answer was lost is looked up by the toy's own names and not written twice."""
    by_key(host, pool)
    pool.dropped_answers = 1
    [note] = records(host, "notes_create", berth="B-2", words="lost and found")
    assert note == pool.notes[0]
    assert len(pool.notes) == 1


# Workflows

TOY_FLOW = """
name: Note at every free berth
connections:
  sea: {connector: tidepool, use: sea}
steps:
  - id: berths
    action: berths_list
    all: true
    limit: 30
    with: {free: true, size: 10}
  - id: notes
    action: notes_create
    for_each: steps.berths.records
    with: {berth: {$from: item.code}, words: Free}
"""

BOTH_FLOW = """
name: A berth for everybody who founds something
connections:
  sea: {connector: tidepool, use: sea}
  sales: {connector: apollo, use: sales}
steps:
  - id: people
    connection: sales
    action: people_api_search
    with: {person_titles: [Founder, CEO], per_page: 3}
  - id: berths
    connection: sea
    action: berths_list
    with: {free: true, size: 3}
  - id: notes
    connection: sea
    action: notes_create
    for_each: steps.people.records
    with: {berth: {$from: "steps.berths.records[0].code"}, words: {$from: item.first_name}}
  - id: contacts
    connection: sales
    action: contacts_create
    for_each: steps.notes.records
    with: {first_name: {$from: item.words}, last_name: Sailor, organization_name: Example Corp}
"""


def finished(host, text):
    workflow = parse_workflow(text, host.registry.manifests)
    run = engine.start(host, workflow, {}, {})
    return engine.drive(host, run.id)


def test_a_workflow_of_the_toy_alone(host, pool):
    """A workflow file with steps of the toy reads pages, writes for each record and reports both."""
    by_key(host, pool)
    report = finished(host, TOY_FLOW)
    assert report["status"] == "done"
    assert [(step["id"], step["requests"], step["records"]) for step in report["steps"]] == [
        ("berths", 3, 30),
        ("notes", 30, 30),
    ]
    free = [berth["code"] for berth in BERTHS if berth["free"]]
    assert sorted(note["berth"] for note in pool.notes) == sorted(free[:30])


class TestTogether:
    """With Apollo's own plugin beside the toy's."""

    @pytest.fixture
    def registry(self):
        from apollo_component.apollo.plugin import plugin as apollo
        from tests.toy.tidepool.plugin import plugin as tidepool

        return Registry({"apollo": apollo, "tidepool": tidepool})

    @pytest.mark.real
    def test_one_workflow_uses_both(self, host, pool, apollo_sandbox):
        """Steps of two connectors in one file hand values to each other, each with its own connection."""
        by_key(host, pool)
        fields = {"api_key": apollo_sandbox["keys"]["master"]}
        linking.link_key(host, "apollo", "sales", "api_key", fields)
        report = finished(host, BOTH_FLOW)
        assert report["status"] == "done", report
        assert [step["records"] for step in report["steps"]] == [3, 3, 3, 3]
        assert len(pool.notes) == 3
        assert all("x-api-key" not in {name.lower() for name in headers} for _, _, headers in pool.requests)

    def test_a_connection_serves_its_own_connector_only(self, host, pool):
        """A workflow that uses the toy's connection for another connector is refused before it starts."""
        by_key(host, pool)
        text = BOTH_FLOW.replace("use: sales", "use: sea")
        with pytest.raises(InputError, match="is a connection to tidepool, not apollo"):
            engine.start(host, parse_workflow(text, host.registry.manifests), {}, {})


# As a distribution


@pytest.fixture
def installed(tmp_path):
    """The toy as an installed distribution beside Apollo's, in a folder for PYTHONPATH."""
    folder = tmp_path / "site"
    shutil.copytree(TOY, folder / "tidepool", ignore=shutil.ignore_patterns("__pycache__"))
    entries = {
        "toy-0.1": "tidepool = tidepool.plugin:plugin",
        "apollo_component-0.1.0": "apollo = apollo_component.apollo.plugin:plugin",
    }
    for name, entry in entries.items():
        info = folder / f"{name}.dist-info"
        info.mkdir()
        project, version = name.split("-")
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[workflow_connectors]\n{entry}\n")
    return {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}


def ran(installed, *arguments, cwd):
    done = subprocess.run(
        [sys.executable, *arguments],
        check=False,
        env=installed,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_installed_toy_is_found_beside_apollo(installed, tmp_path):
    """Both distributions' entry points are loaded by a host of its own process."""
    code = "from apollo_component.host.registry import Registry; print(sorted(Registry.installed().manifests))"
    assert ran(installed, "-c", code, cwd=tmp_path).strip() == "['apollo', 'tidepool']"


def test_the_palette_shows_both(installed, tmp_path):
    """The command's palette lists the toy's actions beside Apollo's, from a checkout without indexes."""
    found = json.loads(ran(installed, "-m", "apollo_component", "palette", "--json", cwd=tmp_path))
    shown = {connector["id"]: connector for connector in found["connectors"]}
    assert set(shown) == {"apollo", "tidepool"}
    assert shown["tidepool"] == palette_entry(load_file(TOY / "connector.yaml").data)
