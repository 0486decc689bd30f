"""Contacts one by one and in bulk, custom fields and lists."""

import pytest

from apollo_component.sandbox.app import Sandbox
from apollo_component.sandbox.state import Options

from .conftest import Client


@pytest.fixture(scope="module")
def written():
    """One sandbox for tests that only add to it."""
    return Client(Sandbox(Options()))


def ids_of(client, count):
    return list(client.sandbox.state.world.contacts.records)[:count]


def test_show(client):
    """One contact with its lists; deleted and unknown ones have their texts."""
    own = client.contact(email="x@example.com", label_names=["Newsletter"])["id"]
    answer = client.get(f"/contacts/{own}")
    assert (answer["contact"]["email"], [one["name"] for one in answer["labels"]]) == ("x@example.com", ["Newsletter"])
    client.control("POST", "/contacts/delete", {"id": own})
    assert client.refusal("GET", f"/contacts/{own}") == (422, {"error": "This contact has been deleted."})
    assert client.refusal("GET", f"/contacts/{'a' * 24}")[1] == {
        "error": "Oops! This contact does not exist in Apollo."
    }


def test_stages_and_owners_of_many(client):
    """Arrays in the query as declared; the record, its time of change and the search follow."""
    own, stage = ids_of(client, 1)[0], client.ids["contact_stages"]["Replied"]
    before = client.get(f"/contacts/{own}")["contact"]["updated_at"]
    found = client.api("POST", f"/contacts/update_stages?contact_ids[]={own}&contact_stage_id={stage}").json()
    assert found["contacts"][0]["contact_stage_id"] == stage
    assert client.get(f"/contacts/{own}")["contact"]["updated_at"] > before
    newest = client.post("/contacts/search", sort_by_field="contact_updated_at", per_page=1)["contacts"][0]
    assert newest["id"] == own
    user = client.ids["users"][2]["id"]
    owners = client.post("/contacts/update_owners", contact_ids=[own, "a" * 24], owner_id=user)
    assert owners == {"contacts": [{"id": own, "owner_id": user, "crm_owner_id": None}]}
    for path in ("/contacts/update_stages", "/contacts/update_owners"):
        assert client.refusal("POST", path, {})[1] == {"error": "Required parameter 'contact_ids' missing"}


def test_bulk_create(client):
    """Without run_dedupe all are new; with it matches come back as they are; placeholders of mails are filled."""
    orders = [
        {"first_name": "Ada", "email": "ada@x.example", "primary_title": "CEO", "title": "CTO"},
        {"first_name": "B"},
    ]
    first = client.post("/contacts/bulk_create", contacts=orders, append_label_names=["Bulk"])
    assert [c["title"] for c in first["created_contacts"]] == ["CEO", None]
    again = client.post("/contacts/bulk_create", contacts=[*orders[:1], {"email": "new@x.example"}], run_dedupe=True)
    assert [c["id"] for c in again["existing_contacts"]] == [first["created_contacts"][0]["id"]]
    assert len(again["created_contacts"]) == 1
    own = first["created_contacts"][1]["id"]
    client.control(
        "POST", "/touch", {"kind": "contact", "id": own, "fields": {"source": "email_import", "email": "b@x.example"}}
    )
    filled = client.post("/contacts/bulk_create", contacts=[{"email": "b@x.example", "title": "VP"}], run_dedupe=True)
    assert [(c["id"], c["title"]) for c in filled["existing_contacts"]] == [(own, "VP")]
    label = next(one for one in client.get("/labels") if one["name"] == "Bulk")
    assert label["cached_count"] == 2


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, 'Please provide an array of contact attributes in the "contact_attributes" parameter.'),
        ({"contacts": [{}] * 101}, "Please limit your array to 100 contacts or fewer."),
        ({"contacts": [{}], "owner_id": "a" * 24}, "The owner is not a member of your team."),
    ],
)
def test_bulk_create_refusals(shared, body, text):
    """No array, too many, and an owner from elsewhere."""
    assert shared.refusal("POST", "/contacts/bulk_create", body) == (422, {"error": text})


def test_bulk_update_at_once(client):
    """Up to 100 come back changed; visible_entity_ids limits which."""
    ids = ids_of(client, 100)
    answer = client.post("/contacts/bulk_update", contact_ids=ids, title="Chief", visible_entity_ids=ids[:2])
    assert [(c["id"], c["title"]) for c in answer["contacts"]] == [(own, "Chief") for own in ids[:2]]
    assert client.get(f"/contacts/{ids[99]}")["contact"]["title"] == "Chief"


def test_bulk_update_in_a_job(client):
    """More than 100 become a job that goes on with the clock, one record after the other."""
    ids = ids_of(client, 200)
    answer = client.post("/contacts/bulk_update", contact_ids=ids, title="Chief")
    assert set(answer) == {"entity_progress_job"}
    job = answer["entity_progress_job"]
    assert (job["job_type"], job["status"], len(job["entity_ids"])) == ("contact_bulk_update", "pending", 200)
    seen = []
    for seconds in (1.005, 1.1):
        client.wait(seconds)
        records = client.sandbox.state.world.contacts.records
        seen.append((client.control("GET", "/jobs")[0]["status"], sum(records[own]["title"] == "Chief" for own in ids)))
    assert (seen[0][0], 100 <= seen[0][1] < 200, seen[1]) == ("in_progress", True, ("completed", 200))


def test_bulk_update_refusals(shared):
    """Nothing to do, too many, and an address that cannot be one, with its details."""
    ids = ids_of(shared, 1)
    assert shared.refusal("POST", "/contacts/bulk_update", {}) == (
        422,
        {"error": "Please provide either contact_ids or contact_attributes"},
    )
    many = shared.refusal("POST", "/contacts/bulk_update", {"contact_ids": ids * 1001})
    assert many == (422, {"error": "Please limit your array to fewer than 1000."})
    wrong = shared.refusal("POST", "/contacts/bulk_update", {"contact_attributes": [{"id": ids[0], "email": "no"}]})
    assert wrong[1]["error_details"] == {"contact_id": ids[0], "field": "email", "message": "Invalid email format"}


@pytest.mark.parametrize(
    ("field", "sent", "kept"),
    [
        ("Seats", "12", 12), ("Seats", "many", None), ("VIP", "true", True), ("Renewal owner", 5, "5"),
        ("Renewal date", "2026-10-01T10:00:00Z", "2026-10-01"), ("Segment", "Startup", None), ("Seats", "", None),
    ],
)  # fmt: skip
def test_typed_values(written, field, sent, kept):
    """A custom field keeps values of its type; a picklist takes ids of its options, not their names."""
    own = written.ids["custom_fields"][field]
    made = written.contact(first_name="T", typed_custom_fields={own: sent})
    assert made["typed_custom_fields"] == {own: kept}


def test_picklists(client):
    """An option's id is kept; a removed option empties what held it, a merged one moves it."""
    own = client.ids["custom_fields"]["Segment"]
    field = next(one for one in client.get("/fields?source=custom")["fields"] if one["label"] == "Segment")
    first, second, third = field["meta"]["picklist_values"]
    made = [
        client.contact(first_name="T", typed_custom_fields={own: one["id"]})["id"] for one in (first, second, third)
    ]
    options = [{"id": third["id"], "name": "Large", "reassign_from": [second["id"]]}]
    body = {"fields": [{"id": field["id"], "meta": {"picklist_values": options}}]}
    assert client.api("PATCH", "/fields", body).status_code == 200
    values = [client.get(f"/contacts/{one}")["contact"]["typed_custom_fields"][own] for one in made]
    assert values == [None, third["id"], third["id"]]


def test_fields(client):
    """A new field is in both listings, bare and with its modality; the other kinds of source are empty or Apollo's."""
    answer = client.post("/fields", label="Budget", modality="contact", type="string", meta={"max_length": 120})
    (made,) = answer["typed_custom_fields"]
    assert (made["name"], made["text_field_max_length"]) == ("Budget", 120)
    custom = client.get("/fields?source=custom")["fields"]
    assert custom[-1]["id"] == f"contact.{made['id']}"
    assert client.get("/typed_custom_fields")["typed_custom_fields"][-1]["id"] == made["id"]
    assert client.get("/fields?source=crm_synced") == {"fields": []}
    everything = client.get("/fields")["fields"]
    assert len(everything) == len(custom) + len(client.get("/fields?source=system")["fields"])
    renamed = client.api("PATCH", "/fields", {"fields": [{"id": f"contact.{made['id']}", "label": "Money"}]}).json()
    assert (renamed["fields"][0]["label"], renamed["typed_custom_fields"][0]["name"]) == ("Money", "Money")


@pytest.mark.parametrize(
    ("name", "change", "status", "text"),
    [
        ("Seats", {"type": "string"}, 422, "Cannot change field type after creation"),
        ("Segment", {"label": "x"}, 422, "Picklist fields must have at least one option"),
        ("Renewal owner (synced)", {"label": "x"}, 422, "Child fields cannot be updated directly"),
        ("Seats", {"label": "powerup_x"}, 422,
         "Field name with prefix 'powerup_' is not allowed. Please use another name."),
        ("Seats", {"mapped_crm_field": "X"}, 403, "CRM Mapping cannot be configured using API Call"),
        (None, {}, 422, "Some fields could not be found"),
    ],
)  # fmt: skip
def test_field_refusals(shared, name, change, status, text):
    """All documented refusals of a field's update."""
    own = shared.ids["custom_fields"][name] if name else "a" * 24
    answer = shared.refusal("PATCH", "/fields", {"fields": [{"id": f"contact.{own}"} | change]})
    assert answer == (status, {"error": text})


def test_lists(client):
    """Made once per name and kind, renamed, unknown ones 404 with two texts."""
    label = client.post("/labels", name="Fresh", modality="contacts")["label"]
    assert client.post("/labels", name="Fresh", modality="accounts")["label"]["id"] != label["id"]
    taken = {"error": "Fresh already exists", "skip_alert_dialog": True}
    assert client.refusal("POST", "/labels", {"name": "Fresh", "modality": "contacts"}) == (422, taken)
    for body, text in (
        ({}, "Please enter a non-empty name!"), ({"name": "x"}, "Please enter a non-empty modality!"),
        ({"name": "x", "modality": "leads"}, "Please enter a valid modality!"),
    ):  # fmt: skip
        assert client.refusal("POST", "/labels", body) == (422, {"error": text})
    renamed = client.api("PATCH", f"/labels/{label['id']}", {"name": "Stale", "book_of_business": True}).json()["label"]
    assert (renamed["name"], renamed["book_of_business"]) == ("Stale", True)
    unknown = "a" * 24
    missing = {"message": f"Could not find label with id {unknown}", "error": "Record not found."}
    assert client.refusal("PATCH", f"/labels/{unknown}", {"name": "x"}) == (404, missing)


def test_membership(client):
    """By names of lists; counts, records and searches agree; unknown ids are ignored."""
    ids = ids_of(client, 3)
    body = {"entity_ids": [*ids, "a" * 24, "nonsense"], "label_names": ["Hot"], "modality": "contacts"}
    (label,) = client.post("/labels/add_entity_ids_to_label_names", **body)["labels"]
    assert label["cached_count"] == 3
    found = client.post("/contacts/search", contact_label_ids=[label["id"]])["contacts"]
    assert {c["id"] for c in found} == set(ids)
    body |= {"entity_ids": ids[:1]}
    (label,) = client.post("/labels/remove_entity_ids_from_label_names", **body)["labels"]
    assert label["cached_count"] == 2
    nothing = client.post("/labels/add_entity_ids_to_label_names", entity_ids=[], label_names=[], modality="contacts")
    assert nothing == {"message": "No Models or Lists provided"}
    wrong = client.refusal("POST", "/labels/add_entity_ids_to_label_names", {"modality": "leads"})
    assert wrong == (422, {"error": "Invalid modality: leads."})


def test_membership_in_a_job(client):
    """async gives the job with its parameters; later everybody is on the list."""
    ids = ids_of(client, 4)
    body = {"entity_ids": ids, "label_names": ["Hot"], "modality": "contacts", "async": True}
    job = client.post("/labels/add_entity_ids_to_label_names", **body)["entity_progress_job"]
    assert (job["job_type"], job["progress"]) == ("add_entities_to_labels", -1)
    assert job["params"] == {"modality": "contacts", "label_names": ["Hot"]}
    client.wait(2)
    assert next(one for one in client.get("/labels") if one["name"] == "Hot")["cached_count"] == 4
