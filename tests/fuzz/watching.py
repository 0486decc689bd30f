"""What every fuzzer keeps an eye on: only errors of the contract, time and memory within bounds, no secret said."""

import resource
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apollo_component.contract.errors import ConnectorError
from tests.canary.scanner import Scanner

TOGETHER = 500
"""Texts that are searched at a time."""


def peak() -> int:
    """The most memory this process has used, in KB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


class BrokenError(AssertionError):
    """A promise was broken; the message tells the seed, the number and the file with the input."""


@dataclass
class Watched:
    """One fuzzer's run. `seconds` of processor time is what one input may take, `megabytes` what memory may grow.

    Everything that an error says is searched for the `secrets`, each text once.
    """

    name: str
    seed: str
    folder: Path
    seconds: float
    megabytes: int
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    leaked: set[str] = field(default_factory=set)
    began: float = field(default_factory=time.monotonic)
    memory: int = field(default_factory=peak)
    _seen: set[int] = field(default_factory=set)
    _waiting: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._scanner = Scanner(self.secrets)

    def one(self, number: int, data: bytes, does: Callable[[], Any]) -> None:
        """Run one input. Raises BrokenError."""
        start = time.thread_time()
        said = ""
        try:
            does()
            self.outcomes["read"] += 1
        except ConnectorError as error:
            self.outcomes[type(error).__name__] += 1
            said = f"{error}\n{error!r}\n{error.as_dict()}"
        except BaseException as error:
            raise self._broken(number, data, f"{type(error).__name__}: {error}"[:500]) from error
        took = time.thread_time() - start
        self.slowest = max(self.slowest, took)
        if took > self.seconds:
            raise self._broken(number, data, f"took {took:.1f} s of the processor")
        if number % 1000 == 0 and self.grown > self.megabytes:
            raise self._broken(number, data, f"memory has grown by {self.grown} MB")
        if said and self.secrets:
            self._heard(said)

    def finish(self) -> None:
        """Raises BrokenError when a secret, or any 12 characters of one, was said, behind any encoding."""
        self._search()
        if self.leaked:
            raise BrokenError(f"{self.name}: seed {self.seed}: errors show {', '.join(sorted(self.leaked))}")

    def _heard(self, text: str) -> None:
        if (identity := hash(text)) not in self._seen:
            self._seen.add(identity)
            self._waiting.append(text)
        if len(self._waiting) >= TOGETHER:
            self._search()

    def _search(self) -> None:
        found = self._scanner.scan("\n".join(self._waiting), self.name)
        self.leaked |= {finding.secret for finding in found}
        self._waiting.clear()

    def _broken(self, number: int, data: bytes, what: str) -> BrokenError:
        file = self.folder / f"{self.name}-{self.seed.replace('/', '-')}-{number}.input"
        file.write_bytes(data)
        return BrokenError(f"{self.name}: seed {self.seed}, input {number}: {what}; the input is in {file}")

    @property
    def grown(self) -> int:
        return (peak() - self.memory) // 1024

    def report(self) -> str:
        took, total = time.monotonic() - self.began, self.outcomes.total()
        kinds = ", ".join(f"{name} {count:,}" for name, count in self.outcomes.most_common())
        searched = f"; {len(self._seen):,} texts of errors searched for secrets, none found" if self.secrets else ""
        return (
            f"{self.name}: seed {self.seed}: {total:,} inputs in {took:.0f} s ({total / max(took, 0.001):,.0f}/s), "
            f"slowest {self.slowest * 1000:.0f} ms, memory +{self.grown} MB; {kinds}{searched}"
        )
