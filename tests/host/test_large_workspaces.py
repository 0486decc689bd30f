"""Records are found by their name among thousands, whether or not the service filters by it."""

import pytest

from apollo_component.apollo.plugin import plugin
from apollo_component.contract.errors import OutcomeUnknownError
from apollo_component.contract.models import Credential

from .apollo_at_hand import Apollo
from .conftest import Caller, Clock

MANY = 5_000
FILTERS = ("q_opportunity_name", "q_organization_name", "q_keywords")


@pytest.fixture(params=[False, True], ids=["filters", "ignores filters"])
def apollo(request):
    made = Apollo()
    made.ignored = set(FILTERS) if request.param else set()
    return made


@pytest.fixture
def clock(apollo):
    made = Clock()
    made.now = apollo.now
    return made


@pytest.fixture
def registry(apollo, clock):
    return apollo.registry(clock.moment)


@pytest.fixture
def caller(host, apollo):
    mine = host.connections.add("mine", "apollo", Credential("api_key", api_key=apollo.key))
    return Caller(host, mine, plugin.manifest)


def test_a_lost_deal_is_found_again(apollo, caller):
    """The answer of a create is lost: the deal is its result, and it is made once. A namesake made earlier isn't it."""
    apollo.deal("Quill, 50 seats", age=86_400)
    apollo.lose.add("opportunities_create")
    world = apollo.sandbox.state.world
    before = set(world.deals)
    apollo.deals(MANY)
    found = caller.page("opportunities_create", {"name": "Quill, 50 seats"}).value
    named = {own for own, deal in world.deals.items() if deal["name"] == "Quill, 50 seats"}
    assert named - before == {found["id"]}
    assert apollo.operations.count("opportunities_create") == 1


def test_a_lost_deal_that_tells_no_time_is_not_taken(apollo, caller):
    """Without a creation time nobody can tell whether it is the lost one: the error names it and the missing time."""
    apollo.lose.add("opportunities_create")
    apollo.left_out = lambda record: ["opportunity_created_at"] if record.get("name") == "Quill" else ()
    with pytest.raises(OutcomeUnknownError) as caught:
        caller.page("opportunities_create", {"name": "Quill"})
    own = next(own for own, deal in apollo.sandbox.state.world.deals.items() if deal["name"] == "Quill")
    assert own in caught.value.hint
    assert "opportunity_created_at or created_at" in caught.value.hint
    assert apollo.operations.count("opportunities_create") == 1


def test_a_deal_is_found_rather_than_made_again(apollo, caller):
    """Find-or-create gives the deal of that name and account, whatever else the search brings."""
    account = next(iter(apollo.sandbox.state.world.accounts))
    own = apollo.deal("Renewal", age=86_400)
    apollo.sandbox.state.world.deals[own]["account_id"] = account
    apollo.deals(MANY)
    found = caller.page("opportunities_find_or_create", {"name": "renewal", "account_id": account}).value
    assert (found["id"], found["outcome"]) == (own, "found")
    changed = caller.page("opportunities_upsert", {"name": "Renewal", "amount": "500"}, "1").value
    assert (changed["id"], changed["outcome"], changed["amount"]) == (own, "updated", 500)
    assert "opportunities_create" not in apollo.operations


def test_a_deal_of_a_new_name_is_made(apollo, caller):
    """Thousands of deals of other names are no match."""
    apollo.deals(MANY)
    made = caller.page("opportunities_upsert", {"name": "Renewal 9999"}).value
    assert (made["name"], made["outcome"]) == ("Renewal 9999", "created")


def test_contacts_and_accounts_are_told_apart_by_what_comes_back(apollo, caller):
    """A contact is found by its email and an account by its name, also when the search gives all of them."""
    world = apollo.sandbox.state.world
    contact = next(one for one in world.contacts.records.values() if one["email"])
    found = caller.page("contacts_find_or_create", {"email": contact["email"].upper()}).value
    assert (found["id"], found["outcome"]) == (contact["id"], "found")
    account = next(iter(world.accounts.values()))
    found = caller.page("accounts_find_or_create", {"name": account["name"]}, "1").value
    assert (found["id"], found["outcome"]) == (account["id"], "found")
