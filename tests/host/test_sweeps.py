"""Each version of a record starts exactly one run, whatever happens between two looks."""

from datetime import UTC, datetime

import pytest

from apollo_component.contract.errors import InputError, NotFoundError, QuotaError, TransientError
from apollo_component.contract.manifest import Manifest

from .conftest import DATA, START, answer, page
from .following import Followed

BASE = {"title": "T", "group": "all", "description": "d", "action": "find", "interval": 60}
BASE |= {"input": "schemas/any.schema.json"}
TRIGGERS = [
    {**BASE, "id": "timed", "style": "newest", "time": "at", "version": ["at"]},
    {**BASE, "id": "made", "style": "newest", "time": "at"},
    {**BASE, "id": "compared", "style": "newest", "version": ["name"]},
    {**BASE, "id": "scanned", "style": "scan", "version": ["name"]},
    {**BASE, "id": "moved", "style": "scan", "version": ["name"], "changes": True},
    {**BASE, "id": "joined", "style": "scan", "leaves": True},
]


class Source:
    """What the service holds, answered ten a page, the last changed first."""

    def __init__(self, service):
        self.rows = {}
        self.tick = 0
        self.before_page = {}
        self.asked = 0
        service.always("/find", self.page)

    def put(self, identity, name="x", *, quiet=False):
        """Make or change a record; quiet changes move it without anything to see."""
        self.tick += 1
        row = self.rows.pop(identity, None) if quiet else None
        self.rows.pop(identity, None)
        self.rows[identity] = row or {"id": identity, "name": name, "at": self.stamp()}

    def fill(self, count, name="x"):
        """Make or change r00, r01 and so on."""
        for number in range(count):
            self.put(f"r{number:02}", name)

    def stamp(self):
        return datetime.fromtimestamp(1_700_000_000 + self.tick * 400, UTC).isoformat()

    def page(self, request):
        query = dict(request.query)
        number, size = int(query["page"]), int(query["per_page"])
        self.asked += 1
        self.before_page.pop(number, lambda: None)()
        rows = list(reversed(self.rows.values()))
        return answer({"records": rows[(number - 1) * size : number * size], "total": len(rows)})


@pytest.fixture(scope="module")
def manifest(root):
    return Manifest.from_data({**DATA, "triggers": TRIGGERS}, root)


@pytest.fixture
def source(service):
    return Source(service)


class Enabled(Followed):
    def __init__(self, host, trigger, since=None, more=""):
        head = f"name: follow\nconnections: {{it: {{connector: demo, use: mine}}}}\ntrigger: {{on: {trigger}{more}}}\n"
        super().__init__(host, head + "steps:\n  - {id: a, action: whoami}\n", since)

    def started(self):
        """(record, version or name) of every run so far, in the order of their queueing."""
        found = [run.inputs["trigger"] for run in self.runs()]
        return sorted((trigger["id"], trigger["record"]["name"]) for trigger in found)


@pytest.fixture
def enabled(host, key, source):
    return lambda *arguments, **more: Enabled(host, *arguments, **more)


@pytest.fixture
def begun(enabled):
    """A workflow that is enabled and has looked once."""

    def begin(*arguments, **more):
        follow = enabled(*arguments, **more)
        follow.look()
        return follow

    return begin


@pytest.mark.parametrize("trigger", ["timed", "made", "compared", "scanned", "joined"])
def test_what_was_there_before_starts_nothing(enabled, source, trigger):
    """From now on means: records that exist when a workflow is enabled start no run, those that come later do."""
    for number in range(25):
        source.put(f"old{number}")
    follow = enabled(trigger)
    assert follow.look().began
    source.put("new")
    follow.look()
    follow.look()
    assert follow.started() == [("new", "x")]


@pytest.mark.parametrize("trigger", ["timed", "compared", "scanned"])
def test_each_last_version_starts_one_run(begun, source, trigger):
    """Changes between two looks are one event, with the record as it is then; looking again starts nothing more."""
    source.fill(25)
    follow = begun(trigger)
    for number in range(0, 25, 2):
        source.put(f"r{number:02}", "between")
        source.put(f"r{number:02}", "last")
    follow.look()
    follow.look()
    assert follow.started() == [(f"r{number:02}", "last") for number in range(0, 25, 2)]
    source.put("r00", "x")
    follow.look()
    assert ("r00", "x") in follow.started()


def test_a_beginning_in_the_past_starts_runs_for_what_came_after(begun, source):
    """With a date, records whose own time is later start runs at once, older ones never."""
    source.fill(30)
    since = datetime.fromisoformat(source.rows["r10"]["at"]).timestamp()
    follow = begun("made", since=since)
    assert [identity for identity, _ in follow.started()] == [f"r{number:02}" for number in range(10, 30)]


def test_a_first_sight_is_no_change(begun, source):
    """A trigger for changes says nothing of new records, only of what changes in them afterwards."""
    source.put("a", "one")
    follow = begun("moved")
    source.put("b", "one")
    follow.look()
    assert follow.started() == []
    source.put("b", "two")
    follow.look()
    assert follow.started() == [("b", "two")]


def test_who_leaves_and_returns_is_an_event_again(begun, source):
    """A record that a whole scan misses has left; its return starts another run."""
    source.put("a")
    follow = begun("joined")
    for _ in range(2):
        del source.rows["a"]
        follow.look()
        source.put("a")
        follow.look()
    assert follow.started() == [("a", "x"), ("a", "x")]


def test_a_sweep_cut_short_loses_nothing(begun, source, service):
    """When a page fails, what was read has its runs, the rest gets them at the next look, none twice."""
    source.fill(40)
    follow = begun("compared")
    source.fill(35, "new")

    def broken(_request):
        raise TransientError("gone")

    service.on("/find", source.page, source.page, broken)
    with pytest.raises(TransientError):
        follow.look()
    assert len(follow.started()) == 20
    source.put("r39", "new")
    follow.look()
    assert follow.started() == sorted([(f"r{number:02}", "new") for number in range(35)] + [("r39", "new")])


@pytest.mark.parametrize("trigger", ["timed", "compared"])
def test_records_that_vanish_meanwhile_hide_no_other(begun, source, trigger):
    """When a record is deleted between two pages, another moves up past the reader: the sweep is repeated."""
    source.fill(30)
    follow = begun(trigger)
    source.fill(25, "new")
    source.before_page[3] = lambda: source.rows.pop("r10")
    follow.look()
    assert ("r04", "new") not in follow.started()
    follow.look()
    assert [identity for identity, _ in follow.started()] == [f"r{number:02}" for number in range(25)]


def test_reading_stops_at_a_page_that_is_as_it_was(begun, source):
    """Newest first without a time: one request when nothing changed, and a few when little did."""
    source.fill(95)
    follow = begun("compared")
    assert source.asked == 10
    follow.look()
    assert source.asked == 11
    source.put("r03", "new")
    follow.look()
    assert source.asked == 13


def test_once_a_day_everything_is_compared(begun, source, clock):
    """A change hidden below records that moved without showing why is found within a day."""
    source.fill(40)
    follow = begun("compared")
    source.put("r00", "hidden")
    for number in range(1, 25):
        source.put(f"r{number:02}", quiet=True)
    follow.look()
    clock.now += 90_000
    follow.look()
    assert follow.started() == [("r00", "hidden")]


def test_an_older_version_shown_late_starts_nothing(begun, source):
    """A search that lags may show a record as it was before: that is no new version, nor is the newer one again."""
    source.put("a", "one")
    follow = begun("timed")
    source.put("a", "two")
    follow.look()
    newer = source.rows["a"]
    before = datetime.fromisoformat(newer["at"]).timestamp() - 100
    source.rows["a"] = {**newer, "at": datetime.fromtimestamp(before, UTC).isoformat(), "name": "old"}
    follow.look()
    source.rows["a"] = newer
    follow.look()
    assert follow.started() == [("a", "two")]


def test_unwanted_events_start_nothing(begun, source):
    """`when` keeps events out, and they are not looked at again."""
    follow = begun("scanned", more=", when: \"record.name == 'yes'\"")
    source.put("a", "no")
    source.put("b", "yes")
    follow.look()
    assert follow.started() == [("b", "yes")]


def test_a_clock_set_back_or_forward_changes_no_event(begun, source, clock):
    """Watermarks go by the service's times alone."""
    follow = begun("timed")
    for jump in (-86_400 * 40, 86_400 * 80, -3_600):
        clock.now += jump
        source.put(f"at{jump}")
        follow.look()
    assert len(follow.started()) == 3


def test_a_clock_set_far_back_keeps_nothing_waiting(begun, source, clock):
    """A look that was planned for a time now far in the future is due at once."""
    follow = begun("timed")
    clock.now -= 86_400
    assert [item.id for item in follow.subscriptions.due()] == [follow.id]


def test_failures_wait_longer_and_longer(enabled, service, clock):
    """A failing look is noted with its reason and tried again after pauses that grow; a quota waits for its reset."""
    follow = enabled("timed")
    service.always("/find", TransientError("down"))
    pauses = []
    for _ in range(3):
        with pytest.raises(TransientError):
            follow.look()
        found = follow.row
        pauses.append(found.next_at - clock.now)
        clock.now = found.next_at
    assert pauses == [60, 120, 240]
    assert found.error["message"] == "down"
    reset = clock.moment(5_000)
    service.always("/find", QuotaError("used up", window="hour", resets_at=reset))
    with pytest.raises(QuotaError):
        follow.look()
    assert follow.row.next_at == reset.timestamp()


def test_enabling_again_goes_on_where_it_stood(enabled, begun, source):
    """The same trigger keeps its place, also after a pause; another filter or connection begins anew."""
    follow = begun("made")
    follow.subscriptions.disable("follow")
    source.put("while away")
    again = begun("made")
    assert again.started() == [("while away", "x")]
    assert enabled("timed").look().began


@pytest.mark.parametrize("more", ["", ", with: {q: other}"])
def test_beginning_again_in_the_past_starts_no_second_run(enabled, source, more):
    """With a date, or with other filters, a workflow begins anew; what has had its run gets no second one."""
    follow = enabled("made", since=0.0)
    for number in range(3):
        source.put(f"r{number}")
    follow.look()
    again = enabled("made", since=0.0, more=more)
    source.put("new")
    again.look()
    again.look()
    assert [identity for identity, _ in again.started()] == ["new", "r0", "r1", "r2"]


def test_another_trigger_begins_with_a_clean_slate(enabled, begun, source):
    """What one trigger has seen tells another nothing: from now on, each record is an event for it."""
    source.put("a", "one")
    begun("made")
    other = enabled("scanned")
    assert other.look().began
    source.put("a", "two")
    other.look()
    assert other.started() == [("a", "two")]


@pytest.mark.parametrize(
    ("trigger", "since", "words"),
    [("made", START + 60, "future"), ("compared", 1.0, "begin in the past")],
    ids=["in the future", "records without a time"],
)
def test_a_beginning_that_can_t_be_is_refused(enabled, trigger, since, words):
    """In the future nothing would start, and a beginning in the past needs records that tell when it happened."""
    with pytest.raises(InputError, match=words):
        enabled(trigger, since=since)


def test_an_expression_that_fails_names_the_record_and_loses_nothing(begun, source):
    """The trigger stops with the record's id; once the expression is mended the event has its run."""
    follow = begun("made", more=", when: \"contains(record.name, 'x')\"")
    source.put("good", "xx")
    source.put("bad", None)
    with pytest.raises(InputError, match="the record bad"):
        follow.look()
    mended = begun("made", more=", when: \"record.name && contains(record.name, 'x')\"")
    assert mended.started() == [("good", "xx")]


def test_a_removed_connection_is_named_with_what_to_do(enabled, host, key):
    """Looking fails with the name that the file gives it, and a schedule starts no run that can't work."""
    follow = enabled("made")
    host.connections.remove(key)
    with pytest.raises(NotFoundError, match="connection it of this workflow was removed"):
        follow.look()


def test_two_workers_don_t_look_at_once(enabled, source, host):
    """While one process looks, another leaves the trigger alone."""
    follow = enabled("timed")
    assert host.leases.acquire(f"subscription:{follow.id}", 60)
    assert follow.look() is None


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        ({"error": "Something went wrong", "error_code": "INTERNAL"}, "Something went wrong"),
        ({"total": 25}, "isn't a list"),
        ({"records": None}, "isn't a list"),
        ([], "isn't a list"),
        ({"records": [], "total": 25}, "a page in the middle of the list is empty"),
    ],
)
def test_a_look_that_can_t_be_trusted_is_a_failed_one(begun, source, service, odd, words):
    """No list is not an empty list: the look fails with the service's words, and what came meanwhile isn't lost."""
    follow = begun("timed")
    source.put("new")
    service.on("/find", answer(odd))
    with pytest.raises(TransientError, match=words):
        follow.look()
    failed = follow.row
    assert (failed.failures, words in failed.error["message"]) == (1, True)
    follow.look()
    assert follow.started() == [("new", "x")]


@pytest.mark.parametrize("trigger", ["timed", "scanned"])
def test_a_page_that_comes_twice_is_a_failed_look(begun, source, service, trigger):
    """What the repeated page stands in for would never be seen; the next look sees it."""
    follow = begun(trigger)
    for number in range(25):
        source.put(f"new{number}")
    rows = list(reversed(source.rows.values()))
    same = answer({"records": rows[:10], "total": 25})
    service.on("/find", same, same)
    with pytest.raises(TransientError, match="the same page again"):
        follow.look()
    follow.look()
    assert len(follow.started()) == 25


def test_a_look_tells_what_became_of_every_record(enabled, source):
    """Seen is known, filtered and started together, as `workflow status` shows it."""
    for name in ("a", "b", "c"):
        source.put(name)
    follow = enabled("scanned", more=", when: \"record.name == 'x'\"")
    assert follow.look().known == 3
    source.put("d")
    source.put("e", "unwanted")
    told = follow.look()
    assert (told.seen, told.known, told.filtered, told.started) == (5, 3, 1, 1)
    kept = follow.row.as_dict()["looked"]
    assert {name: kept[name] for name in ("seen", "known", "filtered", "started")} == {
        "seen": 5, "known": 3, "filtered": 1, "started": 1,
    }  # fmt: skip


def test_records_that_match_and_don_t_come_are_told(enabled, source, service):
    """A whole list that is shorter than its total says so in the next status."""
    source.put("a")
    follow = enabled("scanned")
    service.on("/find", page({"id": "a", "name": "x"}, total=3), page(total=3))
    follow.look()
    assert follow.row.looked["warnings"] == ["3 records matched, 1 were given: 2 are missing"]
