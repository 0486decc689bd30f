"""People search and enrichment."""

import hashlib

import pytest

SEARCH = "/mixed_people/api_search"
FOUNDERS = {"person_seniorities": ["founder"], "organization_num_employees_ranges": ["1,10", "11,50"]}


def some_person(sandbox, number=3):
    return [p for p in sandbox.state.world.directory.people if p.email][number]


def test_search_is_thin(shared):
    """Rows have an obfuscated last name, hints instead of data, and a total beside them."""
    answer = shared.post(SEARCH, per_page=2)
    assert answer["total_entries"] == 2000
    assert set(answer) == {"total_entries", "people"}
    row = answer["people"][0]
    assert "last_name" not in row
    assert "email" not in row
    assert row["last_name_obfuscated"][2:5] == "***"
    assert row["has_direct_phone"] in ("Yes", "Maybe: please request direct dial via people/bulk_match")


def test_filters_narrow_and_unknown_ones_are_ignored(shared):
    """A mistyped filter changes nothing; a known one counts exactly."""
    people = shared.sandbox.state.world.directory.people
    expected = sum(p.role.seniority == "founder" and p.company.headcount <= 50 for p in people)
    assert shared.post(SEARCH, **FOUNDERS)["total_entries"] == expected > 100
    assert shared.post(SEARCH, person_senioritys=["founder"])["total_entries"] == 2000
    assert shared.control("POST", "/count?operation=people_api_search", FOUNDERS)["count"] == expected


def test_both_transports_mean_the_same(shared):
    """A bracketed query finds what the JSON body finds, and both together are merged."""
    query = "person_seniorities[]=founder&organization_num_employees_ranges[]=1,10&organization_num_employees_ranges[]=11,50"
    by_query = shared.api("POST", f"{SEARCH}?{query}&per_page=5").json()
    assert by_query == shared.post(SEARCH, **FOUNDERS, per_page=5)
    mixed = shared.api(
        "POST", f"{SEARCH}?person_seniorities[]=founder", {"organization_num_employees_ranges": ["1,50"]}
    )
    assert mixed.json()["total_entries"] == by_query["total_entries"]


@pytest.mark.parametrize(
    ("filters", "holds"),
    [
        ({"person_titles": ["ceo"]}, lambda p: "CEO" in p.role.title or "Chief Executive" in p.role.title),
        (
            {"person_titles": ["Marketing Manager"], "include_similar_titles": False},
            lambda p: p.role.title == "Marketing Manager",
        ),
        ({"person_locations": ["California, US"]}, lambda p: p.city.state == "California"),
        ({"organization_locations": ["germany"]}, lambda p: p.company.city.country == "Germany"),
        ({"contact_email_status": ["likely to engage"]}, lambda p: p.email_status == "likely to engage"),
        (
            {"revenue_range": {"min": 1_000_000, "max": 3_000_000}},
            lambda p: 1_000_000 <= p.company.revenue <= 3_000_000,
        ),
        ({"revenue_range": {"max": "900000"}}, lambda p: p.company.revenue <= 900_000),
        (
            {"q_keywords": "fintech founder"},
            lambda p: "fintech" in p.company.trade.keywords and "ounder" in p.role.title,
        ),
    ],
)
def test_each_filter_means_what_it_says(shared, filters, holds):
    """The total equals a count made without the filter code."""
    expected = sum(holds(p) for p in shared.sandbox.state.world.directory.people)
    assert shared.post(SEARCH, **filters)["total_entries"] == expected > 0


def test_what_apollo_ignores_and_what_it_takes_literally(shared):
    """A headcount band with a dash filters nothing, alone and beside others; a seniority in capitals finds nobody."""
    ranges = "organization_num_employees_ranges"
    assert shared.post(SEARCH, **{ranges: ["1-10"]})["total_entries"] == 2000
    assert shared.post(SEARCH, **{ranges: ["1-10", "11,50"]}) == shared.post(SEARCH, **{ranges: ["11,50"]})
    assert shared.post("/mixed_companies/search", **{ranges: ["1-10"]})["pagination"]["total_entries"] == 300
    assert shared.post(SEARCH, person_seniorities=["VP"])["total_entries"] == 0
    assert shared.post(SEARCH, person_seniorities=["vp"])["total_entries"] > 0


def test_company_filters(shared):
    """Ids and domains choose companies exactly."""
    company = shared.sandbox.state.world.directory.companies[7]
    by_id = shared.post(SEARCH, organization_ids=[company.id])
    assert by_id == shared.post(SEARCH, q_organization_domains_list=[company.domain])
    assert {row["organization"]["name"] for row in by_id["people"]} == {company.name}


def test_search_refusals(shared):
    """A range as text, a page too far and both domain filters are 422."""
    cases = [
        ({"revenue_range": "1,5"}, "no implicit conversion of String into Integer"),
        ({"page": 501, "per_page": 100}, "Page * per page number is over threshold."),
        ({"q_organization_domains": "a.example", "q_organization_domains_list": ["a.example"]}, "Invalid parameters"),
    ]
    for body, text in cases:
        reply = shared.api("POST", SEARCH, body)
        assert (reply.status_code, reply.json()["error"]) == (422, text)


def test_past_the_end_is_empty_and_pages_cover_all(shared):
    """Every person is on exactly one page; the page after the last is an empty 200."""
    ids = [row["id"] for page in range(1, 21) for row in shared.people(page=page)]
    assert len(ids) == len(set(ids)) == 2000
    assert shared.people(page=21) == []


def test_match_by_every_identifier(shared):
    """Id, address, hashed address, LinkedIn profile and name with employer all find the same person."""
    person = some_person(shared.sandbox)
    raw = person.email.encode()
    keys = [
        {"id": person.id},
        {"email": person.email.upper()},
        {"hashed_email": hashlib.md5(raw).hexdigest()},
        {"hashed_email": hashlib.sha256(raw).hexdigest()},
        {"linkedin_url": person.linkedin_url.replace("http://www.", "https://") + "/"},
        {"name": person.name, "domain": f"https://www.{person.company.domain}/"},
        {"first_name": person.first, "last_name": person.last, "organization_name": person.company.name},
    ]
    found = [shared.post("/people/match", **key)["person"] for key in keys]
    assert {record["id"] for record in found} == {person.id}
    assert found[0]["email"] == person.email
    assert found[0]["organization"]["primary_domain"] == person.company.domain
    assert shared.api("GET", f"/people/match?id={person.id}").json()["person"]["id"] == person.id


def test_a_miss_is_a_stub_and_free(client):
    """Nobody found is a new id, an empty name and the address as it was sent, at no cost."""
    answers = [client.post("/people/match", email="Nobody@example.com") for _ in range(2)]
    person = answers[0]["person"]
    assert (person["name"], person["email"], person["match_confidence"]) == ("", "Nobody@example.com", "none")
    assert (person["title"], person["employment_history"], "organization" in person) == (None, [], False)
    assert person["id"] != answers[1]["person"]["id"]
    assert isinstance(answers[0]["request_id"], int)
    assert client.control("GET", "/ledger")["total"] == 0


def test_a_stub_has_the_company_of_a_known_domain(client, sandbox):
    """The company comes from the domain of the address; before September 2026 neither it nor a confidence did."""
    company = sandbox.state.world.directory.companies[7]
    miss = {"email": f"nobody.at.all@{company.domain}"}
    assert client.post("/people/match", **miss)["person"]["organization"]["id"] == company.id
    client.control("POST", "/settings", {"dialect": "old"})
    assert not {"organization", "match_confidence"} & set(client.post("/people/match", **miss)["person"])


def test_the_confidence_follows_the_identifiers(client, sandbox):
    """An id is sure, a name with a domain less so, a name with a company's name least, which costs only with data."""
    people = sandbox.state.world.directory.people
    known, bare = some_person(sandbox), next(p for p in people if p.email is None)
    employer = {"name": known.name, "organization_name": known.company.name}
    keys = ({"id": known.id}, {"name": known.name, "domain": known.company.domain}, employer)
    found = [client.post("/people/match", **key)["person"] for key in keys]
    assert [(p["id"], p["match_confidence"]) for p in found] == [
        (known.id, "high"), (known.id, "medium"), (known.id, "low"),
    ]  # fmt: skip
    assert client.control("GET", "/ledger")["total"] == 3
    weak = client.post("/people/bulk_match", details=[{"name": bare.name, "organization_name": bare.company.name}])
    assert (weak["matches"][0]["match_confidence"], weak["matches"][0]["title"]) == ("low", None)
    assert (weak["matches"][0]["name"], weak["credits_consumed"], weak["missing_records"]) == (bare.name, 0, 0)


def test_a_known_contact_shows_in_enrichment(shared):
    """A person who is already a contact comes with that contact."""
    contact = next(c for c in shared.sandbox.state.world.contacts.records.values() if c["person_id"])
    person = shared.post("/people/match", id=contact["person_id"])["person"]
    assert person["contact_id"] == person["contact"]["id"] == contact["id"]


def test_bulk_keeps_order_and_bills_each_find(client):
    """Nulls stay in their places, a person asked for twice costs once, the ledger agrees."""
    first, second = client.people()[:2]
    details = [{"id": second["id"]}, {"email": "nobody@example.com"}, {"id": first["id"]}, {"id": first["id"]}]
    answer = client.post("/people/bulk_match", details=details)
    assert [m and m["id"] for m in answer["matches"]] == [second["id"], None, first["id"], first["id"]]
    assert (answer["credits_consumed"], answer["missing_records"], answer["unique_enriched_records"]) == (2, 1, 2)
    assert (answer["error_code"], answer["error_message"]) == (None, None)
    ledger = client.control("GET", "/ledger")
    assert ledger["total"] == 2
    assert ledger["entries"][0]["people"] == [second["id"], first["id"]]


def test_a_bulk_miss_with_a_waterfall_is_a_stub(client):
    """With a waterfall nobody is null: a miss is a match of no confidence, and the counters are absent."""
    miss = [{"email": "nobody@example.com"}]
    answer = client.post("/people/bulk_match", details=miss, run_waterfall_phone=True, poll_only=True)
    assert [(m["match_confidence"], m["email"]) for m in answer["matches"]] == [("none", "nobody@example.com")]
    assert "missing_records" not in answer
    assert client.control("GET", "/ledger")["total"] == 0


@pytest.mark.parametrize(("details", "code"), [([{}] * 11, "RECORD_LIMIT_EXCEEDED"), ([], "INVALID_REQUEST")])
def test_bulk_sizes(shared, details, code):
    """More than ten, or nobody, is 400 with its code."""
    reply = shared.api("POST", "/people/bulk_match", {"details": details})
    assert (reply.status_code, reply.json()["error_code"]) == (400, code)


def test_phones_need_a_way_back(client, sandbox):
    """reveal_phone_number without webhook_url or poll_only is 400; with one, a signed 64-bit id is promised."""
    who = {"id": some_person(sandbox).id, "reveal_phone_number": True}
    refused = client.api("POST", "/people/match", who)
    assert refused.status_code == 400
    assert refused.json()["error"] == "Please add a valid 'webhook_url' parameter when using 'reveal_phone_number'"
    both = client.api("POST", "/people/match", who | {"poll_only": True, "webhook_url": "https://example.com/"})
    assert both.json()["error_code"] == "WEBHOOK_URL_WITH_POLL_ONLY"
    answers = [client.post("/people/match", **who, poll_only=True) for _ in range(8)]
    assert {a["phone_enrichment"]["status"] for a in answers} == {"pending"}
    ids = {a["request_id"] for a in answers}
    assert min(ids) < 0 < max(ids)
    assert {str(own) for own in ids} == set(client.control("GET", "/state")["async_requests"])


def test_no_credits_is_422_with_html(client):
    """The refusal has a link in its text, and nothing more is billed."""
    client.control("POST", "/credits", {"left": 1})
    ids = [row["id"] for row in client.people()[:2]]
    client.post("/people/match", id=ids[0])
    reply = client.api("POST", "/people/match", {"id": ids[1]})
    assert reply.status_code == 422
    assert reply.json()["error"].startswith("You have insufficient credits! <a href='https://app.apollo.io/")
    assert client.control("GET", "/ledger")["total"] == 1


def test_companies(client, sandbox):
    """A company is found by domain or name with either verb; unknown is empty, no identifier is 422."""
    company = sandbox.state.world.directory.companies[4]
    by_domain = client.api("GET", f"/organizations/enrich?domain={company.domain}").json()["organization"]
    assert by_domain["id"] == client.post("/organizations/enrich", name=company.name)["organization"]["id"]
    assert "account_id" in by_domain
    assert client.post("/organizations/enrich", domain="unknown.example") == {}
    missing = client.api("GET", "/organizations/enrich")
    assert missing.status_code == 422
    assert missing.json()["error"] == "Required parameter 'domain' missing"
    assert "error_details" in missing.json()
    assert client.control("GET", "/ledger")["total"] == 2
