"""The local sandbox, which takes options of its own, and the demonstration that runs against one."""

import importlib.util
import os
import sys
from typing import NoReturn

import typer

from ..contract.errors import InputError
from .options import AsJson


def sandbox(ctx: typer.Context) -> None:
    """Start a local stand-in for the service, with made-up people; `sandbox --help` shows its options."""
    _needed()
    from ..sandbox.__main__ import main

    raise typer.Exit(main(ctx.args))


def demo(as_json: AsJson = False) -> None:
    """Show everything once against a sandbox of its own: link both ways, test, run a workflow, see what it cost."""
    _needed()
    from .demo import main

    _leave(main(as_json=as_json))


def _needed() -> None:
    """The sandbox has dependencies of its own, which an installation may leave out."""
    if not all(importlib.util.find_spec(name) for name in ("starlette", "uvicorn", "jinja2", "multipart")):
        raise InputError("The sandbox isn't installed.", hint="pip install 'apollo-component[host,sandbox]'")


def _leave(code: int) -> NoReturn:
    """At once: the engine's threads would keep the process alive, and all that matters is on disk."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
