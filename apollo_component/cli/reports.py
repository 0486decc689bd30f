"""A connection and its test, as JSON and for people."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ..contract.models import TestReport
from ..host.servers import told
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


def place(connection: Mapping[str, Any]) -> str:
    """Where a connection is used, and whether that is a sandbox: a server on this computer, not the service itself."""
    if connection["sandbox"]:
        return f"Sandbox: {told(connection['servers'])}, not the service itself."
    return f"Server: {told(connection['servers'])}."


def show_connections(found: list[dict[str, Any]], here: list[bool]) -> None:
    """`here` tells of each whether requests go to the servers it belongs to."""
    columns = ("name", "account", "type", "server", "status", "since", "expires", "missing rights")
    rows = [
        (
            item["name"],
            account(item["account"]),
            f"{item['connector']}.{item['type']}",
            ("sandbox, " if item["sandbox"] else "") + told(item["servers"]) + ("" if is_here else " (not used here)"),
            item["status"] + (f": {item['reason']}" if item["reason"] else ""),
            moment(item["since"]),
            moment(item["expires_at"]),
            ", ".join(item["missed"]),
        )
        for item, is_here in zip(found, here, strict=True)
    ]
    table(columns, rows, empty="There are no connections yet. `connect` makes one.")


def moment(text: str | None) -> str:
    """An ISO 8601 time without its fractions: `2026-01-31 12:00 UTC`."""
    return f"{text[:10]} {text[11:16]} UTC" if text else ""
