"""The OpenAPI document, made from the declarations that the routes are made from."""

from collections.abc import Iterable, Sequence
from typing import Any

from ... import __version__
from .components import COMPONENTS
from .endpoint import Endpoint, Parameter
from .shapes import ref

SCHEME = "token"
ABOUT = """The same as the Hub's pages, for other programs: what there is to choose from, linking accounts, running
actions, following runs.

Every request but those for this document and for `/health` carries a token: `Authorization: Bearer TOKEN`. Answers are
JSON; an error is `{"error": {code, message, hint?, problems?}}`, also at an address that doesn't exist (404) and for a
method that a path doesn't have (405, with `Allow`). What isn't known is refused (422), answers may get further fields.
Lists are given in pages: ask again with `cursor` until `next_cursor` is null."""
MEANINGS = {
    401: "The token is missing, unknown, revoked or expired.",
    403: "The account may not do this; `missing` tells which right is.",
    404: "There is nothing of that name.",
    409: "Not as things stand: the account must be linked again, it is in use, or what became of an earlier request is "
    "unknown.",
    413: "What was sent is too large.",
    415: "What was sent is not `application/json`.",
    422: "What was sent can't be used; `problems` names each place. Nothing was done.",
    429: "Too much at a time: wrong tokens, a quota of the service, or a budget.",
    500: "A fault of the Hub or of a connector.",
    503: "The service or the database can't be reached just now.",
}
HEADERS = {
    401: {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}},
    429: {"Retry-After": {"description": "Seconds, where known.", "schema": {"type": "string"}}},
    503: {"Retry-After": {"description": "Seconds, where known.", "schema": {"type": "string"}}},
}


def document(endpoints: Iterable[Endpoint], address: str, name: str) -> dict[str, Any]:
    """`address` is where the API is reached."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    security = {SCHEME: {"type": "http", "scheme": "bearer", "description": "`tokens add` makes one."}}
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{name}: Host API", "version": __version__, "description": ABOUT},
        "servers": [{"url": address}],
        "security": [{SCHEME: []}],
        "paths": paths,
        "components": {"schemas": COMPONENTS, "securitySchemes": security},
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "responses": {str(status): _response(endpoint, status) for status in endpoint.statuses},
    }
    if endpoint.description:
        found["description"] = endpoint.description
    if parameters := [*_parameters(endpoint.path_parameters, "path"), *_parameters(endpoint.query, "query")]:
        found["parameters"] = parameters
    if endpoint.body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": endpoint.body}}}
    return found | ({"security": []} if endpoint.is_open else {})


def _parameters(declared: Sequence[Parameter], place: str) -> Iterable[dict[str, Any]]:
    for one in declared:
        must = place == "path" or one.required
        yield {"name": one.name, "in": place, "required": must, "description": one.description, "schema": one.schema}


def _response(endpoint: Endpoint, status: int) -> dict[str, Any]:
    if status != endpoint.status:
        found = {"description": MEANINGS[status], "content": {"application/json": {"schema": ref("Error")}}}
        return found | ({"headers": HEADERS[status]} if status in HEADERS else {})
    found = {"description": endpoint.summary}
    return found if endpoint.answer is None else found | {"content": {"application/json": {"schema": endpoint.answer}}}
