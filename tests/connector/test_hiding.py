"""What is hidden of a text: words that hold a part of a secret, however it is written. And lines of plain characters."""

import base64
from urllib.parse import quote

import pytest

from apollo_component.connector.hiding import WINDOW, without

SECRET = "Kö/+?~ÿÿ>>9aX-plain-Tail"
RAW = SECRET.encode()


def hidden(text: str) -> bool:
    """As a word of its own, with nothing around it lost."""
    shown = without(f"You sent {text} to us.", [SECRET])
    assert shown in ("You sent [hidden] to us.", f"You sent {text} to us.")
    return "[hidden]" in shown


@pytest.mark.parametrize("skipped", [0, 1, 2])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_no_part_of_a_secret_in_base64_is_shown(encode, skipped: int) -> None:
    """Of both alphabets, wherever in a longer text the secret begins, whole or eight characters of it."""
    coded = encode(RAW[skipped:]).decode().rstrip("=")
    assert {"+", "/", "-", "_"} & set(coded)
    assert hidden(coded)
    for start in range(len(coded) - WINDOW + 1):
        assert hidden(coded[start : start + WINDOW])
        assert hidden(coded[start : start + WINDOW].swapcase())


@pytest.mark.parametrize("form", [SECRET, RAW.hex(), quote(SECRET, safe=""), quote(SECRET, safe="").lower()])
def test_no_part_of_a_secret_is_shown(form: str) -> None:
    """As it is, in hex and with percent signs, in either case; what is no letter of a word parts them."""
    for start in range(len(form) - WINDOW + 1):
        part = form[start : start + WINDOW]
        if not set(part) & set("<>(),;:'\""):
            assert hidden(part), part
            assert hidden(part.upper()), part


def test_seven_characters_are_none() -> None:
    """A word is hidden for eight characters in a row, not for seven at its end, at its beginning or by themselves."""
    key = "0123456789abcdef"
    for word in ("-" * 9 + key[:7], key[-7:] + "-" * 9, key[:7], "-" + key[3:10] + "-"):
        assert without(word, [key]) == word
    assert without("-" * 9 + key[:8], [key]) == "[hidden]"


def test_the_shortest_secret_has_eight_characters() -> None:
    """A shorter one would hide what people must read; it is passed over beside others, which aren't."""
    assert without("a 12345678 b", ["12345678"]) == "a [hidden] b"
    assert without("a 1234567 x1234567x", ["1234567"]) == "a 1234567 x1234567x"
    assert without("a 12345678 b abcdefgh", ["1234567", "abcdefgh"]) == "a 12345678 b [hidden]"


def test_half_characters_break_nothing() -> None:
    """A secret that no request can carry hides itself, and nothing fails."""
    half = "\ud800" + "12345678"
    assert without(f"a {half} b", [half]) == "a [hidden] b"
    assert without(f"a {quote('?12345678', safe='')} b", [half]) == "a [hidden] b"


def test_without_secrets_a_text_stays() -> None:
    """Nothing is hidden where nothing was sent."""
    assert without("some longer words", []) == "some longer words"
