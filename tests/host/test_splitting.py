"""A search that is too large for one query is cut into parts, and nothing is left out in silence."""

import itertools

import pytest

from apollo_component.contract.errors import InputError
from apollo_component.contract.loading import load_file
from apollo_component.contract.schemas import Schemas
from apollo_component.host.plans import shortfall
from apollo_component.host.runner import Job
from apollo_component.host.splitting import MAX_PARTS, PAGES, Field, Part, chosen_fields, cut, heads, vocabularies
from apollo_component.host.workflow.file import parse_workflow, problems_of
from apollo_component.host.workflow.forecast import forecast

from ..test_schemas import ROOT
from .conftest import page

COLOUR, SIZE = Field("colour", ("red", "blue", "green")), Field("size", ("s", "l"))


@pytest.fixture(scope="module")
def apollo():
    return load_file(ROOT / "connector.yaml")


@pytest.fixture(scope="module")
def inputs(apollo):
    return Schemas(apollo.root)


def planned(totals, fields=(COLOUR, SIZE), whole=250, ceiling=100):
    """The cut of a search whose parts have these totals by their label, and the rounds that were asked."""
    flow = cut({"q": "x"}, whole, ceiling, fields)
    asked, rounds = next(flow), []
    while True:
        rounds.append([part.label for part in asked])
        try:
            asked = flow.send([totals.get(part.label, 0) for part in asked])
        except StopIteration as done:
            return done.value, rounds


def test_parts_small_enough_are_asked_once():
    """One round of first pages is enough when every part is below the ceiling; empty parts are dropped."""
    found, rounds = planned({"colour = red": 100, "colour = green": 80}, whole=180)
    assert rounds == [["colour = red", "colour = blue", "colour = green"]]
    assert [part.input for part in found.parts] == [{"q": "x", "colour": ["red"]}, {"q": "x", "colour": ["green"]}]
    assert found.notes[-1].endswith("hold 180 of 180 records: all of them.")


def test_a_part_still_too_large_is_cut_by_the_next_field_in_its_place():
    """Only what is too large is asked for again, and its parts keep its place in the order."""
    totals = {"colour = red": 50, "colour = blue": 150, "colour = green": 50}
    totals |= {"colour = blue, size = s": 70, "colour = blue, size = l": 80}
    found, rounds = planned(totals)
    assert rounds[1] == ["colour = blue, size = s", "colour = blue, size = l"]
    assert [part.item for part in found.parts] == ["s0", "s1", "s1.0", "s1.1", "s2"]
    assert [part.item for part in found.parts if part.cut] == ["s1"]
    assert [part.rank for part in found.parts] == sorted({part.rank for part in found.parts})
    assert found.parts[3].input == {"q": "x", "colour": ["blue"], "size": ["l"]}


@pytest.mark.parametrize(
    ("totals", "words"),
    [
        ({"colour = red": 100, "colour = blue": 90}, "hold 190 of 250 records: 60 or more have none of its values"),
        ({"colour = red": 100, "colour = blue": 100, "colour = green": 90}, "overlap by 40 or more"),
    ],
    ids=["records without any of the values", "records with two of the values"],
)
def test_parts_that_are_not_the_whole_are_told(totals, words):
    """Records that are in no part, or in two, are counted."""
    found, _ = planned(totals, whole=250)
    assert words in found.notes[1]


def test_a_part_too_large_at_the_end_is_named():
    """When the fields are used up, the part and what is out of reach of it are told; its first pages are read."""
    found, _ = planned({"colour = red": 130, "colour = blue": 20}, (COLOUR,), whole=150)
    assert "colour = red still has 130 records" in found.notes[-1]
    assert "30 are out of reach" in found.notes[-1]
    assert [part.cut for part in found.parts] == [False, False]


def test_a_part_whose_total_cant_be_had_is_named():
    """A refused part is left out and told, not counted as empty."""
    flow = cut({}, 250, 100, (COLOUR,))
    next(flow)
    with pytest.raises(StopIteration) as done:
        flow.send([100, None, 100])
    assert "left out: colour = blue." in done.value.value.notes[1]


def test_values_a_person_gave_are_not_repeated():
    """Parts by given values are named by their number."""
    (part, *_) = Part({}).by(Field("place", ("canary", "b"), fixed=False))
    assert part.label == "place number 1"


def test_names_and_places_are_stable_and_short():
    """The journal's item fits into its column, and numbers fit into 64 bits, at the largest there can be."""
    part = Part({}, (MAX_PARTS - 1,) * 3)
    assert len(f"{part.item}:{PAGES}") <= 40
    assert (part.rank + PAGES) * 10_000 < 2**63


def test_the_manifest_tells_what_can_be_split(apollo, inputs):
    """Lists with a vocabulary or given values can split a search with a ceiling and a total; nothing else can."""
    people = vocabularies(inputs, apollo.actions["people_api_search"])
    assert people["contact_email_status"] == ("verified", "unverified", "likely to engage", "unavailable")
    assert len(people["person_seniorities"]) == 11
    assert people["organization_num_employees_ranges"][0] == "1,10"
    assert people["person_locations"] == ()
    assert not {"person_not_titles", "currently_using_all_of_technology_uids"} & set(people)
    for other in ("people_match", "emailer_messages_search", "conversations_search", "tasks_search"):
        assert vocabularies(inputs, apollo.actions[other]) == {}


def test_the_bands_of_headcount_leave_no_gap(apollo, inputs):
    """Each band begins where the one before ended."""
    bands = vocabularies(inputs, apollo.actions["people_api_search"])["organization_num_employees_ranges"]
    edges = [tuple(int(part) for part in band.split(",")) for band in bands]
    assert all(after[0] == before[1] + 1 for before, after in itertools.pairwise(edges))


@pytest.mark.parametrize(
    ("action", "names", "values", "word"),
    [
        ("people_match", ["email"], {}, "can't be split; these can: people_api_search, mixed_companies_search"),
        ("people_api_search", ["person_senioritys"], {}, "names person_senioritys; this search can be split by"),
        ("people_api_search", ["person_locations"], {}, "at least two values of person_locations"),
        ("people_api_search", ["person_seniorities"], {"person_seniorities": ["vp"]}, "at least two values"),
        ("people_api_search", ["person_seniorities"] * 2, {}, "different fields"),
        ("people_api_search", ["person_seniorities"], {"page": 3}, "begins at the first page"),
        ("people_api_search", ["person_titles"], {"person_titles": [str(n) for n in range(1001)]}, "1,001 parts"),
    ],
)
def test_a_split_that_cant_work_is_refused_with_what_can(apollo, inputs, action, names, values, word):
    """Before anything is sent, the error says what to use instead."""
    with pytest.raises(InputError) as caught:
        chosen_fields(apollo, inputs, apollo.actions[action], names, values)
    assert word in str(caught.value)


def test_given_values_win_over_the_vocabulary(apollo, inputs):
    """A split by a filter that the input has keeps to its values."""
    action = apollo.actions["people_api_search"]
    given = {"person_seniorities": ["vp", "head", "vp"]}
    (found,) = chosen_fields(apollo, inputs, action, ["person_seniorities"], given)
    assert found == Field("person_seniorities", ("vp", "head"), fixed=False)
    assert heads([found, SIZE]) == 1 + 2 + 4


# The runner, with a made-up service


@pytest.fixture
def job(host, key, manifest):
    run = host.runs.create("action", "test").id

    def make(values=None, fields=(COLOUR, SIZE), **more):
        return Job(run, key.id, manifest.actions["find"], values or {}, every_page=True, split_by=fields, **more)

    return make


WORLD = [
    {"id": n, "colour": ("red", "blue", "blue", "green", None)[n % 5], "size": "s" if n % 10 < 5 else "l"}
    for n in range(300)
]


def people(service, world=WORLD):
    """A search with filters; a page past the ceiling is an error of the test."""

    def answering(request):
        query = dict(request.query)
        filters = {name.removesuffix("[]"): value for name, value in query.items() if name.endswith("[]")}
        found = [one for one in world if all(one[name] == value for name, value in filters.items())]
        number = int(query["page"])
        assert number <= 10
        return page(*found[(number - 1) * 10 : number * 10], total=len(found))

    service.always("/find", answering)


def records(host, job):
    return [record for found in host.runner.pages(job) for record in found.records]


def test_every_record_of_a_split_search_comes_once_and_the_rest_is_counted(host, service, job, notices):
    """All parts as one stream that tells the total of the whole, each record once; what the cut can't reach is told before, the shortfall after."""
    people(service)
    pages = host.runner.pages(job())
    first = next(pages)
    before = list(notices)
    later = list(pages)
    found = [record for page in (first, *later) for record in page.records]
    assert {page.total for page in later} == {300}
    coloured = {one["id"] for one in WORLD if one["colour"]}
    assert len(found) == len({one["id"] for one in found})
    assert coloured <= {one["id"] for one in found}
    assert any("hold 240 of 300 records: 60 or more" in note for note in before)
    missing = 300 - len(found)
    assert notices[len(before) :] == [shortfall(300, len(found), None)]
    assert f"{missing} are missing" in notices[-1]


def test_no_first_page_is_asked_twice(host, service, job):
    """The page that told a part's total is the one that is given."""
    people(service)
    records(host, job())
    asked = [tuple(sorted(request.query)) for request in service.requests]
    assert len(asked) == len(set(asked))


def test_records_come_in_the_order_of_the_parts(host, service, job):
    """After the first page of the whole: red before blue, blue's small ones before its large ones, then green."""
    people(service)
    rest = records(host, job())[10:]
    order = {"red": 0, "blue": 1, "green": 2}
    cut_page = [one["id"] for one in WORLD if one["colour"] == "blue"][:10]
    ranks = [(order[one["colour"]], one["size"]) for one in rest if one["id"] not in cut_page]
    assert [rank for rank, _ in ranks] == sorted(rank for rank, _ in ranks)
    blue = [size for rank, size in ranks if rank == 1]
    assert blue == sorted(blue, reverse=True)


@pytest.mark.parametrize(("count", "limit"), [(100, None), (300, 100)], ids=["a search in reach", "a limit in reach"])
def test_what_one_query_gives_is_not_cut(host, service, job, notices, count, limit):
    """A search, or a limit, within what one query gives asks for nothing more."""
    people(service, WORLD[:count])
    assert len(records(host, job(limit=limit))) == 100
    assert len(service.requests) == 10
    assert limit or notices == []


def test_a_split_page_is_read_ahead_and_no_further(host, service, job):
    """The reader's pace decides how much is asked for, across parts."""
    people(service)
    pages = host.runner.pages(job(concurrency=2))
    next(pages)
    pages.close()
    assert len(service.requests) <= 1 + 3 + 2 + 3


def test_without_a_split_the_notice_names_the_fields(host, service, key, notices, tmp_path, monkeypatch):
    """The ceiling is told before the first record, with what the search can be split by."""
    people(service)
    monkeypatch.setattr("apollo_component.host.runner.vocabularies", lambda *_: {"colour": ("red",), "name": ()})
    run = host.runs.create("action", "test").id
    action = host.registry.manifest("demo").actions["find"]
    next(host.runner.pages(Job(run, key.id, action, {}, every_page=True)))
    assert "--split-by, in a workflow split_by) by colour, or name (with at least two values" in notices[0]


FILE = """
name: x
connections: {a: {connector: apollo}}
steps:
"""


@pytest.mark.parametrize(
    ("step", "word"),
    [
        ("{id: s, action: people_api_search, split_by: [person_seniorities]}", "goes with all: true"),
        ("{id: s, action: people_api_search, all: true, split_by: [colour]}", "names colour"),
        ("{id: s, action: people_api_search, all: true, split_by: [person_locations]}", "at least two values"),
        ("{id: s, action: users_search, all: true, split_by: [x]}", "users_search can't be split; these can:"),
        ("{id: s, action: people_api_search, all: true, split_by: []}", "needs at least 1 item"),
    ],
)
def test_a_workflow_check_finds_a_split_that_cant_work(apollo, tmp_path, step, word):
    """Every mistake with its line, before a run."""
    file = tmp_path / "w.yaml"
    file.write_text(FILE + f"  - {step}\n")
    (found,) = problems_of(file, {"apollo": apollo})
    assert word in str(found)
    assert found.line == 5


def test_a_workflow_check_lets_expressions_be(apollo, tmp_path):
    """Values that are known only when the step starts are counted then."""
    file = tmp_path / "w.yaml"
    file.write_text(
        "name: x\ninputs: {places: {default: []}}\nconnections: {a: {connector: apollo}}\nsteps:\n"
        "  - {id: s, action: people_api_search, all: true, split_by: [person_locations],\n"
        "     with: {person_locations: {$from: inputs.places}}}\n"
    )
    assert problems_of(file, {"apollo": apollo}) == []


def test_a_forecast_tells_what_a_split_and_its_pages_cost(apollo, tmp_path):
    """Where pages cost: the price of each, and how many first pages a split may ask for."""
    text = FILE.replace("steps:\n", "inputs: {places: {default: []}}\nsteps:\n")
    text += "  - {id: a, action: mixed_companies_search, all: true, split_by: [organization_num_employees_ranges]}\n"
    text += (
        "  - {id: b, action: mixed_companies_search, all: true, split_by: [organization_locations],\n"
        "     with: {organization_locations: {$from: inputs.places}}}\n"
    )
    rows = forecast(parse_workflow(text, {"apollo": apollo}), {"apollo": apollo})
    assert [row["worst_credits"] for row in rows] == [1, 1]
    assert rows[0]["note"].startswith("for each page")
    assert "up to 12 first pages" in rows[0]["note"]
    assert "each part's first page is asked for first" in rows[1]["note"]
