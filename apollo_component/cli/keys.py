"""Commands about the host's keys: which there are, and changing to a new one."""

from typing import Annotated

import typer

from .naming import opened
from .options import AsJson
from .output import Output, table
from .reports import moment

keys = typer.Typer(no_args_is_help=True, help="The host's keys, with which stored secrets are sealed.")


@keys.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the keys by their ids, with how many secrets are under each. No key is ever shown."""
    from ..host.rotation import listed

    out = Output(as_json)
    with opened(out) as host:
        found = listed(host.store, host.connections.vault)
    rows = [
        (item["id"], item["state"], item["secrets"], "yes" if item["here"] else "no", moment(item["created_at"]))
        for item in found
    ]
    out.result(found, lambda: table(("key", "state", "secrets", "here", "made"), rows))


@keys.command("rotate")
def rotate(
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Only put the next key into the key file, to be copied to other machines.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Change to a new key while everything goes on: seal every secret anew, then retire the old key.

    Takes the key that was prepared, or the one in WORKFLOW_HOST_KEY, or makes one. Run it again after it was stopped:
    it finishes what was begun.
    """
    from ..host.rotation import Rotation

    out = Output(as_json)
    with opened(out) as host:
        rotation = Rotation(host.store, host.connections.vault, host.clock)
        if prepare:
            identity = rotation.prepare()
            text = f"Key {identity} lies ready in the key file. Copy that to every machine, then run `keys rotate`."
            out.result({"prepared": identity}, lambda: print(text))
            return
        steps = set()
        for progress in rotation.steps():
            steps.add(progress.step)
            out.facts({"step": progress.step, "done": progress.done, "total": progress.total}, progress.text)
        current = host.connections.vault.key_id
    text = f"Every secret is under key {current}."
    if not steps:
        text = f"Nothing to do: the current key is {current}. For a new one put it into WORKFLOW_HOST_KEY."
    elif not steps & {"began", "resumed"}:
        text = f"An earlier rotation is finished here: the current key is {current}. Run it again to begin another."
    out.result({"current": current, "steps": sorted(steps)}, lambda: print(text))
