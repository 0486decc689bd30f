"""Rotates the host's key and kills itself a moment after so many steps, in the middle of what it does then, at the
latest three steps later: STEPS BATCH SECONDS."""

import os
import signal
import sys
import threading

from apollo_component.host.host import Host
from apollo_component.host.rotation import Rotation

steps, batch, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
end = os.getpid(), signal.SIGKILL
host = Host.open()
for number, _ in enumerate(Rotation(host.store, host.connections.vault, batch=batch).steps()):
    if number == steps:
        threading.Timer(seconds, os.kill, end).start()
    if number == steps + 3:
        os.kill(*end)
