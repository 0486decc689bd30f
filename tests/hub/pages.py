"""A page as a program reads it: its elements in their order, with their attributes and the text in them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    parts: "list[Element | str]" = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        return self.attributes.get(name, "")

    def __contains__(self, name: str) -> bool:
        return name in self.attributes

    @property
    def text(self) -> str:
        """As people read it."""
        return " ".join("".join(self._texts()).split())

    def _texts(self) -> Iterator[str]:
        for part in self.parts:
            yield from [part] if isinstance(part, str) else part._texts()

    def all(self, tag: str = "", **attributes: str) -> "list[Element]":
        """Everything inside with this tag and these attributes; `class_` names one of its classes."""
        return [one for one in self._inner() if one.fits(tag, attributes)]

    def one(self, tag: str = "", **attributes: str) -> "Element":
        [found] = self.all(tag, **attributes)
        return found

    def fits(self, tag: str, wanted: dict[str, str]) -> bool:
        named = {name: value for name, value in wanted.items() if name != "class_"}
        classed = wanted.get("class_", "") in ["", *self["class"].split()]
        return tag in ("", self.tag) and classed and all(self[name] == value for name, value in named.items())

    def _inner(self) -> "Iterator[Element]":
        for part in self.parts:
            if isinstance(part, Element):
                yield part
                yield from part._inner()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].parts.append(made)
        if tag not in VOID:
            self.open.append(made)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop().tag == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.open[-1].parts.append(data)


def read(html: str) -> Element:
    """Whatever is opened must be closed."""
    reader = _Reader()
    reader.feed(html)
    assert len(reader.open) == 1, reader.open[-1].tag
    return reader.open[0]
