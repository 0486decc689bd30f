"""The OAuth server: one registered application, codes, and token pairs that rotate."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .clock import Clock
from .errors import Refusal
from .ids import secret
from .oauth_scopes import ADDED_SCOPES, REST_SCOPES, RETIRED_SCOPES

CODE_SECONDS = 600  # unverified: Apollo does not publish it, Doorkeeper's default
TOKEN_SECONDS = 2_592_000
DEFAULT_REDIRECT = "http://127.0.0.1:8765/callback"

# Doorkeeper's texts; Apollo's own are unpublished (unverified).
ERRORS = {
    "invalid_grant": (
        400,
        (
            "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI "
            "used in the authorization request, or was issued to another client."
        ),
    ),
    "invalid_client": (
        401,
        (
            "Client authentication failed due to unknown client, no client authentication included, "
            "or unsupported authentication method."
        ),
    ),
    "invalid_scope": (400, "The requested scope is invalid, unknown, or malformed."),
    "unsupported_grant_type": (
        400,
        "The authorization grant type is not supported by the authorization server.",
    ),
    "invalid_request": (400, "Missing required parameter: {}."),
}


def token_error(code: str, *words: str) -> Refusal:
    """A refusal in Doorkeeper's shape, which is what Apollo's answers look like (unverified)."""
    status, text = ERRORS[code]
    return Refusal(status, {"error": code, "error_description": text.format(*words)})


@dataclass(frozen=True)
class Application:
    """The registered partner application."""

    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]
    name: str = "Sandbox workflow app"
    description: str = "A local application that connects to the made-up Apollo team."
    scopes: tuple[str, ...] = REST_SCOPES

    def accepts(self, scopes: Iterable[str]) -> bool:
        """Whether a consent request may name these scopes."""
        return set(scopes) <= {*with_added(self.scopes), *RETIRED_SCOPES}


@dataclass(slots=True)
class Grant:
    """One authorization code."""

    redirect_uri: str
    scopes: tuple[str, ...]
    user_id: str
    expires_at: float
    used: bool = False


@dataclass(slots=True)
class Token:
    """One access token with its refresh token."""

    access: str
    refresh: str
    scopes: tuple[str, ...]
    user_id: str
    family: int
    expires_at: float
    revoked: bool = False
    refresh_spent: bool = False


@dataclass
class TokenStore:
    """Codes and tokens of one application."""

    seed: int
    clock: Clock
    app: Application
    revoke_family: bool = False
    grants: dict[str, Grant] = field(default_factory=dict)
    by_access: dict[str, Token] = field(default_factory=dict)
    by_refresh: dict[str, Token] = field(default_factory=dict)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    issued: int = 0

    def _secret(self, kind: str) -> str:
        self.issued += 1
        return secret(self.seed, f"{kind}/{self.issued}", 43)

    def allow(self, redirect_uri: str, scopes: Iterable[str], user_id: str) -> str:
        """A fresh code for what a user has just allowed."""
        code = self._secret("code")
        expires_at = self.clock.now() + CODE_SECONDS
        self.grants[code] = Grant(redirect_uri, with_added(scopes), user_id, expires_at)
        return code

    def live(self, access: str) -> Token | None:
        """The token, unless it is unknown, revoked or expired."""
        token = self.by_access.get(access)
        usable = token is not None and not token.revoked and self.clock.now() < token.expires_at
        return token if usable else None

    def exchange(self, params: Mapping[str, str]) -> dict[str, object]:
        """Answers one token request and counts how it ended."""
        grant_type = params.get("grant_type") or "none"
        try:
            answer = self._exchange(grant_type, params)
        except Refusal as refusal:
            code = refusal.body["error"] if isinstance(refusal.body, dict) else "error"
            self.outcomes[grant_type, str(code)] += 1
            raise
        self.outcomes[grant_type, "ok"] += 1
        return answer

    def _exchange(self, grant_type: str, params: Mapping[str, str]) -> dict[str, object]:
        if grant_type == "none":
            raise token_error("invalid_request", "grant_type")
        if (params.get("client_id"), params.get("client_secret")) != (
            self.app.client_id,
            self.app.client_secret,
        ):
            raise token_error("invalid_client")
        if grant_type == "authorization_code":
            return self._from_code(params)
        if grant_type == "refresh_token":
            return self._from_refresh(params)
        raise token_error("unsupported_grant_type")

    def _from_code(self, params: Mapping[str, str]) -> dict[str, object]:
        if not params.get("code"):
            raise token_error("invalid_request", "code")
        grant = self.grants.get(params["code"])
        if grant is None or grant.used or self.clock.now() >= grant.expires_at:
            raise token_error("invalid_grant")
        if params.get("redirect_uri", grant.redirect_uri) != grant.redirect_uri:
            raise token_error("invalid_grant")
        grant.used = True
        return self._issue(grant.scopes, grant.user_id, self.issued)

    def _from_refresh(self, params: Mapping[str, str]) -> dict[str, object]:
        if not params.get("refresh_token"):
            raise token_error("invalid_request", "refresh_token")
        old = self.by_refresh.get(params["refresh_token"])
        if old is None:
            raise token_error("invalid_grant")
        if old.refresh_spent:
            self._punish(old)
            raise token_error("invalid_grant")
        scopes = tuple(params["scope"].split()) if params.get("scope") else old.scopes
        if not set(scopes) <= set(old.scopes):
            raise token_error("invalid_scope")
        old.revoked = old.refresh_spent = True
        return self._issue(with_added(scopes), old.user_id, old.family)

    def _punish(self, reused: Token) -> None:
        """With the switch on, the reuse of a spent refresh token ends every token of its family."""
        if self.revoke_family:
            self.revoke(t for t in self.by_access.values() if t.family == reused.family)

    def _issue(self, scopes: tuple[str, ...], user_id: str, family: int) -> dict[str, object]:
        now = self.clock.now()
        token = Token(self._secret("access"), self._secret("refresh"), scopes, user_id, family, now + TOKEN_SECONDS)
        self.by_access[token.access] = self.by_refresh[token.refresh] = token
        return {
            "access_token": token.access,
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "refresh_token": token.refresh,
            "scope": " ".join(scopes),
            "created_at": int(now),
        }

    def expire(self, access: str | None) -> int:
        """Lets one access token, or all of them, run out now."""
        chosen = self._chosen(access)
        for token in chosen:
            token.expires_at = min(token.expires_at, self.clock.now())
        return len(chosen)

    def revoke(self, tokens: Iterable[Token]) -> int:
        """Ends tokens for good: neither half of the pair works any more."""
        chosen = list(tokens)
        for token in chosen:
            token.revoked = token.refresh_spent = True
        return len(chosen)

    def revoke_by(self, access: str | None) -> int:
        return self.revoke(self._chosen(access))

    def _chosen(self, access: str | None) -> list[Token]:
        if access is None:
            return list(self.by_access.values())
        token = self.by_access.get(access)
        return [token] if token else []


def with_added(scopes: Iterable[str]) -> tuple[str, ...]:
    """The scopes with the two that Apollo adds to every token."""
    return tuple(dict.fromkeys([*ADDED_SCOPES, *scopes]))
