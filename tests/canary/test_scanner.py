"""The scanner is proved: a secret planted in any place and encoding is found, and random text gives no alarm."""

import base64
import gzip
import html
import json
import logging
import os
import pickle
import random
import secrets
import sqlite3
import string
import subprocess
import sys
import tempfile
import time
import zlib
from itertools import product
from urllib.parse import quote

import pytest

from tests.canary.scanner import Finding, Scanner, Watch

SECRET = "Zk7" + secrets.token_urlsafe(32)
SCANNER = Scanner({"canary": SECRET, "another": secrets.token_urlsafe(32)})
AROUND = b"Lorem ipsum dolor sit amet, ", b" consectetur adipiscing elit."


def everywhere(data: bytes) -> bytes:
    return b"".join(f"\\u{byte:04x}".encode() for byte in data)


ENCODINGS = {
    "plain": lambda data: data,
    "base64": base64.b64encode,
    "base64 of a longer text": lambda data: base64.b64encode(b"client:" + data + b"!"),
    "base64 glued to a word": lambda data: b"token" + base64.b64encode(b"user:" + data),
    "base64 in lines": lambda data: base64.encodebytes(b"." * 50 + data + b"." * 50),
    "urlsafe base64": lambda data: base64.urlsafe_b64encode(b"\xff\xfe" + data).rstrip(b"="),
    "hex": lambda data: data.hex().encode(),
    "upper-case hex after a digit": lambda data: b"a" + data.hex().upper().encode(),
    "hex with colons": lambda data: data.hex(":").encode(),
    "url": lambda data: "".join(f"%{byte:02X}" for byte in data).encode(),
    "url of some characters": lambda data: quote(b"{" + data[:9] + b'"' + data[9:] + b"}").encode(),
    "json": lambda data: json.dumps({"key": data.decode("latin-1")}).encode(),
    "json escapes": everywhere,
    "python escapes": lambda data: "".join(f"\\x{byte:02x}" for byte in data).encode(),
    "octal escapes": lambda data: "".join(f"\\{byte:03o}" for byte in data).encode(),
    "html": lambda data: html.escape("".join(f"&#{byte};" for byte in data)).encode(),
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "zlib without its end": lambda data: zlib.compress(data + b"." * 5000, 0)[:-100],
    "pickle 0": lambda data: pickle.dumps({"token": data.decode("latin-1")}, 0),
    "pickle 5": lambda data: pickle.dumps([1, {"token": data}], 5),
    "utf-16": lambda data: data.decode("latin-1").encode("utf-16"),
    "upper case": bytes.upper,
}
NESTED = ("base64", "hex", "url", "json escapes", "gzip", "zlib", "pickle 5")


def found(data, scanner=SCANNER):
    return {finding.secret for finding in scanner.scan(data, "here")}


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_is_seen_through(encoding, binary):
    """A secret in each encoding is found in the middle of text and of bytes."""
    before, after = (os.urandom(300), os.urandom(300)) if binary else AROUND
    assert found(before + ENCODINGS[encoding](SECRET.encode()) + after) == {"canary"}


@pytest.mark.parametrize(("outer", "inner"), list(product(NESTED, NESTED)))
def test_two_layers_are_seen_through(outer, inner):
    """Any two encodings, one in the other, hide nothing."""
    hidden = ENCODINGS[outer](b"[" + ENCODINGS[inner](b"(" + SECRET.encode() + b")") + b"]")
    assert found(AROUND[0] + hidden + AROUND[1]) == {"canary"}


@pytest.mark.parametrize(
    "layers",
    [("gzip", "base64", "json escapes"), ("pickle 5", "base64", "url"), ("url", "json", "base64"), ("hex",) * 3],
)
def test_three_layers_are_seen_through(layers):
    """Three encodings, such as a compressed body in base64 in an escaped JSON text, hide nothing."""
    data = SECRET.encode()
    for name in layers:
        data = ENCODINGS[name](data)
    assert found(AROUND[0] + data + AROUND[1]) == {"canary"}


@pytest.mark.parametrize("start", range(0, len(SECRET) - 11, 3))
def test_twelve_characters_are_enough(start):
    """Any 12 characters of a secret in a row are found; 11 are not."""
    assert found(b"it begins with " + SECRET[start : start + 12].encode() + b" and so on") == {"canary"}
    assert found(b"it begins with " + SECRET[start : start + 11].encode() + b" and so on") == set()


def test_random_text_gives_no_alarm():
    """Random letters, bytes, base64, hex, words and compressed data hold none of a dozen secrets."""
    many = Scanner({f"secret {number}": secrets.token_urlsafe(32) for number in range(12)})
    rng = random.Random(7)
    letters = string.ascii_letters + string.digits + "-_"
    words = [word for _ in range(1500) for word in ("".join(rng.choices(letters, k=rng.randint(2, 60))), " ")]
    raw = rng.randbytes(60_000)
    for data in (
        "".join(rng.choices(letters, k=100_000)).encode(), raw, base64.b64encode(raw), raw.hex().encode(),
        "".join(words).encode(), gzip.compress(raw), pickle.dumps(words), json.dumps(words).encode(),
        quote(raw[:20_000]).encode(),
    ):  # fmt: skip
        assert found(data, many) == set()


# Places


@pytest.mark.parametrize("encoding", ["plain", "json escapes", "gzip", "pickle 5", "base64"])
def test_a_file_and_its_name_are_read(tmp_path, encoding):
    """A secret in a file below a folder is found, and one in a file's name."""
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "log.txt").write_bytes(b"x" * 5000 + ENCODINGS[encoding](SECRET.encode()))
    (tmp_path / f"{SECRET}.tmp").write_bytes(b"")
    assert {finding.place for finding in SCANNER.tree(tmp_path)} == {
        str(deep / "log.txt"),
        f"name of {tmp_path / f'{SECRET}.tmp'}",
    }


@pytest.mark.parametrize(
    ("encoding", "kind"),
    [
        *product(("plain", "json escapes", "base64", "hex", "url"), ("text", "blob")),
        *product(("gzip", "zlib", "pickle 5"), ("blob",)),
    ],
)
def test_every_value_of_a_database_is_read(tmp_path, encoding, kind):
    """A secret in any row of any table is found in whatever encoding, text or binary."""
    file = tmp_path / "some.db"
    value = ENCODINGS[encoding](SECRET.encode())
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE other (n INTEGER)")
    connection.execute("CREATE TABLE things (id INTEGER, value)")
    connection.executemany("INSERT INTO things VALUES (?, ?)", [(n, "nothing") for n in range(50)])
    connection.execute("INSERT INTO things VALUES (51, ?)", [value if kind == "blob" else value.decode()])
    connection.commit()
    connection.close()
    assert [finding.place for finding in SCANNER.database(file)] == ["some.db: things.value row 50"]


def test_what_a_database_has_not_yet_taken_in_is_read(tmp_path):
    """A secret that is only in the write-ahead log, or in a deleted row's old page, is found in the raw bytes."""
    connection = sqlite3.connect(tmp_path / "some.db")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("CREATE TABLE things (value)")
    connection.execute("INSERT INTO things VALUES (?)", [SECRET])
    connection.commit()
    connection.execute("DELETE FROM things")
    connection.commit()
    assert {finding.place for finding in SCANNER.tree(tmp_path)} == {str(tmp_path / "some.db-wal")}
    assert SCANNER.database(tmp_path / "some.db") == []
    connection.close()


def test_output_and_logs_are_read(tmp_path):
    """A secret that a process printed, or that was logged at DEBUG, is found where it was captured."""
    code = f"import sys; print({SECRET!r}); print({SECRET[:12]!r}, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert found(done.stdout) == found(done.stderr) == {"canary"}
    handler = logging.FileHandler(tmp_path / "debug.log")
    logger = logging.getLogger("canary.proof")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    logger.debug("headers: %r", {"authorization": f"Bearer {SECRET}"})
    logger.removeHandler(handler)
    handler.close()
    assert len(SCANNER.tree(tmp_path)) == 1


def test_command_lines_and_passing_files_are_seen(tmp_path):
    """A secret on the command line of a child or a grandchild, and one in a file that is soon deleted, are seen."""
    with Watch(tmp_path) as watch:
        child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(.5)', *sys.argv[1:]])"
        process = subprocess.Popen([sys.executable, "-c", child, f"--key={SECRET}"])
        with tempfile.NamedTemporaryFile(dir=tmp_path) as file:
            file.write(SECRET.encode())
            file.flush()
            time.sleep(0.3)
        process.wait()
    assert not list(tmp_path.iterdir())
    lines = [line for line in watch.command_lines if found(line)]
    assert len(lines) == 2
    assert any(found(content) for contents in watch.files.values() for content in contents)


def test_a_finding_never_shows_the_secret():
    """What the scanner reports names the secret and the place, and is itself free of it."""
    findings = SCANNER.scan(base64.b64encode(SECRET.encode()), "here")
    assert findings == [Finding("canary", "here", ("base64",))]
    assert found(repr(findings)) == set()
