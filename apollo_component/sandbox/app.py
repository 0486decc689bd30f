"""The ASGI application: the API, the consent page and the control door of one sandbox."""

import contextlib

from starlette.applications import Starlette

from . import api, control, storage
from .consent import consent_routes
from .http import ClientGone, Receive, Scope, Send
from .operations import OPERATIONS
from .routes import in_api, make_routes
from .state import Options, State, new_state


class Sandbox:
    """One local Apollo; `state` holds everything that changes."""

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self.state: State = new_state(self.options)
        self.routes = make_routes(OPERATIONS)
        self.pages = Starlette(routes=consent_routes(self))

    def reset(self) -> None:
        """Starts the same world anew; requests held so far are let go."""
        self.state.faults.close()
        self.state = new_state(self.options)

    def close(self) -> None:
        """Ends every wait so that the server can stop at once."""
        self.state.faults.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"the sandbox speaks HTTP only, not {scope['type']}")
        with contextlib.suppress(ClientGone):
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if in_api(path):
            await api.serve(self.state, self.routes, scope, receive, send)
        elif path.startswith(f"{control.PREFIX}/"):
            await control.serve(self, scope, receive, send)
        elif path.startswith(f"{storage.PREFIX}/"):
            await storage.serve(self.state, scope, send)
        else:
            await self.pages(scope, receive, send)
