"""Errors, named by what the host does next.

Each carries a stable `code`, one sentence for the person (`str(error)`), what to do next (`hint`) and,
where a server named one, the request id. None ever carries a secret or a value a person typed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar


class ConnectorError(Exception):
    """Base of everything a connector or the host raises on purpose.

    `code` is stable and fit for programs; `exit_code` is what the command line returns for it.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", request_id: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.request_id = request_id
        self.spent = 0.0
        """Credits that a failed request cost, as its answer tells."""

    def as_dict(self) -> dict[str, Any]:
        """`{code, message, hint?, request_id?}` plus what the class adds; fit for JSON."""
        base = {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "request_id": self.request_id,
            "exit_code": self.exit_code,
        }
        return {key: value for key, value in (base | self.details()).items() if value not in ("", None, [])}

    def details(self) -> dict[str, Any]:
        return {}


class Problem:
    """One thing wrong with an input or a file: where it is and what was expected there."""

    __slots__ = ("file", "line", "path", "text")

    def __init__(self, text: str, *, path: str = "", line: int = 0, file: str = "") -> None:
        self.text = text
        self.path = path
        self.line = line
        self.file = file

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part) if self.file else ""
        place = place or (f"line {self.line}" if self.line else "")
        return " ".join(part for part in (place and f"{place}:", self.path and f"{self.path}:", self.text) if part)

    def __repr__(self) -> str:
        return f"Problem({str(self)!r})"

    def as_dict(self) -> dict[str, Any]:
        parts = {"file": self.file, "line": self.line, "path": self.path, "text": self.text}
        return {key: value for key, value in parts.items() if value}


class ProblemsError(ConnectorError):
    """Base of errors that report every problem at once."""

    exit_code = 2

    def __init__(self, message: str, problems: list[Problem] | None = None, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.problems = problems or []

    def __str__(self) -> str:
        return "\n".join([self.message, *(f"  {problem}" for problem in self.problems)])

    def details(self) -> dict[str, Any]:
        return {"problems": [problem.as_dict() for problem in self.problems]}


class ManifestError(ProblemsError):
    """A manifest or workflow file is wrong; nothing of it was used."""

    code = "manifest"


class InputError(ProblemsError):
    """An input was refused before anything was sent or spent."""

    code = "input"


class StoreError(ConnectorError):
    """The host's database or key can't be used as it is: locked, read-only, newer, or another's key."""

    code = "store"
    exit_code = 2


class CredentialExpiredError(ConnectorError):
    """The access token is no longer accepted; refresh and repeat this one request."""

    code = "credential_expired"
    exit_code = 3


class ReauthorizationError(ConnectorError):
    """The person must authorize (or give the key) again; retrying can't help."""

    code = "reauthorization_needed"
    exit_code = 3


class GrantRefusedError(ReauthorizationError):
    """The authorization server says that the code or refresh token is spent, revoked or expired."""

    code = "grant_refused"


class WrongServerError(ConnectorError):
    """A credential belongs to other servers than requests go to now; nothing was sent.

    `linked_at` and `now` are scheme, host and port by server name; `linked_at` is None while it isn't known.
    """

    code = "wrong_server"
    exit_code = 3

    def __init__(
        self, message: str, *, linked_at: Mapping[str, str] | None, now: Mapping[str, str], hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.linked_at = linked_at
        self.now = now

    def details(self) -> dict[str, Any]:
        return {"linked_at": None if self.linked_at is None else dict(self.linked_at), "now": dict(self.now)}


class PermissionDeniedError(ConnectorError):
    """The credential is good but may not do this.

    `missing` is a mapping such as `{"key_endpoint": "..."}`, `{"oauth_scope": "..."}`, `{"plan": "paid"}`
    or `{"master_key": true}`; `{"account": true}` where no right is missing, but the account itself, its key or the
    place the request came from is refused, which is so for every action.
    """

    code = "permission_denied"
    exit_code = 4

    def __init__(
        self, message: str, *, missing: dict[str, Any] | None = None, hint: str = "", request_id: str = ""
    ) -> None:
        super().__init__(message, hint=hint, request_id=request_id)
        self.missing = missing or {}

    def details(self) -> dict[str, Any]:
        return {"missing": self.missing or None}


class CreditsExhaustedError(ConnectorError):
    """The account has no credits left for this call."""

    code = "credits_exhausted"
    exit_code = 5


class BudgetExhaustedError(CreditsExhaustedError):
    """A credit budget doesn't cover the next request; nothing was sent. `needed` would, in credits; where the budget
    is one for a span of time, `resets_at` is when enough of it is free again."""

    code = "budget_exhausted"

    def __init__(self, message: str, *, needed: float = 0, resets_at: datetime | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.needed = needed
        self.resets_at = resets_at

    def details(self) -> dict[str, Any]:
        return {"needed": self.needed, "resets_at": self.resets_at.isoformat() if self.resets_at else None}


class TransientError(ConnectorError):
    """Something temporary. `retry_after` is in seconds; `worked` tells whether the server may have worked.

    `worked=False` means known-before-work (connection refused, 503 before work): safe to repeat for any effect.
    """

    code = "temporary"
    exit_code = 6

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        worked: bool = True,
        hint: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(message, hint=hint, request_id=request_id)
        self.retry_after = retry_after
        self.worked = worked

    def details(self) -> dict[str, Any]:
        return {"retry_after": self.retry_after}


class PendingError(TransientError):
    """What was asked for is still being worked on; ask again after `retry_after` seconds."""

    code = "pending"


class UnreadableReplyError(TransientError):
    """An answer that isn't the service's: a proxy's page, a redirect elsewhere, a truncated body."""

    code = "unreadable_reply"


class IncompleteReplyError(UnreadableReplyError):
    """The service's own answer lacks what it must hold, such as its list. Asking again at once gives the same."""


class QuotaError(TransientError):
    """A quota window is used up. `window` is minute, hour or day; `resets_at` is when to try again."""

    code = "quota"
    exit_code = 5

    def __init__(
        self,
        message: str,
        *,
        window: str = "",
        resets_at: datetime | None = None,
        retry_after: float | None = None,
        hint: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(message, retry_after=retry_after, worked=False, hint=hint, request_id=request_id)
        self.window = window
        self.resets_at = resets_at

    def details(self) -> dict[str, Any]:
        return {
            "window": self.window,
            "resets_at": self.resets_at.isoformat() if self.resets_at else None,
            "retry_after": self.retry_after,
        }


class NotFoundError(ConnectorError):
    """The record (or connection, run, action) named doesn't exist."""

    code = "not_found"
    exit_code = 4


class GoneError(NotFoundError):
    """What was asked for was there and isn't any more; asking again can't help."""


class RejectedError(ConnectorError):
    """The service understood the request and refused it; repeating it unchanged can't help."""

    code = "rejected"
    exit_code = 4


class OutcomeUnknownError(ConnectorError):
    """A request was sent and its answer lost; whether it took effect is unknown and it was not repeated."""

    code = "outcome_unknown"
    exit_code = 7
