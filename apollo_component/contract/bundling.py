"""A schema of several files as one document: whatever it refers to stands under its `$defs`."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from .schemas import Schemas

REF, DEFS = "$ref", "$defs"


def bundled(schemas: Schemas, path: str) -> dict[str, Any]:
    """The schema file at `path`, complete in itself: a schema may refer to itself, and names are kept readable."""
    bundle = _Bundle(schemas, path)
    whole: dict[str, Any] = bundle.inside(path, {k: v for k, v in schemas.schema(path).items() if k != DEFS})
    return whole | ({DEFS: bundle.found} if bundle.found else {})


class _Bundle:
    def __init__(self, schemas: Schemas, home: str) -> None:
        self.schemas, self.home = schemas, home
        self.found: dict[str, Any] = {}
        self._names: dict[tuple[str, str], str] = {}

    def inside(self, base: str, value: Any) -> Any:
        """A part of the file `base` with its references led to the bundle."""
        if isinstance(value, list):
            return [self.inside(base, item) for item in value]
        if not isinstance(value, Mapping):
            return value
        return {
            key: self._led(base, item) if key == REF and isinstance(item, str) else self.inside(base, item)
            for key, item in value.items()
        }

    def _led(self, base: str, reference: str) -> str:
        file, _, pointer = reference.partition("#")
        target = _joined(base, file) if file else base
        if (target, pointer) == (self.home, ""):
            return "#"
        return f"#/{DEFS}/{self._name(target, pointer)}"

    def _name(self, file: str, pointer: str) -> str:
        place = (file, pointer)
        if place not in self._names:
            name = _free(PurePosixPath(pointer or file).stem, self.found)
            self._names[place], self.found[name] = name, {}
            part = self.schemas.schema(file)
            for step in filter(None, pointer.split("/")):
                part = part[step]
            kept = part if pointer else {key: item for key, item in part.items() if key not in ("$schema", DEFS)}
            self.found[name] = self.inside(file, kept)
        return self._names[place]


def _joined(base: str, file: str) -> str:
    parts: list[str] = []
    for part in (PurePosixPath(base).parent / file).parts:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts)


def _free(name: str, taken: Mapping[str, Any]) -> str:
    return next(each for each in (name, *(f"{name}_{number}" for number in range(2, 1000))) if each not in taken)
