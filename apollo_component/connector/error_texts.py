"""What the body of an answer says went wrong: its texts, its codes and what it suggests, safe to show. Pure.

Services put a reason under many names: each is read, and the most telling text is the message.
"""

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from ..contract.digging import dig
from .hiding import one_line, without

SAID = 4000
"""Characters of what a service said that are looked at; `SHOWN` of them are shown."""
SHOWN = 300
MOST = 20
"""Items of a list or an object that are looked at."""
DEEP = 5
_HEADLINES = ("error_details", "message", "error_message", "error", "error_description", "title")
_PARTICULARS = ("errors", "detail", "details")
_SENTENCES = ("message", "error_message", "error_description", "detail", "error", "msg", "reason", "code")
_FIELDS = ("field", "parameter", "param", "attribute", "property")
_PLACES = ("contact_id", "account_id", "index")
_WHOLE = ("base", "full_messages", "messages", "errors", "non_field_errors")
"""Keys that stand where the name of a field would, but name none."""
_NO_TEXTS = (
    *("code", "error_code", "status", "type", "suggestions", "context", "request_id", "timestamp", "url", "docs_url"),
    *(*_FIELDS, *_PLACES),
)
_OF_WHOLE = ("error", "error_code", "error_details", "error_message")
"""Keys by which an answer tells that it failed as a whole."""
_TAG = re.compile(r"<(?:!|/?[a-z])[^>]{0,500}>", re.IGNORECASE)
_WORD = re.compile(r"[a-z']+")
_PHRASES = {" ".join(_WORD.findall(status.phrase.lower())) for status in HTTPStatus}
_GENERAL = frozenset(
    _WORD.findall(
        """
        a again an and are at bad be been by can can't cannot check client code complete completed could
        couldn't did didn't do does doesn't don't encountered error errors exception fail failed failure
        fault for found general generic handle handled has have http i in incorrect information internal
        invalid is isn't it later made malformed missing more not occurred of on oops or our passed
        perform performed please problem process processable processed processing rejected required
        retry see served server something sorry status support the there this to try unable unexpected
        unknown unprocessable unspecified unsuccessful validate validation was wasn't we went were
        weren't with wrong you your

        action api auth authentication authorization call content data details entity format given input
        operation param parameter parameters params payload provided query request requests sent
        submitted supplied value values

        access allowed authenticated authorized denied forbidden permission permissions permitted
        refused unauthenticated unauthorized
        """
    )
)
"""Words of which a text that tells nothing is made: of errors, of what was sent, of rights in general."""
_CREDENTIAL = r"(?:account|key|token|credential|user|team|workspace|organi[sz]ation)s?"
_ENDED = (
    r"(?:not active|no longer (?:active|valid)|inactive|deactivated|disabled|suspended|expired|revoked|blocked|locked"
    r"|closed)"
)
_REFUSED = tuple(
    (part, re.compile(pattern, re.IGNORECASE))
    for part, pattern in (
        ("account", r"\bips?\b|\b(?:allow|white|block)[ -]?list"),
        ("account", rf"\b{_CREDENTIAL} (?:(?:is|are|was|has|have|been|currently|now) )*{_ENDED}\b"),
        ("account", rf"\b{_ENDED} (?:api )?{_CREDENTIAL}\b"),
        ("plan", r"\b(?:plans?|credits?|subscription|trial|upgrade|paid|billing|tier|pricing|licen[cs]e)\b"),
        ("account", r"\bapi access\b|\b(?:access to|use of|use) (?:the |this |our )?api\b"),
        ("endpoint", r"(?:\b|_)scopes?\b|\bendpoint|\bapi/|accessible|\bnot authorized to (?:access|use|call)\b"),
        ("user_permission", r"\bpermissions?\b|\brole\b|\bowner\b|another user"),
    )
)


@dataclass(frozen=True, slots=True)
class Said:
    """`message` is the most telling text (or code, where there is no text), `texts` what else tells the reason apart,
    codes as words among it; `reason` is whether any of it says more than that there was an error. `suggestions` are
    sentences. `code` and `error_code` are as the service gave them."""

    message: str = ""
    texts: tuple[str, ...] = ()
    reason: bool = False
    suggestions: str = ""
    code: Any = None
    error_code: Any = None

    @property
    def refused(self) -> str:
        """What a refusal of a right is about, by its words: `endpoint` (also a scope, or no reason at all), `plan`,
        `user_permission`, or `account`: where the request came from, or all that the credential stands for."""
        found = (part for part, pattern in _REFUSED if any(pattern.search(text) for text in self.texts))
        return next(found, "account" if self.reason else "endpoint")


def said_in(body: Any, plain: str = "", secrets: Sequence[str] = ()) -> Said:
    """What a body says; `plain` is the text of one that is no JSON. No part of a secret, no markup, no control
    character is in it."""
    headlines, particulars = _sources(body, plain)
    code, error_code = dig(body, "error_details.code"), dig(body, "error_code") or dig(body, "error")
    codes = [found for found in (code, dig(body, "error_code"), dig(body, "code")) if isinstance(found, str)]
    cleaned = _cleaned((*headlines, *particulars, *codes), secrets)
    heads, rest = cleaned[: len(headlines)], cleaned[len(headlines) : len(headlines) + len(particulars)]
    coded = cleaned[len(headlines) + len(particulars) :]
    texts = [_as_words(text) for text in cleaned if text]
    telling = [text for text in texts if is_telling(text)]
    return Said(
        message=_message(heads, rest) or next(filter(None, coded), ""),
        texts=tuple(telling or texts),
        reason=bool(telling),
        suggestions=_suggestions(dig(body, "error_details.suggestions"), secrets),
        code=code,
        error_code=error_code,
    )


def is_telling(text: str) -> bool:
    """Whether a text says more than that something went wrong: neither one word, such as a code, nor general words."""
    words = _WORD.findall(text.lower())
    general = " ".join(words) in _PHRASES or _GENERAL.issuperset(words)
    return not text.isascii() or (len(text.split()) > 1 and not general)


def _as_words(text: str) -> str:
    """A code's words with spaces between; other texts as they are."""
    return text if " " in text else re.sub(r"[\W_]+", " ", text).strip()


def tells_failure(body: Any, *, by_status: bool = True) -> bool:
    """Whether a body names an error. Keys that hold nothing are none; `by_status` is whether `status` is about the
    request, and not about the record that the body is."""
    if not isinstance(body, Mapping):
        return False
    status = body.get("status")
    failed = by_status and isinstance(status, str) and status.lower() in ("failed", "error")
    return failed or body.get("success") is False or any(_holds(body.get(name)) for name in (*_OF_WHOLE, "errors"))


def tells_of_items_only(body: Any) -> bool:
    """Whether a body that tells a failure tells it by its items alone."""
    return isinstance(body, Mapping) and not any(body.get(name) for name in _OF_WHOLE)


def tells_nothing_else(body: Any) -> bool:
    """Whether a body holds nothing but the telling of an error."""
    if not isinstance(body, Mapping):
        return not body
    telling = (*_OF_WHOLE, "errors", "message", "status", "success", "request_id")
    return not any(value for name, value in body.items() if name not in telling)


def _holds(value: Any) -> bool:
    """Whether there is anything in a value, however deep."""
    if isinstance(value, Mapping):
        return any(map(_holds, value.values()))
    if isinstance(value, list):
        return any(map(_holds, value))
    return bool(value.strip()) if isinstance(value, str) else bool(value)


def _sources(body: Any, plain: str) -> tuple[list[str], list[str]]:
    """The raw texts of a body, the most telling names first: those about the whole, and those about its parts."""
    if not isinstance(body, Mapping):
        found = _joined(body)
        return [found or plain], []
    details = body.get("error_details")
    if isinstance(details, Mapping):  # its code is one of the whole answer, and no text
        body = {**body, "error_details": {name: told for name, told in details.items() if name != "code"}}
    return [_joined(body.get(name)) for name in _HEADLINES], [_joined(body.get(name)) for name in _PARTICULARS]


def _joined(value: Any) -> str:
    lines = [line.strip() for line in dict.fromkeys(_lines(value, DEEP))][:MOST]
    return "; ".join([*(line.rstrip(".;") for line in lines[:-1]), *lines[-1:]])


def _lines(value: Any, deep: int) -> Iterator[str]:
    """Texts of a text, a list, or an object; each with the field it is about, where that is named."""
    if isinstance(value, str):
        if value.strip():
            yield value[:SAID]
    elif deep and isinstance(value, list):
        for item in value[:MOST]:
            yield from _lines(item, deep - 1)
    elif deep and isinstance(value, Mapping):
        yield from _of_object(value, deep - 1)


def _of_object(value: Mapping[str, Any], deep: int) -> Iterator[str]:
    """An object is one error with its sentence, or names fields and what is wrong with each."""
    own = next((told for name in _SENTENCES if (told := value.get(name)) and isinstance(told, str | Mapping)), None)
    if own is not None:
        field = next((told for name in _FIELDS if isinstance(told := value.get(name), str)), "")
        for line in _lines(own, deep):
            yield _about(field, line) + _place(value)
        return
    for name, told in list(value.items())[:MOST]:
        if name not in _NO_TEXTS:
            for line in _lines(told, deep):
                yield line if name in _WHOLE else _about(str(name), line)


def _about(field: str, line: str) -> str:
    if not field or field.lower() in line.lower():
        return line
    return f"{field} {line}" if line[:1].islower() else f"{field}: {line}"


def _place(value: Mapping[str, Any]) -> str:
    """Which record or item of a list an error is about."""
    found = ((name, value.get(name)) for name in _PLACES)
    return next((f" ({name} {told})" for name, told in found if isinstance(told, int | str) and told != ""), "")


def _message(heads: Sequence[str], rest: Sequence[str]) -> str:
    """The first telling text about the whole, with the first about its parts; else the first there is."""
    head, part = (next(filter(is_telling, texts), "") for texts in (heads, rest))
    if head and part and head.lower() not in part.lower() and part.lower() not in head.lower():
        return f"{head.rstrip('.:; ')}: {part}"[:SHOWN]
    return head or part or next(filter(None, (*heads, *rest)), "")


def _suggestions(told: Any, secrets: Sequence[str]) -> str:
    """The labels of what a service suggests, as sentences of `SHOWN` characters together."""
    labels = [
        dig(each, "label") if isinstance(each, Mapping) else each for each in (told if isinstance(told, list) else ())
    ]
    shown = _cleaned([label for label in labels[:MOST] if isinstance(label, str)], secrets)
    sentences = dict.fromkeys(label if label[-1] in ".!?" else f"{label}." for label in shown if label)
    held: list[str] = []
    for sentence in sentences:
        if len(" ".join((*held, sentence))) <= SHOWN:
            held.append(sentence)
    return " ".join(held)


def _cleaned(texts: Iterable[str], secrets: Sequence[str]) -> list[str]:
    """Each text as one line of at most `SHOWN` characters; of all together `SAID` characters are looked at."""
    left, found = SAID, []
    for text in texts:
        cut = text[:left]
        left -= len(cut)
        found.append(one_line(without(html.unescape(_TAG.sub("", cut)), secrets), SHOWN))
    return found
