"""The local sandbox and the demonstration: both take their own options, which are passed on."""

from typing import Any

import typer


def sandbox(ctx: typer.Context) -> None:
    """Start a local stand-in for the service, with made-up people; `sandbox --help` shows its options."""
    from ..sandbox.__main__ import main

    _leave(main(ctx.args))


def demo(ctx: typer.Context) -> None:
    """Show everything once against a sandbox of its own."""
    from .demo import main

    _leave(main(ctx.args))


def _leave(code: Any) -> None:
    raise typer.Exit(int(code or 0))
