"""Bulk calls under a quota window, against the ideal: `python benchmarks/quota.py [--calls 240] [--limit 80]`.

Needs the package with its host and sandbox extras. The ideal sends a window's requests the moment it opens, and nothing
in between: (windows - 1) minutes. With `--rate 6` the clocks of all run six times as fast; then starts and answers
count six times as much. `--database URL` takes another database than a new SQLite file. Nothing is asserted.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

THREADS = 8
ACTION = "people_bulk_match"


def control(facts: dict[str, Any], method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(facts["control_url"] + path, data, method=method)) as answer:
        return json.load(answer)


def opened(begin: float, rate: float) -> Any:
    from apollo_component.host.host import Host

    return Host.open(
        clock=lambda: begin + (time.time() - begin) * rate, sleep=lambda seconds: time.sleep(seconds / rate)
    )


def worker(order: str) -> None:
    """One process: its calls on eight threads, as one workflow."""
    from apollo_component.host.calls import Call
    from apollo_component.host.journal import Key
    from apollo_component.host.quota import Party

    run, connection, calls, number, begin, rate = json.loads(order)
    host = opened(begin, rate)
    action, party = host.registry.manifest("apollo").actions[ACTION], Party("bench", background=True)

    def one(item: int) -> None:
        person = {"details": [{"email": f"person{number}.{item}@example.com"}]}
        host.caller.page(Call(Key(run, "bulk", f"{number}.{item}"), connection, action, person, party=party))

    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, range(calls)))
    host.close()


def measured(options: argparse.Namespace, processes: int, reserve: int) -> None:
    from apollo_component.contract.models import Credential

    with tempfile.TemporaryDirectory() as home:
        words = [sys.executable, "-m", "apollo_component.sandbox", "--json", "--people", "400"]
        sandbox = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        try:
            facts = json.loads(sandbox.stdout.readline())  # type: ignore[union-attr]
            os.environ.update(WORKFLOW_HOST_HOME=home, WORKFLOW_HOST_RESERVE=str(reserve))
            os.environ.update(APOLLO_API_URL=facts["api_url"], APOLLO_OAUTH_URL=facts["oauth_url"])
            if options.database:
                os.environ["WORKFLOW_HOST_DATABASE_URL"] = options.database
            begin = time.time()
            control(facts, "POST", "/quotas", {ACTION: [options.limit, None, None]})
            control(facts, "POST", "/clock", {"rate": options.rate})
            host = opened(begin, options.rate)
            name = f"bench-{begin}"
            connection = host.connections.add(name, "apollo", Credential("api_key", api_key=facts["keys"]["master"]))
            run = host.runs.create("action", "bench")
            took = timed(
                [json.dumps([run.id, connection.id, options.calls // processes, number, begin, options.rate])
                 for number in range(processes)]
            )  # fmt: skip
            host.close()
            sent = control(facts, "GET", f"/requests?operation={ACTION}")
            refused = sum(entry["status"] == 429 for entry in sent)
            ideal = (-(-options.calls // options.limit) - 1) * 60 / options.rate
            print(
                f"{options.calls} calls, {options.limit} a minute, {processes} process{'es'[: 2 * (processes > 1)]}, "
                f"reserve {reserve:2} %: {took:6.1f} s   {took / ideal:5.2f} x the ideal   {refused} refused",
                flush=True,
            )
        finally:
            sandbox.terminate()
            sandbox.wait()


def timed(orders: list[str]) -> float:
    """The seconds from the start of all, once each is ready, to the end of the last."""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    running = [subprocess.Popen([sys.executable, __file__, "--worker", order], **pipes) for order in orders]
    for process in running:
        process.stdout.readline()  # type: ignore[union-attr]
    began = time.monotonic()
    for process in running:
        process.stdin.write("go\n")  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
    for process in running:
        process.wait()
    return time.monotonic() - began


def cost(url: str, times: int = 300) -> None:
    """What a call pays for sharing: a permit and what its answer taught."""
    import sqlalchemy as sa

    from apollo_component.contract.models import Window
    from apollo_component.host.limits import Limits
    from apollo_component.host.store import Store

    store = Store.open(url)
    limits, statements = Limits(store), []
    sa.event.listen(store.engine, "before_cursor_execute", lambda *heard: statements.append(heard[2]))
    begun = time.perf_counter()
    for number in range(times):
        permit = limits.permit("team:bench", f"cost {begun}", time.time() + 60)
        windows = [Window(name, 10**6, 10**6 - number) for name in ("minute", "hour", "day")]
        limits.observed(permit, "team:bench", f"cost {begun}", windows, None)
    took = (time.perf_counter() - begun) / times * 1000
    kind = store.url.get_backend_name()
    store.close()
    print(f"a permit and its return, {kind}: {took:.2f} ms, {len(statements) / times:.1f} statements", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=240)
    parser.add_argument("--limit", type=int, default=80)
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--database")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options.worker)
        return
    with tempfile.TemporaryDirectory() as folder:
        cost(options.database or f"sqlite:///{folder}/host.db")
    for processes in (1, 4):
        for reserve in (0, 10):
            measured(options, processes, reserve)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    main()
