"""The palette in a real browser: by keys, by touch, in light and dark, from 320 px."""

import re

import pytest
from playwright.sync_api import expect

from apollo_component.contract.loading import load_file

from .conftest import ROOT

MANIFEST = load_file(ROOT / "connector.yaml")


def rows(tab):
    return tab.locator("[data-node]:not([hidden]) a")


def searched(tab, text, first):
    """Type into the search as a person does, until this row is the first."""
    tab.locator("#q").press_sequentially(text)
    expect(rows(tab).first).to_have_text(first)


@pytest.mark.full
def test_a_tour_by_keys(tab, live):
    """Slash goes to the search, arrows move through what was found, Escape clears, and Enter opens the first."""
    every = rows(tab).count()
    tab.keyboard.press("/")
    assert tab.evaluate("document.activeElement.id") == "q"
    searched(tab, "enrihc preson", "Enrich a person")
    expect(tab.locator("#count")).to_have_text(re.compile(r"^5 of \d+ actions and triggers"))
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowDown")
    assert tab.evaluate("document.activeElement.innerText") == "Enrich many people"
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press("ArrowUp")
    assert tab.evaluate("document.activeElement.id") == "q"
    tab.keyboard.press("Escape")
    expect(rows(tab)).to_have_count(every)
    expect(tab.locator("#q")).to_have_value("")
    searched(tab, "task due", "Task due")
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"{live.address}/connectors/apollo/triggers/task_due")
    tab.go_back()
    assert tab.locator("#q").input_value() == "task due"
    assert rows(tab).all_inner_texts() == ["Task due"]


@pytest.mark.full
def test_enter_waits_for_what_was_typed_last(tab, live):
    """However fast it comes, the first of the newest results is opened."""
    tab.locator("#q").press_sequentially("deal stages", delay=0)
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"{live.address}/connectors/apollo/actions/opportunity_stages_list")


def test_what_is_ticked_stays_while_searching(tab, live):
    """Ticks survive searches and reloads; the list is copied as the command prints it, and can be emptied."""
    searched(tab, "enrich", "Enrich a person")
    tab.get_by_label("Tick Enrich a person", exact=True).check()
    tab.locator("#plan").get_by_text("api/v1/people/match", exact=True).wait_for()
    tab.keyboard.press("Escape")
    searched(tab, "deal stage changed", "Deal stage changed")
    tab.get_by_label("Tick Deal stage changed", exact=True).press("Space")
    tab.locator("#plan").get_by_text("deals/api/v1/opportunities/search", exact=True).wait_for()
    tab.get_by_role("button", name="Copy the tick-list").click()
    copied = tab.evaluate("navigator.clipboard.readText()")
    wanted = MANIFEST.requirements(["people_match", "deal_stage_changed"])
    assert all(f"  {name}\n" in copied for name in (*wanted["key_endpoints"], *wanted["oauth_scopes"]))
    link = tab.get_by_role("link", name="Link an account for these")
    assert link.get_attribute("href") == "/link?connector=apollo&for=people_match&for=deal_stage_changed"
    tab.reload()
    assert tab.locator("#plan .picks li").all_inner_texts() == ["Enrich a person", "Deal stage changed"]
    tab.get_by_role("button", name="Take Deal stage changed off").click()
    expect(tab.locator("#plan .picks li")).to_have_text(["Enrich a person"])
    tab.get_by_role("button", name="Take all off").click()
    tab.locator("#plan").get_by_text("Tick actions and triggers").wait_for()
    assert tab.locator("[name=pick]:checked").count() == 0


@pytest.mark.full
def test_a_deprecated_action_can_be_taken_off(tab, live):
    """What has no row in the palette is kept in the tick-list until it is taken off."""
    tab.goto(f"{live.address}/?pick=typed_custom_fields_list")
    tab.get_by_label("Tick Show a person", exact=True).check()
    tab.locator("#plan").get_by_text("api/v1/people/show", exact=True).wait_for()
    tab.get_by_role("button", name="Take List custom fields (old) off").click()
    tab.locator("#plan").get_by_text("api/v1/typed_custom_fields/index", exact=True).wait_for(state="detached")
    expect(tab.locator("#plan .picks li")).to_have_text(["Show a person"])


@pytest.mark.full
def test_filters_and_groups_go_by_keys(tab):
    """A group is chosen with arrows like any radio button, a filter like any drop-down."""
    tab.locator("[name=group]").first.focus()
    tab.keyboard.press("ArrowRight")
    expect(tab.locator(".group:not([hidden]) h3")).to_have_text(["People"])
    tab.locator("#show").select_option("trigger")
    expect(rows(tab)).to_have_text(["Enrichment completed"])


@pytest.mark.parametrize("context", ["light", "dark"], indirect=True)
@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.full
def test_it_looks_right(context, tab, live, axe, shot, width):
    """axe finds nothing on any of the pages, and nothing is wider than the window."""
    theme = "dark" if tab.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") else "light"
    tab.set_viewport_size({"width": width, "height": 900 if width > 500 else 740})
    pages = {
        "palette": "/",
        "palette-found": "/?q=enrihc&pick=people_match&pick=contacts_upsert&pick=phone_calls_search",
        "palette-nothing": "/?q=zzzzz",
        "action": "/connectors/apollo/actions/people_bulk_match",
        "trigger": "/connectors/apollo/triggers/deal_stage_changed",
        "connector": "/connectors/apollo",
    }
    for name, path in pages.items():
        tab.goto(f"{live.address}{path}")
        axe(tab)
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        shot(tab, f"{name}-{theme}-{width}", full=name != "palette")


@pytest.mark.full
def test_it_fits_the_smallest_window(tab, live):
    """320 pixels are enough."""
    tab.set_viewport_size({"width": 320, "height": 600})
    for path in ("/", "/connectors/apollo", "/connectors/apollo/actions/contacts_bulk_update"):
        tab.goto(f"{live.address}{path}")
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_without_scripts_it_works(chromium, context, tab, live):
    """A search, a filter and a tick-list by plain forms."""
    plain = chromium.new_context(java_script_enabled=False, storage_state=context.storage_state())
    page = plain.new_page()
    page.goto(f"{live.address}/")
    page.locator("#q").fill("enrihc preson")
    page.locator("#q").press("Enter")
    assert rows(page).first.inner_text() == "Enrich a person"
    page.get_by_label("Tick Enrich a person", exact=True).check()
    page.get_by_role("button", name="Show the tick-list").click()
    assert "api/v1/people/match" in page.locator("#plan").inner_text()
    assert page.get_by_label("Tick Enrich a person", exact=True).is_checked()
    plain.close()
