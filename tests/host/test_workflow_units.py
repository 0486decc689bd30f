"""Units: a step cut into requests, the same cut whenever it is made."""

import pytest

from apollo_component.contract.errors import InputError
from apollo_component.contract.schemas import Schemas
from apollo_component.host.runs import STRIDE
from apollo_component.host.workflow.file import parse_workflow
from apollo_component.host.workflow.units import Planner

STEPS = """
name: x
inputs: {list: {default: []}, flag: {default: false}}
connections: {a: {connector: demo}}
steps:
  - {id: first, action: find, all: true, limit: 4}
  - {id: each, action: put, for_each: "steps.first.records[].id", with: {name: {$from: item}, n: {$from: index}}}
  - {id: batches, action: pay, for_each: "steps.first.records[].id", batch: 3, with: {items: {$from: item}}}
  - {id: bulk, action: pay, with: {items: {$from: "steps.first.records[].id"}, phone: true}}
  - {id: maybe, action: put, when: inputs.flag, with: {name: {$from: steps.first.record.id}}}
  - {id: errors, action: put, when: steps.each.errors, with: {n: {$from: steps.each.count}}}
"""


@pytest.fixture
def plan(host, manifest):
    """A function that gives a step's planner after records of `first` were stored."""
    workflow = parse_workflow(STEPS, {"demo": manifest})
    run = host.runs.create("workflow", "x").id

    def make(step, records=(), **inputs):
        if records:
            host.runs.save_records(run, "first", 0, list(records))
        planner = Planner(workflow, host.runs, run, inputs, Schemas(manifest.root))
        return planner, next(item for item in workflow.steps if item.id == step)

    return make


def people(*ids):
    return [{"id": number} for number in ids]


def cut(pair):
    planner, step = pair
    return [(unit.item, dict(unit.input)) for unit in planner.units(step)]


@pytest.mark.parametrize(
    ("step", "records", "units"),
    [
        ("first", (), [("0", {})]),
        ("each", (7, 8), [("0", {"name": 7, "n": 0}), ("1", {"name": 8, "n": 1})]),
        ("batches", (7, 8), [("0", {"items": [7, 8]})]),
        ("batches", (1, 2, 3, 4), [("0.0", {"items": [1, 2]}), ("0.1", {"items": [3]}), ("1", {"items": [4]})]),
        ("bulk", (1, 2, 3), [("0.0", {"items": [1, 2], "phone": True}), ("0.1", {"items": [3], "phone": True})]),
        ("each", (), []),
    ],
    ids=["plain", "for_each", "a short batch", "batches over bulk", "bulk", "nothing to do"],
)
def test_a_step_is_cut_into_units(plan, step, records, units):
    """A plain step is one request; for_each has one an item, in order, with its value and index; batches and long lists
    are cut into what a request takes, with the rest of the input in every part, and places say which part of which."""
    assert cut(plan(step, people(*records))) == units


def test_the_same_store_gives_the_same_plan(plan):
    """Places, numbers and room for records are stable and don't overlap."""
    planner, step = plan("batches", people(1, 2, 3, 4))
    first, second = planner.units(step), planner.units(step)
    assert first == second
    assert [unit.start for unit in first] == [0, STRIDE, 2 * STRIDE]


def test_a_condition_decides(plan):
    """False, empty and null skip; anything else runs. Collected errors of an earlier step can be asked for."""
    for flag, wanted in ((False, False), ([], False), (None, False), (True, True), ("x", True)):
        planner, step = plan("maybe", flag=flag)
        assert planner.wanted(step) is wanted
    planner, step = plan("errors")
    assert not planner.wanted(step)


def test_collected_errors_are_seen_by_later_steps(plan, host):
    """What a step collected is under its `errors`."""
    planner, step = plan("errors")
    host.runs.note_step(planner.run, "each", 1, "done", {"errors": [{"item": "0"}]})
    assert planner.wanted(step)


def test_repeated_records_and_the_limit_are_seen_as_told(plan):
    """Expressions see each record of a paged step once, and no more than its limit."""
    planner, step = plan("first", people(1, 1, 2, 3, 4, 5))
    found = planner.result(step)
    assert [record["id"] for record in found["records"]] == [1, 2, 3, 4]
    assert found["record"] == {"id": 1}
    assert found["count"] == len(found["records"])


def test_a_value_that_is_missing_is_left_out(plan):
    """An expression that gives nothing gives no field."""
    assert cut(plan("maybe", flag=True)) == [("0", {})]


def test_for_each_over_something_else_is_refused(plan, host, manifest):
    """A for_each that gives no list stops with the step's name."""
    text = STEPS.replace('"steps.first.records[].id", with', "steps.first.count, with")
    workflow = parse_workflow(text, {"demo": manifest})
    planner = Planner(workflow, host.runs, host.runs.create("workflow", "x").id, {}, Schemas(manifest.root))
    with pytest.raises(InputError, match=r"each\.for_each"):
        planner.units(workflow.steps[1])


def test_inputs_that_dont_fit_are_told_together_and_nothing_is_sent(plan, tmp_path):
    """Every item whose input is refused is named, before any of the step is sent."""
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "any.schema.json").write_text('{"properties": {"name": {"type": "string"}}}')
    planner, step = plan("each", people(1, 2))
    planner.schemas = Schemas(tmp_path)
    with pytest.raises(InputError) as caught:
        planner.units(step)
    assert [item.path for item in caught.value.problems] == ["each[0].name", "each[1].name"]
