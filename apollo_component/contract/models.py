"""Frozen values that plugins and hosts pass to each other. Secrets are kept out of every repr."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

JSON = Any
Verdict = Literal["connected", "limited", "refused", "unreachable"]
ValueType = Literal["text", "number", "date", "datetime", "boolean", "choice", "choices"]
"""What a field of the service holds. `choice` is one of its choices, `choices` a list of them; a `date` is
`2026-10-31`, a `datetime` the same or `2026-10-31T09:00:00Z`."""


class HostUrl(str):
    """An address of the host itself in an input. Its operator configured it, so rules for what people give are left
    out: a service on the same machine may be reached by it."""

    __slots__ = ()


class Effect(StrEnum):
    """What repeating an action would do."""

    READ = "read"
    UPSERT = "upsert"
    CREATE = "create"
    BILL = "bill"
    SEND = "send"


@dataclass(frozen=True, slots=True)
class OAuthApp:
    """An OAuth client registered at the service; kept once, used by many connections."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uris: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Credential:
    """The secret value of a connection.

    `connection_type` is the manifest's id; exactly one of `api_key` and `access_token` is set.
    `scopes` is None when the service did not tell which were granted.
    """

    connection_type: str
    api_key: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    scopes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class AuthorizeRequest:
    """What a person gave to link an account: `fields` for a key, `app` and where to return for OAuth."""

    connection_type: str
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    app: OAuthApp | None = None
    redirect_uri: str = ""
    state: str = field(default="", repr=False)
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Redirect:
    """Send the person to `url`; the answer arrives at the redirect URI."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Callback:
    """What came back to the redirect URI, and what the attempt knows."""

    query: Mapping[str, str] = field(repr=False)
    state: str = field(repr=False)
    redirect_uri: str
    app: OAuthApp
    scopes: tuple[str, ...] = ()
    connection_type: str = ""
    """Empty: the connector's only one with a browser."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whose account a connection reaches."""

    id: str = ""
    team_id: str = ""
    name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class TestCheck:
    """One stage of a connection test. `outcome` is passed, missed, untested or failed."""

    name: str
    outcome: Literal["passed", "missed", "untested", "failed"]
    text: str = ""
    missing: Mapping[str, JSON] = field(default_factory=dict)

    __test__ = False


@dataclass(frozen=True, slots=True)
class TestReport:
    """A connection test: the verdict, whose account it is, every stage, and what to do."""

    verdict: Verdict
    text: str
    account: Account | None = None
    checks: tuple[TestCheck, ...] = ()
    hint: str = ""

    def as_dict(self) -> dict[str, Any]:
        """`{verdict, text, hint, account, checks: [{name, outcome, text, missing}]}`; fit for JSON."""
        told = {"verdict": self.verdict, "text": self.text, "hint": self.hint}
        checks = [
            {"name": check.name, "outcome": check.outcome, "text": check.text, "missing": dict(check.missing)}
            for check in self.checks
        ]
        return told | {"account": asdict(self.account) if self.account else None, "checks": checks}

    __test__ = False


@dataclass(frozen=True, slots=True)
class Window:
    """One quota window as the answer told it; None = unlimited or not told. `name` is minute, hour or day."""

    name: str
    limit: int | None
    left: int | None


@dataclass(frozen=True, slots=True)
class Preview:
    """The request that an action would send, without the service's address, headers and credential. `path` is filled
    in and quoted, `query` keeps repeated names, `body` is None where none is sent."""

    method: str
    path: str = field(repr=False)
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: JSON = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came: kept by the journal, so it holds no request header and no credential."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    final_url_host: str = ""

    @property
    def request_id(self) -> str:
        """The service's own id of the request, empty where it names none. At most 100 characters."""
        return self.headers.get("x-request-id", "")[:100]


@dataclass(frozen=True, slots=True)
class Late:
    """What will only come after an answer. `input` asks the action's `wait.action` for it; ids are texts.

    `ids` are the records it is about, where they are told apart. `spent` is what the answer itself cost in credits,
    None when it didn't say.
    """

    input: Mapping[str, JSON]
    ids: tuple[str, ...] = ()
    spent: float | None = None


@dataclass(frozen=True, slots=True)
class Miss:
    """Something that was asked for and that the answer doesn't bring.

    `item` is how it was asked for: an id, an email, a domain or a name, empty where nothing tells which one it is.
    `reason` is in the service's own words, empty where it gave none. With `field` the record did come, but without
    this part of what was asked.
    """

    item: str = field(repr=False)
    reason: str = ""
    field: str = ""

    def as_dict(self) -> dict[str, str]:
        """`{item, reason, field?}`; fit for JSON."""
        told = {"item": self.item, "reason": self.reason}
        return {**told, "field": self.field} if self.field else told


@dataclass(frozen=True, slots=True)
class Page:
    """What one request gave.

    `records` for lists (None inside marks "asked for, not found"); `value` for a single object.
    `next_cursor` is opaque to the host, None at the end. `total` is how many match in all, where told; `size` is how
    many records a page holds and `pages` how many pages there are, as the answer tells or shows it.
    `asked` is how many items the answer must account for, None where it is a search: each is a record, one of `missing`
    that weren't found, or one of `misses` without a `field`.
    `spent` is in credits, None when the answer doesn't tell and the worst must be assumed.
    `warnings` are sentences for the person.
    `late` tells of a result that comes after this answer.
    """

    records: Sequence[JSON] = ()
    value: JSON = None
    next_cursor: str | None = None
    total: int | None = None
    spent: float | None = 0
    warnings: tuple[str, ...] = ()
    ceiling: int | None = None
    late: Late | None = None
    size: int | None = None
    pages: int | None = None
    asked: int | None = None
    missing: int | None = None
    misses: tuple[Miss, ...] = ()

    @property
    def given(self) -> int:
        """How many records came."""
        return sum(record is not None for record in self.records)

    @property
    def missed(self) -> int:
        """How many items are named misses."""
        return sum(not miss.field for miss in self.misses)

    @property
    def not_found(self) -> int:
        """How many items weren't found: `missing`, or as many as there are nulls."""
        return len(self.records) - self.given if self.missing is None else self.missing


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a drop-down: the label people read and the value that is sent.

    A choice may itself be a field of the service: `type` is what its values are ("" = any), and `choices` are the
    values to choose from, where it has such a list.
    """

    label: str
    value: str
    type: ValueType | Literal[""] = ""
    choices: "tuple[Choice, ...]" = ()


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened at the service: a record in a version. The pair starts at most one run.

    `at` is the service's own time of it, where one is told; for a trigger that goes by a time (`since_allowed`), a
    host starts nothing for an event without one. `mark` changes whenever anything of the record does, so
    that a host can tell a page it has seen before.
    """

    id: str
    version: str
    record: JSON = field(repr=False)
    at: datetime | None = None
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Poll:
    """What one request of a sweep found. `next` asks for its next page, None when the sweep is through; `resume` is
    the cursor to keep once it is. `shrunk` tells that records vanished meanwhile, so that others may have slipped
    past between two pages: sweep again. Of the page's `seen` records `known` are older than what the sweep must read,
    and `filtered` aren't what the trigger is about; the others are `events`. `warnings` are sentences for the person.
    """

    events: Sequence[Event] = ()
    next: str | None = None
    resume: str = ""
    shrunk: bool = False
    total: int | None = None
    seen: int = 0
    known: int = 0
    filtered: int = 0
    warnings: tuple[str, ...] = ()
