"""Running actions from the command line."""

import json
import signal
import time

import pytest


@pytest.fixture
def linked(cli):
    cli.link("main")
    return cli


def run(cli, action, values=None, *more, **options):
    return cli("run", action, "--connection", "main", "--input", json.dumps(values or {}), "--json", *more, **options)


def test_a_single_value_is_one_object(linked):
    """An action for one record prints its value, and the summary beside it."""
    done = run(linked, "apollo.users_api_profile")
    assert done.code == 0
    assert done.json["email"]
    assert (done.summary["status"], done.summary["records"]) == ("done", 1)


def test_people_get_indented_json(linked):
    """Without --json a single value is laid out for reading, and the summary is a sentence."""
    done = linked("run", "users_api_profile", "--connection", "main")
    assert done.out.startswith("{\n")
    assert "0 credits spent" in done.err


def test_every_page_is_printed_one_record_a_line(linked):
    """`--all` prints every record once, in order."""
    done = run(linked, "people_api_search", {"per_page": 100}, "--all")
    ids = [record["id"] for record in done.lines]
    assert (done.code, len(ids), len(set(ids))) == (0, 400, 400)


def test_without_all_one_page_is_printed(linked):
    """A search alone reads one page."""
    assert len(run(linked, "people_api_search", {"per_page": 3}).lines) == 3


def test_limit_reads_as_many_pages_as_it_needs(linked):
    """`--limit` stops at so many records, across pages."""
    assert len(run(linked, "people_api_search", {"per_page": 4}, "--limit", "10").lines) == 10


def test_a_long_list_is_cut_and_rejoined_in_order(linked, service):
    """A bulk action takes more items than one request does; the answers keep the order of the list."""
    found = run(linked, "people_api_search", {"per_page": 25}).lines
    ids = [record["id"] for record in found]
    done = run(linked, "people_bulk_match", {"details": [{"id": identity} for identity in ids]})
    assert [record and record["id"] for record in done.lines] == ids
    sent = [item for item in service.requests() if "bulk_match" in item["path"]]
    assert len(sent) == 3
    assert done.summary["credits"]["spent"] == service.control("GET", "/ledger")["total"]


def test_somebody_unknown_in_a_list_is_null(linked):
    """A person that wasn't found keeps its place as null."""
    values = {"details": [{"email": "nobody@nowhere.example"}]}
    done = run(linked, "people_bulk_match", values)
    assert done.lines == [None]
    assert (done.summary["records"], done.summary["not_found"]) == (0, 1)
    told = linked("run", "people_bulk_match", "--connection", "main", "--input", json.dumps(values)).err
    assert "0 records, 1 not found, 0 credits spent" in told


def test_one_credit_is_one_credit(linked, service):
    """What was spent is counted in words that fit."""
    (someone,) = run(linked, "people_api_search", {"per_page": 1}).lines
    told = linked("run", "people_match", "--connection", "main", "--input", json.dumps({"id": someone["id"]})).err
    assert "1 record, 1 credit spent" in told


def test_a_change_without_any_record_is_told(linked):
    """Somebody whose ids fit nothing hears that nothing was changed; a reader isn't bothered."""
    values = {"contact_ids": ["0" * 24], "contact_stage_id": "0" * 24}
    done = linked("run", "contacts_update_stages", "--connection", "main", "--input", json.dumps(values))
    assert (done.code, done.out) == (0, ""), done.err
    assert "Warning: the answer has no record, so nothing was changed" in done.err
    assert "Warning" not in linked("run", "contacts_search", "--connection", "main", "--input",
                                   json.dumps({"q_keywords": "nobody-of-that-name"})).err  # fmt: skip


@pytest.mark.parametrize(
    ("action", "values", "field"),
    [
        ("accounts_create", {"name": "A", "domain": "a.example", "owner_id": "nope"}, "owner_id"),
        (
            "contacts_bulk_create",
            {"contacts": [{"first_name": "A"}, {"contact_stage_id": 1}]},
            "contacts.contact_stage_id",
        ),
        ("contacts_create", {"email": "a@example.com", "typed_custom_fields": {"Nope": 1}}, "typed_custom_fields"),
    ],
)
def test_a_refused_choice_names_the_command_that_lists_them(linked, action, values, field):
    """At a field with a drop-down the hint is the exact command; it works as it stands."""
    done = run(linked, action, values)
    command = f"options {action} {field} --connection main"
    assert done.code == 2
    assert done.error["hint"] == f"What there is to choose from: `{command}`."
    assert linked(*command.split()).code == 0


def test_an_id_that_is_nobodys_is_told_with_what_to_check(linked):
    """A record that doesn't exist gets a hint, with the command where there is one."""
    done = run(linked, "contacts_update", {"contact_id": "0" * 24, "title": "CEO"})
    assert (done.code, done.error["code"]) == (4, "not_found")
    assert done.error["hint"].startswith("Check the ids that were given.")
    assert "`options contacts_update contact_id --connection main`" in done.error["hint"]


def test_the_name_of_a_file_is_not_taken_for_the_input(linked, tmp_path):
    """A forgotten @ is suggested where such a file exists."""
    file = tmp_path / "people.json"
    file.write_text("{}")
    done = linked("run", "users_search", "--connection", "main", "--input", str(file))
    assert f"did you mean @{file}?" in done.err
    assert "line 1: --input: is not JSON" in linked("run", "users_search", "--connection", "main", "--input", "{a").err


def test_a_dry_run_sends_nothing(linked, service):
    """`--dry-run` tells request, places, effect, number and worst cost, and the service hears nothing."""
    before = len(service.requests())
    details = [{"id": f"{number:024x}"} for number in range(21)]
    done = run(linked, "people_bulk_match", {"details": details, "reveal_phone_number": True, "poll_only": True},
               "--dry-run")  # fmt: skip
    assert done.code == 0, done.err
    assert (done.json["requests"], done.json["worst_credits"], done.json["effect"]) == (3, 189, "bill")
    assert done.json["inputs"]["details"] == "body"
    assert len(service.requests()) == before
    assert linked("runs", "list", "--json").json == []


def test_a_dry_run_tells_what_a_split_asks_for(cli):
    """How many first pages the plan of a split needs at most, and what they cost where a page costs."""
    split = ("--all", "--split-by", "organization_num_employees_ranges", "--dry-run")
    done = cli("run", "mixed_companies_search", *split, "--json")
    assert done.json["split"] == {"by": ["organization_num_employees_ranges"], "first_pages": 12, "worst_credits": 12}
    assert (
        "up to 12 first pages to plan the parts, 12 credits for them"
        in cli("run", "mixed_companies_search", *split).out
    )


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (["--split-by", "person_seniorities"], "goes with --all"),
        (["--all", "--split-by", "person_titles"], "at least two values of person_titles"),
        (["--all", "--split-by", "nope"], "this search can be split by person_seniorities"),
    ],
)
def test_a_split_that_cant_work_sends_nothing(linked, service, more, word):
    """A wrong field is refused with those that can be used, before anything is sent."""
    before = len(service.requests())
    done = run(linked, "people_api_search", {}, *more)
    assert done.code == 2
    assert word in done.err
    assert len(service.requests()) == before


def test_a_dry_run_needs_no_connection(cli):
    """The shape of a request can be looked at before any account is linked."""
    done = cli(
        "run", "contacts_update", "--input", json.dumps({"contact_id": "0" * 24, "title": "CEO"}), "--dry-run", "--json"
    )
    assert done.json["inputs"] == {"contact_id": "path", "title": "body"}
    assert "Nothing was sent" in cli("run", "users_search", "--dry-run").out


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ('{"person_title": ["CEO"]}', "person_title"),
        ('{"per_page": "secret-value"}', "per_page"),
        ("[1]", "--input"),
        ("{nope", "--input"),
        ('{"page": 1, "page": 2}', "page"),
        ('{"page": NaN}', "--input"),
        ("@/no/such/file", "--input"),
    ],
)
def test_a_bad_input_sends_nothing(linked, service, given, word):
    """Every mistake in the input exits 2 before anything is sent, names its place and repeats no value."""
    before = len(service.requests())
    done = linked("run", "people_api_search", "--connection", "main", "--input", given, "--json")
    assert done.code == 2
    assert word in [problem.get("path") for problem in done.error["problems"]]
    assert "secret-value" not in done.err
    assert len(service.requests()) == before


def test_the_input_can_come_from_a_file_or_stdin(linked, tmp_path):
    """`@FILE` and `-` read the input."""
    file = tmp_path / "input.json"
    file.write_text('{"per_page": 2}')
    for given, stdin in ((f"@{file}", ""), ("-", '{"per_page": 2}')):
        done = linked("run", "people_api_search", "--connection", "main", "--input", given, "--json", stdin=stdin)
        assert len(done.lines) == 2


def test_unknown_names_exit_4(linked):
    """An action or connection that doesn't exist is not found, with a suggestion."""
    done = run(linked, "people_api_serch")
    assert (done.code, done.error["code"]) == (4, "not_found")
    assert "people_api_search" in done.error["hint"]
    assert linked("run", "users_search", "--connection", "nobody", "--json").code == 4


def test_a_missing_right_exits_4_and_says_what_to_tick(cli):
    """A key that may not call the endpoint gets the endpoint's name as Apollo lists it."""
    cli.link("main", "scoped_without_search")
    done = run(cli, "people_api_search")
    assert done.code == 4
    assert done.error["missing"]["key_endpoint"] == "api/v1/mixed_people/api_search"


def test_a_budget_is_kept(linked, service):
    """A budget that doesn't cover the next request exits 5 and nothing is billed."""
    done = run(linked, "people_match", {"email": "a@example.com"}, "--budget", "0.5")
    assert (done.code, done.error["code"]) == (5, "budget_exhausted")
    assert service.control("GET", "/ledger")["total"] == 0


def test_a_cost_without_limit_needs_an_estimate_under_a_budget(linked):
    """Under a budget, options whose price nobody names need --max-credits-per-record."""
    values = {"email": "a@example.com", "run_waterfall_email": True, "poll_only": True}
    assert run(linked, "people_match", values, "--budget", "50").code == 2
    assert run(linked, "people_match", values, "--budget", "50", "--dry-run").code == 2


def test_a_limit_on_a_list_is_refused(linked):
    """`--limit` on a bulk action would pay for what is thrown away, so it is refused."""
    assert run(linked, "people_bulk_match", {"details": [{"email": "a@example.com"}]}, "--limit", "1").code == 2


def test_the_run_is_kept_with_its_outcome(linked):
    """`runs` lists and shows what ran, failed runs with their error; purge deletes what was recorded."""
    run(linked, "people_match", {"email": "a@example.com"}, "--budget", "0")
    run(linked, "people_match", {"email": "a@example.com"})
    newest, older = linked("runs", "list", "--json").json
    assert (newest["status"], older["status"]) == ("done", "failed")
    report = linked("runs", "show", older["id"], "--json").json
    assert (report["detail"]["error"]["exit_code"], report["budget"]) == (5, 0)
    assert "budget of 0" in linked("runs", "show", older["id"]).out
    assert linked("runs", "cancel", newest["id"], "--json").code == 2
    assert linked("runs", "purge", "--older-than", "0", "--yes", "--json").json["answers"] == 1
    assert linked("runs", "purge", "--older-than", "0", "--summaries", "--yes", "--json").json["runs"] == 2


def test_an_unanswered_bill_exits_7_when_it_may_not_repeat(linked, service):
    """With --on-unknown stop a lost answer of a billing request is not repeated: exit 7, listed as in doubt."""
    service.control("POST", "/faults", {"operation": "people_match", "kind": "drop_after", "times": 1})
    done = run(linked, "people_match", {"email": "a@example.com"}, "--on-unknown", "stop")
    assert (done.code, done.error["code"]) == (7, "outcome_unknown")
    assert len(done.summary["in_doubt"]) == 1


@pytest.mark.real
def test_ctrl_c_notes_the_run_as_cancelled(linked):
    """Ctrl-C ends with 130 and the run says that it was stopped."""
    process = linked.process(
        "run", "people_api_search", "--connection", "main", "--input", '{"per_page": 1}', "--all", "--json"
    )
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    done = linked.finished(process)
    assert done.code == 130, done.err
    assert linked("runs", "list", "--json").json[0]["status"] == "cancelled"


@pytest.mark.real
def test_ctrl_c_ends_a_run_that_waits_for_quota(linked, service):
    """Ctrl-C ends a run within seconds although it would have waited a minute for its quota."""
    service.control("POST", "/quotas", {"people_api_search": [3, None, None]})
    command = ["run", "people_api_search", "--connection", "main", "--input", '{"per_page": 1}', "--all", "--json"]
    process = linked.process(*command)
    process.stdout.readline()
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    begun = time.monotonic()
    assert linked.finished(process).code == 130
    assert time.monotonic() - begun < 20


@pytest.mark.real
def test_a_reader_that_goes_away_ends_it_quietly(linked):
    """`run ... | head` stops without a traceback."""
    process = linked.process(
        "run", "people_api_search", "--connection", "main", "--input", '{"per_page": 1}', "--all", "--json"
    )
    process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(30) == 0, err
    assert "Traceback" not in err
    process.stdin.close()
    process.stderr.close()
