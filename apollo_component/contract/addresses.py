"""Whether the internet can reach a web address, as far as the address itself tells. No name server is asked."""

import ipaddress
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import urlsplit

_INSIDE = ("local", "internal", "test", "example", "invalid", "onion", "home.arpa")
"""Endings that no public name has (RFC 2606, 6761, 6762, 7686, 8375; ICANN for internal)."""
_DIGITS = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")
_NAME = re.compile(r"[\w-]+(\.[\w-]+)*")
_NAT64, _COMPATIBLE = ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def unreachable(url: str) -> str:
    """Every reason why nothing can be delivered to a web address from the internet, as the end of a sentence; empty
    when nothing speaks against it. Parts of the address are not repeated."""
    return " and ".join(filter(None, _reasons(url)))


def _reasons(url: str) -> Iterator[str]:
    scheme, colon, _ = url.lower().partition("://")
    if scheme != "https" or not colon:
        yield "must begin with https://"
    if scheme not in ("http", "https"):
        return
    if "\\" in url or any(char.isspace() or not char.isprintable() for char in url):
        yield "must hold no space and no backslash"
        return
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        yield "must name a host and, at most, a port"
        return
    yield "must hold no user name and no password" if "@" in parts.netloc else ""
    yield "must have a port above 0" if port == 0 else ""
    yield _hidden(host)


def _hidden(written: str) -> str:
    """Why a host can't be reached from outside. Other spellings of a dot or a digit count as browsers count them."""
    host = unicodedata.normalize("NFKC", written).replace("\u3002", ".").lower().rstrip(".")
    if address := _ipv6(host) if ":" in host else _ipv4(host):
        return _inward(address)
    if not _NAME.fullmatch(host) or _DIGITS.fullmatch(host.rpartition(".")[2]):
        return "must name a host"
    if host.rpartition(".")[2] == "localhost":
        return "names this machine (localhost)"
    if any(host.endswith(f".{ending}") for ending in _INSIDE):
        return "names a host by an ending that only private networks and tests use"
    return "" if "." in host else "names a bare host, without a domain, that only a private network knows"


def _ipv6(host: str) -> Address | None:
    try:
        return ipaddress.IPv6Address(host)
    except ValueError:
        return None


def _ipv4(host: str) -> Address | None:
    """Also in the spellings that the C library takes: `127.1`, `0x7f000001`, `017700000001`, `2130706433`."""
    parts = host.split(".")
    if len(parts) > 4 or not all(_DIGITS.fullmatch(part) for part in parts):
        return None
    try:
        *heads, tail = [_number(part) for part in parts]
        last = tail.to_bytes(4 - len(heads))
        return ipaddress.IPv4Address(bytes(heads) + last)
    except (ValueError, OverflowError):
        return None


def _number(text: str) -> int:
    if text[:2] in ("0x", "0X"):
        return int(text[2:] or "0", 16)
    return int(text, 8 if len(text) > 1 and text.startswith("0") else 10)


def _inward(address: Address) -> str:
    """Why an IP address can't be reached from outside."""
    inner = _embedded(address)
    if address.is_loopback or address.is_unspecified or (inner and inner.is_loopback):
        return "names this machine (a loopback address)"
    if not address.is_global or address.is_multicast or (inner and _inward(inner)):
        return "names an address of a private or reserved network"
    return ""


def _embedded(address: Address) -> Address | None:
    """The IPv4 address inside an IPv6 one, where it is mapped, compatible, tunnelled or translated."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64 or address in _COMPATIBLE:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo
