"""What every answer carries, and which requests are for this Hub at all."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
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
API = "/api/"
SECURE = {"strict-transport-security": "max-age=31536000"}


class Guarded:
    """Refuses what is addressed to another name (a page elsewhere that had its name led here), and adds headers."""

    def __init__(self, app: ASGIApp, hub: Hub) -> None:
        self.app = app
        self.name, self.alias = _names(hub)
        self.address = hub.origin
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

        await (self._elsewhere(scope) or self.app)(scope, receive, sent)

    def _elsewhere(self, scope: Scope) -> Response | None:
        """Pages lead to the one name where their session and the callback are; programs may use the other."""
        name = Headers(scope=scope).get("host", "").lower()
        if name not in (self.name, self.alias):
            return PlainTextResponse("This address is not served here.", 421)
        if name == self.name or scope["method"] != "GET" or scope["path"].startswith(API):
            return None
        return RedirectResponse(f"{self.address}{scope['path']}?{scope['query_string'].decode()}".removesuffix("?"))


def _names(hub: Hub) -> tuple[str, str]:
    """Its name, and the loopback's other name for a Hub on this machine (else its name again)."""
    netloc = urlsplit(hub.address).netloc.lower()
    name, colon, port = netloc.rpartition(":") if ":" in netloc else (netloc, "", "")
    return netloc, f"localhost{colon}{port}" if name == "127.0.0.1" else netloc
