"""Numbers and names that docs/repeats.md and docs/hub.md give are those of the code."""

import re

from apollo_component.apollo.plugin import plugin
from apollo_component.contract.models import Effect
from apollo_component.host import accounts, calls, composed, running
from apollo_component.host.workflow import backlog
from apollo_component.hub import account_choices, hub, sessions, trials, tries

from .documents import text

NUMBER = {2: "twice", 10: "ten", 12: "twelve"}


def test_the_numbers_of_repeats_are_the_codes() -> None:
    """Leases, look-ups, repeats and what is kept."""
    told = " ".join(text("docs/repeats.md").split())
    for words in (
        f"after {backlog.LEASE_SECONDS:g} seconds without a heartbeat ({running.LEASE_SECONDS:g} for a single `run`)",
        f"twice, {calls.LOOKUP_PAUSE:g} seconds apart", f"more than {calls.LOOKUP_PAUSE:g} seconds later is missed",
        f"sends it again, at most {NUMBER[calls.BILL_REPEATS]}", f"reads {composed.FIND_PAGES} pages of a search at most",
        f"made up to {calls.CLOCK_SKEW / 60:g} minutes before", f"up to {accounts.MISSES_KEPT:,} misses",
    ):  # fmt: skip
        assert words in told, words


def test_the_numbers_of_the_hub_are_the_codes() -> None:
    """Sessions, wrong links, records of a try and the logo."""
    told = " ".join(text("docs/hub.md").split())
    for words in (
        f"after {NUMBER[sessions.IDLE_SECONDS / 3600]} hours without use", f"At most {trials.MOST:,} records",
        f"up to {account_choices.LISTED} are listed", f"After {NUMBER[tries.TRIES]} wrong links within a minute", f"of at most {hub.LOGO_BYTES // 1000} kB",
    ):  # fmt: skip
        assert words in told, words
    assert tries.TRY_SECONDS == 60


def test_the_effects_in_the_table_are_the_manifests() -> None:
    """An action stands in the row of its effect; `contacts_create` in that of an upsert under its conditions."""
    rows = re.findall(
        r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", text("docs/repeats.md").partition("## The journal")[0], re.MULTILINE
    )
    told = [(effect, action) for effect, cell in rows for action in re.findall(r"`(\w+_\w+)`", cell)]
    assert {effect for effect, _ in rows} == set(Effect)
    upsert = {"run_dedupe": True, "email": "a@firm.example"}
    for effect, action in told:
        if action != "run_dedupe":
            rule = plugin.manifest.actions[action].effect
            assert rule.of(upsert if (effect, action) == ("upsert", "contacts_create") else {}) == effect, action
