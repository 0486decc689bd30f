"""How soon the Hub's pages are seen on a full database, and what they weigh with all that they load:
`python -m benchmarks.hub_painted` starts a Hub over 1,000 connections and 10,000 runs, opens each page seven times in
headless Chromium with nothing cached, and prints the medians of the first contentful paint, and the bytes of the page
and of everything it loads.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from apollo_component.host.host import Host
from apollo_component.host.registry import Registry
from apollo_component.host.settings import Settings

from .hub import EXAMPLES, WANTED_BYTES, addresses, filled

TRIES, WANTED_MS = 7, 500
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
MORE = ("/accounts/c00500", "/link?connector=apollo&type=api_key", "/try/apollo/people_api_search", "/settings/apps")
MEASURE = """async () => {
  const painted = await new Promise((resolve) => new PerformanceObserver((list, self) => {
    const found = list.getEntriesByName("first-contentful-paint")[0];
    if (found) { self.disconnect(); resolve(found.startTime); }
  }).observe({ type: "paint", buffered: true }));
  const loaded = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  return [painted, loaded.reduce((sum, one) => sum + one.encodedBodySize, 0)];
}"""


@contextmanager
def running(home: Path) -> Iterator[str]:
    """A Hub over the database there; its sign-in link."""
    env = {**os.environ, "WORKFLOW_HOST_HOME": str(home)}
    command = [sys.executable, "-m", "apollo_component", "hub", "--port", "0", "--json", "--no-worker"]
    command += ["--workflows", str(EXAMPLES)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
    assert process.stdout
    try:
        yield json.loads(process.stdout.readline())["sign_in"]
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


def measured(browser: Browser, state: object, address: str) -> tuple[float, int]:
    """Median milliseconds to the first contentful paint, and bytes."""
    painted, weight = [], 0
    for _ in range(TRIES):
        context = browser.new_context(storage_state=state)  # type: ignore[arg-type]
        page: Page = context.new_page()
        page.goto(address, wait_until="networkidle")
        milliseconds, weight = page.evaluate(MEASURE)
        painted.append(milliseconds)
        context.close()
    return statistics.median(painted), int(weight)


def main() -> int:
    """1 when a page is seen too late or is too heavy."""
    bad = 0
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        host = Host.open(Settings(Path(folder), f"sqlite:///{folder}/host.db"), Registry.installed())
        filled(host, (EXAMPLES / "prospecting.yaml").read_text("utf-8"))
        pages = [path for path in addresses(host) if not path.endswith("/now")]
        host.close()
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=FLAGS
        )
        with running(Path(folder)) as link:
            address = link.partition("/sign-in")[0]
            context = browser.new_context()
            page = context.new_page()
            page.goto(link)
            page.wait_for_url(f"{address}/")
            for path in (*pages, *MORE):
                painted, weight = measured(browser, context.storage_state(), address + path)
                wrong = painted > WANTED_MS or weight > WANTED_BYTES
                bad += wrong
                print(f"{painted:7.1f} ms {weight:8,} bytes  {path}{'   <-- too much' if wrong else ''}", flush=True)
        browser.close()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
