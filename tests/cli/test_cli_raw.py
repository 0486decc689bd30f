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


@pytest.mark.parametrize(
    ("values", "word"),
    [
        (
            {"path": "/emailer_campaigns/66aa11bb22cc33dd44ee55f0/add_contact_ids", "body": {}},
            "Real people may get mail",
        ),
        ({"path": "/secret/thing", "body": {}}, "No action is declared for this route"),
    ],
)
def test_a_write_that_mails_or_that_nobody_knows_needs_a_word(raw, service, values, word):
    """Whatever effect is stated, nothing is sent without --yes."""
    write = {"method": "POST", "effect": "upsert", "credits": 0, **values}
    done = raw(**write)
    assert (done.code, "--yes" in done.error["hint"]) == (2, True)
    assert word in done.error["message"]
    assert [one for one in service.requests() if one["path"].endswith(values["path"])] == []
    assert raw("--yes", **write).code != 2


@pytest.mark.parametrize("path", ["/people/bulk%5Fmatch", "/People/bulk_match.json", "/people/bulk_match"])
def test_no_spelling_of_a_path_spends_under_a_budget_of_nothing(raw, service, path):
    """What the named action would have to reserve is asked for, before a run spends anything."""
    values = {"method": "POST", "path": path, "body": {"details": [{"email": "ivo@example.com"}]}}
    done = raw("--budget", "0", **values, effect="read", credits=0)
    assert done.code == 2, done.err
    assert [one for one in service.requests() if "match" in one["path"]] == []


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
    """`workflow check` shows method, path, stated effect and cost, and wants consent for what sends or isn't known."""
    file = tmp_path / "w.yaml"
    step = (
        "  - {{id: s, action: raw_request, confirm: {1}, with: {{method: POST, path: {2}, effect: {0}, credits: 4}}}}\n"
    )
    head = "name: w\nconnections: {a: {connector: apollo}}\nsteps:\n"
    file.write_text(head + step.format("bill", "true", "/x/y"))
    (row,) = cli("workflow", "check", str(file), "--json").json["steps"]
    assert (row["method"], row["path"], row["effect"], row["worst_credits"]) == ("POST", "/x/y", "bill", 4)
    for effect, path, word in (("send", "/x/y", "people may get mail"), ("bill", "/x/y", "no action is declared")):
        file.write_text(head + step.format(effect, "false", path))
        assert word in cli("workflow", "check", str(file), "--json").err
    file.write_text(head + step.format("read", "false", "/people/match"))
    assert (
        "must be bill or send: this is the route of people_match" in cli("workflow", "check", str(file), "--json").err
    )
