"""Commands about connections: link, list, test, move, remove."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..contract.errors import InputError
from ..contract.models import TestReport
from .linking import Linked, Wanted, by_browser, by_import, by_key
from .naming import action_ids, find_type, opened
from .options import AsJson, For, SecretFile, Yes, confirmed, pairs
from .output import Output, table
from .reports import EXIT, moment, place, show, show_connections

if TYPE_CHECKING:
    from ..host.connections import Connection
    from ..host.host import Host


def connect(
    kind: Annotated[str, typer.Argument(metavar="TYPE", help="The connection type, such as api_key or oauth2.")],
    name: Annotated[str, typer.Option(help="What you call the connection.")],
    connector: Annotated[str | None, typer.Option(help="The connector, when several have this type.")] = None,
    given: Annotated[
        list[str] | None, typer.Option("--field", metavar="NAME=VALUE", help="A field of the form; no secrets.")
    ] = None,
    secret_file: SecretFile = None,
    app: Annotated[str | None, typer.Option(help="A stored OAuth app (`apps add`).")] = None,
    redirect_uri: Annotated[str, typer.Option(help="Where the service sends the browser back to.")] = "",
    paste: Annotated[bool, typer.Option("--paste", help="Don't listen; paste the final address here.")] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Don't open a browser; print the address.")] = False,
    scopes: Annotated[list[str] | None, typer.Option("--scope", help="An OAuth scope to ask for. Repeatable.")] = None,
    actions: For = None,
    import_credential: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Take over tokens made elsewhere (JSON file).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Link an account. A key is tested before it is stored; OAuth goes through your browser.

    Secrets come from a hidden prompt, a file or the environment, never from the command line. Linking again under
    the same name gives the connection a new credential and keeps its id.
    """
    from ..host.connections import check_name

    out = Output(as_json)
    with opened(out) as host:
        check_name(name)
        manifest, chosen = find_type(host.registry.manifests, kind, connector)
        ids = action_ids(host.registry.manifests, actions, manifest.id)
        fields = pairs(given, "--field")
        wanted = Wanted(host, out, manifest, chosen, name, fields, secret_file, ids, redirect_uri)
        if chosen.oauth is None and (app or import_credential or redirect_uri or scopes):
            raise InputError("--app, --redirect-uri, --scope and --import-credential are for OAuth connections.")
        if import_credential:
            linked = by_import(wanted, import_credential, app)
        elif chosen.oauth:
            linked = by_browser(wanted, app, scopes, paste=paste, browser=not no_browser)
        else:
            linked = by_key(wanted)
    _tell(out, linked)


def _tell(out: Output, linked: Linked) -> None:
    connection, report = linked

    def people() -> None:
        print(f"The connection {connection.name!r} is stored. {place(connection.as_dict())}")
        show(report)

    out.result({"connection": connection.as_dict(), "test": report.as_dict()}, people)
    raise typer.Exit(EXIT[report.verdict])


connections = typer.Typer(
    invoke_without_command=True,
    help="List the connections, or what happened to one of them.",
    epilog="`connections move NAME` says which servers a connection belongs to.",
)


@connections.callback()
def list_(
    context: typer.Context,
    history: Annotated[str | None, typer.Option(metavar="NAME", help="What happened to this connection.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the connections, or what happened to one of them."""
    if context.invoked_subcommand:
        return
    out = Output(as_json)
    with opened(out) as host:
        if history:
            events = host.connections.history(host.connections.get(history))
            rows = [(moment(item["at"]), item["event"], item["text"]) for item in events]
            out.result(events, lambda: table(("at", "event", "text"), rows))
        else:
            stored = host.connections.all()
            found = [item.as_dict() for item in stored]
            here = [host.connections.is_here(item) for item in stored]
            out.result(found, lambda: show_connections(found, here))


@connections.command("move")
def move(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The connection.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Let a connection belong to the servers that requests go to now. Nothing is sent.

    For one that was stored before its server was, and for a service with a new address. From then on its credential,
    and the secret of its OAuth app, go to these servers and to no others.
    """
    from ..host import linking
    from ..host.servers import told

    out = Output(as_json)
    with opened(out) as host:
        connection, there = host.connections.get(name), told(host.connections.servers_now(name))
        if host.connections.is_here(connection):
            out.result({"connection": connection.as_dict()}, lambda: print(f"{name!r} belongs to {there} already."))
            return
        question = f"{name!r} belongs to {told(connection.servers)}. Send its credential to {there} from now on?"
        if not confirmed(question, yes=yes, out=out):
            raise typer.Exit(0)
        moved = linking.move(host, name)
    out.result({"connection": moved.as_dict()}, lambda: print(f"{moved.name!r} belongs to {there} now."))


def test(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The connection.")],
    actions: For = None,
    strict: Annotated[bool, typer.Option("--strict", help="A missing right that the test needs refuses.")] = False,
    as_json: AsJson = False,
) -> None:
    """Test a connection: does it work, whose account is it, and may it run these actions? Costs no credits.

    Exit code 0 for connected and limited, 3 for refused, 6 for unreachable.
    """
    from ..host.linking import test_stored

    out = Output(as_json)
    with opened(out) as host:
        connector = host.connections.get(name).connector
        ids = action_ids(host.registry.manifests, actions, connector)
        connection, report = test_stored(host, name, ids, strict=strict)
    _tell_test(out, report, connection.as_dict())


def _tell_test(out: Output, report: TestReport, connection: dict[str, object]) -> None:
    def people() -> None:
        print(place(connection))
        show(report)

    out.result({**report.as_dict(), "connection": connection}, people)
    raise typer.Exit(EXIT[report.verdict])


def refresh(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="The connection; all that are due.")] = None,
    as_json: AsJson = False,
) -> None:
    """Refresh a connection's tokens now, or those of every connection that is due.

    Runs refresh what they use, and `workflow worker` what nobody uses. Without a worker, run this once a day so that
    no connection dies of age. A connection by key has nothing to refresh.
    """
    from ..host.keeping import keep, kept

    out = Output(as_json)
    with opened(out) as host:
        done = [kept(host, _refreshable(host, name), now=True)] if name else keep(host)
    rows = [(one.connection.name, one.text) for one in done]
    out.result([one.as_dict() for one in done], lambda: table(("connection", "result"), rows, empty="Nothing is due."))
    raise typer.Exit(next((one.error.exit_code for one in done if one.error), 0))


def _refreshable(host: "Host", name: str) -> "Connection":
    found = host.connections.get(name)
    if host.registry.manifest(found.connector).connection_types[found.type].oauth is None:
        raise InputError(f"{name!r} is a connection by key; there is nothing to refresh.")
    return found


def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The connection.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Remove a connection and its secret, and tell what stays at the service."""
    from ..host.dependents import removal, users

    out = Output(as_json)
    with opened(out) as host:
        connection = host.connections.get(name)
        if used := users(host, connection.id):
            out.warn(f"Enabled workflows use it and will fail until they are enabled with another: {', '.join(used)}.")
        if not confirmed(f"Remove the connection {connection.name!r}?", yes=yes, out=out):
            raise typer.Exit(0)
        text = removal(host, connection)
        host.connections.remove(connection)

    def people() -> None:
        print(f"The connection {connection.name!r} was removed.")
        print(text)

    out.result({"removed": connection.as_dict(), "text": text}, people)
