"""Requests of a person's own: any path on the service's own host, under the rules of those that are declared. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from ..contract.actions import Action
from ..contract.errors import InputError, Problem
from ..contract.routes import PATH
from .messages import Request
from .operations import BODYLESS, bracketed, check_sendable

OPERATION_LENGTH = 100


def request_for(action: Action, values: Mapping[str, Any], base_url: str) -> Request:
    """The one request. Raises InputError for a path that could leave the service's own, and for what would go round
    the rules of the action that is declared for the same route."""
    method, path = values["method"], values["path"]
    if not PATH.fullmatch(path):
        raise _refused([Problem("must begin with / and hold plain segments only, as they follow /api/v1", path="path")])
    check_sendable(values)
    if problems := action.refusals(values):
        raise _refused(problems)
    known = declared(action, values)
    query = tuple(pair for name, value in (values.get("query") or {}).items() for pair in bracketed(name, value))
    body = None if method in BODYLESS else values.get("body", {})
    return Request(method, base_url + path, query, body, operation=operation(known, method, path),
                   quota_class=(known or action).quota_class)  # fmt: skip


def declared(action: Action, values: Mapping[str, Any]) -> Action | None:
    """The action that a raw request's method and path are declared for."""
    route = action.route(values)
    return route.declared if route else None


def operation(known: Action | None, method: str, path: str) -> str:
    """Whose quota windows count: those of the declared action, else the route's own, ids left out."""
    if known:
        return known.id
    plain = "/".join("*" if re.search(r"\d", part) else part for part in path.split("/"))
    return f"{method} {plain}"[:OPERATION_LENGTH]


def _refused(problems: list[Problem]) -> InputError:
    return InputError("The input was refused; nothing was sent.", problems)
