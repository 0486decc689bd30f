"""Commands about OAuth apps: a client registered at a service, kept once and used by many connections."""

from typing import Annotated

import typer

from ..contract.models import OAuthApp
from ..host.servers import told
from .naming import find_connector, opened
from .options import AsJson, SecretFile, Yes, confirmed, secret
from .output import Output, table

apps = typer.Typer(no_args_is_help=True, help="OAuth apps that connections use.")


@apps.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you call the app.")],
    client_id: Annotated[str, typer.Option(help="The client id the service gave the app.")],
    connector: Annotated[str | None, typer.Option(help="The connector, when several use OAuth.")] = None,
    redirect_uri: Annotated[
        list[str] | None, typer.Option(metavar="URI", help="A redirect address, exactly as registered. Repeatable.")
    ] = None,
    secret_file: SecretFile = None,
    as_json: AsJson = False,
) -> None:
    """Store an app. Its secret comes from a hidden prompt, a file or the environment."""
    out = Output(as_json)
    with opened(out) as host:
        manifest = find_connector(host.registry.manifests, connector)
        value = secret(manifest.id, "client_secret", "Client secret", secret_file, out)
        host.apps.add(name, manifest.id, OAuthApp(client_id, value, tuple(redirect_uri or ())))
        stored = next(item for item in host.apps.all() if item["name"] == name)
    out.result(stored, lambda: print(f"The app {name!r} is stored."))


@apps.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the apps; secrets are never shown."""
    out = Output(as_json)
    with opened(out) as host:
        found = host.apps.all()
    columns = ("name", "connector", "client_id", "server", "redirect_uris", "connections")
    shown = [{**item, "server": ("sandbox, " if item["sandbox"] else "") + told(item["servers"])} for item in found]
    rows = [[", ".join(item[key]) if isinstance(item[key], list) else item[key] for key in columns] for item in shown]
    out.result(found, lambda: table(columns, rows, empty="There are no apps yet. `apps add` stores one."))


@apps.command("remove")
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The app.")], yes: Yes = False, as_json: AsJson = False
) -> None:
    """Remove an app that no connection uses."""
    out = Output(as_json)
    with opened(out) as host:
        host.apps.check(name)
        if not confirmed(f"Remove the app {name!r}?", yes=yes, out=out):
            raise typer.Exit(0)
        host.apps.remove(name)
    out.result({"removed": name}, lambda: print(f"The app {name!r} was removed."))
