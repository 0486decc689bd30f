"""Keywords of input schemas, as this project means them; all others are JSON Schema 2020-12.

`pattern`: `$` is the end of the text, as JSON Schema has it, not the place before its last line break;
a text of more than `LONGEST` characters doesn't match.
`format`: a `date` and a `date-time` must exist; other formats say nothing.
`x-ascending`: the first of two fields may not be larger than the second; or, where it is a separator, the first of the
two numbers in a text. What can't be compared is left to the other keywords.
`x-public`: a web address must be one that the internet can reach, as far as it tells itself (see `addresses`); an
address of the host's own (`HostUrl`) is its operator's matter.
`x-nowhere`: none of these texts stands anywhere in the value, at any depth (see `placeholders`).
"""

import functools
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from .addresses import unreachable
from .models import HostUrl
from .placeholders import places

_END = re.compile(r"(\\.|\[(?:\\.|[^\]\\])*\])|\$")
LONGEST = 4000
"""Characters of a text that has a pattern; the work on a longer one could grow with its square."""
Found = Iterator[ValidationError]


@functools.lru_cache(maxsize=1000)
def compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(_END.sub(lambda found: found[1] or r"\Z", pattern))


def _matches(pattern: str, text: str) -> bool:
    return len(text) <= LONGEST and compiled(pattern).search(text) is not None


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Found:
    if isinstance(instance, str) and not _matches(pattern, instance):
        yield ValidationError("pattern")


def _format(_validator: Any, name: str, instance: Any, schema: Any) -> Found:
    """A text of another form is the pattern's to refuse."""
    if name not in ("date", "date-time") or not isinstance(instance, str):
        return
    if _matches(schema.get("pattern", ""), instance) and _moment(instance) is None:
        yield ValidationError("format")


def _ascending(_validator: Any, order: str | list[str], instance: Any, _schema: Any) -> Found:
    if isinstance(order, str):
        ends = [_whole(part) for part in instance.split(order)] if isinstance(instance, str) else []
    else:
        ends = [_end(instance.get(name)) for name in order] if isinstance(instance, dict) else []
    if len(ends) == 2 and _descend(*ends):
        yield ValidationError("x-ascending")


def _descend(first: Any, second: Any) -> bool:
    try:
        return bool(first > second)
    except TypeError:
        return False


def _end(value: Any) -> Any:
    """One end of a range, None for what is neither a number nor a time."""
    if isinstance(value, str):
        return _moment(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _moment(text: str) -> datetime | None:
    """A day or a time; without an offset it is taken for GMT."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _public(_validator: Any, public: bool, instance: Any, _schema: Any) -> Found:
    if public and isinstance(instance, str) and not isinstance(instance, HostUrl) and (why := unreachable(instance)):
        yield ValidationError(why)


def _nowhere(_validator: Any, texts: list[str], instance: Any, _schema: Any) -> Found:
    yield from (ValidationError("x-nowhere", path=place) for place in places(instance, texts))


_KEYWORDS = {
    "pattern": _pattern,
    "format": _format,
    "x-ascending": _ascending,
    "x-public": _public,
    "x-nowhere": _nowhere,
}
Validator: Callable[..., Any] = extend(Draft202012Validator, _KEYWORDS)  # type: ignore[no-untyped-call]
