"""The command line put together: every command under its name, every error with its exit code."""

import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Any

import typer
from typer.core import TyperGroup

from .. import __version__
from . import enabling, status  # noqa: F401  # their commands join the group of workflow files
from .backups import backup, restore
from .callbacks import callbacks
from .choosing import options
from .connect_links import link, links
from .connecting import connect, connections, refresh, remove, test
from .describing import describe, palette, requirements, validate
from .doctor import doctor
from .hub import hub
from .keys import keys
from .oauth_apps import apps
from .output import Output
from .running import run as run_action
from .runs import runs
from .sandboxing import demo, sandbox
from .spending import usage
from .tokens import tokens
from .workflows import workflow


class Commands(TyperGroup):
    """Turns what commands raise into a sentence (with `--json` an object) on stderr and an exit code."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta["as_json"] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        out = Output(ctx.meta["as_json"])
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort):
            raise
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # every error becomes a sentence
            if hasattr(error, "format_message"):  # Typer's own usage errors, wherever Typer keeps their class
                _usage(out, error)
            raise typer.Exit(out.failure(error)) from None


def _usage(out: Output, error: Any) -> None:
    """A wrong command line: Typer draws it for people."""
    if not out.as_json:
        raise error
    out.facts({"error": {"code": "usage", "message": error.format_message()}}, "")
    raise typer.Exit(error.exit_code)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"apollo-component {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    """Link accounts, run actions and workflows, and try everything in a local sandbox.

    Every command has --json. Exit codes: 0 done, 2 input, 3 authorization, 4 permission or not found,
    5 quota or credits, 6 temporary, 7 outcome unknown, 1 a bug.
    """


for _command in (
    palette,
    describe,
    options,
    requirements,
    validate,
    connect,
    test,
    refresh,
    usage,
    remove,
    link,
    doctor,
    backup,
    restore,
):
    app.command()(_command)
app.command("run")(run_action)
app.add_typer(connections, name="connections")
app.add_typer(apps, name="apps")
app.add_typer(links, name="links")
app.add_typer(workflow, name="workflow")
app.add_typer(runs, name="runs")
app.add_typer(keys, name="keys")
app.add_typer(tokens, name="tokens")
app.command("callbacks")(callbacks)
app.command("hub")(hub)
app.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True}, add_help_option=False)(sandbox)
app.command()(demo)


def run(arguments: Sequence[str] | None = None) -> int:
    """The whole command; its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        app(arguments, prog_name="apollo-component")
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(done.code is not None)
    return 0
