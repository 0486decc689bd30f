"""The doctor: finds what is wrong, changes nothing, and one broken thing hides no other."""

import json
import time

import pytest
import sqlalchemy as sa

from apollo_component.contract.errors import TransientError
from apollo_component.host.doctor.examination import READ, examine
from apollo_component.host.doctor.findings import Examined, bounded
from apollo_component.host.key_files import KEY_FILE
from apollo_component.host.store import Store
from apollo_component.host.tables import connections, journal, leases, subscriptions

from .conftest import START, answer
from .test_sqlite_time import DEFAULT_3_12, with_default


def examined(environ, registry, clock, **more):
    """What is found, by name."""
    findings, opened = examine(environ, registry=registry, clock=clock, **more)
    if opened.store:
        opened.store.close()
    return {finding.name: finding for finding in findings}


class Doctor:
    """Examines the test's host; `environ` is all it knows of the environment."""

    def __init__(self, host, registry, clock, home):
        self.host, self.registry, self.clock, self.home = host, registry, clock, home
        self.environ = {"WORKFLOW_HOST_HOME": str(home)}

    def __call__(self, **more):
        return examined(self.environ, self.registry, self.clock, **more)

    def change(self, statement):
        with self.host.store.write() as connection:
            connection.execute(statement)


@pytest.fixture
def doctor(host, registry, clock, home):
    (home / KEY_FILE).chmod(0o600)
    home.chmod(0o700)
    return Doctor(host, registry, clock, home)


def test_a_sound_host_has_no_problem(doctor, key):
    """With nothing wrong no check warns of anything but that the connection was never tested."""
    found = doctor()
    assert {name: item.verdict for name, item in found.items() if item.verdict not in ("ok", "skipped")} == {
        "connections": "warning"
    }
    assert found["database"].facts["rows"]["journal"] == 0
    assert found["key"].facts["tried"] == 1
    assert found["key"].facts["key"] in found["key"].facts["database"]


def test_nothing_is_made(tmp_path, registry, clock):
    """An examination before the first command leaves no file behind."""
    environ = {"WORKFLOW_HOST_HOME": str(tmp_path / "home")}
    findings, examined = examine(environ, registry=registry, clock=clock)
    assert examined.store is None
    assert list(tmp_path.iterdir()) == []
    assert {item.name for item in findings if item.verdict == "skipped"} >= set(READ)
    assert not [item for item in findings if item.verdict == "problem"]


def test_an_examination_changes_no_row(doctor, key, home):
    """What is stored is the same afterwards, the row that times a write too."""
    before = doctor.host.store.rows(sa.select(connections)), doctor.host.store.rows(sa.select(leases))
    doctor()
    assert (doctor.host.store.rows(sa.select(connections)), doctor.host.store.rows(sa.select(leases))) == before


def test_a_broken_database_hides_nothing_else(tmp_path, registry, clock, service):
    """A file that is no database is one problem; environment, plugins and service are still told."""
    (tmp_path / "host.db").write_bytes(b"no database" * 1000)
    found = examined({"WORKFLOW_HOST_HOME": str(tmp_path)}, registry, clock)
    assert found["database"].verdict == "problem"
    assert found["database"].hint
    assert found["environment"].verdict == "ok"
    assert found["service"].verdict == "ok"
    assert found["runs"].verdict == "skipped"


@pytest.mark.sqlite
@pytest.mark.parametrize(("default", "verdict"), [(DEFAULT_3_12, "ok"), ("nullif(1, 1)", "problem")])
def test_a_database_that_stores_no_durable_run_is_a_problem(doctor, default, verdict):
    """Tables of the engine that take no row are a problem that says what to do; those that Python 3.12 made take one."""
    with_default(doctor.host.store.file, default)
    found = doctor()["database"]
    assert found.verdict == verdict
    assert bool(found.hint) == (verdict == "problem")


def test_a_wrong_setting_is_told_with_its_name(registry, clock):
    """A variable that can't be used is a problem that names it, and the machine is examined all the same."""
    findings, _ = examine({"WORKFLOW_HOST_RETENTION": "canary"}, registry=registry, clock=clock)
    assert findings[0].verdict == "problem"
    assert "WORKFLOW_HOST_RETENTION" in findings[0].text
    assert "canary" not in json.dumps([item.as_dict() for item in findings])
    assert {item.name for item in findings} == {
        "settings", "environment", "plugins", "servers", "log", "service"
    }  # fmt: skip


def test_a_check_that_hangs_is_ended(tmp_path):
    """A check that doesn't answer in time is a problem of its own."""
    begun = time.monotonic()
    found = bounded("slow", lambda _examined: time.sleep(5), Examined({}), 0.05)
    assert found.verdict == "problem"
    assert time.monotonic() - begun < 4


def test_a_check_that_fails_is_told_without_its_values():
    """A fault in a check is a finding that names its kind only."""

    def broken(_examined):
        raise ValueError("canary")

    found = bounded("broken", broken, Examined({}))
    assert found.verdict == "problem"
    assert "ValueError" in found.text
    assert "canary" not in repr(found)


def test_one_free_request_without_a_credential(doctor, key, service):
    """Each service is asked once, with no credential; with --offline not at all."""
    doctor()
    assert len(service.requests) == 1
    assert "canary" not in repr(service.requests[0].headers)
    doctor(offline=True)
    assert len(service.requests) == 1


def test_a_refusal_shows_that_the_service_is_there(doctor, service):
    """Any answer counts as reached; none is a problem that says what to check."""
    service.on("/whoami", answer({"error": "who are you"}, 422), TransientError("gone", worked=False, hint="Look."))
    assert doctor()["service"].verdict == "ok"
    found = doctor()["service"]
    assert (found.verdict, found.hint) == ("problem", "Look.")


@pytest.mark.parametrize(
    ("ahead", "verdict"), [(-60, "warning"), (-3.5, "warning"), (-1.5, "ok"), (0, "ok"), (1.5, "ok"), (4, "warning")]
)
def test_a_clock_that_is_wrong_is_told(doctor, service, clock, ahead, verdict):
    """More than two seconds off the service's own time is a warning; its whole seconds are no skew."""
    told = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(int(clock.now + ahead)))
    service.on("/whoami", answer({}, date=told))
    assert doctor()["clock"].verdict == verdict


def test_a_wrong_key_and_a_lost_one_are_problems(doctor, key, home):
    """A key that isn't the database's, or isn't there, is told; none is made."""
    (home / KEY_FILE).unlink()
    assert doctor()["key"].verdict == "problem"
    assert not (home / KEY_FILE).exists()
    doctor.environ["WORKFLOW_HOST_KEY"] = "x" * 43 + "="
    found = doctor()["key"]
    assert found.verdict == "problem"
    assert "xxxx" not in repr(found)


def test_a_secret_that_cannot_be_opened_is_counted(doctor, key):
    """A row that was tampered with is found before it is needed."""
    doctor.change(sa.update(connections).values(version=9))
    assert doctor()["key"].facts["not_opened"] == [key.id]


def test_files_that_others_may_read_are_told(doctor, home):
    """An open home folder is a warning with the command that mends it."""
    home.chmod(0o755)
    found = doctor()["home"]
    assert found.verdict == "warning"
    assert "chmod 700" in found.hint


@pytest.mark.parametrize(("schema", "verdict"), [("0001", "warning"), ("9999", "problem")])
def test_another_schema_is_told_and_left_alone(doctor, schema, verdict):
    """An older schema is brought up to date by other commands, a newer one is refused; here neither is touched."""
    doctor.change(sa.text(f"UPDATE host_schema SET version_num = '{schema}'"))
    assert doctor()["database"].verdict == verdict
    assert doctor.host.store.revision() == schema


def test_connections_in_trouble_are_named(doctor, key, oauth):
    """Dead, unsettled and untested connections are told, by name for a person and by id in a bundle."""
    doctor.change(sa.update(connections).where(connections.c.id == key.id).values(status="needs_reauthorization"))
    doctor.change(sa.update(connections).where(connections.c.id == oauth.id).values(refresh_sent_at=START - 3600))
    found = doctor()["connections"]
    assert found.verdict == "problem"
    assert "mine" in found.text and "theirs" in found.text  # noqa: PT018
    unnamed = doctor(named=False)["connections"]
    assert "mine" not in repr(unnamed)
    assert key.id in unnamed.text


def test_work_that_waits_for_somebody_is_told(doctor, caller, host, clock):
    """Interrupted, waiting and failed runs, requests in doubt, and how often each error came."""
    host.runs.update(caller.run, "waiting_for_budget", {"error": {"code": "budget_exhausted"}})
    failed = host.runs.create("workflow", "canary-title")
    host.runs.update(failed.id, "failed", {"error": {"code": "rejected", "message": "canary-message"}})
    host.runs.create("workflow", "interrupted one")
    row = {"run": failed.id, "step": "s", "item": "0", "attempt": 1, "action": "make", "effect": "create", "note": ""}
    row |= {"state": "in_doubt", "owner_version": 0, "paid_twice": 0, "sent_at": clock.now}
    doctor.change(sa.insert(journal).values(**row))
    found = doctor()
    text = found["runs"].text
    assert all(word in text for word in ("1 interrupted", "1 waiting for budget", "1 failed", "1 requests in doubt"))
    assert found["errors"].facts["codes"] == {"budget_exhausted": 1, "rejected": 1}
    assert "canary" not in repr(found)


def test_a_fault_of_the_host_is_a_problem(doctor, host):
    """A run that ended by a bug asks for a report."""
    run = host.runs.create("workflow", "w")
    host.runs.update(run.id, "failed", {"error": {"code": "bug"}})
    assert doctor()["errors"].verdict == "problem"


def test_overdue_looks_mean_that_no_worker_runs(doctor, clock):
    """An enabled workflow that nobody looked at in time is a problem with its name."""
    row = {"id": "s1", "name": "follow", "text": "", "connections_json": "{}", "inputs_json": "{}", "enabled": True,
           "sweep": 0, "swept": 0, "full_at": 0, "next_at": clock.now - 60, "failures": 0, "error_json": "{}",
           "created_at": 0}  # fmt: skip
    doctor.change(sa.insert(subscriptions).values(**row))
    assert doctor()["workflows"].verdict == "ok"
    clock.now += 120
    found = doctor()["workflows"]
    assert found.verdict == "problem"
    assert "follow" in found.text
    assert "follow" not in doctor(named=False)["workflows"].text


def test_other_servers_are_told_without_their_address(doctor):
    """Requests that don't go to the real service are a warning; half of them elsewhere, more so."""
    assert doctor()["servers"].verdict == "ok"
    doctor.environ["DEMO_API_URL"] = "http://canary:canary@127.0.0.1:9"
    found = doctor()["servers"]
    assert found.verdict == "warning"
    assert "DEMO_API_URL is on this machine" in found.text
    assert "others not" in found.hint
    assert "canary" not in repr(found)


@pytest.mark.parametrize("broken", [{"WORKFLOW_HOST_LOG_LEVEL": "loud"}, {"WORKFLOW_HOST_LOG": "/nowhere/x.log"}])
def test_a_log_that_cannot_be_written_is_a_problem(doctor, broken):
    """A log variable that can't be used is told."""
    doctor.environ |= broken
    assert doctor()["log"].verdict == "problem"


def test_postgres_is_examined(postgres, registry, clock, tmp_path):
    """On a server: version, connections in use, its clock, and the time of a write."""
    url = postgres.database()
    Store.open(url).close()
    environ = {"WORKFLOW_HOST_HOME": str(tmp_path), "WORKFLOW_HOST_DATABASE_URL": url}
    found = examined(environ, registry, time.time)
    postgres.drop(url)
    assert found["database"].facts["kind"] == "postgresql"
    assert found["database"].facts["connections"] >= 1
    assert found["database"].facts["write_ms"] > 0
    assert "database" in found["clock"].facts["skew_seconds"]
    assert not [item for item in found.values() if item.verdict == "problem"]


def test_a_server_that_is_gone_is_told_without_its_password(registry, clock, tmp_path):
    """An address nobody answers at is a problem; user and password aren't shown."""
    url = "postgresql://dana:canary-password@127.0.0.1:9/host"
    environ = {"WORKFLOW_HOST_HOME": str(tmp_path), "WORKFLOW_HOST_DATABASE_URL": url}
    found = examined(environ, registry, clock)
    assert found["database"].verdict == "problem"
    assert "canary" not in repr(found)
    assert "dana" not in repr(found)
