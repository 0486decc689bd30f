"""How much an expression may do: a line of JMESPath can double a value again and again until the memory is full."""

import math
from collections.abc import Mapping
from typing import Any

from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions, signature
from jmespath.visitor import Options, TreeInterpreter

LONGEST = 2000
"""Characters of an expression."""
GROWTH = 64
"""How many times over an expression may hold the values it gets."""
WORK = 10_000_000
"""Parts of an expression that are worked out, and items and characters of what they give, for one evaluation."""
VALUES = 5_000_000
"""Values of a result that was put together."""
_TOGETHER = ("multi_select_list", "multi_select_dict", "function_expression", "or_expression", "and_expression")


class TooMuchError(JMESPathError):  # type: ignore[misc]
    """The expression is sound, but asks for more than it may."""


def growth(tree: Mapping[str, Any]) -> int:
    """How many times the values it gets may stand in what an expression gives."""
    inner = [growth(child) for child in tree["children"] if isinstance(child, Mapping)]
    if tree["type"] in _TOGETHER:
        twice = 2 if tree.get("value") == "to_string" else 1  # quotes get a backslash, backslashes another
        return max(1, twice * sum(inner))
    return math.prod(inner)


def bounded(tree: Mapping[str, Any], values: Any) -> Any:
    """What the expression gives. Raises TooMuchError, and JMESPathError when the values don't fit it."""
    try:
        found = _Interpreter().visit(tree, values)
        return found if growth(tree) == 1 else _weighed(found)
    except RecursionError:
        raise TooMuchError("is nested too deep") from None


def _weighed(value: Any) -> Any:
    """The value, when written out it stays below the limit: lists may hold the same list many times."""
    left, level = VALUES, [value]
    while level:
        left -= len(level)
        if left < 0:
            raise TooMuchError("gives too many values")
        level = [inner for part in level for inner in _inside(part)]
    return value


def _inside(value: Any) -> Any:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list) else ()


class _Functions(Functions):  # type: ignore[misc]
    """Those that can make much of little in one go look first."""

    @signature({"types": ["string"]}, {"types": ["array-string"]})  # type: ignore[untyped-decorator]
    def _func_join(self, separator: str, parts: list[str]) -> str:
        if len(separator) * len(parts) + sum(map(len, parts)) > WORK:
            raise TooMuchError("joins too many texts")
        return separator.join(parts)

    @signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_to_string(self, value: Any) -> Any:
        return super()._func_to_string(_weighed(value))


class _Interpreter(TreeInterpreter):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__(Options(custom_functions=_Functions()))
        self._left = WORK

    def visit(self, node: Any, *args: Any, **more: Any) -> Any:
        found = super().visit(node, *args, **more)
        self._left -= 1 + (len(found) if isinstance(found, list | str) else 0)
        if self._left < 0:
            raise TooMuchError("takes too much work")
        return found
