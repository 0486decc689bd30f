"""The input of an action as it is given on a command line: JSON text, a file, or stdin."""

import sys
from pathlib import Path
from typing import Any

from ..contract.errors import InputError, Problem
from ..contract.json_text import read_object, refused

OPTION = "--input"


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
        return read_object(_text(given), OPTION)
    except InputError as error:
        if error.problems[0].text.startswith("is not JSON:") and _is_file(given):
            raise refused(f"is not JSON but the name of a file; did you mean @{given}?", OPTION) from None
        raise


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
        raise refused(f"can't be read: {error.strerror}", OPTION) from None
    except UnicodeDecodeError:
        raise refused("is not UTF-8 text", OPTION) from None
