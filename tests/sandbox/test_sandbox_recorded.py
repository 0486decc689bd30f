"""Behaviour of Apollo that recordings and reports of live calls show and the reference pages don't."""

import pytest

NOBODY = "a" * 24


def patched(client, path, **fields):
    reply = client.api("PATCH", path, fields)
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_the_old_prefix_leads_to_the_same(shared):
    """/v1 answers as /api/v1 does, and a request is recorded under the path it came by."""
    reply = shared.send("GET", "/v1/users/api_profile", headers={"x-api-key": shared.keys["master"]})
    assert reply.json() == shared.get("/users/api_profile")
    assert "/v1/users/api_profile" in [one["path"] for one in shared.control("GET", "/requests")]
    assert shared.send("GET", "/v1/nothing").status_code == 404


def test_a_contact_cannot_be_deleted(client):
    """DELETE is 403 with the name of the route, after the credential was looked at; the contact stays."""
    own = client.contact(email="x@example.com")["id"]
    assert client.refusal("DELETE", f"/contacts/{own}") == (
        403,
        {"error": "api/v1/contacts/destroy is not accessible with this api_key", "error_code": "API_INACCESSIBLE"},
    )
    assert client.send("DELETE", f"/api/v1/contacts/{own}").json() == {"error": "Api key required"}
    assert client.get(f"/contacts/{own}")["contact"]["id"] == own


def test_a_put_does_what_a_patch_does(client):
    """Contacts, accounts and tasks take both verbs."""
    own = client.contact(email="x@example.com")["id"]
    assert client.api("PUT", f"/contacts/{own}", {"title": "CTO"}).json()["contact"]["title"] == "CTO"
    account = client.post("/accounts", name="One")["account"]["id"]
    assert client.api("PUT", f"/accounts/{account}", {"name": "Two"}).json()["account"]["name"] == "Two"


def test_a_new_contact_has_defaults(client):
    """The first stage, the acting user, a verified address of the user's own, and the company of its domain."""
    company = client.sandbox.state.world.directory.companies[11]
    made = client.contact(first_name="Ada", email=f"ada@{company.domain}")
    expected = {
        "contact_stage_id": client.ids["contact_stages"]["Cold"],
        "owner_id": client.ids["acting_admin_id"], "creator_id": client.ids["acting_admin_id"],
        "email_status": "verified", "email_true_status": "User Managed", "email_from_customer": True,
        "queued_for_crm_push": True, "custom_field_errors": {}, "existence_level": "full", "account_id": None,
        "organization_id": company.id, "organization_name": company.name,
    }  # fmt: skip
    assert {name: made[name] for name in expected} == expected
    assert client.get(f"/contacts/{made['id']}")["contact"]["queued_for_crm_push"] is None


def test_a_new_account_has_defaults(client):
    """The first stage, the acting user, and keys for an address that are there and null."""
    made = client.post("/accounts", name="One")["account"]
    assert (made["account_stage_id"], made["owner_id"]) == (
        client.ids["account_stages"]["Cold"],
        client.ids["acting_admin_id"],
    )
    assert (made["phone_status"], made["custom_field_errors"], made["domain"]) == ("no_status", {}, None)
    nulls = ("street_address", "city", "country", "twitter_url", "organization_headcount_six_month_growth")
    assert [made[name] for name in nulls] == [None] * len(nulls)


@pytest.mark.parametrize("kind", ["contact", "account"])
def test_existence_level_is_ignored(client, kind):
    """A write of it is 200 and changes nothing."""
    made = client.post(f"/{kind}s", name="One", first_name="One")[kind]
    assert patched(client, f"/{kind}s/{made['id']}", existence_level="none")[kind]["existence_level"] == "full"
    assert client.get(f"/{kind}s/{made['id']}")[kind]["id"] == made["id"]


@pytest.mark.parametrize(
    ("path", "key", "size"),
    [("/accounts/search", "accounts", 25), ("/emailer_campaigns/search", "emailer_campaigns", 25),
     ("/tasks/search", "tasks", 10)],
)  # fmt: skip
def test_the_size_of_a_page_that_nobody_asked_for(shared, path, key, size):
    """25 for accounts and sequences, 10 for tasks; paging inside an object is ignored."""
    answer = shared.post(path, pagination={"per_page": 3})
    assert answer["pagination"]["per_page"] == size
    assert len(answer[key]) == min(size, answer["pagination"]["total_entries"])


def test_sequences_are_found_by_get_as_well(shared):
    """GET finds what POST finds."""
    assert shared.get("/emailer_campaigns/search") == shared.post("/emailer_campaigns/search")


def test_contacts_by_linkedin_profile(shared):
    """The address is compared whole: another spelling of the same profile finds nobody."""
    record = next(c for c in shared.sandbox.state.world.contacts.records.values() if c["linkedin_url"])
    found = shared.post("/contacts/search", linkedin_url=record["linkedin_url"])["contacts"]
    assert [one["id"] for one in found] == [record["id"]]
    other = record["linkedin_url"].replace("http://www.", "https://")
    assert shared.post("/contacts/search", linkedin_url=other)["contacts"] == []


def test_leaving_an_unknown_sequence_is_200(client):
    """The contact comes back as it was, beside no sequence; so it does for an id that is none."""
    own = client.contact(email="x@example.com")["id"]
    for sequence in (NOBODY, "nonsense"):
        order = {"emailer_campaign_ids": [sequence], "contact_ids": [own], "mode": "remove"}
        answer = client.post("/emailer_campaigns/remove_or_stop_contact_ids", **order)
        assert ([one["id"] for one in answer["contacts"]], answer["emailer_campaigns"]) == ([own], [])


def test_types_of_lists_and_choices(shared):
    """Choices are in picklist_values alone, with an object of CRM values; a call's summary has lists."""
    fields = shared.get("/typed_custom_fields")["typed_custom_fields"]
    assert {str(one["picklist_options"]) for one in fields} == {"[]"}
    values = [value for one in fields for value in one["picklist_values"]]
    assert {str(value["mapped_crm_values"]) for value in values} == {"{}"}
    conversations = shared.sandbox.state.world.conversations.values()
    own = next(one["id"] for one in conversations if one["state"] == "insights_generated")
    shown = shared.get(f"/conversations/{own}")
    assert {type(shown["call_summary"][name]) for name in ("next_steps", "pain_points", "objections")} == {list}
    assert isinstance(shown["key_topics"]["tracker_insights"], dict)


def test_companies_tell_revenue_codes_and_growth(shared):
    """A row of the company search has them, and derived_params is an empty object."""
    answer = shared.post("/mixed_companies/search", per_page=10)
    assert answer["derived_params"] == {}
    names = ("organization_revenue", "organization_revenue_printed", "sic_codes", "naics_codes", "intent_strength")
    growth = [f"organization_headcount_{span}_month_growth" for span in ("six", "twelve", "twenty_four")]
    for row in [*answer["organizations"], *answer["accounts"]]:
        assert {*names, *growth} <= set(row)


def test_values_of_foreign_fields_are_told_or_dropped(client):
    """An id of no field, or of an account's field, isn't stored; custom_field_errors names it unless it is silent."""
    world = client.sandbox.state.world
    fields = {modality: own for own, one in world.fields.items() if (modality := one["modality"])}
    sent = {fields["account"]: "x", NOBODY: "y"}
    made = client.contact(email="x@example.com", typed_custom_fields=sent)
    assert (made["typed_custom_fields"], set(made["custom_field_errors"])) == ({}, set(sent))
    changed = patched(client, f"/contacts/{made['id']}", title="X")["contact"]
    assert changed["custom_field_errors"] == {}
    client.control("POST", "/settings", {"custom_field_errors": "silent"})
    account = client.post("/accounts", name="One", typed_custom_fields={NOBODY: "y"})["account"]
    assert (account["typed_custom_fields"], account["custom_field_errors"]) == ({}, {})


def test_bulk_creates_leave_out_what_they_cannot_make(client):
    """A contact with an unreadable address or without anything, and an account without name and domain, are absent."""
    orders = [{"first_name": "A", "email": "a@example.com"}, {"email": "nonsense"}, {"title": "CEO"}]
    answer = client.post("/contacts/bulk_create", contacts=orders)
    assert [one["first_name"] for one in answer["created_contacts"]] == ["A"]
    answer = client.post("/accounts/bulk_create", accounts=[{"phone": "+15555550100"}, {"name": "A"}])
    assert [one["name"] for one in answer["created_accounts"]] == ["A"]


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("ip_not_allowed", 403, "AUTH.AUTHORIZATION.IP_NOT_ALLOWED"),
        ("account_inactive", 403, "AUTH.AUTHENTICATION.ACCOUNT_INACTIVE"),
        ("key_expired", 401, "AUTH.AUTHENTICATION.API_KEY_EXPIRED"),
        ("no_api_access", 403, "AUTH.AUTHORIZATION.API_ACCESS_DISABLED"),
    ],
)
def test_structured_refusals_strike_one_key(client, name, status, code):
    """An ordered refusal has details since September 2026 and none before, and leaves other keys alone."""
    client.control("POST", "/faults", {"kind": "refusal", "name": name, "auth": "key:scoped"})
    assert client.api("GET", "/users/search").status_code == 200
    told, body = client.refusal("GET", "/users/search", key="scoped")
    assert (told, body["error_details"]["code"]) == (status, code)
    assert set(body["error_details"]) == {"code", "message", "suggestions", "context"}
    client.control("POST", "/settings", {"dialect": "old"})
    assert set(client.refusal("GET", "/users/search", key="scoped")[1]) == {"error"}
