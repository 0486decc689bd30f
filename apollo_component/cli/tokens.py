"""Commands about tokens: what lets other programs use the Hub's JSON API."""

from typing import TYPE_CHECKING, Annotated

import typer

from .naming import opened
from .options import AsJson, Yes, confirmed
from .output import Output, table
from .reports import moment

if TYPE_CHECKING:
    from ..host.api_tokens import ApiTokens
    from ..host.host import Host

tokens = typer.Typer(no_args_is_help=True, help="Tokens for the Hub's JSON API.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="What you call the token.")]


@tokens.command("add")
def add(
    name: Name,
    days: Annotated[float | None, typer.Option(help="How long it is good; without it, until it is removed.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it, once. Only a hash of it is kept."""
    out = Output(as_json)
    with opened(out) as host:
        token, secret = _tokens(host).add(name, days)
    out.say(f"The token {name!r} is made. It is shown this once; whoever has it can do all that the Hub can.")
    out.result({**token.as_dict(), "token": secret}, lambda: print(secret))


@tokens.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the tokens, with when each was last used; none is shown."""
    out = Output(as_json)
    with opened(out) as host:
        found = [token.as_dict() for token in _tokens(host).all()]
    columns = ("name", "made", "expires", "used")
    rows = [(item["name"], *(moment(item[key]) for key in ("created_at", "expires_at", "used_at"))) for item in found]
    out.result(found, lambda: table(columns, rows, empty="There are no tokens yet. `tokens add` makes one."))


@tokens.command("remove")
def remove(name: Name, yes: Yes = False, as_json: AsJson = False) -> None:
    """Revoke a token: what uses it is refused from now on."""
    out = Output(as_json)
    with opened(out) as host:
        if not confirmed(f"Remove the token {name!r}?", yes=yes, out=out):
            raise typer.Exit(0)
        gone = _tokens(host).remove(name)
    out.result({"removed": gone.as_dict()}, lambda: print(f"The token {gone.name!r} was removed."))


def _tokens(host: "Host") -> "ApiTokens":
    from ..host.api_tokens import ApiTokens

    return ApiTokens(host.store, host.clock)
