"""What a connector sends and how its flows talk: values without a network, and the driver that runs a flow."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..contract.errors import ConnectorError
from ..contract.models import Reply

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """One request, whole. `query` keeps repeated names; `json` and `form` exclude each other.

    `operation` and `quota_class` say whose quota it counts against; empty for the authorization server.
    """

    method: str
    url: str
    query: tuple[tuple[str, str], ...] = ()
    json: Any = None
    form: Mapping[str, str] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    operation: str = ""
    quota_class: str = ""


Flow = Generator[Request, Reply, T]
"""A pure procedure: yields requests, is sent their replies (or thrown the error of sending), returns a value."""


def drive(flow: Flow[T], send: Callable[[Request], Reply]) -> T:
    """Run a flow to its end; errors of sending are thrown into it where it waits."""
    try:
        request = next(flow)
        while True:
            try:
                reply = send(request)
            except ConnectorError as error:
                request = flow.throw(error)
            else:
                request = flow.send(reply)
    except StopIteration as done:
        value: T = done.value
        return value
