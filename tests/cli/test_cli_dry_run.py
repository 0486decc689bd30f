"""What a dry run shows: the request itself, of every kind of action. The service hears nothing."""

import json

import pytest

ID = "98a441eda91ef2f47259acbc"


def dry(cli, action, values=None, *more):
    return cli("run", action, "--input", json.dumps(values or {}), "--dry-run", *more)


def planned(cli, action, values=None, *more):
    done = dry(cli, action, values, "--json", *more)
    assert done.code == 0, done.err
    return done.json


def test_placeholders_are_filled_in(cli):
    """The path has its ids, the body the values that are given, and nothing that isn't set."""
    values = {"contact_id": ID, "title": "CEO"}
    request = planned(cli, "contacts_update", values)["request"]
    assert request == {"method": "PATCH", "path": f"/contacts/{ID}", "query": [], "body": {"title": "CEO"}}
    told = dry(cli, "contacts_update", values).out
    assert told.startswith(f"PATCH /contacts/{ID}  ")
    assert '"title": "CEO"' in told


def test_a_query_has_its_defaults(cli):
    """What a GET carries, by name and value, with the page it begins at."""
    request = planned(cli, "users_search", {}, "--all")["request"]
    assert (request["body"], request["query"]) == (None, [["page", "1"], ["per_page", "100"]])
    assert "  per_page=100\n" in dry(cli, "users_search").out


def test_what_an_action_needs_beyond_its_declaration_is_shown(cli):
    """An id that is wanted in the path and in the body stands in both."""
    values = {"sequence_id": ID, "contact_ids": [ID], "send_email_from_email_account_id": ID}
    request = planned(cli, "emailer_campaigns_add_contact_ids", values)["request"]
    assert ID in request["path"]
    assert request["body"]["emailer_campaign_id"] == ID


def test_a_long_list_shows_the_first_of_its_requests(cli):
    """How many there are, and the first with as many items as one takes."""
    values = {"details": [{"id": f"{number:024x}"} for number in range(21)]}
    plan = planned(cli, "people_bulk_match", values)
    assert (plan["requests"], len(plan["request"]["body"]["details"])) == (3, 10)
    told = dry(cli, "people_bulk_match", values).out
    assert "Requests: 3; this is the first" in told


def test_a_long_body_is_cut_for_people_only(cli):
    """A screen isn't flooded; --json has all."""
    values = {"contacts": [{"first_name": f"N{number}"} for number in range(90)]}
    told = dry(cli, "contacts_bulk_create", values).out
    assert "lines more; --json shows all" in told
    assert len(told.splitlines()) < 75
    assert len(planned(cli, "contacts_bulk_create", values)["request"]["body"]["contacts"]) == 90


@pytest.mark.parametrize(
    ("action", "values", "parts"),
    [
        ("contacts_upsert", {"email": "a@example.com"},
         {"contacts_search": "first", "contacts_create": "when none is found",
          "contacts_update": "when one is found that differs"}),
        ("accounts_upsert", {"domain": "b.example", "name": "B"},
         {"accounts_bulk_create": "first, as it looks for itself", "accounts_update": "when one is found that differs"}),
    ],
)  # fmt: skip
def test_a_composed_action_tells_which_parts_may_be_sent(cli, action, values, parts):
    """Each part with when it is sent; a search that this input doesn't need isn't there."""
    found = planned(cli, action, values)["parts"]
    assert {part["action"]: part["when"] for part in found} == parts
    assert f"effect: upsert; {parts[found[-1]['action']]})" in dry(cli, action, values).out


def test_a_budget_that_is_too_small_is_told(cli):
    """A budget below the worst cost won't cover all, and that is said before anything is spent."""
    values = {"details": [{"email": "a@example.com"}, {"email": "b@example.com"}]}
    told = dry(cli, "people_bulk_match", values, "--budget", "1").out
    assert "The budget of 1 won't cover that" in told
    assert "won't cover" not in dry(cli, "people_bulk_match", values, "--budget", "2").out
    assert planned(cli, "people_bulk_match", values, "--budget", "1")["covered"] is False


def test_look_ups_are_told_only_where_there_are_names(cli, service):
    """Names of custom fields are looked up and ids shown; without names nothing at all was sent."""
    cli.link()
    service.control("DELETE", "/requests")
    plain = dry(cli, "contacts_create", {"email": "a@example.com"}, "--connection", "main")
    assert "Nothing was sent." in plain.out
    assert service.requests() == []
    named = {"email": "a@example.com", "typed_custom_fields": {"Seats": 3}}
    told = dry(cli, "contacts_create", named, "--connection", "main")
    assert "At most the custom fields were looked up." in told.out
    assert "Seats" not in told.out
    assert {item["operation"] for item in service.requests()} == {"fields_list"}


def test_where_results_are_delivered_is_shown(cli):
    """A host with an address for late results would give it in the place of polling."""
    cli.link()
    values = {"email": "a@example.com", "reveal_phone_number": True}
    arguments = ("run", "people_match", "--input", json.dumps(values), "--dry-run", "--json", "--connection", "main")
    assert cli(*arguments).json["request"]["body"]["poll_only"] is True
    body = cli(*arguments, env={"WORKFLOW_HOST_PUBLIC_URL": "https://hooks.example.com"}).json["request"]["body"]
    assert body["webhook_url"] == "https://hooks.example.com/callbacks/TOKEN"
    assert "poll_only" not in body


@pytest.mark.parametrize("option", [("--all",), ("--limit", "3"), ("--all", "--split-by", "x")])
def test_pages_of_an_action_without_any_are_refused(cli, option):
    """What would be ignored in silence is refused, as in workflow files."""
    done = dry(cli, "people_match", {"email": "a@example.com"}, "--json", *option)
    assert (done.code, done.error["problems"][0]["text"]) == (2, "this action has no pages")
