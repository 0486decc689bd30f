"""Schema migrations by Alembic; forward only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from ...contract.errors import StoreError

if TYPE_CHECKING:
    from ..store import Store


def upgrade(store: Store, to: str = "head", scripts: Path = Path(__file__).parent) -> None:
    """Bring a database to the newest schema, in one transaction that has it to itself; of two processes that come
    together the second finds it done, and one that fails leaves it as it was. Raises StoreError when it is from a newer
    version.

    `to` is another revision, for stored databases of old schemas; `scripts` the folder of the migrations.
    """
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    revision = store.revision()
    if revision is not None and revision not in known:
        raise StoreError(
            f"The database has schema {revision}, which this version doesn't know.",
            hint="It was used by a newer version; install that version, or choose another WORKFLOW_HOST_HOME.",
        )
    with store.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, to)
