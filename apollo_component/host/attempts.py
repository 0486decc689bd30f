"""Attempts to link an account in a browser. They are kept in the database, so that closed and reloaded windows, a
second window and a late answer all find their way.

An attempt belongs to the browser that began it. Its state is kept hashed, is good for ten minutes and one answer. To
give up is soft, since a closed window may only seem closed: an answer that still comes in time is taken.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ..contract.errors import ConnectorError, InputError, NotFoundError, ReauthorizationError
from ..contract.models import OAuthApp, TestReport
from . import linking
from .attempt_rows import TAKES_ANSWER, Attempt, Wanted, attempt_of
from .connect_sessions import ConnectSessions
from .connections import Connection, check_name
from .servers import check_servers
from .store import dumps
from .tables import apps, attempts, connections
from .tokens import hashed

if TYPE_CHECKING:
    from .host import Host

KEPT_SECONDS = 86400.0
"""So long its page can be come back to."""
APP_SECONDS = 3600.0
"""So long a typed app is kept for another try when nothing was linked with it."""
_AGAIN = "Start again."


class Attempts:
    """`browser` is the id of a browser's session everywhere; another browser finds nothing."""

    def __init__(self, host: "Host") -> None:
        self.host, self.store, self.clock = host, host.store, host.clock
        self.sessions = ConnectSessions(host)

    def begin(self, browser: str, wanted: Wanted, app: str | OAuthApp) -> Attempt:
        """A new attempt with a stored app, by name or id, or with one that was typed. Nothing is sent.

        Raises InputError naming what can't be used, NotFoundError for an app or connection that isn't there.
        """
        self.tidy()
        wanted = self._checked(wanted)
        stored = self.host.apps.check(app, wanted.connector) if isinstance(app, str) else None
        oauth_app = self.host.apps.get(stored)[1] if stored else app
        begun = self._authorization(wanted, oauth_app, None)  # type: ignore[arg-type]
        app_id = stored or self.host.apps.add(None, wanted.connector, begun.app)
        return self._kept(browser, wanted, "waiting", app_id=app_id, scopes=begun.scopes)

    def by_key(self, browser: str, wanted: Wanted, fields: Mapping[str, str]) -> Attempt:
        """Test a key and store it at once; the attempt is linked and keeps the result. Raises what `link_key` does."""
        self.tidy()
        wanted = self._checked(wanted)
        before = self._before(wanted)
        connection, report = linking.link_key(
            self.host,
            wanted.connector,
            wanted.name,
            wanted.type,
            fields,
            wanted.actions,
            owner=wanted.owner,
            existing=_existing(wanted),
        )
        self._end_session(wanted, connection)
        attempt = self._kept(browser, wanted, "linked", result=_told(report, before, connection))
        self._set(attempt.id, connection_id=connection.id)
        return self.get(attempt.id, browser)

    def go(self, identity: str, browser: str) -> str:
        """Where to send the person now, with a fresh state; an earlier one is void. Raises InputError when the attempt
        is over, NotFoundError, WrongServerError."""
        attempt = self.get(identity, browser)
        if attempt.status in ("linked", "finishing"):
            raise InputError("This attempt is done already.", hint="Go back to its page.")
        check_servers(self.host.registry, attempt.wanted.connector, "This attempt", attempt.servers, _AGAIN)
        wanted = self._checked(attempt.wanted)
        try:
            app = self.host.apps.get(attempt.app_id or "")[1]
        except NotFoundError:
            raise InputError("The app of this attempt isn't kept any more.", hint=_AGAIN) from None
        begun = self._authorization(wanted, app, attempt.scopes)
        values: dict[str, Any] = {
            "state_hash": hashed(begun.state),
            "status": "waiting",
            "ends_at": begun.ends_at,
            "result_json": "{}",
        }
        self._set(identity, "linked", "finishing", **values)
        return begun.url

    def came_back(self, query: Mapping[str, str], browser: str) -> Attempt:
        """Take what came back from the service: exchange, test, store, and keep the result. The same answer a second
        time gives the same result and sends nothing.

        Raises InputError for an answer that belongs to no attempt of this browser.
        """
        attempt = self._answered(query, browser)
        state = query.get("state", "")
        if not state:
            return self._refused(attempt, query)
        if attempt.status in TAKES_ANSWER and self._claim(attempt, state):
            self._finish(attempt, query)
        return self.get(attempt.id, browser)

    def cancel(self, identity: str, browser: str) -> Attempt:
        """The person gave up, or so it seems."""
        self.get(identity, browser)
        self._set(identity, only="waiting", status="cancelled")
        return self.get(identity, browser)

    def get(self, identity: str, browser: str) -> Attempt:
        """Raises NotFoundError."""
        mine = (attempts.c.id == identity, attempts.c.browser_hash == hashed(browser))
        row = self.store.row(sa.select(attempts).where(*mine))
        if row is None:
            raise NotFoundError("There is no such attempt in this browser.", hint=_AGAIN)
        return attempt_of(row, self.clock())

    def tidy(self) -> None:
        """Forget old attempts, and typed apps that nothing was linked with."""
        now = self.clock()
        used = sa.select(connections.c.app_id).where(connections.c.app_id.is_not(None))
        recent = sa.select(attempts.c.app_id).where(
            attempts.c.app_id.is_not(None), attempts.c.ends_at > now - APP_SECONDS
        )
        loose = (apps.c.name.is_(None), apps.c.created_at < now - APP_SECONDS)
        with self.store.write() as open_:
            open_.execute(sa.delete(attempts).where(attempts.c.ends_at < now - KEPT_SECONDS))
            open_.execute(sa.delete(apps).where(*loose, apps.c.id.not_in(used), apps.c.id.not_in(recent)))

    def _checked(self, wanted: Wanted) -> Wanted:
        """With the name that the connection has or may have now. Raises InputError, NotFoundError."""
        if wanted.session:
            session = self.sessions.usable(wanted.session)
            return replace(wanted, name=self.sessions.free_name(session))
        if wanted.connection:
            wanted = replace(wanted, name=self.host.connections.get(wanted.connection).name)
        check_name(wanted.name)
        linking.check_existing(self.host, wanted.connector, wanted.name, wanted.type, _existing(wanted))
        return wanted

    def _authorization(self, wanted: Wanted, app: OAuthApp, scopes: Sequence[str] | None) -> linking.Authorization:
        return linking.begin(
            self.host,
            wanted.connector,
            wanted.name,
            wanted.type,
            app,
            redirect_uri=wanted.redirect_uri,
            actions=wanted.actions,
            scopes=scopes,
        )

    def _answered(self, query: Mapping[str, str], browser: str) -> Attempt:
        """The attempt an answer is for. A refusal may come without a state: it is for the one that went last."""
        mine = attempts.c.browser_hash == hashed(browser)
        if state := query.get("state", ""):
            chosen = sa.select(attempts).where(mine, attempts.c.state_hash == hashed(state))
        else:
            under_way = (attempts.c.status.in_(TAKES_ANSWER), attempts.c.state_hash != "")
            chosen = sa.select(attempts).where(mine, *under_way, attempts.c.ends_at >= self.clock())
        row = self.store.row(chosen.order_by(attempts.c.ends_at.desc()).limit(1))
        if row is None:
            raise InputError(
                "This answer belongs to no attempt of this browser; nothing was linked.",
                hint="Go back to where you began, in the browser where you began, and start again.",
            )
        return attempt_of(row, self.clock())

    def _refused(self, attempt: Attempt, query: Mapping[str, str]) -> Attempt:
        """Anybody can bring about an answer without a state, so this refuses softly: the true answer is still taken."""
        try:
            linking.finish(self.host, self._returned(attempt, ""), {**query, "state": ""}, ())
        except ReauthorizationError as error:
            values = {"status": "denied", "result_json": dumps({"error": error.as_dict()})}
            self._set(attempt.id, "linked", "finishing", **values)
        row = self.store.row(sa.select(attempts).where(attempts.c.id == attempt.id))
        return attempt_of(row, self.clock()) if row else attempt

    def _claim(self, attempt: Attempt, state: str) -> bool:
        """Of two arrivals of one answer only one goes on."""
        mine = (attempts.c.id == attempt.id, attempts.c.state_hash == hashed(state))
        fit = (attempts.c.status.in_(TAKES_ANSWER), attempts.c.ends_at >= self.clock())
        with self.store.write(f"attempt:{attempt.id}") as open_:
            claimed = sa.update(attempts).where(*mine, *fit).values(status="finishing")
            return bool(open_.execute(claimed).rowcount)

    def _finish(self, attempt: Attempt, query: Mapping[str, str]) -> None:
        status, result, connection = "failed", {"error": {"message": "It stopped in the middle.", "hint": _AGAIN}}, None
        try:
            connection, result = self._linked(attempt, query)
            status = "linked"
        except ReauthorizationError as error:
            status, result = ("failed" if "code" in query else "denied"), {"error": error.as_dict()}
        except ConnectorError as error:
            result = {"error": error.as_dict()}
        finally:
            identity = connection.id if connection else attempt.wanted.connection
            self._set(attempt.id, status=status, result_json=dumps(result), connection_id=identity)

    def _linked(self, attempt: Attempt, query: Mapping[str, str]) -> tuple[Connection, dict[str, Any]]:
        wanted = self._checked(attempt.wanted)
        before = self._before(wanted)
        begun = replace(self._returned(attempt, query["state"]), name=wanted.name)
        connection, report = linking.finish(
            self.host, begun, query, wanted.actions, owner=wanted.owner, existing=_existing(wanted)
        )
        self._end_session(wanted, connection)
        return connection, _told(report, before, connection)

    def _returned(self, attempt: Attempt, state: str) -> linking.Authorization:
        """What began, with the state that came back, which was found by its hash."""
        wanted = attempt.wanted
        app = self.host.apps.get(attempt.app_id or "")[1]
        more = (app, attempt.app_id, wanted.redirect_uri, attempt.scopes, "", state, attempt.ends_at, attempt.servers)
        return linking.Authorization(wanted.name, wanted.connector, wanted.type, *more)

    def _before(self, wanted: Wanted) -> str:
        """The id of the account that was reached so far."""
        return self.host.connections.get(wanted.connection).account.id if wanted.connection else ""

    def _end_session(self, wanted: Wanted, connection: Connection) -> None:
        """A connect session links one account: of two that end at one moment the second is taken back."""
        if wanted.session and not self.sessions.end(wanted.session, connection.id):
            self.host.connections.remove(connection)
            raise InputError("An account was linked by this link already; nothing more was linked.")

    def _kept(self, browser: str, wanted: Wanted, status: str, **more: Any) -> Attempt:
        identity, now = secrets.token_hex(12), self.clock()
        row: dict[str, Any] = {
            "id": identity,
            "browser_hash": hashed(browser),
            "state_hash": "",
            "session": wanted.session,
        }
        row |= {"owner": wanted.owner, "name": wanted.name, "connector": wanted.connector, "type": wanted.type}
        row |= {"connection_id": wanted.connection, "app_id": more.get("app_id"), "redirect_uri": wanted.redirect_uri}
        row |= {"scopes_json": dumps(list(more.get("scopes", ()))), "actions_json": dumps(list(wanted.actions))}
        row |= {"again": bool(wanted.connection), "status": status, "result_json": dumps(more.get("result", {}))}
        row |= {"created_at": now, "ends_at": now + linking.ATTEMPT_SECONDS}
        row["servers_json"] = dumps(self.host.registry.servers(wanted.connector))
        with self.store.write() as open_:
            open_.execute(sa.insert(attempts).values(**row))
        return self.get(identity, browser)

    def _set(self, identity: str, *but: str, only: str = "", **values: Any) -> None:
        """Change an attempt, unless its status is one of `but`, or isn't `only`."""
        where = [attempts.c.id == identity, attempts.c.status.not_in(but)]
        where += [attempts.c.status == only] if only else []
        with self.store.write(f"attempt:{identity}") as open_:
            open_.execute(sa.update(attempts).where(*where).values(**values))


def _existing(wanted: Wanted) -> linking.Existing:
    return "required" if wanted.connection else "refused"


def _told(report: TestReport, before: str, connection: Connection) -> dict[str, Any]:
    other = bool(before and connection.account.id and connection.account.id != before)
    return report.as_dict() | {"other_account": other}
