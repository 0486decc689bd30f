"""What the drivers share: each runs in the clients' environment, reads facts on stdin and prints what came of its calls."""

import json
import sys
from collections.abc import Callable
from typing import Any


def facts() -> dict[str, Any]:
    """Addresses, keys and ids, from the test."""
    return json.load(sys.stdin)


class Calls:
    """Calls by name: empty text for one that passed, else its error."""

    def __init__(self) -> None:
        self.outcomes: dict[str, str] = {}

    def __call__(self, name: str, call: Callable[[], Any]) -> Any:
        """The call's result, or None when it failed."""
        try:
            result = call()
        except Exception as error:
            self.failed(name, error)
            return None
        self.outcomes[name] = ""
        return result

    def failed(self, name: str, error: Exception) -> None:
        self.outcomes[name] = f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]

    def print(self) -> None:
        print(json.dumps(self.outcomes))
