"""Presses a button on the sandbox's consent page the way a browser would. For the demo and for tests only."""

import urllib.error
import urllib.request
from email.message import Message
from html.parser import HTMLParser
from typing import IO
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit


class _Form(HTMLParser):
    """The consent form of a page: where it goes, and the buttons it has."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.buttons: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form" and found.get("method", "").lower() == "post":
            self.action = found.get("action", "")
        elif tag == "button" and self.action:
            self.buttons[found.get("value", "")] = found.get("name", "")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        """Redirects are followed by hand, as they lead to the waiting listener."""


def decide(authorize_url: str, decision: str) -> str:
    """Open the page, fill the form with what stands behind the `#`, press a button; the address it leads to."""
    page, _, fragment = authorize_url.partition("#")
    form = _Form()
    with urllib.request.urlopen(page, timeout=10) as answer:  # noqa: S310  # the operator's own address
        form.feed(answer.read().decode())
    fields = [*parse_qsl(fragment.partition("?")[2]), (form.buttons[decision], decision)]
    target = urljoin(page, form.action)
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        opener.open(target, data=urlencode(fields).encode(), timeout=10)
    except urllib.error.HTTPError as error:
        with error:
            if error.code in (302, 303) and (location := error.headers.get("Location")):
                return urljoin(target, location)
            raise
    raise ValueError("the consent page led nowhere")


def allow(authorize_url: str) -> None:
    """Allow access and come back to the redirect address."""
    location = decide(authorize_url, "allow")
    if urlsplit(location).hostname in ("127.0.0.1", "localhost"):
        urllib.request.urlopen(location, timeout=10).close()  # noqa: S310  # loopback
