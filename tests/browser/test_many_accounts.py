"""Choosing one of many accounts in a real browser."""

import pytest
from playwright.sync_api import expect

from apollo_component.contract.models import Account, Credential
from apollo_component.hub.account_choices import LISTED
from tests.browser.conftest import hub_over, opened_host


@pytest.fixture(scope="module")
def live(registered, sandbox_process, tmp_path_factory):
    """A Hub over more accounts than are listed."""
    home = tmp_path_factory.mktemp("hub")
    with opened_host(home, sandbox_process) as host:
        for number in range(LISTED + 11):
            credential = Credential("api_key", api_key="made-up")
            host.connections.add(f"Client {number:02}", "apollo", credential, account=Account(name=f"Person {number}"))
        host.connections.remember_miss(host.connections.get("Client 07"), "people_match", {"master_key": True})
    with hub_over(home, sandbox_process) as hub:
        yield hub


def choices(page):
    return page.get_by_role("listbox").get_by_role("option")


@pytest.mark.full
def test_the_palette_asks_for_an_account_by_keyboard(tab, axe, shot):
    """Typed in part and chosen with arrows; what it may run is told once it is chosen."""
    box = tab.get_by_role("combobox", name="Account")
    box.focus()
    tab.keyboard.press("ArrowDown")
    expect(choices(tab)).to_have_count(LISTED + 1)
    tab.keyboard.type("33")
    expect(choices(tab)).to_have_count(1)
    axe(tab)
    shot(tab, "many-accounts", full=False)
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    expect(box).to_have_value("Client 33")
    expect(tab.locator("#account-told")).to_contain_text("Client 33: nothing known stands against")
    assert "account=Client+33" in tab.url
    box.fill("Nobody")
    tab.keyboard.press("Tab")
    expect(tab.locator("#account-told")).to_have_text("There is no account named “Nobody”.")
    expect(tab.locator("[data-able]")).to_be_hidden()


@pytest.mark.full
def test_trying_keeps_the_list_open_while_one_types(tab, live, axe):
    """What it would do is looked at anew meanwhile, and the field stays as it is."""
    tab.goto(f"{live.address}/try/apollo/users_search")
    box = tab.get_by_role("combobox", name="Account")
    expect(box).to_have_value("Client 00")
    box.click()
    expect(choices(tab)).to_have_count(LISTED + 1)
    box.fill("Client 6")
    with tab.expect_response(lambda answer: answer.request.method == "POST"):
        box.press_sequentially("0")
    expect(choices(tab)).to_have_text(["Client 60sandbox, Person 60"])
    expect(box).to_be_focused()
    axe(tab)
    choices(tab).click()
    expect(box).to_have_value("Client 60")
    tab.get_by_text("Copy as").click()
    expect(tab.locator("#copy-command")).to_contain_text("Client 60")


def test_why_an_account_cant_run_something_follows_the_account(tab):
    """It stands at the action while that account is chosen, and goes with it."""
    box, told = tab.get_by_role("combobox", name="Account"), tab.locator(".bar-told")
    for name, reasons in (
        ("Client 07", ["It needs a master key."]),
        ("Client 08", []),
        ("Client 07", ["It needs a master key."]),
    ):
        box.fill(name)
        tab.keyboard.press("Tab")
        expect(tab.locator("#account-told")).to_contain_text(name)
        expect(told).to_have_text(reasons)
    tab.reload()
    expect(told).to_have_text(["It needs a master key."])
