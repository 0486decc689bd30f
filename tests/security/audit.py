"""`make audit`: known vulnerabilities of what is installed (pip-audit, where its data can be reached), and secrets in
the tree and in everything it ever held."""

import json
import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
KNOWN = {
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "AWS key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "GitHub token": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_[A-Za-z0-9_]{22,}"),
    "Slack token": re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    "Google key": re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"),
    "PyPI token": re.compile(r"\bpypi-[A-Za-z0-9_-]{50,}"),
    "JSON web token": re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    "address with a password": re.compile(r"\b[a-z][a-z0-9+]*://[^\s/:@{}<>\"']+:[^\s/:@{}<>\"']{8,}@(?!example)"),
}
"""Forms that nothing but a secret has."""
NAMED = re.compile(
    r"""(?:api[_-]?key|secret|token|passw(?:or)?d|credential|WORKFLOW_HOST_KEY)["']?\s*(?::|=|=>)\s*["']?([A-Za-z0-9+/_=-]{20,})""",
    re.IGNORECASE,
)
"""Something random beside a word that says what it is."""
ENTROPY = 4.0
"""Bits for each character; words and ids of one alphabet stay below."""
MADE_UP = re.compile(
    r"canary|example|s3cr3t|made[-_ ]?up|test|dummy|placeholder|client|abcdef|0123456|ABCDEF|xxxx|_", re.IGNORECASE
)
"""What says of itself that it opens nothing; an underscore stands in names of the code."""


@dataclass(frozen=True)
class Found:
    """Where and of which kind; never the secret."""

    kind: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: looks like a secret ({self.kind})"


def entropy(text: str) -> float:
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


def secrets_in(text: str, file: str) -> Iterator[Found]:
    for number, line in enumerate(text.splitlines(), 1):
        for kind, pattern in KNOWN.items():
            if (match := pattern.search(line)) and not MADE_UP.search(match[0].partition("://")[2]):
                yield Found(kind, file, number)
        for match in NAMED.finditer(line):
            if entropy(match[1]) >= ENTROPY and not MADE_UP.search(match[1]):
                yield Found("high entropy", file, number)


def git(root: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True).stdout


def tree(root: Path) -> Iterator[Found]:
    """Every file under version control, as it is now."""
    for name in git(root, "ls-files", "-z").decode().split("\0"):
        file = root / name
        if name and file.is_file() and not file.is_symlink():
            yield from secrets_in(file.read_text("utf-8", "replace"), name)


def history(root: Path) -> Iterator[Found]:
    """Every line that was ever added, each once."""
    file, seen = "", set[str]()
    log = git(root, "log", "--all", "-p", "--unified=0", "--no-color", "--no-textconv", "--format=commit %h")
    commit = ""
    for line in log.decode("utf-8", "replace").split("\n"):
        if line.startswith("commit "):
            commit = line[7:]
        elif line.startswith("+++ "):
            file = line[6:]
        elif line.startswith("+") and line not in seen:
            seen.add(line)
            yield from (Found(item.kind, f"{commit} {file}", 0) for item in secrets_in(line[1:], file))


def vulnerabilities() -> int:
    """How many pip-audit knows of. Where it can't be had, or its data can't be reached, that is said."""
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--skip-editable"]
    return told(subprocess.run([*command, "--timeout", "15"], check=False, capture_output=True, text=True))


def told(done: Any) -> int:
    """Says what pip-audit found or why it looked nothing up; the number of vulnerabilities."""
    packages = json.loads(done.stdout)["dependencies"] if done.stdout.startswith("{") else []
    looked_up = [package for package in packages if "skip_reason" not in package]
    known = [(package["name"], item["id"]) for package in looked_up for item in package["vulns"]]
    for name, identity in known:
        print(f"{name}: {identity}")
    if not looked_up:
        missing = "No module named" in done.stderr
        why = "pip-audit is not installed" if missing else "the data of pip-audit can't be reached from here"
        print(f"Known vulnerabilities of dependencies: NOT CHECKED, {why}.")
    else:
        print(f"Known vulnerabilities of {len(looked_up)} of {len(packages)} packages: {len(known) or 'none'}.")
    return len(known)


def main() -> int:
    found = [*tree(ROOT), *history(ROOT)]
    for item in found:
        print(item)
    print(f"Secrets in the tree and its history: {len(found) or 'none'}.")
    return 1 if vulnerabilities() or found else 0


if __name__ == "__main__":
    sys.exit(main())
