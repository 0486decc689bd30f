"""What more workers bring when the service's latency dominates: the same backlog, by one worker and by three.

python benchmarks/workers.py [--runs 48] [--latency 500] [--slots 2]
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

FLEET = 3
WANTED = 2.5
TEXT = """\
name: waiting
connections: {apollo: {connector: apollo, use: bench}}
trigger: {on: contact_created}
steps:
  - {id: one, action: users_api_profile}
  - {id: two, action: labels_list}
  - {id: three, action: users_api_profile}
  - {id: four, action: labels_list}
"""


def tell(facts: dict[str, str], path: str, order: object) -> None:
    request = urllib.request.Request(facts["control_url"] + path, json.dumps(order).encode(), method="POST")
    urllib.request.urlopen(request).close()


def seconds(facts: dict[str, str], url: str, home: Path, workers: int, chosen: argparse.Namespace) -> float:
    """How long so many workers take for the backlog; counted from the first request they send."""
    import sqlalchemy as sa

    from apollo_component.host import linking
    from apollo_component.host.host import Host
    from apollo_component.host.registry import Registry
    from apollo_component.host.settings import Settings
    from apollo_component.host.store import dumps
    from apollo_component.host.tables import runs

    host = Host.open(Settings(home, url), Registry.installed())
    link, _ = linking.link_key(host, "apollo", "bench", "api_key", {"api_key": facts["keys"]["master"]})  # type: ignore[index]
    words = [sys.executable, "-W", "ignore", "-m", "apollo_component", "workflow", "worker"]
    words += ["--concurrency", str(chosen.slots)]
    environ = os.environ | {"WORKFLOW_HOST_HOME": str(home), "WORKFLOW_HOST_DATABASE_URL": url}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    fleet = [subprocess.Popen(words, env=environ, **quiet) for _ in range(workers)]  # type: ignore[call-overload]
    try:
        for process in fleet:
            process.stderr.readline()  # ready
        time.sleep(1)
        inputs = {"inputs": {}, "connections": {"apollo": link.id}, "trigger": {"id": "x"}}
        values = {"kind": "workflow", "title": "waiting", "status": "queued", "text": TEXT, "workflow": "waiting"}
        values |= {"subscription": "bench", "inputs_json": dumps(inputs)}
        begun = time.perf_counter()
        with host.store.write() as connection:
            for number in range(chosen.runs):
                host.runs.insert(connection, {"id": f"t-{number}", **values})
        left = sa.select(sa.func.count()).select_from(runs).where(runs.c.status != "done")
        while host.store.rows(left)[0]["count_1"]:
            time.sleep(0.1)
        return time.perf_counter() - begun
    finally:
        for process in fleet:
            process.terminate()
        for process in fleet:
            process.wait()
        host.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("runs", 48), ("latency", 500), ("slots", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    chosen = parser.parse_args()
    from tests.postgres import started

    server, folder = started(), Path(tempfile.mkdtemp())
    sandbox = subprocess.Popen(
        [sys.executable, "-m", "apollo_component.sandbox", "--json"], stdout=subprocess.PIPE, text=True
    )
    try:
        facts = json.loads(sandbox.stdout.readline())  # type: ignore[union-attr]
        os.environ.update(APOLLO_API_URL=facts["api_url"], APOLLO_OAUTH_URL=facts["oauth_url"])
        tell(facts, "/quotas", {"default": [None] * 3})
        tell(facts, "/settings", {"latency_ms": chosen.latency})
        one, many = (seconds(facts, server.database(), folder / str(n), n, chosen) for n in (1, FLEET))
    finally:
        sandbox.terminate()
        sandbox.wait()
        server.stop()
        shutil.rmtree(server.data.parent, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
    ideal = chosen.runs * 4 * chosen.latency / 1000 / chosen.slots
    print(f"{chosen.runs} runs of 4 requests, {chosen.latency} ms each, {chosen.slots} slots a worker")
    print(f"1 worker   {one:6.1f} s   ({ideal:.1f} s of it latency)")
    print(f"{FLEET} workers  {many:6.1f} s")
    print(f"{one / many:.2f} times the work of one (wanted: {WANTED})")
    return one / many < WANTED


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    sys.exit(main())
