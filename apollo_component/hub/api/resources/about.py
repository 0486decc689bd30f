"""Whether the Hub is well, and what it offers."""

import sqlalchemy as sa

from .... import __version__
from ..endpoint import JSON, Ask, Endpoint
from ..shapes import TEXT, obj, text


def health(ask: Ask) -> JSON:
    ask.host.store.rows(sa.select(sa.literal(1)))
    return {"status": "ok", "version": __version__}


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/health",
        name="health",
        summary="Whether the Hub and its database answer",
        tag="About",
        handler=health,
        answer=obj({"status": text(enum=["ok"]), "version": TEXT}),
        is_open=True,
    ),
)
