"""Trying actions in a real browser: forms of different shapes, errors at their places, and results."""

import json
import re

import pytest
from playwright.sync_api import expect

from apollo_component.host import linking
from tests.browser.conftest import hub_over, opened_host

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
THEMES = pytest.mark.parametrize("context", ["light", "dark"], indirect=True)


@pytest.fixture(scope="module")
def live(registered, sandbox_process, tmp_path_factory):
    """A Hub over a database in which an account is linked already, and the shared sandbox."""
    home = tmp_path_factory.mktemp("hub")
    with opened_host(home, sandbox_process) as host:
        linking.link_key(host, "apollo", "Main", "api_key", {"api_key": sandbox_process.keys["master"]})
    with hub_over(home, sandbox_process) as hub:
        yield hub


@pytest.fixture
def opened(tab, live):
    """Opens an action's form."""

    tab.context.watched.statuses_expected.add(422)

    def go(name):
        tab.goto(f"{live.address}/try/apollo/{name}")
        return tab

    return go


def press(page, name, **options):
    page.get_by_role("button", name=name, exact=True, **options).click()


def result(page):
    """The result's section once the run has ended."""
    page.locator("#result [aria-labelledby=result-title]:not([data-running])").wait_for()
    return page.locator("#result")


def fits(page):
    """Whether nothing sticks out at 360 pixels."""
    page.set_viewport_size(NARROW)
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@THEMES
@pytest.mark.full
def test_a_search_with_lists_and_bands(opened, axe, shot, context):
    """Typed values become chips, boxes are ticked, two numbers make a band, and the result is a table."""
    page = opened("people_api_search")
    page.get_by_label("Job titles", exact=True).fill("Founder")
    page.keyboard.press("Enter")
    page.get_by_label("Job titles", exact=True).fill("CEO")
    page.keyboard.press("Enter")
    page.get_by_label("From", exact=True).first.fill("1")
    page.get_by_label("To", exact=True).first.fill("5000")
    press(page, "Add")
    page.get_by_label("Records at most").fill("12")
    page.locator("#before dl").get_by_text("Free").wait_for()
    axe(page)
    press(page, "Run")
    found = result(page)
    expect(found.get_by_role("row")).to_have_count(13)
    assert "12 records" in found.inner_text()
    axe(page)
    shot(page, f"try-search-{page.evaluate('matchMedia(`(prefers-color-scheme: dark)`).matches ? `dark` : `light`')}")
    page.get_by_role("link", name="JSON", exact=True).click()
    assert len(json.loads(found.locator("#result-json").inner_text())) == 12
    assert fits(page)
    axe(page)
    shot(page, "try-search-360")


def test_what_costs_is_confirmed_and_bounded(opened, shot, axe):
    """The worst cost follows the input; without the tick nothing is sent, and the tick is for what was shown."""
    page = opened("people_match")
    page.get_by_label("Email", exact=True).fill("nobody")
    press(page, "Run")
    expect(page.locator("#f-email-wrong")).to_contain_text("email address")
    expect(page.get_by_label("Email", exact=True)).to_be_focused()
    expect(page.get_by_label("Email", exact=True)).to_have_value("nobody")
    axe(page)
    press(page, "Fill in an example")
    expect(page.get_by_label("Budget in credits")).to_have_value("1")
    page.get_by_text("More inputs").click()
    page.get_by_label("Reveal phone numbers").select_option("true")
    expect(page.get_by_label("Budget in credits")).to_have_value("9")
    page.get_by_label("Reveal phone numbers").select_option("")
    expect(page.get_by_label("Budget in credits")).to_have_value("1")
    press(page, "Run")
    expect(page.locator("#confirmed-wrong")).to_be_visible()
    page.get_by_label("It may spend the budget above.").check()
    shot(page, "try-cost")
    press(page, "Run")
    found = result(page)
    assert "1 credit spent" in found.inner_text()
    assert "Winter" in found.inner_text()
    shot(page, "try-value")
    axe(page)


@pytest.mark.full
def test_custom_fields_by_name(opened, shot, axe):
    """The workspace's own fields are offered for the keys, and the contact is made with them."""
    page = opened("contacts_create")
    press(page, "Fill in an example")
    page.get_by_text("More inputs").click()
    press(page, "Add a field")
    page.get_by_role("combobox", name="Name or id").click()
    page.get_by_role("listbox").get_by_role("option").first.wait_for()
    shot(page, "try-fields")
    axe(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox", name="Name or id")).not_to_have_value("")
    press(page, "Remove")
    expect(page.get_by_role("combobox", name="Name or id")).to_have_count(0)
    press(page, "Run")
    assert "Dana" in result(page).inner_text()


@pytest.mark.full
def test_a_list_of_people(opened, shot, axe):
    """Entries are added and removed; a mistake in one is told in its place, and JSON shows the same value."""
    page = opened("people_bulk_match")
    press(page, "Add one")
    page.get_by_label("Email", exact=True).first.fill("ivo")
    press(page, "Add one")
    page.get_by_label("Full name").nth(1).fill("Mateo Reyes")
    press(page, "Check")
    expect(page.locator("#f-details-0-email-wrong")).to_be_visible()
    axe(page)
    shot(page, "try-entries")
    page.get_by_label("Email", exact=True).first.fill("ivo@example.com")
    press(page, "JSON")
    text = page.get_by_label("The input as JSON")
    assert json.loads(text.input_value()) == {"details": [{"email": "ivo@example.com"}, {"name": "Mateo Reyes"}]}
    text.fill('{"details": [}')
    press(page, "Form")
    expect(page.locator("#json-wrong")).to_contain_text("Line 1")
    axe(page)
    text.fill('{"details": [{"id": "a3a14e0baaf0df928e046f24"}]}')
    press(page, "Form")
    expect(page.get_by_label("Apollo person id")).to_have_value("a3a14e0baaf0df928e046f24")
    assert fits(page)
    shot(page, "try-entries-360")


@THEMES
@pytest.mark.full
def test_what_mails_people_by_keyboard_alone(opened, axe, shot, context):
    """Drop-downs with real names are opened, searched and chosen from by keyboard; mail needs a tick."""
    page = opened("emailer_campaigns_add_contact_ids")
    for label, search in (("Sequence", ""), ("Mailbox", ""), ("Contacts", "a")):
        box = page.get_by_role("combobox", name=re.compile(rf"^{label}"))
        box.focus()
        page.keyboard.type(search)
        page.keyboard.press("ArrowDown")
        page.locator(".combo > ul:not([hidden]) > li:not(.said)").first.wait_for()
        axe(page)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        if label == "Sequence":
            expect(page.locator(".picked").first).not_to_be_empty()
    tick = page.get_by_label("Real people may get mail", exact=False)
    tick.wait_for()
    shot(page, f"try-mail-{page.evaluate('matchMedia(`(prefers-color-scheme: dark)`).matches ? `dark` : `light`')}")
    page.locator("#run").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#confirmed-wrong")).to_be_visible()
    expect(tick).to_be_focused()
    page.keyboard.press("Space")
    page.locator("#run").focus()
    page.keyboard.press("Enter")
    result(page)
    expect(page.locator("#result-title")).to_be_focused()
    assert "done" in page.locator("#result-title").inner_text()
