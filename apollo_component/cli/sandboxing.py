"""The local sandbox, which takes options of its own, and the demonstration that runs against one."""

import os
import sys
from typing import NoReturn

import typer

from .options import AsJson


def sandbox(ctx: typer.Context) -> None:
    """Start a local stand-in for the service, with made-up people; `sandbox --help` shows its options."""
    from ..sandbox.__main__ import main

    raise typer.Exit(main(ctx.args))


def demo(as_json: AsJson = False) -> None:
    """Show everything once against a sandbox of its own: link both ways, test, run a workflow, see what it cost."""
    from .demo import main

    _leave(main(as_json=as_json))


def _leave(code: int) -> NoReturn:
    """At once: the engine's threads would keep the process alive, and all that matters is on disk."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
