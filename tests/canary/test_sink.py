"""The search at the end of a session finds what is planted, in output and in files, and nothing else."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.canary.sink import Sink

KEY = "a-made-up-key-of-this-test"


@pytest.fixture
def sink() -> Sink:
    made = Sink()
    made.secrets["key"] = KEY
    made.hear(SimpleNamespace(nodeid="a test", sections=[("stdout", "all is well\nrun 1 done")]))
    return made


def test_nothing_is_found_where_nothing_is(sink: Sink, tmp_path: Path) -> None:
    """Harmless output and files, and a key in a file that is meant to hold it."""
    (tmp_path / "host.db").write_bytes(b"SQLite format 3")
    (tmp_path / "key-for-the-prompt").write_text(KEY)
    assert sink.found(tmp_path) == []


@pytest.mark.parametrize("shown", [KEY, KEY[4:17], KEY.upper(), KEY.encode().hex()])
def test_a_secret_in_output_is_found_with_its_test(sink: Sink, shown: str) -> None:
    """Whole, in part, or encoded."""
    sink.hear(SimpleNamespace(nodeid="tests/x.py::test_y", sections=[("log", f"line\nkey={shown}")]))
    assert sink.found(None) == ["key in the output of tests/x.py::test_y"]


@pytest.mark.parametrize("name", ["host.db", "home/host.db-wal", "deep/down/worker.log"])
def test_a_secret_in_a_file_is_found(sink: Sink, tmp_path: Path, name: str) -> None:
    """In a database, its log of writes, or a log file, at any depth."""
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"\x00\x01" + KEY[:14].encode() + b"\x00")
    assert sink.found(tmp_path) == [f"key in {file}"]
