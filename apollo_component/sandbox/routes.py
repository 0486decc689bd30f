"""Finds the operation of a request: a dict for plain paths, a short list for those with an id."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from .errors import Refusal, deprecated_search, inaccessible
from .operation import Operation

PREFIX = "/api/v1"
RETIRED = {("POST", f"{PREFIX}/mixed_people/search"), ("POST", f"{PREFIX}/people/search")}
TOKEN_PATHS = {("POST", f"{PREFIX}/oauth/token")}
OLD_PREFIX = "/v1"  # of Apollo's older documentation; many clients still use it
DESTROY_CONTACT = re.compile(rf"{PREFIX}/contacts/[^/]+")


def in_api(path: str) -> bool:
    return path.startswith((f"{PREFIX}/", f"{OLD_PREFIX}/"))


def current(path: str) -> str:
    """The path under today's prefix."""
    return f"/api{path}" if path.startswith(f"{OLD_PREFIX}/") else path


def refused_route(method: str, path: str, *, with_token: bool) -> Refusal | None:
    """What a route answers that exists only to refuse, or None where there is no route."""
    if (method, path) in RETIRED:
        return deprecated_search()
    if method == "DELETE" and DESTROY_CONTACT.fullmatch(path):
        return inaccessible("api/v1/contacts/destroy", with_token=with_token)
    return None


@dataclass(slots=True)
class Routes:
    """All operations by verb and path."""

    plain: dict[tuple[str, str], Operation] = field(default_factory=dict)
    patterns: dict[tuple[str, int], list[tuple[list[str], Operation]]] = field(default_factory=dict)

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """The operation and its path parameters; a plain path goes before one with an id."""
        found = self.plain.get((method, path))
        if found:
            return found, {}
        parts = path.split("/")
        for pattern, operation in self.patterns.get((method, len(parts)), ()):
            if all(want == part or want[:1] == "{" for want, part in zip(pattern, parts, strict=True)):
                pairs = zip(pattern, parts, strict=True)
                return operation, {want[1:-1]: part for want, part in pairs if want[:1] == "{"}
        return None


def make_routes(operations: Iterable[Operation]) -> Routes:
    """Indexes the operations under every verb they answer to."""
    routes = Routes()
    for operation in operations:
        path = f"{PREFIX}{operation.path}"
        for method in (operation.method, *operation.also):
            if "{" not in path:
                routes.plain[method, path] = operation
                continue
            pattern = path.split("/")
            routes.patterns.setdefault((method, len(pattern)), []).append((pattern, operation))
    return routes
