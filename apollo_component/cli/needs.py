"""What chosen actions and triggers need, for actions as they are named and for those of a workflow file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..contract.errors import InputError
from ..host.naming import Manifests
from ..host.needs import asked_by
from ..host.needs import needs_of as needs_of_names


def needs_of(manifests: Manifests, names: Sequence[str]) -> dict[str, Any]:
    """The same as for the host's names, or for one workflow file. Raises InputError, and what either raises."""
    return needs_of_names(manifests, _actions(manifests, names))


def is_file(name: str) -> bool:
    return name.endswith((".yaml", ".yml")) or Path(name).is_file()


def _actions(manifests: Manifests, names: Sequence[str]) -> Sequence[str]:
    if not any(is_file(name) for name in names):
        return names
    if len(names) > 1:
        raise InputError("Give one workflow file, or actions.")
    from ..host.workflow.file import load_workflow

    return asked_by(load_workflow(Path(names[0]), manifests), manifests)
