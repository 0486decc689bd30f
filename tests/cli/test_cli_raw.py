"""Raw requests from the command line: the same journal, budget and consent as for any action."""

import json

import pytest

pytestmark = pytest.mark.real


@pytest.fixture
def raw(cli):
    cli.link("main")

    def run(*more, **values):
        return cli("run", "raw_request", "--connection", "main", "--input", json.dumps(values), "--json", *more)

    return run


def test_a_search_by_path_gives_the_whole_answer(raw):
    """What the service answers comes back as it is."""
    done = raw(method="POST", path="/contacts/search", body={"per_page": 3}, effect="read")
    assert done.code == 0, done.err
    assert len(done.json["contacts"]) == 3
    assert "pagination" in done.json
    assert done.summary["credits"] == {"spent": 0, "reserved": 0, "paid_twice": 0}


def test_a_write_is_journaled_and_a_lost_answer_is_not_repeated(raw, service):
    """The stated effect decides: a create whose answer broke off is told as unknown and sent once."""
    service.control("POST", "/faults", {"operation": "contacts_create", "kind": "truncate", "times": 1})
    done = raw(method="POST", path="/contacts", body={"first_name": "Raw"}, effect="create", credits=0)
    assert done.code == 7, done.err
    assert done.summary["in_doubt"][0]["outcome"] == "sent, answer lost, not repeated"
    assert len([one for one in service.requests() if one["path"].endswith("/contacts")]) == 1
    service.control("DELETE", "/faults")


def test_the_stated_cost_is_held_against_the_budget(raw, service):
    """A request whose stated cost doesn't fit isn't sent; one that fits keeps its cost reserved."""
    match = {"method": "POST", "path": "/people/match", "body": {"email": "nobody@nowhere.example"}, "effect": "bill"}
    done = raw("--budget", "2", **match, credits=3)
    assert done.code == 5
    assert [one for one in service.requests() if one["path"].endswith("/people/match")] == []
    assert raw("--budget", "3", **match, credits=3).summary["credits"]["reserved"] == 3


def test_what_mails_people_needs_a_word(raw, service):
    """A request that is stated to send isn't sent without --yes, and a dry run sends nothing."""
    send = {"method": "POST", "path": "/secret/mail", "body": {}, "effect": "send", "credits": 0}
    assert "--yes" in raw(**send).error["hint"]
    plan = raw("--dry-run", **send).json
    assert (plan["method"], plan["path"], plan["effect"], plan["requests"]) == ("POST", "/secret/mail", "send", 1)
    assert [one for one in service.requests() if "secret" in one["path"]] == []
    assert raw("--yes", **send).code == 4


def test_a_route_that_isnt_there_is_not_found(raw):
    """The service's refusal is read by the same table as any other."""
    done = raw(method="GET", path="/no/such/route")
    assert (done.code, done.error["code"]) == (4, "not_found")


def test_a_path_to_elsewhere_is_refused_before_anything_is_sent(raw, service):
    """Another host never sees the credential."""
    before = len(service.requests())
    done = raw(method="GET", path="//evil.example/x")
    assert (done.code, done.error["problems"][0]["path"]) == (2, "path")
    assert len(service.requests()) == before


def test_a_workflow_says_what_a_raw_step_sends(cli, tmp_path):
    """`workflow check` shows method, path, stated effect and cost, and wants consent for what sends."""
    file = tmp_path / "w.yaml"
    step = "  - {{id: s, action: raw_request, with: {{method: POST, path: /x/y, effect: {0}, credits: 4}}}}\n"
    head = "name: w\nconnections: {a: {connector: apollo}}\nsteps:\n"
    file.write_text(head + step.format("bill"))
    (row,) = cli("workflow", "check", str(file), "--json").json["steps"]
    assert (row["method"], row["path"], row["effect"], row["worst_credits"]) == ("POST", "/x/y", "bill", 4)
    file.write_text(head + step.format("send"))
    done = cli("workflow", "check", str(file), "--json")
    assert "must be true: real people may get mail" in done.err
