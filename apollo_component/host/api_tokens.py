"""Tokens by which other programs use the Hub's JSON API. Shown once; only a hash of each is kept."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ..contract.errors import InputError, NotFoundError, Problem
from .connections import check_name
from .store import Store, iso
from .tables import api_tokens
from .tokens import hashed

PREFIX = "wh_"
"""What a token begins with, so that scanners for leaked secrets can know one."""
LONGEST_DAYS = 3660
DAY_SECONDS = 86400.0
USE_SECONDS = 60.0
"""That a token is used is written down at most so often."""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token without its secret; times are seconds since 1970."""

    id: str
    name: str
    created_at: float
    expires_at: float | None
    used_at: float | None

    def is_expired(self, now: float) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def as_dict(self) -> dict[str, Any]:
        """`{id, name, created_at, expires_at, used_at}`, times in ISO 8601 or None."""
        times = {name: iso(getattr(self, name)) for name in ("created_at", "expires_at", "used_at")}
        return {"id": self.id, "name": self.name, **times}


class ApiTokens:
    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self.store, self.clock = store, clock

    def add(self, name: str, days: float | None = None) -> tuple[ApiToken, str]:
        """A new token and its secret, which nobody can read again. `days` is how long it is good, None for always.
        Raises InputError."""
        check_name(name)
        if days is not None and not 0 < days <= LONGEST_DAYS:
            problem = Problem(f"must be more than 0 and at most {LONGEST_DAYS}", path="days")
            raise InputError("The token was not made.", [problem])
        secret, now = PREFIX + secrets.token_urlsafe(32), self.clock()
        ends = None if days is None else now + days * DAY_SECONDS
        row = {"id": secrets.token_hex(12), "name": name, "created_at": now, "expires_at": ends}
        with self.store.write("api_tokens") as connection:
            if connection.execute(sa.select(api_tokens.c.id).where(_called(name))).first():
                raise InputError("The token was not made.", [Problem("is taken; choose another", path="name")])
            connection.execute(sa.insert(api_tokens).values(**row, token_hash=hashed(secret)))
        return _token({**row, "used_at": None}), secret

    def all(self) -> list[ApiToken]:
        """Expired ones too."""
        return [_token(row) for row in self.store.rows(sa.select(api_tokens).order_by(api_tokens.c.name))]

    def check(self, secret: str) -> ApiToken | None:
        """The token of this secret, used now; None for one that is unknown, revoked or expired.

        It is looked up by its hash, so that how long that takes tells nothing of the secrets that are good.
        """
        if not secret.startswith(PREFIX):
            return None
        row = self.store.row(sa.select(api_tokens).where(api_tokens.c.token_hash == hashed(secret)))
        token = row and _token(row)
        if not token or token.is_expired(self.clock()):
            return None
        self._note_use(token)
        return token

    def remove(self, name: str) -> ApiToken:
        """Revoke a token, by name or id: from now on it is refused. Raises NotFoundError."""
        row = self.store.row(sa.select(api_tokens).where(_called(name)))
        if row is None:
            raise NotFoundError(f"There is no token named {name!r}.", hint="`tokens list` shows those there are.")
        with self.store.write("api_tokens") as connection:
            connection.execute(sa.delete(api_tokens).where(api_tokens.c.id == row["id"]))
        return _token(row)

    def _note_use(self, token: ApiToken) -> None:
        now = self.clock()
        if token.used_at is not None and now - token.used_at < USE_SECONDS:
            return
        with self.store.write("api_tokens", durable=False) as connection:
            connection.execute(sa.update(api_tokens).where(api_tokens.c.id == token.id).values(used_at=now))


def _called(name: str) -> sa.ColumnElement[bool]:
    return sa.or_(api_tokens.c.name == name, api_tokens.c.id == name)


def _token(row: Mapping[str, Any]) -> ApiToken:
    return ApiToken(**{name: row[name] for name in ("id", "name", "created_at", "expires_at", "used_at")})
