"""What was sent, checked against what an endpoint declares. Every problem is told at once, and no value is repeated."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NoReturn

from starlette.datastructures import QueryParams

from ...contract.errors import InputError, Problem
from ...contract.keywords import Validator
from ...contract.located import PathParts, dotted
from ...contract.schemas import UNKNOWN, guess, worded
from .components import COMPONENTS
from .endpoint import Endpoint, Parameter, RefusedError, Schema

REFUSED = "The request was refused; nothing was done."
_WHOLE = re.compile(r"-?[0-9]{1,18}\Z")
_TRUTH = {"true": True, "false": False}


def path_values(endpoint: Endpoint, given: Mapping[str, str]) -> dict[str, str]:
    """Raises RefusedError: what can't be a name names nothing."""
    for parameter in endpoint.path_parameters:
        if list(problems(parameter.schema, given[parameter.name])):
            raise RefusedError(404, "not_found", "There is nothing of that name.")
    return dict(given)


def query_values(endpoint: Endpoint, given: QueryParams) -> dict[str, Any]:
    """Raises InputError."""
    known = {parameter.name: parameter for parameter in endpoint.query}
    found = [Problem(UNKNOWN + guess(name, known), path=name) for name in given if name not in known]
    values: dict[str, Any] = {}
    for name, parameter in known.items():
        values |= dict(_value(parameter, given.getlist(name), found))
    if found:
        raise InputError(REFUSED, found)
    return values


def body_value(endpoint: Endpoint, sent: bytes) -> Any:
    """Raises InputError."""
    if endpoint.body is None:
        return None
    try:
        value = json.loads(sent, parse_constant=_no_constant, object_pairs_hook=_no_twins)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise InputError(REFUSED, [Problem("must be JSON in UTF-8", path="body")]) from None
    found = [Problem(text, path=dotted(where) or "body") for where, text in problems(endpoint.body, value)]
    if found:
        raise InputError(REFUSED, found)
    return value


def problems(schema: Schema, value: Any) -> Iterator[tuple[PathParts, str]]:
    """Every problem as (path, sentence)."""
    errors = sorted(validator(json.dumps(schema)).iter_errors(value), key=lambda error: list(map(str, error.path)))
    told = [(tuple(error.absolute_path) + tail, text) for error in errors for tail, text in worded(error)]
    yield from dict.fromkeys(told)


@cache
def validator(schema: str) -> Any:
    """Of a schema as JSON text, which may refer to the document's components."""
    return Validator({**json.loads(schema), "components": {"schemas": COMPONENTS}})


def _value(parameter: Parameter, given: list[str], found: list[Problem]) -> Iterator[tuple[str, Any]]:
    name = parameter.name
    if len(given) > 1:
        found.append(Problem("stands twice", path=name))
    elif given:
        value = _read(parameter.schema, given[0])
        told = [Problem(text, path=name) for _, text in problems(parameter.schema, value)]
        found += told
        yield name, value
    elif parameter.required:
        found.append(Problem("is required", path=name))
    elif "default" in parameter.schema:
        yield name, parameter.schema["default"]


def _read(schema: Schema, text: str) -> Any:
    """A text that isn't one of the type stays as it is, for the schema to refuse."""
    if schema["type"] == "integer" and _WHOLE.match(text):
        return int(text)
    return _TRUTH.get(text, text) if schema["type"] == "boolean" else text


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("not JSON")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found
