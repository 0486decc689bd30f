"""The pictures of the Hub's pages in its document."""

import re

from tests.browser.pages import PAGES

from .documents import ROOT, text

FOLDER = ROOT / "docs" / "hub"
SHOWN = {one.name for one in PAGES if one.section}
MOST_BYTES = 1_500_000


def test_every_page_of_the_hub_is_shown():
    """Each page to look at has its picture in docs/hub.md once, with words for those who don't see it."""
    found = re.findall(r"!\[([^\]]+)\]\(hub/([\w-]+)\.webp\)", text("docs/hub.md"))
    assert sorted(name for _, name in found) == sorted(SHOWN)
    pages = {one.place for one in PAGES if one.place.startswith("GET ")}
    assert pages - {one.place for one in PAGES if one.section} == {"GET /callback"}  # it only tells a problem


def test_every_picture_is_there_and_small():
    """No picture is missing or left over, and together they don't make the project heavy."""
    files = {file.stem: file.stat().st_size for file in FOLDER.iterdir()}
    assert set(files) == SHOWN
    assert sum(files.values()) <= MOST_BYTES
