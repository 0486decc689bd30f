"""The command line in a process that ends itself with SIGKILL at a chosen point of a chosen request.

    python victim.py '{"point": "after_reply", "item": "enrich:0.1"}' workflow run FILE ...

The item may be a whole one or the part of a composed action, such as contacts:13:create. `alone` is how many other requests of that step must be recorded first, so that nothing else is in flight. `stop`
stops the process instead. `lease` is how long it owns a run without a sign of life; a `deaf` one gives none, and so
doesn't learn that it was declared dead.
"""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from apollo_component.cli import app
from apollo_component.connector import client
from apollo_component.host.calls import Caller
from apollo_component.host.journal import FOUND, Journal
from apollo_component.host.leases import Heartbeat
from apollo_component.host.runs import Runs
from apollo_component.host.store import Store
from apollo_component.host.workflow import engine

ORDER = json.loads(sys.argv[1])
RECORDED = "SELECT count(*) FROM {schema}operation_outputs WHERE function_name LIKE :step AND function_name != :item"
current = threading.local()


def die() -> None:
    """Once the step's other requests are recorded, die without a chance to tidy up, or stop."""
    url = os.environ.get("WORKFLOW_HOST_DATABASE_URL") or f"sqlite:///{os.environ['WORKFLOW_HOST_HOME']}/host.db"
    step = ORDER["item"].partition(":")[0]
    store = Store(url)
    query = sa.text(RECORDED.format(schema="" if store.is_sqlite else "dbos."))
    while _count(store, query, step) < ORDER.get("alone", 0):
        time.sleep(0.01)
    number = signal.SIGSTOP if ORDER.get("stop") else signal.SIGKILL
    signal.pthread_kill(threading.get_ident(), number)  # One to the process may be taken later, by another thread.


def _count(store: Store, query: sa.TextClause, step: str) -> int:
    with store.read() as database:
        return int(database.execute(query, {"step": f"{step}:%", "item": ORDER["item"]}).scalar_one())


def deadly(function: Callable[..., Any], before: str, after: str) -> Callable[..., Any]:
    def wrapped(*arguments: Any, **options: Any) -> Any:
        chosen = f"{getattr(current, 'item', '')}:".startswith(f"{ORDER.get('item')}:")
        if chosen and ORDER.get("point") == before:
            die()
        result = function(*arguments, **options)
        if chosen and ORDER.get("point") == after:
            die()
        return result

    return wrapped


def named(function: Callable[..., Any]) -> Callable[..., Any]:
    """Remember, for this thread, which request is being made."""

    def wrapped(caller: Any, call: Any) -> Any:
        current.item = f"{call.key.step}:{call.key.item}"
        return function(caller, call)

    return wrapped


def finding(function: Callable[..., Any]) -> Callable[..., Any]:
    """Die right after a lost create was found, before anything is made of it."""

    def wrapped(journal: Any, key: Any, attempt: int, state: str, *rest: Any, **values: Any) -> None:
        function(journal, key, attempt, state, *rest, **values)
        if state == FOUND and ORDER.get("point") == "after_found":
            die()

    return wrapped


Caller.page = named(Caller.page)
client.send = deadly(client.send, "before_send", "after_reply")
Journal.received = deadly(Journal.received, "", "after_record")
Runs.save_records = deadly(Runs.save_records, "", "after_save")
Journal.mark = finding(Journal.mark)
engine.LEASE_SECONDS = ORDER.get("lease", engine.LEASE_SECONDS)
if ORDER.get("deaf"):
    Heartbeat._beat = lambda _beat: None

if __name__ == "__main__":
    sys.exit(app.run(sys.argv[2:]))
