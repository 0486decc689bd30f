"""Streams that end with the request's time: the HTTP library's own timeouts are for each read, not for all of them."""

import contextlib
import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import Any

import httpcore

_until: ContextVar[float] = ContextVar("until")


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """What this thread reads and writes on bounded streams ends after so many seconds, counted from here."""
    token = _until.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _until.reset(token)


def _left(timeout: float | None, over: type[Exception]) -> float | None:
    """The time one read or write may take. Raises `over` when there is none left."""
    until = _until.get(None)
    if until is None:
        return timeout
    left = until - time.monotonic()
    if left <= 0:
        raise over
    return left if timeout is None else min(timeout, left)


class Bounded(httpcore.NetworkBackend):
    """Makes connections whose every read and write knows when the whole request must have ended."""

    def __init__(self, inner: httpcore.NetworkBackend) -> None:
        self._inner = inner

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        timeout = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.connect_tcp(host, port, timeout, local_address, socket_options))


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        timeout = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, timeout))

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def bound(pools: Iterable[httpcore.ConnectionPool]) -> None:
    """Let the connections that these pools will make be bounded; the library offers no public way to say so."""
    for pool in pools:
        pool._network_backend = Bounded(pool._network_backend)  # noqa: SLF001
