"""The toy service, a host with the toy connector (and with Apollo where a test asks), and a local Apollo."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from apollo_component.contract.models import OAuthApp  # noqa: E402
from apollo_component.host.host import Host  # noqa: E402
from apollo_component.host.registry import Registry  # noqa: E402
from apollo_component.host.settings import Settings  # noqa: E402
from tests.toy.service import Tidepool  # noqa: E402
from tests.toy.tidepool.plugin import plugin as tidepool  # noqa: E402


@pytest.fixture
def pool(monkeypatch):
    with Tidepool() as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def registry():
    return Registry({"tidepool": tidepool})


@pytest.fixture
def host(tmp_path, registry, pool):
    home = tmp_path / "home"
    opened = Host.open(Settings(home, f"sqlite:///{home / 'host.db'}"), registry, sleep=lambda _seconds: None)
    yield opened
    opened.close()


@pytest.fixture
def app(pool):
    return OAuthApp(pool.client_id, pool.client_secret, (pool.redirect,))


@pytest.fixture
def apollo_sandbox(monkeypatch):
    """A local Apollo in a process of its own; what it says about itself."""
    command = [sys.executable, "-m", "apollo_component.sandbox", "--json", "--people", "300"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    facts = json.loads(process.stdout.readline())
    monkeypatch.setenv("APOLLO_API_URL", facts["api_url"])
    monkeypatch.setenv("APOLLO_OAUTH_URL", facts["oauth_url"])
    yield facts
    process.terminate()
    process.wait(5)
    process.stdout.close()
