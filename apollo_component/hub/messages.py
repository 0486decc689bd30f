"""Every text that the Hub's pages show, from one file."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parent / "messages.yaml"


class Messages:
    """Texts by dotted name; `{name}` in a text is filled in."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts

    def __call__(self, name: str, /, **values: Any) -> str:
        """Raises KeyError for a name or a value that isn't there."""
        return self.texts[name].format_map(values) if values else self.texts[name]

    def group(self, name: str) -> dict[str, str]:
        """The texts below a name, by what follows it: what a script needs."""
        return {key.removeprefix(f"{name}."): text for key, text in self.texts.items() if key.startswith(f"{name}.")}

    def word(self, group: str, value: str) -> str:
        """The group's text for a value, or the value itself where there is none."""
        return self.texts.get(f"{group}.{value}", value)

    def has(self, name: str) -> bool:
        return name in self.texts


@cache
def messages(file: Path = FILE) -> Messages:
    return Messages(dict(_flat(yaml.safe_load(file.read_text(encoding="utf-8")))))


def _flat(found: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for key, value in found.items():
        name = f"{above}{key}"
        pairs += _flat(value, f"{name}.") if isinstance(value, Mapping) else [(name, str(value).strip())]
    return pairs
