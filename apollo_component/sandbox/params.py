"""Request parameters as Rails reads them: bracketed names in a query, plain JSON in a body, merged."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson

from .errors import Refusal, bad_id
from .ids import is_object_id

TRUE_TEXTS = {"true", "1", "t", "yes", "on"}
MAX_PARTS = 8


def parse_query(text: str) -> dict[str, Any]:
    """Reads `a[]=1&r[min]=2&details[][email]=x` into nested dicts and lists."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        if "[" in name:
            _store(found, _parts(name), value)
        else:
            found[name] = value
    return found


def _parts(name: str) -> list[str]:
    head, _, rest = name.partition("[")
    return [head, *rest.removesuffix("]").split("][", MAX_PARTS)]


def _store(target: dict[str, Any], parts: list[str], value: str) -> None:
    head, *rest = parts
    if not rest:
        target[head] = value
    elif rest[0] == "":
        _append(target.setdefault(head, []), rest[1:], value)
    else:
        inner = target.setdefault(head, {})
        if isinstance(inner, dict):
            _store(inner, rest, value)


def _append(items: Any, rest: list[str], value: str) -> None:
    if not isinstance(items, list):
        return
    if not rest:
        items.append(value)
        return
    # Rails opens a new object of an array when the key it is about to set is already there.
    if not items or not isinstance(items[-1], dict) or rest[0] in items[-1]:
        items.append({})
    _store(items[-1], rest, value)


def parse_body(body: bytes, content_type: str) -> dict[str, Any]:
    """Reads a JSON object or a form; anything else counts as no parameters."""
    if not body.strip():
        return {}
    if content_type.startswith("application/x-www-form-urlencoded"):
        return parse_query(body.decode("utf-8", "replace"))
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        # unverified: Rails answers 400 to a body that is not JSON.
        raise Refusal(400, {"status": 400, "error": "Bad Request"}) from error
    return parsed if isinstance(parsed, dict) else {}


def merge(query: str, body: bytes, content_type: str) -> dict[str, Any]:
    """Both transports in one dict; a name sent in both is taken from the query, as Rails does (unverified)."""
    sent = parse_body(body, content_type) if body else {}
    return {**sent, **parse_query(query)} if query else sent


def text(params: Mapping[str, Any], name: str) -> str:
    """A parameter as stripped text; absent, null and structures are the empty text."""
    value = params.get(name)
    return "" if value is None or isinstance(value, dict | list) else str(value).strip()


def flag(params: Mapping[str, Any], name: str, *, default: bool = False) -> bool:
    """A boolean, which in a query is a word."""
    value = params.get(name)
    if value is None or value == "":
        return default
    return value if isinstance(value, bool) else str(value).lower() in TRUE_TEXTS


def integer(value: Any, default: int | None = None) -> int | None:
    """A whole number, or a text that holds one."""
    try:
        return default if value is None or isinstance(value, bool) else int(value)
    except (TypeError, ValueError):
        return default


def texts(params: Mapping[str, Any], name: str) -> list[str]:
    """An array parameter; a lone value under an array's name is dropped (unverified, the strict reading)."""
    value = params.get(name)
    return [str(item) for item in value if item is not None] if isinstance(value, list) else []


def object_ids(values: Iterable[str]) -> list[str]:
    """The same ids, or the documented refusal of the first that is not 24 hex characters."""
    checked = list(values)
    for value in checked:
        if not is_object_id(value):
            raise bad_id(value)
    return checked


def object_id_param(params: Mapping[str, Any], name: str) -> str:
    """One id parameter: empty when absent, refused when malformed."""
    value = text(params, name)
    if value and not is_object_id(value):
        raise bad_id(value)
    return value
