"""Looks for secrets, or any 12 characters of one in a row, in whatever bytes it is given, behind up to three
layers of encoding."""

import binascii
import functools
import hashlib
import html
import os
import pickletools
import re
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

WINDOW = 12
DEPTH = 3
PIECE = WINDOW // 2
MOST = 16 * 1024 * 1024
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
_WRAPPED = re.compile(rb"[A-Za-z0-9+/_-]{40}=*\s?(?:\r?\n|\\n|\\r)")
_BREAKS = re.compile(rb"(?:\s|\\[nrt])+")
_HEX = re.compile(rb"[0-9A-Fa-f]{24,}")
_SPACED_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}[ :,-]){11,}[0-9A-Fa-f]{2}")
_ESCAPE = re.compile(rb"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|([0-7]{3})|(.))", re.DOTALL)
_TEXT = rb"[\t\n\r\x20-\x7e]{5}"
_ESCAPED, _PERCENT, _ENTITY = (
    re.compile(mark + _TEXT + rb"|" + _TEXT + mark)
    for mark in (
        rb"\\(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[0-7]{3}|[\"/\\nrt])",
        rb"%[0-9A-Fa-f]{2}",
        rb"&#?[A-Za-z0-9]{1,8};",
    )
)
_WIDE = re.compile(rb"(?:[\x20-\x7e]\0){6}|(?:\0[\x20-\x7e]){6}")
_PACKED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
_PICKLE = re.compile(rb"\x80[\x02-\x05]|^\(|^[VSX]", re.MULTILINE)


@dataclass(frozen=True)
class Finding:
    """Which secret was found where, and behind which encodings; never the secret itself."""

    secret: str
    place: str
    layers: tuple[str, ...] = ()


class Scanner:
    """`secrets` maps a name to the secret. Letters match in either case."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self.secrets = {name: secret.lower().encode() for name, secret in secrets.items() if secret}

    def scan(self, data: bytes | str, place: str) -> list[Finding]:
        raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else bytes(data)
        found = {(name, layers) for layers, layer in _layers(raw) for name in self._names(layer)}
        shortest = sorted(found, key=lambda item: len(item[1]))
        return list({name: Finding(name, place, layers) for name, layers in reversed(shortest)}.values())

    def file(self, file: Path) -> list[Finding]:
        return self.scan(file.name, f"name of {file}") + self.scan(file.read_bytes(), str(file))

    def lines(self, data: bytes | str, place: str, seen: set[bytes]) -> list[Finding]:
        """For logs and tracebacks, which repeat themselves: only the lines that are not in `seen` yet."""
        raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
        new = [line for line in dict.fromkeys(raw.splitlines()) if line not in seen]
        seen.update(new)
        return self.scan(b"\n".join(new), place)

    def tree(self, folder: Path) -> list[Finding]:
        """Every file below a folder, as raw bytes, and its name."""
        return [finding for file in sorted(folder.rglob("*")) if file.is_file() for finding in self.file(file)]

    def database(self, file: Path) -> list[Finding]:
        """Every value of every table of a SQLite database, each by itself where it is binary."""
        found: list[Finding] = []
        with closing(sqlite3.connect(file)) as connection:
            connection.text_factory = bytes
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                table = name.decode()
                rows = connection.execute(f'SELECT * FROM "{table}"')
                columns = [column[0] for column in rows.description]
                for number, row in enumerate(rows):
                    for column, value in zip(columns, row, strict=True):
                        if value is not None:
                            raw = value if isinstance(value, bytes) else str(value).encode()
                            found += self.scan(raw, f"{file.name}: {table}.{column} row {number}")
        return found

    def _names(self, data: bytes) -> Iterator[str]:
        small = data.lower()
        return (name for name, secret in self.secrets.items() if _holds(small, secret))


def _holds(data: bytes, secret: bytes) -> bool:
    """Any 12 of the secret's characters in a row cover one whole piece of six that begins at a multiple of six."""
    if len(secret) < WINDOW:
        return secret in data
    for start in range(0, len(secret) - PIECE + 1, PIECE):
        piece, at = secret[start : start + PIECE], -1
        windows = [secret[i : i + WINDOW] for i in range(max(0, start - PIECE), min(start, len(secret) - WINDOW) + 1)]
        while (at := data.find(piece, at + 1)) >= 0:
            around = data[max(0, at - PIECE) : at + WINDOW]
            if any(window in around for window in windows):
                return True
    return False


def _layers(data: bytes) -> Iterator[tuple[tuple[str, ...], bytes]]:
    """The data, what it decodes to, what that decodes to, and so on."""
    seen: set[bytes] = set()
    front: list[tuple[tuple[str, ...], bytes]] = [((), data)]
    for depth in range(DEPTH + 1):
        following: list[tuple[tuple[str, ...], bytes]] = []
        for layers, blob in front:
            identity = hashlib.blake2b(blob, digest_size=16).digest()
            if len(blob) < WINDOW or identity in seen:
                continue
            seen.add(identity)
            yield layers, blob
            if depth < DEPTH:
                following += [((*layers, name), part) for name, decode in DECODERS.items() for part in decode(blob)]
        front = following


def _base64(data: bytes) -> Iterator[bytes]:
    """Both alphabets, wherever in a run of such characters the encoded text begins, and over line breaks."""
    for text in (data, _BREAKS.sub(b"", data) if _WRAPPED.search(data) else b""):
        runs = [run.translate(_STANDARD) for run in _BASE64.findall(text)]
        for offset in range(4):
            yield b"\n".join(_unbase(run[offset:]) for run in runs)


_STANDARD = bytes.maketrans(b"-_", b"+/")


def _unbase(run: bytes) -> bytes:
    rest = len(run) % 4
    run = run[:-1] if rest == 1 else run + b"=" * (-len(run) % 4)
    return binascii.a2b_base64(run)


def _hex(data: bytes) -> Iterator[bytes]:
    for offset in range(2):
        runs = [run[offset:] for run in _HEX.findall(data)]
        yield b"\n".join(binascii.unhexlify(run[: len(run) // 2 * 2]) for run in runs)
    yield b"\n".join(binascii.unhexlify(re.sub(rb"[^0-9A-Fa-f]", b"", run)) for run in _SPACED_HEX.findall(data))


def _url(data: bytes) -> Iterator[bytes]:
    if b"%" in data and _PERCENT.search(data):
        yield unquote_to_bytes(data)


def _escapes(data: bytes) -> Iterator[bytes]:
    r"""JSON's and Python's: \uXXXX, \xXX, \ooo, \" and \/; high characters as text and as the bytes they may mean."""
    if b"\\" in data and _ESCAPED.search(data):
        yield _ESCAPE.sub(functools.partial(_unescaped, "utf-8"), data)
        yield _ESCAPE.sub(functools.partial(_unescaped, "latin-1"), data)


def _unescaped(encoding: str, match: re.Match[bytes]) -> bytes:
    wide, narrow, octal, other = match.groups()
    if other is not None:
        return other
    number = int(wide or narrow, 16) if octal is None else int(octal, 8)
    return chr(number).encode(encoding, "replace")


def _entities(data: bytes) -> Iterator[bytes]:
    if b"&" in data and _ENTITY.search(data):
        yield html.unescape(data.decode("utf-8", "replace")).encode("utf-8", "replace")


def _wide(data: bytes) -> Iterator[bytes]:
    if b"\0" in data and _WIDE.search(data):
        yield data.replace(b"\0", b"")


def _packed(data: bytes) -> Iterator[bytes]:
    """gzip and zlib, from every place that looks like their beginning; what a broken one gives is kept."""
    for match in _PACKED.finditer(data):
        machine, parts, size = zlib.decompressobj(47), [], 0
        try:
            for start in range(match.start(), len(data), 512):
                parts.append(machine.decompress(data[start : start + 512]))
                size += len(parts[-1])
                if machine.eof or size > MOST:
                    break
        except zlib.error:
            pass
        yield b"".join(parts)


def _pickled(data: bytes) -> Iterator[bytes]:
    """Every text in a pickle, read without running it."""
    for match in _PICKLE.finditer(data):
        parts: list[bytes] = []
        try:
            for _, argument, _ in pickletools.genops(data[match.start() :]):
                if isinstance(argument, str | bytes | bytearray):
                    parts.append(argument.encode("utf-8", "replace") if isinstance(argument, str) else bytes(argument))
        except Exception:  # whatever isn't a pickle
            pass
        yield b"\n".join(parts)


DECODERS = {
    "base64": _base64,
    "hex": _hex,
    "url": _url,
    "escapes": _escapes,
    "entities": _entities,
    "wide": _wide,
    "packed": _packed,
    "pickle": _pickled,
}


class Watch:
    """While it is open: the command line of every process that this one starts, and what appears in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.command_lines: set[bytes] = set()
        self.files: dict[str, set[bytes]] = {}
        self._family = {os.getpid()}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *problem) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.04):
            for entry in os.listdir("/proc"):
                if entry.isdigit():
                    self._process(int(entry))
            for file in self.folder.rglob("*"):
                try:
                    self.files.setdefault(str(file), set()).add(file.read_bytes())
                except OSError:
                    continue

    def _process(self, number: int) -> None:
        try:
            parent = int(Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[1])
            if parent in self._family or number in self._family:
                self._family.add(number)
                self.command_lines.add(Path(f"/proc/{number}/cmdline").read_bytes())
        except (OSError, ValueError, IndexError):
            pass
