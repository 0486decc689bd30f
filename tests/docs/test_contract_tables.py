"""The tables of docs/contract.md hold what the contract holds."""

import ast
import dataclasses
import inspect
import re
from pathlib import Path

import pytest

import apollo_component.contract
from apollo_component.contract import errors, models
from apollo_component.contract.hookspecs import Context, Hookspecs

from .documents import text

CONTRACT = text("docs/contract.md")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading."""
    part = CONTRACT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")][2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def signatures(holder: type) -> list[str]:
    """`name(argument, ...)` of each function and `name` of each attribute, as the tables write them."""
    functions = [(name, inspect.signature(value)) for name, value in vars(holder).items() if inspect.isfunction(value)]
    told = [f"{name}({', '.join(list(found.parameters)[1:])})" for name, found in functions if not name.startswith("_")]
    return [*vars(holder).get("__annotations__", {}), *told]


def test_the_table_of_hooks_is_the_contracts() -> None:
    """Each hook has its row with its arguments, and every error that a row names is one of the contract."""
    assert [row[0].strip("`") for row in rows("The hooks")] == signatures(Hookspecs)
    named = re.findall(r"`(\w+Error)`", " ".join(cell for row in rows("The hooks") for cell in row))
    assert len(named) > 10
    assert [name for name in named if not hasattr(errors, name)] == []


def test_the_table_of_the_context_is_the_contracts() -> None:
    """Each thing a connector may ask of its host has its row with its arguments."""
    assert [row[0].strip("`") for row in rows("Context")] == signatures(Context)
    assert Context._is_protocol


def test_the_table_of_models_is_the_contracts() -> None:
    """Each model has its row, and every name in a row is one of its fields, of a model or of an action's declaration."""
    found = {name: value for name, value in vars(models).items() if dataclasses.is_dataclass(value)}
    named = [re.findall(r"`(\w+)`", row[0]) for row in rows("Models")]
    assert sorted(name for row in named for name in row) == sorted([*found, "Effect"])
    for names, (_, told) in zip(named, rows("Models"), strict=True):
        fields = {field.name for name in names if name in found for field in dataclasses.fields(found[name])}
        assert set(re.findall(r"`([\w.]+)`", told)) - {"wait.action"} <= fields, names


def test_every_model_is_frozen() -> None:
    """No value that passes between host and connector can be changed."""
    found = [value for value in vars(models).values() if dataclasses.is_dataclass(value)]
    assert len(found) > 15
    assert [value.__name__ for value in found if not value.__dataclass_params__.frozen] == []


@pytest.mark.parametrize("name", sorted(name for name in vars(errors) if name.endswith("Error")))
def test_an_error_is_told_as_json_with_its_code(name: str) -> None:
    """Code and exit code belong to the class; message, hint and request id are told as they were given."""
    kind = getattr(errors, name)
    needed = {"linked_at": {}, "now": {}} if kind is errors.WrongServerError else {}
    error = kind("It is so.", **needed)
    error.hint, error.request_id = "Do this.", "r-1"
    told = {"code": kind.code, "message": str(error), "hint": "Do this.", "request_id": "r-1"}
    assert told.items() <= error.as_dict().items()
    assert error.as_dict()["exit_code"] == kind.exit_code > 0


def test_the_contract_imports_neither_connector_nor_host() -> None:
    """Of this package it imports itself only, so that either side can be replaced."""
    folder = Path(apollo_component.contract.__file__).parent
    files = list(folder.glob("*.py"))
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8")))]
    relative = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    absolute = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    assert len(files) > 10
    assert [node.module for node in relative if node.level > 1] == []
    named = [*absolute, *(node.module or "" for node in relative if not node.level)]
    assert [name for name in named if name.startswith("apollo_component")] == []
