"""What a hostile answer may do to this process and to its logs: nothing much, and nothing."""

import base64
import time
from urllib.parse import quote

import pytest

from apollo_component.connector.reading import DEPTH, UnreadableError, loaded
from apollo_component.connector.replies import answer_of, error_for, request_id, retry_after, text_of
from apollo_component.contract.errors import InputError, UnreadableReplyError
from apollo_component.contract.models import Reply

KEY = "kZ7-Qw2_pL9xV4tB8nM1"


def said(text: str, **headers: str) -> str:
    """All that an error shows of an answer."""
    import json

    body = json.dumps({"error": text}).encode()
    error = error_for(
        Reply(422, {name.replace("_", "-"): value for name, value in headers.items()}, body), None, (), [KEY]
    )
    assert error is not None
    return f"{error} {error!r} {json.dumps(error.as_dict())}"


def test_an_answer_may_be_nested_so_deep_and_no_deeper() -> None:
    """What is read can be stored and shown again, with room around it."""
    import json

    import orjson

    deep = b"[" * DEPTH + b"]" * DEPTH
    value = answer_of(Reply(200, {}, deep))
    assert orjson.dumps({"records": [value]})
    assert json.dumps(value)
    for more in (1, 55, 800, 100_000):
        with pytest.raises(UnreadableReplyError):
            answer_of(Reply(200, {}, b"[" * (DEPTH + more) + b"]" * (DEPTH + more)))
        with pytest.raises(UnreadableReplyError):
            answer_of(Reply(200, {}, b'{"a":' * (DEPTH + more) + b"1" + b"}" * (DEPTH + more)))


def test_many_brackets_are_not_depth() -> None:
    """A long list of small things is read."""
    assert len(loaded(b"[" + b",".join([b'{"a":[]}'] * 100_000) + b"]")) == 100_000


@pytest.mark.parametrize(
    "body", [b"1e999", b"-1e999", b"NaN", b"Infinity", b"\xff", b'"\\ud800"', b"", b"[1,]", b"1 2"]
)
def test_what_json_does_not_have_is_not_read(body: bytes) -> None:
    """Infinite numbers, half characters and trailing text are no JSON."""
    with pytest.raises(UnreadableError):
        loaded(body)


@pytest.mark.parametrize(
    "text",
    ["a" * 20_000_000, "<" * 5_000_000, "&" * 5_000_000, f"{KEY[:7]} " * 500_000, "&lt;" * 2_000_000, "(" * 5_000_000],
    ids=["long word", "tags", "entities", "almost", "escaped", "brackets"],
)
def test_a_long_sentence_costs_no_time(text: str) -> None:
    """Megabytes of text in a refusal are looked at in a moment."""
    start = time.thread_time()
    assert len(text_of({"error": text}, Reply(422, {}, b""), [KEY, KEY * 3])) <= 300
    assert time.thread_time() - start < 0.5


@pytest.mark.parametrize(
    "shown",
    [
        KEY, KEY.upper(), KEY.lower(), KEY[:12], KEY[8:], f"x{KEY}y", f"<b>{KEY}</b>", f"key={KEY};", KEY.encode().hex(),
        KEY.encode().hex().upper(), base64.b64encode(KEY.encode()).decode(), base64.b64encode(f"ab:{KEY}".encode()).decode(),
        base64.urlsafe_b64encode(f"a{KEY}".encode()).decode(), quote(KEY + "/"), "".join(f"&#{ord(c)};" for c in KEY),
        f"{KEY}\u200b", f"https://x.test/?key={KEY}",
    ],
)  # fmt: skip
def test_a_repeated_secret_is_hidden(shown: str) -> None:
    """However a service repeats what it was sent, an error shows no 12 characters of it, encoded or not."""
    from tests.canary.scanner import Scanner

    scanner = Scanner({"key": KEY})
    assert scanner.scan(shown, "x"), "the scanner would see it"
    assert scanner.scan(said(f"You sent {shown} to us", x_request_id=shown), "x") == []


@pytest.mark.parametrize("status", [302, 502])
def test_a_refusal_hides_a_secret_that_comes_as_its_request_id(status: int) -> None:
    """Also one that isn't the service's own: a redirect, a proxy's page."""
    error = error_for(Reply(status, {"x-request-id": KEY}, b"<html>"), None, (), [KEY])
    assert isinstance(error, UnreadableReplyError)
    assert error.request_id == "[hidden]"


@pytest.mark.parametrize("status", [200, 302])
def test_what_can_not_be_read_hides_a_secret_that_comes_as_its_request_id(status: int) -> None:
    """Something else than JSON, and a redirect."""
    with pytest.raises(UnreadableReplyError) as caught:
        answer_of(Reply(status, {"x-request-id": KEY}, b"<html>"), [KEY])
    assert caught.value.request_id == "[hidden]"


@pytest.mark.parametrize("told", ["\x9b31mred", "a\r\nb", "\u202etxt", "x" * 101, "a b", "<b>", "&#65;", "é"])
def test_an_odd_request_id_is_none(told: str) -> None:
    """It is shown to people and written into logs, so it must look like one."""
    assert request_id(Reply(500, {"x-request-id": told}, b"")) == ""
    assert request_id(Reply(500, {"x-request-id": "0af7-6519/cd43:dd84.x_1"}, b"")) == "0af7-6519/cd43:dd84.x_1"


@pytest.mark.parametrize(
    "text", ["\x1b[2J\x1b[31mred", "a\x9b31mb", "a\r\nlevel=info b", "a\u202eb\u2066c", "a\x00b", "\x08\x08"]
)
def test_what_a_service_says_is_one_plain_line(text: str) -> None:
    """No escape sequence, line break, zero byte or turning of text comes from an answer into a message."""
    assert all(char.isprintable() for char in text_of({"error": text}, Reply(422, {}, b"")))
    shown = error_for(Reply(422, {"x-request-id": text}, b'{"error": "x"}'), None, ())
    assert str(shown).isprintable()


@pytest.mark.parametrize("told", ["9" * 5000, "1e400", "nan", "-5", "\u0661", "Wed, 21 Oct 2099 07:28:00 GMT", ""])
def test_a_pause_has_bounds(told: str) -> None:
    """A wait that an answer asks for is at most a week, and nonsense is none."""
    found = retry_after(Reply(429, {"retry-after": told}, b""))
    assert found is None or 0 <= found <= 7 * 86400


def test_a_delivery_may_not_be_deeper_either(connector) -> None:
    """A body that is nested without end is no delivery."""
    trigger = next(item.id for item in connector.manifest.triggers.values() if item.action is None)
    with pytest.raises(InputError):
        connector.connector_receive(trigger, b'{"people":' + b"[" * 5000 + b"]" * 5000 + b"}", {})
