"""Names of custom fields in workflows, against the sandbox: ids are sent, mistakes stop a step before it begins."""

import json

import pytest

from apollo_component.host.runner import Job
from apollo_component.host.workflow import engine
from apollo_component.host.workflow.file import parse_workflow

pytestmark = pytest.mark.real
HEAD = "name: test\ninputs: {seats: {default: [1, 2]}}\nconnections: {apollo: {connector: apollo, use: mine}}\nsteps:\n"
BULK = """
  - id: bulk
    action: contacts_bulk_create
    with:
      contacts:
        - {email: one@example.com, first_name: One, typed_custom_fields: {Segment: Startup}}
        - {email: two@example.com, first_name: Two, typed_custom_fields: {Segment: Enterprise, VIP: true}}
"""
EACH = """
  - id: each
    action: contacts_create
    for_each: inputs.seats
    concurrency: 1
    with: {first_name: Some, last_name: Body, typed_custom_fields: {NAME: {$from: item}}}
"""


def begun(host, steps, **inputs):
    return engine.start(host, parse_workflow(HEAD + steps, host.registry.manifests), inputs, {}).id


def do(host, action, values):
    """One action outside of the run."""
    manifest = host.registry.manifest("apollo")
    job = Job(host.runs.create("action", action).id, host.connections.get("mine").id, manifest.actions[action], values)
    return [record for page in host.runner.pages(job) for record in page.records]


def ids(host):
    return {choice.label: choice for choice in host.options.every("mine", "contact_custom_fields")}


def test_names_in_items_are_sent_as_ids(live, sandbox):
    """Names inside items of a bulk step and of for_each become ids; the fields are read once for the whole run."""
    run = begun(live, BULK + EACH.replace("NAME", "Seats"))
    assert engine.drive(live, run)["status"] == "done"
    known = ids(live)
    options = {choice.label: choice.value for choice in known["Segment"].choices}
    (bulk,) = sandbox.bodies("contacts_bulk_create")
    assert [item["typed_custom_fields"] for item in json.loads(bulk)["contacts"]] == [
        {known["Segment"].value: options["Startup"]},
        {known["Segment"].value: options["Enterprise"], known["VIP"].value: True},
    ]
    sent = [json.loads(body)["typed_custom_fields"] for body in sandbox.bodies("contacts_create")]
    assert sent == [{known["Seats"].value: 1}, {known["Seats"].value: 2}]
    assert sandbox.count("fields_list") == 1


def test_a_wrong_value_stops_a_step_before_its_first_item(live, sandbox):
    """One item that doesn't fit its field's type fails the step with the item's place; no item is sent."""
    run = begun(live, EACH.replace("NAME", "Seats"), seats=[1, "many"])
    report = engine.drive(live, run)
    assert report["status"] == "failed"
    assert report["detail"]["error"]["problems"] == [
        {"path": "each[1].typed_custom_fields.Seats", "text": "must be a number"}
    ]
    assert sandbox.count("contacts_create") == 0


def test_a_run_goes_on_when_the_field_is_there(live, sandbox, later):
    """A step stopped by an unknown name goes on once the field exists; what was done keeps its old names."""
    run = begun(live, BULK + EACH.replace("NAME", "Places"))
    assert engine.drive(live, run)["status"] == "failed"
    segment = ids(live)["Segment"].value
    do(live, "fields_create", {"label": "Places", "modality": "contact", "type": "number"})
    options = [{"id": choice.value, "name": choice.label} for choice in ids(live)["Segment"].choices]
    change = {"id": f"contact.{segment}", "label": "Sector", "meta": {"picklist_values": options}}
    do(live, "fields_update", {"fields": [change]})
    later.offset = 61
    live.runs.resume(run)
    assert engine.drive(live, run)["status"] == "done"
    assert sandbox.count("contacts_bulk_create") == 1
    assert sandbox.count("contacts_create") == 2
