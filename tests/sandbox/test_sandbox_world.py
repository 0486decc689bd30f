"""What another user does, what searches do not see yet, pages that shift, and big worlds."""

import pytest

from apollo_component.sandbox.app import Sandbox
from apollo_component.sandbox.refusals import REFUSALS
from apollo_component.sandbox.state import Options

from .conftest import Client


@pytest.fixture(scope="module")
def crowd():
    """Sixty thousand people, whom no test changes."""
    return Client(Sandbox(Options(people=60_000)))


@pytest.mark.parametrize(
    ("kind", "fields", "path", "key"),
    [
        ("contact", {"email": "new@x.example"}, "/contacts/{}", "contact"),
        ("account", {"name": "New"}, "/accounts/{}", "account"),
        ("deal", {"name": "New"}, "/opportunities/{}", "opportunity"),
        ("task", {"title": "New"}, "/tasks/{}", "task"),
    ],
)
def test_somebody_creates_and_changes_a_record(client, kind, fields, path, key):
    """A record of another user's is there for the API, and its change is seen."""
    own = client.control("POST", "/create", {"kind": kind, "fields": fields})["id"]
    assert client.get(path.format(own))[key]["id"] == own
    change = {"contact": {"title": "Changed"}, "account": {"name": "Changed"}, "deal": {"name": "Changed"},
              "task": {"title": "Changed"}}[kind]  # fmt: skip
    client.control("POST", "/touch", {"kind": kind, "id": own, "fields": change})
    assert "Changed" in client.get(path.format(own))[key].values()


def test_a_touch_moves_the_time_of_change(client):
    """The touched contact is the latest changed one; fields no update takes are set as sent."""
    own = next(iter(client.sandbox.state.world.contacts.records))
    client.control("POST", "/touch", {"kind": "contact", "id": own, "fields": {"title": "X", "city": "Oslo"}})
    newest = client.post("/contacts/search", sort_by_field="contact_updated_at", per_page=1)["contacts"][0]
    assert (newest["id"], newest["title"], newest["city"]) == (own, "X", "Oslo")
    client.control(
        "POST", "/touch", {"kind": "contact", "id": own, "fields": {"updated_at": "2020-01-01T00:00:00.000Z"}}
    )
    oldest = client.post("/contacts/search", sort_by_field="contact_updated_at", sort_ascending=True, per_page=1)
    assert oldest["contacts"][0]["id"] == own


def test_notes_calls_and_lists_are_made_by_others_too(client):
    """Kinds without an update can be created."""
    contact = next(iter(client.sandbox.state.world.contacts.records))
    note = client.control("POST", "/create", {"kind": "note", "fields": {"contact_id": contact, "content": "hey"}})
    assert client.get("/notes", contact_id=contact)["notes"][0]["id"] == note["id"]
    call = client.control("POST", "/create", {"kind": "call", "fields": {"contact_id": contact}})
    assert client.get("/phone_calls/search", per_page=1)["phone_calls"][0]["id"] == call["id"]
    label = client.control("POST", "/create", {"kind": "label", "fields": {"name": "L", "modality": "contacts"}})
    assert label["id"] in [one["id"] for one in client.get("/labels")]


@pytest.mark.parametrize(
    ("path", "order"),
    [
        ("/create", {"kind": "planet"}), ("/touch", {"kind": "contact", "id": "x"}), ("/delete", {"kind": "x", "id": ""}),
        ("/settings", {"serch_lag": 1}), ("/settings", {"bill_on": "never"}),
        ("/faults", {"kind": "refusal", "name": "x"}), ("/faults", {"kind": "duplicate", "operation": "contacts_create"}),
    ],
)  # fmt: skip
def test_orders_that_cannot_be_read(shared, path, order):
    """A test's typing error is 400."""
    assert shared.send("POST", f"/_sandbox{path}", json=order).status_code == 400


def test_a_new_record_is_found_after_the_lag(client):
    """It can be read at once; searches see it when its time has come, and the own count at once."""
    client.control("POST", "/settings", {"search_lag": 30})
    own = client.contact(email="lag@x.example")["id"]
    deal = client.post("/opportunities", name="Laggard")["opportunity"]["id"]
    assert client.get(f"/contacts/{own}")["contact"]["id"] == own
    contact, laggard = {"q_keywords": "lag@x"}, {"q_opportunity_name": "laggard"}
    for path, words, name in (("/contacts/search", contact, own), ("/opportunities/search", laggard, deal)):
        assert client.post(path, **words)["pagination"]["total_entries"] == 0, name
    assert client.control("POST", "/count?operation=contacts_search", {"q_keywords": "lag@x"})["count"] == 1
    client.wait(30)
    assert client.post("/contacts/search", q_keywords="lag@x")["contacts"][0]["id"] == own
    assert client.post("/opportunities/search", q_opportunity_name="laggard")["opportunities"][0]["id"] == deal


def test_pages_that_shift(client):
    """A share of the rows repeats the page before; the total stays, the same page is the same again."""
    client.control("POST", "/settings", {"page_repeats": 0.1})
    ids = [row["id"] for page in range(1, 21) for row in client.people(page=page)]
    assert 0.04 < 1 - len(set(ids)) / 2000 < 0.16
    assert client.post("/mixed_people/api_search", per_page=1)["total_entries"] == 2000
    assert client.people(page=3) == client.people(page=3)


def test_more_than_the_ceiling(crowd):
    """One plain search matches more than 50,000 people; the count is exact, the last page allowed is full."""
    assert crowd.control("GET", "/count?operation=people_api_search")["count"] == 60_000
    assert crowd.post("/mixed_people/api_search", per_page=1)["total_entries"] == 60_000
    assert len(crowd.people(page=500)) == 100
    status, answer = crowd.refusal("POST", "/mixed_people/api_search", {"page": 501, "per_page": 100})
    assert (status, answer["error"]) == (422, "Page * per page number is over threshold.")


def test_parts_of_a_big_search_add_up(crowd):
    """Bands of headcount split everybody without a rest."""
    bands = ["1,10", "11,50", "51,200", "201,1000", "1001,10000", "10001,"]
    parts = [crowd.post("/mixed_people/api_search", organization_num_employees_ranges=[band]) for band in bands]
    assert sum(part["total_entries"] for part in parts) == 60_000


@pytest.mark.parametrize("name", REFUSALS)
def test_documented_refusals_can_be_ordered(shared, name):
    """Whatever the world does not lead to comes by its name."""
    shared.control("POST", "/faults", {"operation": "users_search", "kind": "refusal", "name": name, "times": 1})
    refusal = REFUSALS[name]
    assert shared.refusal("GET", "/users/search") == (refusal.status, refusal.body)
    assert shared.api("GET", "/users/search").status_code == 200
