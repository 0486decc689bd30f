"""Mutation testing of the modules that nobody may break unnoticed: `python tests/mutation/run.py [MODULE ...]`.

Each module is mutated by mutmut in a copy of the project, against the tests named for it. A mutant counts as killed when
a test fails or runs out of time, and as refuted when the type checker refuses it; refuted ones count for nothing in
the share. Survivors are listed with the reason in survivors.toml; one that isn't there is printed as new.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SURVIVORS = Path(__file__).parent / "survivors.toml"
COPIED = (
    "apollo_component",
    "connector.yaml",
    "icon.svg",
    "schemas",
    "tests",
    "pyproject.toml",
    "README.md",
    "examples",
)
TESTS = {
    "connector/auth": ("tests/connector/test_auth.py", "tests/connector/test_said.py"),
    "connector/replies": (
        "tests/connector/test_replies.py",
        "tests/connector/test_said.py",
        "tests/connector/test_connector.py",
        "tests/connector/test_quirks.py",
        "tests/security/test_replies.py",
    ),
    "connector/error_texts": ("tests/connector/test_error_texts.py", "tests/connector/test_replies.py"),
    "connector/reading": ("tests/connector/test_replies.py", "tests/security/test_replies.py"),
    "connector/hiding": ("tests/connector/test_hiding.py", "tests/connector/test_said.py"),
    "connector/inflating": ("tests/connector/test_inflating.py",),
    "host/vault": ("tests/host/test_vault.py", "tests/host/test_rotation.py"),
    "host/sealing": ("tests/host/test_sealing.py", "tests/host/test_vault.py"),
    "host/key_files": ("tests/host/test_key_files.py", "tests/host/test_vault.py"),
    "host/limits": ("tests/host/test_limits.py", "tests/host/test_quota.py"),
    "host/quota": ("tests/host/test_quota.py", "tests/host/test_limits.py"),
    "host/journal": (
        "tests/host/test_journal.py",
        "tests/host/test_daily.py",
        "tests/host/test_calls.py",
        "tests/host/test_calls_costs.py",
        "tests/host/test_calls_credentials.py",
        "tests/host/test_calls_lost_creates.py",
        "tests/host/test_settling.py",
        "tests/host/test_run_lists.py",
    ),
}
SETTINGS = """
[tool.mutmut]
source_paths = ["apollo_component"]
only_mutate = [{only}]
also_copy = ["connector.yaml", "icon.svg", "schemas", "README.md", "examples"]
pytest_add_cli_args = ["-m", "not real and not chaos and not wheel", "-p", "no:cacheprovider", "-p", "no:xdist", "--database", "sqlite"]
pytest_add_cli_args_test_selection = [{tests}]
type_check_command = ["mypy", "--output", "json", "--disable-error-code", "unused-ignore"]
"""
WANTED = 0.85
KILLED, SURVIVED, UNTESTED, LATE, REFUTED = (1, 3), (0,), (5, 33), (36, 24, -24, 152, 255), (37,)


@dataclass(frozen=True)
class Outcome:
    """Of one module: counts by kind, the survivors' changes as `function: removed line -> added line`, seconds."""

    module: str
    counts: Counter[str]
    survivors: tuple[str, ...]
    seconds: float

    @property
    def share(self) -> float:
        tried = self.counts["killed"] + self.counts["late"] + self.counts["survived"] + self.counts["untested"]
        return (self.counts["killed"] + self.counts["late"]) / tried if tried else 1.0

    @property
    def line(self) -> str:
        told = ", ".join(
            f"{self.counts[kind]} {kind}" for kind in ("killed", "late", "survived", "untested", "refuted")
        )
        return f"{self.module:20} {sum(self.counts.values()):4} mutants: {told}; {self.share:.1%}, {self.seconds:.0f} s"


def mutate(module: str, only: str = "*") -> Outcome:
    """Mutate one module; `only` is a pattern over its functions, for a quick look."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = Path(name)
        _copy(folder, module)
        pattern = f"apollo_component.{module.replace('/', '.')}.{only}"
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        command = [sys.executable, "-m", "mutmut", "run", "--max-children", "1", pattern]
        done = subprocess.run(
            command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
        )
        meta = folder / "mutants" / "apollo_component" / f"{module}.py.meta"
        codes = json.loads(meta.read_text())["exit_code_by_key"] if meta.exists() else {}
        tried = {key: code for key, code in codes.items() if code is not None}
        if not tried:  # such as when the tests fail without any change
            raise SystemExit(f"{module}: mutmut ended with {done.returncode}\n{(done.stdout + done.stderr)[-3000:]}")
        lived = sorted(key for key, code in tried.items() if code in (*SURVIVED, *UNTESTED))
        survivors = tuple(_change(folder, key) for key in lived)
    return Outcome(module, Counter(map(_kind, tried.values())), survivors, time.monotonic() - began)


def _copy(folder: Path, module: str) -> None:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.index.json"))
        else:
            shutil.copy(source, folder / name)
    only, tests = f'"apollo_component/{module}.py"', ", ".join(f'"{test}"' for test in TESTS[module])
    with (folder / "pyproject.toml").open("a") as file:
        file.write(SETTINGS.format(only=only, tests=tests))


def _kind(code: int) -> str:
    kinds = {"killed": KILLED, "survived": SURVIVED, "untested": UNTESTED, "late": LATE, "refuted": REFUTED}
    return next((kind for kind, known in kinds.items() if code in known), "killed")


def _change(folder: Path, key: str) -> str:
    """A mutant as text that stays the same while other lines of the file change."""
    code = "import sys; from mutmut.mutation.diff_apply import get_diff_for_mutant as d; print(d(sys.argv[1]))"
    shown = subprocess.run(
        [sys.executable, "-c", code, key], cwd=folder, capture_output=True, text=True, check=True
    ).stdout
    lines = {sign: [] for sign in "-+"}
    for found in re.finditer(r"^([-+])(?![-+])\s*(.*)$", shown, re.MULTILINE):
        lines[found[1]].append(found[2])
    function = (
        re.sub(r"__mutmut_\d+$", "", key.rpartition(".")[2]).removeprefix("x_").replace("xǁ", "").replace("ǁ", ".")
    )
    return f"{function}: {' / '.join(lines['-'])} -> {' / '.join(lines['+'])}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"of: {', '.join(TESTS)} (default: all)")
    parser.add_argument("--only", default="*", help="a pattern over functions, such as 'x_pasted*'")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    listed = {entry["change"] for entry in tomllib.loads(SURVIVORS.read_text("utf-8")).get("survivor", [])}
    modules = tuple(chosen.modules or TESTS)
    with ThreadPoolExecutor(chosen.jobs) as pool:
        outcomes = list(pool.map(lambda module: mutate(module, chosen.only), modules))
    lived = [f"{outcome.module}: {change}" for outcome in outcomes for change in outcome.survivors]
    new = [text for text in lived if text not in listed]
    for text in new:
        print(f"new survivor  {text}")
    for text in sorted(listed - set(lived)) if chosen.only == "*" else ():
        if text.partition(": ")[0] in modules:
            print(f"lives no more {text}")
    for outcome in outcomes:
        print(outcome.line)
    weak = [outcome.module for outcome in outcomes if outcome.share < WANTED]
    print(
        f"{len(new)} survivors are not in survivors.toml" + (f"; below {WANTED:.0%}: {', '.join(weak)}" if weak else "")
    )
    return bool(weak)


if __name__ == "__main__":
    sys.exit(main())
