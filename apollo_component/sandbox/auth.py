"""Who may call what: API keys with endpoint lists, OAuth tokens with scopes."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import unquote_plus

from . import errors
from .ids import object_id, secret
from .oauth import TokenStore
from .operation import Caller, Operation
from .recorder import token_name
from .world import World

NOT_FOR_SCOPED = ("deals/",)
CONTACTS_ONLY = ("api/v1/contacts/", "api/v1/labels/", "api/v1/contact_stages/")


@dataclass(frozen=True)
class Keys:
    """The four API keys of a seed and what each may do."""

    by_secret: dict[str, Caller]
    secrets: dict[str, str]

    @property
    def names(self) -> dict[str, str]:
        return {value: name for name, value in self.secrets.items()}


def make_keys(world: World, operations: Iterable[Operation]) -> Keys:
    """`master`, `scoped` (no deals), `scoped_without_search` (contacts only) and `free` (another team)."""
    endpoints = {op.key_endpoint for op in operations if op.key_endpoint and not op.master_only}
    admin = world.acting_admin["id"]
    plain = Caller("", world.team_id, admin)
    callers = {
        "master": replace(plain, master=True),
        "scoped": replace(plain, endpoints=frozenset(e for e in endpoints if not e.startswith(NOT_FOR_SCOPED))),
        "scoped_without_search": replace(
            plain, endpoints=frozenset(e for e in endpoints if e.startswith(CONTACTS_ONLY))
        ),
        # A free plan is a property of a team, so this key belongs to a team of its own.
        "free": replace(plain, master=True, free=True, team=object_id(world.seed, "team", 1)),
    }
    secrets = {name: secret(world.seed, f"key/{name}", 24) for name in callers}
    by_secret = {secrets[name]: replace(caller, name=f"key:{name}") for name, caller in callers.items()}
    return Keys(by_secret, secrets)


def caller_of(headers: dict[bytes, bytes], keys: Keys, tokens: TokenStore, team: str, dialect: str) -> Caller:
    """The caller behind the credential of a request, or the refusal of it."""
    bearer = headers.get(b"authorization", b"").decode("latin-1")
    if bearer[:7].lower() == "bearer ":  # a token beside a key: which one leads is unverified
        return _token_caller(bearer[7:].strip(), tokens, team, dialect)
    key = headers.get(b"x-api-key", b"").decode("latin-1").strip()
    if not key:
        raise errors.key_required()
    caller = keys.by_secret.get(key)
    if caller is None:
        raise errors.bad_key(dialect)
    return caller


def basic_client(headers: dict[bytes, bytes]) -> dict[str, str]:
    """The client_id and client_secret of an `Authorization: Basic` header; nothing when there is none to read."""
    kind, _, encoded = headers.get(b"authorization", b"").partition(b" ")
    if kind.lower() != b"basic":
        return {}
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return {}
    return {"client_id": unquote_plus(user), "client_secret": unquote_plus(password)}


def _token_caller(value: str, tokens: TokenStore, team: str, dialect: str) -> Caller:
    token = tokens.live(value)
    if token is None:
        raise errors.bad_token(dialect)
    return Caller(token_name(value), team, token.user_id, scopes=frozenset(token.scopes))


def check_access(caller: Caller, operation: Operation, dialect: str) -> None:
    """Refuses what the plan, the key's endpoints or the token's scopes do not cover."""
    if caller.scopes is not None:
        # A "master key only" is about keys: calls have a scope, so tokens that carry it are let in (unverified).
        if operation.oauth_scope not in caller.scopes:
            raise errors.scope_missing(operation.endpoint, operation.oauth_scope, dialect)
        return
    # Apollo lets free accounts with a work email search and enrich; this account has none, so it may not.
    if caller.free and not operation.free_plan_ok:
        raise errors.free_plan(operation.endpoint)
    if not caller.master and operation.key_endpoint not in caller.endpoints:
        raise errors.key_out_of_scope(operation.endpoint, dialect)
