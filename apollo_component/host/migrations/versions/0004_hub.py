"""What people link in the browser: attempts that survive a closed window, connect sessions of end users, tokens of
host applications; whose connection it is; which runs any worker may drive; and indexes for long lists of runs.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("host_connections", sa.Column("owner", sa.String(length=200), nullable=False, server_default=""))
    op.add_column("host_runs", sa.Column("unattended", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE host_runs SET unattended = TRUE WHERE subscription <> ''")
    op.drop_index(op.f("ix_host_runs_workflow"), "host_runs")
    op.create_index("host_runs_by_age", "host_runs", ["created_at", "id"])
    for column in ("status", "workflow", "kind"):
        op.create_index(f"host_runs_by_{column}", "host_runs", [column, "created_at", "id"])
    costs = sa.text("(worst IS NULL OR worst <> 0)")
    columns = ["sent_at", "run", "action", "spent", "worst"]
    op.create_index("host_journal_costs", "host_journal", columns, sqlite_where=costs, postgresql_where=costs)
    op.create_table(
        "host_connect_sessions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("connector", sa.String(length=100), nullable=False),
        sa.Column("types_json", sa.Text(), nullable=False),
        sa.Column("app_id", sa.String(length=32), nullable=True),
        sa.Column("actions_json", sa.Text(), nullable=False),
        sa.Column("return_url", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("opened_at", sa.Float(), nullable=True),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.Column("connection_id", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_table(
        "host_attempts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("session", sa.String(length=32), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("connector", sa.String(length=100), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("connection_id", sa.String(length=32), nullable=True),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.Column("app_id", sa.String(length=32), nullable=True),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("scopes_json", sa.Text(), nullable=False),
        sa.Column("actions_json", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("result_json", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("ends_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_host_attempts_state_hash"), "host_attempts", ["state_hash"])
    op.create_table(
        "host_api_tokens",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=True),
        sa.Column("used_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        sa.UniqueConstraint("token_hash"),
    )
