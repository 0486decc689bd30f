"""Speed as ratios, all measured in one run on one machine: `python benchmarks/run.py`.

Needs the package with its host and sandbox extras. Nothing here is asserted; the figures are for people.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path


def median_ms(work: Callable[[], object], times: int) -> float:
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        found.append((time.perf_counter() - begun) * 1000)
    return statistics.median(found)


def command(*words: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, check=True)


def row(name: str, value: float, base: float, against: str) -> None:
    print(f"{name:<46} {value:9.2f} ms   {value / base:6.2f} x {against}")


def start_up() -> None:
    bare = median_ms(command("-c", "pass"), 15)
    palette = median_ms(command("-m", "apollo_component", "palette", "--json"), 15)
    row("palette --json", palette, bare, "python -c pass")
    print(f"{'  more than python -c pass':<46} {palette - bare:9.2f} ms")


def calls(facts: dict[str, str]) -> None:
    import httpx

    from apollo_component.host import linking
    from apollo_component.host.calls import Call
    from apollo_component.host.host import Host
    from apollo_component.host.journal import Key
    from apollo_component.host.runner import Job

    host = Host.open()
    key = facts["keys"]["master"]  # type: ignore[index]
    connection, _ = linking.link_key(host, "apollo", "bench", "api_key", {"api_key": key})
    actions = host.registry.manifest("apollo").actions
    run = host.runs.create("action", "bench")
    client = httpx.Client(headers={"x-api-key": key})
    body = {"page": 1, "per_page": 100, "organization_num_employees_ranges": ["1,50"]}
    url = facts["api_url"] + "/mixed_people/api_search"
    raw = median_ms(lambda: client.post(url, json=body).json(), 200)
    search = Call(Key(run.id, "search", "0"), connection.id, actions["people_api_search"], body)
    row("a page of 100 people, bare httpx", raw, raw, "itself")
    row("the same through the host (quota, validation)", median_ms(lambda: host.caller.page(search), 200), raw, "bare")
    numbers = iter(range(10**6))
    person = client.post(url, json=body).json()["people"][0]["id"]

    def enrich() -> object:
        call_key = Key(run.id, "enrich", str(next(numbers)))
        return host.caller.page(Call(call_key, connection.id, actions["people_match"], {"id": person}))

    bare_match = median_ms(lambda: client.post(facts["api_url"] + "/people/match", json={"id": person}).json(), 200)
    row("one enrichment, bare httpx", bare_match, bare_match, "itself")
    row("the same, journaled on disk before and after", median_ms(enrich, 200), bare_match, "bare")
    begun = time.perf_counter()
    job = Job(run.id, connection.id, actions["people_api_search"], {**body, "per_page": 10}, every_page=True)
    pages = sum(1 for _ in host.runner.pages(job))
    streamed = (time.perf_counter() - begun) * 1000 / pages
    one = median_ms(lambda: client.post(url, json={**body, "per_page": 10}).json(), 100)
    row(f"a page of a stream of {pages}, read ahead", streamed, one, "bare, one after the other")


def main() -> None:
    start_up()
    with tempfile.TemporaryDirectory() as home:
        words = [sys.executable, "-m", "apollo_component.sandbox", "--json"]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        try:
            facts = json.loads(process.stdout.readline())  # type: ignore[union-attr]
            os.environ.update(WORKFLOW_HOST_HOME=home, APOLLO_API_URL=facts["api_url"])
            httpx_free = json.dumps({"default": [None] * 3, "search": [None] * 3, "enrichment": [None] * 3})
            import urllib.request

            request = urllib.request.Request(facts["control_url"] + "/quotas", httpx_free.encode(), method="POST")
            urllib.request.urlopen(request).close()
            calls(facts)
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    main()
