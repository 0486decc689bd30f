"""Changes bytes and JSON values at random, the same way for the same seed. Knows nothing of what they mean."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

Path = tuple[str | int, ...]
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, -5.5, 1e308, -1e308, 2**63, -(2**63), 2**64 - 1, 10**15, "", " ", "0", "-7", "1e400",
    "nan", "\x00", "\x1b[31m", "\u202e", "\u200b", "ü", "\U0001d518", "null", "<b>x</b>", "&lt;&#65;&gt;", "<" * 300, "&" * 300,
    "x" * 3000, "../../etc", "a.b.c", {}, [], [[]], [{}], [None], {"": None}, {"id": {}}, {"id": []}, [[[[[[]]]]]],
)  # fmt: skip
TOKENS = (
    b"{", b"}", b"[", b"]", b",", b":", b'"', b"null", b"true", b"-", b"0", b"1e308", b"1e999", b"9" * 40, b"\\", b"\x00",
    b"\\u0000", b"\\ud800", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\n", b"\t", b"\r\n", b"<html", b"</", b"&amp;", b"<!--",
    b"[" * 300, b'{"a":' * 300, b"NaN", b"Infinity", b"\x1f\x8b\x08", b"\xef\xbb\xbf", b" " * 500,
)  # fmt: skip
YAML_TOKENS = (
    b"- ", b": ", b"{", b"}", b"[", b"]", b", ", b"&a ", b"*a", b"!!str ", b"!!python/object:x ", b"<<: ", b"? ", b"|\n",
    b">\n", b"'", b'"', b"#", b"%YAML 1.1\n", b"---\n", b"...\n", b"\t", b"  ", b"\n", b"null", b"~", b"true", b"on",
    b"1e9", b"0x1f", b"9" * 30, b"{$from: ", b"$from", b"steps.", b"(" * 50, b"[@,@]|", b"`", b'"\\e[31m"', b"\xff",
    b"\x00", b"\xe2\x80\xae", b"- " * 60, b"[" * 60, b"{a: " * 45, b"../", b"schemas/../../x", b"*/0 * * * *",
)  # fmt: skip
"""What means something in YAML and in the two kinds of file."""


class Mutator:
    def __init__(self, seed: int | str) -> None:
        self.random = random.Random(seed)

    def raw(self, raw: bytes, tokens: Sequence[bytes] = TOKENS, longest: int = 1 << 20) -> bytes:
        """A few changes of bytes: flipped, cut out, doubled, moved, put in, cut off."""
        for _ in range(self.random.choice((1, 1, 1, 2, 3, 8))):
            raw = self._once(raw, tokens)
        return raw[:longest]

    def _once(self, raw: bytes, tokens: Sequence[bytes]) -> bytes:
        choose, size = self.random.randrange, len(raw)
        at = choose(size + 1)
        end = min(size, at + 1 + int(self.random.expovariate(0.1)))
        kind = choose(8)
        if kind == 0 and at < size:
            return raw[:at] + bytes((raw[at] ^ (1 << choose(8)),)) + raw[at + 1 :]
        if kind == 1:
            return raw[:at] + raw[end:]
        if kind == 2:
            return raw[:at] + raw[at:end] * choose(2, 20) + raw[end:]
        if kind == 3:
            other = choose(size + 1)
            return raw[:other] + raw[at:end] + raw[other:]
        if kind == 4 and choose(4) == 0:
            return raw[:at]
        if kind == 5 and at < size:
            return raw[:at] + bytes((choose(256),)) + raw[at + 1 :]
        if kind == 6:
            return raw[:at] + self.random.choice(tokens) + raw[end:]
        return raw[:at] + self.random.choice(tokens) + raw[at:]

    def tree(self, value: Any, paths: Sequence[Path], pieces: Sequence[Any]) -> Any:
        """The value, changed in place at a few of its paths: replaced, removed, renamed, doubled, wrapped."""
        for _ in range(self.random.choice((1, 1, 1, 2, 4))):
            value = self._changed(value, self.random.choice(paths), pieces)
        return value

    def _changed(self, value: Any, path: Path, pieces: Sequence[Any]) -> Any:
        if not path:
            return self._instead(value, pieces) if self.random.randrange(8) == 0 else value
        parent = _at(value, path[:-1])
        last = path[-1]
        if not (isinstance(parent, dict) and last in parent) and not (
            isinstance(parent, list) and isinstance(last, int) and last < len(parent)
        ):
            return value  # an earlier change took it away
        kind = self.random.randrange(8)
        if kind == 0:
            del parent[last]
        elif kind == 1 and isinstance(parent, list):
            parent[:] = parent * self.random.randrange(2, 12)
        elif kind == 2 and isinstance(parent, dict):
            parent[self.random.choice(("id", "error", "message", "", "x" * 200, "\x1b", "status"))] = parent.pop(last)
        else:
            parent[last] = self._instead(parent[last], pieces)
        return value

    def _instead(self, value: Any, pieces: Sequence[Any]) -> Any:
        kind = self.random.randrange(8)
        if kind == 0:
            return [value]
        if kind == 1:
            return {"id": value}
        if kind == 2:
            return str(value)
        if kind == 3 and not isinstance(value, dict | list):
            return nested(value, self.random.choice((3, 50, 190, 200, 253, 300)))
        chosen = self.random.choice(pieces if kind == 4 else ODD)
        # what is given must be free to be changed again
        return orjson.loads(orjson.dumps(chosen)) if isinstance(chosen, dict | list) else chosen


def nested(value: Any, depth: int) -> Any:
    for _ in range(depth):
        value = [value]
    return value


def written(value: Any) -> bytes:
    """As JSON, however deep."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return _deep(value)


def _deep(value: Any) -> bytes:
    if isinstance(value, dict):
        return b"{" + b",".join(orjson.dumps(key) + b":" + _deep(inner) for key, inner in value.items()) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(_deep, value)) + b"]"
    return orjson.dumps(value)


def paths_of(value: Any, path: Path = ()) -> Iterator[Path]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from paths_of(inner, (*path, key))


def _at(value: Any, path: Path) -> Any:
    for part in path:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value
