"""Names of a workspace's own fields: people write them, the service gets ids, and nothing wrong is ever sent."""

import pytest

from apollo_component.contract.errors import InputError, OutcomeUnknownError, TransientError
from apollo_component.contract.models import Choice
from apollo_component.contract.schemas import Schemas
from apollo_component.host.custom_fields import look_ups
from apollo_component.host.field_values import FieldMap, schema_of
from apollo_component.host.runner import Job
from apollo_component.host.workflow.file import parse_workflow
from apollo_component.host.workflow.units import Planner

from ..conftest import page

SENT = {"Owner": "Dana", "seats": 3, "Segment": "Enterprise"}
IDS = {"f001": "Dana", "f002": 3, "f006": "o002"}


def problems(caught):
    return {problem.path: problem.text for problem in caught.value.problems}


def refused(caller, own, action="person_put"):
    with pytest.raises(InputError) as caught:
        caller.page(action, {"own": own}, item="refused")
    return problems(caught)


def test_names_become_ids(caller, service):
    """Names of fields and of options are written, ids are sent; the fields are looked up once."""
    assert caller.page("person_put", {"own": SENT}).value["sent"] == {"own": IDS}
    caller.page("person_put", {"own": SENT}, item="1")
    assert len(service.sent("/fields")) == 1


def test_ids_are_sent_as_they_are_without_a_look_up(caller, service):
    """When every key has the form of an id nothing is asked; what is not listed goes on working."""
    own = {"f006": "o001", "abcd": [1, {"a": 2}]}
    assert caller.page("person_put", {"own": own}).value["sent"] == {"own": own}
    assert service.sent("/fields") == []


def test_ids_and_names_stand_side_by_side(caller):
    """A listed id is checked like a name, one that isn't listed is left alone."""
    sent = caller.page("person_put", {"own": {"Owner": "Dana", "f002": 3, "abcd": 1}}).value["sent"]
    assert sent == {"own": {"f001": "Dana", "f002": 3, "abcd": 1}}
    assert refused(caller, {"Owner": "Dana", "f002": "3"}) == {"own.f002": "must be a number"}


@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [
        ("Owner", "", ""),
        ("Owner", None, None),
        ("Seats", 1.5, 1.5),
        ("Seats", None, None),
        ("Renewal date", "2026-10-31", "2026-10-31"),
        ("Last demo", "2026-10-31T09:00:00Z", "2026-10-31T09:00:00Z"),
        ("Last demo", "2026-10-31", "2026-10-31"),
        ("VIP", False, False),
        ("Segment", "Startup", "o001"),
        ("Segment", "o003", "o003"),
        ("Tags", ["Enterprise", "o001"], ["o002", "o001"]),
        ("Tags", [], []),
        ("Odd", {"any": 1}, {"any": 1}),
        ("Odd list", "Startup", "o001"),
        ("Odd list", ["Startup"], ["o001"]),
        ("Silent list", "abcd", "abcd"),
    ],
)
def test_values_that_fit_their_type(caller, name, value, sent):
    """Each type takes its values; empty ones clear; a type nobody knows takes anything, or one or several options."""
    made = caller.page("person_put", {"own": {name: value}}).value["sent"]["own"]
    assert list(made.values()) == [sent]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("Owner", 7, "must be a text"),
        ("Seats", "7", "must be a number"),
        ("Seats", True, "must be a number"),
        ("Renewal date", "31.10.2026", "must be a day such as 2026-10-31"),
        ("Renewal date", "2026-02-30", "must be a day such as 2026-10-31"),
        ("Last demo", "tomorrow", "must be a time such as 2026-10-31T09:00:00Z, or a day"),
        ("VIP", "yes", "must be true or false"),
        ("Segment", "Gold", "must be one of its options: Startup, Enterprise, startup"),
        ("Segment", "STARTUP", "is the name of 2 options; give the id: o001, o003"),
        ("Segment", ["Startup"], "must be one of its options: Startup, Enterprise, startup"),
        ("Tags", "Startup", "must be a list of options"),
        ("Tags", ["Startup", "Gold"], "must be one of its options: Startup, Enterprise"),
        ("Silent list", "Gold", "must be the id of an option; their names aren't known here"),
    ],
)
def test_values_that_do_not_fit_are_refused_at_their_place(caller, service, name, value, text):
    """A wrong value is an error at the field, in words, before anything is written or sent."""
    assert refused(caller, {name: value}) == {f"own.{name}": text}
    assert service.sent("/people") == []
    assert caller.host.journal.spent(caller.run) == {"spent": 0, "reserved": 0, "paid_twice": 0}
    assert caller.host.journal.last(caller.make("person_put", item="refused").key) is None


def test_an_unknown_name_is_told_with_the_known(caller, service):
    """A slip gets the likely name and the list; another kind of record's field is not known here."""
    found = refused(caller, {"Segmnt": "Startup", "Tier": "Gold"})
    assert found["own.Segmnt"].startswith("is no field of this workspace; did you mean Segment? it has: Owner, Seats")
    assert "own.Tier" in found
    assert service.sent("/people") == []


def test_an_ambiguous_name_names_the_ids(caller):
    """Two fields of one name can only be told apart by id."""
    assert refused(caller, {"Twin": "x"}) == {"own.Twin": "is the name of 2 fields; give the id: f011, f012"}
    assert caller.page("person_put", {"own": {"Owner": "x", "f012": "y"}}).value["sent"]["own"]["f012"] == "y"


def test_one_field_twice_is_refused(caller):
    """A field by its name and by its id would be one key: which value was meant?"""
    assert refused(caller, {"Owner": "a", "f001": "b"}) == {"own.f001": "names a field that was given before"}


def test_all_problems_come_at_once_and_without_values(caller):
    """Every place is named in one error, and no value that a person typed is in it."""
    found = refused(caller, {"Owner": 7, "VIP": "canary-value", "Nothing": "canary-value"})
    assert list(found) == ["own.Owner", "own.VIP", "own.Nothing"]
    assert "canary" not in str(found)


def test_items_of_a_bulk_list_are_resolved_each(host, key, manifest, service):
    """Names in items of a list are resolved over all its requests."""
    people = [{"name": str(n), "own": {"Owner": str(n)}} for n in range(3)]
    run = host.runs.create("action", "test").id
    job = Job(run, key.id, manifest.actions["people_make"], {"people": people})
    records = [record for found in host.runner.pages(job) for record in found.records]
    assert [record["own"] for record in records] == [{"f001": str(n)} for n in range(3)]
    assert len(service.sent("/people/bulk")) == 2


def test_a_mistake_in_the_last_piece_stops_the_first(host, key, manifest, service):
    """A long list is checked whole before its first piece is sent."""
    people = [{"name": str(n), "own": {"Owner": "x"} if n < 4 else {"Ownr": "x"}} for n in range(5)]
    run = host.runs.create("action", "test").id
    job = Job(run, key.id, manifest.actions["people_make"], {"people": people})
    with pytest.raises(InputError) as caught:
        list(host.runner.pages(job))
    assert list(problems(caught)) == ["people[4].own.Ownr"]
    assert service.sent("/people/bulk") == []


def test_a_recorded_answer_needs_no_look_up(caller, service, clock):
    """What was recorded is read from the journal although the field has since another name."""
    caller.page("person_make", {"own": {"Owner": "Dana"}})
    clock.now += 61
    service.always("/fields", page())
    assert caller.page("person_make", {"own": {"Owner": "Dana"}}).value["id"] == "p1"
    assert (len(service.sent("/people")), len(service.sent("/fields"))) == (1, 1)


def test_a_look_up_that_fails_sends_nothing(caller, service):
    """Without the fields a name can't be resolved: the look-up's own error, and no request of the action."""
    service.always("/fields", TransientError("unreachable"))
    with pytest.raises(TransientError):
        caller.page("person_make", {"own": {"Owner": "Dana"}})
    assert service.sent("/people") == []


def test_a_lost_answer_stays_in_doubt_with_names_too(caller, service):
    """The journal's promise holds: a create whose answer was lost isn't repeated."""
    service.on("/people", TransientError("lost", worked=True))
    with pytest.raises(OutcomeUnknownError):
        caller.page("person_make", {"own": {"Owner": "Dana"}})
    assert len(service.sent("/people")) == 1


def test_a_step_is_checked_before_its_first_request(host, key, manifest, service):
    """In a workflow every item's names are looked up before the first is sent, with the item in the error."""
    text = """
name: x
inputs: {names: {default: [Owner, Ownr]}}
connections: {a: {connector: demo}}
steps:
  - {id: each, action: person_put, for_each: inputs.names, with: {own: {$from: "{Owner: item, f002: `3`}"}}}
"""
    workflow = parse_workflow(text, {"demo": manifest})
    run = host.runs.create("workflow", "x").id
    planner = Planner(workflow, host.runs, run, {"names": ["Dana", 7]}, Schemas(manifest.root))
    step = workflow.steps[0]

    def check(values):
        return host.fields.resolved(key.id, step.action, values)

    with pytest.raises(InputError) as caught:
        planner.units(step, check)
    assert problems(caught) == {"each[1].own.Owner": "must be a text"}
    assert len(planner.units(step)) == 2
    assert service.sent("/people") == []


def test_what_must_be_looked_up_is_known_without_a_connection(manifest):
    """A dry run can say where names stand that nobody has checked."""
    action = manifest.actions["people_make"]
    named = {"people": [{"own": {"f001": 1}}, {"own": {"Owner": 1}}]}
    assert look_ups(manifest, action, named) == [("people.own", "fields")]
    assert look_ups(manifest, action, {"people": [{"own": {"f001": 1}}], "own": {}}) == []


def test_fields_are_shown_as_schemas(host, key, manifest):
    """A form can be built from the workspace's fields: titles are names, properties and options are ids."""
    found = host.fields.schemas("mine", manifest.actions["person_put"])
    assert list(found) == ["own", "people.own"]
    properties = found["own"]["properties"]
    assert properties["f002"] == {"title": "Seats", "type": "number"}
    assert properties["f003"] == {"title": "Renewal date", "type": "string", "format": "date"}
    assert properties["f006"]["oneOf"][1] == {"const": "o002", "title": "Enterprise"}
    assert properties["f007"]["items"]["oneOf"][0] == {"const": "o001", "title": "Startup"}
    assert properties["f008"] == {"title": "Odd"}
    assert "f013" not in properties


def test_long_lists_are_cut_in_errors():
    """An error names thirty fields at most and says how many more there are."""
    fields = FieldMap([Choice(f"Field {n}", f"f{n}") for n in range(40)], lambda _key: None)
    fields.resolved(("own",), {"x": 1})
    assert fields.problems[0].text.endswith("Field 29 and 10 more")
    assert schema_of(Choice("A", "1", "choices"))["type"] == "array"
