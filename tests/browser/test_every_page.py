"""Every page of the Hub, empty and filled, is looked at in light and dark, in a wide window and in narrow ones."""

import pytest

from apollo_component.hub.app import PLACES

from .conftest import Watched
from .filled import fill, offering
from .looking import sideways, unmarked
from .pages import EMPTY, GUEST, LINKED, NO_PAGE, NOBODY, OPERATOR, PAGES

TALL, NARROW, NARROWEST = {"width": 1280, "height": 900}, {"width": 360, "height": 740}, {"width": 320, "height": 600}


def test_every_place_of_the_hub_is_looked_at():
    """A new page without an entry, and an entry whose page is gone, are noticed."""
    places = {f"{method} {place.path}" for place in PLACES for method in place.methods}
    looked_at = {one.place for one in PAGES if one.place}
    assert looked_at | set(NO_PAGE) == places
    assert looked_at & set(NO_PAGE) == set()


@pytest.fixture(scope="module")
def live(registered, tmp_path_factory):
    """A Hub that offers the examples, a workflow of whose run something gets lost, and a file with problems."""
    with offering(tmp_path_factory.mktemp("workflows")) as live:
        yield live


@pytest.fixture(scope="module")
def people(chromium, live):
    """The browsers of an operator, of two end users and of somebody who isn't signed in, each with its page."""
    found = {}
    for who in (OPERATOR, GUEST, LINKED, NOBODY):
        context = chromium.new_context(viewport=TALL, reduced_motion="reduce")
        context.set_default_timeout(15_000)
        context.watched = Watched((live.address, live.facts["oauth_url"]))
        context.watched.watch(context)
        found[who] = context.new_page()
    page = found[OPERATOR]
    page.goto(live.next_link())
    page.wait_for_url(f"{live.address}/")
    live.used()
    yield found
    for page in found.values():
        page.context.close()


@pytest.fixture(scope="module")
def known(people, live):
    """What was made, by name; the end users have come by their links, and one has linked an account."""
    known = fill(live, people[OPERATOR])
    for who, link in ((GUEST, "for_guest"), (LINKED, "for_linked_guest")):
        people[who].goto(known[link])
        people[who].wait_for_url("**/connect")
    page = people[LINKED]
    page.get_by_label("API key", exact=True).fill(live.keys["master"])
    page.get_by_role("button", name="Test and connect").click()
    page.wait_for_url("**/link/attempts/*")
    return {**known, "of_guest": page.url.removeprefix(live.address)}


@pytest.fixture
def looked_at(people, live, axe, shot, picture):
    """Opens a page and looks at it from all sides."""

    def look(one, known):
        page = people[one.who]
        watched = page.context.watched
        watched.errors.clear()
        watched.statuses_expected = set(one.statuses)
        page.set_viewport_size(TALL)
        page.goto(live.address + one.address.format_map(known))
        if one.then:
            one.then(page)
        page.wait_for_load_state()
        assert page.locator("h1").count() == 1
        assert page.title().endswith(" · Workflow Hub")
        assert page.title() != " · Workflow Hub"
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            axe(page)
            assert sideways(page) == []
            shot(page, f"{one.name}-{theme}")
            if one.section and one.theme == theme:
                picture(page, one.name)
        page.emulate_media(color_scheme="light")
        for size in (NARROW, NARROWEST):
            page.set_viewport_size(size)
            assert sideways(page) == [], size
            if size is NARROW:
                shot(page, f"{one.name}-360")
        assert unmarked(page) == []
        assert (watched.errors, watched.strays) == ([], [])

    return look


@pytest.mark.parametrize("one", EMPTY, ids=lambda one: one.name)
def test_it_looks_right_before_there_is_anything(looked_at, one):
    """A page says what it will show and where to begin; axe finds nothing, nothing is cut, the focus is seen."""
    looked_at(one, {})


@pytest.mark.parametrize("one", PAGES, ids=lambda one: one.name)
@pytest.mark.full
def test_it_looks_right_in_every_light_and_width(looked_at, known, one):
    """axe finds nothing, nothing is wider than the window, there is one heading, the focus is seen, no script fails."""
    looked_at(one, known)
