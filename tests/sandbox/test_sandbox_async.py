"""Asynchronous enrichment: promises, polling, credits, callbacks."""

import asyncio
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

HOOK = "https://hooks.example/x"


def person(sandbox, **wanted):
    people = sandbox.state.world.directory.people
    return next(p for p in people if all(getattr(p, name) == value for name, value in wanted.items()))


def reveal(client, who, **more):
    return client.post("/people/match", id=who.id, **({"reveal_phone_number": True, "poll_only": True} | more))


def poll(client, request_id):
    reply = client.api("GET", f"/webhook_result/{request_id}")
    return reply.status_code, reply.json()


def test_a_phone_is_ready_after_the_delay(client, sandbox):
    """Pending with a wait, then the documented payload, with the id as a text."""
    who = person(sandbox, direct_phone=True)
    own = reveal(client, who)["request_id"]
    assert poll(client, own) == (404, {"error_code": "result_pending", "retry_after_seconds": 10})
    client.wait(2)
    status, answer = poll(client, own)
    assert (status, answer["request_id"], answer["webhook_status"]) == (200, str(own), "success")
    assert (answer["request_type"], answer["failure_reason"]) == ("phone", None)
    result = answer["webhook_result"]
    assert (result["credits_consumed"], result["unique_enriched_records"], result["missing_records"]) == (8, 1, 0)
    (found,) = result["people"]
    assert (found["id"], found["phone_numbers"][0]["type_cd"]) == (who.id, "mobile")
    assert found["phone_numbers"][0]["sanitized_number"].startswith("+1555555")


def test_a_person_without_a_mobile_costs_one(client, sandbox):
    """Nothing found: an empty list, counted as missing, and no phone is billed."""
    own = reveal(client, person(sandbox, direct_phone=False))["request_id"]
    client.wait(2)
    result = poll(client, own)[1]["webhook_result"]
    assert (result["missing_records"], result["credits_consumed"]) == (1, 0)
    assert result["people"][0]["phone_numbers"] == []
    assert client.control("GET", "/ledger")["total"] == 1


@pytest.mark.parametrize(("moment", "before"), [("accept", 9), ("deliver", 1)])
def test_credits_are_booked_at_the_chosen_moment(client, sandbox, moment, before):
    """Nine credits for a person with a mobile, at once or with the result."""
    client.control("POST", "/settings", {"bill_on": moment})
    reveal(client, person(sandbox, direct_phone=True))
    assert client.control("GET", "/ledger")["total"] == before
    client.wait(2)
    ledger = client.control("GET", "/ledger")
    assert ledger["total"] == 9 == sum(entry["credits"] for entry in ledger["entries"])


def test_a_reveal_that_cannot_be_paid_is_refused(client, sandbox):
    """The price of the phone counts before anything is promised."""
    client.control("POST", "/credits", {"left": 8})
    body = {"id": person(sandbox, direct_phone=True).id, "reveal_phone_number": True, "poll_only": True}
    status, answer = client.refusal("POST", "/people/match", body)
    assert (status, "insufficient credits" in answer["error"]) == (422, True)
    assert client.control("GET", "/state")["async_requests"] == {}


def test_polling_refusals(client, sandbox):
    """Malformed, unknown and older than 30 days are three different ends."""
    assert poll(client, "12x") == (400, {"error_code": "invalid_request_id"})
    assert poll(client, 2**63) == (400, {"error_code": "invalid_request_id"})
    assert poll(client, -5) == (404, {"error_code": "request_id_unknown"})
    own = reveal(client, person(sandbox, direct_phone=True))["request_id"]
    client.wait(30 * 86400 + 1)
    assert poll(client, own) == (410, {"error_code": "request_id_expired"})


def test_a_waterfall_hides_addresses_until_it_is_done(client, sandbox):
    """bulk_match leaves out counters and addresses; the payload has them with their vendors."""
    who = person(sandbox, direct_phone=True, email_status="verified")
    answer = client.post(
        "/people/bulk_match", details=[{"id": who.id}], run_waterfall_email=True, run_waterfall_phone=True,
        webhook_url=HOOK,
    )  # fmt: skip
    assert answer["waterfall"]["status"] == "accepted"
    assert not {"credits_consumed", "unique_enriched_records", "missing_records"} & set(answer)
    assert not {"email", "email_status"} & set(answer["matches"][0])
    client.wait(2)
    status, polled = poll(client, answer["request_id"])
    result = polled["webhook_result"]
    assert (status, polled["request_type"], result["target_fields"]) == (200, "waterfall", ["emails", "phone_numbers"])
    assert (result["request_id"], result["credits_consumed"]) == (str(answer["request_id"]), 12)
    (found,) = result["people"]
    assert found["emails"][0]["email"] == who.email
    assert found["waterfall"]["emails"][0]["vendors"][0]["usedForVerification"] is False
    assert client.control("GET", "/ledger")["total"] == 13


def test_a_failed_enrichment_is_told(client, sandbox):
    """The fault "fail" gives webhook_status failed and costs nothing more."""
    client.control("POST", "/faults", {"operation": "webhook_result", "kind": "fail", "times": 1})
    client.control("POST", "/settings", {"bill_on": "deliver"})
    own = reveal(client, person(sandbox, direct_phone=True))["request_id"]
    client.wait(2)
    assert poll(client, own)[1]["webhook_status"] == "failed"
    assert client.control("GET", "/ledger")["total"] == 1


@pytest.mark.parametrize("url", ["", "ftp://x.example/", "http://example.com/", "nonsense", "https://"])
def test_an_address_that_cannot_be_one_is_400(shared, url):
    """https anywhere, plain http to this machine only."""
    body = {"email": "nobody@example.com", "run_waterfall_email": True, "webhook_url": url}
    status, answer = shared.refusal("POST", "/people/match", body)
    expected = "Please add a valid 'webhook_url' parameter when using 'run_waterfall_email'"
    assert (status, answer) == (400, {"error": expected})


def test_nobody_found_is_skipped(shared):
    """A reveal of nobody is accepted and says so."""
    answer = shared.post("/people/match", email="nobody@example.com", reveal_phone_number=True, poll_only=True)
    assert (answer["person"]["match_confidence"], answer["phone_enrichment"]["status"]) == ("none", "skipped")
    assert answer["request_id"] == answer["phone_enrichment"]["request_id"]


class Receiver:
    """A local callback address that answers as told."""

    def __init__(self):
        receiver = self
        self.bodies, self.statuses = [], []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                try:
                    receiver.bodies.append(json.loads(body))
                except ValueError:
                    return
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?secret=1"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


def deliver(client, sandbox, receiver, **more):
    answer = reveal(client, person(sandbox, direct_phone=True), poll_only=False, webhook_url=receiver.url, **more)
    client.wait(2)
    client.control("POST", "/webhooks")
    return answer["request_id"]


def test_a_result_is_posted(client, sandbox, receiver):
    """Once, and the same payload as polling gives."""
    own = deliver(client, sandbox, receiver)
    assert receiver.bodies == [poll(client, own)[1]["webhook_result"]]
    (shown,) = client.control("GET", "/webhooks")
    assert (shown["state"], [a["status"] for a in shown["attempts"]]) == ("delivered", [200])


def test_a_refused_delivery_is_tried_again(client, sandbox, receiver):
    """After the waits of the settings, until it is taken or given up."""
    client.control("POST", "/settings", {"webhook_retries": [5, 7]})
    receiver.statuses = [500, 404, 503]
    deliver(client, sandbox, receiver)
    states = []
    for seconds in (4, 2, 8, 100):
        client.wait(seconds)
        (shown,) = client.control("POST", "/webhooks")
        states.append((shown["state"], len(shown["attempts"])))
    assert states == [("waiting", 1), ("waiting", 2), ("given up", 3), ("given up", 3)]


@pytest.mark.parametrize(
    ("kind", "received", "statuses"),
    [("duplicate", 2, [200]), ("drop_before", 1, [None, 200]), ("drop_after", 2, [None, 200]),
     ("truncate", 1, [None, 200])],
)  # fmt: skip
def test_faults_of_deliveries(client, sandbox, receiver, kind, received, statuses):
    """Twice, never begun, received but not noticed, broken off: the next attempt mends it."""
    client.control("POST", "/faults", {"operation": "webhook", "kind": kind, "times": 1})
    deliver(client, sandbox, receiver)
    client.wait(1)
    (shown,) = client.control("POST", "/webhooks")
    assert (len(receiver.bodies), [a["status"] for a in shown["attempts"]]) == (received, statuses)


def test_an_unreachable_receiver_is_given_up(client, sandbox):
    """Nobody listens: no answer of ours is lost, the result stays there for polling."""
    client.control("POST", "/settings", {"webhook_retries": []})
    closed = Receiver()
    closed.close()
    own = deliver(client, sandbox, closed)
    assert client.control("GET", "/webhooks")[0]["state"] == "given up"
    assert poll(client, own)[0] == 200


def test_deliveries_go_out_by_themselves(start, receiver):
    """In a running sandbox nobody has to ask: the clock reaches the moment and the result is posted."""
    process = start("--people", "100")
    process.control("POST", "/settings", {"async_seconds": 0.1})
    who = process.api("POST", "/mixed_people/api_search", {"per_page": 1}).json()["people"][0]["id"]
    body = {"id": who, "reveal_phone_number": True, "webhook_url": receiver.url}
    assert process.api("POST", "/people/match", body).status_code == 200
    end = time.monotonic() + 5
    while not receiver.bodies and time.monotonic() < end:
        time.sleep(0.02)
    assert receiver.bodies[0]["people"][0]["id"] == who
    assert process.stop() == 0


def test_the_courier_sleeps_when_nothing_is_open(sandbox):
    """Without anything promised no task runs."""

    async def go():
        sandbox.state.courier.wake()
        return sandbox.state.courier.task

    assert asyncio.run(go()) is None


def test_a_validation_is_accepted_and_done_later(client):
    """It is 202 with a request id, needs a key, and no verdict is invented; an account without unified credits is
    refused on order."""
    started = client.api("POST", "/enrich", {"anything": [1]})
    assert (started.status_code, list(started.json())) == (202, ["request_id"])
    own = started.json()["request_id"]
    assert client.api("GET", f"/webhook_result/{own}").json()["error_code"] == "result_pending"
    client.wait(60)
    done = client.api("GET", f"/webhook_result/{own}").json()
    assert (done["webhook_status"], done["request_type"], done["webhook_result"]) == ("success", None, None)
    client.control("POST", "/faults", {"operation": "enrich_create", "kind": "refusal", "name": "legacy_credits"})
    assert client.api("POST", "/enrich", {}).status_code == 403
