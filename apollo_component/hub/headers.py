"""What every answer carries, and which requests are for this Hub at all."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .hub import Hub

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "cache-control": "no-store",
}
"""Only what an answer doesn't say itself. With `no-referrer` browsers would say that a form comes from nowhere.
`same-origin-allow-popups` would cut the authorization's window off when it comes back, so there is no opener policy."""
SECURE = {"strict-transport-security": "max-age=31536000"}


class Guarded:
    """Refuses what is addressed to another name (a page elsewhere that had its name led here), and adds headers."""

    def __init__(self, app: ASGIApp, hub: Hub) -> None:
        self.app = app
        self.names = _names(hub)
        self.headers = HEADERS | (SECURE if hub.is_secure else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        if Headers(scope=scope).get("host", "").lower() not in self.names:
            await PlainTextResponse("This address is not served here.", 421)(scope, receive, sent)
            return
        await self.app(scope, receive, sent)


def _names(hub: Hub) -> frozenset[str]:
    """A Hub on this machine also answers to the loopback's other name."""
    netloc = urlsplit(hub.address).netloc.lower()
    name, colon, port = netloc.rpartition(":") if ":" in netloc else (netloc, "", "")
    return frozenset({netloc, f"localhost{colon}{port}"} if name == "127.0.0.1" else {netloc})
