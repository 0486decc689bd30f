"""Companies: search in two arrays, enrichment in bulk, postings, news; and one person by id."""

import pytest


def company(client, number):
    return client.sandbox.state.world.directory.companies[number]


def test_search_splits_companies_and_accounts(shared):
    """Saved companies are in accounts, the others in organizations, and model_ids keeps the order of both."""
    answer = shared.post("/mixed_companies/search", per_page=20)
    assert answer["pagination"]["total_entries"] == 300
    assert len(answer["accounts"]) + len(answer["organizations"]) == len(answer["model_ids"]) == 20
    assert {a["organization_id"] for a in answer["accounts"]} | {o["id"] for o in answer["organizations"]} == set(
        answer["model_ids"]
    )
    assert (answer["partial_results_limit"], answer["derived_params"]) == (10000, {})


@pytest.mark.parametrize(
    ("filters", "holds"),
    [
        ({"organization_locations": ["germany"]}, lambda c: c.city.country == "Germany"),
        ({"organization_not_locations": ["us"]}, lambda c: c.city.country != "United States"),
        ({"organization_num_employees_ranges": ["1,50"]}, lambda c: c.headcount <= 50),
        ({"revenue_range": {"max": "3000000"}}, lambda c: c.revenue <= 3_000_000),
        ({"q_organization_keyword_tags": ["fintech"]}, lambda c: "fintech" in c.trade.keywords),
        ({"total_funding_range": {"min": 1}}, lambda c: c.total_funding > 0),
        ({"organization_num_jobs_range": {"min": 100}}, lambda c: c.number % 50 == 17),
    ],
)
def test_company_filters(shared, filters, holds):
    """The total equals a count made without the filter code, and the control door's."""
    expected = sum(holds(c) for c in shared.sandbox.state.world.directory.companies)
    assert shared.post("/mixed_companies/search", **filters)["pagination"]["total_entries"] == expected > 0
    assert shared.control("POST", "/count?operation=mixed_companies_search", filters)["count"] == expected


def test_people_search_takes_filters_of_employers(shared):
    """The number of open postings of the employer chooses people, too."""
    found = shared.post("/mixed_people/api_search", organization_num_jobs_range={"min": 100})["total_entries"]
    people = shared.sandbox.state.world.directory.people
    assert found == sum(p.company.number % 50 == 17 for p in people) > 0


def test_a_page_costs_a_credit_and_an_empty_one_nothing(client):
    """One per page with something on it."""
    client.post("/mixed_companies/search", per_page=100)
    client.post("/mixed_companies/search", per_page=100, page=4)
    assert client.control("GET", "/ledger")["total"] == 1


def test_bulk_enrich(client):
    """Details win over domains; the counters belong to what was sent; each find costs one."""
    first, second = company(client, 3), company(client, 4)
    by_domain = client.post("/organizations/bulk_enrich", domains=[first.domain, "unknown.example"])
    assert [o["id"] for o in by_domain["organizations"]] == [first.id]
    assert (by_domain["total_requested_domains"], by_domain["missing_records"]) == (2, 1)
    assert by_domain["total_requested_records"] is None
    by_details = client.post("/organizations/bulk_enrich", domains=[first.domain], details=[{"name": second.name}])
    assert [o["id"] for o in by_details["organizations"]] == [second.id]
    assert (by_details["total_requested_records"], by_details["unique_domains"]) == (1, None)
    assert client.control("GET", "/ledger")["total"] == 2
    assert client.refusal("POST", "/organizations/bulk_enrich", {})[1]["error_message"].endswith("missing domains")
    many = client.refusal("POST", "/organizations/bulk_enrich", {"domains": ["a.example"] * 11})
    assert (many[0], many[1]["error_message"]) == (400, "domain count cannot be more than 10")


def test_one_company(client):
    """By id for one credit; a malformed id is 422."""
    own = company(client, 2).id
    record = client.get(f"/organizations/{own}")["organization"]
    assert (record["id"], record["detail_view_loaded"]) == (own, True)
    assert record["account"]["organization_id"] == own
    assert client.control("GET", "/ledger")["total"] == 1
    assert client.refusal("GET", "/organizations/12") == (
        422,
        {"error": "Parameters misconfigured. 12 is not a valid ID"},
    )


def test_job_postings_have_no_total(client):
    """Pages end with a short one; every page with something on it costs one."""
    own = company(client, 17).id
    pages = [client.get(f"/organizations/{own}/job_postings", page=n, per_page=50) for n in (1, 2, 3, 4)]
    assert [list(page) for page in pages] == [["organization_job_postings"]] * 4
    assert [len(page["organization_job_postings"]) for page in pages] == [50, 50, 30, 0]
    assert client.control("GET", "/ledger")["total"] == 3
    assert client.api("GET", f"/organizations/{own}/job_postings?page=101&per_page=100").status_code == 422


def test_news(client):
    """Companies are required; categories and dates choose; 25 rows are a credit."""
    ids = [company(client, number).id for number in range(10)]
    every = client.post("/news_articles/search", organization_ids=ids, per_page=100)
    assert client.control("GET", "/ledger")["total"] == -(-len(every["news_articles"]) // 25) > 1
    hires = client.post("/news_articles/search", organization_ids=ids, categories=["hires"], per_page=100)
    assert {a["event_categories"][0] for a in hires["news_articles"]} == {"hires"}
    dated = client.post("/news_articles/search", organization_ids=ids, published_at={"min": "2026-08-01"}, per_page=100)
    assert 0 < dated["pagination"]["total_entries"] < every["pagination"]["total_entries"]
    assert client.refusal("POST", "/news_articles/search", {}) == (422, {"error": "organization_ids is required"})


def test_one_person(client, sandbox):
    """A stranger's verified address is the placeholder; a contact's is told; an unknown id is 422."""
    world = sandbox.state.world
    known = {c["person_id"] for c in world.contacts.records.values()}
    stranger = next(p for p in world.directory.people if p.id not in known and p.email_status == "verified")
    record = client.get(f"/people/{stranger.id}")["person"]
    assert (record["email"], record["email_status"]) == ("email_not_unlocked@domain.com", "verified")
    assert not {"contact_id", "revealed_for_current_team"} & set(record)
    contact = next(c for c in world.contacts.records.values() if c["person_id"] and c["email"])
    own = client.get(f"/people/{contact['person_id']}")["person"]
    assert (own["contact_id"], own["email"]) == (contact["id"], contact["email"])
    assert client.control("GET", "/ledger")["total"] == 2
    assert client.refusal("GET", f"/people/{'a' * 24}") == (422, {"error": "Person does not exist."})


def test_personal_addresses_are_not_told_in_gdpr_regions(shared):
    """reveal_personal_emails gives a private address, and none for people in Europe."""
    people = shared.sandbox.state.world.directory.people
    for country, number in (("United States", 1), ("Germany", 0)):
        who = next(p for p in people if p.city.country == country)
        assert (
            len(shared.post("/people/match", id=who.id, reveal_personal_emails=True)["person"]["personal_emails"])
            == number
        )
