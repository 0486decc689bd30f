"""The port that a command serves on, on this machine only."""

import socket

from ..contract.errors import InputError, Problem

ADDRESS = "127.0.0.1"
HIGHEST = 65535


def opened(port: int) -> socket.socket:
    """A socket that listens on `port`, or on a free one for 0. Raises InputError naming the port and what to do."""
    if not 0 <= port <= HIGHEST:
        raise _refused(f"{port} is no port: give one from 1 to {HIGHEST}, or 0 for a free one")
    try:
        return socket.create_server((ADDRESS, port))
    except PermissionError:
        raise _refused(f"{port} may not be opened by this user: choose one above 1023, or 0 for a free one") from None
    except OSError:
        raise _refused(f"{port} is in use: choose another, or 0 for a free one, or stop what uses it") from None


def _refused(text: str) -> InputError:
    return InputError("The port can't be opened; nothing was started.", [Problem(text, path="--port")])
