"""What a service said, made safe to show: no part of what the request carried, nothing that steers a terminal. Pure."""

import base64
import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

WINDOW = 8
"""Characters in a row of a secret that are never shown."""
_WORD = re.compile(r"[^\s\"'<>(),;:]{8,}")


def without(text: str, secrets: Sequence[str]) -> str:
    """The text with every word hidden that has eight characters in a row of a secret, in either case, or of the
    secret written in base64, hex or percent signs."""
    forms = [form for secret in secrets if len(secret) >= WINDOW for form in _forms(secret)]

    def shown(match: re.Match[str]) -> str:
        word = match[0].lower()
        parts = (word[start : start + WINDOW] for start in range(len(word) - WINDOW + 1))
        return "[hidden]" if any(part in form for part in parts for form in forms) else match[0]

    return _WORD.sub(shown, text) if forms else text


def _forms(secret: str) -> Iterator[str]:
    """In lower case, each of them once."""
    raw = secret.encode("utf-8", "replace")
    yield secret.lower()
    yield raw.hex()
    yield quote(raw, safe="").lower()
    for skipped in range(3):  # a group of base64 may begin at any third byte
        coded = base64.b64encode(raw[skipped:]).decode().lower()
        yield coded
        yield coded.replace("+", "-").replace("/", "_")


def one_line(text: str, longest: int) -> str:
    """The text as one line of characters that can be printed."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:longest]
