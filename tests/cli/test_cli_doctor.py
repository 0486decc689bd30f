"""`doctor` as a command, and its bundle: what leaves the machine, searched for everything that must not."""

import json
import stat
import zipfile

import pytest

from tests.canary.scanner import Scanner

FLOW = """
name: Canary of Dana Example
connections: {apollo: {connector: apollo, use: Canary-Connection}}
steps:
  - {id: people, action: people_api_search, with: {per_page: 5}}
  - {id: enrich, action: people_bulk_match, when: "`true`", with: {details: {$from: "steps.people.records[].{id: id}"}}}
  - id: contacts
    action: contacts_create
    for_each: steps.enrich.records[?email]
    on_error: collect
    with: {title: canary-typed-keyword, first_name: {$from: item.first_name}, last_name: {$from: item.last_name}, email: {$from: item.email}}
  - {id: gone, action: contacts_show, on_error: stop, with: {contact_id: 5f00000000000000000000ff}}
"""


@pytest.fixture
def worked(cli, tmp_path):
    """A host that worked with a log: a run that failed after records were fetched; and what must never leave it."""
    log = tmp_path / "host.log"
    cli.env |= {"WORKFLOW_HOST_LOG": str(log), "WORKFLOW_HOST_LOG_LEVEL": "debug", "HTTPS_PROXY": "http://canary-proxy"}
    assert cli.link("Canary-Connection").code == 0
    people = cli(
        "run", "people_api_search", "--connection", "Canary-Connection", "--input", '{"per_page": 5}', "--json"
    )
    ids = json.dumps({"details": [{"id": json.loads(line)["id"]} for line in people.out.splitlines()[:5]]})
    found = cli("run", "people_bulk_match", "--connection", "Canary-Connection", "--input", ids, "--json")
    (tmp_path / "flow.yaml").write_text(FLOW)
    flow = cli.finished(cli.process("workflow", "run", str(tmp_path / "flow.yaml"), "--json"))
    assert json.loads(flow.out)["status"] == "failed", flow.err
    records = [json.loads(line) for line in found.out.splitlines()]
    private = dict(cli.keys)
    private |= {f"email {item['email']}": item["email"] for item in records if item.get("email")}
    private |= {f"name {item['name']}": item["name"] for item in records}
    private |= {"host key": (tmp_path / "home/host.key").read_text().strip(), "home": str(tmp_path / "home")}
    private |= dict.fromkeys(("canary-typed-keyword", "Canary-Connection", "Dana Example", "canary-proxy"))
    assert any(name.startswith("email") for name in private)
    assert len(log.read_text().splitlines()) > 20
    return Scanner({name: value or name for name, value in private.items()})


def test_a_report_for_people_and_for_programs(cli):
    """Every check has a line, with --json an object; a host without trouble is exit code 0."""
    cli.link()
    told = cli("doctor")
    assert told.code == 0, told.out
    for name in ("environment", "plugins", "servers", "service", "database", "key", "connections", "runs", "errors"):
        assert name in told.out
    found = {item["name"]: item for item in cli("doctor", "--json").json["checks"]}
    assert found["clock"]["verdict"] == "ok"
    assert found["service"]["facts"]["apollo"]["ms"] >= 0
    assert found["servers"]["verdict"] == "warning"


def test_a_problem_is_exit_code_8(cli, tmp_path):
    """What needs somebody is told with what to do."""
    cli.link()
    (tmp_path / "home" / "host.key").unlink()
    done = cli("doctor", "--offline")
    assert done.code == 8
    assert "To do: Put the key back" in done.out


def test_offline_sends_nothing(cli, service):
    """With --offline no request leaves, without it one to each service, and no key with it."""
    cli("doctor", "--offline")
    assert service.requests() == []
    cli("doctor")
    assert [request["auth"] for request in service.requests()] == ["key:unknown"]


def test_a_bundle_holds_nothing_private(cli, worked, tmp_path):
    """No key, record, name, email, input, path, connection or workflow name is in the bundle, in any encoding."""
    file = tmp_path / "bundle.zip"
    assert cli("doctor", "--bundle", str(file)).code in (0, 8)
    with zipfile.ZipFile(file) as bundle:
        inside = {name: bundle.read(name) for name in bundle.namelist()}
    assert set(inside) == {"manifest.json", "report.json", "config.json", "packages.txt", "runs.json", "log.jsonl"}
    assert [found for name, data in inside.items() for found in worked.scan(data, name)] == []
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_bundle_is_worth_reading(cli, worked, tmp_path):
    """It has the failed run with its code and steps, the log's lines, versions, and what the environment sets."""
    file = tmp_path / "bundle.zip"
    cli("doctor", "--bundle", str(file), "--json")
    with zipfile.ZipFile(file) as bundle:
        runs, config = json.loads(bundle.read("runs.json")), json.loads(bundle.read("config.json"))
        lines = [json.loads(line) for line in bundle.read("log.jsonl").splitlines()]
        assert b"sqlalchemy==" in bundle.read("packages.txt").lower()
        assert set(json.loads(bundle.read("manifest.json"))["files"]) == set(bundle.namelist()) - {"manifest.json"}
    assert runs[0]["error"]["code"] == "not_found"
    assert [step["action"] for step in runs[0]["steps"]][:2] == ["people_api_search", "people_bulk_match"]
    assert config["WORKFLOW_HOST_LOG_LEVEL"] == "debug"
    assert config["HTTPS_PROXY"] == "(set)"
    assert {"request.answered", "request.refused", "run.changed"} <= {line["event"] for line in lines}


def test_what_does_not_belong_in_a_log_is_left_out_of_the_bundle(cli, tmp_path):
    """A line that somebody else wrote into the log file, or a field that isn't known, doesn't leave the machine."""
    log = tmp_path / "host.log"
    time = "2026-01-01T00:00:00+00:00"
    log.write_text(
        f'canary plain\n{{"time": "{time}", "event": "run.changed", "run": "r1", "to": "a canary text", "x": "canary"}}\n'
        f'{{"time": "canary", "event": "run.changed"}}\n{{"time": "{time}", "event": "canary"}}\n'
    )
    cli("doctor", "--offline", "--bundle", str(tmp_path / "b.zip"), env={"WORKFLOW_HOST_LOG": str(log)})
    with zipfile.ZipFile(tmp_path / "b.zip") as bundle:
        assert (
            bundle.read("log.jsonl").decode()
            == f'{{"time": "{time[:19]}.000+00:00", "event": "run.changed", "run": "r1"}}\n'
        )


def test_nothing_is_overwritten(cli, tmp_path):
    """A file that is there is refused before anything is examined."""
    (tmp_path / "there").write_text("mine")
    done = cli("doctor", "--bundle", str(tmp_path / "there"), "--json")
    assert done.code == 2
    assert (tmp_path / "there").read_text() == "mine"


def test_an_error_ends_with_the_id_of_its_request(cli, service):
    """A refusal by the service names the id it gave the request, now and in `runs show`."""
    cli.link()
    done = cli("run", "contacts_show", "--connection", "main", "--input", '{"contact_id": "5f00000000000000000000ff"}')
    assert "Request id: " in done.err
    run = cli("runs", "list", "--json").json[0]["id"]
    assert run in done.err
    assert "Request id: " in cli("runs", "show", run).out


def test_interrupted_runs_are_told_alike(cli, tmp_path):
    """`workflow list` and `runs list` agree that a run nobody drives was interrupted."""
    from apollo_component.host.store import Store

    cli.link()
    flow = tmp_path / "follow.yaml"
    flow.write_text(
        "name: follow\nconnections: {apollo: {connector: apollo, use: main}}\n"
        "schedule: {cron: '0 7 * * *'}\nsteps: [{id: a, action: users_api_profile}]\n"
    )
    enabled = cli("workflow", "enable", str(flow), "--json")
    assert enabled.code == 0, enabled.err
    store = Store(f"sqlite:///{tmp_path / 'home' / 'host.db'}")
    with store.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO host_runs (id, kind, title, status, detail_json, text, inputs_json, engine_id, workflow, "
            "subscription, created_at, updated_at) VALUES ('r', 'workflow', 'follow', 'running', '{}', '', '{}', '', "
            "'follow', 's', 0, 0)"
        )
    store.close()
    assert cli("workflow", "list", "--json").json["workflows"][0]["runs"] == {"interrupted": 1}
    assert cli("runs", "list", "--json").json[0]["status"] == "interrupted"
