"""What a whole session of tests emits and stores: every captured line of output and logs, every database of a host and
every log file it wrote, searched at the end for the keys that the tests used."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.canary.scanner import Scanner, _holds

FILES = ("host.db", "host.db-wal", "host.db-journal", "*.log")


class Sink:
    """`secrets` by name are added by whoever starts a sandbox. Files are searched as they are, texts decoded, too."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}
        self._lines: dict[str, str] = {}

    def hear(self, report: Any) -> None:
        """What a test printed and logged, each line once."""
        for _, text in report.sections:
            for line in text.splitlines():
                self._lines.setdefault(line, report.nodeid)

    def found(self, folder: Path | None) -> list[str]:
        """Which secret is where; never the secret."""
        scanner = Scanner(self.secrets)
        return [*self._in_lines(scanner), *(self._in_files(scanner, folder) if folder else ())]

    def _in_lines(self, scanner: Scanner) -> Iterator[str]:
        if scanner.scan("\n".join(self._lines), "output"):  # once for all; one by one only to tell the place
            for line, test in self._lines.items():
                yield from (f"{item.secret} in the output of {test}" for item in scanner.scan(line, test))

    def _in_files(self, scanner: Scanner, folder: Path) -> Iterator[str]:
        for file in (file for pattern in FILES for file in folder.rglob(pattern) if file.is_file()):
            small = file.read_bytes().lower()
            yield from (f"{name} in {file}" for name, secret in scanner.secrets.items() if _holds(small, secret))


SINK = Sink()
