"""What a trigger does, needs and takes, for people and as JSON."""

from ..contract.inputs import input_fields
from ..contract.manifest import Manifest
from ..contract.schemas import Schemas
from ..contract.triggers import Trigger
from ..host.facts import looks_text
from .fields import inputs, show_more
from .output import Output, table


def describe_trigger(manifest: Manifest, trigger: Trigger, out: Output) -> None:
    """The trigger as its manifest has it, with the schema of its filters."""
    schemas = Schemas(manifest.root)
    declared = next(item for item in manifest.data["triggers"] if item["id"] == trigger.id)
    data = {
        **declared,
        "connector": manifest.id,
        "kind": "trigger",
        "requires": manifest.requirements([trigger.id]),
        "since": trigger.since_allowed,
        "input": dict(schemas.schema(trigger.input)),
        "input_schema": trigger.input,
        "record_schema": manifest.record_of(trigger),
    }
    out.result(data, lambda: _show(manifest, trigger, schemas))


def facts(manifest: Manifest, trigger: Trigger) -> dict[str, str]:
    """What to know of a trigger beyond its description."""
    action = manifest.actions[trigger.action] if trigger.action else None
    needs = action.requires if action else None
    return {
        "Group": manifest.groups[trigger.group],
        "Looks": _looks(trigger),
        "Key needs": "nothing" if needs is None else needs.key_endpoint or "a master key",
        "OAuth needs": "nothing" if needs is None else needs.oauth_scope or "not available",
        "Cost": "free",
        "Begins": "now, or in the past with --since" if trigger.since_allowed else "now",
    }


def _looks(trigger: Trigger) -> str:
    text = looks_text(trigger)
    if trigger.action is None:
        return f"{text}; needs WORKFLOW_HOST_PUBLIC_URL and `workflow worker --port` (or `callbacks`)"
    return text


def _show(manifest: Manifest, trigger: Trigger, schemas: Schemas) -> None:
    print(f"{trigger.title} ({manifest.id}.{trigger.id}), a trigger\n\n{trigger.description}\n")
    print("\n".join(f"{name + ':':<13}{value}" for name, value in facts(manifest, trigger).items()))
    table(
        ("filter", "type", "required", "default", "description"), inputs(schemas, trigger.input), empty="\nNo filters."
    )
    show_more(schemas, trigger.id, trigger.input)
    if record := manifest.record_of(trigger):
        print(f"\ntrigger.record has: {', '.join(record_fields(schemas, record))}")
    print(f"\nIn a workflow file:\n\n{example(trigger)}")


def record_fields(schemas: Schemas, path: str) -> list[str]:
    """The names a record has at its top."""
    return list(dict.fromkeys(field.path[0] for field in input_fields(schemas, path)))


def example(trigger: Trigger) -> str:
    """The lines of a workflow file that use it."""
    step = "  - id: first\n    action: ACTION\n    with: {id: {$from: trigger.id}}"
    return f"trigger:\n  on: {trigger.id}\nsteps:\n{step}"
