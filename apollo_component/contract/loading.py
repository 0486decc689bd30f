"""Reading a connector's declaration: from the wheel's index, or from connector.yaml with every check."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .errors import ManifestError, Problem
from .located import Located, PathParts, read
from .manifest import Manifest

MANIFEST = "connector.yaml"
INDEX = "connector.index.json"
INDEX_FORMAT = 1
META_SCHEMA = "schemas/connector.schema.json"


def load(package: Path) -> Manifest:
    """The manifest that belongs to a package folder: in a wheel from its index, else from the checked YAML.

    Raises ManifestError with every problem, each at its file, line and path.
    """
    root = root_of(package)
    index = package / INDEX
    if root == package and index.is_file():
        return Manifest.from_data(json.loads(index.read_bytes())["manifest"], root)
    return load_file(root / MANIFEST)


def load_file(file: Path) -> Manifest:
    """A manifest file, checked whole. Raises ManifestError."""
    located = read(file)
    problems = located.problems + ([] if located.problems else check(located, file.parent))
    if problems:
        raise ManifestError(f"{file.name} has {len(problems)} problem{'s'[: len(problems) > 1]}.", problems)
    return Manifest.from_data(located.data, file.parent)


def root_of(package: Path) -> Path:
    """Where connector.yaml and schemas/ are: inside the package in a wheel, beside it in a checkout."""
    return package if (package / MANIFEST).is_file() else package.parent


def index_of(root: Path) -> dict[str, Any]:
    """The compact index a wheel carries: the manifest as JSON and the digest of what it was made from."""
    manifest = load_file(root / MANIFEST)
    return {"format": INDEX_FORMAT, "digest": digest(root), "manifest": manifest.data}


def digest(root: Path) -> str:
    """SHA-256 over connector.yaml and every schema, names and contents."""
    total = hashlib.sha256()
    for file in sorted([root / MANIFEST, *(root / "schemas").rglob("*.json")]):
        total.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return total.hexdigest()


def validate(file: Path) -> list[Problem]:
    """Every problem of a manifest file and of the schemas it names; an empty list when all is well."""
    located = read(file)
    if located.problems:
        return located.problems
    problems = check(located, file.parent)
    return problems or [*_schema_problems(located, file.parent), *_stale(file.parent)]


def check(located: Located, root: Path) -> list[Problem]:
    """What the closed meta-schema says, then what a schema can't say: names that must exist elsewhere."""
    from .schemas import Schemas

    meta = Schemas(root_of(Path(__file__).parent.parent))
    found = [located.problem(path, text) for path, text in meta.problems(META_SCHEMA, located.data)]
    return found or [located.problem(path, text) for path, text in _cross_checks(located.data, root)]


def _cross_checks(data: Any, root: Path) -> Iterator[tuple[PathParts, str]]:
    for section in ("groups", "connection_types", "actions", "triggers", "option_sources"):
        yield from _twice(data.get(section, []), section)
    actions = {item["id"]: item for item in data["actions"]}
    groups = {group["id"] for group in data["groups"]}
    for number, item in enumerate(data["actions"]):
        for path, text in _action_checks(item, actions, groups, data, root):
            yield ("actions", number, *path), text
    for number, stage in enumerate(data["test"]):
        if stage["action"] not in actions:
            yield ("test", number, "action"), "names no action of this manifest"
    for number, kind in enumerate(data["connection_types"]):
        if not (root / kind["fields"]).is_file():
            yield ("connection_types", number, "fields"), "names no file"
        if kind.get("oauth", {}).get("server", "") not in ("", *data["servers"]):
            yield ("connection_types", number, "oauth", "server"), "names no server of this manifest"


def _twice(items: list[Any], section: str) -> Iterator[tuple[PathParts, str]]:
    seen: set[str] = set()
    for number, item in enumerate(items):
        if item["id"] in seen:
            yield (section, number, "id"), "stands twice"
        seen.add(item["id"])


def _action_checks(
    item: dict[str, Any], actions: dict[str, Any], groups: set[str], data: dict[str, Any], root: Path
) -> Iterator[tuple[PathParts, str]]:
    if item["group"] not in groups:
        yield ("group",), "names no group of this manifest"
    if item.get("paging") and item["paging"] not in data.get("paging_styles", {}):
        yield ("paging",), "names no paging style of this manifest"
    if item.get("server", "api") not in data["servers"]:
        yield ("server",), "names no server of this manifest"
    for key in ("input", "output"):
        if not (root / item[key]).is_file():
            yield (key,), "names no file"
            return
    fields = _fields(root / item["input"])
    for path, name in _named_inputs(item):
        if name not in fields:
            yield path, f"names no input field ({name})"
    lookup = item["effect"].get("lookup") if isinstance(item["effect"], dict) else None
    if lookup and lookup["action"] not in actions:
        yield ("effect", "lookup", "action"), "names no action of this manifest"


def _named_inputs(item: dict[str, Any]) -> Iterator[tuple[PathParts, str]]:
    import string

    for _, name, _, _ in string.Formatter().parse(item["path"]):
        if name:
            yield ("path",), name
    for number, name in enumerate(item.get("query", [])):
        yield ("query", number), name
    if "bulk" in item:
        yield ("bulk", "items"), item["bulk"]["items"]
    credits = item.get("credits", {})  # noqa: A001
    if credits.get("per"):
        yield ("credits", "per"), credits["per"]
    for flag in (*credits.get("flags", {}), *credits.get("unbounded", [])):
        yield ("credits",), flag


def _fields(file: Path) -> set[str]:
    return set(json.loads(file.read_bytes()).get("properties", {}))


def _schema_problems(located: Located, root: Path) -> Iterator[Problem]:
    from jsonschema import Draft202012Validator, SchemaError

    from .schemas import Schemas

    schemas = Schemas(root)
    for file in sorted((root / "schemas").rglob("*.json")):
        try:
            Draft202012Validator.check_schema(json.loads(file.read_bytes()))
        except (ValueError, SchemaError):
            yield Problem("is not a valid JSON Schema 2020-12", file=file.relative_to(root).as_posix())
    for number, item in enumerate(located.data["actions"]):
        for path, text in schemas.problems(item["input"], item.get("example", {})):
            yield located.problem(("actions", number, "example", *path), text)


def _stale(root: Path) -> Iterator[Problem]:
    index = root / INDEX
    if index.is_file() and json.loads(index.read_bytes())["digest"] != digest(root):
        yield Problem("was not made from this connector.yaml and these schemas", file=INDEX)
