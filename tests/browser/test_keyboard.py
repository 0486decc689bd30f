"""Every flow by the keyboard alone: accounts, links, tokens, runs, the theme and the way out."""

import re

import pytest
from playwright.sync_api import expect

from .filled import APP, INPUTS, PROSPECT, WELCOME, Filling, offering
from .keys import Keys


def heading(page, text):
    expect(page.get_by_role("heading", level=1)).to_have_text(text, timeout=15_000)


@pytest.fixture(scope="module")
def live(registered, tmp_path_factory):
    """A Hub with a workflow that starts by itself, and one of whose run something can get lost."""
    with offering(tmp_path_factory.mktemp("workflows")) as live:
        yield live


@pytest.fixture
def keys(tab):
    return Keys(tab)


@pytest.fixture
def filling(live, tab):
    return Filling(live, tab)


def opened(tab, live, filling, name, key="master"):
    """The page of a new account."""
    account = filling.account(name, key)
    tab.goto(f"{live.address}/accounts/{account}")
    return account


@pytest.mark.full
def test_an_account_is_renamed_tested_and_given_a_new_key(tab, live, keys, filling):
    """From the main menu on, with what comes of it on each page."""
    filling.account("Before", "master")
    keys.press("Accounts")
    tab.wait_for_url("**/accounts")
    keys.press("Before")
    heading(tab, "Before")
    keys.write("Name here", "After")
    keys.press("Rename")
    heading(tab, "After")
    keys.press("Test now")
    tab.get_by_text("What the test found").wait_for()
    keys.press("Give a new key")
    heading(tab, "Link “After” again")
    keys.write("API key", live.keys["scoped"])
    tab.keyboard.press("Enter")
    heading(tab, "The account is linked")
    keys.press("See the account")
    heading(tab, "After")


@pytest.mark.full
def test_an_account_is_removed_in_a_dialog(tab, live, keys, filling):
    """The focus goes into the dialog and stays there; Escape gives it back to the button."""
    opened(tab, live, filling, "Short lived")
    keys.press("Remove")
    dialog = tab.get_by_role("dialog")
    for _ in range(4):
        assert tab.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
        tab.keyboard.press("Tab")
    tab.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert keys.focused() == ("button", "Remove")
    tab.keyboard.press("Space")
    expect(dialog).to_be_visible()
    keys.is_somewhere()
    keys.press("Remove it")
    heading(tab, "“Short lived” was removed")


@pytest.mark.full
def test_the_focus_stays_when_an_account_tells_what_is_left(tab, live, keys, filling):
    """The service is asked after the page is there; whoever is at that place already stays at it."""
    asked = []

    def hold(route):
        asked.append(route)

    tab.route("**/usage", hold)
    opened(tab, live, filling, "Slow")
    keys.to("Ask the service now")
    asked[0].continue_()
    tab.get_by_text("Credits", exact=True).wait_for()
    keys.is_somewhere()


@pytest.mark.full
def test_an_account_is_authorized_again(tab, live, keys, filling):
    """The service's window is opened and answered by keys, too; then the focus is at the result."""
    filling.decided(filling.attempt("Team"), "Allow")
    tab.goto(f"{live.address}/accounts")
    keys.press("Team")
    heading(tab, "Team")
    keys.press("Authorize again")
    heading(tab, "Link “Team” again")
    keys.press("Continue")
    tab.wait_for_url("**/link/attempts/*")
    keys.to(re.compile("Open .*"))
    with tab.expect_popup() as caught:
        tab.keyboard.press("Enter")
    window = Keys(caught.value)
    caught.value.get_by_role("button", name="Allow", exact=True).wait_for()
    window.press("Allow")
    heading(tab, "The account is linked")
    assert keys.focused() == ("heading", "The account is linked")


def test_a_link_is_made_and_an_end_user_links_by_it(tab, live, keys, chromium):
    """The operator makes and reads it; the end user gives a key."""
    keys.press("Accounts")
    tab.wait_for_url("**/accounts")
    keys.press("Links for your users")
    tab.wait_for_url("**/settings/links")
    keys.write("For whom", "Acme")
    keys.to("OAuth app")
    tab.keyboard.type(APP[:4])
    keys.press("Make the link")
    tab.get_by_label("The link", exact=True).wait_for()
    keys.to("The link")
    link = tab.evaluate("document.activeElement.value")
    keys.press("Copy")
    expect(tab.locator("#said")).to_have_text("Copied")
    assert tab.evaluate("navigator.clipboard.readText()") == link
    context = chromium.new_context()
    guest = context.new_page()
    guest.goto(link)
    guest.wait_for_url("**/connect")
    theirs = Keys(guest)
    theirs.write("API key", live.keys["master"])
    theirs.press("Test and connect")
    heading(guest, "The account is linked")
    context.close()


@pytest.mark.full
def test_a_link_is_revoked(tab, live, keys, filling):
    """Among others, by the name of whom it was for."""
    filling.link("Birch")
    filling.link("Cedar")
    tab.goto(f"{live.address}/settings/links")
    keys.press(re.compile("Revoke.*Cedar.*"))
    tab.locator("li:has-text('Cedar')").get_by_text("revoked").wait_for()
    assert tab.locator("li:has-text('Birch')").get_by_text("revoked").count() == 0


@pytest.mark.full
def test_a_token_is_made_and_revoked(tab, live, keys):
    """The reader begins at the new token; before it is revoked one is asked."""
    keys.press("Settings")
    tab.wait_for_url("**/settings")
    keys.press("API tokens")
    tab.wait_for_url("**/settings/tokens")
    keys.write("Name", "Builder")
    keys.press("Make token")
    tab.get_by_role("region", name="is made").wait_for()
    assert tab.evaluate("document.activeElement.hasAttribute('data-made')")
    keys.press("Revoke Builder", "Space")
    keys.press("Revoke “Builder”")
    tab.get_by_text("There are no tokens yet.").wait_for()


def status(tab, text):
    tab.wait_for_function(
        "text => document.querySelector('[data-status-badge]')?.textContent.trim() === text", arg=text, timeout=60_000
    )


@pytest.mark.full
def test_a_workflow_is_started_and_a_step_of_its_run_looked_at(tab, live, keys, filling):
    """While the page follows the run the focus is never lost, not even when what had it goes away."""
    filling.account("Work", "master")
    keys.press("Workflows")
    tab.wait_for_url("**/workflows")
    keys.press(PROSPECT)
    heading(tab, PROSPECT)
    keys.press("Run now")
    heading(tab, f"Run {PROSPECT}")
    keys.to("Account")
    tab.keyboard.type("Work")
    keys.write("Budget in credits", "60")
    keys.press(re.compile("Real people may get mail.*"), "Space")
    live.control("POST", "/settings", {"latency_ms": 60})
    keys.press("Start the run")
    tab.wait_for_url(re.compile("/runs/"))
    keys.to("Cancel the run")
    status(tab, "Done")
    live.control("POST", "/settings", {"latency_ms": 0})
    keys.is_somewhere()
    keys.press("search")
    heading(tab, "search")
    keys.press(re.compile("Show .+"))
    heading(tab, "A record of search")


def at_a_run_without_budget(tab, live, filling, account):
    """The page of a run that waits because its budget is too small."""
    filling.known["work"] = filling.account(account, "master")
    run = filling.run("waiting_for_budget", **{**INPUTS, "budget": "2"})
    tab.goto(f"{live.address}/runs/{run}")


@pytest.mark.full
def test_a_run_is_cancelled(tab, live, keys, filling):
    """In a dialog that Escape leaves; afterwards the focus is on the page of the run."""
    at_a_run_without_budget(tab, live, filling, "Poor")
    keys.press("Cancel the run")
    expect(tab.get_by_role("dialog")).to_be_visible()
    keys.press("Let it be")
    expect(tab.get_by_role("dialog")).to_be_hidden()
    assert keys.focused() == ("link", "Cancel the run")
    tab.keyboard.press("Enter")
    keys.is_somewhere()
    tab.keyboard.press("Escape")
    assert keys.focused() == ("link", "Cancel the run")
    tab.keyboard.press("Enter")
    assert keys.focused() == ("button", "Cancel the run")
    tab.keyboard.press("Enter")
    status(tab, "Cancelled")


@pytest.mark.full
def test_a_run_that_waits_for_budget_goes_on_with_more(tab, live, keys, filling):
    """The amount is written over the one that the page proposes."""
    at_a_run_without_budget(tab, live, filling, "Saver")
    keys.write("New budget", "60")
    keys.press("Go on")
    status(tab, "Done")


@pytest.mark.full
def test_a_doubt_is_settled_and_the_run_goes_on(tab, live, keys, filling):
    """What became of a lost request is said by the person who looked; then the run does the rest."""
    filling.known["work"] = filling.account("Caller", "master")
    filling.fault("tasks_bulk_create", kind="drop_after")
    run = filling.run("failed", "calls", **{"input.due": "2026-12-15T10:00:00Z"})
    tab.goto(f"{live.address}/runs/{run}")
    keys.to(re.compile("It took effect.*"))
    tab.keyboard.press("Space")
    keys.press("Save")
    tab.get_by_text("The answers to these requests were lost").wait_for(state="detached")
    keys.press(re.compile("Retry what failed|Go on"))
    status(tab, "Done")


@pytest.mark.full
def test_a_workflow_is_enabled_and_disabled(tab, live, keys, filling):
    """With its account and its input; it is told where it stands."""
    filling.account("Greeter", "master")
    tab.goto(f"{live.address}/workflows")
    keys.press(WELCOME)
    heading(tab, WELCOME)
    keys.press("Enable")
    heading(tab, f"Enable {WELCOME}")
    keys.to("Account")
    tab.keyboard.type("Greeter")
    keys.write("Note", "Say hello.")
    keys.press("Enable")
    heading(tab, WELCOME)
    keys.press("Disable")
    tab.get_by_text("Disabled", exact=True).wait_for()


@pytest.mark.full
def test_an_app_is_stored_and_removed(tab, live, keys):
    """Its secret is typed once and on no page afterwards."""
    tab.goto(f"{live.address}/settings")
    keys.press("OAuth apps")
    tab.wait_for_url("**/settings/apps")
    keys.write("Name of the app", "Second app")
    keys.write("Client id", "made-up-id")
    keys.write("Client secret", "made-up-secret-12345")
    keys.press("Store the app")
    tab.get_by_role("heading", name="Second app").wait_for()
    assert "made-up-secret-12345" not in tab.content()
    keys.press(re.compile("Remove.*Second app.*"))
    tab.get_by_role("heading", name="Second app").wait_for(state="detached")


@pytest.mark.full
def test_an_account_is_linked_for_a_workflow(tab, live, keys):
    """The list of what to tick is that of the workflow that was chosen."""
    tab.goto(f"{live.address}/link?connector=apollo&type=api_key")
    keys.press(re.compile("For which actions or which workflow.*"))
    keys.to("Workflow")
    tab.keyboard.type("Prospect")
    keys.press("Show what it needs")
    tab.get_by_text(f"For the workflow “{PROSPECT}”").wait_for()
    keys.to("Copy api/v1/people/bulk_match")
    tab.keyboard.press("Enter")
    assert tab.evaluate("navigator.clipboard.readText()") == "api/v1/people/bulk_match"


@pytest.mark.full
def test_results_are_turned_over(tab, live, keys, filling):
    """The next page, the other view and other columns come in place, and the focus stays where it was."""
    filling.account("Searcher", "master")
    run = filling.tried("people_api_search", _connection="Searcher", _json='{"per_page": 100}', _limit="250")
    tab.goto(f"{live.address}/try/runs/{run}")
    for page in (2, 3):
        keys.press("Next")
        tab.get_by_text(f"Page {page} of 3").wait_for()
        keys.is_somewhere()
    keys.press("Previous")
    tab.get_by_text("Page 2 of 3").wait_for()
    assert keys.focused() == ("link", "Previous")
    keys.press("JSON")
    tab.locator("#result-json").wait_for()
    assert keys.focused() == ("link", "JSON")
    keys.press("Table")
    tab.get_by_role("table").wait_for()
    keys.press(re.compile("More columns.*"), "Space")
    keys.press("Show these")
    tab.get_by_role("table").wait_for()
    keys.is_somewhere()


def test_the_theme_is_switched_and_one_signs_out(tab, live, keys):
    """The switch keeps the focus and the choice; after signing out nothing is seen."""
    keys.press("Switch between light and dark")
    assert tab.evaluate("document.documentElement.dataset.theme") == "dark"
    assert keys.focused() == ("button", "Switch between light and dark")
    tab.keyboard.press("Space")
    assert tab.evaluate("document.documentElement.dataset.theme") == "light"
    keys.press("Sign out")
    heading(tab, "Sign in")
    tab.goto(f"{live.address}/accounts")
    heading(tab, "Sign in")


def test_the_skip_link_leads_past_the_menu(tab, live, keys):
    """It is the first thing that Tab reaches, and then the content is."""
    tab.goto(f"{live.address}/settings")
    tab.keyboard.press("Tab")
    assert keys.focused() == ("link", "Skip to the content")
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    assert keys.focused() == ("link", "OAuth apps") or tab.evaluate("!!document.activeElement.closest('main')")
