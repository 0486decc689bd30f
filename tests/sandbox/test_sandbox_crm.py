"""Contacts, accounts, deals, sequences, users and mailboxes."""

import pytest

ADA = {"first_name": "Ada", "last_name": "Sands", "email": "ada.sands@example.com", "organization_name": "Sandworks"}


def add(client, sequence="Founder outreach", **body):
    own = client.ids["sequences"][sequence]
    body = {"emailer_campaign_id": own, "send_email_from_email_account_id": client.ids["mailbox_id"]} | body
    return client.api("POST", f"/emailer_campaigns/{own}/add_contact_ids", body)


def test_create_always_creates_without_run_dedupe(client):
    """Two equal creates are two contacts of the acting admin."""
    first, second = client.contact(**ADA), client.contact(**ADA)
    assert first["id"] != second["id"]
    assert first["owner_id"] == client.ids["acting_admin_id"]
    assert (first["source"], first["name"], first["email_status"]) == ("api", "Ada Sands", "verified")
    assert client.control("GET", f"/contacts?email={ADA['email']}")["total"] == 2


def test_run_dedupe_upserts_in_place(client):
    """Sent fields overwrite, empty ones clear, omitted ones stay, and the match is told."""
    old = client.contact(**ADA, title="Founder", direct_phone="555 555 0100")
    answer = client.post("/contacts", run_dedupe=True, email=ADA["email"].upper(), title="", last_name="Dune")
    assert answer["contact"]["id"] == old["id"]
    assert answer["dedupe_result"] == {
        "found_existing": True,
        "match_reason": "email_match",
        "existing_contact_id": old["id"],
    }
    changed = answer["contact"]
    assert (changed["title"], changed["name"], changed["organization_name"]) == (None, "Ada Dune", "Sandworks")
    assert changed["sanitized_phone"] == "+15555550100"


def test_run_dedupe_without_a_match_creates(client):
    """Nothing found: a new contact and no dedupe_result."""
    answer = client.post("/contacts", run_dedupe=True, **ADA)
    assert "dedupe_result" not in answer
    assert client.control("GET", "/state")["contacts"] == 1001


def test_dedupe_order(client):
    """A contact's id goes before its address, and name with company comes last."""
    first = client.contact(**ADA)
    second = client.contact(**(ADA | {"email": "other@example.com", "first_name": "Bea"}))
    by_id = client.post("/contacts", run_dedupe=True, id=second["id"], email=ADA["email"])
    assert by_id["dedupe_result"]["existing_contact_id"] == second["id"]
    by_name = client.post(
        "/contacts", run_dedupe=True, first_name="ada", last_name="SANDS", organization_name="sandworks"
    )
    assert by_name["dedupe_result"]["existing_contact_id"] == first["id"]


def test_contacts_from_the_world_are_found_again(client, sandbox):
    """Many people of the world are contacts already, so an upsert of one changes no count."""
    contact = next(c for c in sandbox.state.world.contacts.records.values() if c["person_id"] and c["email"])
    answer = client.post("/contacts", run_dedupe=True, email=contact["email"], title="New title")
    assert answer["contact"]["id"] == contact["id"]
    assert client.control("GET", "/state")["contacts"] == 1000


def test_update(client):
    """PATCH changes what is sent; lists are replaced and missing ones made."""
    own = client.contact(**ADA, label_names=["Newsletter"])["id"]
    answer = client.api("PATCH", f"/contacts/{own}", {"title": "CTO", "label_names": ["Fresh list"]}).json()
    assert (answer["contact"]["title"], answer["contact"]["email"]) == ("CTO", ADA["email"])
    assert [label["name"] for label in answer["labels"]] == ["Fresh list"]
    assert answer["labels"][0]["cached_count"] == 1


def test_update_refusals(client):
    """A malformed id, an unknown contact and a deleted one are three texts of 422."""
    own = client.contact(**ADA)["id"]
    bad = client.api("PATCH", "/contacts/12345", {"title": "x"})
    assert (bad.status_code, bad.json()["error"]) == (422, "Parameters misconfigured. 12345 is not a valid ID")
    assert client.api("PATCH", f"/contacts/{own}", {"account_id": "zz"}).status_code == 422
    assert client.api("PATCH", f"/contacts/{'a' * 24}", {}).status_code == 422
    client.control("POST", "/contacts/delete", {"id": own})
    gone = client.api("PATCH", f"/contacts/{own}", {"title": "x"}).json()
    assert gone == {"error": "Cannot update contact as it is deleted.", "deleted_contact_ids": [own]}


def test_contact_search(client):
    """Keywords, stages, sorting and pages work, and the baggage is there."""
    client.contact(**ADA)
    answer = client.post("/contacts/search", q_keywords="sandworks ada", per_page=5)
    assert [c["email"] for c in answer["contacts"]] == [ADA["email"]]
    assert answer["pagination"] == {"page": 1, "per_page": 5, "total_entries": 1, "total_pages": 1}
    assert answer["partial_results_limit"] == 10000
    assert answer["breadcrumbs"][0]["signal_field_name"] == "q_keywords"
    newest = client.post("/contacts/search", sort_by_field="contact_created_at", per_page=1)["contacts"][0]
    assert newest["email"] == ADA["email"]
    staged = client.post("/contacts/search", contact_stage_ids=[client.ids["contact_stages"]["Cold"]])
    assert 0 < staged["pagination"]["total_entries"] < 1001


def test_accounts_search(shared):
    """By name; an unknown sort is 422."""
    every = shared.post("/accounts/search", per_page=100)
    assert every["pagination"]["total_entries"] == 150
    name = every["accounts"][0]["name"]
    assert shared.post("/accounts/search", q_organization_name=name[1:].upper())["accounts"][0]["name"] == name
    reply = shared.api("POST", "/accounts/search", {"sort_by_field": "size"})
    assert reply.json() == {"error": "Invalid sort criteria", "skip_alert_dialog": True}


@pytest.mark.parametrize(("amount", "stored"), [("25000", 25000), ("25,000", None), ("$5", None)])
def test_deal_amounts(shared, amount, stored):
    """Digits become a number; a comma or a symbol blanks the amount."""
    deal = shared.post("/opportunities", name="Big one", amount=amount)["opportunity"]
    assert deal["amount"] == stored


def test_deals(client):
    """A name is required, ids are checked, and search finds by filter with either verb."""
    assert client.api("POST", "/opportunities", {}).json() == {"error": "Name is required"}
    assert client.api("POST", "/opportunities", {"name": "x", "account_id": "12345"}).status_code == 422
    made = client.post(
        "/opportunities", name="Quite unique", opportunity_stage_id=client.ids["deal_stages"]["Closed Won"]
    )
    assert made["opportunity"]["is_won"] is True
    by_get = client.api("GET", "/opportunities/search?q_opportunity_name=quite+unique").json()
    assert by_get["opportunities"][0]["id"] == made["opportunity"]["id"]
    assert by_get == client.post("/opportunities/search", q_opportunity_name="quite unique")
    assert by_get["salesforce_users"] == []


def test_deals_are_filtered_by_name_and_stages_alone(shared):
    """Words of the name and any of several stages filter; all other filters give every deal."""
    every = shared.post("/opportunities/search")
    first, stages = every["opportunities"][0], shared.ids["deal_stages"]
    assert (len(every["opportunities"]), every["pagination"]["per_page"]) == (25, 25)
    among = shared.post("/opportunities/search", opportunity_stage_ids=[stages["Closed Won"], stages["Closed Lost"]])
    assert {deal["is_closed"] for deal in among["opportunities"]} == {True}
    named = shared.post("/opportunities/search", q_opportunity_name=first["name"].upper())["opportunities"]
    assert {deal["name"] for deal in named} == {first["name"]}
    ignored = {"q_keywords": "xqzv", "opportunity_stage_id": stages["Closed Won"], "account_id": first["account_id"]}
    assert shared.post("/opportunities/search", **ignored)["pagination"] == every["pagination"]


def test_deals_are_sorted_either_way(shared):
    """The largest amount comes first, or last when the order is turned around."""
    largest = shared.post("/opportunities/search", sort_by_field="amount", per_page=100)["opportunities"]
    smallest = shared.post("/opportunities/search", sort_by_field="amount", sort_ascending=True, per_page=100)
    amounts = [float(deal["amount"] or 0) for deal in largest]
    assert amounts == sorted(amounts, reverse=True)
    assert float(smallest["opportunities"][0]["amount"] or 0) == amounts[-1]


def test_a_new_deal_has_no_stage_owner_or_account(client):
    """It has a pipeline, no created_at and existence_level none; read later the level is full."""
    made = client.post("/opportunities", name="Bare")["opportunity"]
    empty = ("owner_id", "opportunity_stage_id", "is_closed", "is_won", "amount", "closed_date", "probability")
    assert {made[name] for name in empty} == {None}
    assert (made["forecasted_revenue"], made["existence_level"], bool(made["opportunity_pipeline_id"])) == (
        0,
        "none",
        True,
    )
    read = client.get(f"/opportunities/{made['id']}")["opportunity"]
    assert read["existence_level"] == "full"
    assert read["opportunity_created_at"] == made["opportunity_created_at"]
    assert not {"created_at", "account"} & (set(made) | set(read))


def test_a_deal_is_closed_by_its_stage_alone(client):
    """A sent is_closed is a 200 that changes nothing."""
    own = client.post("/opportunities", name="Open")["opportunity"]["id"]
    changed = client.api("PATCH", f"/opportunities/{own}", {"is_closed": True}).json()["opportunity"]
    assert changed["is_closed"] is None
    assert client.get(f"/opportunities/{own}")["opportunity"]["is_closed"] is None


def test_an_account_stands_in_deals_that_have_one(client):
    """In lists and alone it is there in full; the answer of the create lacks it."""
    account = client.post("/accounts/search")["accounts"][0]["id"]
    made = client.post("/opportunities", name="With account", account_id=account)["opportunity"]
    listed = client.post("/opportunities/search", q_opportunity_name="With account")["opportunities"][0]
    shown = client.get(f"/opportunities/{made['id']}")["opportunity"]
    assert (listed["account"]["id"], shown["account"]["id"], "account" in made) == (account, account, False)


def test_sequences_are_found_by_name(shared):
    """q_name is a substring; statistics may be the text "loading"."""
    answer = shared.post("/emailer_campaigns/search", q_name="founder")
    assert [s["name"] for s in answer["emailer_campaigns"]] == ["Founder outreach"]
    every = shared.post("/emailer_campaigns/search", per_page=100)["emailer_campaigns"]
    assert {s["active"] for s in every} == {True, False}
    assert "loading" in {s["unique_delivered"] for s in every}


def test_enrolling_shows_on_the_contact_and_in_the_counts(client):
    """An enrolled contact names its sequence, and the sequence counts one more."""
    own = client.contact(**ADA)["id"]
    answer = add(client, contact_ids=[own]).json()
    assert answer["skipped_contact_ids"] == {}
    contact = answer["contacts"][0]
    assert contact["emailer_campaign_ids"] == [client.ids["sequences"]["Founder outreach"]]
    assert contact["contact_campaign_statuses"][0]["status"] == "active"
    assert answer["emailer_campaign"]["contact_statuses"]["active"] == 1
    again = add(client, contact_ids=[own]).json()
    assert again["skipped_contact_ids"] == {own: "contacts_already_exists_in_current_campaign"}
    assert client.control("GET", "/state")["enrolled"]["Founder outreach"] == 1


def test_an_inactive_sequence_enrolls_paused(client):
    """The status says why nothing is sent."""
    own = client.contact(**ADA)["id"]
    contact = add(client, "Partner introduction", contact_ids=[own]).json()["contacts"][0]
    status = contact["contact_campaign_statuses"][0]
    assert (status["status"], status["inactive_reason"]) == ("paused", "Sequence inactive")


def touched(client, **fields):
    own = client.contact(first_name="T", email=f"{next(iter(fields))}@example.com")["id"]
    client.control("POST", "/touch", {"kind": "contact", "id": own, "fields": fields})
    return own


def test_skip_reasons_and_the_flags_that_lift_them(client, sandbox):
    """Each documented reason is given with 200, and its flag lifts it."""
    records = sandbox.state.world.contacts.records.values()
    unverified = next(c["id"] for c in records if c["email_status"] == "unverified" and not c["account_id"])
    account = next(iter(sandbox.state.world.accounts))
    add(client, contact_ids=[client.contact(**ADA, account_id=account)["id"]])
    busy = client.contact(first_name="Busy", email="busy@example.com")["id"]
    add(client, "Win-back", contact_ids=[busy])
    cases = {
        client.contact(first_name="No", last_name="Mail")["id"]: ("contacts_without_email", "sequence_no_email"),
        unverified: ("contacts_unverified_email", "sequence_unverified_email"),
        touched(client, email_status="unverified"): (
            "contacts_with_unverified_user_managed_email",
            "contact_verification_skipped",
        ),
        touched(client, contact_job_change_event={"id": "a" * 24}): ("contacts_with_job_change", "sequence_job_change"),
        touched(client, has_pending_email_arcgate_request=True): ("contacts_in_pending_state", "add_if_in_queue"),
        busy: ("contacts_active_in_other_campaigns", "sequence_active_in_other_campaigns"),
        client.contact(email="colleague@example.com", account_id=account)["id"]: (
            "contacts_in_same_company",
            "sequence_same_company_in_same_campaign",
        ),
        "b" * 24: ("contact_not_found", None),
    }
    answer = add(client, contact_ids=list(cases)).json()
    assert answer["skipped_contact_ids"] == {own: reason for own, (reason, _) in cases.items()}
    flags = {flag: True for _, flag in cases.values() if flag}
    lifted = add(client, contact_ids=list(cases), **flags).json()
    assert lifted["skipped_contact_ids"] == {"b" * 24: "contact_not_found"}


def test_enrolling_by_list(client):
    """label_names[] enrolls every contact of the lists."""
    own = client.contact(**ADA, label_names=["Fresh"])["id"]
    sequence = client.ids["sequences"]["Founder outreach"]
    box = client.ids["mailbox_id"]
    query = f"emailer_campaign_id={sequence}&label_names[]=Fresh&send_email_from_email_account_id={box}"
    answer = client.api("POST", f"/emailer_campaigns/{sequence}/add_contact_ids?{query}").json()
    assert [c["id"] for c in answer["contacts"]] == [own]


def test_enrolling_refusals(shared):
    """The four documented texts of 422."""
    ids = {"contact_ids": ["c" * 24]}
    box = shared.ids["inactive_mailbox_id"]
    aggregate = shared.ids["aggregate_mailbox_id"]
    missing = "Please specify a emailer_campaign_id and send_email_from_email_account_id."
    cases = [
        ({}, "Please specify either contact_ids or label_names."),
        (ids | {"emailer_campaign_id": ""}, missing),
        (ids | {"send_email_from_email_account_id": None}, missing),
        (ids | {"send_email_from_email_account_id": box}, "These mailboxes are no longer active. ines.park@"),
        (ids | {"send_email_from_email_account_id": aggregate}, "Aggregate accounts are not supported"),
    ]
    for body, text in cases:
        reply = add(shared, **body)
        assert reply.status_code == 422
        assert reply.json()["error"].startswith(text)


def test_users_and_mailboxes(shared):
    """User pages are numbered as they were asked for, 25 when not; mailboxes come whole, one of them inactive."""
    answer = shared.api("GET", "/users/search?page=1&per_page=2").json()
    assert answer["pagination"] == {"page": "1", "per_page": "2", "total_entries": 3, "total_pages": 2}
    bare = shared.api("GET", "/users/search?page=1").json()
    assert bare["pagination"] == {"page": "1", "per_page": 25, "total_entries": 3, "total_pages": 1}
    assert bare["users"][0]["data_request_emails"] is False
    assert shared.post("/users/search", q_keywords="theo")["users"][0]["first_name"] == "Theo"
    boxes = shared.api("GET", "/email_accounts").json()["email_accounts"]
    assert [box["active"] for box in boxes] == [True, True, False]


def test_no_address_outside_the_example_domains(shared):
    """Nothing made up could reach a real person."""
    world = shared.sandbox.state.world
    addresses = [*world.directory.by_email, *(c["email"] for c in world.contacts.records.values() if c["email"])]
    addresses += [user["email"] for user in world.users]
    assert all(address.endswith((".example", "@example.com")) for address in addresses)
    verified = sum(p.email_status == "verified" for p in world.directory.people)
    assert 0.80 < verified / 2000 < 0.90
