"""What a killed process held doesn't hold up the next one."""

import os
import subprocess
import sys
import time
from typing import Any

import pytest

from apollo_component.host.limits import Limits
from apollo_component.host.quota import CONCURRENCY
from apollo_component.host.store import Store

pytestmark = pytest.mark.chaos

TAKE_ALL = """
import os, signal, sys, time
from apollo_component.host.limits import Limits
from apollo_component.host.quota import CONCURRENCY
from apollo_component.host.store import Store
limits = Limits(Store.open(sys.argv[1]))
limits.observed("", "team", "contacts_create", (), None)
for _ in range(CONCURRENCY):
    limits.permit("team", "contacts_create", time.time())
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL and /proc")
def test_permits_of_a_killed_process_are_given_back_at_once(tmp_path: Any) -> None:
    """Requests that were in flight when a process was killed don't count as in flight any more."""
    url = f"sqlite:///{tmp_path / 'host.db'}"
    killed = subprocess.run([sys.executable, "-W", "ignore", "-c", TAKE_ALL, url], check=False)
    assert killed.returncode == -9
    store = Store.open(url)
    limits = Limits(store)
    for _ in range(CONCURRENCY):
        assert limits.permit("team", "contacts_create", time.time())
    store.close()
