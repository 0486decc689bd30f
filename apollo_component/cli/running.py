"""The command that runs one action."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..contract.actions import Action
from ..contract.errors import InputError, Problem
from ..contract.manifest import Manifest
from ..contract.schemas import Schemas
from ..host.naming import Manifests, find_action
from .dry_runs import show
from .inputs import read_input
from .naming import opened, plugins
from .options import AsJson
from .output import Output
from .pointing import pointing
from .streaming import stream

if TYPE_CHECKING:
    from ..host.connections import Connection
    from ..host.planning import Plan
    from ..host.registry import Registry


_OPTIONS = {"limit": "--limit", "every_page": "--all", "max_credits_per_record": "--max-credits-per-record"}


def run(
    action: Annotated[str, typer.Argument(metavar="ACTION", help="An action of the palette.")],
    connection: Annotated[str | None, typer.Option(help="The connection to run it with.")] = None,
    given: Annotated[
        str, typer.Option("--input", metavar="JSON|@FILE|-", help="The input as JSON, from a file, or from stdin.")
    ] = "{}",
    every_page: Annotated[bool, typer.Option("--all", help="Read every page.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after this many records.")] = None,
    split_by: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD", help="With --all: cut a search that is too large by this input. Repeatable."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent; change nothing.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Yes, real people may get mail, or only I know what it does.")
    ] = False,
    budget: Annotated[float | None, typer.Option(min=0, metavar="CREDITS", help="Spend no more than this.")] = None,
    max_credits_per_record: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="N",
            help="Your own upper estimate, for each record or request, where no limit is known.",
        ),
    ] = None,
    on_unknown: Annotated[
        Literal["repeat", "stop"], typer.Option(help="When the answer to a request that costs was lost.")
    ] = "repeat",
    concurrency: Annotated[int, typer.Option(min=1, max=16, help="Requests at the same time.")] = 8,
    wait: Annotated[
        bool | None,
        typer.Option("--wait/--no-wait", help="Wait for what arrives after the answer.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run one action. Records are printed as JSON, one a line, while they arrive.

    The input is checked as a whole before anything is sent. What was spent is told at the end, on stderr. What arrives
    after the answer is waited for, unless it goes to a webhook URL of your own.
    """
    from ..host.planning import Plan
    from ..host.running import Chosen

    out = Output(as_json)
    values = read_input(given)
    wanted: dict[str, Any] = {
        "every_page": every_page or limit is not None,
        "limit": limit,
        "split_by": tuple(split_by or ()),
        "max_credits_per_record": max_credits_per_record,
        "budget": budget,
    }
    if dry_run and connection is None:
        registry = plugins()
        plan = Plan(*_checked(registry.manifests, action, None, values), **wanted)
        _refuse(plan, sends=False)
        _tell_names(plan, out)
        _dry_run(plan, registry, out)
        return
    if connection is None:
        raise InputError("Nothing was sent.", [Problem("is required", path="--connection")])
    with opened(out) as host:
        link = host.connections.get(connection)
        plan = Plan(*_checked(host.registry.manifests, action, link, values), **wanted)
        _refuse(plan, sends=not (yes or dry_run))
        named = bool(_names(plan))
        with pointing(plan.manifest, plan.action, link.name, values):
            plan = replace(plan, values=host.fields.resolved(link.id, plan.action, plan.values))
        if dry_run:
            plan = replace(plan, values=host.deliveries.sketched(plan.action, plan.values))
            _dry_run(plan, host.registry, out, looked_up=named)
            return
        code = stream(host, Chosen(plan, link, on_unknown, concurrency, wait), out)
    raise typer.Exit(code)


def _refuse(plan: "Plan", *, sends: bool) -> None:
    """Everything that a wrong choice of options would make cost or send. Raises InputError."""
    with _as_options():
        plan.refuse_pages()
    if sends and plan.needs_word:
        hint = "Look at it with --dry-run, then add --yes."
        raise InputError(f"{plan.word[0].upper()}{plan.word[1:]}; nothing was sent.", hint=hint)
    if plan.split_by and not plan.every_page:
        raise InputError("Nothing was sent.", [Problem("goes with --all", path="--split-by")])
    with _as_options():
        plan.refuse()


@contextmanager
def _as_options() -> Iterator[None]:
    """Problems with a plan's own fields name the options that set them."""
    try:
        yield
    except InputError as error:
        for problem in error.problems:
            problem.path = _OPTIONS.get(problem.path, problem.path)
        raise


def _tell_names(plan: "Plan", out: Output) -> None:
    """Without a connection nobody knows the workspace's own fields."""
    for name, _ in _names(plan):
        out.warn(f"{name}: the names of custom fields were not checked; add --connection to look them up.")


def _names(plan: "Plan") -> list[tuple[str, str]]:
    """The inputs in which custom fields are named."""
    from ..host.custom_fields import look_ups

    return look_ups(plan.manifest, plan.action, plan.values)


def _dry_run(plan: "Plan", registry: "Registry", out: Output, *, looked_up: bool = False) -> None:
    from ..host.planning import previewed

    found = previewed(plan, registry)
    out.result(found, lambda: show(found, looked_up=looked_up))


def _checked(
    manifests: Manifests, name: str, link: "Connection | None", values: dict[str, Any]
) -> tuple[Manifest, Action, dict[str, Any]]:
    """The action and its whole input with defaults. Raises NotFoundError, InputError."""
    manifest, action = find_action(manifests, name, link.connector if link else None)
    with pointing(manifest, action, link.name if link else "NAME", values):
        return manifest, action, Schemas(manifest.root).check(action.input, values)
