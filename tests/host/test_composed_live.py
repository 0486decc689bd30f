"""Composed actions against the sandbox, whose searches lag and whose process doesn't care who asks twice."""

import pytest

from apollo_component.contract.errors import RejectedError
from apollo_component.host.calls import Call
from apollo_component.host.journal import Key
from apollo_component.host.workflow import engine
from apollo_component.host.workflow.file import parse_workflow

pytestmark = pytest.mark.real
HEAD = "name: test\ninputs: {list: {default: []}}\nconnections: {apollo: {connector: apollo, use: mine}}\nsteps:\n"
EACH = "  - {{id: s, action: {0}, for_each: inputs.list, concurrency: 8, with: {1}}}\n"


@pytest.fixture
def run(live):
    identity = live.runs.create("action", "test").id
    items = iter(range(1000))

    def make(which, of=identity, **values):
        action = live.registry.manifest("apollo").actions[which]
        key = Key(of, "run", str(next(items)))
        return live.caller.page(Call(key, live.connections.get("mine").id, action, values)).value

    return make


def test_a_contact_is_found_by_email_and_made_once(run, sandbox):
    """First created, then found; an upsert changes what differs and is quiet when nothing does."""
    made = run("contacts_find_or_create", email="New@Person.example", first_name="New", last_name="Person")
    assert made["outcome"] == "created"
    again = run("contacts_find_or_create", email="new@person.example", first_name="Other")
    assert (again["outcome"], again["id"], again["first_name"]) == ("found", made["id"], "New")
    assert sandbox.count("contacts_create") == 1


def test_an_upsert_of_a_contact_changes_what_differs(live, sandbox, run):
    """Only the difference is sent; a second run with the same values sends nothing."""
    old = sandbox.control("POST", "/create", {"kind": "contact", "fields": {"email": "o@old.example", "title": "CTO"}})
    values = {"email": "O@old.example", "title": "CEO", "first_name": "Old"}
    changed = run("contacts_upsert", **values)
    assert (changed["outcome"], changed["id"], changed["title"]) == ("updated", old["id"], "CEO")
    (body,) = sandbox.bodies("contacts_update")
    assert "email" not in body
    assert run("contacts_upsert", of=live.runs.create("action", "other").id, **values)["outcome"] == "unchanged"
    assert sandbox.count("contacts_update") == 1


def test_two_contacts_of_one_address_are_refused(sandbox, run):
    """Both ids are named and neither is touched."""
    fields = {"email": "two@same.example", "first_name": "Two"}
    ids = [sandbox.control("POST", "/create", {"kind": "contact", "fields": fields})["id"] for _ in range(2)]
    with pytest.raises(RejectedError) as caught:
        run("contacts_upsert", email="two@same.example", title="X")
    assert all(identity in caught.value.message for identity in ids)
    assert sandbox.count("contacts_update") == sandbox.count("contacts_create") == 0


def test_a_contact_without_email_is_found_by_name_and_employer(sandbox, run):
    """The same name elsewhere is another person."""
    person = {"first_name": "Mira", "last_name": "Quint", "organization_name": "Foo Works"}
    sandbox.control("POST", "/create", {"kind": "contact", "fields": person | {"organization_name": "Bar"}})
    made = run("contacts_find_or_create", **person)
    assert made["outcome"] == "created"
    assert run("contacts_find_or_create", **person)["id"] == made["id"]


def test_an_account_is_found_by_domain_in_one_request(sandbox, run):
    """Apollo compares itself; what was there is left alone, or updated where it differs."""
    made = run("accounts_find_or_create", domain="acme-new.example", name="Acme New")
    assert made["outcome"] == "created"
    assert run("accounts_find_or_create", domain="ACME-new.example")["outcome"] == "found"
    changed = run("accounts_upsert", domain="acme-new.example", phone="+1 555 010 0000")
    assert (changed["outcome"], changed["id"], changed["phone"]) == ("updated", made["id"], "+1 555 010 0000")
    assert sandbox.count("accounts_search") == 0


def test_an_account_of_the_same_name_and_another_domain_is_not_mistaken(sandbox, run):
    """Apollo also compares names; what it gives back then is neither taken nor changed."""
    run("accounts_find_or_create", domain="acme-one.example", name="Acme Twin")
    with pytest.raises(RejectedError, match="its natural key is another"):
        run("accounts_upsert", domain="acme-two.example", name="Acme Twin", phone="1")
    assert sandbox.count("accounts_update") == 0


def test_a_deal_is_found_by_name_and_account(sandbox, run):
    """With an account only a deal of that account is the same; the amount compares as a number."""
    accounts = [run("accounts_find_or_create", domain=f"deal{n}.example")["id"] for n in range(2)]
    deal = {"name": "Fifty seats", "amount": "25000", "closed_date": "2026-12-15"}
    made = [run("opportunities_upsert", account_id=account, **deal) for account in accounts]
    assert [one["outcome"] for one in made] == ["created", "created"]
    with pytest.raises(RejectedError, match="2 records"):
        run("opportunities_upsert", **deal)


def test_an_upsert_of_a_deal_compares_amount_and_date(live, run):
    """Texts that went in and numbers that come out are the same value."""
    deal = {"name": "Hundred seats", "amount": "25000", "closed_date": "2026-12-15"}
    each = (run("opportunities_upsert", of=live.runs.create("action", "x").id, **deal) for _ in range(2))
    assert [one["outcome"] for one in each] == ["created", "unchanged"]


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_workflow_makes_each_record_once_though_searches_lag(live, sandbox, after):
    """Thirty items of ten people side by side, searches an hour behind, one lost answer, a stop and a resume: ten
    contacts."""
    sandbox.control("POST", "/settings", {"search_lag": 3600})
    emails = [f"p{number % 10}@lag.example" for number in range(30)]
    step = EACH.format("contacts_find_or_create", "{email: {$from: item}, first_name: P}")
    run = engine.start(live, parse_workflow(HEAD + step, live.registry.manifests), {"list": emails}, {}).id
    refusal = {"operation": "contacts_search", "kind": "status", "status": 422, "body": {"error": "no"}}
    sandbox.control("POST", "/faults", {**refusal, "after": 4 + after, "times": 1})
    assert engine.drive(live, run)["status"] == "failed"
    live.runs.resume(run)
    report = engine.drive(live, run)
    assert report["status"] == "done", report
    records = list(live.runs.records(run, "s"))
    assert [record["email"] for record in records] == emails
    assert len({record["id"] for record in records}) == 10
    assert sum(record["outcome"] == "created" for record in records) == 10
    assert sandbox.count("contacts_create") == 10


def test_a_lost_create_of_a_composed_action_is_not_made_twice(live, sandbox):
    """The answer of the create broke off: its look-up finds the contact, and every item uses that one."""
    sandbox.control("POST", "/faults", {"operation": "contacts_create", "kind": "truncate", "times": 1})
    step = EACH.format("contacts_upsert", "{email: {$from: item}, first_name: P}")
    workflow = parse_workflow(HEAD + step, live.registry.manifests)
    run = engine.start(live, workflow, {"list": ["lost@one.example"] * 3}, {}).id
    report = engine.drive(live, run)
    assert report["status"] == "done", report
    assert len({record["id"] for record in live.runs.records(run, "s")}) == 1
    assert sandbox.count("contacts_create") == 1
    assert [item["outcome"] for item in report["in_doubt"]] == ["had taken effect: found again by its natural key"]
