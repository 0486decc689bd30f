"""A record that doesn't tell when it was made is never new."""

import pytest

from apollo_component.contract.models import Credential
from apollo_component.host.workflow.overview import overview

from .apollo_at_hand import Apollo
from .conftest import Clock
from .following import Followed

TEXT = """\
name: follow
connections: {{apollo: {{connector: apollo, use: mine}}}}
trigger: {{on: {0}}}
steps:
  - {{id: one, action: users_api_profile}}
"""
TIMES = ("opportunity_created_at", "created_at", "updated_at")


@pytest.fixture
def apollo():
    return Apollo()


@pytest.fixture
def clock(apollo):
    made = Clock()
    made.now = apollo.now
    return made


@pytest.fixture
def registry(apollo, clock):
    return apollo.registry(clock.moment)


class Follower(Followed):
    def started(self):
        return {run.inputs["trigger"]["id"] for run in self.runs()}

    def warned(self):
        [item] = overview(self.host)["workflows"]
        return item["looked"]["warnings"]


@pytest.fixture
def follow(host, apollo):
    host.connections.add("mine", "apollo", Credential("api_key", api_key=apollo.key))
    return lambda trigger, since=None: Follower(host, TEXT.format(trigger), since)


def test_deals_made_since_start_and_others_dont(follow, apollo, clock):
    """Enabled with --since only deals made after it start a run, whatever name their time has; later looks keep to it."""
    apollo.deal("Old", age=7_200)
    new, older_form = apollo.deal("New", age=60), apollo.deal("Older form", age=60)
    deals = apollo.sandbox.state.world.deals
    deals[older_form]["created_at"] = deals[older_form].pop("opportunity_created_at")
    follower = follow("deal_created", clock() - 3_600)
    follower.look()
    assert follower.started() == {new, older_form}
    apollo.deal("Seen late", age=7_200)
    follower.look()
    assert follower.started() == {new, older_form}
    assert follower.warned() == []


@pytest.mark.parametrize("trigger", ["deal_created", "contact_created", "account_created", "contact_updated"])
def test_a_record_without_time_starts_nothing_and_is_counted(follow, host, apollo, clock, trigger):
    """A missing time is never new, with --since and without; the status says how many lacked which time."""
    apollo.left_out = lambda _record: TIMES
    follower = follow(trigger, clock() - 400 * 86_400)
    follower.look()
    assert follower.started() == set()
    [warning] = follower.warned()
    assert "records have no readable time" in warning
    assert warning in " ".join(overview(host)["notes"])


def test_a_record_whose_time_comes_later_starts_then(follow, apollo):
    """What was there at the beginning stays old when its time can be read again; what was made since starts."""
    apollo.left_out = lambda _record: TIMES
    follower = follow("deal_created")
    follower.look()
    made = apollo.deal("Made meanwhile")
    follower.look()
    assert follower.started() == set()
    apollo.left_out = lambda _record: ()
    follower.look()
    assert follower.started() == {made}
    assert follower.warned() == []


def test_a_task_without_a_due_time_is_no_fault(follow, apollo):
    """Triggers that wait for a time pass over what has none without a word."""
    apollo.left_out = lambda _record: ["due_at"]
    follower = follow("task_due")
    follower.look()
    assert (follower.started(), follower.warned()) == (set(), [])
