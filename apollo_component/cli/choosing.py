"""The command that opens a drop-down: real names with the ids that are sent."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..contract.errors import InputError, Problem
from ..contract.models import Choice
from ..host.naming import find_action, find_trigger
from .naming import opened
from .options import AsJson
from .output import Output, table

if TYPE_CHECKING:
    from ..host.host import Host
    from ..host.options import Opened

Turn = Callable[[str | None], "Opened"]


def options(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="ACTION|TRIGGER FIELD|SOURCE", help="A field of an action or a trigger, or an option source."
        ),
    ],
    connection: Annotated[str | None, typer.Option(help="The connection whose choices are shown.")] = None,
    search: Annotated[str, typer.Option(metavar="TEXT", help="Only choices with this in their name.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Read every page.")] = False,
    cursor: Annotated[str | None, typer.Option(help="Go on here (next_cursor of --json).")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a field may be chosen from. Costs no credits.

    FIELD is dotted: contacts.owner_id. The values of a custom field: typed_custom_fields.NAME. A fixed list of words
    needs no connection.
    """
    out = Output(as_json)
    with opened(out) as host:
        turn = _turn(host, names, connection, search)
        page = turn(cursor)
        choices = list(page.choices)
        while every and page.next_cursor is not None:
            page = turn(page.next_cursor)
            choices += page.choices
    found = {"choices": [as_dict(choice) for choice in choices], "next_cursor": page.next_cursor}
    out.result(found, lambda: show(choices))
    if page.next_cursor is not None and not as_json:
        out.say("There are more: --all reads them, --search TEXT narrows them.")


def _turn(host: "Host", names: Sequence[str], connection: str | None, search: str) -> Turn:
    """What gives the page of a drop-down at a cursor."""
    if len(names) == 1:
        if connection is None:
            raise InputError("Nothing was sent.", [Problem("is required", path="--connection")])
        return lambda cursor: host.options.page(connection, names[0], search, cursor)
    if len(names) != 2:
        raise InputError("Give an action or a trigger and one of its fields, or an option source.")
    connector = host.connections.get(connection).connector if connection else None
    manifests = host.registry.manifests
    manifest, asked = find_trigger(manifests, names[0]) or find_action(manifests, names[0], connector)
    return lambda cursor: host.options.of(manifest, asked, names[1], connection, search, cursor)


def as_dict(choice: Choice) -> dict[str, Any]:
    """`{label, value}`, and for a field of the service its type and choices."""
    more = {"type": choice.type, "choices": [as_dict(inner) for inner in choice.choices]}
    return {"label": choice.label, "value": choice.value} | {key: value for key, value in more.items() if value}


def show(choices: Sequence[Choice], *, empty: str = "There is nothing to choose from.") -> None:
    typed = any(choice.type or choice.choices for choice in choices)
    columns = ("label", "value", "type", "choices") if typed else ("label", "value")
    rows = [
        (choice.label, choice.value, choice.type, ", ".join(inner.label for inner in choice.choices))[: len(columns)]
        for choice in choices
    ]
    table(columns, rows, empty=empty)
