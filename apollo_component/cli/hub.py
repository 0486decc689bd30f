"""The command that serves the Hub, beside a sandbox if wanted."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..contract.errors import InputError
from .naming import opened
from .options import AsJson
from .output import Output, line
from .sandboxing import needed, started
from .workflows import leave

if TYPE_CHECKING:
    from ..host.host import Host
    from ..hub.hub import Hub

PORT = 8765


def hub(
    port: Annotated[int, typer.Option(help="The port on this machine (0 takes a free one).")] = PORT,
    with_sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Start a sandbox beside it, with a database that goes away at the end.")
    ] = False,
    workflows: Annotated[
        Path | None, typer.Option(file_okay=False, exists=True, metavar="FOLDER", help="Workflow files to offer.")
    ] = None,
    worker: Annotated[
        bool,
        typer.Option("--worker/--no-worker", help="Drive runs here too, or leave that to `workflow worker`."),
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Serve the Hub: choose actions, link accounts, try things and watch runs in the browser.

    It listens on 127.0.0.1 only and prints a link that signs one browser in. Behind a proxy with TLS, say with
    WORKFLOW_HOST_PUBLIC_URL where it is reached. WORKFLOW_HUB_NAME, _ACCENT and _LOGO change its look. Runs and
    enabled workflows go on here, or wherever a `workflow worker` shares the database; what is under way when it stops
    goes on with the next.
    """
    from ..host.ports import opened as listening

    out = Output(as_json)

    def served() -> int:
        with listening(port) as sock, contextlib.ExitStack() as stack:
            address = f"http://127.0.0.1:{sock.getsockname()[1]}"
            facts = stack.enter_context(_beside(address)) if with_sandbox else None
            host = stack.enter_context(opened(out))
            folder = _examples() if workflows is None and with_sandbox else workflows
            _serve(_hub(host, out, address, folder, worker=worker), sock, facts, out)
        return 0

    leave(out, served)


def _examples() -> Path:
    from ..contract.loading import root_of

    return root_of(Path(__file__).parent.parent) / "examples"


def _hub(host: "Host", out: Output, address: str, workflows: Path | None, *, worker: bool) -> "Hub":
    from ..host.workflow.beside import WorkerBeside
    from ..hub.hub import Hub, Look
    from ..hub.sessions import Sessions

    public = host.settings.public_url or address

    def announce(token: str) -> None:
        url = f"{public}/sign-in#{token}"
        if out.as_json:
            line({"sign_in": url})
            sys.stdout.flush()
        else:
            out.say(f"Sign in (works once): {url}")

    def tell(text: str) -> None:
        out.facts({"worker": text}, text)

    look, sessions = Look.from_environment(os.environ), Sessions(announce, host.clock)
    return Hub(host, sessions, public, look, workflows, worker=WorkerBeside(host, tell) if worker else None)


def _serve(hub: "Hub", sock: Any, facts: dict[str, Any] | None, out: Output) -> None:
    from ..hub.app import application
    from ..hub.server import server

    serving = server(application(hub))
    if facts:
        _introduce(hub, facts, out)
    out.say(f"The Hub is at {hub.address}. Stop it with Ctrl-C.")
    hub.sessions.offer()

    def stop(*_: object) -> None:
        """What runs may end for a while, unless it is told once more."""
        serving.should_exit = True
        if hub.worker:
            hub.worker.stop()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, stop)
    if hub.worker:
        hub.worker.start()
    thread = threading.Thread(target=serving.run, kwargs={"sockets": [sock]}, name="hub", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.5)
    while hub.worker and not hub.worker.join(0.2):
        continue


@contextlib.contextmanager
def _beside(address: str) -> Iterator[dict[str, Any]]:
    """A sandbox whose app sends people back to this Hub, and a home that goes away with it."""
    import tempfile

    needed()
    if os.environ.get("WORKFLOW_HOST_PUBLIC_URL"):
        raise InputError("--sandbox is for this machine; unset WORKFLOW_HOST_PUBLIC_URL.")
    with (
        tempfile.TemporaryDirectory(prefix="hub-sandbox-") as home,
        started("--redirect-uri", f"{address}/callback") as facts,
    ):
        os.environ.update(WORKFLOW_HOST_HOME=home, APOLLO_API_URL=facts["api_url"], APOLLO_OAUTH_URL=facts["oauth_url"])
        for name in ("WORKFLOW_HOST_DATABASE_URL", "WORKFLOW_HOST_KEY", "WORKFLOW_HOST_OLD_KEYS"):
            os.environ.pop(name, None)
        yield facts


def _introduce(hub: "Hub", facts: dict[str, Any], out: Output) -> None:
    """The sandbox's OAuth app is stored; its keys are shown, since they are made up."""
    from ..contract.models import OAuthApp

    told = facts["oauth"]
    hub.host.apps.add("Sandbox app", "apollo", OAuthApp(told["client_id"], told["client_secret"], (hub.redirect_uri,)))
    if out.as_json:
        line({"sandbox": {name: facts[name] for name in ("api_url", "oauth_url", "control_url", "keys", "oauth")}})
        return
    out.say("A sandbox runs beside it. API keys to try, all made up:")
    for name, key in facts["keys"].items():
        out.say(f"  {name}: {key}")
    out.say("For OAuth choose the stored app `Sandbox app`.")
