"""A process killed at each point of each kind of request, and the run continued by another process."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.tiers import tiered

pytestmark = pytest.mark.chaos

STEPS = ("search", "enrich", "contacts", "enrol")
ITEMS = {"search": "search:2", "enrich": "enrich:0.1", "contacts": "contacts:13", "enrol": "enrol:1"}
OTHERS = {"search": 2, "enrich": 2, "contacts": 0, "enrol": 2}
"""How many requests of the step are recorded before the kill, so that the one chosen is alone in flight."""
POINTS = [
    *((step, point) for point in ("before_send", "after_reply") for step in STEPS),
    *((step, "after_record") for step in ("enrich", "contacts", "enrol")),  # a page of reading has no journal row
    *((step, "after_save") for step in ("search", "enrich")),
]
QUICK = [("contacts", "before_send"), ("enrich", "after_reply"), ("enrol", "after_record"), ("search", "after_save")]
"""One of each point and one of each step."""


@pytest.mark.parametrize(("step", "point"), tiered(POINTS, QUICK))
def test_a_kill_at_any_point_of_a_request_leaves_everything_once(
    trial: Any, conclude: Callable[..., Any], step: str, point: str
) -> None:
    """Whatever a process died doing, the next one ends with every person once and with right books."""
    victim = trial.victim(point=point, item=ITEMS[step], alone=OTHERS[step])
    run = victim.run_id()
    victim.died()
    trial.note_death(run)
    figures = conclude(trial, trial.resume(run).finish())
    assert figures.paid_twice == 10 * (step == "enrich" and point in ("before_send", "after_reply"))
    assert figures.ledger == 30 + 10 * (step == "enrich" and point == "after_reply")
    if step != "contacts":
        unrecorded = step == "search" and point != "before_send"
        assert figures.repeated == (unrecorded or point == "after_reply")


@pytest.mark.full
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", ["hold_before", "hold_after"])
def test_a_kill_while_the_answer_is_awaited_leaves_everything_once(
    trial: Any, conclude: Callable[..., Any], step: str, kind: str
) -> None:
    """A request whose work is done after the kill, even after the whole run, or before it, is repeated harmlessly,
    and what it may have cost is listed."""
    trial.sandbox.fault(step, kind, times=1, after=1)
    victim = trial.begin()
    run = victim.run_id()
    trial.sandbox.held()
    trial.recorded(run, step, OTHERS[step])
    victim.kill()
    trial.note_death(run)
    if kind == "hold_after":
        trial.sandbox.tell("/release", all=True)
    report = trial.resume(run).finish()
    trial.sandbox.tell("/release", all=True)
    figures = conclude(trial, report)
    assert figures.paid_twice == 10 * (step == "enrich")
    assert figures.ledger == 30 + 10 * (step == "enrich")
    assert figures.repeated >= 1
