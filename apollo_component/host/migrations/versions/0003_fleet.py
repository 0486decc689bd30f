"""Several keys, of which one is current; quotas in one row an operation; the processes that drive durable runs.

What was learnt of quotas before is learnt anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("host_keys", sa.Column("state", sa.String(length=10), nullable=False, server_default="current"))
    op.add_column("host_keys", sa.Column("retired_at", sa.Float(), nullable=True))
    op.create_table(
        "host_workers",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("machine", sa.String(length=200), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.Float(), nullable=False),
        sa.Column("beat_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "host_quotas",
        sa.Column("scope", sa.String(length=100), nullable=False),
        sa.Column("operation", sa.String(length=100), nullable=False),
        sa.Column("state_json", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "operation"),
    )
    op.drop_table("host_permits")
    op.drop_table("host_windows")
