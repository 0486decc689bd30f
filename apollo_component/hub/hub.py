"""What the Hub's pages work with: the host, who is signed in, where it is reached, and how it looks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ..contract.errors import InputError, Problem
from ..host.host import Host
from ..host.workflow.beside import WorkerBeside
from .messages import Messages, messages
from .sessions import Sessions

CALLBACK = "/callback"
"""Where authorizations come back to, below the Hub's address; with the default port this is what manifests name."""
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\Z")
LOGO_BYTES = 50_000
_LOGOS = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp"}


@dataclass(frozen=True, slots=True)
class Look:
    """What an operator can make their own. `accent` is a colour such as #3b5bdb; `logo` a small picture file."""

    name: str = ""
    accent: str = ""
    logo: Path | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Look":
        """From WORKFLOW_HUB_NAME, _ACCENT and _LOGO. Raises InputError."""
        logo = environ.get("WORKFLOW_HUB_LOGO")
        found = cls(
            environ.get("WORKFLOW_HUB_NAME", ""), environ.get("WORKFLOW_HUB_ACCENT", ""), Path(logo) if logo else None
        )
        problems = list(found._problems())
        if problems:
            raise InputError("The Hub's look can't be used.", problems)
        return found

    def _problems(self) -> list[Problem]:
        problems = []
        if len(self.name) > 40 or not self.name.isprintable():
            problems.append(Problem("must be at most 40 printable characters", path="WORKFLOW_HUB_NAME"))
        if self.accent and not _COLOUR.match(self.accent):
            problems.append(Problem("must be a colour such as #3b5bdb", path="WORKFLOW_HUB_ACCENT"))
        if self.logo is not None and (problem := _logo_problem(self.logo)):
            problems.append(Problem(problem, path="WORKFLOW_HUB_LOGO"))
        return problems

    @property
    def logo_type(self) -> str:
        return _LOGOS[self.logo.suffix.lower()] if self.logo else ""


def _logo_problem(logo: Path) -> str:
    if logo.suffix.lower() not in _LOGOS:
        return f"must be a {', '.join(_LOGOS)} file"
    try:
        too_large = logo.stat().st_size > LOGO_BYTES
    except OSError:
        return "can't be read"
    return f"must be at most {LOGO_BYTES // 1000} kB" if too_large else ""


@dataclass(frozen=True, slots=True)
class Hub:
    """`address` is where browsers reach it, without a slash at the end; it may have a path behind a proxy.
    `workflows` is the folder of workflow files that are offered."""

    host: Host
    sessions: Sessions
    address: str
    look: Look = field(default_factory=Look)
    workflows: Path | None = None
    texts: Messages = field(default_factory=messages)
    worker: WorkerBeside | None = None
    """What drives runs in this process; without it, workers elsewhere do."""

    @property
    def name(self) -> str:
        return self.look.name or self.texts("hub.name")

    @property
    def base(self) -> str:
        """The path that every link begins with."""
        return urlsplit(self.address).path

    @property
    def origin(self) -> str:
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def is_secure(self) -> bool:
        return self.address.startswith("https:")

    def nudge(self) -> None:
        """There is something new to drive."""
        if self.worker:
            self.worker.nudge()

    @property
    def redirect_uri(self) -> str:
        return f"{self.address}{CALLBACK}"
