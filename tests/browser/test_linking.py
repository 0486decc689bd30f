"""Linking accounts in a real browser, with its windows, its back button and its keyboard."""

import re
import secrets

import pytest
from playwright.sync_api import expect

from .conftest import ROOT

BLOCKED = "window.open = () => null"


@pytest.fixture
def session(context, live):
    """A page of an operator who is signed in, in a browser of its own."""
    context.watched.statuses_expected |= {422}
    page = context.new_page()
    page.goto(live.next_link())
    page.wait_for_url(f"{live.address}/")
    live.used()
    return page


@pytest.fixture
def name():
    return f"Account {secrets.token_hex(3)}"


def form(page, live, kind, name="", chosen="", **query):
    page.goto(f"{live.address}/link?connector=apollo&type={kind}{chosen}")
    if name:
        page.get_by_label("Name of the account").fill(name)


def by_key(page, live, name, key, chosen=""):
    form(page, live, "api_key", name, chosen)
    page.get_by_label("API key", exact=True).fill(key)
    page.get_by_role("button", name="Test and connect").click()


def by_oauth(page, live, name, chosen=""):
    """To the page of the attempt, from which the window is opened."""
    form(page, live, "oauth2", name, chosen)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/link/attempts/*")


def opened(page):
    with page.expect_popup() as caught:
        page.get_by_role("link", name=re.compile("Open")).click()
    return caught.value


def decide(popup, decision):
    popup.get_by_role("button", name=decision, exact=True).click()


def heading(page, text, timeout=8000):
    expect(page.get_by_role("heading", level=1)).to_have_text(text, timeout=timeout)


def unseen(page, *values):
    """No secret is in the address, in a storage, in a cookie that scripts see, or anywhere in the page."""
    page.wait_for_load_state()
    held = page.evaluate("""() => JSON.stringify([location.href, history.state, document.cookie, window.name,
        Object.entries(localStorage), Object.entries(sessionStorage), document.documentElement.outerHTML,
        [...document.querySelectorAll("input, textarea")].map((input) => input.value)])""")
    for value in values:
        assert value not in held


@pytest.mark.parametrize("context", ["light", "dark"], indirect=True)
def test_a_key_from_the_guide_to_the_confirmation(session, live, name, axe, shot, context):
    """Pasted with spaces and quotes; the confirmation names the account, and the key is nowhere."""
    page, theme = session, "dark" if session.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") else "light"
    form(page, live, "api_key", name, "&for=contacts_search&for=people_match&for=contact_created")
    axe(page)
    shot(page, f"link-key-{theme}")
    page.locator("details.purpose summary").click()
    axe(page)
    by_key(page, live, name, f'  "{live.keys["master"]}" ', "&for=contacts_search")
    heading(page, "The account is linked")
    assert "@" in page.locator(".whose").inner_text()
    unseen(page, live.keys["master"])
    axe(page)
    shot(page, f"linked-{theme}")
    page.get_by_role("link", name="See the account").click()
    page.get_by_text("Credits", exact=True).wait_for()
    axe(page)
    shot(page, f"account-{theme}")
    page.goto(f"{live.address}/accounts")
    axe(page)
    shot(page, f"accounts-{theme}")
    page.goto(f"{live.address}/settings/apps")
    axe(page)
    shot(page, f"apps-{theme}")


def test_a_wrong_key_is_told_at_its_field(session, live, name, axe, shot):
    """Focus is there, what was typed else is kept, the key is not."""
    by_key(session, live, name, "wrong-key-1234567890")
    field = session.get_by_label("API key", exact=True)
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    assert "Nothing was stored" in session.locator("#wrong-api_key").inner_text()
    expect(session.get_by_label("Name of the account")).to_have_value(name)
    unseen(session, "wrong-key-1234567890")
    axe(session)
    shot(session, "link-wrong-key")
    field.fill(live.keys["master"])
    session.get_by_role("button", name="Test and connect").click()
    heading(session, "The account is linked")


@pytest.mark.full
def test_a_limited_key_says_what_to_tick(session, live, name, axe, shot):
    """Linked, with what is missing and where to grant it."""
    by_key(session, live, name, live.keys["scoped_without_search"])
    heading(session, "The account is linked, with fewer rights")
    assert "api/v1/mixed_people/api_search" in session.inner_text("main")
    axe(session)
    shot(session, "linked-limited")


@pytest.mark.full
def test_lists_are_copied_and_secrets_shown_on_demand(session, live):
    """One name, all of them, and the key while one looks at it."""
    form(session, live, "api_key", chosen="&for=contacts_search&for=people_match")
    names = session.locator(".ticks .choice code").all_inner_texts()
    session.get_by_role("button", name="Copy all").click()
    assert session.evaluate("navigator.clipboard.readText()") == "\n".join(names)
    session.get_by_role("button", name=f"Copy {names[0]}", exact=True).click()
    assert session.evaluate("navigator.clipboard.readText()") == names[0]
    key = session.get_by_label("API key", exact=True)
    expect(key).to_have_attribute("type", "password")
    session.get_by_role("button", name="Show").click()
    expect(key).to_have_attribute("type", "text")


@pytest.mark.full
def test_a_step_of_the_guide_leads_to_its_field(session, live):
    """The link puts the cursor there."""
    form(session, live, "api_key")
    session.locator(".guide").get_by_role("link", name="API key").press("Enter")
    expect(session.get_by_label("API key", exact=True)).to_be_focused()


@pytest.mark.parametrize("context", ["light", "dark"], indirect=True)
@pytest.mark.full
def test_a_workflow_file_becomes_the_list(session, live, axe, shot, context):
    """Opened from the disk, mended where it is wrong, and listed for exactly what it asks."""
    text = (ROOT / "examples" / "prospecting.yaml").read_text()
    form(session, live, "api_key")
    session.get_by_text("For which actions or which workflow?").click()
    area = session.get_by_label("Another workflow file")
    file = {"name": "flow.yaml", "mimeType": "text/yaml", "buffer": text.replace("people_bulk_match", "no").encode()}
    session.get_by_label("Open a workflow file").set_input_files(file)
    expect(area).to_have_value(re.compile("action: no"))
    session.get_by_role("button", name="Show what this file needs").click()
    expect(session.get_by_role("cell", name="steps[3].action")).to_be_visible()
    axe(session)
    shot(session, "link-workflow")
    for width in (320, 1280):
        session.set_viewport_size({"width": width, "height": 900})
        assert session.evaluate("document.documentElement.scrollWidth") <= width
    area.fill(text)
    session.get_by_role("button", name="Show what this file needs").click()
    session.wait_for_url(re.compile("for=emailer_campaigns_add_contact_ids"))
    assert "api/v1/people/bulk_match" in session.locator(".ticks .choice code").all_inner_texts()


@pytest.mark.parametrize("context", ["light", "dark"], indirect=True)
def test_access_is_allowed_in_a_window(session, live, name, axe, shot, context):
    """It closes by itself, the page goes on by itself, and the code is in no address."""
    theme = "dark" if session.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") else "light"
    form(session, live, "oauth2", name, "&for=contacts_search&for=people_match")
    axe(session)
    shot(session, f"link-oauth-{theme}")
    by_oauth(session, live, name, "&for=contacts_search&for=people_match")
    assert session.locator(".scopes code").all_inner_texts() == ["contacts_search", "people_match"]
    axe(session)
    shot(session, f"attempt-{theme}")
    popup = opened(session)
    with popup.expect_event("close"):
        decide(popup, "Allow")
    heading(session, "The account is linked")
    assert "code=" not in session.url
    unseen(session, live.facts["oauth"]["client_secret"])
    axe(session)
    session.get_by_role("link", name="See the account").click()
    session.get_by_text("Credits", exact=True).wait_for()
    axe(session)


@pytest.mark.parametrize(
    ("button", "said"),
    [("Deny", "denied access"), ("Continue as a user without permission", "contact your Apollo admin")],
)
@pytest.mark.full
def test_a_refusal_is_told_where_one_began(session, live, name, axe, shot, button, said):
    """In plain words with what to ask for; to open it again works."""
    by_oauth(session, live, name)
    popup = opened(session)
    with popup.expect_event("close"):
        decide(popup, button)
    heading(session, "Access was not given")
    assert said in session.inner_text("main")
    axe(session)
    shot(session, "denied")
    popup = opened(session)
    decide(popup, "Allow")
    heading(session, "The account is linked")


def test_where_windows_are_blocked_the_page_goes_itself(session, live, name):
    """To the service and back, in the same tab."""
    session.add_init_script(BLOCKED)
    by_oauth(session, live, name)
    session.get_by_role("link", name=re.compile("Open")).click()
    session.get_by_role("button", name="Allow", exact=True).click()
    session.wait_for_url("**/link/attempts/*")
    heading(session, "The account is linked")


def test_a_closed_window_is_noticed_and_may_come_back(session, live, name, context, axe, shot):
    """Within five seconds it is told; an answer that comes after all is taken."""
    by_oauth(session, live, name)
    popup = opened(session)
    popup.get_by_role("button", name="Allow", exact=True).wait_for()
    address = popup.url
    popup.close()
    heading(session, "Not linked yet", 5000)
    axe(session)
    shot(session, "cancelled")
    other = context.new_page()
    other.goto(address)
    decide(other, "Allow")
    heading(session, "The account is linked", 5000)
    heading(other, "The account is linked")


def test_a_reload_in_the_middle_loses_nothing(session, live, name):
    """The address holds the attempt, so the page goes on; the window still ends it."""
    by_oauth(session, live, name)
    popup = opened(session)
    popup.get_by_role("button", name="Allow", exact=True).wait_for()
    session.reload()
    heading(session, "Allow access at Apollo")
    decide(popup, "Allow")
    heading(session, "The account is linked")


@pytest.mark.full
def test_two_tabs_are_two_attempts(session, live, name, context):
    """Each window's answer ends its own."""
    other = context.new_page()
    by_oauth(session, live, f"{name} one")
    by_oauth(other, live, f"{name} two")
    first, second = opened(session), opened(other)
    for popup in (first, second):
        popup.get_by_role("button", name="Allow", exact=True).wait_for()
    decide(second, "Allow")
    heading(other, "The account is linked")
    heading(session, "Allow access at Apollo")
    decide(first, "Allow")
    heading(session, "The account is linked")
    assert f"{name} one" in session.inner_text("main")
    assert f"{name} two" in other.inner_text("main")


@pytest.mark.full
def test_going_back_sends_nothing_twice(session, live, name):
    """Back to the form: it is empty of secrets; forward again: the result."""
    by_key(session, live, name, live.keys["master"])
    heading(session, "The account is linked")
    before = len(live.control("GET", "/requests"))
    session.go_back()
    expect(session.get_by_label("API key", exact=True)).to_have_value("")
    unseen(session, live.keys["master"])
    session.go_forward()
    heading(session, "The account is linked")
    assert len(live.control("GET", "/requests")) == before


@pytest.mark.full
def test_going_back_to_the_service_links_nothing_twice(session, live, name):
    """In the same tab: back to its page and allowing once more ends at the same account, and one token was made."""
    session.add_init_script(BLOCKED)
    by_oauth(session, live, name)
    session.get_by_role("link", name=re.compile("Open")).click()
    decide(session, "Allow")
    session.wait_for_url("**/link/attempts/*")
    heading(session, "The account is linked")
    address, made = session.url, exchanged(live)
    session.go_back()
    decide(session, "Allow")
    session.wait_for_url(address)
    heading(session, "The account is linked")
    assert exchanged(live) == made
    session.goto(f"{live.address}/accounts?q={name}")
    assert session.get_by_role("link", name=name, exact=True).count() == 1


def exchanged(live):
    """How many codes the service exchanged for tokens."""
    return sum(live.control("GET", "/oauth")["requests"].get("authorization_code", {}).values())


@pytest.mark.full
def test_an_account_is_renamed_relinked_and_removed(session, live, name, axe, shot):
    """With its id; before it goes, what stays at the service is said."""
    by_key(session, live, name, live.keys["master"])
    session.get_by_role("link", name="See the account").click()
    address = session.url
    session.get_by_label("Name here").fill(f"{name} renamed")
    session.get_by_role("button", name="Rename").click()
    heading(session, f"{name} renamed")
    session.get_by_role("link", name="Give a new key").click()
    session.get_by_label("API key", exact=True).fill(live.keys["scoped"])
    session.get_by_role("button", name="Test and connect").click()
    session.get_by_role("link", name="See the account").click()
    assert session.url == address
    session.get_by_role("button", name="Test now").click()
    session.get_by_text("What the test found").wait_for()
    axe(session)
    session.get_by_role("button", name="Remove", exact=True).click()
    assert "the key goes on working" in session.get_by_role("dialog").inner_text()
    axe(session)
    shot(session, "remove")
    session.keyboard.press("Escape")
    expect(session.get_by_role("dialog")).to_be_hidden()
    session.get_by_role("button", name="Remove", exact=True).click()
    session.get_by_role("button", name="Remove it").click()
    heading(session, f"“{name} renamed” was removed")


def made_link(page, live, owner, app=""):
    """A link for an end user, as an operator makes it."""
    page.goto(f"{live.address}/settings/links")
    page.get_by_label("For whom").fill(owner)
    page.get_by_label("OAuth app").select_option(app)
    page.get_by_label("Back to").fill("https://app.example/done")
    page.get_by_role("button", name="Make the link").click()
    return page.get_by_label("The link", exact=True).input_value()


@pytest.fixture
def guest(chromium, live):
    """The browser of an end user."""
    context = chromium.new_context()
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


def test_an_end_user_links_by_key(session, guest, live, name, axe, shot):
    """Without signing in; the token leaves the address at once, and the way back leads to the host application."""
    link = made_link(session, live, name)
    axe(session)
    shot(session, "connect-links")
    guest.goto(link)
    guest.wait_for_url("**/connect")
    unseen(guest, link.partition("#")[2])
    axe(guest)
    shot(guest, "guest")
    guest.get_by_label("API key", exact=True).fill(live.keys["master"])
    guest.get_by_role("button", name="Test and connect").click()
    heading(guest, "The account is linked")
    unseen(guest, live.keys["master"])
    assert "status=linked" in guest.get_by_role("link", name="Go back").get_attribute("href")
    axe(guest)
    shot(guest, "guest-linked")
    guest.goto(f"{live.address}/connect")
    heading(guest, "Your account is linked")
    session.goto(f"{live.address}/accounts?q={name}")
    assert name in session.get_by_role("table").inner_text()


@pytest.mark.full
def test_an_end_user_allows_access_in_a_window(session, guest, live, name, axe):
    """By the operator's app, of which nothing is shown."""
    guest.goto(made_link(session, live, name, "Sandbox app"))
    guest.wait_for_url("**/connect")
    guest.get_by_role("link", name=re.compile("OAuth")).click()
    unseen(guest, live.facts["oauth"]["client_id"], live.facts["oauth"]["client_secret"])
    axe(guest)
    guest.get_by_role("button", name="Continue").click()
    guest.wait_for_url("**/link/attempts/*")
    popup = opened(guest)
    decide(popup, "Allow")
    heading(guest, "The account is linked")
    axe(guest)


@pytest.mark.full
def test_an_account_is_authorized_again(session, live, name):
    """With the app it has; its id stays."""
    by_oauth(session, live, name)
    decide(opened(session), "Allow")
    heading(session, "The account is linked")
    session.get_by_role("link", name="See the account").click()
    address = session.url
    session.get_by_role("link", name="Authorize again").click()
    session.get_by_role("button", name="Continue").click()
    decide(opened(session), "Allow")
    heading(session, "The account is linked")
    session.get_by_role("link", name="See the account").click()
    assert session.url == address
    assert "Linked again" in session.inner_text("main")


def tabbed(page, role, label):
    """Go on with the tab key until the named element has the focus."""
    target = page.get_by_role(role, name=label).first if role else page.get_by_label(label, exact=True)
    for _ in range(60):
        if target.evaluate("(element) => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{label} isn't reached by the keyboard")


@pytest.mark.full
def test_a_key_is_linked_by_keyboard_alone(session, live, name):
    """From the list of accounts to the account."""
    session.goto(f"{live.address}/accounts")
    tabbed(session, "link", "Link an account")
    session.keyboard.press("Enter")
    session.wait_for_url("**/link")
    tabbed(session, "", "Name of the account")
    session.keyboard.press("Control+A")
    session.keyboard.type(name)
    tabbed(session, "", "API key")
    session.keyboard.type(live.keys["master"])
    session.keyboard.press("Enter")
    heading(session, "The account is linked")
    tabbed(session, "link", "See the account")
    session.keyboard.press("Enter")
    heading(session, name)


@pytest.mark.full
def test_access_is_allowed_by_keyboard_alone(session, live, name):
    """The window too; afterwards the focus is at the result."""
    session.goto(f"{live.address}/link")
    tabbed(session, "link", re.compile("OAuth 2.0"))
    session.keyboard.press("Enter")
    session.wait_for_url("**type=oauth2**")
    tabbed(session, "", "Name of the account")
    session.keyboard.press("Control+A")
    session.keyboard.type(name)
    tabbed(session, "button", "Continue")
    session.keyboard.press("Enter")
    session.wait_for_url("**/link/attempts/*")
    tabbed(session, "link", re.compile("Open"))
    with session.expect_popup() as caught:
        session.keyboard.press("Enter")
    popup = caught.value
    tabbed(popup, "button", "Allow")
    popup.keyboard.press("Enter")
    heading(session, "The account is linked")
    expect(session.get_by_role("heading", level=1)).to_be_focused()


@pytest.mark.parametrize(
    "path",
    ["/link?type=api_key&for=people_match", "/link?type=oauth2", "/accounts", "/settings/apps", "/settings/links"],
)
@pytest.mark.full
def test_pages_fit_a_narrow_window(session, live, shot, path):
    """From 320 px nothing is wider than the window."""
    for width in (320, 360):
        session.set_viewport_size({"width": width, "height": 740})
        session.goto(f"{live.address}{path}")
        assert session.evaluate("document.documentElement.scrollWidth") <= width
    shot(session, f"narrow-{re.sub('[^a-z]+', '-', path.partition('&')[0]).strip('-')}")
