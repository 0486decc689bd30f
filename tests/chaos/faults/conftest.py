"""The figures of the table of faults, at the end of its tests."""

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line: how many cells, how many passed, and how long they took."""
    told = (item for report in terminalreporter.stats.get("passed", []) for item in report.user_properties)
    seconds = [value for name, value in told if name == "fault"]
    failed = [report for report in terminalreporter.stats.get("failed", []) if "test_faults" in report.nodeid]
    pending = [report for report in terminalreporter.stats.get("xfailed", []) if "test_faults" in report.nodeid]
    if seconds or failed:
        cells = len(seconds) + len(failed) + len(pending)
        terminalreporter.section("table of faults")
        terminalreporter.line(
            f"cells {cells}, passed {len(seconds)}, pending {len(pending)}, seconds {sum(seconds):.0f}"
        )
