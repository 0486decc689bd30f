"""Serves the Hub on this machine, until it is told to stop."""

from typing import Any

import uvicorn
from starlette.types import ASGIApp

CONNECTIONS = 256
"""Requests at a time; more are told to come again later."""


def server(app: ASGIApp) -> uvicorn.Server:
    """Nothing of a request is logged: addresses may hold what only the person should see."""
    quiet: dict[str, Any] = {"access_log": False, "log_config": None, "log_level": "critical", "lifespan": "off"}
    limits: dict[str, Any] = {
        "limit_concurrency": CONNECTIONS,
        "timeout_keep_alive": 15,
        "h11_max_incomplete_event_size": 16384,
    }
    config = uvicorn.Config(app, http="h11", server_header=False, date_header=True, **limits, **quiet)
    return uvicorn.Server(config)
