"""Which paths of Apollo's answers the sandbox doesn't give: `python -m tests.others.absent` writes absent.yaml anew.

Every path needs a reason, which reasons.yaml gives for patterns of paths. A path stands for all that is below it.
"""

import fnmatch
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import yaml

from apollo_component.apollo.plugin import plugin
from apollo_component.contract.actions import Action
from tests.actions.conftest import Context
from tests.actions.test_odd_replies import Recording

from .answers import Shape, paths, shapes

HERE = Path(__file__).parent
ABSENT, REASONS = HERE / "absent.yaml", HERE / "reasons.yaml"
HEAD = "# Written by `python -m tests.others.absent`; the reasons come from reasons.yaml.\n"

Missing = dict[str, list[str]]
"""Operation → paths."""


def missing() -> Missing:
    """What Apollo gave, recorded or documented, and no answer of the sandbox to the same request has."""
    recording, actions = Recording(), plugin.manifest.actions
    given = {name: frozenset(_given(actions[name], recording)) for name in {one.operation for one in shapes()}}
    found: dict[str, set[str]] = {}
    for shape in shapes():
        found.setdefault(shape.operation, set()).update(_absent(shape, given[shape.operation]))
    return {name: _topmost(places) for name, places in sorted(found.items()) if places}


def _given(action: Action, recording: Recording) -> Iterator[str]:
    """The paths of the sandbox's answers to the action's example, and to no input at all where that is enough."""
    context = Context()
    recording.sandbox.reset()
    needless = action.effect == "read" and not plugin.schemas.problems(action.input, {})
    for values in (dict(action.example), {}) if needless else (dict(action.example),):
        recording.connector.connector_execute(action.id, values, recording.key, None, context)
        assert context.reply
        yield from paths(orjson.loads(context.reply.body))


def _absent(shape: Shape, given: frozenset[str]) -> Iterator[str]:
    for path in shape.types:
        above, is_key, _ = path.partition(".{key}")
        if path not in given and not (is_key and any(other.startswith(f"{above}.") for other in given)):
            yield path


def _topmost(places: set[str]) -> list[str]:
    """Only the paths that have none of the others above them."""
    return sorted(path for path in places if not any(path.startswith((f"{top}.", f"{top}[]")) for top in places))


def listed(file: Path = ABSENT) -> dict[str, Missing]:
    """Reason → operation → paths."""
    found: dict[str, Missing] = yaml.safe_load(file.read_text("utf-8"))
    return found


def reason_of(operation: str, path: str, reasons: dict[str, list[str]]) -> str | None:
    """The first reason with a pattern that fits `operation path`; `[]` in a pattern stands for itself."""
    name = f"{operation} {path}"
    fits = (reason for reason, patterns in reasons.items() for one in patterns if _fits(name, one))
    return next(fits, None)


def _fits(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))


def main() -> int:
    reasons: dict[str, list[str]] = yaml.safe_load(REASONS.read_text("utf-8"))
    found: dict[str, Missing] = {reason: {} for reason in reasons}
    unexplained = []
    for operation, places in missing().items():
        for path in places:
            reason = reason_of(operation, path, reasons)
            if reason is None:
                unexplained.append(f"{operation} {path}")
            else:
                found[reason].setdefault(operation, []).append(path)
    if unexplained:
        print("No pattern in reasons.yaml fits; nothing was written:", *unexplained, sep="\n  ", file=sys.stderr)
        return 1
    kept = {reason: by_operation for reason, by_operation in found.items() if by_operation}
    ABSENT.write_text(HEAD + yaml.safe_dump(kept, sort_keys=False, width=1000), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
