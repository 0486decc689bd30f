"""A connection and its test, as JSON and for people."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ..contract.models import TestReport
from .output import plain, table

EXIT = {"connected": 0, "limited": 0, "refused": 3, "unreachable": 6}


def show(report: TestReport) -> None:
    print(f"{report.verdict.capitalize()}: {plain(report.text)}")
    if report.hint:
        print(plain(report.hint))
    if report.account:
        print(f"Account: {account(asdict(report.account))}")
    for check in report.checks:
        print(f"  {check.outcome:<8}  {check.name}" + (f"  {plain(check.text)}" if check.text else ""))


def account(found: Mapping[str, Any]) -> str:
    """Whose account it is, in one line."""
    named = " ".join(part for part in (found["name"], f"<{found['email']}>" if found["email"] else "") if part)
    return plain(named or found["id"] or "unknown")


def show_connections(found: list[dict[str, Any]]) -> None:
    columns = ("name", "account", "type", "status", "since", "expires", "missing rights")
    rows = [
        (
            item["name"],
            account(item["account"]),
            f"{item['connector']}.{item['type']}",
            item["status"] + (f": {item['reason']}" if item["reason"] else ""),
            moment(item["since"]),
            moment(item["expires_at"]),
            ", ".join(item["missed"]),
        )
        for item in found
    ]
    table(columns, rows, empty="There are no connections yet. `connect` makes one.")


def moment(text: str | None) -> str:
    """An ISO 8601 time without its fractions: `2026-01-31 12:00 UTC`."""
    return f"{text[:10]} {text[11:16]} UTC" if text else ""
