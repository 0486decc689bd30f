"""Where this machine's keys are: the environment, or one file that only its owner may read."""

import errno
import os
import secrets
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..contract.errors import StoreError
from .sealing import Key
from .settings import Settings

KEY_FILE = "host.key"
VARIABLE, OLD_VARIABLE = "WORKFLOW_HOST_KEY", "WORKFLOW_HOST_OLD_KEYS"
_POSIX = os.name == "posix"


@dataclass(frozen=True, slots=True)
class KeySource:
    """WORKFLOW_HOST_KEY and, after it, WORKFLOW_HOST_OLD_KEYS; without the first the key file, one key a line."""

    settings: Settings

    @property
    def file(self) -> Path:
        return self.settings.home / KEY_FILE

    @property
    def is_file(self) -> bool:
        return not self.settings.key

    def read(self) -> list[Key]:
        """All keys, in their order; empty without a key file.

        Raises StoreError for a text that is no key, and for a file that others can read or that is a symbolic link.
        """
        if not self.is_file:
            old = [text for text in self.settings.old_keys.split(",") if text.strip()]
            return [Key.parsed(self.settings.key, VARIABLE), *(Key.parsed(text, OLD_VARIABLE) for text in old)]
        try:
            text = _content(self.file)
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError):
            raise StoreError(
                f"The key file {self.file} can't be read.", hint="Check its owner and mode (0600)."
            ) from None
        return [Key.parsed(line, str(self.file)) for line in text.splitlines() if line.strip()] or [
            Key.parsed("", str(self.file))
        ]

    def create(self) -> Key:
        """The first key, complete before it has its name; one that another process just made is taken instead."""
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = Key.new()
        draft = self._draft([key])
        try:
            os.link(draft, self.file)
        except FileExistsError:
            return self.read()[0]
        finally:
            draft.unlink()
        _kept(self.file.parent)
        return key

    def write(self, keys: Iterable[Key]) -> None:
        """Put these keys in place of what the file holds, at once; its owner stays the same."""
        for left in self.file.parent.glob(f".{KEY_FILE}.*.draft"):  # of a process that was killed here
            left.unlink()
        draft = self._draft(list(keys))
        before = self.file.stat()
        if _POSIX and before.st_uid != os.geteuid():
            os.chown(draft, before.st_uid, before.st_gid)
        draft.replace(self.file)
        _kept(self.file.parent)

    def _draft(self, keys: Sequence[Key]) -> Path:
        draft = self.file.with_name(f".{KEY_FILE}.{secrets.token_hex(4)}.draft")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as output:
            output.writelines(key.text() + "\n" for key in keys)
            output.flush()
            os.fsync(output.fileno())
        return draft


def loose(settings: Settings, database: Path | None) -> list[str]:
    """What of the host others can change or read although they should not, each as a sentence that says what to do."""
    found = []
    if _mode(settings.home) & 0o022:
        found.append(f"Others can write in the host's folder {settings.home}: chmod go-w it.")
    if database is not None and _mode(database) & 0o077:
        found.append(f"Others can open the database {database}, which holds personal data: chmod 600 it.")
    return found


def _mode(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode) if _POSIX else 0
    except OSError:
        return 0


def _content(file: Path) -> str:
    """Judged by the open file, so that nobody can exchange it between the look and the reading."""
    try:
        handle = os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise StoreError(
                f"The key file {file} is a symbolic link.",
                hint=f"Put the file itself there, or give the key in {VARIABLE}.",
            ) from None
        raise
    with os.fdopen(handle, encoding="ascii") as opened:
        mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
        if _POSIX and mode & 0o077:
            raise StoreError(
                f"Others can read the key file {file} (mode {mode:04o}), so it is not used.",
                hint=f"chmod 600 {file}. If somebody may have read it, run `keys rotate` after that.",
            )
        return opened.read()


def _kept(folder: Path) -> None:
    """A new name in a folder outlives a power cut only when the folder is on disk too."""
    if _POSIX:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
