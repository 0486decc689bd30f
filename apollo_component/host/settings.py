"""The operator's choices, read once from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, urlsplit

from ..contract.errors import InputError, Problem

APP_NAME = "workflow-host"
RETENTION_DAYS = 30
PUBLIC_URL = "WORKFLOW_HOST_PUBLIC_URL"
RESERVE_PERCENT = 10


@dataclass(frozen=True, slots=True)
class Settings:
    """`home` holds the database and key file; `key` is the text of WORKFLOW_HOST_KEY, empty when unset, and `old_keys`
    that of WORKFLOW_HOST_OLD_KEYS, which is looked at beside it only.

    `public_url` is where the outside reaches `callbacks`, without a slash at the end; empty: late results are polled.
    `reserve` is the share of each quota window that background work leaves for interactive calls.
    """

    home: Path
    database_url: str
    key: str = ""
    retention: timedelta = timedelta(days=RETENTION_DAYS)
    public_url: str = ""
    old_keys: str = ""
    reserve: float = RESERVE_PERCENT / 100

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Raises InputError when a value can't be used."""
        home = Path(environ.get("WORKFLOW_HOST_HOME") or _default_home()).expanduser().absolute()
        return cls(
            home=home,
            database_url=environ.get("WORKFLOW_HOST_DATABASE_URL") or f"sqlite:///{home / 'host.db'}",
            key=environ.get("WORKFLOW_HOST_KEY", ""),
            retention=timedelta(days=_days(environ.get("WORKFLOW_HOST_RETENTION", ""))),
            public_url=_address(environ.get(PUBLIC_URL, "")),
            old_keys=environ.get("WORKFLOW_HOST_OLD_KEYS", ""),
            reserve=_percent(environ.get("WORKFLOW_HOST_RESERVE", "")) / 100,
        )

    def __repr__(self) -> str:
        return f"Settings(home={str(self.home)!r})"


def _default_home() -> str:
    from platformdirs import user_data_dir

    return user_data_dir(APP_NAME, appauthor=False)


def _days(text: str) -> float:
    return _number(text or str(RETENTION_DAYS), 36500, "a number of days from 0 to 36500", "WORKFLOW_HOST_RETENTION")


def _percent(text: str) -> float:
    return _number(text or str(RESERVE_PERCENT), 90, "a percentage from 0 to 90", "WORKFLOW_HOST_RESERVE")


def _number(text: str, most: float, expected: str, variable: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 <= number <= most:
        raise InputError("The environment can't be used.", [Problem(f"must be {expected}", path=variable)])
    return number


def is_loopback(parts: SplitResult) -> bool:
    """Whether an address is http on this computer, where nobody listens in."""
    return parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")


def _address(text: str) -> str:
    """A base address of this host as others see it: nothing but scheme, host, port and path."""
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        port_given = parts.port is None or parts.port > 0
    except ValueError:
        parts, port_given = urlsplit(""), False
    loopback = is_loopback(parts)
    bare = text == f"{parts.scheme}://{parts.netloc}{parts.path}" and "@" not in parts.netloc and text.isprintable()
    if not (port_given and bare and parts.hostname and (parts.scheme == "https" or loopback)) or " " in text:
        expected = "must be https://HOST[:PORT][/PATH] (http on this machine only), without user, query and fragment"
        raise InputError("The environment can't be used.", [Problem(expected, path=PUBLIC_URL)])
    return text.rstrip("/")
