"""Copy the database, and go on from a copy."""

from pathlib import Path
from typing import Annotated

import typer

from .naming import opened
from .options import AsJson, Yes, confirmed
from .output import Output

File = Annotated[Path, typer.Argument(metavar="FILE", help="A file that isn't there yet.")]
Put = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A backup; leave it out after pg_restore.")]


def backup(file: File, as_json: AsJson = False) -> None:
    """Copy a SQLite database to a new file, while others go on writing. The key is not in it."""
    from ..host.backups import back_up
    from ..host.key_files import KEY_FILE

    out = Output(as_json)
    with opened(out) as host:
        back_up(host.store, file)
        key = host.settings.home / KEY_FILE
        where = "WORKFLOW_HOST_KEY" if host.settings.key else str(key)
    told = f"Saved as {file}. It is of no use without the key ({where}): keep a copy of that elsewhere."
    out.result({"file": str(file), "bytes": file.stat().st_size, "key": where}, lambda: print(told))


def restore(file: Put = None, yes: Yes = False, as_json: AsJson = False) -> None:
    """Go on from a backup: runs that hadn't ended wait for your decision, enabled workflows are paused.

    A FILE is put where a SQLite database belongs, if none is there. For PostgreSQL use pg_restore, then this without a
    file. Stop every process of the host before.
    """
    from ..host.backups import put_back, settle
    from ..host.settings import Settings
    from ..host.store import parsed_url

    out = Output(as_json)
    if not confirmed("Is no process of the host running, and go on from this backup?", yes=yes, out=out):
        raise typer.Exit(0)
    if file is not None:
        put_back(file, parsed_url(Settings.from_environment().database_url))
    with opened(out) as host:
        found = settle(host.store, host.clock)
    result = {"runs": list(found.runs), "workflows": list(found.workflows)}
    out.result(result, lambda: _told(found.runs, found.workflows))


def _told(runs: tuple[str, ...], workflows: tuple[str, ...]) -> None:
    print(f"Runs to decide on: {', '.join(runs) or 'none'}. Look at `runs show RUN` before you resume one.")
    print(f"Workflows paused: {', '.join(workflows) or 'none'}. `workflow enable FILE` lets one go on.")
