"""The generated form: which control a field gets, and that nothing is lost between a form and its JSON."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apollo_component.contract.errors import Problem
from apollo_component.contract.schemas import schemas_at
from apollo_component.host.registry import Registry
from apollo_component.hub.form_values import Posted, UnreadableError, pairs_of, read
from apollo_component.hub.forms import Kind, first_and_more, form_of
from apollo_component.hub.results import sheet
from apollo_component.hub.widgets import Wrong, drawn

MANIFEST = Registry.installed().manifests["apollo"]
SCHEMAS = schemas_at(MANIFEST.root)
FORMS = {name: form_of(SCHEMAS, action.input) for name, action in MANIFEST.actions.items()}
RICH = ("people_bulk_match", "contacts_create", "people_api_search", "reports_sync_report", "sequences_create")
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def field(name, dotted):
    fields = FORMS[name]
    for part in dotted.split("."):
        [found] = [one for one in fields if one.name == part]
        fields = found.fields
    return found


@pytest.mark.parametrize(
    ("name", "dotted", "kind"),
    [
        ("people_api_search", "person_titles", Kind.LIST),
        ("people_api_search", "person_seniorities", Kind.CHECKS),
        ("people_api_search", "revenue_range", Kind.GROUP),
        ("people_api_search", "revenue_range.min", Kind.INTEGER),
        ("people_api_search", "include_similar_titles", Kind.FLAG),
        ("people_bulk_match", "details", Kind.GROUPS),
        ("people_bulk_match", "details.email", Kind.TEXT),
        ("contacts_create", "typed_custom_fields", Kind.MAP),
        ("emailer_campaigns_add_contact_ids", "auto_unpause_at", Kind.MOMENT),
        ("emailer_campaigns_add_contact_ids", "status", Kind.CHOICE),
        ("raw_request", "body", Kind.JSON),
    ],
)
def test_every_shape_has_its_control(name, dotted, kind):
    """Lists, words to tick, ranges, three states, entries, free keys, times and choices."""
    assert field(name, dotted).kind is kind


def test_what_is_offered_says_so():
    """Fields with drop-downs, bands and closed lists of words are told apart."""
    assert field("contacts_create", "contact_stage_id").choices
    assert field("people_api_search", "organization_num_employees_ranges").band
    assert field("people_api_search", "person_seniorities").closed
    assert not field("people_api_search", "q_keywords").choices


def test_every_field_is_shown_once_and_required_ones_first():
    """Of every action, whatever its size."""
    for name, fields in FORMS.items():
        first, more = first_and_more(fields, MANIFEST.actions[name].example)
        assert sorted(one.name for one in (*first, *more)) == sorted(one.name for one in fields)
        assert not any(one.required for one in more)


@given(st.data())
def test_any_json_survives_the_form(data):
    """What a field can't show is posted as JSON beside it, so that no value changes or goes."""
    name = data.draw(st.sampled_from(RICH))
    keys = st.sampled_from([one.name for one in FORMS[name]]) | TEXTS.filter(bool)
    values = data.draw(st.dictionaries(keys, JSON, max_size=4))
    found = read(FORMS[name], Posted(pairs_of(FORMS[name], values)))
    assert found == values
    assert repr(sorted(found.items(), key=str)) == repr(sorted(values.items(), key=str))


@given(st.lists(st.dictionaries(st.sampled_from(["email", "name", "domain", "id"]), TEXTS, max_size=3), max_size=4))
def test_entries_survive_the_form(details):
    """Lists of objects too, those with empty entries included."""
    values = {"details": details}
    form = FORMS["people_bulk_match"]
    assert read(form, Posted(pairs_of(form, values))) == values


def test_what_is_no_number_stays_as_typed():
    """The schema then refuses it in its own words, at its place."""
    form = FORMS["people_api_search"]
    assert read(form, Posted([("/per_page", "many"), ("/revenue_range/min", "5")])) == {
        "per_page": "many",
        "revenue_range": {"min": 5},
    }


def test_json_that_is_none_is_told_at_its_place():
    """For a field given as JSON, and for a value of a map."""
    with pytest.raises(UnreadableError) as caught:
        read(FORMS["raw_request"], Posted([("json:/body", "{")]))
    assert caught.value.at == "/body"


def test_problems_find_their_fields():
    """At any depth; empty entries don't count, and what has no field is left for the top."""
    form = FORMS["people_bulk_match"]
    posted = Posted([("/details/0", ""), ("/details/4/email", "x")])
    wrong = Wrong([Problem("bad", path="details[0].email"), Problem("few", path="details"), Problem("rule")])
    [details, *_] = drawn(form, posted, wrong)
    assert details.wrong == "few"
    assert [[one.wrong for one in row.widgets if one.wrong] for row in details.rows] == [[], ["bad"]]
    assert [one.text for one in wrong.left] == ["rule"]


def test_a_table_shows_what_tells_most():
    """Names before ids, what differs before what doesn't, and no more than twelve columns."""
    records = [
        {"id": "f" * 24, "kind": "x", "name": name, "inner": {"city": name[::-1]}, **{f"n{i}": i for i in range(20)}}
        for name in ("Ada", "Ivo")
    ]
    found = sheet(records)
    names = [column.name for column in found.columns]
    assert len(names) == 12
    assert names[:2] == ["name", "inner.city"]
    assert "id" in [column.name for column in found.others]
    assert sheet(records, ["id"]).rows == tuple((found_.__class__("f" * 24),) for found_ in (found.rows[0][0],) * 2)


def test_a_table_of_anything():
    """Records that are no objects, none at all, and nested lists are no trouble."""
    assert sheet([]).columns == ()
    assert sheet([1, "a"]).columns[0].name == "value"
    assert [column.name for column in sheet([{"a": [{"b": 1}], "c": ["x", "y"]}]).columns] == ["c"]
