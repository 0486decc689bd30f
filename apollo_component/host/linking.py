"""Linking an account: a key that is tested before it is stored, an authorization that begins and ends, a take-over
of tokens from elsewhere, and linking again under the same name and id."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..contract.errors import InputError, NotFoundError, Problem, ReauthorizationError, TransientError
from ..contract.manifest import ConnectionType
from ..contract.models import AuthorizeRequest, Callback, Credential, OAuthApp, Redirect, TestReport
from .connections import Connection, check_name
from .needs import needs_of
from .servers import Servers, check_servers
from .unmetered import Unmetered

if TYPE_CHECKING:
    from .host import Host

ATTEMPT_SECONDS = 600
MOVE_SECONDS = 15.0
Existing = Literal["allowed", "required", "refused"]
"""Whether a connection of the name may, must or must not be there already; it then gets the new credential."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """One authorization under way: single use, ten minutes."""

    name: str
    connector: str
    connection_type: str
    app: OAuthApp
    app_id: str | None
    redirect_uri: str
    scopes: tuple[str, ...]
    url: str = field(repr=False)
    state: str = field(repr=False)
    ends_at: float
    servers: Servers | None
    """Where it was begun, and the only place it is finished at."""


def link_key(
    host: "Host",
    connector: str,
    name: str,
    connection_type: str,
    fields: Mapping[str, str],
    actions: Sequence[str] = (),
    *,
    owner: str = "",
    existing: Existing = "allowed",
) -> tuple[Connection, TestReport]:
    """Test a key and store it under `name`, or give an existing connection the new key. `owner` is whose it is, where
    that is an end user.

    Raises ReauthorizationError when the service refuses it and TransientError when it can't be reached; nothing
    is stored then.
    """
    check_name(name)
    check_existing(host, connector, name, connection_type, existing)
    request = AuthorizeRequest(connection_type, fields)
    credential = host.registry.call(connector, "connector_authorize", request=request)
    return _stored(host, connector, name, credential, actions, owner=owner, existing=existing)


def begin(
    host: "Host",
    connector: str,
    name: str,
    connection_type: str,
    app: OAuthApp,
    *,
    app_id: str | None = None,
    redirect_uri: str = "",
    actions: Sequence[str] = (),
    scopes: Sequence[str] | None = None,
) -> Authorization:
    """Begin an authorization: where to send the person, and the secret state that ties the answer to it."""
    check_name(name)
    kind = kind_of(host, connector, connection_type)
    if kind.oauth is None:
        raise InputError(f"{kind.title} is not linked in the browser.")
    redirect = redirect_uri or (app.redirect_uris[0] if app.redirect_uris else kind.oauth.default_redirect)
    wanted = tuple(scopes) if scopes is not None else wanted_scopes(host, connector, actions)
    state = secrets.token_urlsafe(32)
    request = AuthorizeRequest(connection_type, app=app, redirect_uri=redirect, state=state, scopes=wanted)
    target = host.registry.call(connector, "connector_authorize", request=request)
    if not isinstance(target, Redirect):
        raise InputError(f"{kind.title} gave no address to go to.")
    ends = host.clock() + ATTEMPT_SECONDS
    begun = (target.url, state, ends, host.registry.servers(connector))
    return Authorization(name, connector, connection_type, app, app_id, redirect, wanted, *begun)


def finish(
    host: "Host",
    attempt: Authorization,
    query: Mapping[str, str],
    actions: Sequence[str] = (),
    *,
    owner: str = "",
    existing: Existing = "allowed",
) -> tuple[Connection, TestReport]:
    """Exchange what came back, test it and store it. Raises ReauthorizationError when access was denied, and
    WrongServerError where requests go to other servers than those it was begun at."""
    if host.clock() > attempt.ends_at:
        raise InputError("The attempt is older than ten minutes; nothing was linked.", hint="Start again.")
    check_servers(host.registry, attempt.connector, "This attempt", attempt.servers, "Start again.")
    callback = Callback(
        query, attempt.state, attempt.redirect_uri, attempt.app, attempt.scopes, attempt.connection_type
    )
    credential = host.registry.call(attempt.connector, "connector_exchange", callback=callback)
    app = (attempt.app_id, attempt.app)
    return _stored(host, attempt.connector, attempt.name, credential, actions, app=app, owner=owner, existing=existing)


def take_over(
    host: "Host", connector: str, name: str, connection_type: str, file: Path, app_id: str | None = None
) -> tuple[Connection, TestReport]:
    """Store tokens made on another platform, refreshing them when they have expired.

    They are stored before they are refreshed, so that no pair can be lost; an existing connection of that name keeps
    its own until the new ones are proved. Raises InputError naming what is missing, never showing a value.
    """
    data = _imported(file)
    app = OAuthApp(data["client_id"], data["client_secret"])
    expires = _expiry(data.get("expires_at"))
    credential = Credential(
        connection_type,
        access_token=data["access_token"],
        refresh_token=data["refresh_token"],
        issued_at=datetime.fromtimestamp(host.clock(), UTC),
        expires_at=expires,
        scopes=_scopes(data.get("scopes")),
    )
    check_name(name)
    existing = check_existing(host, connector, name, connection_type)
    trial = f"{name[:80]} {secrets.token_hex(4)}" if existing else name
    connection = _saved(host, connector, trial, credential, (app_id, app), None)
    connection, report = test_stored(host, connection.id)
    if report.verdict == "refused" or (existing and report.verdict == "unreachable"):
        host.connections.remove(connection)
        kind = ReauthorizationError if report.verdict == "refused" else TransientError
        raise kind(f"{report.text} Nothing was stored.", hint=report.hint)
    if existing:
        _, fresh = host.connections.current(connection.id)
        host.connections.remove(connection)
        connection = _saved(host, connector, name, fresh, (app_id, app), existing)
        host.connections.record_test(connection, report)
    return host.connections.get(connection.id), report


def move(host: "Host", name: str) -> Connection:
    """Let a connection and its app belong to the servers that requests go to now; nothing is sent.

    Raises TransientError while its tokens are refreshed, StoreError when a secret can't be opened.
    """
    connection = host.connections.get(name)
    lease = host.leases.acquire(f"connection:{connection.id}", MOVE_SECONDS)
    try:
        if lease is None or not host.connections.move(connection, lease):
            raise TransientError(f"The connection {name!r} is being changed.", hint="Try again.", worked=False)
    finally:
        if lease:
            host.leases.release(lease)
    return host.connections.get(connection.id)


def wanted_scopes(host: "Host", connector: str, actions: Sequence[str]) -> tuple[str, ...]:
    """What the chosen actions need; empty (the parameter is left out) when none were chosen."""
    names = [f"{connector}.{action}" for action in actions]
    return tuple(needs_of(host.registry.manifests, names)["oauth_scopes"]) if names else ()


def kind_of(host: "Host", connector: str, connection_type: str) -> ConnectionType:
    kinds = host.registry.manifest(connector).connection_types
    if connection_type not in kinds:
        raise InputError("There is no such connection type.", [Problem(f"must be one of: {', '.join(kinds)}")])
    return kinds[connection_type]


def _stored(
    host: "Host",
    connector: str,
    name: str,
    credential: Credential,
    actions: Sequence[str],
    *,
    app: tuple[str | None, OAuthApp] | None = None,
    owner: str = "",
    existing: Existing = "allowed",
) -> tuple[Connection, TestReport]:
    report = tested(host, connector, credential, actions)
    if report.verdict == "refused":
        hint = report.hint or "Copy it again or make a new one at the service, then link again."
        raise ReauthorizationError(f"{report.text} Nothing was stored.", hint=hint)
    if report.verdict == "unreachable" and not credential.refresh_token:
        raise TransientError(f"{report.text} Nothing was stored.", hint=report.hint or "Try again.")
    found = check_existing(host, connector, name, credential.connection_type, existing)
    connection = _saved(host, connector, name, credential, app, found, owner)
    host.connections.record_test(connection, report)
    return host.connections.get(connection.id), report


def _saved(
    host: "Host",
    connector: str,
    name: str,
    credential: Credential,
    app: tuple[str | None, OAuthApp] | None,
    existing: Connection | None,
    owner: str = "",
) -> Connection:
    """Store a new link or the new secret of an old one; an app that isn't stored yet becomes the connection's own."""
    app_id = (app[0] or host.apps.add(None, connector, app[1])) if app else None
    if existing is None:
        return host.connections.add(name, connector, credential, app_id=app_id, owner=owner)
    here = host.registry.servers(connector)
    again = ("linked again", "linked again")
    while not host.connections.replace_credential(existing, credential, *again, app_id=app_id, servers=here):
        existing = host.connections.get(existing.id)  # a refresh was faster, but what the person gives wins
    return host.connections.get(existing.id)


def check_existing(
    host: "Host", connector: str, name: str, connection_type: str, existing: Existing = "allowed"
) -> Connection | None:
    """The connection to link again, which keeps its id; None where a new one is made.

    Raises InputError when the name is taken, also by a connection of another type, which can't change under it, and
    NotFoundError when a connection is required and was removed.
    """
    try:
        found = host.connections.get(name)
    except NotFoundError:
        if existing == "required":
            raise
        return None
    text = "is taken; choose another" if existing == "refused" else ""
    if (found.connector, found.type) != (connector, connection_type):
        text = text or f"is taken by a connection of another type ({found.connector}, {found.type})"
    if text:
        raise InputError("The connection was not stored.", [Problem(text, path="name")])
    return found


def tested(
    host: "Host", connector: str, credential: Credential, actions: Sequence[str], *, strict: bool = False
) -> TestReport:
    report: TestReport = host.registry.call(
        connector,
        "connector_test",
        credential=credential,
        actions=tuple(actions),
        strict=strict,
        context=Unmetered(datetime.fromtimestamp(host.clock(), UTC)),
    )
    return report


def test_stored(
    host: "Host", name: str, actions: Sequence[str] = (), *, strict: bool = False
) -> tuple[Connection, TestReport]:
    """Test a stored connection, refreshing its token first when it is due, and keep the result. Raises
    WrongServerError."""
    connection = host.connections.get(name)
    try:
        if connection.status == "needs_reauthorization":
            connection, credential = host.connections.current(connection.id)
        else:
            connection, credential = host.refresher.usable(connection.id)
        report = tested(host, connection.connector, credential, actions, strict=strict)
        if report.verdict == "refused" and credential.refresh_token and connection.status != "needs_reauthorization":
            connection, credential = host.refresher.usable(connection.id, rejected=connection.version)
            report = tested(host, connection.connector, credential, actions, strict=strict)
    except ReauthorizationError as error:
        return connection, TestReport("refused", error.message, hint=error.hint)
    except TransientError as error:
        return connection, TestReport("unreachable", error.message, hint=error.hint)
    kept = report if not strict else replace(report, verdict=_unstrict(report))
    host.connections.record_test(connection, kept)
    return host.connections.get(connection.id), report


test_stored.__test__ = False  # type: ignore[attr-defined]


def _unstrict(report: TestReport) -> Any:
    """A refusal that --strict alone causes says nothing about the credential itself."""
    strict_only = report.verdict == "refused" and not any(check.outcome == "failed" for check in report.checks)
    return "limited" if strict_only else report.verdict


def _imported(file: Path) -> dict[str, str]:
    try:
        data = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        raise InputError(
            "The credential file can't be read as JSON.", [Problem("is not JSON", file=file.name)]
        ) from None
    wanted = ("client_id", "client_secret", "access_token", "refresh_token")
    known = {*wanted, "expires_at", "scopes"}
    if not isinstance(data, dict):
        raise InputError("The credential file can't be used.", [Problem("must be an object", file=file.name)])
    problems = [Problem("is required", path=key, file=file.name) for key in wanted if not data.get(key)]
    problems += [
        Problem("must be a text", path=k, file=file.name)
        for k in wanted
        if data.get(k) and not isinstance(data[k], str)
    ]
    problems += [
        Problem("is not a known field", path=str(key)[:40], file=file.name) for key in data if key not in known
    ]
    if problems:
        raise InputError("The credential file can't be used; nothing was stored.", problems)
    return data


def _expiry(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        return datetime.fromtimestamp(_seconds(value), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        problem = Problem("must be a time in ISO 8601 or seconds since 1970", path="expires_at")
        raise InputError("The credential file can't be used; nothing was stored.", [problem]) from None


def _seconds(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError("a truth value is no time")
    return datetime.fromisoformat(value).timestamp() if isinstance(value, str) else float(value)


def _scopes(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    found = value.split() if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(scope, str) for scope in found):
        problem = Problem("must be a text or a list of texts", path="scopes")
        raise InputError("The credential file can't be used; nothing was stored.", [problem])
    return tuple(found)
