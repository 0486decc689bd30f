"""Accounts and deals: writing, bulk, owners, stages."""


def account(client, **fields):
    return client.post("/accounts", **fields)["account"]


def test_create_never_looks_for_a_duplicate(client):
    """The same domain twice is two accounts of the acting user in the first stage; no time of change is told."""
    made = [account(client, name="Acme", domain="https://www.acme.example/", phone="555 555 0100") for _ in "ab"]
    assert made[0]["id"] != made[1]["id"]
    assert (made[0]["domain"], made[0]["sanitized_phone"]) == ("acme.example", "+15555550100")
    assert made[0]["account_stage_id"] == client.ids["account_stages"]["Cold"]
    assert (made[0]["owner_id"], "updated_at" in made[0]) == (client.ids["acting_admin_id"], False)
    assert client.refusal("POST", "/accounts", {}) == (422, {"error": "Please specify at least a name or domain."})


def test_update_and_show(client):
    """A stage and a field change show in the record; show adds what is known of the company."""
    first = client.sandbox.state.world.directory.companies[0]
    own = client.post("/accounts/search", q_organization_name=first.name)["accounts"][0]["id"]
    stage, field = client.ids["account_stages"]["Current Client"], client.ids["custom_fields"]["Contract value"]
    body = {"account_stage_id": stage, "typed_custom_fields": {field: "1200"}}
    changed = client.api("PATCH", f"/accounts/{own}", body).json()["account"]
    assert (changed["account_stage_id"], changed["typed_custom_fields"]) == (stage, {field: 1200})
    shown = client.get(f"/accounts/{own}")
    assert (shown["account"]["account_stage_id"], shown["salesforce_users"]) == (stage, [])
    assert (shown["account"]["id"], shown["account"]["primary_domain"]) == (own, first.domain)
    assert client.refusal("GET", "/accounts/12")[1] == {"error": "Parameters misconfigured. 12 is not a valid ID"}


def test_a_deleted_account_is_told(client):
    """Somebody deleted it: 422 with its own text."""
    own = account(client, name="Gone")["id"]
    client.control("POST", "/delete", {"kind": "account", "id": own})
    assert client.refusal("GET", f"/accounts/{own}") == (422, {"error": "This account has been deleted!"})


def test_sorting_by_a_time_that_is_not_told(client):
    """account_updated_at sorts by the last change although no answer carries it."""
    last = client.post("/accounts/search", sort_by_field="account_updated_at", sort_ascending=True, per_page=1)
    own = last["accounts"][0]["id"]
    client.api("PATCH", f"/accounts/{own}", {"name": "Changed just now"})
    newest = client.post("/accounts/search", sort_by_field="account_updated_at", per_page=1)["accounts"][0]
    assert (newest["id"], newest["name"], "updated_at" in newest) == (own, "Changed just now", False)


def test_bulk_create(client):
    """CRM ids always match, domain and name with run_dedupe; lists are added to all; sizes are refused."""
    old = account(client, name="Acme", domain="acme.example")
    orders = [{"name": "Acme"}, {"name": "Beta", "salesforce_id": "S1"}]
    first = client.post("/accounts/bulk_create", accounts=orders, append_label_names=["Fresh"])
    assert (len(first["created_accounts"]), first["existing_accounts"]) == (2, [])
    second = client.post("/accounts/bulk_create", accounts=[{"salesforce_id": "S1"}])
    assert [a["name"] for a in second["existing_accounts"]] == ["Beta"]
    third = client.post(
        "/accounts/bulk_create", accounts=[{"domain": "acme.example", "name": "Other"}], run_dedupe=True
    )
    assert [(a["id"], a["name"]) for a in third["existing_accounts"]] == [(old["id"], "Acme")]
    label = next(one for one in client.get("/labels") if one["name"] == "Fresh")
    assert (label["modality"], label["cached_count"]) == ("accounts", 2)
    wrong = client.refusal("POST", "/accounts/bulk_create", {})
    assert wrong[1]["error"] == 'Please provide an array of account attributes in the "accounts" parameter.'
    many = client.refusal("POST", "/accounts/bulk_create", {"accounts": [{"name": "x"}] * 101})
    assert many == (422, {"error": "Please limit your array to 100 accounts or fewer."})


def test_bulk_update(client):
    """Shared or single values; the answer has ids and changed fields; async is for account_ids alone."""
    ids = [a["id"] for a in client.post("/accounts/search", per_page=3)["accounts"]]
    stage = client.ids["account_stages"]["Dead Opportunity"]
    answer = client.post("/accounts/bulk_update", account_ids=ids, account_stage_id=stage)
    assert answer == {"accounts": [{"id": own, "account_stage_id": stage} for own in ids]}
    client.post("/accounts/bulk_update", account_attributes=[{"id": ids[0], "name": "Solo"}])
    assert client.get(f"/accounts/{ids[0]}")["account"]["name"] == "Solo"
    body = {"account_attributes": [{"id": ids[0], "name": "x"}], "async": True}
    assert client.refusal("POST", "/accounts/bulk_update", body) == (
        422,
        {"error": "Async processing is not permitted."},
    )
    job = client.post("/accounts/bulk_update", account_ids=ids, name="Later", **{"async": True})["entity_progress_job"]
    assert job["status"] == "pending"
    assert client.get(f"/accounts/{ids[1]}")["account"]["name"] != "Later"
    client.wait(2)
    assert client.get(f"/accounts/{ids[1]}")["account"]["name"] == "Later"
    many = client.refusal("POST", "/accounts/bulk_update", {"account_ids": ids * 400})
    assert many == (422, {"error": "Please limit your array to fewer than 1000."})


def test_owners(client):
    """Ids and owner are needed, in the query as declared; the answer is short."""
    own, user = next(iter(client.sandbox.state.world.accounts)), client.ids["users"][1]["id"]
    answer = client.api("POST", f"/accounts/update_owners?account_ids[]={own}&owner_id={user}").json()
    assert answer == {"accounts": [{"id": own, "owner_id": user, "crm_owner_id": None}]}
    assert client.refusal("POST", "/accounts/update_owners", {})[1] == {
        "error": "Required parameter 'account_ids' missing"
    }
    assert client.refusal("POST", "/accounts/update_owners", {"account_ids": [own]})[1] == {
        "error": "Required parameter 'owner_id' missing"
    }


def test_stages_of_everything(shared):
    """Stages of contacts, accounts and deals come whole, in their order."""
    for path, key in (
        ("/contact_stages", "contact_stages"), ("/account_stages", "account_stages"),
        ("/opportunity_stages", "opportunity_stages"),
    ):  # fmt: skip
        stages = shared.get(path)[key]
        assert [stage["display_order"] for stage in stages] == list(range(len(stages)))
    won = next(stage for stage in shared.get("/opportunity_stages")["opportunity_stages"] if stage["is_won"])
    assert (won["is_closed"], won["probability"]) == (True, 100)


def test_a_deal_moves_through_its_stages(client):
    """An update takes name and end of the stage along; unknown deals are 404 on reading and 422 on writing."""
    own = client.post("/opportunities", name="Big", amount="100")["opportunity"]["id"]
    won, field = client.ids["deal_stages"]["Closed Won"], client.ids["custom_fields"]["Procurement route"]
    body = {"opportunity_stage_id": won, "amount": "1,000", "typed_custom_fields": {field: "tender"}}
    deal = client.api("PATCH", f"/opportunities/{own}", body).json()["opportunity"]
    assert (deal["stage_name"], deal["is_won"], deal["amount"]) == ("Closed Won", True, None)
    shown = client.get(f"/opportunities/{own}")["opportunity"]
    assert (shown["opportunity_stage_id"], shown["typed_custom_fields"]) == (won, {field: "tender"})
    assert (shown["num_contacts"], "updated_at" in shown) == (0, False)
    assert shown["stage_updated_at"] > shown["opportunity_created_at"][:-1]
    assert client.refusal("GET", f"/opportunities/{'a' * 24}") == (404, {"status": 404, "error": "Not Found"})
    assert client.refusal("PATCH", f"/opportunities/{'a' * 24}", {})[1] == {"error": "Opportunity does not exist."}


def test_deals_of_a_contact(shared):
    """Those it has a role in; an unknown contact has none."""
    deal = next(d for d in shared.sandbox.state.world.deals.values() if d["opportunity_contact_roles"])
    contact = deal["opportunity_contact_roles"][0]["contact_id"]
    found = shared.post(f"/contacts/{contact}/opportunities")["opportunities"]
    assert deal["id"] in [one["id"] for one in found]
    assert shared.post(f"/contacts/{'a' * 24}/opportunities") == {"opportunities": []}


def test_roles_in_a_deal_are_lists(shared):
    """A contact's role is a list of objects, with contact_id beside it."""
    deal = next(d for d in shared.sandbox.state.world.deals.values() if d["opportunity_contact_roles"])
    role = deal["opportunity_contact_roles"][0]
    assert role["contact_id"] == role["contact"]["id"]
    assert set(role["role"][0]) == {"opportunity_contact_role_type_id", "crm_role_id", "is_primary", "crm_id"}
