"""What one operation is, and what its function is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .state import State

Answer = dict[str, Any]
Listing = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking: the name of the credential, the user it acts as and what it may do."""

    name: str
    team: str
    user_id: str
    free: bool = False
    master: bool = False
    endpoints: frozenset[str] = frozenset()
    scopes: frozenset[str] | None = None  # None: an API key, which has endpoints and no scopes


@dataclass(frozen=True, slots=True)
class Call:
    """One request as an operation's function sees it."""

    state: "State"
    operation: "Operation"
    caller: Caller
    params: Mapping[str, Any]
    path: Mapping[str, str]
    request_id: str
    base_url: str = "http://127.0.0.1"  # as the caller reached the sandbox

    @property
    def now(self) -> float:
        return self.state.clock.now()


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the API with the facts Apollo's documentation gives about it."""

    id: str
    method: str
    path: str
    key_endpoint: str | None
    oauth_scope: str | None
    handler: Callable[[Call], Answer | Listing]
    parameters: tuple[str, ...] = ()
    quota_class: str = "default"
    master_only: bool = False
    free_plan_ok: bool = False
    public: bool = False  # answers without a credential
    also: tuple[str, ...] = ()  # further verbs, seen to work or used by clients
    status: int = 200

    @property
    def endpoint(self) -> str:
        """The name texts of refusals use."""
        return self.key_endpoint or f"api/v1{self.path}"
