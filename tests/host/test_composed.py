"""Find-or-create and upsert from several requests: no blind duplicate, whatever is slow, lost or at the same time."""

import copy
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from apollo_component.contract.errors import InputError, OutcomeUnknownError, RejectedError, TransientError
from apollo_component.contract.manifest import Manifest
from apollo_component.contract.schemas import Schemas
from apollo_component.host.composed import FIND_PAGES, most_requests, same
from apollo_component.host.journal import Key

from .conftest import DATA, Caller, action, answer, page

FIELDS = ("mail", "name", "firm", "phone", "amount", "day", "id")
BY = [
    {"input": {"q": "mail"}, "match": {"mail": "mail"}},
    {"input": {"q": ["name", "firm"]}, "match": {"name": "name", "firm": "firm"}},
]
LOOKUP = {"action": "find", "input": {"q": "mail"}, "match": {"mail": "mail"}, "created": "at"}
CREATE, UPDATE = {"action": "make"}, {"action": "change", "id": "id"}


def composed(name, **compose):
    both = dict.fromkeys(("input", "output"), "schemas/thing.schema.json")
    return {"id": name, "title": name, "group": "all", "description": name, "compose": compose} | both


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("composed")
    (folder / "schemas").mkdir()
    (folder / "schemas" / "any.schema.json").write_text('{"type": "object"}')
    thing = {"type": "object", "properties": {name: {} for name in FIELDS if name != "amount"}}
    (folder / "schemas" / "change.schema.json").write_text(json.dumps(thing))
    (folder / "schemas" / "thing.schema.json").write_text('{"type": "object"}')
    return folder


@pytest.fixture(scope="module")
def schemas(root):
    return Schemas(root)


@pytest.fixture(scope="module")
def manifest(root):
    data = copy.deepcopy(DATA)
    data["actions"] = [item for item in data["actions"] if item["id"] != "make"] + [
        action("make", "POST", "/make", effect={"kind": "create", "lookup": LOOKUP}),
        action("change", "PATCH", "/change", effect="upsert", input="schemas/change.schema.json"),
        action(
            "many",
            "POST",
            "/many",
            effect={"kind": "create", "upsert_when": {"flag": "dedupe", "with_any": ["things"]}},
            reply={"records": "records"},
        ),
        composed("ensure_thing", find="find", by=BY, create=CREATE),
        composed("ensure_streamed", find="stream", by=BY, create=CREATE),
        composed("upsert_thing", find="find", by=BY, create=CREATE, update=UPDATE),
        composed(
            "known_thing",
            by=[{"match": {"mail": "mail"}}],
            create={"action": "many", "list": "things", "with": {"dedupe": True}, "existed": "old"},
            update=UPDATE,
        ),
    ]
    return Manifest.from_data(data, root)


@pytest.fixture
def caller(host, key, manifest):
    return Caller(host, key, manifest)


class World:
    """A service that makes one record a create, and finds it only after a while."""

    def __init__(self, service, *records, lag=False):
        self.records, self.lag, self.service = list(records), lag, service
        self.visible = list(records)
        service.always("/find", lambda _request: page(*self.visible))
        service.always("/make", self.make)
        service.always("/change", self.change)

    def make(self, request):
        time.sleep(0.01)
        record = {"id": f"r{len(self.records)}", "at": "2027-01-15T08:00:00Z", **request.json}
        self.records.append(record)
        if not self.lag:
            self.visible.append(record)
        return answer(record)

    def change(self, request):
        record = next(one for one in self.records if one["id"] == request.json["id"])
        record |= request.json
        return answer(record)


def told(caller, name, values, item="0", **more):
    return caller.page(name, values, item, **more).value


def test_what_is_there_is_found_and_left_alone(service, caller):
    """Case and spaces don't make two records; nothing is written, and the outcome says so."""
    World(service, {"id": "a", "mail": "Dana@X.test"}, {"id": "b", "mail": "other@x.test"})
    found = told(caller, "ensure_thing", {"mail": " dana@x.test", "phone": "1"})
    assert (found["id"], found["outcome"]) == ("a", "found")
    assert service.sent("/make") == service.sent("/change") == []


def test_what_is_not_there_is_created_once(service, caller):
    """No match: one create with the whole input."""
    World(service, {"id": "b", "mail": "other@x.test"})
    found = told(caller, "ensure_thing", {"mail": "dana@x.test", "phone": "1"})
    assert (found["id"], found["outcome"]) == ("r1", "created")
    assert [request.json for request in service.sent("/make")] == [{"mail": "dana@x.test", "phone": "1"}]


def test_the_first_key_that_is_given_counts(service, caller):
    """Without an email name and firm together recognise the record; texts of several inputs are joined."""
    World(service, {"id": "a", "name": "Dana", "firm": "X"}, {"id": "b", "name": "Dana", "firm": "Y"})
    assert told(caller, "ensure_thing", {"name": "dana", "firm": "x"})["id"] == "a"
    assert dict(service.sent("/find")[0].query)["q"] == "dana x"


def test_several_matches_are_refused_with_their_ids(service, caller):
    """Nobody guesses which one was meant."""
    World(service, {"id": "a", "mail": "d@x.test"}, {"id": "b", "mail": "D@x.test"})
    with pytest.raises(RejectedError, match=r"2 records .*: a, b\."):
        told(caller, "upsert_thing", {"mail": "d@x.test", "phone": "1"})
    assert service.sent("/make") == service.sent("/change") == []


def test_one_record_on_two_pages_is_one_match(service, caller):
    """Pages shift while they are read."""
    one = {"id": "a", "mail": "d@x.test"}
    service.on("/find", page(*[one] * 10, total=20), page(one, total=20))
    assert told(caller, "ensure_thing", {"mail": "d@x.test"})["outcome"] == "found"


@pytest.mark.parametrize(
    ("name", "path", "total", "pages"),
    [("ensure_thing", "/find", 1_000, 10), ("ensure_streamed", "/stream", None, FIND_PAGES)],
)
def test_a_search_too_wide_to_be_sure_is_refused(service, caller, name, path, total, pages):
    """When more candidates are there than a search gives, or than are looked through, nothing is created."""
    service.always(path, lambda _request: page(*({"id": n, "mail": "x"} for n in range(10)), total=total))
    with pytest.raises(RejectedError, match="1000 candidates" if total else "too many candidates"):
        told(caller, name, {"mail": "d@x.test"})
    assert len(service.sent(path)) == pages
    assert service.sent("/make") == []


def test_a_record_on_a_late_page_is_found(service, caller):
    """A search that ignores what it is asked gives everything; the one with the natural key is picked out."""
    rows = [{"id": n, "mail": f"{n}@x.test"} for n in range(95)]

    def found(request):
        number = int(dict(request.query)["page"])
        return page(*rows[(number - 1) * 10 : number * 10], total=len(rows))

    service.always("/find", found)
    assert told(caller, "ensure_thing", {"mail": "94@x.test"})["id"] == 94
    assert service.sent("/make") == []


def test_without_a_natural_key_nothing_is_sent(service, caller):
    """An input that recognises nothing is refused, saying what it needs."""
    with pytest.raises(InputError, match="needs mail, or name with firm to find it by"):
        told(caller, "ensure_thing", {"name": "Dana", "mail": ""})
    assert service.requests == []


def test_an_upsert_sends_only_what_differs(service, caller):
    """Given fields that differ are updated; equal ones and fields not given aren't sent."""
    World(service, {"id": "a", "mail": "D@x.test", "name": "Dana", "phone": "1", "firm": "X"})
    found = told(caller, "upsert_thing", {"mail": "d@x.test", "name": "Dana", "phone": "2"})
    assert (found["outcome"], found["phone"], found["firm"]) == ("updated", "2", "X")
    assert [request.json for request in service.sent("/change")] == [{"id": "a", "phone": "2"}]


def test_an_upsert_without_a_difference_sends_nothing(service, caller):
    """Numbers as text, dates as midnight and emptied fields count as the same."""
    World(service, {"id": "a", "mail": "d@x.test", "day": "2026-12-15T00:00:00.000+00:00", "phone": None})
    found = told(caller, "upsert_thing", {"mail": "d@x.test", "day": "2026-12-15", "phone": ""})
    assert found["outcome"] == "unchanged"
    assert service.sent("/change") == []


def test_what_an_update_cant_change_is_told(service, caller):
    """A field that only the create has stays, with a warning."""
    World(service, {"id": "a", "mail": "d@x.test", "amount": 5})
    found = caller.page("upsert_thing", {"mail": "d@x.test", "amount": "7"})
    assert found.value["outcome"] == "unchanged"
    assert "amount can't be changed" in found.warnings[0]
    assert caller.page("upsert_thing", {"mail": "d@x.test", "amount": "5"}, "1").warnings == ()


@pytest.mark.parametrize(
    ("given", "kept", "equal"),
    [
        ("25000", 25000.0, True),
        ("25000", 25001, False),
        ("007", "7", False),
        ("Dana", "dana", False),
        ("", None, True),
        ("x", None, False),
        ({"a": "1"}, {"a": "1", "b": "2"}, True),
        ({"a": "1"}, {"b": "2"}, False),
        ({"a": "1"}, None, False),
        (["a"], ["a"], True),
        (True, "true", False),
        ("2026-12-15", "2026-12-15T00:00:00Z", True),
        ("2026-12-15", "2026-12-15T10:00:00Z", False),
        ("word", 5, False),
    ],
)
def test_when_a_value_is_the_same(given, kept, equal):
    """Only what surely is the same counts as the same: a wrong 'differs' costs a request, a wrong 'same' a change."""
    assert same(given, kept) is equal


def test_items_at_the_same_time_make_one_record(service, caller):
    """Several threads with the same natural key: one create, one record for all, whatever the search shows."""
    world = World(service, lag=True)
    with ThreadPoolExecutor(8) as pool:
        inputs = [({"mail": "D@x.test" if n % 2 else "d@x.test"}, str(n)) for n in range(8)]
        found = list(pool.map(lambda one: told(caller, "ensure_thing", *one), inputs))
    assert len(world.records) == 1
    assert {record["id"] for record in found} == {"r0"}
    assert sorted(record["outcome"] for record in found) == ["created"] + ["found"] * 7


def test_different_records_are_made_side_by_side(service, caller):
    """Waiting is for the same natural key only."""
    flying, most, lock = [0], [0], threading.Lock()
    World(service)

    def slow(request):
        with lock:
            flying[0] += 1
            most[0] = max(most[0], flying[0])
        time.sleep(0.05)
        with lock:
            flying[0] -= 1
        return answer({"id": request.json["mail"]})

    service.always("/make", slow)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: told(caller, "ensure_thing", {"mail": f"{n}@x.test"}, str(n)), range(4)))
    assert most[0] > 1


def test_a_later_step_knows_what_the_run_made(service, caller):
    """The search still doesn't show it, in another step of the run: no second record."""
    world = World(service, lag=True)
    told(caller, "ensure_thing", {"mail": "d@x.test"})
    call = caller.make("upsert_thing", {"mail": "d@x.test", "phone": "2"})
    other = caller.host.caller.page(replace(call, key=Key(caller.run, "later", "7")))
    assert other.value["outcome"] == "updated"
    assert (len(world.records), world.records[0]["phone"]) == (1, "2")


def test_the_same_item_again_uses_what_was_recorded(service, caller):
    """After a crash the recorded create is read again: nothing is sent, and it still counts as created."""
    World(service, lag=True)
    first = told(caller, "ensure_thing", {"mail": "d@x.test"})
    before = len(service.requests)
    assert told(caller, "ensure_thing", {"mail": "d@x.test"}) == first
    assert len(service.requests) == before


def test_the_same_upsert_again_repeats_no_update(service, caller):
    """A recorded update is read again, also when the search shows its result already."""
    World(service, {"id": "a", "mail": "d@x.test", "phone": "1"})
    first = told(caller, "upsert_thing", {"mail": "d@x.test", "phone": "2"})
    assert told(caller, "upsert_thing", {"mail": "d@x.test", "phone": "2"})["outcome"] == first["outcome"] == "updated"
    assert len(service.sent("/change")) == 1


def test_a_lost_create_is_looked_up_and_never_made_twice(service, caller, clock):
    """The answer broke off: the create's own look-up finds it; while it doesn't, no item of the run creates again."""
    world = World(service, lag=True)
    lost = TransientError("broke off")

    def breaking(request):
        world.make(request)
        raise lost

    service.on("/make", breaking)
    for item in ("0", "1", "0"):
        with pytest.raises(OutcomeUnknownError):
            told(caller, "ensure_thing", {"mail": "d@x.test"}, item)
    assert len(world.records) == 1
    world.records[0]["at"] = clock.moment().isoformat()
    world.visible = world.records
    assert told(caller, "ensure_thing", {"mail": "d@x.test"}, "1")["id"] == "r0"
    assert len(service.sent("/make")) == 1


def test_a_refused_create_may_be_tried_again(service, caller):
    """A refusal before any work made nothing, so it doesn't stand in the way."""
    World(service)
    service.on("/make", answer({"error": "no"}, 422))
    with pytest.raises(RejectedError):
        told(caller, "ensure_thing", {"mail": "d@x.test"})
    assert told(caller, "ensure_thing", {"mail": "d@x.test"})["outcome"] == "created"


def test_upserts_of_one_run_dont_trust_an_old_search(service, caller):
    """After one item changed the record, another one's values are sent though the search still shows them."""
    world = World(service, {"id": "a", "mail": "d@x.test", "phone": "1"})
    world.visible = [dict(world.records[0])]
    told(caller, "upsert_thing", {"mail": "d@x.test", "phone": "2"}, "0")
    told(caller, "upsert_thing", {"mail": "d@x.test", "phone": "1"}, "1")
    assert world.records[0]["phone"] == "1"


def test_a_create_that_looks_for_itself(service, caller):
    """Where the service compares before it creates, one request does both; what was there is updated."""
    service.on("/many", answer({"records": [{"id": "n", "mail": "d@x.test"}]}))
    assert told(caller, "known_thing", {"mail": "d@x.test", "phone": "1"})["outcome"] == "created"
    assert service.sent("/many")[0].json == {"things": [{"mail": "d@x.test", "phone": "1"}], "dedupe": True}
    service.on("/many", answer({"records": [{"id": "o", "mail": "E@x.test", "phone": "0", "old": True}]}))
    service.on("/change", answer({"id": "o", "phone": "1"}))
    assert told(caller, "known_thing", {"mail": "e@x.test", "phone": "1"}, "1")["outcome"] == "updated"
    assert service.sent("/change")[0].json == {"id": "o", "phone": "1"}
    assert service.sent("/find") == []


def test_a_create_that_gives_no_record_is_a_named_miss(service, caller):
    """An answer without the record isn't taken for one that was created."""
    service.on("/many", answer({"records": []}))
    page = caller.page("known_thing", {"mail": "d@x.test"}, "0")
    assert (list(page.records), page.value, page.asked, page.missed) == ([], None, 1, 1)
    assert [miss.item for miss in page.misses] == ["d@x.test"]


def test_a_record_the_service_mistakes_for_it_is_refused(service, caller):
    """What comes back with another natural key is neither used nor changed."""
    service.on("/many", answer({"records": [{"id": "o", "mail": "other@x.test", "old": True}]}))
    with pytest.raises(RejectedError, match="takes o for the same record"):
        told(caller, "known_thing", {"mail": "d@x.test", "phone": "1"})
    assert service.sent("/change") == []


def test_the_most_requests_are_told(manifest):
    """What a plan says an action makes at most."""
    counts = [most_requests(manifest.actions[name].compose) for name in ("ensure_thing", "upsert_thing", "known_thing")]
    assert counts == [FIND_PAGES + 1, FIND_PAGES + 1, 2]


def test_needs_are_those_of_the_parts(manifest):
    """What a credential needs follows from the parts, nothing is declared twice."""
    needs = manifest.requirements(["upsert_thing"])
    assert {"find", "make", "change"} <= set(needs["key_endpoints"])
    assert {"find_scope", "make_scope", "change_scope"} <= set(needs["oauth_scopes"])


def test_items_fit_into_the_journal(service, caller, host):
    """The longest item name of a part is no longer than its column."""
    World(service)
    told(caller, "ensure_thing", {"mail": "d@x.test"}, "99999.999")
    found = host.journal.of_run(caller.run, "")
    assert len(found.item) <= 40
