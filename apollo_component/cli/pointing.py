"""Points from a refused input to the command that lists what may stand there."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..contract.actions import Action
from ..contract.errors import InputError, NotFoundError, Problem
from ..contract.inputs import InputField, input_fields
from ..contract.manifest import Manifest
from ..contract.schemas import schemas_at

_PLACE = re.compile(r"\[\d+\]")


@contextmanager
def pointing(manifest: Manifest, action: Action, connection: str, values: Mapping[str, Any]) -> Iterator[None]:
    """Adds to an InputError without a hint the commands that list the choices of the fields at fault; to a
    NotFoundError those of the fields that were given."""
    try:
        yield
    except (InputError, NotFoundError) as error:
        fields = [field for field in input_fields(schemas_at(manifest.root), action.input) if field.source]
        if isinstance(error, NotFoundError):
            names = [field.name for field in fields if field.path[0] in values]
        else:
            names = [name for problem in error.problems for name in _at_fault(problem, fields) if not error.hint]
        commands = [f"`options {action.id} {name} --connection {connection}`" for name in dict.fromkeys(names)]
        choices = f"What there is to choose from: {', '.join(commands)}." if commands else ""
        error.hint = " ".join(part for part in (error.hint, choices) if part)
        raise


def _at_fault(problem: Problem, fields: list[InputField]) -> Iterator[str]:
    """The field of the problem, or the map that it stands in."""
    place = _PLACE.sub("", problem.path)
    for field in fields:
        if place == field.name or (field.fields and place.startswith(f"{field.name}.")):
            yield field.name
