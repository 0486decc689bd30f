"""What a check finds, what it may look at, and how each is kept apart from the others and bounded in time."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from ...contract.errors import ConnectorError
from ..registry import Registry
from ..settings import Settings
from ..store import Store

Verdict = Literal["ok", "warning", "problem", "skipped"]
SECONDS = 12.0
"""What one check may take; what hasn't answered by then is a problem of its own."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: one sentence, what to do, and the facts behind it. `skipped`: what it looks at isn't there."""

    verdict: Verdict
    text: str
    hint: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if value not in ("", {})}


@dataclass(frozen=True, slots=True)
class Heard:
    """A service's answer: when it was asked and had answered by our clock, and its own time."""

    begun: float
    ended: float
    date: datetime | None


@dataclass(slots=True)
class Examined:
    """`store` is None while there is no database; `unready` says why its tables can't be read. Without `named`,
    connections and workflows go by their ids and paths are shortened: the form that leaves the machine."""

    environ: Mapping[str, str]
    clock: Callable[[], float] = time.time
    offline: bool = False
    named: bool = True
    settings: Settings | None = None
    registry: Registry | None = None
    store: Store | None = None
    unready: str = "there is no database yet"
    heard: dict[str, Heard] = field(default_factory=dict)

    def label(self, row: Mapping[str, Any]) -> str:
        return str(row["name"] if self.named else row["id"])

    def shown(self, text: str) -> str:
        """A sentence in the form wanted: a path tells who a person is."""
        places = {str(Path.home()): "~"} | ({str(self.settings.home): "HOME"} if self.settings else {})
        for place in sorted(places, key=len, reverse=True) if not self.named else ():
            text = text.replace(place, places[place])
        return text


Check = Callable[[Examined], Finding]


def bounded(name: str, check: Check, examined: Examined, seconds: float = SECONDS) -> Finding:
    """What a check finds, whatever it runs into, within its time."""
    found: list[Finding] = []
    thread = threading.Thread(target=lambda: found.append(_kept(check, examined)), name=f"doctor {name}", daemon=True)
    thread.start()
    thread.join(seconds)
    late = Finding("problem", f"It gave no answer within {seconds:g} s.", "Look at what it depends on: disk, network.")
    finding = found[0] if found else late
    return replace(finding, name=name, text=examined.shown(finding.text), hint=examined.shown(finding.hint))


def _kept(check: Check, examined: Examined) -> Finding:
    try:
        return check(examined)
    except ConnectorError as error:
        return Finding("problem", str(error), error.hint, {"error": error.code})
    except Exception as error:  # noqa: BLE001  # one broken check must not hide the others
        text = f"The check itself failed ({type(error).__name__})."
        return Finding("problem", text, "Please report it.", {"error": "bug"})


def worst(*found: tuple[Verdict, str, str]) -> tuple[Verdict, str, str]:
    """The gravest of several (verdict, sentence, what to do); `ok` texts are only said when nothing is wrong."""
    order = ("problem", "warning", "ok")
    first = min(found, key=lambda item: order.index(item[0]))
    same = [item for item in found if item[0] != "ok"] or [first]
    return first[0], " ".join(item[1] for item in same), " ".join(dict.fromkeys(item[2] for item in same if item[2]))
