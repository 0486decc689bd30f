"""Usage: what the service tells, what the host learnt, and a sentence where a part can't be told."""

import pytest

from apollo_component.contract.errors import NotFoundError, ReauthorizationError

from ..conftest import answer, page, windows

REQUESTS = [
    {"path": "people/search", "m": {"limit": 200, "consumed": 10, "left_over": 190}, "d": {"limit": "6000"}},
    {"path": "other", "m": None},
]
CREDITS = {
    "pools": {
        "lead": {"limit": 100, "consumed": "2.5", "left_over": 97.5},
        "new": {"limit": 0, "consumed": 0, "left_over": 0},
    },
    "cycle": {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"},
}


@pytest.fixture
def told(service):
    service.always("/requests", page(*REQUESTS))
    service.always("/credits", answer(CREDITS))
    return service


def test_both_parts_are_told(host, key, told):
    """Credits by pool with their titles and the cycle; requests by name and window; numbers as numbers."""
    report = host.usage.report("mine")
    lead, new = report.credits.rows
    assert lead == {
        "pool": "lead", "title": "Leads", "note": "One a person.", "limit": 100, "used": 2.5, "left": 97.5,
    }  # fmt: skip
    assert (new["title"], new["note"]) == ("new", "")
    assert (report.credits.start, report.credits.end) == ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")
    assert report.requests.rows == (
        {"name": "people/search", "window": "minute", "limit": 200, "used": 10, "left": 190},
        {"name": "people/search", "window": "day", "limit": 6000, "used": None, "left": None},
    )


@pytest.mark.parametrize(
    ("status", "body"), [(404, {"error": "Not Found"}), (403, {"error_code": "API_INACCESSIBLE"}), (422, {})]
)
def test_a_part_that_is_refused_is_a_sentence(host, key, told, status, body):
    """A missing right or a route that isn't there leaves the other part whole."""
    told.on("/requests", answer(body, status))
    report = host.usage.report("mine")
    assert report.requests.rows == ()
    assert report.requests.problem.strip()
    assert report.credits.rows[0]["left"] == 97.5


def test_a_dead_credential_is_an_error(host, key, told):
    """Without a credential nothing can be told, so it isn't a report."""
    told.always("/credits", answer({"error": "bad key"}, 401))
    with pytest.raises(ReauthorizationError):
        host.usage.report("mine")


def test_what_the_host_learnt_stands_beside_it(host, key, told):
    """Windows learnt from headers are shown, those of the report's own requests too."""
    told.always("/credits", answer(CREDITS, **windows(minute=(7, 9))))
    learnt = host.usage.report("mine").learnt
    assert [(row["operation"], row["window"], row["left"], row["limit"]) for row in learnt] == [
        ("credit_usage", "minute", 7, 9)
    ]


def test_windows_past_their_reset_are_left_out(host, key, told, clock):
    """What was learnt of a window counts until it resets; after that nothing is known of it."""
    told.always("/credits", answer(CREDITS, **windows(minute=(7, 9), day=(70, 90))))
    host.usage.report("mine")
    told.always("/credits", answer(CREDITS))
    clock.now += 120
    assert [row["window"] for row in host.usage.report("mine").learnt] == ["day"]


def test_odd_answers_are_no_fault(host, key, service):
    """Answers without the declared parts give empty parts."""
    service.always("/requests", page("text", {"path": None}))
    service.always("/credits", answer({"pools": [], "cycle": None}))
    report = host.usage.report("mine")
    assert (report.credits.rows, report.credits.start, report.requests.rows) == ((), "", ())


def test_a_connection_that_is_not_there(host):
    """Nobody's usage is an error."""
    with pytest.raises(NotFoundError):
        host.usage.report("none")
