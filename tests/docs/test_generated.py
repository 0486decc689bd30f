"""The generated parts of the documents."""

import json

import pytest

from apollo_component.contract.inputs import input_fields
from apollo_component.contract.loading import load_file
from apollo_component.contract.schemas import schemas_at

from .documents import DOCUMENTS, ROOT, generator, name, text


@pytest.mark.parametrize("file", DOCUMENTS, ids=name)
def test_generated_parts_are_fresh(file):
    """What comes from schemas, manifest, errors and commands is what they say now; else run docs/generate.py."""
    written = file.read_text("utf-8")
    assert generator().rendered(written) == written


def test_every_action_and_trigger_has_its_page():
    """The pages of the reference are what manifest and schemas say now, one for each, and none is left over."""
    assert [file.name for file in generator().stale()] == []
    manifest = load_file(ROOT / "connector.yaml")
    for folder, items in (("actions", manifest.actions), ("triggers", manifest.triggers)):
        assert {file.stem for file in (ROOT / "docs" / folder).glob("*.md")} == set(items)


def test_a_page_tells_every_field():
    """Each input of an action has a row on its page, at every depth, with words about it."""
    manifest = load_file(ROOT / "connector.yaml")
    schemas = schemas_at(manifest.root)
    for action in manifest.actions.values():
        page = text(f"docs/actions/{action.id}.md")
        for field in input_fields(schemas, action.input):
            [row] = [
                line for line in page.partition("## Output")[0].splitlines() if line.startswith(f"| `{field.name}` |")
            ]
            assert not row.endswith("|  |"), (action.id, field.name)


def test_every_generated_part_is_in_a_document():
    """Nothing is generated for nobody, and no document asks for a part that isn't made."""
    found = "".join(file.read_text("utf-8") for file in generator().documents())
    assert all(f"<!-- generated: {part} -->" in found for part in generator().PARTS)
    assert found.count("<!-- generated: ") == found.count("<!-- end -->") == len(generator().PARTS)


@pytest.mark.parametrize(
    ("schema", "page"), [("connector", "docs/manifest.md"), ("workflow", "docs/workflow.md")], ids=["manifest", "flow"]
)
def test_every_field_of_a_schema_is_in_its_reference(schema, page):
    """A field that the schema allows can be found in the reference, with a description."""
    whole = json.loads((ROOT / f"schemas/{schema}.schema.json").read_bytes())
    parts = [whole, *(part for part in whole["$defs"].values() if "properties" in part)]
    shown = text(page)
    rows = {field: f"| `{field}` |" in shown for part in parts for field in part["properties"]}
    assert [field for field, there in rows.items() if not there] == []
    assert " |  |\n" not in shown.partition("## Reference")[2]


def test_every_command_is_described():
    """Each command has a heading, and each of its options a row."""
    import typer.main

    shown = text("docs/commands.md")
    for full, command in generator()._commands(typer.main.get_command(generator().app), "apollo-component"):
        section = shown.partition(f"### {full.removeprefix('apollo-component ')}\n")[2].partition("\n### ")[0]
        assert section, full
        names = [opt for item in command.params for opt in (*item.opts, *item.secondary_opts)]
        assert [opt for opt in names if opt.startswith("--") and opt not in section] in (
            [],
            ["--help"],
        )
