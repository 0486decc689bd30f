"""Composed actions as people meet them: palette, plan, needs and result."""

import json

NAMES = [
    f"{kind}_{what}" for kind in ("contacts", "accounts", "opportunities") for what in ("find_or_create", "upsert")
]


def test_the_palette_has_them_with_the_needs_of_their_parts(cli):
    """A host can show what to tick without knowing how they are made."""
    (connector,) = cli("palette", "--json").json["connectors"]
    found = {item["id"]: item for item in connector["actions"]}
    assert set(NAMES) <= set(found)
    assert found["contacts_upsert"]["requires"] == {
        "key_endpoints": ["api/v1/contacts/search", "api/v1/contacts/create", "api/v1/contacts/update"],
        "oauth_scopes": ["contacts_search", "contact_write", "contact_update"],
    }
    assert found["contacts_upsert"]["credits"] == 0


def test_a_description_shows_every_request(cli):
    """Each part's route and needs, and how many requests it takes at most."""
    told = cli("describe", "accounts_upsert").out
    assert (
        "POST /accounts/search, POST /accounts/bulk_create, PATCH /accounts/{account_id} (62 requests at most" in told
    )
    assert cli("describe", "accounts_upsert", "--json").json["parts"] == [
        "accounts_search",
        "accounts_bulk_create",
        "accounts_update",
    ]


def test_a_dry_run_shows_the_parts(cli):
    """Requests in order with their effects; nothing is sent."""
    values = json.dumps({"email": "a@example.com"})
    plan = cli("run", "contacts_find_or_create", "--input", values, "--dry-run", "--json").json
    assert [part["effect"] for part in plan["parts"]] == ["read", "create"]
    assert (plan["requests"], plan["worst_credits"], plan["effect"]) == (61, 0, "upsert")
    assert "61 at most" in cli("run", "contacts_find_or_create", "--input", values, "--dry-run").out


def test_needs_are_those_of_the_parts(cli):
    """What to tick follows from the parts."""
    needs = cli("requirements", "opportunities_upsert", "--json").json
    assert "deals/api/v1/opportunities/update" in needs["key_endpoints"]
    assert {"opportunities_list", "opportunity_write", "opportunity_update"} <= set(needs["oauth_scopes"])


def test_a_test_judges_the_parts(cli):
    """What a key may not do is told for each part."""
    cli.link("limited", "scoped_without_search")
    checks = cli("test", "limited", "--for", "opportunities_upsert", "--json").json["checks"]
    assert {"opportunities_search", "opportunities_create", "opportunities_update"} <= {one["name"] for one in checks}


def test_a_workflow_check_shows_the_parts(cli, tmp_path):
    """The step's row has every request and the most there can be."""
    file = tmp_path / "w.yaml"
    file.write_text(
        "name: w\nconnections: {a: {connector: apollo}}\nsteps:\n"
        "  - {id: s, action: contacts_upsert, with: {email: a@example.com}}\n"
    )
    (row,) = cli("workflow", "check", str(file), "--json").json["steps"]
    assert row["path"] == "POST /contacts/search, POST /contacts, PATCH /contacts/{contact_id}"
    assert (row["effect"], row["worst_credits"], row["note"]) == ("upsert", 0, "61 requests at most for each item")


def test_a_run_says_what_happened(cli, service):
    """The result is the record with its outcome."""
    cli.link("main")
    done = [
        cli("run", "contacts_upsert", "--connection", "main", "--json", "--input",
            json.dumps({"email": "dora@dora.example", "first_name": "Dora", "title": title}))
        for title in ("A", "B", "B")
    ]  # fmt: skip
    assert [one.json["outcome"] for one in done] == ["created", "updated", "unchanged"]
    assert len({one.json["id"] for one in done}) == 1
    assert len([one for one in service.requests() if one["path"].endswith("/contacts")]) == 1


def test_an_input_without_a_natural_key_is_refused(cli, service):
    """Nothing is sent, and the sentence says what is needed."""
    cli.link("main")
    before = len(service.requests())
    done = cli("run", "contacts_upsert", "--connection", "main", "--json", "--input", '{"first_name": "X"}')
    assert done.code == 2
    assert "Give an email, or first name, last name and employer" in done.err
    assert len(service.requests()) == before
