"""Stores a database of a schema for good: `python -m tests.host.stored.make REVISION` writes REVISION.sqlite.sql and
REVISION.postgres.sql beside this file. Run it once for each new schema, when that is released; never for an old one.
"""

import base64
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from apollo_component.contract.models import Window
from apollo_component.host.connections import app_place, credential_place
from apollo_component.host.migrations import upgrade
from apollo_component.host.quota import Party, Quota
from apollo_component.host.sealing import Key
from apollo_component.host.settings import Settings
from apollo_component.host.store import Store
from tests.postgres import started

HERE = Path(__file__).parent
KEY = bytes(range(32))
KEY_TEXT = base64.b64encode(KEY).decode()
AT = 1_790_000_000.0
SECRET = '{"access_token":"canary-access","refresh_token":"canary-refresh"}'
_key = Key(KEY)
_SERVERS = '{"api":"https://api.test","oauth":"https://login.test"}'
_APP = {"id": "app1", "name": "team", "connector": "demo", "client_id": "client-1", "version": 1, "created_at": AT,
        "redirect_uris_json": '["http://127.0.0.1:8765/callback"]', "servers_json": _SERVERS}  # fmt: skip
_LINK = {"id": "c1", "name": "theirs", "connector": "demo", "type": "oauth2", "app_id": "app1", "status": "active",
         "reason": "", "since": AT, "version": 3, "scopes_json": '["find_scope"]', "issued_at": AT,
         "expires_at": AT + 2592000, "missed_json": "{}", "created_at": AT,
         "account_json": '{"id":"u1","team_id":"t1","name":"Zo\u00eb","email":""}', "owner": "Acme",
         "servers_json": _SERVERS}  # fmt: skip
_QUOTA = Quota().granted("p1", Party(), AT).told("p1", [Window("day", 600, 599)], None, AT).granted("p2", Party(), AT)
_JOURNAL = {"run": "run1", "step": "enrich", "action": "pay", "effect": "bill", "owner_version": 1, "sent_at": AT}
ROWS: dict[str, list[dict[str, Any]]] = {
    "host_keys": [{"id": _key.id, "check_value": _key.check_value, "created_at": AT, "state": "current"}],
    "host_apps": [{**_APP, "secret": _key.seal(b"canary-client-secret", *app_place(_APP))}],
    "host_connections": [{**_LINK, "secret": _key.seal(SECRET.encode(), *credential_place(_LINK))}],
    "host_history": [{"id": 1, "connection_id": "c1", "at": AT, "event": "linked", "text": "linked by oauth2"}],
    "host_leases": [{"name": "run:run1", "owner": "", "version": 4, "until": 0.0}],
    "host_quotas": [{"scope": "team:t1", "operation": "find", "state_json": _QUOTA.dumps()}],
    "host_workers": [
        {"id": "here/1/0", "machine": "here", "pid": 1, "slots": 8, "began_at": AT, "beat_at": AT},
    ],
    "host_runs": [
        {"id": "run1", "kind": "workflow", "title": "Old run", "status": "waiting_for_budget", "text": "name: Old run",
         "detail_json": '{"step":"enrich"}', "inputs_json": '{"inputs":{"place":"Zo\u00eb"},"connections":{"a":"c1"}}',
         "budget": 20.0, "engine_id": "", "workflow": "Old run", "subscription": "s1", "unattended": True, "created_at": AT,
         "updated_at": AT},
    ],
    "host_steps": [
        {"run": "run1", "step": "enrich", "position": 0, "status": "unfinished", "summary_json": '{"requests":2}'},
    ],
    "host_journal": [
        {**_JOURNAL, "item": "0", "attempt": 1, "state": "received", "worst": 2.0, "spent": 2.0, "paid_twice": 0.0,
         "received_at": AT + 1, "status_code": 200, "headers_json": "{}", "body": b'{"records":[1]}', "note": ""},
        {**_JOURNAL, "item": "1", "attempt": 1, "state": "in_doubt", "worst": 2.0, "paid_twice": 0.0, "note": "lost"},
    ],
    "host_records": [{"run": "run1", "step": "enrich", "seq": 10_000_000_000, "json": '{"id":"p1"}'}],
    "host_subscriptions": [
        {"id": "s1", "name": "follow", "text": "name: follow", "connections_json": '{"a":"c1"}', "inputs_json": "{}",
         "budget": 5.0, "enabled": True, "since": None, "cursor": '{"at":7}', "sweep": 9, "swept": 8, "full_at": AT,
         "next_at": AT, "polled_at": AT, "failures": 0, "error_json": "{}", "created_at": AT, "looked_json": '{"requests":1,"seen":2,"warnings":[]}'},
    ],
    "host_seen": [
        {"subscription": "s1", "record": "r1", "version": "v1", "mark": "m", "count": 2, "sweep": 8, "at": AT},
    ],
    "host_deliveries": [
        {"token_hash": "0" * 64, "run": "run1", "step": "enrich", "item": "0", "connection": "c1", "source": "done",
         "created_at": AT, "expires_at": AT + 9e9, "received_at": AT, "body": b"{}"},
    ],
    "host_connect_sessions": [
        {"id": "s1", "token_hash": "1" * 64, "owner": "Acme", "name": "", "connector": "demo", "types_json": '["oauth2"]',
         "app_id": "app1", "actions_json": "[]", "return_url": "", "created_at": AT, "expires_at": AT + 9e9},
    ],
    "host_attempts": [
        {"id": "a1", "browser_hash": "2" * 64, "state_hash": "3" * 64, "session": "s1", "owner": "Acme", "name": "theirs",
         "connector": "demo", "type": "oauth2", "again": False, "app_id": "app1", "redirect_uri": "http://127.0.0.1:8765/callback",
         "scopes_json": "[]", "actions_json": "[]", "status": "waiting", "result_json": "{}", "created_at": AT,
         "ends_at": AT + 600, "servers_json": _SERVERS},
    ],
    "host_api_tokens": [{"id": "t1", "name": "engine", "token_hash": "4" * 64, "created_at": AT}],
}  # fmt: skip


def fill(store: Store, revision: str) -> None:
    """A database of that schema with rows in every table it has."""
    upgrade(store, revision)
    with store.write() as connection:
        found = sa.MetaData()
        found.reflect(connection)
        for table in (item for item in found.sorted_tables if item.name != "host_schema"):
            for row in ROWS[table.name]:
                connection.execute(sa.insert(table).values({k: v for k, v in row.items() if k in table.c}))


def main(revision: str) -> None:
    folder = Path(tempfile.mkdtemp())
    store = Store(f"sqlite:///{folder / 'host.db'}")
    fill(store, revision)
    store.close()
    with closing(sqlite3.connect(folder / "host.db")) as database:
        (HERE / f"{revision}.sqlite.sql").write_text("\n".join(database.iterdump()) + "\n")
    server = started()
    url = server.database()
    store = Store(url)
    fill(store, revision)
    store.close()
    dump = server.tool("pg_dump", "--inserts", "--no-owner", "--no-privileges", url).stdout.decode()
    kept = [line for line in dump.splitlines() if line and not line.startswith(("--", "\\", "SET "))]
    (HERE / f"{revision}.postgres.sql").write_text("\n".join(kept) + "\n")
    server.stop()
    shutil.rmtree(folder)


def settings(home: Path, url: str) -> Settings:
    """Those that open a stored database."""
    return Settings(home, url, KEY_TEXT)


if __name__ == "__main__":
    main(sys.argv[1])
