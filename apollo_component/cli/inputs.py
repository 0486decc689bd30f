"""The input of an action as it is given on a command line: JSON text, a file, or stdin."""

import json
import sys
from pathlib import Path
from typing import Any, NoReturn

from ..contract.errors import InputError, Problem


def read_option(given: str, name: str, refusal: str) -> dict[str, Any]:
    """The same for another option than --input. Raises InputError that begins with the refusal and names the option."""
    try:
        return read_input(given)
    except InputError as error:
        problems = [Problem(problem.text, path=name, line=problem.line) for problem in error.problems]
        raise InputError(refusal, problems) from None


def read_input(given: str) -> dict[str, Any]:
    """`{...}`, `@FILE` or `-`. Raises InputError with the place of the mistake, never with the text."""
    try:
        values = json.loads(_text(given), parse_constant=_no_constant, object_pairs_hook=_no_twins)
    except json.JSONDecodeError as error:
        if _is_file(given):
            raise _refused(f"is not JSON but the name of a file; did you mean @{given}?") from None
        raise _refused(f"is not JSON: {error.msg}", error.lineno) from None
    except RecursionError:
        raise _refused("is nested too deep") from None
    if not isinstance(values, dict):
        raise _refused("must be a JSON object with named fields")
    return values


def _is_file(given: str) -> bool:
    """Whether the text is the name of a file; what can't be a name is none."""
    try:
        return Path(given).is_file()
    except OSError:
        return False


def _text(given: str) -> str:
    try:
        if given == "-":
            return sys.stdin.read()
        return Path(given[1:]).read_text("utf-8-sig") if given.startswith("@") else given
    except OSError as error:
        raise _refused(f"can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _refused("is not UTF-8 text") from None


def _no_constant(name: str) -> NoReturn:
    raise _refused(f"holds {name}, which is not JSON")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise InputError("The input was refused; nothing was sent.", [Problem("stands twice", path=n) for n in twice])
    return found


def _refused(text: str, line: int = 0) -> InputError:
    return InputError("The input was refused; nothing was sent.", [Problem(text, path="--input", line=line)])
