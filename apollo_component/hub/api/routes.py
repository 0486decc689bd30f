"""The API put together: one route a path, the document, and an answer for whatever else is below its address."""

import os
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Mount, Route

from ...contract.errors import InputError, Problem
from ..hub import Hub
from .document import document
from .endpoint import Ask, Endpoint
from .entry import Entry, Gate, missing
from .resources import about, connections, connectors, running, runs, sessions, workflows
from .shapes import FREE

BASE = "/api/v1"
ORIGINS = "WORKFLOW_HUB_ORIGINS"
ENDPOINTS: tuple[Endpoint, ...] = (
    *connectors.ENDPOINTS,
    *sessions.ENDPOINTS,
    *connections.ENDPOINTS,
    *running.ENDPOINTS,
    *runs.ENDPOINTS,
    *workflows.ENDPOINTS,
    *about.ENDPOINTS,
)


def routes(hub: Hub, environ: Mapping[str, str] = os.environ) -> list[BaseRoute]:
    """Raises InputError when the origins that are allowed can't be used."""
    gate, known = Gate(hub), (*ENDPOINTS, _document(hub))
    paths = dict.fromkeys(endpoint.path for endpoint in known)
    found = [Route(path, Entry(hub, gate, [one for one in known if one.path == path])) for path in paths]
    return [Mount(BASE, routes=[*found, Mount("/", missing)], middleware=_cors(origins(environ)))]


def origins(environ: Mapping[str, str]) -> list[str]:
    """The origins whose pages may use the API from a browser: those that WORKFLOW_HUB_ORIGINS lists. Raises
    InputError."""
    found = environ.get(ORIGINS, "").split()
    if not all(map(_is_origin, found)):
        problem = Problem("must list origins such as https://app.example.com, apart by spaces", path=ORIGINS)
        raise InputError("The environment can't be used.", [problem])
    return found


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and text == f"{parts.scheme}://{parts.netloc}" and "@" not in text


def _cors(allowed: Sequence[str]) -> list[Middleware]:
    if not allowed:
        return []
    methods = sorted({endpoint.method for endpoint in ENDPOINTS})
    headers = ["authorization", "content-type"]
    more = {"allow_methods": methods, "allow_headers": headers, "expose_headers": ["retry-after"]}
    return [Middleware(CORSMiddleware, allow_origins=list(allowed), **more)]  # type: ignore[arg-type]


def _document(hub: Hub) -> Endpoint:
    def show(_ask: Ask) -> dict[str, object]:
        return whole

    endpoint = Endpoint(
        method="GET",
        path="/openapi.json",
        name="openapi",
        summary="This document",
        tag="About",
        handler=show,
        answer=FREE,
        is_open=True,
    )
    whole = document((*ENDPOINTS, endpoint), f"{hub.address}{BASE}", hub.name)
    return endpoint
