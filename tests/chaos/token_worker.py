"""Reads and replaces the tokens of every second connection until stdin ends, as refreshes do; tells what it stored."""

import json
import random
import sys
import threading
import time

from apollo_component.contract.models import Credential
from apollo_component.host.host import Host

OVER = threading.Event()


def refresh(host: Host, identity: str) -> int:
    """The version stored, which the tokens name."""
    lease = host.leases.acquire(f"connection:{identity}", 30)
    assert lease
    connection, credential = host.connections.current(identity)
    assert credential.access_token == f"{identity}/{connection.version}", "a token that nobody stored last"
    name = f"{identity}/{connection.version + 1}"
    fresh = Credential("oauth2", access_token=name, refresh_token=name)
    assert host.connections.replace_credential(connection, fresh, "refreshed", "")
    host.leases.release(lease)
    return connection.version + 1


def main(number: int) -> None:
    host = Host.open()
    mine = [item.id for item in host.connections.all()][number::2]
    stored: dict[str, int] = {}
    reads = refreshes = 0
    print("begun", flush=True)
    while not OVER.is_set():
        identity = random.choice(mine)
        connection, credential = host.connections.current(identity)
        assert credential.refresh_token == f"{identity}/{stored.get(identity, 1)}" == f"{identity}/{connection.version}"
        reads += 1
        time.sleep(0.01)  # leaves the machine some time for the rotation
        if reads % 3 == 0:
            stored[identity] = refresh(host, identity)
            refreshes += 1
    host.close()
    print(json.dumps({"reads": reads, "refreshes": refreshes, "stored": stored}))


def wait() -> None:
    sys.stdin.read()
    OVER.set()


if __name__ == "__main__":
    threading.Thread(target=wait, daemon=True).start()
    main(int(sys.argv[1]))
