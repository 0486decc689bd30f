"""The runner: every page in order, long lists cut and rejoined, never more asked for than wanted."""

import threading
import time
from dataclasses import replace

import pytest

from apollo_component.contract.errors import ConnectorError, RejectedError
from apollo_component.contract.models import Page
from apollo_component.host.plans import chunks, further_pages, unique
from apollo_component.host.runner import Job

from .conftest import answer, page


@pytest.fixture
def job(host, key, manifest):
    run = host.runs.create("action", "test").id

    def make(name, values=None, **more):
        return Job(run, key.id, manifest.actions[name], values or {}, **more)

    return make


def people(service, count, size=10, slow=lambda _number: 0):
    """A paged list of `count` records; answers of some pages may be slow."""

    def answering(request):
        number = number_of(request)
        time.sleep(slow(number))
        start = (number - 1) * size
        return page(*({"id": n} for n in range(start, min(start + size, count))), total=count)

    service.always("/find", answering)


def records(host, job, told=None):
    return [record for found in host.runner.pages(job, told) for record in found.records]


def number_of(request):
    return int(dict(request.query)["page"])


def numbers(found):
    return [record["id"] for record in found]


def test_one_page_is_one_request(host, service, job):
    """Without all pages only the first is asked for."""
    people(service, 35)
    assert numbers(records(host, job("find"))) == list(range(10))
    assert len(service.requests) == 1


def test_every_page_comes_in_order_though_answers_dont(host, service, job):
    """Pages are read ahead side by side and told in order, each record once."""
    people(service, 100, slow=lambda number: 0.05 if number % 2 == 0 else 0)
    assert numbers(records(host, job("find", every_page=True))) == list(range(100))
    assert sorted(number_of(request) for request in service.requests) == list(range(1, 11))


def test_pages_are_read_ahead_side_by_side_but_not_without_end(host, service, job):
    """Several requests are under way at once, never more than asked for, and none far ahead of the reader."""
    flying, most, lock = [0], [0], threading.Lock()

    def answering(request):
        with lock:
            flying[0] += 1
            most[0] = max(most[0], flying[0])
        time.sleep(0.02)
        with lock:
            flying[0] -= 1
        return page({"id": number_of(request)}, total=100)

    service.always("/find", answering)
    pages = host.runner.pages(job("find", {"per_page": 1}, every_page=True, concurrency=4))
    for _ in range(3):
        next(pages)
    time.sleep(0.2)
    assert len(service.requests) <= 3 + 4 + 1
    assert 2 <= most[0] <= 4
    pages.close()


def test_records_that_shifted_between_pages_come_once(host, service, job):
    """Pages are not a snapshot: what an earlier page brought is dropped."""
    service.on("/find", page({"id": 1}, {"id": 2}, total=4), page({"id": 2}, {"id": 3}, total=4))
    assert numbers(records(host, job("find", {"per_page": 2}, every_page=True))) == [1, 2, 3]


def test_records_without_an_id_all_come(host, service, job):
    """What can't be told apart isn't dropped."""
    service.on("/find", page({"a": 1}, {"a": 1}, None, total=3))
    assert len(records(host, job("find", every_page=True))) == 3


@pytest.mark.parametrize(("limit", "requests"), [(1, 1), (10, 1), (11, 2), (25, 3), (1000, 4)])
def test_a_limit_stops_the_asking(host, service, job, limit, requests):
    """No page is asked for that the limit doesn't need."""
    people(service, 35)
    assert numbers(records(host, job("find", every_page=True, limit=limit))) == list(range(min(limit, 35)))
    assert len(service.requests) == requests


def test_the_ceiling_is_told_before_the_first_record(host, service, job, notices):
    """More matches than one query gives: the person hears it before anything is emitted, and gets what there is."""
    people(service, 250)
    pages = host.runner.pages(job("find", every_page=True))
    next(pages)
    (notice,) = notices
    assert "250" in notice
    assert "150" in notice
    assert sum(1 for _ in pages) == 9
    assert len(service.requests) == 10


def test_a_plugin_that_tells_no_ceiling_doesnt_stop_the_notice(host, service, job, notices, monkeypatch):
    """The ceiling is the manifest's, whether or not a page repeats it."""
    real = host.registry.call
    monkeypatch.setattr(host.registry, "call", lambda *a, **k: replace(real(*a, **k), ceiling=None))
    people(service, 250)
    next(host.runner.pages(job("find", every_page=True)))
    assert "100" in notices[0]


def test_nothing_is_said_when_everything_is_in_reach(host, service, job, notices):
    """At the ceiling exactly there is nothing to say."""
    people(service, 100)
    assert len(records(host, job("find", every_page=True))) == 100
    assert notices == []


def test_pages_that_tell_no_total_follow_each_other(host, service, job):
    """Where only the next page is known they are read one after the other until a short one."""

    def answering(request):
        number = number_of(request)
        return page(*({"id": f"{number}-{n}"} for n in range(10 if number < 4 else 3)))

    service.always("/stream", answering)
    found = records(host, job("stream", every_page=True))
    assert len(found) == 33
    assert [number_of(request) for request in service.requests] == [1, 2, 3, 4]


def test_a_limit_stops_pages_that_follow_each_other(host, service, job):
    """Nothing is asked for after the limit is reached."""
    service.always("/stream", lambda request: page(*({"id": f"{dict(request.query)['page']}-{n}"} for n in range(10))))
    assert len(records(host, job("stream", every_page=True, limit=15))) == 15
    assert len(service.requests) == 2


def test_a_list_that_begins_later_goes_on_from_there(host, service, job):
    """`page: 3` with all pages reads from the third to the last."""
    people(service, 55)
    assert numbers(records(host, job("find", {"page": 3}, every_page=True))) == list(range(20, 55))


def paying(service):
    def answering(request):
        items = request.json["items"]
        time.sleep(0.03 if items[0] == 0 else 0)
        return answer({"records": [None if item % 3 == 0 else {"n": item} for item in items], "spent": 1})

    service.always("/pay", answering)


def test_a_long_list_is_cut_and_rejoined_in_order(host, service, job):
    """As many items a request as it takes, and for each item one record or null, at its place."""
    paying(service)
    found = records(host, job("pay", {"items": list(range(7))}))
    assert found == [None, {"n": 1}, {"n": 2}, None, {"n": 4}, {"n": 5}, None]
    assert sorted(request.json["items"] for request in service.requests) == [[0, 1], [2, 3], [4, 5], [6]]


def test_a_cut_list_run_again_sends_only_what_is_missing(host, service, job):
    """After a failure in the middle, the same run repeats nothing that was answered."""
    paying(service)
    wanted = job("pay", {"items": list(range(6))}, concurrency=1)
    service.on("/pay", answer({"records": [None, {"n": 1}], "spent": 1}), answer({"error": "no"}, 422))
    with pytest.raises(RejectedError):
        records(host, wanted)
    before = len(service.requests)
    assert records(host, wanted)[1] == {"n": 1}
    assert [0, 1] not in [request.json["items"] for request in service.requests[before:]]


def test_an_error_comes_where_its_page_would(host, service, job):
    """Pages before the one that failed are told first."""

    def answering(request):
        number = number_of(request)
        return answer({"error": "no"}, 422) if number == 3 else page({"id": number}, total=10)

    service.always("/find", answering)
    pages = host.runner.pages(job("find", {"per_page": 1}, every_page=True))
    assert [next(pages).records[0]["id"] for _ in range(2)] == [1, 2]
    with pytest.raises(RejectedError):
        next(pages)


def test_the_plan_of_a_list_is_pure(manifest):
    """Cutting keeps the order and everything else; a short list stays whole; unknown pages are unknown."""
    pay, find, put = (manifest.actions[name] for name in ("pay", "find", "put"))
    assert chunks(pay, {"items": [1, 2, 3], "a": 1}) == [{"items": [1, 2], "a": 1}, {"items": [3], "a": 1}]
    assert chunks(pay, {"items": []}) == [{"items": []}]
    assert chunks(put, {"items": [1, 2, 3]}) == [{"items": [1, 2, 3]}]
    assert further_pages(find, {}, Page(next_cursor="2"), None) is None
    assert further_pages(find, {}, Page(next_cursor=None, total=500), None) == []
    assert further_pages(find, {}, Page(next_cursor="2", total=35), None) == ["2", "3", "4"]
    assert list(unique([{"id": 1}, {"id": 1}, {"id": 2}], "id")) == [{"id": 1}, {"id": 2}]


def paid(service, refused=(), slow=0.0):
    """Enrichments of two items a request; the requests that hold an item of `refused` are refused."""

    def answering(request):
        items = request.json["items"]
        time.sleep(slow if 0 in items else 0)
        if set(items) & set(refused):
            return answer({"error": "no"}, 422)
        return answer({"records": [{"id": item} for item in items], "spent": len(items)})

    service.always("/pay", answering)


def taken(host, job):
    """The records handed out before the error, and the error."""
    parts = []
    with pytest.raises(ConnectorError) as caught:
        parts.extend(part for part in host.runner.pages(job))
    return [record["id"] for part in parts for record in part.records], caught.value


def test_a_budget_that_is_too_small_is_spent_from_the_front(host, service, key, manifest):
    """Requests go out one after the other, so that the answers paid for are the first ones, and all handed out."""
    paid(service)
    run = host.runs.create("action", "test", budget=5).id
    found, error = taken(host, Job(run, key.id, manifest.actions["pay"], {"items": list(range(20))}))
    assert (found, error.code) == ([0, 1, 2, 3], "budget_exhausted")
    assert "this request was not sent" in error.hint
    assert len(service.sent("/pay")) == 2


def test_what_was_paid_is_handed_out_though_another_request_failed(host, service, job):
    """Answers that were on their way when a request was refused keep their place; nothing more is sent."""
    paid(service, refused=(0,), slow=0.2)
    found, error = taken(host, job("pay", {"items": list(range(40))}))
    assert error.code == "rejected"
    assert found == sorted(found)
    assert len(found) == 2 * (len(service.sent("/pay")) - 1) > 0
    assert len(service.sent("/pay")) < 20


def strange(service, *pages):
    """Answers page by page; behind the last there is nothing, and a single one is given for ever."""

    def answering(request):
        number = 1 if len(pages) == 1 else number_of(request)
        rows, more = pages[number - 1] if number <= len(pages) else ((), pages[-1][1])
        return answer({"records": [{"id": n} for n in rows], **more})

    service.always("/find", answering)


TEN, NEXT, LAST = range(10), range(10, 20), range(20, 25)


@pytest.mark.parametrize(
    ("pages", "given", "words"),
    [
        # as it should be
        ([(TEN, {"total": 25}), (NEXT, {"total": 25}), (LAST, {"total": 25})], 25, []),
        # a total that says less than what comes: full pages are followed
        ([(TEN, {"total": 0}), (NEXT, {"total": 0}), (LAST, {"total": 0})], 25,
         ["0 records matched, 25 were given: 25 more than matched"]),
        ([(TEN, {"total": 9}), (NEXT, {"total": 22}), (LAST, {"total": 22})], 25, ["moved between 9 and 22", "25 were"]),
        # a page in the middle that is empty, or short
        ([(TEN, {"total": 25}), ((), {"total": 25}), (LAST, {"total": 25})], 15,
         ["1 page in the middle was empty", "25 records matched, 15 were given: 10 are missing"]),
        ([(TEN, {"total": 25}), (range(10, 13), {"total": 25}), (LAST, {"total": 25})], 18, ["7 are missing"]),
        # a page that comes twice
        ([(TEN, {"total": 25}), (TEN, {"total": 25}), (LAST, {"total": 25})], 15, ["1 page brought the same", "10 are"]),
        # a total that shrinks while it is read
        ([(TEN, {"total": 25}), (NEXT, {"total": 25}), (LAST, {"total": 24})], 25, ["moved between 24 and 25", "1 more"]),
        # no total at all: the list ends with an empty page
        ([(TEN, {}), (range(10, 13), {}), ((), {})], 13, []),
    ],
)  # fmt: skip
def test_what_matched_is_told_against_what_was_given(host, service, job, notices, pages, given, words):
    """A list is read as far as anything speaks for more; wherever the count differs, a sentence says by how much."""
    strange(service, *pages)
    told = []
    assert len(records(host, job("find", every_page=True), told.append)) == given
    assert len(told) == len(words)
    assert all(word in text for word, text in zip(words, told, strict=True))


def test_pages_that_go_on_alike_end_the_reading(host, service, job):
    """A service that gives one page for ever isn't asked for all the pages that its total promises."""
    strange(service, (TEN, {"total": 100}))
    told = []
    records(host, job("find", every_page=True, concurrency=1), told.append)
    assert len(service.requests) == 3
    assert told[-1] == "100 records matched, 10 were given: 90 are missing"


@pytest.mark.parametrize("limit", [1, 10, 15])
def test_a_limit_is_no_shortfall(host, service, job, limit):
    """Whoever wanted no more isn't told that more is missing."""
    people(service, 35)
    told = []
    assert len(records(host, job("find", every_page=True, limit=limit), told.append)) == limit
    assert told == []


def test_a_limit_that_isnt_reached_is_told_as_a_shortfall(host, service, job):
    """Fewer than wanted, though more match, is missing all the same."""
    strange(service, (TEN, {"total": 25}), ((), {"total": 25}), (LAST, {"total": 25}))
    told = []
    records(host, job("find", every_page=True, limit=20), told.append)
    assert told[-1] == "25 records matched, 15 were given: 10 are missing"


def test_a_reader_that_goes_away_is_told_nothing(host, service, job):
    """What nobody waits for isn't missing."""
    people(service, 35)
    told = []
    pages = host.runner.pages(job("find", every_page=True), told.append)
    next(pages)
    pages.close()
    assert told == []
