"""The fuzzers at full size: `python -m tests.fuzz [replies] [fragments] [whole] [--seed N] [--part I/N]`.

Every run prints its seed; the same seed gives the same inputs. A failure's input is written to a file.
"""

import argparse
import os
import secrets
import sys
import tempfile
from pathlib import Path

from apollo_component.contract.manifest import Manifest
from tests.fuzz import corpus, files, replies
from tests.fuzz.watching import BrokenError, Watched

FULL = {"replies": 1_000_000, "fragments": 100_000, "whole": 500}


def run(kind: str, count: int, seed: str, folder: Path) -> Watched:
    """One fuzzer. Raises BrokenError, also when a secret that was planted is found in what errors say."""
    declaration = corpus.manifest()
    watched = _replies(declaration, count, seed, folder) if kind == "replies" else _files(kind, count, seed, folder)
    watched.finish()
    return watched


def _replies(declaration: Manifest, count: int, seed: str, folder: Path) -> Watched:
    reader = replies.Reader(declaration, [*corpus.answered(declaration), *corpus.refused(declaration)], seed)
    watched = Watched("replies", seed, folder, seconds=1.0, megabytes=400, secrets=reader.planted)
    replies.fuzz(reader, count, watched)
    return watched


def _files(kind: str, count: int, seed: str, folder: Path) -> Watched:
    root = folder / "root"
    root.mkdir(exist_ok=True)
    if not (root / "schemas").exists():
        for name in ("schemas", "icon.svg"):
            (root / name).symlink_to(corpus.ROOT / name)
    made = files.Files(root, {"apollo": corpus.manifest()}, seed)
    watched = Watched(kind, seed, folder, seconds=20.0 if kind == "whole" else 3.0, megabytes=400)
    files.fuzz(made, corpus.files(), count, watched, whole=kind == "whole")
    return watched


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("kinds", nargs="*", choices=[*FULL, []], help="All of them when none is named.")
    parser.add_argument("--seed", default=os.environ.get("FUZZ_SEED") or str(secrets.randbelow(10**9)))
    parser.add_argument("--part", default="1/1", help="Do this part of the inputs only, such as 2/4.")
    given = parser.parse_args()
    part, parts = map(int, given.part.split("/"))
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    for kind in given.kinds or FULL:
        count = int(os.environ.get(f"FUZZ_{kind.upper()}", FULL[kind])) // parts
        try:
            print(run(kind, count, f"{given.seed}/{kind}/{part}", folder).report(), flush=True)
        except BrokenError as broken:
            print(broken, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
