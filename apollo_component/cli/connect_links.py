"""Commands about connect sessions: links by which end users link their own account."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..contract.errors import InputError, Problem
from ..contract.manifest import Manifest
from ..host.naming import Manifests, find_named
from ..host.needs import asked_of
from .naming import find_connector, opened
from .options import AsJson, Yes, confirmed
from .output import Output, table
from .reports import moment

if TYPE_CHECKING:
    from ..host.host import Host
    from ..host.workflow.file import Workflow

HUB = "http://127.0.0.1:8765"
_TIME = re.compile(r"(\d{1,6})([mhd])\Z")
_SECONDS = {"m": 60.0, "h": 3600.0, "d": 86400.0}

links = typer.Typer(no_args_is_help=True, help="Links that were made for end users.")


def link(
    owner: Annotated[str, typer.Option("--for", metavar="OWNER", help="Whose account it will be, as you call them.")],
    connector: Annotated[str | None, typer.Option(help="The connector, when several are installed.")] = None,
    types: Annotated[
        list[str] | None, typer.Option("--type", help="A connection type they may choose. Repeatable.")
    ] = None,
    app: Annotated[str, typer.Option(help="Your stored OAuth app (`apps add`) that they allow.")] = "",
    actions: Annotated[
        list[str] | None, typer.Option("--action", help="An action or trigger it is for. Repeatable.")
    ] = None,
    workflow: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A workflow file; it is for all that this asks.")
    ] = None,
    name: Annotated[str, typer.Option(help="What the connection will be called; after its owner when left out.")] = "",
    expires: Annotated[str, typer.Option(metavar="TIME", help="How long it is good: 1m to 30d.")] = "1h",
    return_url: Annotated[str, typer.Option(metavar="URL", help="Where they can go back to.")] = "",
    hub: Annotated[
        str, typer.Option(metavar="URL", help=f"Where the Hub is; WORKFLOW_HOST_PUBLIC_URL, else {HUB}.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Make a link by which an end user links their account in the Hub. It is shown this once, and is good for one
    account."""
    from ..host.connect_sessions import ConnectSessions, link_to
    from ..host.workflow.file import load_workflow

    out = Output(as_json)
    seconds = duration(expires)
    with opened(out) as host:
        manifests = host.registry.manifests
        flow = load_workflow(workflow, manifests) if workflow else None
        manifest = _connector(manifests, connector, flow)
        asked = asked_of(manifest.id, flow, manifests) if flow else ()
        session, token = ConnectSessions(host).make(
            owner,
            manifest.id,
            types=types or (),
            app=app,
            actions=list(dict.fromkeys([*(name.removeprefix(f"{manifest.id}.") for name in actions or ()), *asked])),
            name=name,
            return_url=return_url,
            seconds=seconds,
        )
        url = link_to(hub.rstrip("/") or host.settings.public_url or HUB, token)
    out.say(f"Whoever has this link can link one account for {session.owner}, once, within {expires}.")
    out.result({"url": url, **session.as_dict()}, lambda: print(url))


def _connector(manifests: Manifests, named: str | None, flow: "Workflow | None") -> Manifest:
    """The one named, the only one there is or that the workflow uses. Raises InputError and NotFoundError."""
    used = [named] if named else list(manifests)
    if len(used) > 1 and flow:
        used = list(flow.connectors)
    return find_named(manifests, used[0]) if len(used) == 1 else find_connector(manifests, None)


@links.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the links; their secret part is not kept and can't be shown."""
    from ..host.connect_sessions import ConnectSessions

    out = Output(as_json)
    with opened(out) as host:
        found = [session.as_dict() for session in ConnectSessions(host).all()]
        names = _names(host)
    columns = ("id", "for", "connector", "status", "expires", "connection")
    rows = [[item[key] for key in ("id", "owner", "connector", "status")] for item in found]
    ends = [[moment(item["expires_at"]), names.get(item["connection"], "")] for item in found]
    rows = [[*row, *end] for row, end in zip(rows, ends, strict=True)]
    out.result(found, lambda: table(columns, rows, empty="There are no links yet. `link` makes one."))


@links.command("revoke")
def revoke(
    identity: Annotated[str, typer.Argument(metavar="ID", help="The link's id, as `links list` shows it.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """End a link before its time. What was linked by it stays."""
    from ..host.connect_sessions import ConnectSessions

    out = Output(as_json)
    with opened(out) as host:
        session = ConnectSessions(host).get(identity)
        if not confirmed(f"Revoke the link for {session.owner!r}?", yes=yes, out=out):
            raise typer.Exit(0)
        session = ConnectSessions(host).revoke(identity)
    out.result(session.as_dict(), lambda: print(f"The link for {session.owner!r} is {session.status}."))


def duration(text: str) -> float:
    """Seconds of a time such as 30m, 12h or 7d. Raises InputError."""
    found = _TIME.match(text)
    if not found:
        raise InputError("The link was not made.", [Problem("must be such as 30m, 12h or 7d", path="--expires")])
    return int(found[1]) * _SECONDS[found[2]]


def _names(host: "Host") -> dict[str | None, str]:
    return {connection.id: connection.name for connection in host.connections.all()}
