"""docs/security.md names a test for every threat, and each of them exists."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "security.md").read_text("utf-8")
NAMED = re.compile(r"(tests/[\w/]+\.py)::(test_\w+)")


def threats() -> list[list[str]]:
    part = TEXT.partition("## Threats")[2].partition("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def functions(file: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_every_threat_has_what_is_done_and_a_test() -> None:
    """Three cells each, and the last one names at least one test."""
    found = threats()
    assert len(found) > 30
    assert [row[0] for row in found if len(row) != 3 or not all(row) or not NAMED.search(row[2])] == []


def test_every_named_test_exists() -> None:
    """A test that was renamed or removed is missed here."""
    named = NAMED.findall(TEXT)
    assert len(named) > 50
    there = {name: functions(ROOT / name) if (ROOT / name).is_file() else set() for name, _ in named}
    assert sorted({f"{file}::{test}" for file, test in named if test not in there[file]}) == []


def test_the_limits_are_those_of_the_code() -> None:
    """The numbers in the document are what the code says."""
    from apollo_component.connector import auth, client, reading
    from apollo_component.contract import keywords, located
    from apollo_component.host import callbacks
    from apollo_component.host.workflow import bounds, schedules

    limits = TEXT.partition("## Limits")[2].partition("\n## ")[0].replace("\n", " ")
    for text in (
        f"{client.LIMIT >> 20} MB for an answer", f"{reading.DEPTH} levels of JSON",
        f"{callbacks.MAX_BODY >> 20} MB and {callbacks.BODY_SECONDS:g} seconds", f"{callbacks.CONNECTIONS} connections",
        f"{located._SIZE // 1_000_000} MB, {located._NODES:,} parts and {located._DEPTH} levels", f"{located._KEY} characters for a key",
        f"{bounds.LONGEST:,} for an expression", f"{bounds.GROWTH} times over", f"{bounds.WORK // 1_000_000} million pieces",
        f"{bounds.VALUES // 1_000_000} million values", f"{keywords.LONGEST:,} characters for a text",
        f"{schedules.LONGEST} for a cron time", f"{auth.LONGEST_TOKEN:,} for a token",
    ):  # fmt: skip
        assert text in limits, text
