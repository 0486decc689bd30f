"""API tokens and settings in a real browser."""

import pytest


@pytest.mark.parametrize("context", ["light", "dark"], indirect=True)
def test_a_token_is_made_and_revoked_by_keyboard(tab, context, live, axe, shot, request):
    """The new token is where the reader begins, can be copied, is gone from the page after a reload, and is revoked
    after a question."""
    scheme = request.node.callspec.params["context"]
    tab.goto(f"{live.address}/settings")
    axe(tab)
    shot(tab, f"settings-{scheme}")
    tab.get_by_role("link", name="API tokens").press("Enter")
    tab.wait_for_url("**/settings/tokens")
    axe(tab)
    tab.get_by_label("Name").fill(f"Builder {scheme}")
    tab.get_by_label("Name").press("Enter")
    made = tab.get_by_role("region", name="is made")
    made.wait_for()
    assert tab.evaluate("document.activeElement.hasAttribute('data-made')")
    axe(tab)
    shot(tab, f"tokens-made-{scheme}")
    secret = tab.locator("#token").inner_text()
    tab.get_by_role("button", name="Copy").press("Enter")
    tab.get_by_text("Copied").wait_for()
    assert tab.evaluate("navigator.clipboard.readText()") == secret
    tab.reload()
    tab.get_by_role("heading", name="API tokens").wait_for()
    assert secret not in tab.content()
    tab.locator("summary", has_text="Revoke").first.press("Enter")
    axe(tab)
    shot(tab, f"tokens-{scheme}")
    tab.get_by_role("button", name=f"Revoke “Builder {scheme}”").press("Enter")
    tab.get_by_text("There are no tokens yet.").wait_for()


@pytest.mark.full
def test_a_refused_name_is_told_beside_the_field(tab, context, live, axe, shot):
    """What was typed is kept."""
    context.watched.statuses_expected.add(422)
    tab.goto(f"{live.address}/settings/tokens")
    tab.get_by_label("Name").fill("/odd")
    tab.get_by_role("button", name="Make token").click()
    tab.get_by_text("must begin with a letter").wait_for()
    assert tab.get_by_label("Name").input_value() == "/odd"
    axe(tab)


@pytest.mark.full
def test_narrow_screens(tab, live, axe, shot):
    """Nothing is wider than 320 pixels."""
    tab.set_viewport_size({"width": 320, "height": 700})
    for path in ("settings", "settings/tokens"):
        tab.goto(f"{live.address}/{path}")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 320
        axe(tab)
    tab.set_viewport_size({"width": 360, "height": 700})
    tab.get_by_label("Name").fill("Narrow")
    tab.get_by_role("button", name="Make token").click()
    tab.get_by_role("region", name="is made").wait_for()
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    shot(tab, "tokens-narrow")
