"""Late results on the command line: not waited for, fetched later, and received."""

import json
import signal

import pytest


@pytest.fixture
def person(cli, service):
    """A person with a mobile number, as the search tells."""
    cli.link("main")
    search = ("--connection", "main", "--input", '{"per_page": 100}', "--json")
    found = cli("run", "people_api_search", *search).lines
    return next(record["id"] for record in found if record["has_direct_phone"] == "Yes")


def run(cli, action, values, *more):
    return cli("run", action, "--connection", "main", "--input", json.dumps(values), "--json", *more)


def warned(done):
    return [item["warning"] for line in done.err.splitlines() if "warning" in (item := json.loads(line))]


def test_a_result_is_fetched_later(cli, service, person):
    """Without waiting the record comes at once and says how to fetch the rest; that isn't there yet, then it is."""
    service.control("POST", "/settings", {"async_seconds": 100})
    done = run(cli, "people_match", {"id": person, "reveal_phone_number": True}, "--no-wait")
    assert (done.code, done.json["id"]) == (0, person)
    (warning,) = warned(done)
    request = warning.partition("request_id ")[2].partition(".")[0]
    assert request.removeprefix("-").isdigit()
    early = run(cli, "webhook_result_show", {"request_id": request}, "--no-wait")
    assert (early.code, early.error["code"], early.error["retry_after"]) == (6, "pending", 10)
    service.control("POST", "/clock", {"advance": 100})
    late = run(cli, "webhook_result_show", {"request_id": request})
    assert late.json["webhook_result"]["people"][0]["phone_numbers"]


def test_an_own_webhook_is_not_waited_for(cli, service, person):
    """The address is sent as given, and the command is done."""
    hook = "https://hooks.example.com/mine"
    done = run(cli, "people_match", {"id": person, "reveal_phone_number": True, "webhook_url": hook})
    assert done.code == 0
    assert "isn't waited for" in warned(done)[0]
    (sent,) = [item for item in service.requests() if item["operation"] == "people_match"]
    assert hook in sent["body"]
    assert "poll_only" not in sent["body"]


def test_a_step_can_only_wait_where_something_comes(cli, tmp_path):
    """`wait` at an action whose answer is all is a mistake that the check finds."""
    file = tmp_path / "flow.yaml"
    file.write_text(
        "name: x\nconnections: {apollo: {connector: apollo}}\nsteps:\n"
        "  - {id: a, action: labels_list, wait: true}\n"
        "  - {id: b, action: people_match, wait: false, with: {email: a@example.com, reveal_phone_number: true}}\n"
    )
    done = cli("workflow", "check", str(file), "--json")
    assert [(item["path"], item["text"]) for item in done.error["problems"]] == [
        ("steps[0].wait", "this action has nothing to wait for")
    ]


@pytest.mark.parametrize(("wait", "listed"), [("", True), ("wait: false, ", False)])
def test_a_workflow_needs_the_right_to_ask(cli, tmp_path, wait, listed):
    """A step that waits needs what it asks with; one that doesn't, doesn't."""
    file = tmp_path / "flow.yaml"
    file.write_text(
        "name: x\nconnections: {apollo: {connector: apollo}}\nsteps:\n"
        f"  - {{id: b, action: people_match, {wait}with: {{email: a@example.com, reveal_phone_number: true}}}}\n"
    )
    found = cli("requirements", str(file), "--json").json
    assert ("api/v1/webhook_result/show" in found["key_endpoints"]) is listed


def test_actions_say_what_their_late_results_need(cli):
    """What always comes late is in the list; what comes with a flag is told beside it."""
    found = cli("requirements", "people_match", "conversations_export_create", "--json").json
    assert "api/v1/conversations/find_export" in found["key_endpoints"]
    assert found["late"]["people_match"]["needs"] == "webhook_result_show"
    assert "needs webhook_result_show, too" in cli("requirements", "people_match").out
    assert cli("requirements", "people_match", "webhook_result_show", "--json").json["late"] == {}


def test_a_description_says_what_is_waited_for(cli):
    """Who looks an action up learns that it takes its time, and what it asks."""
    assert "up to 30 minutes for what comes later with reveal_phone_number" in cli("describe", "people_match").out
    assert "Waits:" not in cli("describe", "labels_list").out


@pytest.mark.real
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_callbacks_listens_on_this_machine_and_ends_when_told(cli, end):
    """It prints its address, warns while no run asks for deliveries, and ends without a word."""
    process = cli.process("callbacks", "--port", "0", "--json")
    address = json.loads(process.stdout.readline())
    assert address["address"].startswith("http://127.0.0.1:")
    assert "WORKFLOW_HOST_PUBLIC_URL" in process.stderr.readline()
    process.send_signal(end)
    done = cli.finished(process)
    assert (done.code, done.out, done.err) == (0, "", "")


def test_a_public_address_that_cant_be_used_stops_everything(cli):
    """A wrong WORKFLOW_HOST_PUBLIC_URL is told by every command that opens the host."""
    done = cli("runs", "list", "--json", env={"WORKFLOW_HOST_PUBLIC_URL": "http://hooks.example.com"})
    assert (done.code, done.error["problems"][0]["path"]) == (2, "WORKFLOW_HOST_PUBLIC_URL")
