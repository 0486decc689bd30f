"""Which of several keys is current, and which were retired when."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("host_keys", sa.Column("state", sa.String(length=10), nullable=False, server_default="current"))
    op.add_column("host_keys", sa.Column("retired_at", sa.Float(), nullable=True))
