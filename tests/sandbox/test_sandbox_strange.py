"""Odd answers: what comes of each oddity, and that the log tells exactly what was withheld."""

import pytest

from apollo_component.sandbox.__main__ import parser
from apollo_component.sandbox.app import Sandbox
from apollo_component.sandbox.control_reports import COUNTS
from apollo_component.sandbox.operations import OPERATIONS
from apollo_component.sandbox.state import Options
from apollo_component.sandbox.strange import BULK, PAGES

from .conftest import Client

CONTACTS = "/contacts/search"


@pytest.fixture
def odd():
    """A sandbox in which every answer has the oddities a test names."""
    client = Client(Sandbox(Options(strange=3)))

    def only(*kinds, **more):
        client.control("POST", "/settings", {"strange_kinds": list(kinds), "strange_share": 1.0} | more)
        return client

    return only


def logged(client, **wanted):
    return client.control("GET", "/strange?" + "&".join(f"{name}={value}" for name, value in wanted.items()))


def enrolled(client, ids):
    sequence, box = client.ids["sequences"]["Founder outreach"], client.ids["mailbox_id"]
    order = {"emailer_campaign_id": sequence, "send_email_from_email_account_id": box, "contact_ids": ids}
    return client.post(f"/emailer_campaigns/{sequence}/add_contact_ids", **order)


def test_a_sandbox_is_not_strange_unless_told(client):
    """Nothing is drawn and nothing logged."""
    client.post(CONTACTS)
    assert (client.control("GET", "/state")["settings"]["strange"], logged(client)) == (0, [])


@pytest.mark.parametrize(("arguments", "seed"), [([], 0), (["--strange", "--json"], 1), (["--strange", "7"], 7)])
def test_the_option_has_a_seed(arguments, seed):
    """--strange alone is seed 1; without it there is none."""
    assert parser().parse_args(arguments).strange == seed


def test_bulk_answers_are_reordered(odd):
    """All entries come, in another order than asked, and the log has both."""
    client = odd("reordered")
    ids = [one["id"] for one in client.people()[:8]]
    answer = client.post("/people/bulk_match", details=[{"id": own} for own in ids])
    given = [one["id"] for one in answer["matches"]]
    assert given != ids
    assert sorted(given) == sorted(ids)
    (entry,) = logged(client, operation="people_bulk_match")
    assert (entry["kinds"], entry["given"], entry["withheld"]) == (["reordered"], given, [])
    assert entry["asked"] == [{"id": own} for own in ids]


def test_entries_are_dropped_after_the_work(odd):
    """What is missing was made all the same, and the log names it with its place."""
    client = odd("dropped")
    orders = [{"first_name": f"P{number}", "email": f"p{number}@example.com"} for number in range(10)]
    made = client.post("/contacts/bulk_create", contacts=orders)["created_contacts"]
    (entry,) = logged(client, operation="contacts_bulk_create")
    assert len(made) + len(entry["withheld"]) == 10 > len(made)
    for one in entry["withheld"]:
        stored = client.control("GET", f"/contacts?id={one['id']}")["contacts"][0]
        assert (stored["email"], one["reason"]) == (f"p{one['place']}@example.com", None)


def test_a_dropped_enrolment_is_named_or_not(odd):
    """Some of the contacts left out are in skipped_contact_ids with a reason, some nowhere; all were enrolled."""
    client = odd("dropped")
    ids = [client.contact(first_name="A", email=f"a{number}@example.com")["id"] for number in range(20)]
    answer = enrolled(client, ids)
    (entry,) = logged(client, operation="emailer_campaigns_add_contact_ids")
    reasons = {one["id"]: one["reason"] for one in entry["withheld"]}
    assert {own: reason for own, reason in reasons.items() if reason} == answer["skipped_contact_ids"] != {}
    assert None in reasons.values()
    assert {one["id"] for one in answer["contacts"]} == set(ids) - set(reasons)
    assert client.control("GET", "/state")["enrolled"]["Founder outreach"] == 20


def test_pages_are_clamped_and_tell_it(odd):
    """Every page of a query has fewer rows than asked for, counts in that size, and together they are complete."""
    client = odd("clamped")
    first = client.post("/accounts/search", per_page=100)["pagination"]
    assert first["per_page"] < 100
    assert first["total_pages"] == -(-first["total_entries"] // first["per_page"])
    pages = range(1, first["total_pages"] + 1)
    rows = [client.post("/accounts/search", per_page=100, page=page)["accounts"] for page in pages]
    assert len({one["id"] for page in rows for one in page}) == first["total_entries"] == client.ids["accounts"]
    entry = logged(client)[0]
    assert (entry["per_page"], entry["per_page_given"]) == (100, first["per_page"])
    assert (len(entry["rows_true"]), len(entry["rows_given"])) == (100, first["per_page"])


def test_totals_move(odd):
    """The total told is not the true one, wherever an operation tells one; the log has both."""
    client = odd("total")
    told = [client.post("/mixed_people/api_search", page=page)["total_entries"] for page in range(1, 13)]
    assert {entry["total_told"] for entry in logged(client)} == set(told)
    assert {entry["total_true"] for entry in logged(client)} == {2000}
    assert 0 in told
    assert min(told) < 2000 < max(told)
    numbers = client.post(CONTACTS, per_page=10)["pagination"]
    assert numbers["total_pages"] == -(-numbers["total_entries"] // 10)


def test_pages_are_repeated(odd):
    """Page n has the rows of page n - 1 and may or may not say so; the log has the rows that were due."""
    client = odd("repeated", strange=0)
    true = [[one["id"] for one in client.post(CONTACTS, page=page)["contacts"]] for page in (1, 2)]
    client = odd("repeated")
    client.control("POST", "/settings", {"strange": 9})
    assert [one["id"] for one in client.post(CONTACTS, page=1)["contacts"]] == true[0]
    answers = [client.post(CONTACTS, page=2) for _ in range(8)]
    assert {tuple(one["id"] for one in answer["contacts"]) for answer in answers} == {tuple(true[0])}
    assert {answer["pagination"]["page"] for answer in answers} == {1, 2}
    assert logged(client)[-1]["rows_true"] == true[1]


def test_the_true_answer_costs_nothing_beside(odd):
    """A page of the company search is billed once, odd or not."""
    client = odd("clamped", "total", "repeated")
    client.post("/mixed_companies/search", page=2)
    assert client.control("GET", "/ledger")["total"] == 1


def test_the_same_seed_gives_the_same_oddities(odd):
    """After a reset the same requests are odd in the same way, and another seed is odd in another."""

    def run(seed):
        client = odd(strange=seed, strange_share=0.5)
        client.control("POST", "/reset")
        client.control("POST", "/settings", {"strange": seed, "strange_share": 0.5})
        for page in range(1, 9):
            client.post(CONTACTS, page=page)
        return [(entry["number"], entry["kinds"], entry["total_told"]) for entry in logged(client)]

    first = run(3)
    assert run(3) == first != []
    assert run(4) != first


def test_a_request_is_found_in_the_log(odd):
    """By its number among the recorded requests, and by the id its answer carries."""
    client = odd("total")
    reply = client.api("POST", CONTACTS, {})
    (recorded,) = client.control("GET", "/requests")
    (entry,) = logged(client, request_id=reply.headers["x-request-id"])
    assert logged(client, number=recorded["number"]) == [entry]


@pytest.mark.parametrize("name", [name for name in PAGES if name != "organizations_job_postings"])
def test_any_search_can_be_odd(odd, name):
    """With every oddity at once, the second page of each search is answered and logged with what is true."""
    client = odd()
    operation = next(one for one in OPERATIONS if one.id == name)
    companies = [one.id for one in client.sandbox.state.world.directory.companies[:20]]
    sent = {"page": 2, "per_page": 2} | ({"organization_ids": companies} if name == "news_articles_search" else {})
    path = operation.path
    reply = client.get(path, **sent) if operation.method == "GET" else client.post(path, **sent)
    (entry,) = logged(client, operation=name)
    assert {"clamped", "repeated"} <= set(entry["kinds"])
    assert (entry["per_page"], entry["per_page_given"], len(entry["rows_given"])) == (2, 1, 1)
    assert sum(len(reply[key]) for key in PAGES[name]) == 1


@pytest.mark.parametrize("order", [{"strange_kinds": ["odd"]}, {"strange": "x"}])
def test_an_oddity_that_is_not_known_is_refused(shared, order):
    """A typing error of a test is told."""
    assert shared.send("POST", "/_sandbox/settings", json=order).status_code == 400


def test_every_search_with_pages_may_be_odd():
    """Each operation that takes a page is in the table, and each of the tables is an operation."""
    paged = {operation.id for operation in OPERATIONS if "page" in operation.parameters}
    assert set(PAGES) == paged
    assert set(BULK) <= {operation.id for operation in OPERATIONS}
    assert set(PAGES) >= set(COUNTS) - {"notes_list"}
