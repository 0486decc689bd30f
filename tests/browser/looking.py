"""What is measured in a page: what is wider than the window, and what shows where the focus is."""

from playwright.sync_api import Page

OUTSIDE = """() => {
  const width = document.documentElement.clientWidth;
  const held = (one) => one && one !== document.body
    && (getComputedStyle(one).overflowX !== "visible" || getComputedStyle(one).clipPath !== "none" || held(one.parentElement));
  return [...document.body.querySelectorAll("*")].filter((one) => one.getBoundingClientRect().right > width + 1
    && one.getClientRects().length && !held(one) && getComputedStyle(one).position !== "fixed")
    .map((one) => one.outerHTML.slice(0, 120));
}"""
"""Elements that stick out on the right, but for those in a part that scrolls by itself."""

RINGS = """
  const line = (one, part) => {
    const style = one ? getComputedStyle(one, part) : null;
    return style && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1.5;
  };
  const ringed = (one) => line(one) || line(one, "::after") || line(one.nextElementSibling)
    || line(one.parentElement) || line(one.parentElement.parentElement);
"""
"""A ring is drawn around the element, or around what stands for it."""

UNMARKED = (
    "() => {"
    + RINGS
    + """
  const before = document.activeElement;
  const every = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")];
  const bare = every.filter((one) => {
    if (one.disabled || !one.checkVisibility({ visibilityProperty: true })) return false;
    one.focus({ preventScroll: true });
    return document.activeElement === one && !ringed(one);
  });
  before?.focus?.({ preventScroll: true });
  return bare.map((one) => one.outerHTML.slice(0, 120));
}"""
)
"""Of all that takes the focus, what doesn't show it."""

IS_MARKED = "() => {" + RINGS + "return ringed(document.activeElement); }"


def sideways(page: Page) -> list[str]:
    """What is wider than the window, if anything is."""
    found: list[str] = page.evaluate(OUTSIDE)
    whole = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return found or ([f"the page, by {whole} px"] if whole > 0 else [])


def unmarked(page: Page) -> list[str]:
    """What doesn't show that it has the focus, when it got it by a key."""
    page.keyboard.press("Tab")
    found: list[str] = page.evaluate(UNMARKED)
    return found
