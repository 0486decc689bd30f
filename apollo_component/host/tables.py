"""The host's tables. Times are seconds since 1970 in UTC; `*_json` columns hold JSON text; secrets are sealed."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    false,
    text,
)

from .column_types import String, Text

HEAD = "0005"
"""The newest migration; a database that names another is upgraded or, when unknown, refused."""

COSTS = text("(worst IS NULL OR worst <> 0)")
"""What the journal's rows that may cost have in common, word for word as their index has it."""

metadata = MetaData()

keys = Table(
    "host_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("check_value", String(64), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("state", String(10), nullable=False, server_default="current"),
    Column("retired_at", Float),
)

apps = Table(
    "host_apps",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(200), unique=True),
    Column("connector", String(100), nullable=False),
    Column("client_id", String(500), nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("redirect_uris_json", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("servers_json", Text),
)

connections = Table(
    "host_connections",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(200), unique=True, nullable=False),
    Column("connector", String(100), nullable=False),
    Column("type", String(100), nullable=False),
    Column("app_id", String(32), ForeignKey("host_apps.id")),
    Column("status", String(40), nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("since", Float, nullable=False),
    Column("version", Integer, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("scopes_json", Text),
    Column("issued_at", Float),
    Column("expires_at", Float),
    Column("refresh_sent_at", Float),
    Column("account_json", Text, nullable=False, default="{}"),
    Column("missed_json", Text, nullable=False, default="{}"),
    Column("tested_at", Float),
    Column("created_at", Float, nullable=False),
    Column("owner", String(200), nullable=False, server_default=""),
    Column("servers_json", Text),
)

history = Table(
    "host_history",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("connection_id", String(32), nullable=False, index=True),
    Column("at", Float, nullable=False),
    Column("event", String(40), nullable=False),
    Column("text", Text, nullable=False),
)

leases = Table(
    "host_leases",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("owner", String(100), nullable=False),
    Column("version", Integer, nullable=False),
    Column("until", Float, nullable=False),
)

workers = Table(
    "host_workers",
    metadata,
    Column("id", String(100), primary_key=True),
    Column("machine", String(200), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("slots", Integer, nullable=False),
    Column("began_at", Float, nullable=False),
    Column("beat_at", Float, nullable=False),
)

quotas = Table(
    "host_quotas",
    metadata,
    Column("scope", String(100), primary_key=True),
    Column("operation", String(100), primary_key=True),
    Column("state_json", Text, nullable=False),
)

runs = Table(
    "host_runs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("title", String(200), nullable=False),
    Column("status", String(40), nullable=False),
    Column("detail_json", Text, nullable=False, default="{}"),
    Column("text", Text, nullable=False, default=""),
    Column("inputs_json", Text, nullable=False, default="{}"),
    Column("budget", Float),
    Column("engine_id", String(80), nullable=False, default=""),
    Column("workflow", String(200), nullable=False, default=""),
    Column("subscription", String(32), nullable=False, default=""),
    Column("unattended", Boolean, nullable=False, default=False, server_default=false()),
    Index("host_runs_of", "subscription", "status"),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    Column("ended_at", Float),
    Index("host_runs_by_age", "created_at", "id"),
    Index("host_runs_by_status", "status", "created_at", "id"),
    Index("host_runs_by_workflow", "workflow", "created_at", "id"),
    Index("host_runs_by_kind", "kind", "created_at", "id"),
)

steps = Table(
    "host_steps",
    metadata,
    Column("run", String(64), primary_key=True),
    Column("step", String(100), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("status", String(40), nullable=False),
    Column("summary_json", Text, nullable=False, default="{}"),
)

journal = Table(
    "host_journal",
    metadata,
    Column("run", String(64), primary_key=True),
    Column("step", String(100), primary_key=True),
    Column("item", String(40), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("action", String(100), nullable=False),
    Column("effect", String(10), nullable=False),
    Column("state", String(20), nullable=False),
    Column("owner_version", Integer, nullable=False),
    Column("worst", Float),
    Column("spent", Float),
    Column("paid_twice", Float, nullable=False, default=0),
    Column("sent_at", Float, nullable=False),
    Column("received_at", Float),
    Column("status_code", Integer),
    Column("headers_json", Text),
    Column("body", LargeBinary),
    Column("note", Text, nullable=False, default=""),
    Index(
        "host_journal_costs", "sent_at", "run", "action", "spent", "worst", sqlite_where=COSTS, postgresql_where=COSTS
    ),
)

records = Table(
    "host_records",
    metadata,
    Column("run", String(64), primary_key=True),
    Column("step", String(100), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("json", Text, nullable=False),
)

subscriptions = Table(
    "host_subscriptions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(200), unique=True, nullable=False),
    Column("text", Text, nullable=False),
    Column("connections_json", Text, nullable=False),
    Column("inputs_json", Text, nullable=False),
    Column("budget", Float),
    Column("enabled", Boolean, nullable=False),
    Column("since", Float),
    Column("cursor", Text),
    Column("sweep", Integer, nullable=False, default=0),
    Column("swept", Integer, nullable=False, default=0),
    Column("full_at", Float, nullable=False, default=0),
    Column("next_at", Float, nullable=False),
    Column("polled_at", Float),
    Column("failures", Integer, nullable=False, default=0),
    Column("error_json", Text, nullable=False, default="{}"),
    Column("looked_json", Text, nullable=False, default="{}", server_default="{}"),
    Column("created_at", Float, nullable=False),
)

seen = Table(
    "host_seen",
    metadata,
    Column("subscription", String(32), primary_key=True),
    Column("record", String(200), primary_key=True),
    Column("version", String(200), nullable=False),
    Column("mark", String(64), nullable=False),
    Column("count", Integer, nullable=False),
    Column("sweep", Integer, nullable=False),
    Column("at", Float, nullable=False),
)

deliveries = Table(
    "host_deliveries",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("run", String(64), nullable=False),
    Column("step", String(100), nullable=False),
    Column("item", String(40), nullable=False),
    Column("connection", String(32), nullable=False),
    Column("source", String(100), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("received_at", Float),
    Column("body", LargeBinary),
    Index("host_deliveries_of", "run", "step", "item"),
)

connect_sessions = Table(
    "host_connect_sessions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("owner", String(200), nullable=False),
    Column("name", String(200), nullable=False),
    Column("connector", String(100), nullable=False),
    Column("types_json", Text, nullable=False),
    Column("app_id", String(32)),
    Column("actions_json", Text, nullable=False),
    Column("return_url", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("opened_at", Float),
    Column("ended_at", Float),
    Column("connection_id", String(32)),
)

attempts = Table(
    "host_attempts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("browser_hash", String(64), nullable=False),
    Column("state_hash", String(64), nullable=False, index=True),
    Column("session", String(32), nullable=False),
    Column("owner", String(200), nullable=False),
    Column("name", String(200), nullable=False),
    Column("connector", String(100), nullable=False),
    Column("type", String(100), nullable=False),
    Column("connection_id", String(32)),
    Column("again", Boolean, nullable=False),
    Column("app_id", String(32)),
    Column("redirect_uri", Text, nullable=False),
    Column("scopes_json", Text, nullable=False),
    Column("actions_json", Text, nullable=False),
    Column("status", String(20), nullable=False),
    Column("result_json", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("ends_at", Float, nullable=False),
    Column("servers_json", Text),
)

api_tokens = Table(
    "host_api_tokens",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float),
    Column("used_at", Float),
)
