"""Requests of a person's own: any path on the service's own host, under the rules of those that are declared. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from ..contract.actions import Action
from ..contract.addresses import unreachable
from ..contract.errors import InputError, Problem
from ..contract.manifest import Manifest
from ..contract.models import Effect
from .messages import Request
from .operations import BODYLESS, bracketed, check_sendable

PATH = re.compile(
    r"^(/(?!\.{1,2}(/|$))([A-Za-z0-9._~!$&'()*+,;=:@-]|%(?![01]|2[35EeFf]|3[Ff]|5[Cc]|7[Ff])[0-9A-Fa-f]{2})+)+$"
)
"""Segments that begin with a slash and aren't empty, `.` or `..`; no query, fragment, backslash, space or control
character, and none of these (nor a dot, slash or percent sign) percent-encoded."""
OPERATION_LENGTH = 100
_PLACEHOLDER = re.compile(r"{\w+}")
_GRAVITY = list(Effect)


def request_for(manifest: Manifest, action: Action, values: Mapping[str, Any], base_url: str) -> Request:
    """The one request. Raises InputError for a path that could leave the service's own, and for a stated effect or
    cost that is less than what is declared for the same route."""
    method, path = values["method"], values["path"]
    if not PATH.fullmatch(path):
        raise _refused("path", "must begin with / and hold plain segments only: no host, .., //, query or fragment")
    check_sendable(values)
    if known := declared(manifest, method, path):
        _check_effect(action.effect.of(values), known)
        _check_credits(action.credits.worst(values) or 0, known, values)
        _check_callback(known, values.get("body"))
    query = tuple(pair for name, value in (values.get("query") or {}).items() for pair in bracketed(name, value))
    body = None if method in BODYLESS else values.get("body", {})
    return Request(method, base_url + path, query, body, operation=operation(known, method, path),
                   quota_class=(known or action).quota_class)  # fmt: skip


def declared(manifest: Manifest, method: str, path: str) -> Action | None:
    """The action of the manifest that this route is, fixed paths before those with placeholders."""
    found = [
        item
        for item in manifest.actions.values()
        if item.path and item.method == method and re.fullmatch(_pattern(item.path), path)
    ]
    return min(found, key=lambda item: item.path.count("{"), default=None)


def operation(known: Action | None, method: str, path: str) -> str:
    """Whose quota windows count: those of the declared action, else the route's own, ids left out."""
    if known:
        return known.id
    plain = "/".join("*" if re.search(r"\d", part) else part for part in path.split("/"))
    return f"{method} {plain}"[:OPERATION_LENGTH]


def _pattern(template: str) -> str:
    return "[^/]+".join(re.escape(part) for part in _PLACEHOLDER.split(template))


def _check_effect(stated: Effect, known: Action) -> None:
    if _GRAVITY.index(stated) < _GRAVITY.index(known.effect.kind):
        raise _refused(
            "effect",
            f"must be {known.effect.kind} or something graver: this is the route of {known.id}; better run that",
        )


def _check_credits(stated: float, known: Action, values: Mapping[str, Any]) -> None:
    """A budget that the named action would have to keep can't be got round by stating less."""
    given = {**(values.get("query") or {}), **(body if isinstance(body := values.get("body"), Mapping) else {})}
    worst = known.credits.worst(given)
    if known.credits.stated_by and not stated:
        raise _refused("credits", f"must be more than 0: {known.id} costs credits")
    least = known.credits.base if worst is None else worst
    if stated < least:
        raise _refused("credits", f"must be at least {least:g}, which is what {known.id} may cost with this")


def _check_callback(known: Action, body: Any) -> None:
    """An address that the service can't reach is refused here as in the named action."""
    rule = known.wait.callback if known.wait else None
    url = body.get(rule.url) if rule and isinstance(body, Mapping) else None
    if rule and isinstance(url, str) and (why := unreachable(url)):
        raise _refused(f"body.{rule.url}", f"{why}; the service delivers over the internet")


def _refused(field: str, text: str) -> InputError:
    return InputError("The input was refused; nothing was sent.", [Problem(text, path=field)])
