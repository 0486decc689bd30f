"""Signing in in a real browser."""

import pytest


@pytest.mark.parametrize("context", ["light", "dark"], indirect=True)
def test_the_link_signs_in_and_leaves_no_trace(tab, context, live, axe, shot):
    """The token is gone from the address and the history, is in no storage, and the link works no second time."""
    assert "#" not in tab.url
    tab.goto(f"{live.address}/accounts")
    axe(tab)
    stored = tab.evaluate(
        "JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage), document.cookie])"
    )
    assert stored == '[[],[],""]'


def test_a_used_link_is_told_so(context, live, axe, shot):
    """The page says what to do instead."""
    context.watched.statuses_expected.add(403)
    page = context.new_page()
    page.goto(f"{live.address}/sign-in#used")
    page.get_by_role("alert").wait_for()
    assert "newest one" in page.inner_text("main")
    assert page.url == f"{live.address}/sign-in"
    axe(page)
    shot(page, "sign-in")


@pytest.mark.full
def test_a_link_that_is_pasted_into_an_open_page_signs_in(context, live):
    """Only what stands behind the # changes then, and that is noticed."""
    page = context.new_page()
    page.goto(f"{live.address}/sign-in")
    page.goto(live.next_link())
    page.wait_for_url(f"{live.address}/")
    live.used()
