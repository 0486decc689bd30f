"""Reading a connector's declaration: from the wheel's index, or from connector.yaml with every check."""

import contextlib
import functools
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .actions import names
from .compose_checks import compose_checks
from .errors import ManifestError, Problem
from .icon_checks import icon_problems
from .located import Located, PathParts, read
from .manifest import Manifest
from .wait_checks import unasked, unmerged, waited_inputs

if TYPE_CHECKING:
    from .schemas import Schemas

MANIFEST = "connector.yaml"
INDEX = "connector.index.json"
INDEX_FORMAT = 1
KEPT = f".make/{INDEX}"
"""Where a checkout keeps the index of the state it was last checked in; not under version control."""
META_SCHEMA = "schemas/connector.schema.json"
_PLACEHOLDER = re.compile(r"{([A-Za-z_][A-Za-z0-9_]*)}")
_RAW = ("method", "path", "query", "body")
_BRACES = re.compile(r"[{}]")


def load(package: Path) -> Manifest:
    """The manifest that belongs to a package folder: in a wheel from its index, in a checkout from the YAML.

    A checkout's YAML is checked in full once for each state of its files; the index of that state is kept beside it.
    Raises ManifestError with every problem, each at its file, line and path.
    """
    root = root_of(package)
    if root == package and (package / INDEX).is_file():
        return Manifest.from_data(json.loads((package / INDEX).read_bytes())["manifest"], root)
    kept = root / KEPT
    if known := _known(kept, root):
        return Manifest.from_data(known, root)
    manifest = load_file(root / MANIFEST)
    _keep(kept, {"format": INDEX_FORMAT, "digest": digest(root), "manifest": manifest.data})
    return manifest


def _known(kept: Path, root: Path) -> dict[str, Any] | None:
    try:
        index = json.loads(kept.read_bytes())
    except (OSError, ValueError):
        return None
    fresh = index.get("format") == INDEX_FORMAT and index.get("digest") == digest(root)
    found: dict[str, Any] | None = index["manifest"] if fresh else None
    return found


def _keep(kept: Path, index: dict[str, Any]) -> None:
    """Where it can't be written the YAML is simply read again."""
    with contextlib.suppress(OSError):
        kept.parent.mkdir(exist_ok=True)
        draft = kept.with_name(f"{kept.name}.{os.getpid()}")
        draft.write_text(json.dumps(index, ensure_ascii=False, separators=(",", ":")), "utf-8")
        draft.replace(kept)


def load_file(file: Path) -> Manifest:
    """A manifest file, checked whole. Raises ManifestError."""
    located = read(file)
    problems = _found(located, file.parent)
    if problems:
        raise ManifestError(f"{file.name} has {len(problems)} problem{'s'[: len(problems) > 1]}.", problems)
    return Manifest.from_data(located.data, file.parent)


def _found(located: Located, root: Path) -> list[Problem]:
    """What reading found, then what checking finds in what could be read."""
    unreadable = located.problems and located.data is None
    return located.problems if unreadable else located.problems + check(located, root)


def root_of(package: Path) -> Path:
    """Where connector.yaml and schemas/ are: inside the package in a wheel, beside it in a checkout."""
    return package if (package / MANIFEST).is_file() else package.parent


def index_of(root: Path) -> dict[str, Any]:
    """The compact index a wheel carries: the manifest as JSON and the digest of what it was made from."""
    manifest = load_file(root / MANIFEST)
    return {"format": INDEX_FORMAT, "digest": digest(root), "manifest": manifest.data}


def digest(root: Path) -> str:
    """SHA-256 over connector.yaml, the pictures beside it and every schema, names and contents."""
    total = hashlib.sha256()
    for file in sorted([root / MANIFEST, *root.glob("*.svg"), *(root / "schemas").rglob("*.json")]):
        total.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return total.hexdigest()


def validate(file: Path) -> list[Problem]:
    """Every problem of a manifest file and of the schemas it names; an empty list when all is well."""
    located = read(file)
    return _found(located, file.parent) or [*_schema_problems(located, file.parent), *_stale(file.parent)]


def check(located: Located, root: Path) -> list[Problem]:
    """What the closed meta-schema says, and what a schema can't say: names that must exist elsewhere."""
    found = _meta().problems(META_SCHEMA, located.data)
    found.extend(_cross_checks(_Parts(located.data, found), root))
    return [located.problem(path, text) for path, text in found]


@functools.cache
def _meta() -> "Schemas":
    """The schemas of this project, for the one that describes manifests."""
    from .schemas import Schemas

    return Schemas(root_of(Path(__file__).parent.parent))


class _Parts:
    """A declaration as far as it has the right form: a part that breaks the format isn't looked into."""

    def __init__(self, data: Any, found: list[tuple[PathParts, str]]) -> None:
        from .schemas import UNKNOWN

        self.data = data if isinstance(data, dict) else {}
        self.broken = {path[:2] for path, text in found if not text.startswith(UNKNOWN)}

    def items(self, section: str) -> list[tuple[int, Any]]:
        whole = () not in self.broken and (section,) not in self.broken
        items = self.data.get(section, []) if whole else []
        return [(number, item) for number, item in enumerate(items) if (section, number) not in self.broken]

    def style(self, name: str | None) -> dict[str, str]:
        """The parameters of a paging style, empty when there is none of that name or it is broken."""
        found = self.entry("paging_styles", name)
        return {} if found is None else {"page": "page", "per_page": "per_page"} | found

    def entry(self, section: str, name: str | None) -> dict[str, Any] | None:
        """One named thing of a section, None when there is none of that name or it is broken."""
        sound = not {(section,), (section, name)} & self.broken
        found: dict[str, Any] | None = self.data.get(section, {}).get(name) if sound else None
        return found

    def entries(self, section: str) -> dict[str, Any]:
        """What is sound of a section of named things."""
        names = self.data.get(section, {}) if (section,) not in self.broken else {}
        return {name: names[name] for name in names if (section, name) not in self.broken}

    def action(self, name: str) -> dict[str, Any] | None:
        """The action of that name, None when there is none or it is broken."""
        return next((item for _, item in self.items("actions") if item["id"] == name), None)

    def usage(self) -> list[tuple[PathParts, Any]]:
        """The parts of the usage section with their places."""
        sound = not {(), ("usage",), ("usage", "requests"), ("usage", "credits")} & self.broken
        given = self.data.get("usage", {}) if sound else {}
        return [(("usage", name), given[name]) for name in ("requests", "credits") if name in given]

    def lacks(self, section: str, name: str) -> bool:
        """Whether a name stands for nothing; not judged when the section itself is broken."""
        if (section,) in self.broken:
            return False
        there = self.data.get(section, [])
        names = there if isinstance(there, dict) else [item.get("id") for item in there if isinstance(item, dict)]
        return name not in names


def _cross_checks(parts: _Parts, root: Path) -> Iterator[tuple[PathParts, str]]:
    for section in ("groups", "connection_types", "actions", "triggers", "option_sources"):
        yield from _twice(parts.items(section), section)
    for name, wait in parts.entries("waits").items():
        for path, text in _wait_checks(wait, parts, root):
            yield ("waits", name, *path), text
    for section, checks in _SECTION_CHECKS.items():
        for number, item in parts.items(section):
            for path, text in checks(item, parts, root):
                yield (section, number, *path), text
    for place, item in parts.usage():
        for path, text in _use_checks(item, parts, root):
            yield (*place, *path), text
    yield from _type_checks(parts, root)
    if not {(), ("icon",)} & parts.broken and "icon" in parts.data:
        yield from ((("icon",), text) for text in icon_problems(root / parts.data["icon"]))


def _type_checks(parts: _Parts, root: Path) -> Iterator[tuple[PathParts, str]]:
    for number, kind in parts.items("connection_types"):
        if not (root / kind["fields"]).is_file():
            yield ("connection_types", number, "fields"), "names no file"
        for path, text in _guide_checks(kind, _fields(root / kind["fields"])):
            yield ("connection_types", number, *path), text
        if "oauth" in kind and parts.lacks("servers", kind["oauth"]["server"]):
            yield ("connection_types", number, "oauth", "server"), "names no server of this manifest"


def _guide_checks(kind: dict[str, Any], fields: set[str] | None) -> Iterator[tuple[PathParts, str]]:
    named = [
        (("guide", number, "fields", place), name)
        for number, step in enumerate(kind["guide"])
        for place, name in enumerate(step.get("fields", ()))
    ]
    yield from (
        (path, "names no field of the form") for path, name in named if fields is not None and name not in fields
    )


def _wait_checks(wait: dict[str, Any], parts: _Parts, root: Path) -> Iterator[tuple[PathParts, str]]:
    if parts.lacks("actions", wait["action"]):
        yield ("action",), "names no action of this manifest"
    if "callback" in wait and parts.lacks("triggers", wait["callback"]["trigger"]):
        yield ("callback", "trigger"), "names no trigger of this manifest"
    for item in (item for _, item in parts.items("actions") if item["id"] == wait["action"]):
        yield from unasked(wait, _fields(root / item["input"]))


def _any_action_checks(item: dict[str, Any], parts: _Parts, root: Path) -> Iterator[tuple[PathParts, str]]:
    yield from _action_checks(item, parts, root)
    if "compose" in item:
        sound = {each["id"]: each for _, each in parts.items("actions")}
        yield from compose_checks(item, sound, lambda each: _fields(root / each["input"]) or set())


def _trigger_checks(item: dict[str, Any], parts: _Parts, root: Path) -> Iterator[tuple[PathParts, str]]:
    if parts.lacks("groups", item["group"]):
        yield ("group",), "names no group of this manifest"
    own = _fields(root / item["input"]) if (root / item["input"]).is_file() else None
    if own is None:
        yield ("input",), "names no file that holds a JSON object"
    if "record" in item and not (root / item["record"]).is_file():
        yield ("record",), "names no file"
    if "action" not in item:
        return
    yield from _use_checks(item, parts, root)
    if (action := parts.action(item["action"])) is None:
        return
    fields = _fields(root / action["input"]) if (root / action["input"]).is_file() else None
    named = [("input", name) for name in sorted(own or ())] + [("fixed", name) for name in item.get("fixed", {})]
    named += [("recent", item["recent"]["input"])] if "recent" in item else []
    for key, name in named:
        if fields is not None and name not in fields:
            yield (key,), f"names no input of the action ({name})"


def _use_checks(item: dict[str, Any], parts: _Parts, _root: Path) -> Iterator[tuple[PathParts, str]]:
    """What a host asks for by itself: the action only reads and costs nothing, and the connections are declared."""
    if parts.lacks("actions", item["action"]):
        yield ("action",), "names no action of this manifest"
    if action := parts.action(item["action"]):
        if "path" not in action:
            yield ("action",), "must be an action with a route of its own"
        if any(action.get("credits", {}).get(key) for key in ("base", "flags", "unbounded", "variable")):
            yield ("action",), "names an action that costs credits"
        if action.get("effect") != "read":
            yield ("action",), "names an action that does more than read"
    for place, name in enumerate(item.get("connection_types", ())):
        if parts.lacks("connection_types", name):
            yield ("connection_types", place), "names no connection type of this manifest"


def _error_checks(item: dict[str, Any], parts: _Parts, _root: Path) -> Iterator[tuple[PathParts, str]]:
    if "action" in item and parts.lacks("actions", item["action"]):
        yield ("action",), "names no action of this manifest"


def _twice(items: list[tuple[int, Any]], section: str) -> Iterator[tuple[PathParts, str]]:
    seen: set[str] = set()
    for number, item in items:
        if item["id"] in seen:
            yield (section, number, "id"), "stands twice"
        seen.add(item["id"])


def _action_checks(item: dict[str, Any], parts: _Parts, root: Path) -> Iterator[tuple[PathParts, str]]:
    if parts.lacks("groups", item["group"]):
        yield ("group",), "names no group of this manifest"
    if item.get("paging") and parts.lacks("paging_styles", item["paging"]):
        yield ("paging",), "names no paging style of this manifest"
    if parts.lacks("servers", item.get("server", "api")):
        yield ("server",), "names no server of this manifest"
    if _BRACES.search(_PLACEHOLDER.sub("", item.get("path", ""))):
        yield ("path",), "holds a brace that is not {input_field}"
    if item.get("wait") and parts.lacks("waits", item["wait"]):
        yield ("wait",), "names no way to wait of this manifest"
    yield from unmerged(item, parts.entry("waits", item.get("wait")))
    effect = item.get("effect")
    lookup = effect.get("lookup") if isinstance(effect, dict) else None
    if lookup and parts.lacks("actions", lookup["action"]):
        yield ("effect", "lookup", "action"), "names no action of this manifest"
    if not (root / item["output"]).is_file():
        yield ("output",), "names no file"
    yield from _input_checks(item, parts, root / item["input"])


def _input_checks(item: dict[str, Any], parts: _Parts, file: Path) -> Iterator[tuple[PathParts, str]]:
    if not file.is_file():
        yield ("input",), "names no file"
        return
    fields = _fields(file)
    if fields is None:
        yield ("input",), "is not a JSON object"
        return
    for path, name in _named_inputs(item, parts):
        if name not in fields:
            yield path, f"names no input field ({name})"


def _accounted_inputs(accounts: dict[str, Any]) -> Iterator[tuple[PathParts, str]]:
    """`maps` beside `items` are fields of an item, not inputs."""
    items = names(accounts.get("items"))
    for name in (*items, *accounts.get("beside", ()), *(() if items else accounts.get("maps", ()))):
        yield ("accounts_for",), name
    for name in names(accounts.get("minimum", {}).get("input")):
        yield ("accounts_for", "minimum", "input"), name


def _named_inputs(item: dict[str, Any], parts: _Parts) -> Iterator[tuple[PathParts, str]]:
    for name in _PLACEHOLDER.findall(item.get("path", "")):
        yield ("path",), name
    for number, name in enumerate(item.get("query", [])):
        yield ("query", number), name
    if "bulk" in item:
        for name in names(item["bulk"]["items"]):
            yield ("bulk", "items"), name
    yield from _accounted_inputs(item.get("accounts_for", {}))
    yield from waited_inputs(parts.entry("waits", item.get("wait")))
    for name in _RAW if item.get("raw") else ():
        yield ("raw",), name
    yield from _named_costs(item.get("credits", {}))
    effect = item["effect"] if isinstance(item.get("effect"), dict) else {}
    for name in names(effect.get("stated_by")):
        yield ("effect", "stated_by"), name
    upsert = effect.get("upsert_when", {})
    for name in (*names(upsert.get("flag")), *upsert["with_any"]) if upsert else ():
        yield ("effect", "upsert_when"), name
    if declared := parts.style(item.get("paging")):
        for key in ("page", "per_page"):
            yield ("paging",), declared[key]


def _named_costs(credits: dict[str, Any]) -> Iterator[tuple[PathParts, str]]:  # noqa: A002
    for name in names(credits.get("per")):
        yield ("credits", "per"), name
    for name in names(credits.get("stated_by")):
        yield ("credits", "stated_by"), name
    for name in (*credits.get("flags", {}), *credits.get("unbounded", [])):
        yield ("credits",), name


def _fields(file: Path) -> set[str] | None:
    """The names of an input schema's fields, None when the file holds no JSON object."""
    try:
        schema = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    properties = schema.get("properties", {}) if isinstance(schema, dict) else None
    return set(properties) if isinstance(properties, dict) else None


_SECTION_CHECKS: dict[str, Callable[[dict[str, Any], _Parts, Path], Iterator[tuple[PathParts, str]]]] = {
    "actions": _any_action_checks,
    "triggers": _trigger_checks,
    "errors": _error_checks,
    "test": _use_checks,
    "option_sources": _use_checks,
}


def _schema_problems(located: Located, root: Path) -> Iterator[Problem]:
    from jsonschema import Draft202012Validator, SchemaError

    from .forms import FORMS
    from .inputs import input_fields
    from .schemas import Schemas

    broken = []
    for file in sorted((root / "schemas").rglob("*.json")):
        try:
            Draft202012Validator.check_schema(json.loads(file.read_bytes()))
        except (ValueError, SchemaError):
            broken.append(Problem("is not a valid JSON Schema 2020-12", file=file.relative_to(root).as_posix()))
    if broken:
        yield from broken
        return
    schemas = Schemas(root)
    sources = {item["id"] for item in located.data.get("option_sources", [])}
    for number, item in enumerate(located.data["actions"]):
        for path, text in schemas.problems(item["input"], item.get("example", {})):
            yield located.problem(("actions", number, "example", *path), text)
    asked = [(s, number, item) for s in ("actions", "triggers") for number, item in enumerate(located.data.get(s, []))]
    for section, number, item in asked:
        for field in input_fields(schemas, item["input"]):
            if field.source and field.source not in sources:
                text = f"names no option source of this manifest ({field.name}: {field.source})"
                yield located.problem((section, number, "input"), text)
            for form in {part.get("x-form") for part in (field.schema, field.schema.get("items", {}))} - {None, *FORMS}:
                yield located.problem((section, number, "input"), f"names no form of a text ({field.name}: {form})")


def _stale(root: Path) -> Iterator[Problem]:
    index = root / INDEX
    if index.is_file() and json.loads(index.read_bytes())["digest"] != digest(root):
        yield Problem("was not made from this connector.yaml and these schemas", file=INDEX)
