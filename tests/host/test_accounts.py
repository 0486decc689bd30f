"""What a run keeps of what was asked for and what came of it."""

from apollo_component.host.accounts import MISSES_KEPT, accounts_of


def test_so_many_misses_are_kept_by_name_and_all_are_counted():
    """Beyond a thousand they are counted only; what was asked is given, not found or missed."""
    named = [{"item": str(number), "reason": ""} for number in range(MISSES_KEPT + 5)]
    told = accounts_of(2_000, 900, 95, len(named), named)
    assert told["asked"] == told["given"] + told["not_found"] + told["missed"]
    assert (told["missed"], told["misses"]) == (MISSES_KEPT + 5, named[:MISSES_KEPT])
