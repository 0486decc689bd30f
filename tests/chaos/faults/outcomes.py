"""What each promised outcome means, as checks of what really happened. Every one raises AssertionError."""

from collections.abc import Callable

from apollo_component.contract.errors import ConnectorError, QuotaError

from .bench import shown
from .works import Effect, Late, Work

Check = Callable[[Work], None]
STORE = "store"


def anywhere(work: Work) -> None:
    """Holds for every cell: errors are ours, say what to do and show no secret; every repeat is listed."""
    for error in work.found.tries:
        if error is not None:
            assert isinstance(error, ConnectorError)
            assert error.code != "error"
            assert error.hint, error.message
            assert not [secret for secret in work.world.secrets if secret in shown(error)]
    if isinstance(work, Effect) and work.call.journaled:
        assert work.found.worked <= 1 + len(work.found.doubts), "a repeat that isn't listed"
        assert work.found.more["spent"] <= sum(work.found.more["credits"].values()), "more was paid than the run says"


def ended(work: Work, *, waits: bool | None = None, first: str = "ok") -> None:
    expected = ["ok"] if first == "ok" else [first, "ok"]
    assert work.found.codes == expected, [str(error) for error in work.found.tries]
    if waits is not None:
        assert bool(work.found.waits) == waits


def done(work: Work) -> None:
    ended(work)
    assert (work.found.worked, work.found.doubts) == (1, [])
    assert work.found.result.records


def again(work: Work) -> None:
    done(work)
    assert work.found.waits


def done_over(work: Work) -> None:
    ended(work)
    assert work.found.result.records
    assert work.found.doubts == []


def asked_again(work: Work) -> None:
    ended(work, waits=True)
    assert work.found.result.records
    assert work.found.doubts == []


def _listed(work: Work, outcome: str) -> None:
    """In a fault of the database the first try ends with an error, and the next resolves it."""
    ended(work, first=STORE if work.fault == "full_long" else "ok")
    assert work.found.doubts == [outcome]
    assert work.found.result.records


def repeated(work: Work) -> None:
    _listed(work, "repeated, harmless by its effect")


def paid_twice(work: Work) -> None:
    _listed(work, "repeated, possibly paid twice")
    assert work.found.worked <= 2
    assert work.found.more["credits"]["paid_twice"] == work.call.worst  # type: ignore[attr-defined]


def found(work: Work) -> None:
    _listed(work, "had taken effect: found again by its natural key")
    assert work.found.worked == 1


def in_doubt(work: Work) -> None:
    """Tried again it is not sent either; once a person has said what happened, the run goes on."""
    assert work.found.codes[-1] == "outcome_unknown"
    assert work.found.codes[0] == (STORE if work.fault == "full_long" else "outcome_unknown")
    assert work.found.doubts == ["sent, answer lost, not repeated"]
    assert work.found.worked == work.found.worked_at_first <= 1
    took_effect = work.found.worked == 1
    assert isinstance(work, Effect)
    work.world.host.journal.tell(work.call.key, done=took_effect, record={"id": "seen"})
    assert work.once().records
    assert work.world.worked(work.action) == 1
    assert work.world.credits["reserved"] == 0


def refreshed(work: Work) -> None:
    done(work)
    assert work.found.more["refreshes"] == 1
    assert work.found.more["status"] == "active"


def waits_for_quota(work: Work) -> None:
    ended(work, first="quota")
    first = work.found.tries[0]
    assert isinstance(first, QuotaError)
    assert first.resets_at
    assert (work.found.worked_at_first, work.found.worked, work.found.doubts) == (0, 1, [])


def waits_for_authorization(work: Work) -> None:
    ended(work, first="reauthorization_needed")
    assert work.found.worked_at_first == 0
    assert work.found.doubts == []
    assert work.found.more["status"] == "active"


def resumed(work: Work) -> None:
    ended(work, first=STORE)
    assert (work.found.worked_at_first, work.found.worked, work.found.doubts) == (0, 1, [])


def one_pair(work: Work) -> None:
    assert work.found.codes[-1] == "ok", [str(error) for error in work.found.tries]
    assert "reauthorization_needed" not in work.found.codes
    assert work.found.more["refreshes"] == 1
    assert work.found.more["status"] == "active"


def pair_lost(work: Work) -> None:
    """The first use that finds it out is refused, and after linking again all is well. A database that is full for
    long is told of first."""
    if work.found.codes == [STORE, "reauthorization_needed"]:
        work.go_on(work.found.tries[-1])  # type: ignore[arg-type]
        work.attempt()
    assert "reauthorization_needed" in work.found.codes, work.found.codes
    assert work.found.codes[-1] == "ok"
    lost = next(error for error in work.found.tries if error and error.code == "reauthorization_needed")
    assert "lost" in str(lost)
    assert work.found.more["refreshes"] == 1


def next_look(work: Work) -> None:
    assert work.found.codes[-1] == "ok", [str(error) for error in work.found.tries]
    assert work.found.more["started"] == [work.found.more["made"]], (work.found.codes, work.found.more)


def delivered(work: Work) -> None:
    assert work.found.result is not None, work.found.more
    assert work.found.more["expected"].body is not None
    assert work.found.more["state"] == "delivered", work.found.more


def asked_later(work: Work) -> None:
    assert work.found.codes[-1] == "ok", [str(error) for error in work.found.tries]
    [record] = work.found.result.records
    assert record["phone_numbers"], work.found.result.warnings
    assert work.found.more["asked"] == 0, "it was paid again"
    assert work.found.more["credits"]["reserved"] == 0


def told_how(work: Work) -> None:
    assert isinstance(work, Late)
    assert work.found.codes == ["ok"]
    [record] = work.found.result.records
    assert record["id"] == work.values["id"]
    assert "Fetch it later" in " ".join(work.found.result.warnings)
    assert work.found.more["asked"] == 0


CHECKS: dict[str, Check] = {
    "done": done, "again": again, "done_over": done_over, "asked_again": asked_again, "repeated": repeated, "paid_twice": paid_twice,
    "found": found, "in_doubt": in_doubt, "refreshed": refreshed, "waits_for_quota": waits_for_quota,
    "waits_for_authorization": waits_for_authorization, "resumed": resumed, "one_pair": one_pair,
    "pair_lost": pair_lost, "next_look": next_look, "delivered": delivered, "asked_later": asked_later,
    "told_how": told_how,
}  # fmt: skip
