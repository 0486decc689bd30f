"""Inputs judged by schemas: every problem, in words, without the value that was wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apollo_component.contract.errors import InputError
from apollo_component.contract.schemas import Schemas

ROOT = Path(__file__).parent.parent.parent
CANARY = "CANARY-v4lue"
ID = "c4010da225e590c49a61164d"
FILE = "schemas/x.json"

RULES: dict[str, tuple[Any, Any, str]] = {
    "type": ({"type": "integer"}, CANARY, "must be a whole number"),
    "types": ({"type": ["array", "null"]}, CANARY, "must be a list or empty"),
    "object": ({"type": "object"}, CANARY, "must be an object with named fields"),
    "enum": ({"enum": ["a", "b"]}, CANARY, "must be one of: a, b"),
    "const": ({"const": "a"}, CANARY, "must be a"),
    "pattern": ({"pattern": "^a$"}, CANARY, "doesn't have the form ^a$"),
    "end of a pattern": ({"pattern": "^[a-z$]+\\$?$"}, "ab$\n", "doesn't have the form ^[a-z$]+\\$?$"),
    "date": ({"format": "date"}, "2026-02-30", "names a day or time that doesn't exist"),
    "date-time": ({"format": "date-time"}, "2026-02-28T24:30:00Z", "names a day or time that doesn't exist"),
    "x-ascending text": ({"x-ascending": ","}, "76543,9", "must have its smaller number first"),
    "minLength": ({"minLength": 99}, CANARY, "must have at least 99 characters"),
    "maxLength": ({"maxLength": 2}, CANARY, "must have at most 2 characters"),
    "minItems": ({"minItems": 3}, [CANARY], "needs at least 3 items"),
    "maxItems": ({"maxItems": 1}, [CANARY, CANARY], "may have at most 1 item"),
    "uniqueItems": ({"uniqueItems": True}, [CANARY, CANARY], "holds the same item twice"),
    "minProperties": ({"minProperties": 2}, {"a": CANARY}, "needs at least 2 fields"),
    "maxProperties": ({"maxProperties": 0}, {"a": CANARY}, "may have at most 0 fields"),
    "minimum": ({"minimum": 5}, -76543, "must be at least 5"),
    "maximum": ({"maximum": 5}, 76543, "must be at most 5"),
    "exclusiveMinimum": ({"exclusiveMinimum": 5}, -76543, "must be more than 5"),
    "exclusiveMaximum": ({"exclusiveMaximum": 5}, 76543, "must be less than 5"),
    "multipleOf": ({"multipleOf": 2}, 76543, "breaks the rule 'multipleOf'"),
    "anyOf": ({"anyOf": [{"type": "null"}, {"enum": [1]}]}, CANARY, "fits none of the allowed forms"),
    "oneOf": ({"oneOf": [True, True]}, CANARY, "must fit exactly one of the allowed forms"),
    "not": ({"not": {}}, CANARY, "holds a combination that is not allowed"),
    "false": ({"allOf": [False]}, CANARY, "is not allowed here"),
    "contains": ({"contains": {"type": "null"}}, [CANARY], "breaks the rule 'contains'"),
    "x-error": ({"pattern": "^a$", "x-error": "must be the letter a"}, CANARY, "must be the letter a"),
    "x-error on type": ({"type": "integer", "x-error": "must be odd"}, CANARY, "must be a whole number"),
}


@pytest.fixture(scope="module")
def real() -> Schemas:
    return Schemas(ROOT)


def of(tmp_path: Path, schema: Any) -> Schemas:
    (tmp_path / "schemas").mkdir(exist_ok=True)
    (tmp_path / FILE).write_text(json.dumps(schema))
    return Schemas(tmp_path)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_is_worded_without_the_value(tmp_path: Path, rule: str) -> None:
    """A broken rule is told at its path in plain words, and the wrong value is not repeated."""
    schema, value, said = RULES[rule]
    schemas = of(tmp_path, {"properties": {"field": schema}})
    with pytest.raises(InputError) as caught:
        schemas.check(FILE, {"field": value})
    error = caught.value
    assert [(problem.path, problem.text) for problem in error.problems] == [("field", said)]
    assert CANARY not in f"{error} {error!r} {error.as_dict()}"
    assert "76543" not in str(error)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"min": 9, "max": 1}, "must not be less than min"),
        ({"min": 1.5, "max": 1}, "must not be less than min"),
        ({"min": "2026-11-24", "max": "2026-11-23"}, "must not be before min"),
        ({"min": "2026-11-24T09:00:00", "max": "2026-11-24T10:00:00+02:00"}, "must not be before min"),
        ({"min": 1, "max": 1}, None),
        ({"min": "2026-11-24T09:00:00+02:00", "max": "2026-11-24T08:00Z"}, None),
        ({"min": 1}, None),
        ({"max": 1}, None),
        ({"min": 9, "max": "1"}, None),
        ({"min": True, "max": False}, None),
        ({"min": "x", "max": "a"}, None),
        ([9, 1], None),
    ],
)
def test_a_range_has_its_ends_in_order(tmp_path: Path, given: Any, said: str | None) -> None:
    """A range with its ends the wrong way round is told at its second end; what can't be compared is not judged."""
    schemas = of(tmp_path, {"properties": {"range": {"x-ascending": ["min", "max"], "x-error": "needs an end"}}})
    assert schemas.problems(FILE, {"range": given}) == ([(("range", "max"), said)] if said else [])


@pytest.mark.parametrize("text", ["1,50", "50,50", "50", "1,x", "1,5,2", "9,", "1," + "9" * 5000])
def test_a_band_has_its_numbers_in_order(tmp_path: Path, text: str) -> None:
    """A text that is no pair of numbers in the wrong order is left to the other rules."""
    assert of(tmp_path, {"x-ascending": ","}).problems(FILE, text) == []


def test_ranges_of_searches_are_ordered(real: Schemas) -> None:
    """Bands, ranges and dates of a search that could find nothing are refused, at their place."""
    values = {
        "organization_num_employees_ranges": ["1,10", "50,1"],
        "revenue_range": {"min": 9, "max": 1},
        "organization_job_posted_at_range": {"min": "2026-11-24", "max": "2026-11-23"},
        "latest_funding_date_range": {"min": "2026-02-30"},
    }
    assert dict(real.problems("schemas/actions/people_api_search.schema.json", values)) == {
        ("organization_num_employees_ranges", 1): "must have its smaller number first",
        ("revenue_range", "max"): "must not be less than min",
        ("organization_job_posted_at_range", "max"): "must not be before min",
        ("latest_funding_date_range", "min"): "names a day or time that doesn't exist",
    }


def test_an_unknown_field_suggests_the_near_one(real: Schemas) -> None:
    """A misspelt field is refused with the name that was probably meant; a strange one without a guess."""
    action = "schemas/actions/people_api_search.schema.json"
    problems = real.problems(action, {"person_title": [CANARY], "zzz": CANARY})
    found = {"".join(map(str, path)): text for path, text in problems}
    assert found == {
        "person_title": "is not a known field; did you mean person_titles?",
        "zzz": "is not a known field",
    }


@pytest.mark.parametrize(
    ("action", "name", "text"),
    [
        ("opportunities_search", "q_keywords", "is not a known field; Apollo ignores it here; use q_opportunity_name"),
        ("opportunities_search", "opportunity_stage_id", "is not a known field; use the list opportunity_stage_ids"),
        ("people_api_search", "person_departments", "use person_department_or_subdepartments"),
        ("people_api_search", "linkedin_url", "enrich the person by it with the action people_match"),
        ("opportunities_update", "is_closed", "move the deal to a closing stage (opportunity_stage_id)"),
        ("contacts_update", "existence_level", "Apollo ignores it"),
        ("accounts_update", "existence_level", "Apollo ignores it"),
    ],
)
def test_a_field_that_the_service_ignores_says_what_to_use(real: Schemas, action: str, name: str, text: str) -> None:
    """It is refused before anything is sent, with the field that works in its place."""
    problems = {"".join(map(str, path)): said for path, said in real.problems(
        f"schemas/actions/{action}.schema.json", {name: CANARY})}  # fmt: skip
    assert text in problems[name]
    assert CANARY not in problems[name]


def test_every_missing_field_is_told_once(tmp_path: Path) -> None:
    """Each required field that is missing is one problem at its own path."""
    schemas = of(tmp_path, {"required": ["a", "b"], "dependentRequired": {"c": ["d", "e"]}})
    assert schemas.problems(FILE, {"c": 1}) == [
        (("a",), "is required"),
        (("b",), "is required"),
        (("d",), "is required when c is given"),
        (("e",), "is required when c is given"),
    ]


def test_sentences_beside_rules_are_used(real: Schemas) -> None:
    """A rule over several fields is told by the sentence beside it in the schema."""
    action = "schemas/actions/people_match.schema.json"
    late = {"reveal_phone_number": True, "poll_only": False}
    found = [text for _, text in real.problems(action, {"first_name": CANARY} | late)]
    assert found == [
        "Give at least one of: id, email, hashed_email, linkedin_url, name, or first_name with last_name.",
        "Phone numbers and waterfall results arrive later: give a webhook_url, or leave poll_only out.",
    ]
    assert real.problems(action, {"id": CANARY}) == [
        (("id",), "must be an Apollo id: 24 characters, digits and the letters a to f")
    ]


def test_problems_inside_lists_have_their_number(real: Schemas) -> None:
    """All problems come at once, and those of a list's item name the item."""
    with pytest.raises(InputError) as caught:
        real.check(
            "schemas/actions/people_bulk_match.schema.json",
            {"details": [{"id": ID}, {"emial": CANARY}, {"email": CANARY}], "poll_only": CANARY},
        )
    paths = {problem.path for problem in caught.value.problems}
    assert paths == {"details[1]", "details[1].emial", "details[2].email", "poll_only"}
    assert CANARY not in str(caught.value)


def test_defaults_are_filled_in(real: Schemas) -> None:
    """A good input comes back with the schema's defaults, false ones too; what was given wins."""
    assert real.check("schemas/actions/users_search.schema.json", {"page": 3}) == {"page": 3, "per_page": 100}
    given_back = real.check("schemas/actions/people_match.schema.json", {"id": ID, "reveal_phone_number": False})
    assert given_back["id"] == ID
    assert given_back["reveal_personal_emails"] is False
    assert given_back["run_waterfall_phone"] is False
    assert "webhook_url" not in given_back


def test_the_input_is_not_changed(real: Schemas) -> None:
    """Checking leaves the caller's input as it was."""
    values: dict[str, Any] = {}
    real.check("schemas/actions/users_search.schema.json", values)
    assert values == {}


def test_parts_that_are_not_known_yet_are_not_judged(real: Schemas) -> None:
    """Values that will only be known when a workflow runs are left alone; the others are judged."""
    later = object()
    path = "schemas/actions/users_search.schema.json"
    found = real.problems(path, {"page": later, "per_page": 101}, known=lambda value: value is not later)
    assert found == [(("per_page",), "must be at most 100")]


def test_fields_are_whole(real: Schemas) -> None:
    """A form sees each field with its reference followed, and what stands beside the reference winning."""
    fields = real.fields("schemas/actions/people_match.schema.json")
    assert fields["id"]["pattern"] == "^[0-9a-fA-F]{24}$"
    assert fields["id"]["title"] == "Apollo person id"
    assert not any("$ref" in field for field in fields.values())


def test_a_schema_is_compiled_once(real: Schemas) -> None:
    """The same file gives the same compiled validator each time."""
    path = "schemas/actions/users_search.schema.json"
    assert real.validator(path) is real.validator(path)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(CANARY) | st.just(f"x {CANARY}\n"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["min", "id", "a"]), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(
    ["id", "email", "details", "domain", "page", "per_page", "webhook_url", "revenue_range", "amount"]
)
ACTIONS = sorted(file.name for file in (ROOT / "schemas" / "actions").glob("*.json"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(ACTIONS), st.dictionaries(NAMES, VALUES, max_size=4))
def test_no_value_is_ever_repeated(real: Schemas, action: str, values: dict[str, Any]) -> None:
    """Whatever is given to whichever action: an answer or an InputError, never with a value in it."""
    found: InputError | None = None
    try:
        real.check(f"schemas/actions/{action}", values)
    except InputError as error:
        found = error
    assert found is None or (found.problems and CANARY not in f"{found} {found.as_dict()}")
