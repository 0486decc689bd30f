"""The workflows that a host knows: the files of a folder, those enabled, and those that ran."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from ...contract.errors import InputError, ManifestError, NotFoundError, Problem
from ...contract.located import read
from ...contract.manifest import Manifest
from ..host import Host
from ..run_lists import workflows as names_that_ran
from ..tables import runs
from .file import Workflow, load_workflow, parse_workflow
from .subscriptions import Subscription, Subscriptions

SUFFIXES = (".yaml", ".yml")
FILES = 500
"""Of one folder at most."""


@dataclass(frozen=True, slots=True)
class Known:
    """One workflow. `workflow` is None when its text has problems, or nothing but its name is known any more."""

    name: str
    file: Path | None = None
    workflow: Workflow | None = field(default=None, repr=False)
    problems: tuple[Problem, ...] = ()
    subscription: Subscription | None = None
    runs: int = 0
    last_at: float | None = None


def catalogue(host: Host, folder: Path | None) -> list[Known]:
    """All of them by name; a file that can't be loaded goes by the name in it, or else by the file's."""
    found = {known.name: known for known in reversed(_files(host.registry.manifests, folder))}
    enabled = {item.name: item for item in Subscriptions(host.store, host.clock).all()}
    ran = names_that_ran(host.store)
    names = sorted({*found, *enabled, *ran}, key=str.casefold)
    return [_whole(host, name, found.get(name), enabled.get(name), ran.get(name)) for name in names]


def one(host: Host, folder: Path | None, name: str) -> Known:
    """Raises NotFoundError."""
    known = next((item for item in catalogue(host, folder) if item.name == name), None)
    if known is None:
        raise NotFoundError(f"There is no workflow {name!r}.", hint="Its file may have been renamed or removed.")
    if known.workflow or known.problems:
        return known
    text = known.subscription.text if known.subscription else _last_text(host, name)
    return _with(known, *_parsed(text, host.registry.manifests))


def runnable(host: Host, folder: Path | None, name: str, refusal: str = "The workflow can't start.") -> Workflow:
    """Raises NotFoundError, and InputError with what is wrong with its text."""
    known = one(host, folder, name)
    if known.workflow is None:
        raise InputError(refusal, list(known.problems), hint="Mend its file first.")
    return known.workflow


def using(host: Host, folder: Path | None, connector: str) -> list[str]:
    """The names of those that use a connector."""
    return [one.name for one in catalogue(host, folder) if one.workflow and connector in one.workflow.connectors]


def parsed(host: Host, text: str) -> tuple[Workflow | None, tuple[Problem, ...]]:
    """A workflow's stored text; None with its problems, or without any when there is no text."""
    return _parsed(text, host.registry.manifests)


def _whole(
    host: Host, name: str, file: Known | None, subscription: Subscription | None, ran: tuple[int, float] | None
) -> Known:
    known = file or Known(name)
    workflow, problems = known.workflow, known.problems
    if subscription and not (workflow or problems):
        workflow, problems = _parsed(subscription.text, host.registry.manifests)
    return Known(name, known.file, workflow, problems, subscription, *(ran or (0, None)))


def _with(known: Known, workflow: Workflow | None, problems: tuple[Problem, ...]) -> Known:
    return Known(known.name, known.file, workflow, problems, known.subscription, known.runs, known.last_at)


def _parsed(text: str, manifests: Mapping[str, Manifest]) -> tuple[Workflow | None, tuple[Problem, ...]]:
    return _text(_Manifests(manifests), text) if text else (None, ())


@functools.lru_cache(maxsize=FILES)
def _text(manifests: "_Manifests", text: str) -> tuple[Workflow | None, tuple[Problem, ...]]:
    try:
        return parse_workflow(text, manifests.found), ()
    except ManifestError as error:
        return None, tuple(error.problems)


def _last_text(host: Host, name: str) -> str:
    """What its newest run was made of."""
    query = sa.select(runs.c.text).where(runs.c.workflow == name).order_by(runs.c.created_at.desc()).limit(1)
    row = host.store.row(query)
    return str(row["text"]) if row else ""


def _files(manifests: Mapping[str, Manifest], folder: Path | None) -> list[Known]:
    if folder is None:
        return []
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix in SUFFIXES and file.is_file())
    except OSError:
        return []
    return [_file(_Manifests(manifests), file, *_stamp(file)) for file in files[:FILES]]


def _stamp(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


class _Manifests:
    """The manifests of a registry, which is the same for a process's life, as a key."""

    def __init__(self, found: Mapping[str, Manifest]) -> None:
        self.found = found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Manifests) and self.found is other.found

    def __hash__(self) -> int:
        return id(self.found)


@functools.lru_cache(maxsize=FILES * 2)
def _file(manifests: _Manifests, file: Path, _changed: int, _size: int) -> Known:
    try:
        workflow = load_workflow(file, manifests.found)
    except ManifestError as error:
        data = read(file).data
        name = data.get("name") if isinstance(data, dict) else None
        return Known(name if isinstance(name, str) and name else file.name, file, None, tuple(error.problems))
    except (OSError, UnicodeDecodeError):
        return Known(file.name, file, None, (Problem("can't be read", path=file.name),))
    return Known(workflow.name, file, workflow)
