"""Drop-downs, custom fields and usage on the command line, against the sandbox."""

import pytest

from apollo_component.contract.errors import NotFoundError
from apollo_component.host import linking
from apollo_component.host.host import Host
from apollo_component.host.registry import Registry
from apollo_component.host.settings import Settings

CONTACT = '{"email": "person@example.com", "typed_custom_fields": {"Segment": "enterprise", "Seats": 12, "VIP": true}}'


@pytest.fixture
def host(registered, service, tmp_path, monkeypatch):
    """A host in this process whose connection `main` is the sandbox's master key."""
    for name, value in service.env.items():
        monkeypatch.setenv(name, value)
    home = tmp_path / "home"
    made = Host.open(Settings(home, f"sqlite:///{home / 'host.db'}"), Registry.installed())
    linking.link_key(made, "apollo", "main", "api_key", {"api_key": service.keys["master"]})
    yield made
    made.close()


def open_twice(host, manifest, action, name, search):
    """The first two pages of a field's drop-down; how many choices they have."""
    first = host.options.of(manifest, action, name, "main", search)
    more = first.next_cursor and host.options.of(manifest, action, name, "main", search, first.next_cursor)
    return len(first.choices) + (len(more.choices) if more else 0)


def test_opening_every_drop_down_spends_no_credits(host, service):
    """Every field of every action and trigger is opened, with and without a search: fixed words cost no request, sources no
    credits by the sandbox's own ledger, and whatever has an id but no choices has its reason."""
    manifest = host.registry.manifest("apollo")
    before = service.control("GET", "/ledger")
    service.control("DELETE", "/requests")
    opened, words = {}, 0
    for action in (*manifest.actions.values(), *manifest.triggers.values()):
        for field in host.options.fields(manifest, action.input):
            if field.vocabulary:
                assert host.options.of(manifest, action, field.name).choices
                words += 1
            elif field.source:
                count = open_twice(host, manifest, action, field.name, "")
                open_twice(host, manifest, action, field.name, "a")
                opened[field.source] = opened.get(field.source, 0) + count
            else:
                with pytest.raises(NotFoundError) as caught:
                    host.options.of(manifest, action, field.name, "main")
                assert not field.path[-1].endswith("_id") or field.reason in str(caught.value)
                assert not field.path[-1].endswith("_id") or field.reason
    assert set(opened) == set(manifest.option_sources)
    made_by_people = {"sequence_list_names"}  # the sandbox begins without any
    assert {source for source, count in opened.items() if not count} == made_by_people
    assert words > 20
    assert service.control("GET", "/ledger") == before
    assert {entry["operation"] for entry in service.requests()} == {s.action for s in manifest.option_sources.values()}


def test_the_values_of_every_field_spend_no_credits(host, service):
    """The options of each pick list are opened behind the field; they come from the same answer."""
    manifest, action = host.registry.manifest("apollo"), host.registry.manifest("apollo").actions["contacts_create"]
    before = service.control("GET", "/ledger")
    fields = host.options.of(manifest, action, "typed_custom_fields", "main").choices
    service.control("DELETE", "/requests")
    found = {
        field.label: [
            choice.label
            for choice in host.options.of(manifest, action, f"typed_custom_fields.{field.label}", "main").choices
        ]
        for field in fields
    }
    assert found["Segment"] == ["Startup", "Mid-market", "Enterprise"]
    assert service.requests() == []
    assert service.control("GET", "/ledger") == before


def test_options_of_a_field(cli, service):
    """Real names with ids, as JSON and as a table."""
    cli.link()
    done = cli("options", "accounts_create", "owner_id", "--connection", "main", "--json")
    assert done.code == 0, done.err
    names = [choice["label"] for choice in done.json["choices"]]
    assert len(done.json["choices"][0]["value"]) == 24
    assert names[0] in cli("options", "users", "--connection", "main").out


def test_options_page_by_page(cli):
    """A long list is shown a page at a time, goes on at its cursor, and is whole with --all."""
    cli.link()
    first = cli("options", "contacts", "--connection", "main", "--json").json
    assert (len(first["choices"]), first["next_cursor"]) == (100, "2")
    second = cli("options", "contacts", "--connection", "main", "--json", "--cursor", "2").json
    assert second["choices"][0] not in first["choices"]
    assert len(cli("options", "contacts", "--connection", "main", "--json", "--all").json["choices"]) > 200
    assert "--all" in cli("options", "contacts", "--connection", "main").err


def test_options_search(cli, service):
    """What is searched for goes to Apollo where it can search."""
    cli.link()
    done = cli("options", "contacts_update", "contact_id", "--connection", "main", "--search", "dana", "--json")
    assert done.json["choices"]
    assert "q_keywords" in service.requests()[-1]["body"]


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["people_match", "id"], 4, "search of millions"),
        (["contacts_create", "first_name"], 4, "no list to choose from"),
        (["contacts_create", "contact_stage"], 4, "Did you mean contact_stage_id?"),
        (["contacts_create", "contact_stage_id"], 2, "--connection"),
        (["users"], 2, "--connection"),
        (["a", "b", "c"], 2, "one of its fields"),
    ],
)
def test_options_say_why_not(cli, arguments, code, text):
    """Without choices, connection or a name that fits, the reason is told and nothing is sent."""
    done = cli("options", *arguments)
    assert (done.code, text in done.err) == (code, True), done.err


def test_fixed_words_need_no_connection(cli, service):
    """Seniorities, email statuses and headcount bands come from the schema."""
    service.control("DELETE", "/requests")
    for field, word in {
        "person_seniorities": "c_suite",
        "contact_email_status": "likely to engage",
        "organization_num_employees_ranges": "11,50",
    }.items():
        assert word in cli("options", "people_api_search", field).out
    assert service.requests() == []


def test_a_contact_is_made_with_names(cli, service):
    """`run` takes names of fields and options, and Apollo gets ids."""
    cli.link()
    done = cli("run", "contacts_create", "--connection", "main", "--input", CONTACT, "--json")
    assert done.code == 0, done.err
    fields = cli("options", "contacts_create", "typed_custom_fields", "--connection", "main", "--json").json["choices"]
    ids = {field["label"]: field["value"] for field in fields}
    segment = next(field for field in fields if field["label"] == "Segment")
    option = next(inner["value"] for inner in segment["choices"] if inner["label"] == "Enterprise")
    assert done.json["typed_custom_fields"] == {ids["Segment"]: option, ids["Seats"]: 12, ids["VIP"]: True}
    assert "Segment" not in next(e["body"] for e in service.requests() if e["operation"] == "contacts_create")


def test_a_mistake_in_a_field_makes_no_run(cli, service):
    """A wrong name or value exits 2 at its place; no run is noted and nothing is written."""
    cli.link()
    wrong = CONTACT.replace("Segment", "Segmant").replace("12", '"12"')
    done = cli("run", "contacts_create", "--connection", "main", "--input", wrong, "--json")
    assert done.code == 2
    texts = {problem["path"]: problem["text"] for problem in done.error["problems"]}
    assert "did you mean Segment?" in texts["typed_custom_fields.Segmant"]
    assert texts["typed_custom_fields.Seats"] == "must be a number"
    assert cli("runs", "list", "--json").json == []
    assert "contacts_create" not in {entry["operation"] for entry in service.requests()}


def test_an_upsert_compares_names_as_ids(cli, service):
    """An action made of others takes names too, and sees that nothing differs when it is run again."""
    cli.link()
    found = [cli("run", "contacts_upsert", "--connection", "main", "--input", CONTACT, "--json") for _ in range(3)]
    assert [done.code for done in found] == [0, 0, 0], found[0].err
    assert [done.json["outcome"] for done in found] == ["created", "unchanged", "unchanged"]
    changed = CONTACT.replace("enterprise", "Startup")
    assert (
        cli("run", "contacts_upsert", "--connection", "main", "--input", changed, "--json").json["outcome"] == "updated"
    )


def test_a_key_that_may_not_list_fields(cli, service):
    """Without the right to list fields names can't be looked up: exit 4 names the endpoint; ids need no look-up."""
    cli.link("small", "scoped_without_search")
    done = cli("run", "contacts_create", "--connection", "small", "--input", CONTACT, "--json")
    assert (done.code, done.error["code"]) == (4, "permission_denied")
    assert done.error["missing"]["key_endpoint"] == "api/v1/fields/index"
    by_id = '{"email": "person@example.com", "typed_custom_fields": {"c4010da225e590c49a61164d": 1}}'
    assert "contacts_create" not in {entry["operation"] for entry in service.requests()}
    assert cli("run", "contacts_create", "--connection", "small", "--input", by_id).code == 0


def test_a_dry_run_resolves_with_a_connection_and_says_when_it_cannot(cli, service):
    """Without a connection names are not checked, and it says so; with one they are, and nothing is written."""
    cli.link()
    arguments = ("run", "contacts_create", "--dry-run", "--input")
    assert "were not checked" in cli(*arguments, CONTACT).err
    wrong = CONTACT.replace("Segment", "Segmant")
    assert cli(*arguments, wrong).code == 0
    assert cli(*arguments, wrong, "--connection", "main").code == 2
    assert cli(*arguments, CONTACT, "--connection", "main").code == 0
    assert "contacts_create" not in {entry["operation"] for entry in service.requests()}


def test_a_dry_run_without_names_says_nothing_more(cli):
    """Where no name has to be looked up there is no warning."""
    done = cli("run", "contacts_create", "--dry-run", "--input", '{"email": "person@example.com"}')
    assert (done.code, done.err) == (0, "")


def test_describe_shows_the_workspaces_fields(cli):
    """With a connection `describe` lists the fields with types and options, in JSON as schema properties."""
    cli.link()
    out = cli("describe", "contacts_bulk_create", "--connection", "main").out
    assert "Custom fields for contacts.typed_custom_fields" in out
    assert "Startup, Mid-market, Enterprise" in out
    data = cli("describe", "opportunities_create", "--connection", "main", "--json").json
    properties = data["custom_fields"]["typed_custom_fields"]["properties"].values()
    assert list(properties) == [{"title": "Procurement route", "type": "string"}]
    assert "custom_fields" not in cli("describe", "opportunities_create", "--json").json


def test_an_unknown_field_is_named(cli):
    """What was typed, and what was likely meant, else the fields that have choices."""
    near = cli("options", "contacts_create", "acount_id", "--json").error
    assert "'acount_id'" in near["message"]
    assert near["hint"] == "Did you mean account_id?"
    far = cli("options", "contacts_create", "zzzzz", "--json").error
    assert far["hint"].startswith("Fields with choices: account_id, ")


def test_usage_shows_credits_and_quotas(cli, service):
    """Credits with their cycle, requests by window, and what the host learnt; it costs nothing."""
    cli.link()
    before = service.control("GET", "/ledger")
    cli("options", "users", "--connection", "main")
    done = cli("usage", "main", "--json")
    assert done.code == 0, done.err
    lead = next(row for row in done.json["credits"]["rows"] if row["pool"] == "lead_credit")
    assert lead["left"] == lead["limit"] - lead["used"]
    assert done.json["credits"]["start"] < done.json["credits"]["end"]
    used = [row for row in done.json["requests"]["rows"] if row["used"]]
    assert "api/v1/users/search" in {row["name"] for row in used}
    assert {row["window"] for row in used} == {"minute", "hour", "day"}
    assert "usage_credit_stats" in {row["operation"] for row in done.json["learnt"]}
    out = cli("usage", "main").out
    assert "Lead credits" in out
    assert "do not add them up" in out
    assert "reports/sync_report" not in out
    assert "as this host learnt them" not in out
    assert "reports/sync_report" in cli("usage", "main", "--all").out
    assert service.control("GET", "/ledger") == before


def test_usage_says_what_it_cannot_tell(cli, service):
    """A route that answers 404, or a right that is missing, is a sentence; the rest is shown."""
    cli.link()
    missing = {"kind": "status", "status": 404, "body": {"error": "Not Found"}}
    service.control("POST", "/faults", {"operation": "usage_api_stats", **missing})
    done = cli("usage", "main", "--json")
    assert done.code == 0
    assert done.json["requests"]["problem"]
    assert done.json["credits"]["rows"]
    refusal = {"error": "This API key is not authorized to access it.", "error_code": "API_INACCESSIBLE"}
    service.control(
        "POST", "/faults", {"operation": "usage_credit_stats", "kind": "status", "status": 403, "body": refusal}
    )
    out = cli("usage", "main")
    assert out.code == 0
    assert out.out.count("Not told: ") == 2
    assert "api/v1/usage_stats/credit_usage_stats" in out.out
    assert "as this host learnt them" in cli("usage", "main", "--all").out


def test_requirements_of_a_workflow_hold_the_look_ups(cli, tmp_path):
    """A file that names custom fields also needs the right to list them; ids and computed maps don't."""
    text = """
name: x
connections: {apollo: {connector: apollo}}
steps:
  - {id: make, action: contacts_create, with: {email: a@example.com, typed_custom_fields: FIELDS}}
"""
    file = tmp_path / "fields.yaml"
    for fields, needed in {
        "{Segment: Startup}": True,
        "{c4010da225e590c49a61164d: Startup}": False,
        "{$from: inputs}": False,
    }.items():
        file.write_text(text.replace("FIELDS", fields))
        found = cli("requirements", str(file), "--json").json
        assert ("api/v1/fields/index" in found["key_endpoints"]) is needed
        assert ("custom_fields_list" in found["oauth_scopes"]) is needed
