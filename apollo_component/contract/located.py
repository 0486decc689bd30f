"""YAML with places: plain data, and the line each part of it stands on.

Built on PyYAML's C parser, stricter than its loaders: two equal keys are a problem, only `true`, `false` and
`null` are words with a meaning, and a scalar is a number only when writing that number gives the same text
(`1.10`, `007` and `on` stay strings).
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .errors import Problem

PathParts = tuple[str | int, ...]

_WORDS: dict[str, Any] = {"null": None, "~": None, "": None, "true": True, "false": False}
_INTEGER = re.compile(r"(0|-?[1-9][0-9]{0,17})\Z")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]{0,14})\.[0-9]{1,15}\Z")
_DEPTH = 40
_TOO_DEEP = f"is nested more than {_DEPTH} levels"
_SIZE = 2_000_000
_NODES = 50_000
_KEY = 200


@dataclass(slots=True)
class Located:
    """A parsed file: its `data`, the line of every path in it (from 1), and what was wrong while parsing."""

    data: Any
    file: str
    lines: dict[PathParts, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, path: PathParts, text: str) -> Problem:
        return Problem(text, path=dotted(path), line=self.line(path), file=self.file)

    def line(self, path: PathParts) -> int:
        """The line of `path`, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def dotted(path: PathParts) -> str:
    """`steps[0].with.name` for ("steps", 0, "with", "name")."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def read(file: Path, name: str = "") -> Located:
    """Parse a YAML file; a file that can't be read is a problem, not an exception."""
    name = name or file.name
    try:
        raw = file.read_bytes()
    except OSError as error:
        return Located(None, name, problems=[Problem(f"can't be read: {error.strerror}", file=name)])
    return parse(raw, name)


def parse(raw: bytes | str, name: str) -> Located:
    """Parse YAML text of at most 2 MB, 50,000 parts and 40 levels, with keys of at most 200 characters, without aliases
    (which could blow up) and tags (which would mean nothing here)."""
    located = Located(None, name)
    if len(raw) > _SIZE:
        located.problems.append(Problem(f"is larger than {_SIZE:,} bytes", file=name))
        return located
    try:
        text = raw.decode("utf-8") if isinstance(raw, bytes) else raw
        root = _compose(text)
        located.data = None if root is None else _plain(root, (), located)
    except UnicodeError:
        located.problems.append(Problem("is not UTF-8 text", file=name))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        said = str(error.problem or error.context)
        # The parser has a limit of its own, far above ours, and may come upon it first.
        text = _TOO_DEEP if "nesting depth" in said else said
        located.problems.append(Problem(f"is not YAML: {text}", line=line, file=name))
    except (yaml.YAMLError, RecursionError):
        located.problems.append(Problem("is not YAML that can be read", file=name))
    return located


def _compose(text: str) -> yaml.Node | None:
    """One document; size, depth, aliases and tags are refused on the event stream, before anything is built."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=yaml.CSafeLoader)):
        if number > _NODES:
            raise _refused(f"has more than {_NODES:,} parts", event)
        if isinstance(event, yaml.AliasEvent):
            raise _refused("aliases are not allowed", event)
        if isinstance(event, yaml.NodeEvent) and getattr(event, "tag", None) is not None:
            raise _refused("tags are not allowed", event)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEPTH:
                raise _refused(_TOO_DEEP, event)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    node: yaml.Node | None = yaml.compose(text, Loader=yaml.CSafeLoader)
    return node


def _refused(problem: str, event: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)


def _plain(node: yaml.Node, path: PathParts, located: Located) -> Any:
    located.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, index), located) for index, item in enumerate(node.value)]
    return _mapping(node, path, located)


def _mapping(node: yaml.Node, path: PathParts, located: Located) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            located.problems.append(located.problem(path, "a key must be a plain word"))
            continue
        key = key_node.value
        if len(key) > _KEY:
            located.problems.append(located.problem(path, f"a key must have at most {_KEY} characters"))
            continue
        inner = (*path, key)
        line = key_node.start_mark.line + 1
        if key in result:
            first = located.lines[inner]
            located.problems.append(
                Problem(f"stands twice (first on line {first})", path=dotted(inner), line=line, file=located.file)
            )
            continue
        located.lines[inner] = line
        result[key] = _plain(value_node, inner, located)
    return result


def _scalar(node: yaml.ScalarNode) -> Any:
    text: str = node.value
    if node.style in ("'", '"', "|", ">"):
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text)
    if _FLOAT.match(text) and str(float(text)) == text:
        return float(text)
    return text
