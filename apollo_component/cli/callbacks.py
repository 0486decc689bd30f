"""The command that receives what services deliver later."""

import signal
import threading
from typing import Annotated

import typer

from .naming import opened
from .options import AsJson
from .output import Output

PORT = 8766


def callbacks(
    port: Annotated[int, typer.Option(help="The port on this machine (0 takes a free one).")] = PORT,
    as_json: AsJson = False,
) -> None:
    """Receive late results, such as phone numbers, until it is stopped.

    It listens on 127.0.0.1 only: lead WORKFLOW_HOST_PUBLIC_URL, an https address, to it. While that variable is set,
    runs ask for delivery there; without it, and when nothing comes, results are fetched.
    """
    from ..host.callbacks import serve

    out, stop = Output(as_json), threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    with opened(out) as host, serve(host, port) as address:
        public = host.settings.public_url
        told = f"Listening on {address}, reached from outside as {public}." if public else f"Listening on {address}."
        out.result({"address": address, "public_url": public or None}, lambda: print(told))
        if not public:
            out.warn("WORKFLOW_HOST_PUBLIC_URL isn't set, so no run asks for deliveries.")
        stop.wait()
