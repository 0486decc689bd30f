"""One world, not 83 answers: what one operation changes shows in all the others, and counts add up."""

from collections import Counter

import pytest

from apollo_component.sandbox.clock import Clock


class Stopped(Clock):
    """A clock at which everything happens in the same millisecond."""

    def now(self):
        return 1_795_000_000.0004 + self.offset


@pytest.fixture
def stopped(client):
    """No time passes between two requests."""
    client.sandbox.state.clock = Stopped()
    return client


def patch(client, path, **body):
    reply = client.api("PATCH", path, body)
    assert reply.status_code == 200, reply.text
    return reply.json()


def everything(client, path, key, **filters):
    """All records of a search by POST, page by page."""
    found, page = [], 1
    while True:
        answer = client.post(path, per_page=100, page=page, **filters)
        found += answer[key]
        if page >= answer["pagination"]["total_pages"]:
            assert len(found) == answer["pagination"]["total_entries"]
            return found
        page += 1


def mailable(client):
    """A contact that is in no sequence and may be mailed, with an account."""
    return next(
        contact
        for contact in client.sandbox.state.world.contacts.records.values()
        if contact["email_status"] == "verified" and contact["account_id"] and not contact["emailer_campaign_ids"]
    )["id"]


def stage(client):
    return client.ids["contact_stages"]["Interested"]


def sequence(client):
    return client.ids["sequences"]["Founder outreach"]


def enroll(client, *contacts):
    own = sequence(client)
    return client.post(
        f"/emailer_campaigns/{own}/add_contact_ids", emailer_campaign_id=own, contact_ids=list(contacts),
        send_email_from_email_account_id=client.ids["mailbox_id"],
    )  # fmt: skip


def task(client, contact):
    made = client.post("/tasks", user_id=client.ids["users"][0]["id"], contact_id=contact, type="call")
    return made["task"]["id"]


# Times of change


CHANGES = {
    "a field": lambda c, own: patch(c, f"/contacts/{own}", title="Changed"),
    "the same value": lambda c, own: patch(c, f"/contacts/{own}", title="Changed"),
    "the stage": lambda c, own: c.post("/contacts/update_stages", contact_ids=[own], contact_stage_id=stage(c)),
    "the owner": lambda c, own: c.post("/contacts/update_owners", contact_ids=[own], owner_id=c.ids["users"][1]["id"]),
    "many at once": lambda c, own: c.post("/contacts/bulk_update", contact_ids=[own], title="Bulk"),
    "an upsert": lambda c, own: c.post(
        "/contacts", run_dedupe=True, title="Upsert", email=c.get(f"/contacts/{own}")["contact"]["email"]
    ),
    "onto a list": lambda c, own: c.post(
        "/labels/add_entity_ids_to_label_names", entity_ids=[own], label_names=["New"], modality="contacts"
    ),
    "off a list": lambda c, own: c.post(
        "/labels/remove_entity_ids_from_label_names", entity_ids=[own], label_names=["New"], modality="contacts"
    ),
    "into a sequence": enroll,
    "what it did": lambda c, own: c.control(
        "POST", "/activity", {"contact_id": own, "sequence_id": sequence(c), "type": "opened"}
    ),
    "out of a sequence": lambda c, own: c.post(
        "/emailer_campaigns/remove_or_stop_contact_ids",
        contact_ids=[own],
        emailer_campaign_ids=[sequence(c)],
        mode="remove",
    ),
    "a call": lambda c, own: c.post("/phone_calls", contact_id=own, status="completed", logged=True),
    "a done task": lambda c, own: c.post(f"/tasks/{task(c, own)}/complete"),
    "by somebody else": lambda c, own: c.control(
        "POST", "/touch", {"kind": "contact", "id": own, "fields": {"city": "Oslo"}}
    ),
}


def test_every_change_of_a_contact_moves_its_time(stopped):
    """Even in one millisecond two changes have two times, always later ones, and the newest change comes first."""
    own = mailable(stopped)
    times = [stopped.get(f"/contacts/{own}")["contact"]["updated_at"]]
    for name, change in CHANGES.items():
        change(stopped, own)
        times.append(stopped.get(f"/contacts/{own}")["contact"]["updated_at"])
        assert times[-1] > times[-2], name
    newest = stopped.post("/contacts/search", sort_by_field="contact_updated_at", per_page=1)["contacts"][0]
    assert (newest["id"], newest["updated_at"]) == (own, times[-1])


def test_a_new_contact_has_not_changed_yet(client):
    """A create tells one time, a later update another."""
    made = client.contact(first_name="New", email="new@x.example", label_names=["Fresh"])
    assert made["created_at"] == made["updated_at"]
    assert patch(client, f"/contacts/{made['id']}", title="X")["contact"]["updated_at"] > made["created_at"]


@pytest.mark.parametrize(
    ("path", "key", "field"),
    [
        ("/contacts/search", "contacts", "contact_created_at"), ("/contacts/search", "contacts", "contact_updated_at"),
        ("/accounts/search", "accounts", "account_created_at"), ("/accounts/search", "accounts", "account_updated_at"),
    ],
)  # fmt: skip
def test_a_search_sorts_by_time_in_both_directions(shared, path, key, field):
    """The newest first unless sort_ascending; one direction is the other one backwards, page by page."""
    falling = everything(shared, path, key, sort_by_field=field)
    rising = everything(shared, path, key, sort_by_field=field, sort_ascending=True)
    assert [one["id"] for one in rising] == [one["id"] for one in reversed(falling)]
    world = shared.sandbox.state.world
    stored = world.contacts.records if key == "contacts" else world.accounts
    name = field.partition("_")[2]
    times = [stored[one["id"]][name][:23] for one in rising]
    assert times == sorted(times)
    assert len(falling) == len({one["id"] for one in falling}) == len(stored)


ACCOUNT_CHANGES = {
    "a field": lambda c, own: patch(c, f"/accounts/{own}", name="Changed"),
    "the stage": lambda c, own: c.post(
        "/accounts/bulk_update", account_ids=[own], account_stage_id=c.ids["account_stages"]["Current Client"]
    ),
    "the owner": lambda c, own: c.post(
        "/accounts/update_owners", account_ids=[own], owner_id=c.ids["users"][2]["id"]
    ),
    "onto a list": lambda c, own: c.post(
        "/labels/add_entity_ids_to_label_names", entity_ids=[own], label_names=["New"], modality="accounts"
    ),
    "by somebody else": lambda c, own: c.control(
        "POST", "/touch", {"kind": "account", "id": own, "fields": {"phone": "+49 30 1"}}
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", ACCOUNT_CHANGES)
def test_a_changed_account_comes_first(client, change):
    """Though no answer tells when it changed, the order by account_updated_at does."""
    search = {"sort_by_field": "account_updated_at", "per_page": 2}
    last = everything(client, "/accounts/search", "accounts", sort_by_field="account_updated_at")[-1]["id"]
    before = client.post("/accounts/search", **search)["accounts"][0]["id"]
    ACCOUNT_CHANGES[change](client, last)
    rows = client.post("/accounts/search", **search)["accounts"]
    assert [row["id"] for row in rows] == [last, before]
    assert not any("updated_at" in row for row in rows)


# Records that are there at once


def test_searches_list_new_records_at_once(client):
    """Each new record is the first of its search, and the total counts it."""
    contact, user = mailable(client), client.ids["users"][0]["id"]
    searches = {
        "contact": (lambda: client.contact(first_name="N")["id"], "POST", "/contacts/search", "contacts"),
        "account": (lambda: client.post("/accounts", name="N")["account"]["id"], "POST", "/accounts/search", "accounts"),
        "deal": (
            lambda: client.post("/opportunities", name="N")["opportunity"]["id"],
            "GET", "/opportunities/search", "opportunities",
        ),
        "task": (lambda: task(client, contact), "POST", "/tasks/search", "tasks"),
        "call": (
            lambda: client.post("/phone_calls", contact_id=contact, user_id=[user])["phone_call"]["id"],
            "GET", "/phone_calls/search", "phone_calls",
        ),
    }  # fmt: skip
    for kind, (make, verb, path, key) in searches.items():
        before = _first(client, verb, path)["pagination"]["total_entries"]
        own = make()
        answer = _first(client, verb, path)
        assert (answer[key][0]["id"], answer["pagination"]["total_entries"]) == (own, before + 1), kind
    draft = client.post("/emailer_messages", contact_id=contact, subject="N")["emailer_message"]["id"]
    assert client.get("/emailer_messages/search", per_page=1)["emailer_messages"][0]["id"] == draft


def _first(client, verb, path):
    return client.post(path, per_page=1) if verb == "POST" else client.get(path, per_page=1)


# One record in many places


def test_a_stage_change_shows_wherever_the_deal_is(client):
    """In the deal, in the list of deals, in its filter, and among the deals of its contacts."""
    world = client.sandbox.state.world
    deal = next(one for one in world.deals.values() if one["opportunity_contact_roles"] and not one["is_closed"])
    contact, own = deal["opportunity_contact_roles"][0]["contact_id"], deal["id"]
    won = client.ids["deal_stages"]["Closed Won"]
    among = client.post("/opportunities/search", opportunity_stage_ids=[won])["pagination"]["total_entries"]
    patch(client, f"/opportunities/{own}", opportunity_stage_id=won)
    places = [
        client.get(f"/opportunities/{own}")["opportunity"],
        *everything_of_deals(client, own, opportunity_stage_ids=[won]),
        *[one for one in client.post(f"/contacts/{contact}/opportunities")["opportunities"] if one["id"] == own],
    ]
    assert len(places) == 3
    assert {(one["stage_name"], one["is_won"], one["is_closed"]) for one in places} == {("Closed Won", True, True)}
    after = client.post("/opportunities/search", opportunity_stage_ids=[won])["pagination"]["total_entries"]
    assert after == among + 1


def everything_of_deals(client, own, **filters):
    found = client.post("/opportunities/search", per_page=100, **filters)["opportunities"]
    return [one for one in found if one["id"] == own]


def test_a_contact_counts_for_its_account(client):
    """Joining raises the account's number of contacts, leaving for another one lowers it; both are told the same way."""
    first, second = list(client.sandbox.state.world.accounts)[:2]
    count = lambda own: client.get(f"/accounts/{own}")["account"]["num_contacts"]  # noqa: E731
    before = count(first), count(second)
    made = client.contact(first_name="N", account_id=first)["id"]
    assert (count(first), count(second)) == (before[0] + 1, before[1])
    patch(client, f"/contacts/{made}", account_id=second)
    assert (count(first), count(second)) == (before[0], before[1] + 1)
    rows = everything(client, "/accounts/search", "accounts")
    assert {row["id"]: row["num_contacts"] for row in rows}[second] == before[1] + 1
    shown = next(one for one in client.post("/contacts/search", per_page=1)["contacts"] if one["id"] == made)
    assert shown["account"]["num_contacts"] == before[1] + 1


def test_a_deleted_contact_is_nowhere(client):
    """Neither in searches and lists nor in the counts of its sequence and account, and nothing more is mailed to it."""
    own = mailable(client)
    account = client.get(f"/contacts/{own}")["contact"]["account_id"]
    enroll(client, own)
    client.post("/labels/add_entity_ids_to_label_names", entity_ids=[own], label_names=["Gone"], modality="contacts")
    there = client.get(f"/accounts/{account}")["account"]["num_contacts"]
    client.control("POST", "/delete", {"kind": "contact", "id": own})
    label = next(one for one in client.get("/labels") if one["name"] == "Gone")
    assert label["cached_count"] == 0
    assert client.get(f"/accounts/{account}")["account"]["num_contacts"] == there - 1
    shown = client.post("/emailer_campaigns/search", q_name="Founder outreach")["emailer_campaigns"][0]
    assert set(shown["contact_statuses"].values()) == {0}
    client.wait(40 * 86_400)
    sent = client.get("/emailer_messages/search", **{"emailer_campaign_ids[]": sequence(client), "per_page": 100})
    assert sent["emailer_messages"] == []


def test_what_is_saved_shows_in_the_database(client):
    """A person saved as a contact and a company saved as an account are told as such by search and enrichment."""
    world = client.sandbox.state.world
    known = {one["person_id"] for one in world.contacts.records.values()}
    person = next(one for one in world.directory.people if one.email and one.id not in known)
    assert client.post("/people/match", id=person.id)["person"].get("contact") is None
    saved = client.contact(first_name=person.first, last_name=person.last, email=person.email, person_id=person.id)
    assert client.post("/people/match", id=person.id)["person"]["contact"]["id"] == saved["id"]

    domains = {one["domain"] for one in world.accounts.values()}
    company = next(one for one in world.directory.companies if one.domain not in domains)
    search = {"q_organization_domains_list": [company.domain], "per_page": 5}
    before = client.post("/mixed_companies/search", **search)
    assert ([one["id"] for one in before["organizations"]], before["accounts"]) == ([company.id], [])
    account = client.post("/accounts", name=company.name, domain=company.domain)["account"]
    after = client.post("/mixed_companies/search", **search)
    assert (after["organizations"], [one["id"] for one in after["accounts"]]) == ([], [account["id"]])
    assert after["pagination"]["total_entries"] == before["pagination"]["total_entries"] == 1


# Numbers that add up


def test_credits_add_up(client):
    """What the answers report, the ledger's entries, its total and the usage counters are one number."""
    directory = client.sandbox.state.world.directory
    ids = [person.id for person in directory.people[:3]]
    told = client.post("/people/match", id=ids[0]) and 1
    told += client.post("/people/bulk_match", details=[{"id": one} for one in ids])["credits_consumed"]
    told += client.post("/people/match", id=ids[1], reveal_phone_number=True, poll_only=True) and 1
    told += client.get(f"/people/{ids[2]}") and 1
    told += client.get("/organizations/enrich", domain=directory.companies[0].domain) and 1
    told += len(client.post("/organizations/bulk_enrich", domains=[one.domain for one in directory.companies[:4]])
                ["organizations"])  # fmt: skip
    told += client.post("/mixed_companies/search", per_page=1) and 1
    client.wait(60)
    [late] = client.control("GET", "/state")["async_requests"]
    told += client.get(f"/webhook_result/{late}")["webhook_result"]["credits_consumed"]
    ledger = client.control("GET", "/ledger")
    pool = client.post("/usage_stats/credit_usage_stats")["credit_usage_stats"]["lead_credit"]
    assert ledger["total"] == sum(entry["credits"] for entry in ledger["entries"]) == pool["consumed"] == told
    assert pool["left_over"] == pool["limit"] - told == ledger["left"]


PLANS = {
    ("free", "contacts_search"): ("50", "200", "600"),
    ("basic", "contacts_search"): ("200", "400", "2000"),
    ("professional", "contacts_search"): ("200", "400", "2000"),
    ("organization", "contacts_search"): ("200", "600", "6000"),
    ("free", "people_show"): ("50", "200", "600"),
    ("basic", "people_show"): ("1000", "", ""),
    ("organization", "people_bulk_match"): ("1000", "", ""),
    ("free", "people_bulk_match"): ("20", "100", "600"),
    ("free", "people_api_search"): ("50", "200", "600"),
    ("professional", "people_api_search"): ("200", "6000", "50000"),
    ("organization", "people_api_search"): ("200", "6000", "50000"),
}
"""Minute, hour and day of Apollo's published table."""


@pytest.mark.parametrize(("plan", "operation"), PLANS)
def test_quotas_are_those_of_class_and_plan(client, plan, operation):
    """The headers tell the published limits, and the last request but one over the minute's is refused."""
    client.control("POST", "/settings", {"plan": plan})
    person = client.sandbox.state.world.directory.people[0].id
    verb, path, body = {
        "contacts_search": ("POST", "/contacts/search", {"per_page": 1}),
        "people_show": ("GET", f"/people/{person}", None),
        "people_bulk_match": ("POST", "/people/bulk_match", {"details": [{"id": person}]}),
        "people_api_search": ("POST", "/mixed_people/api_search", {"per_page": 1}),
    }[operation]
    limits = PLANS[plan, operation]
    headers = client.api(verb, path, body).headers
    assert tuple(headers[f"x-rate-limit-{word}"] for word in ("minute", "hourly", "24-hour")) == limits
    left = int(limits[0]) - 1
    assert headers["x-minute-requests-left"] == str(left)
    for _ in range(left) if left < 50 else ():
        assert client.api(verb, path, body).status_code == 200
    assert client.api(verb, path, body).status_code == (429 if left < 50 else 200)


# The world as it begins


def test_contacts_and_sequences_agree_from_the_start(client):
    """Who is in a sequence says so, was there before, got its mail after; statistics count the same people."""
    world = client.sandbox.state.world
    for own, people in world.enrolled.items():
        for contact_id, standing in people.items():
            contact = world.contacts.records[contact_id]
            assert own in contact["emailer_campaign_ids"]
            assert standing in contact["contact_campaign_statuses"]
            assert contact["created_at"][:23] <= standing["added_at"][:23] <= contact["updated_at"][:23]
            mails = [mail for mail in world.sequence_messages[own] if mail["contact_id"] == contact_id]
            assert all(standing["added_at"] <= mail["completed_at"] for mail in mails)
    for shown in client.post("/emailer_campaigns/search", per_page=100)["emailer_campaigns"]:
        statuses = Counter(one["status"] for one in world.enrolled[shown["id"]].values())
        assert {name: number for name, number in shown["contact_statuses"].items() if number} == dict(statuses)


def test_counts_agree_from_the_start(client):
    """Lists, accounts and boxes count what searches find."""
    for label in client.get("/labels"):
        kind = label["modality"]
        found = client.post(f"/{kind}/search", **{f"{kind[:-1]}_label_ids": [label["id"]]})
        assert found["pagination"]["total_entries"] == label["cached_count"] > 0
    contacts = Counter(one["account_id"] for one in everything(client, "/contacts/search", "contacts"))
    for account in everything(client, "/accounts/search", "accounts"):
        assert account["num_contacts"] == contacts[account["id"]]


def test_records_lead_to_records_from_the_start(client):
    """Whatever a record names is there: users, contacts, accounts, companies, stages, deals, tasks, mailboxes."""
    world = client.sandbox.state.world
    known = {
        "user_id": {user["id"] for user in world.users}, "owner_id": {user["id"] for user in world.users},
        "creator_id": {user["id"] for user in world.users}, "contact_id": set(world.contacts.records),
        "account_id": set(world.accounts), "organization_id": set(world.directory.company_by_id),
        "contact_stage_id": {one["id"] for one in world.contact_stages},
        "account_stage_id": {one["id"] for one in world.account_stages},
        "opportunity_stage_id": {one["id"] for one in world.deal_stages}, "opportunity_id": set(world.deals),
        "emailer_campaign_id": set(world.sequences), "outreach_task_id": set(world.tasks),
        "email_account_id": {box["id"] for box in world.mailboxes}, "emailer_schedule_id": set(world.schedules),
        "phone_call_outcome_id": set(world.call_outcomes), "phone_call_purpose_id": set(world.call_purposes),
        "host_id": {user["id"] for user in world.users},
    }  # fmt: skip
    books = (
        world.contacts.records, world.accounts, world.deals, world.tasks, world.calls, world.notes, world.messages,
        world.conversations, world.sequences,
    )  # fmt: skip
    seen = Counter()
    for record in (one for book in books for one in book.values()):
        for name in known.keys() & record.keys():
            if record[name] is not None:
                assert record[name] in known[name], (name, record["id"])
                seen[name] += 1
    assert set(seen) == set(known)


def test_deals_agree_from_the_start(client):
    """A deal's stage has the deal's name for it and its end, and its people work at its account."""
    world = client.sandbox.state.world
    stages = {one["id"]: one for one in world.deal_stages}
    for deal in world.deals.values():
        found = stages[deal["opportunity_stage_id"]]
        assert (deal["stage_name"], deal["is_won"], deal["is_closed"]) == (
            found["name"], found["is_won"], found["is_closed"],
        )  # fmt: skip
        for role in deal["opportunity_contact_roles"]:
            assert world.contacts.records[role["contact_id"]]["account_id"] == deal["account_id"]


def test_earlier_results_are_there_from_the_start(client):
    """A late result and an export of the day before can be fetched, and cost nothing any more."""
    world = client.sandbox.state.world
    [reveal], [export] = world.reveals, world.exports
    found = client.get(f"/webhook_result/{reveal}")
    assert (found["webhook_status"], found["request_type"]) == ("success", "phone")
    assert client.get(f"/conversations/export/{export}")["redirect_url"]
    assert client.control("GET", "/state")["async_requests"] == {}
    assert client.control("GET", "/ledger")["total"] == 0
    drafts = client.get("/emailer_messages/search", **{"emailer_message_stats[]": "drafted"})["emailer_messages"]
    assert drafts
    assert {world.tasks[mail["outreach_task_id"]]["status"] for mail in drafts} == {"scheduled"}
