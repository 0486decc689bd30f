"""Mutated manifests and workflow files, whole ones and fragments, through the loaders."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

from apollo_component.contract.errors import ManifestError
from apollo_component.contract.loading import load_file
from apollo_component.contract.manifest import Manifest
from apollo_component.host.workflow.file import parse_workflow

from .mutator import YAML_TOKENS, Mutator
from .watching import Watched

FRAGMENT = 4096
_TOP = re.compile(rb"(?m)^(?=[a-z_]+:)")
_ITEM = re.compile(rb"(?m)^  - ")


class Files:
    """`root` is a folder with the schemas, where manifests are written to be read."""

    def __init__(self, root: Path, manifests: Mapping[str, Manifest], seed: str) -> None:
        self.root, self.manifests = root, manifests
        self.mutator = Mutator(seed)

    def load(self, data: bytes, *, declaration: bool) -> None:
        """Raises ManifestError."""
        if declaration:
            file = self.root / "connector.yaml"
            file.write_bytes(data)
            load_file(file)
        else:
            parse_workflow(data.decode("utf-8", "replace"), self.manifests)

    def fragment(self, declaration: bytes, flows: Sequence[bytes]) -> tuple[bytes, bool]:
        """A mutated piece of at most 4 KB: of a manifest a few of its parts with their first items, of a workflow
        file all of it or a part."""
        random = self.mutator.random
        if random.randrange(2):
            return self.mutator.raw(random.choice(flows), YAML_TOKENS, FRAGMENT), False
        return self.mutator.raw(_piece(declaration, random), YAML_TOKENS, FRAGMENT), True

    def whole(self, declaration: bytes, flows: Sequence[bytes]) -> tuple[bytes, bool]:
        random = self.mutator.random
        source, is_declaration = (declaration, True) if random.randrange(4) else (random.choice(flows), False)
        return self.mutator.raw(source, YAML_TOKENS, 1 << 21), is_declaration


def _piece(declaration: bytes, random: Random) -> bytes:
    parts = _TOP.split(declaration)
    chosen = random.sample(parts[1:], 3)
    pieces = []
    for part in chosen:
        head, *items = _ITEM.split(part)
        take = random.sample(items, min(2, len(items)))
        pieces.append(head + b"".join(b"  - " + item for item in take))
    return b"".join(pieces)[:FRAGMENT]


def fuzz(files: Files, sources: tuple[bytes, list[bytes]], count: int, watched: Watched, *, whole: bool) -> None:
    """Raises BrokenError at the first input that breaks a promise."""
    make = files.whole if whole else files.fragment
    for number in range(count):
        data, declaration = make(*sources)
        watched.one(number, data, lambda: files.load(data, declaration=declaration))  # noqa: B023
    unexpected = set(watched.outcomes) - {"read", ManifestError.__name__}
    assert not unexpected, unexpected
