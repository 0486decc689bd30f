"""Schema migrations by Alembic; forward only."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from ...contract.errors import StoreError


def upgrade(engine: sa.Engine, revision: str | None) -> None:
    """Bring a database to the newest schema. Raises StoreError when it is from a newer version."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreError(
            f"The database has schema {revision}, which this version doesn't know.",
            hint="It was used by a newer version; install that version, or choose another WORKFLOW_HOST_HOME.",
        )
    config.attributes["engine"] = engine
    command.upgrade(config, "head")
