"""Where the service lives: the manifest's URLs, or what the operator set in the environment."""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from .errors import InputError, Problem
from .manifest import Manifest

_PORTS = {"http": 80, "https": 443}


def addresses(manifest: Manifest, environ: Mapping[str, str]) -> dict[str, str]:
    """Server name → base URL without a trailing slash. Raises InputError naming the variable at fault."""
    chosen = {name: environ.get(server.variable) or server.url for name, server in manifest.servers.items()}
    problems = [
        Problem(text, path=manifest.servers[name].variable) for name, url in chosen.items() if (text := wrong(url))
    ]
    if problems:
        raise InputError("A server address can't be used; nothing was sent.", problems)
    return {name: url.rstrip("/") for name, url in chosen.items()}


def origins(manifest: Manifest, environ: Mapping[str, str]) -> dict[str, str]:
    """Server name → scheme, host and port of its address, such as `https://api.example.com`: what a credential belongs
    to. Raises InputError naming the variable at fault."""
    return {name: origin(url) for name, url in addresses(manifest, environ).items()}


def origin(url: str) -> str:
    """Scheme, host and port of a base URL, the port only where it isn't the scheme's own."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port not in (None, _PORTS[parts.scheme]) else ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def wrong(url: str) -> str:
    """Why a base URL is refused, empty when it is fine: https anywhere, http on loopback only."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return "is not a URL"
    if not url.isprintable() or " " in url:
        return "must not hold white space"
    if "@" in parts.netloc:
        return "must not hold a user name or password"
    if "?" in url or "#" in url:
        return "must not hold a query or fragment"
    if not host or parts.scheme not in ("http", "https"):
        return "must be a URL that begins with https://"
    if parts.scheme == "http" and not is_loopback(host):
        return "must begin with https:// unless it is a loopback address"
    return ""


def is_loopback(host: str) -> bool:
    """Whether a host name is this computer."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
