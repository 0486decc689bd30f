"""`python -m apollo_component.sandbox`: starts a sandbox and says how to reach it."""

import argparse
import os
import socket
import sys
from collections.abc import Callable, Sequence
from typing import IO, Any

import orjson

from .app import Sandbox
from .server import HOST, SandboxServer, bind
from .state import DEFAULT_PEOPLE, Options


def announcement(sandbox: Sandbox, port: int) -> dict[str, Any]:
    """Everything a client needs: addresses, keys, the registered application, sizes."""
    base, state = f"http://{HOST}:{port}", sandbox.state
    app = state.tokens.app
    return {
        "api_url": f"{base}/api/v1",
        "oauth_url": base,
        "control_url": f"{base}/_sandbox",
        "keys": state.keys.secrets,
        "oauth": {
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "redirect_uris": list(app.redirect_uris),
        },
        "people": len(state.world.directory.people),
        "companies": len(state.world.directory.companies),
        "contacts": len(state.world.contacts.records),
        "pid": os.getpid(),
    }


def greeting(facts: dict[str, Any]) -> str:
    """The same for people."""
    keys = "\n".join(f"  {name:<22} {value}" for name, value in facts["keys"].items())
    redirects = "\n".join(f"  redirect_uri           {uri}" for uri in facts["oauth"]["redirect_uris"])
    return f"""A local Apollo with {facts["people"]:,} made-up people in {facts["companies"]:,} companies.

  export APOLLO_API_URL={facts["api_url"]}
  export APOLLO_OAUTH_URL={facts["oauth_url"]}

API keys
{keys}

OAuth application
  client_id              {facts["oauth"]["client_id"]}
  client_secret          {facts["oauth"]["client_secret"]}
{redirects}

Control (tests only)     {facts["control_url"]}
Stop with Ctrl+C (process {facts["pid"]}).
"""


def serve(
    *,
    sock: socket.socket,
    seed: int = 1,
    people: int = DEFAULT_PEOPLE,
    redirect_uris: Sequence[str] = (),
    as_json: bool = False,
    out: IO[str] | None = None,
) -> int:
    """Runs a sandbox on a listening socket until it is told to stop; says how to reach it."""
    out = out or sys.stdout
    sandbox = Sandbox(Options(seed, people, tuple(redirect_uris)))
    server = SandboxServer(sandbox)
    facts = announcement(sandbox, sock.getsockname()[1])
    out.write(orjson.dumps(facts).decode() + "\n" if as_json else greeting(facts))
    out.flush()
    server.run(sockets=[sock])
    return 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="apollo_component.sandbox", description=__doc__)
    made.add_argument("--port", type=int, default=0, help="0, the default, takes a free port")
    made.add_argument("--seed", type=int, default=1, help="the same seed makes the same world (default 1)")
    made.add_argument("--people", type=int, default=DEFAULT_PEOPLE, help=f"default {DEFAULT_PEOPLE}")
    made.add_argument("--redirect-uri", action="append", default=[], metavar="URI", help="repeatable")
    made.add_argument("--json", action="store_true", help="print one line of JSON")
    return made


def main(argv: Sequence[str] | None = None, opened: Callable[[int], socket.socket] | None = None) -> int:
    """The command; returns its exit status. With `opened` the port is opened, or refused, by who calls this."""
    chosen = parser().parse_args(argv)
    return serve(
        sock=(opened or _bound)(chosen.port),
        seed=chosen.seed,
        people=chosen.people,
        redirect_uris=chosen.redirect_uri,
        as_json=chosen.json,
    )


def _bound(port: int) -> socket.socket:
    try:
        return bind(port)
    except (OSError, OverflowError):
        parser().error(f"argument --port: {port} is in use or is no port: choose another, or 0 for a free one")


if __name__ == "__main__":
    sys.exit(main())
