"""The operator's choices, read once from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

from ..contract.errors import InputError, Problem

APP_NAME = "workflow-host"
RETENTION_DAYS = 30


@dataclass(frozen=True, slots=True)
class Settings:
    """`home` holds the database and key file; `key` is the text of WORKFLOW_HOST_KEY, empty when unset."""

    home: Path
    database_url: str
    key: str = ""
    retention: timedelta = timedelta(days=RETENTION_DAYS)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Raises InputError when a value can't be used."""
        home = Path(environ.get("WORKFLOW_HOST_HOME") or _default_home()).expanduser().absolute()
        return cls(
            home=home,
            database_url=environ.get("WORKFLOW_HOST_DATABASE_URL") or f"sqlite:///{home / 'host.db'}",
            key=environ.get("WORKFLOW_HOST_KEY", ""),
            retention=timedelta(days=_days(environ.get("WORKFLOW_HOST_RETENTION", ""))),
        )

    def __repr__(self) -> str:
        return f"Settings(home={str(self.home)!r})"


def _default_home() -> str:
    from platformdirs import user_data_dir

    return user_data_dir(APP_NAME, appauthor=False)


def _days(text: str) -> float:
    try:
        days = float(text or RETENTION_DAYS)
    except ValueError:
        days = -1
    if not 0 <= days <= 36500:
        problem = Problem("must be a number of days from 0 to 36500", path="WORKFLOW_HOST_RETENTION")
        raise InputError("The environment can't be used.", [problem])
    return days
