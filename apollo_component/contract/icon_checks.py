"""Whether a connector's icon is a picture and nothing else: what a page shows must not run, load or link anything."""

from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

ICON_BYTES = 20_000
_SVG = "http://www.w3.org/2000/svg"
_PARTS = {"svg", "g", "defs", "symbol", "use", "title", "desc", "clipPath", "mask"}
_SHAPES = {"path", "circle", "ellipse", "rect", "line", "polyline", "polygon"}
_DRAWN = _PARTS | _SHAPES | {"linearGradient", "radialGradient", "stop"}
"""The elements that only draw."""


def icon_problems(file: Path) -> Iterator[str]:
    """What is wrong with an icon; nothing when it can be shown."""
    try:
        data = file.read_bytes()
    except OSError:
        yield "names no file"
        return
    if len(data) > ICON_BYTES:
        yield f"must be at most {ICON_BYTES // 1000} kB"
        return
    yield from dict.fromkeys(_Drawing(data).problems)


class _Drawing:
    """One pass over the file; expat loads nothing from elsewhere, and a declaration of entities is refused."""

    def __init__(self, data: bytes) -> None:
        self.problems: list[str] = []
        self.depth = 0
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = self._element
        parser.StartDoctypeDeclHandler = lambda *_parts: self._refuse("has a DOCTYPE")
        parser.ProcessingInstructionHandler = lambda *_parts: self._refuse("has a processing instruction")
        try:
            parser.Parse(data, True)
        except (expat.ExpatError, ValueError):
            self._refuse("is not an SVG picture")

    def _refuse(self, text: str) -> None:
        self.problems.append(text)

    def _element(self, name: str, attributes: dict[str, str]) -> None:
        space, _, own = name.rpartition(" ")
        self.depth += 1
        if self.depth == 1 and (space, own) != (_SVG, "svg"):
            self._refuse("is not an SVG picture")
        elif space != _SVG or own not in _DRAWN:
            self._refuse(f"has a <{own}>, which does more than draw")
        for key, value in attributes.items():
            self._attribute(key.rpartition(" ")[2].lower(), value.lower())

    def _attribute(self, name: str, value: str) -> None:
        if name.startswith("on"):
            self._refuse(f"has a script ({name})")
        outside = value.replace("url(#", "").replace("url('#", "").replace('url("#', "")
        if (name == "href" and not value.startswith("#")) or "url(" in outside or "@import" in value or "\\" in value:
            self._refuse(f"refers to something outside itself ({name})")
