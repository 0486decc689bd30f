"""What an endpoint of the API is declared with, and what its handler gets and gives."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from ...contract.errors import ConnectorError
from ...host.host import Host
from ..hub import Hub

JSON = Any
Schema = Mapping[str, Any]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Ask:
    """A request whose token and whose every part fit the declaration. `query` has defaults filled in; what is left out
    and has none is absent."""

    hub: Hub
    path: Mapping[str, str]
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = field(default=None, repr=False)

    @property
    def host(self) -> Host:
        return self.hub.host


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value in the path or the query; `schema` is of a text, a whole number, or true and false."""

    name: str
    description: str
    schema: Schema
    required: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`path` is below the API's own, with `{names}` in braces; each has an entry in `path_parameters`.

    `status` and `answer` are of the answer when all is well; `answer` None means that it has no content. `errors` are
    the statuses of further answers, beside those that every endpoint of its kind has.
    """

    method: Method
    path: str
    name: str
    summary: str
    tag: str
    handler: Callable[[Ask], JSON]
    answer: Schema | None
    status: int = 200
    path_parameters: Sequence[Parameter] = ()
    query: Sequence[Parameter] = ()
    body: Schema | None = None
    errors: Sequence[int] = ()
    description: str = ""
    is_open: bool = False
    """Whether it is answered without a token."""

    @property
    def statuses(self) -> tuple[int, ...]:
        """Every status that it can answer with."""
        found = {self.status, *self.errors, 500, 503}
        found |= set() if self.is_open else {401, 429}
        found |= {404} if self.path_parameters else set()
        found |= {413, 415, 422} if self.body else {422}
        return tuple(sorted(found))


class RefusedError(ConnectorError):
    """A request that no handler sees. `status` and `headers` are the answer's."""

    code = "refused"
    exit_code: ClassVar[int] = 2

    def __init__(self, status: int, code: str, message: str, *, hint: str = "", **headers: str) -> None:
        super().__init__(message, hint=hint)
        self.status, self.headers = status, {name.replace("_", "-"): value for name, value in headers.items()}
        self.named = code

    def as_dict(self) -> dict[str, Any]:
        told = {"code": self.named, "message": self.message, "hint": self.hint}
        return {name: text for name, text in told.items() if text}
