"""What is known of an operation's quota in one row; what was learnt before is learnt anew."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "host_quotas",
        sa.Column("scope", sa.String(length=100), nullable=False),
        sa.Column("operation", sa.String(length=100), nullable=False),
        sa.Column("state_json", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "operation"),
    )
    op.drop_table("host_permits")
    op.drop_table("host_windows")
