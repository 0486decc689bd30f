"""Workflows that start by themselves, from the command line."""

import json
import signal
import time
from pathlib import Path

import pytest

EXAMPLE = str(Path(__file__).parent.parent.parent / "examples" / "new-contacts.yaml")
PERSON = '{"first_name": "Ida", "last_name": "Berg", "email": "ida.berg@example.com"}'


@pytest.mark.real
@pytest.mark.full
def test_a_contact_that_comes_starts_the_example(cli, service):
    """Enabled, looked at, worked on: the example makes a task for a contact that somebody adds."""
    cli.link("work")
    enabled = cli("workflow", "enable", EXAMPLE, "--connection", "apollo=work", "--json")
    assert (enabled.code, enabled.json["ready"], enabled.json["queued"]) == (0, True, 0)
    made = cli("run", "contacts_create", "--connection", "work", "--input", PERSON, "--json")
    assert made.code == 0, made.err
    worker = cli.process("workflow", "worker", "--json")
    until(lambda: (cli("workflow", "list", "--json").json["workflows"][0]["runs"]) == {"done": 1})
    worker.send_signal(signal.SIGTERM)
    done = cli.finished(worker)
    assert done.code == 0, done.err
    said = [json.loads(line) for line in done.err.splitlines()]
    assert {"worker": "ready"} in said
    [task] = cli("run", "tasks_search", "--connection", "work", "--limit", "1", "--json").lines
    assert (task["title"], task["contact_id"]) == ("Welcome Ida Berg", made.json["id"])


def until(true, seconds=90):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.mark.real
def test_a_worker_with_nothing_to_do_says_so(cli):
    """Right after enabling nothing is due; `worker --once` doesn't end in silence."""
    cli.link("work")
    cli("workflow", "enable", EXAMPLE, "--connection", "apollo=work", "--json")
    done = cli.finished(cli.process("workflow", "worker", "--once"))
    assert (done.code, "Nothing to do" in done.err) == (0, True)


def test_a_trigger_is_described(cli):
    """`describe` says of a trigger how it looks, what it needs and what it takes."""
    done = cli("describe", "account_updated", "--json")
    assert done.json["kind"] == "trigger"
    assert done.json["requires"]["key_endpoints"][0] == "api/v1/accounts/search"
    assert "q_organization_name" in cli("describe", "account_updated").out
    assert "api/v1/contacts/search" in cli("requirements", "contact_created").out
    assert "contact_created" in cli("palette").out
    assert cli("run", "contact_created", "--dry-run", "--json").code == 4


def test_removing_a_connection_names_the_workflows_that_use_it(cli):
    """Before it is removed a person learns what will stop working."""
    cli.link("work")
    cli("workflow", "enable", EXAMPLE, "--connection", "apollo=work", "--json")
    done = cli("remove", "work", "--yes", "--json")
    assert (done.code, "Call back new contacts" in done.err) == (0, True)


def test_adding_people_to_a_sequence_needs_a_word(cli, service, tmp_path):
    """A sequence mails people once it is on, so `run` wants --yes and a workflow confirm; nothing is sent without."""
    cli.link("work")
    service.control("DELETE", "/requests")
    given = json.dumps(json.loads(cli("describe", "emailer_campaigns_add_contact_ids", "--json").out)["example"])
    arguments = ("run", "emailer_campaigns_add_contact_ids", "--connection", "work", "--input", given, "--json")
    refused = cli(*arguments)
    assert (refused.code, "--yes" in refused.error["hint"]) == (2, True)
    assert service.requests() == []
    assert cli(*arguments, "--yes").code == 0


@pytest.mark.parametrize("since", ["yesterday", "2026-13-01"])
def test_a_beginning_must_be_a_date(cli, since):
    """Another text is refused before anything is stored."""
    done = cli("workflow", "enable", EXAMPLE, "--connection", "apollo=work", "--since", since, "--json")
    assert (done.code, done.error["problems"][0]["path"]) == (2, "--since")
    assert cli("workflow", "list", "--json").json == {"workflows": []}


def test_only_what_something_starts_can_be_enabled(cli):
    """A file without trigger and schedule is refused; so is a name that nobody enabled."""
    cli.link("work")
    plain = str(Path(EXAMPLE).with_name("prospecting.yaml"))
    done = cli("workflow", "enable", plain, "--connection", "apollo=work", "--json")
    assert (done.code, done.error["problems"][0]["path"]) == (2, "trigger")
    assert cli("workflow", "disable", "nothing", "--json").code == 4


@pytest.mark.real
@pytest.mark.full
def test_a_workflow_with_a_trigger_is_tried_by_hand_with_an_event(cli):
    """`workflow run` wants what the trigger would have told, and runs the steps with it."""
    cli.link("work")
    arguments = ("workflow", "run", EXAMPLE, "--connection", "apollo=work")
    refused = cli.finished(cli.process(*arguments, "--json"))
    assert (refused.code, "--event" in refused.err) == (2, True)
    contact = cli("run", "contacts_search", "--connection", "work", "--limit", "1", "--json").lines[0]
    event = json.dumps({"id": contact["id"], "record": contact})
    done = cli.finished(cli.process(*arguments, "--event", event, "--json"))
    assert (done.code, done.json["status"]) == (0, "done")
