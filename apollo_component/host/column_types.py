"""Column types under which SQLite and PostgreSQL keep the same: PostgreSQL refuses what SQLite lets pass."""

import hashlib

import sqlalchemy as sa

_LARGEST = 2**31 - 1
_DIGEST = 12


def storable(text: str) -> str:
    """Without what no PostgreSQL text can hold: NUL characters and halves of surrogate pairs are written out."""
    if "\0" not in text and text.isascii():
        return text
    return text.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode("utf-8")


def shortened(text: str, length: int) -> str:
    """As it is stored in a column of so many characters (16 at least): its two ends and a digest when it is longer.

    The same for who writes and who looks, and different for different texts.
    """
    text = storable(text)
    if len(text) <= length:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
    end = (length - _DIGEST - 2) // 2
    return f"{text[: length - _DIGEST - 2 - end]}~{digest}~{text[len(text) - end :]}"


class String(sa.types.TypeDecorator[str]):
    """A text of at most so many characters."""

    impl = sa.String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    def process_bind_param(self, value: str | None, _dialect: sa.Dialect) -> str | None:
        return None if value is None else shortened(value, self.length)


class Text(sa.types.TypeDecorator[str]):
    """A text of any length."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: sa.Dialect) -> str | None:
        return None if value is None else storable(value)
