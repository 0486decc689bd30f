"""Workflow files: checked whole before anything runs, every mistake at its line."""

from pathlib import Path

import pytest

from apollo_component.contract.errors import InputError, ManifestError
from apollo_component.contract.loading import load_file
from apollo_component.host.workflow.expressions import evaluate, problem, references, resolve, steps_named
from apollo_component.host.workflow.file import load_workflow, parse_workflow, problems_of
from apollo_component.host.workflow.forecast import forecast

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "examples" / "prospecting.yaml"


@pytest.fixture(scope="module")
def manifests():
    found = load_file(ROOT / "connector.yaml")
    return {found.id: found}


@pytest.fixture
def demo(manifest):
    return {"demo": manifest}


def problems(text, manifests):
    with pytest.raises(ManifestError) as caught:
        parse_workflow(text, manifests)
    return [(found.line, found.path, found.text) for found in caught.value.problems]


def one(steps, head="", connector="apollo"):
    return f"name: x\n{head}connections: {{a: {{connector: {connector}}}}}\nsteps:\n{steps}"


A, N = "inputs: {a: {}}\n", "inputs: {n: {}}\n"


TEN = """\
name: Ten mistakes
colour: blue
inputs:
  titles: {default: []}
connections:
  apollo: {connector: apollo}
budget: 10
steps:
  - id: search
    action: people_api_searchh
  - id: people
    action: people_api_search
    limit: 5
    with:
      person_titels: {$from: inputs.titles}
      per_page: 500
  - id: people
    action: contacts_create
    batch: 2
    with:
      email: {$from: steps.later.record.email}
      first_name: {$from: item.first_name}
      last_name: {$from: "steps.search.["}
  - id: Later
    action: people_match
    on_error: retry
    with:
      run_waterfall_email: true
      email: {$from: inputs.mail}
"""
EXPECTED = {
    (2, "colour"): "not a known field",
    (10, "steps[0].action"): "did you mean people_api_search?",
    (13, "steps[1].limit"): "goes with all: true",
    (15, "steps[1].with.person_titels"): "did you mean person_titles?",
    (16, "steps[1].with.per_page"): "must be at most",
    (17, "steps[2].id"): "stands twice",
    (19, "steps[2].batch"): "goes with for_each",
    (21, "steps[2].with.email.$from"): "steps.later",
    (22, "steps[2].with.first_name.$from"): "item",
    (23, "steps[2].with.last_name.$from"): "not a JMESPath",
    (24, "steps[3].id"): "form",
    (26, "steps[3].on_error"): "must be one of: stop, skip, collect",
    (29, "steps[3].with.email.$from"): "inputs.mail",
}


def test_every_mistake_is_told_at_once_with_its_line(manifests):
    """A file with more than ten different mistakes names each at its line and path, in the order of lines."""
    found = problems(TEN, manifests)
    places = {(line, path): text for line, path, text in found}
    for place, text in EXPECTED.items():
        assert place in places, (place, sorted(places))
        assert text in places[place]
    assert any(path == "steps[3].max_credits_per_record" for _, path in places)
    assert [line for line, *_ in found] == sorted(line for line, *_ in found)


@pytest.mark.parametrize(
    ("expression", "named", "meant"),
    [
        ("steps.search.rekords", "steps.search.rekords", "records"),
        ("steps.search.rekords[0].id", "steps.search.rekords", "records"),
        ("steps.search.rekords[].{id: id}", "steps.search.rekords", "records"),
        ("length(steps.search.record_s || `[]`)", "steps.search.record_s", "records"),
        ("steps.search.{n: countt}", "steps.search.countt", "count"),
        ("[steps.search.error, steps.search.count]", "steps.search.error", "errors"),
        ('steps."search".Count', "steps.search.Count", "count"),
        ("steps.search.id", "steps.search.id", ""),
    ],
)
def test_a_misspelt_part_of_a_result_is_told(manifests, expression, named, meant):
    """What a step's result doesn't have is refused with what it has, and the name that was probably meant."""
    quoted = expression.replace("'", "''")
    text = one(f"""  - {{id: search, action: users_search}}
  - {{id: next, action: people_match, when: '{quoted}', with: {{email: {{$from: '{quoted}'}}}}}}
""")
    guess = f"; did you mean {meant}?" if meant else ""
    said = f"names {named}; a step has records, record, count, errors, misses, late{guess}"
    assert problems(text, manifests) == [(5, "steps[1].when", said), (5, "steps[1].with.email.$from", said)]


def test_the_example_is_right(manifests):
    """The example that comes along passes its own checks."""
    workflow = load_workflow(EXAMPLE, manifests)
    assert problems_of(EXAMPLE, manifests) == []
    assert [step.id for step in workflow.steps] == ["mailboxes", "sequences", "search", "enrich", "contacts", "enrol"]
    assert workflow.actions("apollo")[0] == "email_accounts_list"
    assert workflow.actions("nobody") == []
    assert workflow.text == EXAMPLE.read_text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "- a",
        "name: x",
        "a: [",
        "steps: 5\nname: x\nconnections: []",
        "name: x\nconnections: {a: 5}\nsteps: [5, {id: 5, action: 7}]",
        "name: x\nconnections: {a: {connector: [x]}}\nsteps: [{id: [1], action: {}, with: 5, when: 5, for_each: [], connection: [a]}]",
    ],
)
def test_a_file_of_the_wrong_shape_is_told_and_never_breaks(manifests, text):
    """Whatever the shape of the file, the answer is a list of problems."""
    assert problems(text, manifests)


def test_a_missing_file_is_a_problem(manifests, tmp_path):
    """A path that leads nowhere is told like any mistake."""
    assert "can't be read" in str(problems_of(tmp_path / "nothing.yaml", manifests)[0])


def test_an_unknown_connector_or_connection_is_told(manifests):
    """With what there is instead."""
    (found,) = problems(one("  - {id: s, action: x}", connector="hubspot"), manifests)
    assert "installed: apollo" in found[2]
    text = "name: x\nconnections: {a: {connector: apollo}, b: {connector: apollo}}\nsteps:\n  - {id: s, action: users_search"
    assert "required when there are several" in problems(text + "}\n", manifests)[0][2]
    assert "none of this file's" in problems(text + ", connection: c}\n", manifests)[0][2]
    parse_workflow(text + ", connection: b}\n", manifests)


def test_all_pages_go_with_pages_only(manifests):
    """`all` needs an action with pages and no for_each."""
    assert "has no pages" in problems(one("  - {id: s, action: email_accounts_list, all: true}"), manifests)[0][2]
    found = problems(one("  - {id: s, action: users_search, all: true, for_each: '[`1`]'}"), manifests)
    assert "can't be combined" in found[0][2]


def test_what_is_given_by_an_expression_is_not_judged_yet(manifests):
    """A reference stands for any value: required fields count as given, what stands beside it is checked."""
    good = "  - {id: s, action: contacts_update, with: {contact_id: {$from: inputs.n}, title: x}}"
    parse_workflow(one(good, N), manifests)
    parse_workflow(one("  - {id: s, action: people_match, with: {$from: inputs.n}}", N), manifests)
    missing = "  - {id: s, action: contacts_update, with: {title: {$from: inputs.n}}}"
    assert problems(one(missing, N), manifests)[0][1:] == ("steps[0].with.contact_id", "is required")
    inside = "  - {id: s, action: people_bulk_match, with: {details: [{id: {$from: inputs.n}}, {idd: x}]}}"
    found = problems(one(inside, N), manifests)
    assert all(path.startswith("steps[0].with.details[1]") for _, path, _ in found)


@pytest.mark.parametrize("values", ["{name: x}", "{name: {$from: inputs.n}}", "{$from: inputs.n}"])
def test_sending_to_people_needs_a_confirmation(demo, values):
    """Whatever form its input has, an action that sends to people needs `confirm: true`."""
    (found,) = problems(one(f"  - {{id: s, action: mail, with: {values}}}", N, "demo"), demo)
    assert found[1] == "steps[0].confirm"
    parse_workflow(one(f"  - {{id: s, action: mail, confirm: true, with: {values}}}", N, "demo"), demo)


@pytest.mark.parametrize("values", ["{id: s, active: {$from: inputs.n}}", "{$from: inputs.n}"])
def test_a_flag_that_an_expression_gives_may_mail(manifests, values):
    """What may turn out to mail people when the run knows it needs a confirmation before."""
    found = problems(one(f"  - {{id: s, action: sequences_update, with: {values}}}", N), manifests)
    assert "steps[0].confirm" in [path for _, path, _ in found]


@pytest.mark.parametrize("flag", ["true", "{$from: inputs.n}"])
def test_an_unlimited_cost_under_a_budget_needs_a_limit(demo, flag):
    """With a budget a flag without a stated limit of cost needs `max_credits_per_record`, given or referenced."""
    head = f"{N}budget: 5\n"
    step = f"  - {{id: s, action: pay, with: {{items: [1], waterfall: {flag}}}"
    assert problems(one(step + "}", head, "demo"), demo)[0][1] == "steps[0].max_credits_per_record"
    parse_workflow(one(step + ", max_credits_per_record: 3}", head, "demo"), demo)
    parse_workflow(one(step + "}", N, "demo"), demo)


# Expressions

NAMES = {"inputs": {"a"}, "steps": {"s"}}


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("inputs.a", ""),
        ("steps.s.records[?email].id | [0]", ""),
        ("length(steps.s.records) > `0` && inputs.a", ""),
        ("{x: inputs.a, y: steps.s.count}", ""),
        ("sort_by(steps.s.records, &name)", ""),
        ("steps.s.records[].{id: id, mail: email}", ""),
        ("steps.s.records[*].items[]", ""),
        ("`[1, 2]`", ""),
        ("steps.s", ""),
        ("steps.s.records[?count > `1`].email | [0]", ""),
        ("steps.s.record.anything.at_all", ""),
        ("steps.s.[records, count, errors[].item]", ""),
        ("steps.*.records", ""),
        ("length(steps.s.records)", ""),
        ("inputs.a.of.anything", ""),
        ("steps.other.records", "steps.other"),
        ("inputs.b", "inputs.b"),
        ("record.id", "names record"),
        ("item.id", "names item"),
        ("length(steps.other.records)", "steps.other"),
        ("inputs.a || steps.other.count", "steps.other"),
        ("steps.s.records[", "not a JMESPath"),
        ("steps..s", "not a JMESPath"),
        ("", "must be a JMESPath"),
        (5, "must be a JMESPath"),
        (None, "must be a JMESPath"),
    ],
)
def test_an_expression_is_checked_before_the_run(expression, said):
    """Syntax and every name an expression starts from are known before anything runs; the parts of a result, whatever
    lies below them, and what can't be told yet are no mistakes."""
    found = problem(expression, NAMES)
    assert (said in found) if said else found == ""


def test_item_and_index_are_known_inside_for_each(manifests):
    """In `with` of a for_each, not in its own expression, not elsewhere."""
    step = "  - {id: s, action: people_match, for_each: inputs.a, with: {email: {$from: item.email}}}"
    parse_workflow(one(step, A), manifests)
    wrong = "  - {id: s, action: people_match, for_each: item.a, with: {email: {$from: item.email}}}"
    assert problems(one(wrong, A), manifests)[0][1] == "steps[0].for_each"


def test_a_step_sees_earlier_steps_only(manifests):
    """Neither itself nor a later one."""
    text = "  - {id: a, action: people_match, when: steps.b.count, with: {email: x@example.com}}\n  - {id: b, action: people_match, when: steps.b.count, with: {email: x@example.com}}"
    assert [path for _, path, _ in problems(one(text), manifests)] == ["steps[0].when", "steps[1].when"]


def test_expressions_are_found_and_replaced_wherever_they_stand():
    """In lists and objects of any depth; a field whose expression gives nothing is left out, a literal null stays."""
    value = {"a": {"$from": "x"}, "b": [{"c": {"$from": "y"}}, 1], "d": {"$from": "none"}, "e": None}
    assert [path for path, _ in references(value)] == [("a", "$from"), ("b", 0, "c", "$from"), ("d", "$from")]
    assert resolve(value, {"x": 1, "y": 2}.get) == {"a": 1, "b": [{"c": 2}, 1], "e": None}
    assert steps_named("steps.a.x || length(steps.b)") == {"a", "b"}


def test_values_that_dont_fit_an_expression_are_an_input_error():
    """What only shows at run time is an error that shows no value."""
    with pytest.raises(InputError) as caught:
        evaluate("length(inputs.a)", {"inputs": {"a": 5}})
    assert "5" not in str(caught.value)


# Forecast


def test_the_forecast_tells_each_step(manifests):
    """Request, effect and worst cost, for the whole step where its size is known."""
    rows = {row["step"]: row for row in forecast(load_workflow(EXAMPLE, manifests), manifests)}
    assert (rows["search"]["effect"], rows["search"]["worst_credits"]) == ("read", 0)
    assert (rows["enrich"]["effect"], rows["enrich"]["worst_credits"]) == ("bill", 10)
    assert "each request" in rows["enrich"]["note"]
    assert rows["contacts"]["effect"] == "upsert"
    assert (rows["contacts"]["method"], rows["contacts"]["path"]) == ("POST", "/contacts")


def test_the_forecast_knows_a_list_that_is_written_out(demo):
    """A list in the file is counted; a flag adds; without a limit the worst is unknown."""
    steps = """
  - {id: a, action: pay, with: {items: [1, 2, 3], phone: true}}
  - {id: b, action: pay, with: {items: [1], waterfall: true}}
  - {id: c, action: pay, with: {items: [1, 2], waterfall: true}, max_credits_per_record: 4}
  - {id: d, action: blind}
  - {id: e, action: mail, confirm: true}
"""
    rows = forecast(parse_workflow(one(steps, connector="demo"), demo), demo)
    assert [row["effect"] for row in rows] == ["bill", "bill", "bill", "create", "send"]
    assert [row["worst_credits"] for row in rows] == [27, None, 8, 0, 0]


STARTED = "name: x\nconnections: {a: {connector: apollo}}\n"
STEPS = "steps:\n  - id: one\n    action: contacts_show\n    with: {contact_id: {$from: trigger.id}}\n"


def test_a_trigger_is_checked_with_the_file(manifests):
    """An unknown trigger, filter or name is told at its line before anything is enabled."""
    head = "trigger:\n  on: contact_updatd\n"
    assert problems(STARTED + head + STEPS, manifests) == [
        (4, "trigger.on", "is no trigger of apollo; did you mean contact_updated?")
    ]
    head = "trigger:\n  on: contact_updated\n  with: {q_keyword: x}\n  when: recordd.email\n  every: 1\n"
    found = [(line, path) for line, path, _ in problems(STARTED + head + STEPS, manifests)]
    assert found == [(5, "trigger.with.q_keyword"), (6, "trigger.when"), (7, "trigger.every")]


def test_steps_see_what_started_them(manifests):
    """Steps read the record of a trigger and the time of a schedule, and only where there is one."""
    timed = 'schedule: {cron: "0 7 * * 1-5"}\n'
    parse_workflow(STARTED + "trigger: {on: contact_created}\n" + STEPS, manifests)
    parse_workflow(STARTED + timed + STEPS.replace("trigger.id", "trigger.at"), manifests)
    assert "names trigger" in problems(STARTED + STEPS, manifests)[0][2]
    wrong = problems(STARTED + timed + STEPS.replace("trigger.id", "trigger.recordd"), manifests)
    assert "known here: at" in wrong[0][2]


def test_one_thing_starts_a_workflow(manifests):
    """A trigger and a schedule in one file are refused, and so is a time that never comes."""
    both = 'trigger: {on: contact_created}\nschedule: {cron: "0 7 * * *"}\n'
    [(_, _, text)] = problems(STARTED + both + STEPS, manifests)
    assert text == "has a trigger or a schedule, not both"
    never = 'schedule: {cron: "0 0 30 2 *", timezone: Nowhere}\n'
    found = problems(STARTED + never + STEPS.replace("trigger.id", "trigger.at"), manifests)
    assert [path for _, path, _ in found] == ["schedule.cron", "schedule.timezone"]


def test_a_trigger_needs_what_its_action_needs(manifests):
    """The list of rights for a workflow file holds those of its trigger."""
    workflow = parse_workflow(STARTED + "trigger: {on: deal_created}\n" + STEPS, manifests)
    needs = manifests["apollo"].requirements(workflow.actions("apollo"))
    assert needs["oauth_scopes"] == ["contact_read", "opportunities_list"]
