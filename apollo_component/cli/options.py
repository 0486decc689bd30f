"""Options that several commands share, and how their values are read."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from ..contract.errors import InputError, Problem
from .output import Output, interactive

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
For = Annotated[
    list[str] | None, typer.Option("--for", metavar="ACTION", help="An action you plan to use. Repeatable.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
SecretFile = Annotated[
    str | None, typer.Option(metavar="FILE", help="A file that holds the secret and nothing else (- reads stdin).")
]


def pairs(given: Sequence[str] | None, option: str) -> dict[str, str]:
    """`NAME=VALUE` options as a mapping. Raises InputError; values are not repeated."""
    split = [item.partition("=") for item in given or ()]
    if any(not name or not equals for name, equals, _ in split):
        raise InputError(f"{option} must have the form NAME=VALUE.")
    return {name: value for name, _, value in split}


def variable(connector: str, field: str) -> str:
    """The environment variable a secret may come from, such as EXAMPLE_API_KEY."""
    return f"{connector}_{field}".upper().replace("-", "_").replace(".", "_")


def secret(connector: str, field: str, title: str, file: str | None, out: Output) -> str:
    """A secret from a file, the environment or a hidden prompt, in this order; never from the command line."""
    name = variable(connector, field)
    if file is not None:
        return _content(file)
    if found := os.environ.get(name):
        out.say(f"{title}: taken from {name}.")
        return found
    if not interactive():
        raise InputError("A secret is missing.", [Problem("is required", path=field)], hint=_ways(name))
    return str(typer.prompt(title, hide_input=True, err=True))


def refuse_secrets(given: Mapping[str, str], secrets: Sequence[str], connector: str) -> None:
    """A command line is visible to other users and kept in histories."""
    problems = [Problem("must not be given on the command line, where others can read it", path=name)
                for name in secrets if name in given]  # fmt: skip
    if problems:
        ways = _ways(variable(connector, problems[0].path))
        raise InputError("A secret was given on the command line; nothing was sent.", problems, hint=ways)


def confirmed(question: str, *, yes: bool, out: Output) -> bool:
    """Whether to go on. Raises InputError when nobody can be asked."""
    if yes:
        return True
    if out.as_json or not interactive():
        raise InputError("This needs your word.", hint="Add --yes.")
    return bool(typer.confirm(question, err=True))


def _content(file: str) -> str:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise InputError("The file with the secret can't be read.", [Problem("can't be read", file=file)]) from None
    if not text.strip():
        raise InputError("The file with the secret is empty.", [Problem("is empty", file=file)])
    return text.strip()


def _ways(name: str) -> str:
    return f"Run it in a terminal and type it there, or use --secret-file or the environment variable {name}."
