"""Texts that a service gives in place of what it doesn't tell."""

import json
from typing import Any

import pytest

from apollo_component.contract.placeholders import cleared, places, told

LOCKED = "locked@example.com"
SPELLINGS = [LOCKED, "LOCKED@Example.com", f"  {LOCKED}\n"]


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_placeholder_is_null_at_any_depth(text: str) -> None:
    """Whatever its case and white space, it is null in objects and gone from lists; everything else stays."""
    answer = {
        "email": text,
        "contact": {"email": text, "contact_emails": [{"email": text, "position": 0}, {"email": "a@example.com"}]},
        "personal_emails": [text, "a@example.com", text],
        "name": f"not {LOCKED}",
        "count": 3,
    }
    assert cleared(answer, (LOCKED,)) == {
        "email": None,
        "contact": {"email": None, "contact_emails": [{"email": None, "position": 0}, {"email": "a@example.com"}]},
        "personal_emails": ["a@example.com"],
        "name": f"not {LOCKED}",
        "count": 3,
    }
    assert answer["email"] == text


@pytest.mark.parametrize("text", [*SPELLINGS, "locked\\u0040example.com", "\\u006cocked@example.com"])
def test_a_placeholder_is_seen_however_it_is_written(text: str) -> None:
    """An answer is only looked through when it may hold a placeholder; escaped letters don't hide one."""
    body = f'{{"email": {json.dumps(text) if chr(92) not in text else chr(34) + text + chr(34)}}}'.encode()
    assert told(json.loads(body), body, (LOCKED,)) == {"email": None}


def test_other_answers_are_not_copied() -> None:
    """An answer without any placeholder, or of a service that has none, is passed on itself."""
    answer: dict[str, Any] = {"email": "dana@example.com"}
    assert told(answer, json.dumps(answer).encode(), (LOCKED,)) is answer
    assert told({"email": LOCKED}, LOCKED.encode(), ()) == {"email": LOCKED}


def test_every_place_is_told() -> None:
    """All places come, from the outside in."""
    value = {"a": [{"b": LOCKED}, LOCKED.upper()], "c": LOCKED, "d": 1}
    assert list(places(value, [LOCKED])) == [("a", 0, "b"), ("a", 1), ("c",)]
