"""The keyboard alone: what a person does who has no mouse, and what must hold wherever the focus is."""

import re

from playwright.sync_api import CDPSession, Page

from .looking import IS_MARKED

MOST = 250
"""So often is Tab pressed before something counts as out of reach."""


class Keys:
    """Tab, Enter, Space, arrows, Escape and letters on a page; nothing is clicked, filled in or focused otherwise."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.cdp: CDPSession = page.context.new_cdp_session(page)

    def focused(self) -> tuple[str, str]:
        """The role and the name of what has the focus, as the browser tells them to assistive technology."""
        found = self.cdp.send("Runtime.evaluate", {"expression": "document.activeElement"})["result"]["objectId"]
        wanted = {"objectId": found, "fetchRelatives": False}
        [node, *_] = self.cdp.send("Accessibility.getPartialAXTree", wanted)["nodes"]
        role, name = (node.get(part, {}).get("value", "") for part in ("role", "name"))
        return role, name

    def to(self, name: str | re.Pattern[str], key: str = "Tab", role: str = "") -> None:
        """Goes on until what has this name, and this role, has the focus, which must show."""
        self.page.wait_for_load_state()
        wanted = name if isinstance(name, re.Pattern) else re.compile(re.escape(name))
        passed = []
        for _ in range(MOST):
            its, found = self.focused()
            if its != "RootWebArea" and role in ("", its) and wanted.fullmatch(found):
                assert self.page.evaluate(IS_MARKED), f"{found} doesn't show that it has the focus"
                return
            passed.append(found)
            self.page.keyboard.press(key)
        raise AssertionError(f"{wanted.pattern} isn't reached; passed: {dict.fromkeys(passed)}")

    def press(self, name: str | re.Pattern[str], key: str = "Enter") -> None:
        """Goes there and presses a key."""
        self.to(name)
        self.page.keyboard.press(key)

    def write(self, name: str, text: str) -> None:
        """Goes to a field and writes over what is in it."""
        self.to(name, role="textbox")
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def is_somewhere(self) -> None:
        """The focus wasn't lost with a part of the page that was swapped."""
        assert self.page.evaluate("document.activeElement !== document.body")
