"""Results that come after the answer: fetched or delivered, waited for once, merged, paid for once."""

import asyncio
import json
import re
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from apollo_component.contract.errors import (
    GoneError,
    PendingError,
    PermissionDeniedError,
    QuotaError,
    RejectedError,
    StoreError,
    TransientError,
)
from apollo_component.contract.manifest import Manifest
from apollo_component.contract.models import Credential
from apollo_component.host.callbacks import MAX_BODY, application
from apollo_component.host.deliveries import hashed
from apollo_component.host.host import Host
from apollo_component.host.journal import Key
from apollo_component.host.runner import Job
from apollo_component.host.tables import deliveries

from .conftest import DATA, START, action, answer

NUMBER = -1039995589705121901
LOCKED = "locked@mail.test"
PUBLIC = "https://hooks.test/base"
FAILS = {"failed": ["failed"], "reason": "reason"}
OWN = {"action": "result", "input": {"request_id": "request_id"}, "status": "status", "working": ["busy"]}
OWN |= {"every": 10, "timeout": 600}
WAITS = {
    "own": OWN,
    "phones": {
        **OWN,
        **FAILS,
        "when": ["phone"],
        "skipped": {"phone.status": "skipped"},
        "result": "payload",
        "merge": {"records": "people", "fields": ["phones", "emails"], "fill": {"email": "emails.email"}},
        "spent": "credits",
        "later": "It is kept for a while.",
        "callback": {"url": "hook", "poll": "poll", "trigger": "arrived"},
    },
    "post": {
        **FAILS,
        "action": "posted",
        "input": {"id": "mail.id"},
        "status": "status",
        "retry_after": "again",
        "failure": "error",
        "merge": {"fields": ["status"]},
        "every": 10,
        "timeout": 60,
    },
}
PAID = {"base": 1, "per": "items", "flags": {"phone": 8}, "reported": "spent"}


@pytest.fixture(scope="session")
def manifest(root):
    pay = action(
        "pay", "POST", "/pay", effect="bill", credits=PAID, reply={"records": "records"}, key=None, wait="phones"
    )
    more = [
        pay | {"bulk": {"items": "items", "max": 2}},
        action("result", "GET", "/result/{request_id}", wait="own", requires={"oauth_scope": "result_scope"}),
        action("send", "POST", "/send", effect="send", reply={"value": "mail"}, wait="post"),
        action("posted", "GET", "/posted/{id}"),
    ]
    names = {item["id"] for item in more}
    errors = [{"status": 404, "error_code": "result_pending", "error": "pending"}, *DATA["errors"]]
    rest = [item for item in DATA["actions"] if item["id"] not in names]
    more_data = {"waits": WAITS, "errors": errors, "actions": [*rest, *more], "placeholders": [LOCKED]}
    return Manifest.from_data(DATA | more_data, root)


PENDING = answer({"error_code": "result_pending", "retry_after_seconds": 20}, 404)


def people(*ids, **more):
    return answer(
        {"records": [None if own is None else {"id": own, "name": f"n{own}"} for own in ids], "spent": 1} | more
    )


def told(*ids, number=NUMBER, **more):
    return people(*ids, request_id=number, **more)


def payload(*ids, cost=8, **more):
    return {"credits": cost, "people": [{"id": own, "phones": [own * 2]} | more for own in ids]}


def result(*ids, status="done", **more):
    return answer({"status": status, "payload": payload(*ids, **more)})


def path(number=NUMBER):
    return f"/result/{number}"


def late(service, *results):
    """A request is answered, and asked for its result one gets these; without any it never comes."""
    service.on("/pay", told("x"))
    service.on(path(), *results)
    if not results:
        service.always(path(), PENDING)


@pytest.fixture
def job(host, key, manifest):
    run = host.runs.create("action", "test").id

    def make(values=None, name="pay", **more):
        given = {"items": ["a"], "phone": True} if values is None else values
        return Job(run, key.id, manifest.actions[name], given, **more)

    return make


def pages(host, job):
    return list(host.runner.pages(job))


def records(found):
    return [record for page in found for record in page.records]


def reopened(host, clock, notices, **more):
    """The host of another process on the same database."""
    settings = replace(host.settings, **more)
    return Host.open(settings, host.registry, store=host.store, clock=clock, sleep=clock.sleep, notice=notices.append)


# By asking


def test_one_merged_record_comes_out_and_both_parts_are_paid(host, service, clock, job, notices):
    """Numbers are put into the record they belong to, the id is asked for as text, and both parts are settled."""
    service.on("/pay", told("x", None, "y", spent=2))
    service.on(path(), PENDING, answer({"status": "busy"}), result("y", "x"))
    (found,) = pages(host, job({"items": ["a", "b"], "phone": True}))
    assert found.records == [
        {"id": "x", "name": "nx", "phones": ["xx"]},
        None,
        {"id": "y", "name": "ny", "phones": ["yy"]},
    ]
    assert (found.late, found.spent, found.warnings) == (None, 10, ())
    assert service.sent("/pay")[0].json["poll"] is True
    assert host.journal.spent(job().run) == {"spent": 10, "reserved": 0, "paid_twice": 0}
    assert notices == ["waiting for 1 late result"]
    assert clock.now == START + 10 + 20 + 10


def test_an_empty_field_is_filled_from_what_came(host, service, job):
    """A waterfall's first address becomes the record's own when there was none."""
    late(service, result("x", emails=[{"email": "x@example.com"}, {"email": "z@example.com"}]))
    (record,) = records(pages(host, job()))
    assert record["email"] == "x@example.com"
    assert len(record["emails"]) == 2


def test_all_requests_leave_before_anything_is_waited_for(host, service, clock, job, notices):
    """Waits overlap: the last request leaves before the first result is asked for, and the order is kept."""
    service.always("/pay", lambda request: told(request.json["items"][0], number=int(request.json["items"][0])))
    for number in range(1, 12, 2):
        service.always(path(number), result(str(number)))
    found = records(pages(host, job({"items": [str(n) for n in range(1, 13)], "phone": True}, concurrency=2)))
    assert [record["phones"] for record in found] == [[str(n) * 2] for n in range(1, 12, 2)]
    kinds = [request.url.split("/")[3] for request in service.requests]
    assert kinds == ["pay"] * 6 + ["result"] * 6
    assert clock.now - START < 30  # two threads may move the clock for one wait; one after the other takes a minute
    assert notices[0] == "waiting for 6 late results"


def test_what_was_answered_before_a_failure_is_still_waited_for(host, service, job):
    """A request that is refused comes where its page would, after the waits of those before it."""
    service.on("/pay", told("1"), answer({"error": "no"}, 422))
    service.on(path(), result("1"))
    stream = host.runner.pages(job({"items": ["1", "2", "3"], "phone": True}, concurrency=1))
    assert next(stream).records[0]["phones"] == ["11"]
    with pytest.raises(RejectedError):
        next(stream)


def test_without_the_flag_nothing_is_waited_for(host, service, clock, job):
    """An input that makes nothing come later is one request."""
    service.on("/pay", people("x"))
    assert pages(host, job({"items": ["a"]}))[0].late is None
    assert len(service.requests) == 1
    assert "poll" not in service.requests[0].json


def test_trouble_while_asking_is_no_failure(host, service, job):
    """A used up quota, an outage and a proxy's page are waited out."""
    service.on("/pay", told("x"))
    busy = answer({"message": "The maximum is 5 times per hour."}, 429, retry_after="90")
    service.on(path(), *[TransientError("off")] * 7, busy, answer(b"<html>", 502), result("x"))
    assert records(pages(host, job()))[0]["phones"] == ["xx"]
    assert len(service.sent("/pay")) == 1


def test_nothing_found_means_nothing_to_wait_for(host, service, job):
    """When the answer says that nothing will come, its own cost is all."""
    service.on("/pay", told(None, phone={"status": "skipped"}, spent=0))
    pages(host, job())
    assert len(service.requests) == 1
    assert host.journal.spent(job().run) == {"spent": 0, "reserved": 0, "paid_twice": 0}


def test_credits_that_nobody_tells_stay_reserved(host, service, job):
    """Without a count in the result the worst cost stays reserved."""
    late(service, result("x", cost=None))
    pages(host, job())
    assert host.journal.spent(job().run) == {"spent": 0, "reserved": 9, "paid_twice": 0}


def test_an_answer_without_an_id_says_so(host, service, job):
    """What can't be fetched is told, and the record comes."""
    service.on("/pay", people("x"))
    (page,) = pages(host, job())
    assert page.records
    assert "how to fetch" in page.warnings[0]


# When the time is over


def test_when_the_time_is_over_the_record_comes_with_what_was_paid(host, service, clock, job, notices):
    """The record stays as it came; the warning tells the price so far, what stays reserved, and how to fetch it. Until
    then the person hears once a minute that it goes on."""
    late(service)
    (page,) = pages(host, job())
    assert page.records == [{"id": "x", "name": "nx"}]
    (text,) = page.warnings
    assert text == (
        "Nothing has arrived within 10 minutes. The record stays as it came. Paid so far: 1 credit; up to 8 more stay "
        f"reserved for what is late. Fetch it later with result, request_id {NUMBER}. It is kept for a while."
    )
    assert page.late.input == {"request_id": str(NUMBER)}
    assert 600 <= clock.now - START <= 601
    assert 9 <= len(notices) <= 11
    assert host.journal.spent(job().run)["reserved"] == 9


class KilledError(BaseException):
    """Stands for the end of a process."""


def killed(host, service, job, clock, after):
    """Let a process wait for so many seconds and end in the middle."""
    ends = clock.now + after

    def sleep(seconds):
        clock.sleep(seconds)
        if clock.now >= ends:
            raise KilledError

    host.waiter.sleep = sleep
    with pytest.raises(KilledError):
        pages(host, job)


def test_a_restarted_process_goes_on_waiting_and_sends_nothing_again(host, service, clock, job, notices):
    """The recorded answer is enough to go on; the request isn't repeated and paid once."""
    late(service)
    killed(host, service, job(), clock, 100)
    service.always(path(), result("x"))
    assert records(pages(reopened(host, clock, notices), job()))[0]["phones"] == ["xx"]
    assert len(service.sent("/pay")) == 1
    assert host.journal.spent(job().run) == {"spent": 9, "reserved": 0, "paid_twice": 0}


def test_a_restart_doesnt_prolong_the_wait(host, service, clock, job, notices):
    """The time counts from when the request was sent; at its end there is one last look."""
    late(service)
    killed(host, service, job(), clock, 500)
    again = reopened(host, clock, notices)
    (page,) = pages(again, job())
    assert page.late
    assert clock.now - START <= 610
    clock.now += 10000
    before = len(service.sent(path()))
    service.on(path(), result("x"))
    assert records(pages(again, job()))[0]["phones"] == ["xx"]
    assert len(service.sent(path())) == before + 1


def test_a_replayed_wait_settles_once(host, service, job, clock, notices):
    """A process that dies between the settling and the handing out changes nothing by doing it again."""
    late(service, result("x"))
    first = pages(host, job())
    service.always(path(), result("x", cost=5))
    assert pages(reopened(host, clock, notices), job())[0].records == first[0].records
    assert host.journal.spent(job().run)["spent"] == 9


def test_a_cancelled_run_stops_waiting(host, service, job, clock):
    """A person who cancels isn't made to wait."""
    late(service)
    sleep = host.waiter.sleep

    def cancelling(seconds):
        sleep(seconds)
        if clock.now > START + 50 and host.runs.get(job().run).status == "running":
            host.runs.cancel(job().run)

    host.waiter.sleep = cancelling
    with pytest.raises(Exception, match="cancelled"):
        pages(host, job())
    assert clock.now < START + 60


def test_a_person_who_stops_it_gets_what_was_paid_for_and_how_to_fetch_the_rest(host, service, job):
    """After Ctrl-C in the middle of the waiting, every record comes, with each late result's id in a warning."""
    service.always("/pay", lambda request: told("x", number=int(request.json["items"][0])))
    service.always(path(1), PENDING)

    def stopped(_seconds):
        raise KeyboardInterrupt

    host.waiter.sleep = stopped
    found = []
    with pytest.raises(KeyboardInterrupt):
        found.extend(page for page in host.runner.pages(job({"items": ["1", "2", "3"], "phone": True}, concurrency=1)))
    assert all(f"request_id {number}" in page.warnings[-1] for number, page in zip((1, 3), found, strict=True))
    assert all(page.records for page in found)


# Not waiting, failing


def test_nothing_is_waited_for_when_told_so(host, service, job):
    """The page comes at once, with its id as data and in words."""
    service.on("/pay", told("x"))
    (page,) = pages(host, job(wait=False))
    assert len(service.requests) == 1
    assert page.late.input == {"request_id": str(NUMBER)}
    assert f"result, request_id {NUMBER}" in page.warnings[0]


@pytest.mark.parametrize(("wait", "asked"), [(None, 0), (False, 0), (True, 1)])
def test_an_address_of_the_persons_own_is_used_as_given(host, service, job, wait, asked):
    """With a webhook of one's own nothing is waited for unless one asks."""
    late(service, result("x"))
    pages(host, job({"items": ["a"], "phone": True, "hook": "https://mine.test/x"}, wait=wait))
    sent = service.sent("/pay")[0].json
    assert (sent["hook"], "poll" in sent) == ("https://mine.test/x", False)
    assert len(service.sent(path())) == asked


@pytest.mark.parametrize(
    ("found", "words", "reserved"),
    [
        (
            {"status": "failed", "reason": "vendor\x1b gone"},
            r"^It failed: vendor gone\.(?!.*etch it later).*stay reserved",
            9,
        ),
        ({"status": "done", "payload": None}, r"^It came without a result\.", 9),
        (404, "unknown", 9),
        (410, "expired", 0),
        (403, "forbidden", 9),
        (401, "who are you", 9),
    ],
    ids=["failed", "empty", "unknown", "gone", "forbidden", "key withdrawn"],
)
def test_a_result_that_cant_come_leaves_the_paid_record(host, service, job, found, words, reserved):
    """What failed, is empty or is refused is told at once with its reason, is not waited for, and what nobody tells the
    cost of stays reserved."""
    late(service, answer(found) if isinstance(found, dict) else answer({"error": words}, found))
    (page,) = pages(host, job())
    assert page.records == [{"id": "x", "name": "nx"}]
    assert re.search(words, page.warnings[0])
    assert len(service.sent(path())) == 1
    assert host.journal.spent(job().run)["reserved"] == reserved


def test_a_result_that_is_gone_is_neither_fetched_nor_reserved(host, service, job):
    """What the service has no longer can't come: nothing advises to fetch it, and the answer's own cost is the cost."""
    late(service, answer({"error": "It was deleted."}, 410))
    (page,) = pages(host, job())
    assert page.records == [{"id": "x", "name": "nx"}]
    (text,) = page.warnings
    assert text == (
        "What was asked for is no longer there. (It was deleted.) The record stays as it came. Paid: 1 credit; nothing "
        "more is reserved for it."
    )
    assert (page.late, page.spent) == (None, 1)
    assert host.journal.spent(job().run) == {"spent": 1, "reserved": 0, "paid_twice": 0}


def test_a_gone_result_of_a_free_request_tells_no_price(host, service, job):
    """The record stays as it came, without a word of credits."""
    service.on("/send", answer({"mail": {"id": "m1", "status": "queued"}}))
    service.on("/posted/m1", answer({"error": "It was deleted."}, 410))
    (page,) = pages(host, job({}, "send"))
    assert (page.late, page.value) == (None, {"id": "m1", "status": "queued"})
    assert "redit" not in page.warnings[0]


def test_what_is_gone_while_it_is_waited_for_is_an_error(host, service, job):
    """Asked for directly, a result that expires in the middle isn't said to come later."""
    service.on("/result/7", PENDING, answer({"error": "It was deleted."}, 410))
    with pytest.raises(GoneError, match="no longer"):
        pages(host, job({"request_id": "7"}, "result"))


def test_without_waiting_pages_come_as_they_are_answered(host, service, job):
    """Nothing is held back when nothing is waited for."""
    service.on("/pay", told("1"), answer({"error": "no"}, 422))
    stream = host.runner.pages(job({"items": ["1", "2", "3"], "phone": True}, concurrency=1, wait=False))
    assert next(stream).records[0]["id"] == "1"
    assert len(service.sent("/pay")) == 1
    stream.close()


def test_failed_work_can_be_an_error(host, service, job):
    """Where the manifest says so, what failed later is a refusal; a time to ask again means that it goes on."""
    service.on("/send", answer({"mail": {"id": "m1", "status": "queued"}}))
    failed = answer({"status": "failed", "reason": "no mailbox"})
    service.on("/posted/m1", answer({"status": "odd", "again": 30}), failed)
    with pytest.raises(RejectedError, match="no mailbox"):
        pages(host, job({}, "send"))
    assert len(service.sent("/send")) == 1


def test_a_single_record_is_completed(host, service, job):
    """Without records of its own a result goes into the one record, and into the value people see."""
    service.on("/send", answer({"mail": {"id": "m1", "status": "queued"}}))
    service.on("/posted/m1", answer({"status": "sent", "x": 1}))
    (page,) = pages(host, job({}, "send"))
    assert page.value == page.records[0] == {"id": "m1", "status": "sent"}


def test_a_result_that_is_asked_for_directly_is_waited_for(host, service, job, clock):
    """An action that waits for itself gives its last answer."""
    service.on("/result/7", PENDING, answer({"status": "busy", "request_id": 7}), result("x"))
    (page,) = pages(host, job({"request_id": "7"}, "result"))
    assert page.value["status"] == "done"
    assert clock.now > START


def test_without_waiting_a_result_that_isnt_there_is_an_error_at_once(host, service, job, clock):
    """Whoever doesn't want to wait hears that it isn't there yet; so does who has waited long enough."""
    service.always("/result/7", PENDING)
    with pytest.raises(PendingError):
        pages(host, job({"request_id": "7"}, "result", wait=False))
    assert (clock.now, len(service.requests)) == (START, 1)
    with pytest.raises(PendingError, match="10 minutes"):
        pages(host, job({"request_id": "7"}, "result"))


def test_a_connection_that_may_not_fetch_spends_nothing(host, service, clock, manifest):
    """When the scope to fetch is known to be missing, nothing is sent."""
    credential = Credential(
        "oauth2", access_token="t", issued_at=clock.moment(), expires_at=clock.moment(10**6), scopes=("pay",)
    )
    link = host.connections.add("theirs", "demo", credential)
    run = host.runs.create("action", "test").id
    with pytest.raises(PermissionDeniedError, match="nothing was sent") as caught:
        pages(host, Job(run, link.id, manifest.actions["pay"], {"items": ["a"], "phone": True}))
    assert caught.value.missing == {"oauth_scope": "result_scope"}
    assert service.requests == []


def test_an_hour_quota_before_the_request_is_still_an_error(host, service, job):
    """Only the questions wait quotas out; the request itself is refused as ever."""
    service.on("/pay", answer({"message": "5 times per hour."}, 429, retry_after="1800"))
    with pytest.raises(QuotaError):
        pages(host, job())


# By callback


@pytest.fixture
def public(host, clock, notices):
    """A host that is reached from outside."""
    return reopened(host, clock, notices, public_url=PUBLIC)


@pytest.fixture
def post(public):
    """Deliver a body to an address or a token; the status."""

    async def go(path, body):
        transport = httpx.ASGITransport(app=application(public))
        async with httpx.AsyncClient(transport=transport, base_url="http://local") as client:
            return await client.post(path, content=body)

    def deliver(address, body):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return asyncio.run(go(address.removeprefix(PUBLIC), raw)).status_code

    return deliver


def address(service, number=-1):
    return service.sent("/pay")[number].json["hook"]


def delivering(host, post, service, body, after=30):
    """Let deliveries come while the host waits."""
    sleep, begun = host.waiter.sleep, host.clock()
    statuses = []

    def sleeping(seconds):
        sleep(seconds)
        if host.clock() > begun + after and not statuses:
            statuses.append(post(address(service), body))

    host.waiter.sleep = sleeping
    return statuses


def test_a_delivery_is_used_and_paid_for(public, service, post, job, store):
    """With a public address the host gives one of its own, waits for what comes there, and asks nobody."""
    service.on("/pay", told("x"))
    statuses = delivering(public, post, service, payload("x"))
    assert records(pages(public, job()))[0]["phones"] == ["xx"]
    assert statuses == [200]
    sent = service.sent("/pay")[0].json
    token = sent["hook"].removeprefix(f"{PUBLIC}/callbacks/")
    assert len(token) == 43
    assert "poll" not in sent
    assert service.sent(path()) == []
    assert public.journal.spent(job().run) == {"spent": 9, "reserved": 0, "paid_twice": 0}
    rows = store.rows(deliveries.select())
    assert [row["token_hash"] for row in rows] == [hashed(token)]
    assert token not in str(rows)


def test_a_delivery_is_read_without_placeholders(public, service, post, job):
    """A text that stands for nothing is null in what is delivered, too, and fills no field."""
    service.on("/pay", told("x"))
    delivering(public, post, service, payload("x", emails=[{"email": LOCKED.upper(), "sort": "work"}]))
    (record,) = records(pages(public, job()))
    assert record["emails"] == [{"email": None, "sort": "work"}]
    assert record.get("email") is None


def test_a_delivery_before_the_answer_is_recorded_counts(public, service, post, job):
    """Nothing is lost when the result is faster than the answer."""

    def fast(request):
        assert post(request.json["hook"], payload("x")) == 200
        return told("x")

    service.on("/pay", fast)
    assert records(pages(public, job()))[0]["phones"] == ["xx"]
    assert service.sent(path()) == []


def test_a_delivery_that_comes_again_changes_nothing(public, service, post, job):
    """The first one counts, also when the second says something else."""

    def fast(request):
        statuses = [post(request.json["hook"], body) for body in (payload("x"), payload("x", cost=500), payload("x"))]
        assert statuses == [200] * 3
        return told("x")

    service.on("/pay", fast)
    pages(public, job())
    assert public.journal.spent(job().run)["spent"] == 9


def test_a_delivery_about_others_is_ignored_and_noted(public, service, post, job, key):
    """Ids that weren't asked for are accepted, never used, and leave room for the right one; before the answer too."""

    def forged(request):
        assert post(request.json["hook"], payload("evil")) == 200
        return told("x")

    service.on("/pay", forged)
    statuses = delivering(public, post, service, payload("x"))
    assert records(pages(public, job()))[0]["phones"] == ["xx"]
    assert statuses == [200]
    assert post(address(service), payload("evil")) == 200
    events = [item["event"] for item in public.connections.history(key)]
    assert events.count("delivery ignored") == 1


def test_a_delivery_about_others_after_the_answer_is_not_kept(public, service, post, job, key):
    """It is answered and noted; the result is asked for at a slower pace instead."""
    late(service, result("x"))
    pages(public, job(wait=False))
    assert post(address(service), payload("evil")) == 200
    assert [expected.body for expected in public.deliveries.of(Key(job().run, "run", "0"))] == [None]
    assert [item["event"] for item in public.connections.history(key)].count("delivery ignored") == 1
    assert records(pages(public, job()))[0]["phones"] == ["xx"]


def test_of_two_deliveries_at_once_one_is_kept(public, service, job):
    """Whoever comes second changes nothing, however close they are."""
    service.on("/pay", told("x"))
    pages(public, job(wait=False))
    (expected,) = public.deliveries.of(Key(job().run, "run", "0"))
    assert [public.deliveries.keep(expected, body) for body in (b"first", b"second")] == [True, False]
    assert public.deliveries.of(expected.key)[0].body == b"first"


def test_without_a_delivery_the_service_is_asked_at_a_slower_pace(public, service, clock, job):
    """Deliveries may get lost: a question a minute brings the result all the same."""
    late(service, PENDING, PENDING, result("x"))
    assert records(pages(public, job()))[0]["phones"] == ["xx"]
    assert clock.now - START == 180


def test_every_attempt_has_an_address_of_its_own(public, service, post, job):
    """A request that is sent again after a lost answer gets a new token; what comes at either counts."""
    service.on("/pay", TransientError("lost"), told("x"))
    statuses = delivering(public, lambda _, body: post(address(service, 0), body), service, payload("x"))
    assert records(pages(public, job()))[0]["phones"] == ["xx"]
    assert statuses == [200]
    assert address(service, 0) != address(service, 1)


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 400), (b"", 400), (b'"x"', 400), (b" " * (MAX_BODY + 1), 413)],
    ids=["broken", "list", "empty", "text", "large"],
)
def test_a_body_that_is_no_delivery_is_refused_and_not_kept(public, service, post, job, body, status):
    """Neither broken nor endless bodies are stored; the right one still finds its place."""

    def bad(request):
        assert post(request.json["hook"], body) == status
        assert post(request.json["hook"], payload("x")) == 200
        return told("x")

    service.on("/pay", bad)
    assert records(pages(public, job()))[0]["phones"] == ["xx"]


@pytest.mark.parametrize("trouble", [StoreError("full"), TransientError("busy", worked=False)])
@pytest.mark.parametrize("moment", ["find", "ids", "keep"])
def test_a_delivery_the_database_cant_take_comes_again(public, service, post, job, monkeypatch, moment, trouble):
    """It is answered 503, as trouble of ours, and the next one is kept."""
    service.on("/pay", told("x"))
    pages(public, job(wait=False))

    def failing(*_):
        raise trouble

    with monkeypatch.context() as patch:
        patch.setattr(public.deliveries, moment, failing)
        assert post(address(service), payload("x")) == 503
    assert post(address(service), payload("x")) == 200
    (kept,) = public.deliveries.of(Key(job().run, "run", "0"))
    assert kept.body == json.dumps(payload("x")).encode()


def test_unknown_and_expired_addresses_look_alike(public, service, post, job, clock):
    """Nobody learns whether a token was ever good."""
    late(service, result("x"))
    pages(public, job())
    assert post("/callbacks/unknown", payload("x")) == 404
    assert post("/callbacks/%F0%9F%8E%82", payload("x")) == 404
    assert post(address(service), payload("x")) == 200
    clock.now = START + 600 + 86400 + 1
    assert post(address(service), payload("x")) == 404


def test_whoever_asks_for_polling_gets_no_address(public, service, job):
    """The person's own choice wins."""
    late(service, result("x"))
    pages(public, job({"items": ["a"], "phone": True, "poll": True}))
    assert "hook" not in service.sent("/pay")[0].json


def test_deliveries_go_with_the_answers_of_a_run(public, service, post, job, store, clock):
    """Personal data in deliveries is deleted with the rest."""
    service.on("/pay", told("x"))
    delivering(public, post, service, payload("x"))
    pages(public, job())
    public.runs.update(job().run, "done")
    clock.now += 1000
    public.runs.purge(timedelta(0))
    assert store.rows(deliveries.select()) == []


def test_a_delivery_for_a_removed_connection_is_unknown(public, service, post, job, key):
    """With the connection gone its deliveries are nobody's."""
    service.on("/pay", told("x"))
    pages(public, job(wait=False))
    public.connections.remove(public.connections.get(key.id))
    assert post(address(service), payload("x")) == 404


def test_a_key_without_anything_expected_has_no_deliveries(public):
    """Nothing expected, nothing found."""
    assert public.deliveries.of(Key("r", "s", "0")) == []
