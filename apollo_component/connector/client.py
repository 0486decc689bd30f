"""The one module that sends. Nothing else imports httpx."""

import functools
import os
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx
import orjson

from ..contract.errors import TransientError, UnreadableReplyError
from ..contract.models import Reply
from .bounded import bound, within
from .inflating import inflated
from .messages import Request

LIMIT = 32 * 1024 * 1024
"""Bytes of an answer, decoded; more is refused unread."""
CONNECT_SECONDS = 10.0
_KEPT = ("content-type", "date", "retry-after", "x-request-id", "location")
_ENVIRONMENT = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
_LOOPBACK = ("all://127.0.0.1", "all://localhost", "all://[::1]")


def send(request: Request, *, deadline: datetime, now: Callable[[], datetime]) -> Reply:
    """Send once, follow no redirect (a credential never leaves for another host), read at most `LIMIT` bytes.

    Raises TransientError (`worked=False` when no byte of the request can have arrived) and
    UnreadableReplyError. No error text contains the URL's query, a header or a body.
    """
    seconds = (deadline - now()).total_seconds()
    if seconds <= 0:
        raise TransientError("The time for this request is over.", worked=False, hint="Allow more time.")
    client = shared_client(tuple(os.environ.get(name, os.environ.get(name.lower(), "")) for name in _ENVIRONMENT))
    timeout = httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))
    outgoing = None
    try:
        outgoing = client.build_request(
            request.method,
            request.url,
            params=list(request.query) or None,
            content=None if request.json is None else orjson.dumps(request.json),
            data=request.form,
            headers=dict(request.headers),
            timeout=timeout,
        )
        with within(seconds), closing(client.send(outgoing, stream=True)) as response:
            body = _body(response)
            return Reply(response.status_code, _headers(response), body, response.url.host)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
        raise TransientError(
            f"{_host(request)} can't be reached ({_reason(error)}).",
            worked=False,
            hint="Check the network, a proxy (HTTPS_PROXY) and the server's address.",
        ) from None
    except (httpx.LocalProtocolError, UnicodeError):
        raise TransientError(
            "The request can't be sent: a header holds what none may hold.",
            worked=False,
            hint="Link the account again.",
        ) from None
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        raise TransientError(
            f"The server's address can't be used ({type(error).__name__}).", worked=False, hint="Check it."
        ) from None
    except (httpx.RemoteProtocolError, httpx.DecodingError) as error:
        raise UnreadableReplyError(
            f"The answer of {_host(request)} broke off ({type(error).__name__}).", hint="Try again."
        ) from None
    except httpx.HTTPError as error:
        raise TransientError(
            f"No answer from {_host(request)} ({type(error).__name__}).", hint="Try again later."
        ) from None
    finally:
        # What the library keeps of a request, in an error or until it is collected, shows every header but its own.
        if outgoing is not None:
            outgoing.headers = httpx.Headers()


@functools.lru_cache(maxsize=4)
def shared_client(environment: tuple[str, ...]) -> httpx.Client:  # noqa: ARG001  # the key of the cache
    """One client, and so one TLS context, per process and environment; loopback never goes through a proxy.

    It is shared by all connections, so it keeps no cookie: one account's session must not reach another's request.
    """
    client = httpx.Client(
        follow_redirects=False,
        limits=httpx.Limits(max_connections=32, max_keepalive_connections=16),
        headers={"Accept-Encoding": "gzip"},
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=())),
        mounts=dict.fromkeys(_LOOPBACK, httpx.HTTPTransport(limits=httpx.Limits(max_connections=32))),
    )
    transports = {client._transport, *client._mounts.values()}  # noqa: SLF001  # those of proxies are made in there
    bound(transport._pool for transport in transports if isinstance(transport, httpx.HTTPTransport))  # noqa: SLF001
    return client


def _headers(response: httpx.Response) -> dict[str, str]:
    """Names in lower case; what says nothing to a connector is left out, `x-*` stays (quota, request id)."""
    return {
        name.lower(): value
        for name, value in response.headers.items()
        if name.lower() in _KEPT or name.lower().startswith("x-")
    }


def _body(response: httpx.Response) -> bytes:
    """The whole body, or an error once it is too large."""
    parts: list[bytes] = []
    size = 0
    for part in inflated(response.iter_raw(), response.headers.get("content-encoding", "")):
        size += len(part)
        if size > LIMIT:
            raise UnreadableReplyError(f"The answer is larger than {LIMIT:,} bytes.", hint="Ask for fewer records.")
        parts.append(part)
    return b"".join(parts)


def _host(request: Request) -> str:
    return httpx.URL(request.url).host or "The server"


def _reason(error: Exception) -> str:
    text = str(error).lower()
    reasons = {
        "name or service": "unknown host",
        "certificate": "TLS certificate",
        "refused": "connection refused",
    }
    return next((reason for word, reason in reasons.items() if word in text), type(error).__name__)
