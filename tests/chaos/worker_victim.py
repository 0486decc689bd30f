"""A worker whose clock is wrong, and that may kill itself after it queued the runs of a page, before the cursor moves.

    python worker_victim.py '{"offset": 7200, "page": 1}' workflow worker --once ...

`offset` is how many seconds its clock is ahead; `page` is the page of the sweep after whose runs it dies.
"""

import faulthandler
import itertools
import json
import os
import signal
import sys
import time
from typing import Any

from apollo_component.cli import app
from apollo_component.host.host import Host
from apollo_component.host.workflow.sweeps import Sweeps

ORDER = json.loads(sys.argv[1])
noted, opened = Sweeps._noted, Host.open
pages = itertools.count(1)


def deadly(*arguments: Any) -> Any:
    found = noted(*arguments)
    if next(pages) == ORDER.get("page"):
        os.kill(os.getpid(), signal.SIGKILL)
    return found


Sweeps._noted = deadly
Host.open = lambda **options: opened(clock=lambda: time.time() + ORDER["offset"], **options)
if __name__ == "__main__":
    faulthandler.dump_traceback_later(50)  # one that hangs tells where
    sys.exit(app.run(sys.argv[2:]))
