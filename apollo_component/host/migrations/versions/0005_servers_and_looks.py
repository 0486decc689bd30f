"""Which servers connections, apps and attempts belong to: those that are stored belong to none until that is named. And
what the last look of a trigger saw.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for table in ("host_connections", "host_apps", "host_attempts"):
        op.add_column(table, sa.Column("servers_json", sa.Text(), nullable=True))
    looked = sa.Column("looked_json", sa.Text(), nullable=False, server_default="{}")
    op.add_column("host_subscriptions", looked)
