"""The local sandbox, which takes options of its own, and the demonstration that runs against one."""

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, NoReturn

import typer

from ..contract.errors import InputError
from .options import AsJson


def sandbox(ctx: typer.Context) -> None:
    """Start a local stand-in for the service, with made-up people; `sandbox --help` shows its options."""
    needed()
    from ..host.ports import opened
    from ..sandbox.__main__ import main

    raise typer.Exit(main(ctx.args, opened))


def demo(as_json: AsJson = False) -> None:
    """Show everything once against a sandbox of its own: link both ways, test, run a workflow, see what it cost."""
    needed()
    from .demo import main

    _leave(main(as_json=as_json))


def needed() -> None:
    """The sandbox has dependencies of its own, which an installation may leave out."""
    if not all(importlib.util.find_spec(name) for name in ("starlette", "uvicorn", "jinja2", "multipart")):
        raise InputError("The sandbox isn't installed.", hint="pip install 'apollo-component[host,sandbox]'")


@contextlib.contextmanager
def started(*options: str) -> Iterator[dict[str, Any]]:
    """A sandbox in a process of its own, ended afterwards; what it told of itself."""
    command = [sys.executable, "-m", "apollo_component.sandbox", "--json", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  # our own module
        try:
            assert process.stdout is not None  # noqa: S101  # it was asked for
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
            process.wait(10)


def _leave(code: int) -> NoReturn:
    """At once: the engine's threads would keep the process alive, and all that matters is on disk."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
