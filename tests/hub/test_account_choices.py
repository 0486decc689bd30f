"""Choosing among accounts: a list while they are few, a search by name where they are many."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from apollo_component.contract.models import Account, Credential
from apollo_component.host.tables import connections
from apollo_component.hub import account_choices
from apollo_component.hub.hub import Hub

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
GIVEN = {"input.sequence": "Founder", "input.titles": "CEO", "budget": "1", "mails": "yes"}
LISTED = 5
KEY = Credential("api_key", api_key="made-up")


@pytest.fixture
def hub(hub: Hub) -> Hub:
    return Hub(hub.host, hub.sessions, hub.address, workflows=EXAMPLES)


@pytest.fixture
def many(host, monkeypatch):
    """More accounts than are listed, and one of another connector."""
    monkeypatch.setattr(account_choices, "LISTED", LISTED)
    for number in range(LISTED + 4):
        account = Account(id=f"u{number}", name=f"Person {number}", email=f"p{number}@example.com")
        host.connections.add(f"Account {number:02}", "apollo", KEY, account=account)
    host.connections.add("Elsewhere", "apollo", KEY)
    with host.store.write() as open_:
        open_.execute(sa.update(connections).where(connections.c.name == "Elsewhere").values(connector="other"))


def field(page, identity):
    """The tag of a page's field."""
    return re.search(rf'<(input|select)[^>]* id="{identity}"[^>]*>', page.html)[0]


def offered(browser, **query):
    return browser.get("/accounts/choices", params=query).json()


@pytest.mark.parametrize(
    "path", ["/?account=Main", "/try/apollo/users_search", "/workflows/Prospect small companies/start"]
)
def test_few_accounts_are_listed_with_whose_they_are(browser, linked, path):
    """A drop-down of which the only or chosen account is selected."""
    page = browser.get(path)
    assert re.search(rf'<option value="Main" selected>Main \(sandbox, {linked.account.name}\)</option>', page.html)
    assert "data-accounts" not in page.html


@pytest.mark.parametrize(
    ("path", "identity", "stands"),
    [
        ("/", "account", ""),
        ("/?account=Account 03", "account", "Account 03"),
        ("/try/apollo/users_search", "connection", "Account 00"),
        ("/try/apollo/users_search?connection=Account 03", "connection", "Account 03"),
        ("/try/apollo/users_search?connection=Elsewhere", "connection", "Account 00"),
        ("/workflows/Prospect small companies/start", "connection-apollo", ""),
    ],
)
def test_many_accounts_are_a_field_with_a_search(browser, many, path, identity, stands):
    """None is listed, so the page stays light, and the chosen one's name stands in the field."""
    page = browser.get(path)
    assert f'value="{stands}"' in field(page, identity)
    assert "data-accounts" in field(page, identity)
    assert set(re.findall(r"Account \d\d", page.html)) <= {stands}


def test_a_search_finds_by_name_and_owner_a_part_at_a_time(browser, many):
    """With whose each account is; of one connector where that is asked for."""
    found = offered(browser, connector="apollo", q="p3@")
    assert found == {
        "choices": [{"label": "Account 03", "value": "Account 03", "note": "sandbox, Person 3"}],
        "next_cursor": None,
    }
    first = offered(browser, connector="apollo")
    rest = offered(browser, connector="apollo", cursor=first["next_cursor"])
    names = [one["value"] for one in (*first["choices"], *rest["choices"])]
    assert names == [f"Account {number:02}" for number in range(LISTED + 4)]
    assert rest["next_cursor"] is None
    assert [one["value"] for one in offered(browser, q="else")["choices"]] == ["Elsewhere"]
    assert offered(browser, connector="apollo", q="else")["choices"] == []
    assert len(offered(browser, cursor="-1")["choices"]) == LISTED


def test_what_is_wrong_with_an_account_is_told_beside_its_name(browser, host, linked):
    """So nobody chooses one in vain."""
    host.connections.mark(linked, "needs_reauthorization", "revoked")
    assert offered(browser)["choices"][0]["note"] == f"sandbox, {linked.account.name}, link again"


@pytest.mark.parametrize("name", ["Nobody", "Elsewhere"])
def test_a_name_that_is_no_account_is_told_in_its_place(browser, many, name):
    """In the palette above the actions; in trying beside the field, and nothing is sent."""
    found = browser.get("/palette/search?account=Nobody").json()
    assert (found["known"], found["barred"]) == (False, {})
    assert "no account named “Nobody”" in found["account"]
    page = browser.post("/try/apollo/users_search", {"_do": "run", "_connection": name, "_mode": "form"})
    assert page.status == 422
    assert f"There is no account of Apollo named '{name}'" in page.text
    assert 'aria-invalid="true"' in field(page, "connection")


def test_a_workflow_starts_with_an_account_that_was_typed(browser, host, many):
    """By its name; one that there isn't is told at the field."""
    for name, status in (("Nobody", 422), ("Account 03", 303)):
        page = browser.post("/workflows/Prospect small companies/start", {**GIVEN, "connection.apollo": name})
        assert page.status == status, page.text
    run = host.runs.all()[0]
    assert run.inputs["connections"] == {"apollo": host.connections.get("Account 03").id}
