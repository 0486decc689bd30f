"""What may have been paid twice is listed, whatever happened between the kill and the answer."""

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.chaos


def test_every_request_in_flight_at_the_kill_is_listed(trial: Any, conclude: Callable[..., Any]) -> None:
    """A kill with three enrichments in flight puts these three in doubt and no more."""
    trial.sandbox.fault("enrich", "hold_after", times=3)
    victim = trial.begin()
    run = victim.run_id()
    trial.sandbox.held(3)
    victim.kill()
    trial.note_death(run)
    trial.sandbox.tell("/release", all=True)
    figures = conclude(trial, trial.resume(run).finish())
    assert (figures.in_doubt, figures.paid_twice, figures.ledger, figures.enriched) == (3, 30, 60, 30)


@pytest.mark.full
def test_a_doubt_outlives_a_refusal(trial: Any, conclude: Callable[..., Any]) -> None:
    """A repeat that is refused before any work doesn't make the first request's doubt forgotten."""
    trial.sandbox.fault("enrich", "hold_after", times=1, after=2)
    victim = trial.begin()
    run = victim.run_id()
    trial.sandbox.held()
    trial.recorded(run, "enrich", 2)
    victim.kill()
    trial.note_death(run)
    trial.sandbox.tell("/release", all=True)
    trial.sandbox.fault("enrich", "status", status=503, times=1)
    figures = conclude(trial, trial.resume(run).finish())
    assert (figures.in_doubt, figures.paid_twice, figures.ledger, figures.enriched) == (1, 10, 40, 30)


@pytest.mark.full
def test_a_doubt_outlives_a_kill_before_the_repeat_is_sent(trial: Any, conclude: Callable[..., Any]) -> None:
    """Each kill adds at most one doubt for a request, and every one of them is listed."""
    first = trial.victim(point="after_reply", item="enrich:0.1", alone=2)
    run = first.run_id()
    first.died()
    trial.note_death(run)
    second = trial.victim(run, point="before_send", item="enrich:0.1", alone=2)
    second.died()
    trial.note_death(run)
    figures = conclude(trial, trial.resume(run).finish())
    assert (figures.in_doubt, figures.paid_twice, figures.ledger, figures.enriched) == (2, 20, 40, 30)
