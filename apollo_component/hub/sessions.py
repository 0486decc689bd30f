"""Who is signed in. A session lives in this process only: after a restart people sign in again.

Operators come by a one-time link that the Hub prints; end users by a connect session's link, and may only link what
that names. Only hashes of tokens are kept, and they are compared in constant time by being looked up as hashes.
"""

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from ..host.tokens import hashed
from .tries import Tries

IDLE_SECONDS = 12 * 3600.0
"""A session that nobody uses for so long has ended."""
GUEST_SECONDS = 3600.0
SESSIONS = 1000
"""Kept at most; those used longest ago go first."""
LINK_SECONDS = 3600.0
"""A sign-in link that nobody uses is replaced after that."""


@dataclass(slots=True)
class Session:
    """`guest` is the connect session that an end user came by; empty for an operator."""

    id: str
    csrf: str = field(repr=False)
    guest: str = ""
    used_at: float = 0.0

    @property
    def is_operator(self) -> bool:
        return not self.guest


class Sessions:
    """`announce` is told each new one-time token for signing in."""

    def __init__(self, announce: Callable[[str], None], clock: Callable[[], float] = time.time) -> None:
        self.announce, self.clock = announce, clock
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._link = ("", 0.0)
        self.tries = Tries(clock, "Too many wrong sign-ins.")

    def offer(self) -> None:
        """Make a new link for signing in; an earlier one is void."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._link = (hashed(token), self.clock() + LINK_SECONDS)
        self.announce(token)

    def sign_in(self, token: str, address: str) -> str | None:
        """The cookie's value of a new session; None for a wrong, used or old link. Raises TransientError after too
        many of these."""
        self.tries.check(address)
        with self._lock:
            wanted, until = self._link
            fits = bool(wanted) and secrets.compare_digest(hashed(token), wanted) and self.clock() < until
            if fits:
                self._link = ("", 0.0)
        if not fits:
            self.tries.failed(address)
            return None
        cookie = self.begin()
        self.offer()
        return cookie

    def begin(self, guest: str = "") -> str:
        """A new session; the value of its cookie."""
        cookie = secrets.token_urlsafe(32)
        session = Session(hashed(cookie), secrets.token_urlsafe(32), guest, self.clock())
        with self._lock:
            self._sessions[session.id] = session
            while len(self._sessions) > SESSIONS:
                self._sessions.popitem(last=False)
        return cookie

    def of(self, cookie: str) -> Session | None:
        """The session of a cookie, used now."""
        now = self.clock()
        with self._lock:
            session = self._sessions.get(hashed(cookie))
            if session is None:
                return None
            if now - session.used_at > (GUEST_SECONDS if session.guest else IDLE_SECONDS):
                del self._sessions[session.id]
                return None
            session.used_at = now
            self._sessions.move_to_end(session.id)
            return session

    def end(self, session: Session) -> None:
        with self._lock:
            self._sessions.pop(session.id, None)
