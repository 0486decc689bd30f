"""Commands that need no account, and how mistakes are told."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from apollo_component.contract.loading import index_of

ROOT = Path(__file__).parent.parent.parent
HEAVY = ["httpx", "jsonschema", "yaml", "typer", "rich", "pluggy", "sqlalchemy", "dbos", "cryptography"]


@pytest.mark.parametrize("flag", [[], ["--json"]])
def test_the_palette_of_an_index_imports_nothing_heavy(tmp_path, flag):
    """With an index `palette` is answered by the standard library alone."""
    (tmp_path / "indexed").mkdir()
    (tmp_path / "indexed" / "__init__.py").touch()
    (tmp_path / "indexed" / "connector.index.json").write_text(json.dumps(index_of(ROOT)))
    info = tmp_path / "indexed-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: indexed\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[workflow_connectors]\napollo = indexed.plugin:plugin\n")
    script = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}, {str(tmp_path)!r}]
sys.argv = ["apollo-component", "palette", *{flag!r}]
from apollo_component.__main__ import main
assert main() == 0
assert not [name for name in {HEAVY!r} if name in sys.modules]
"""
    done = subprocess.run([sys.executable, "-S", "-c", script], check=False, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    assert "people_match" in done.stdout
    assert not flag or json.loads(done.stdout)["connectors"][0]["id"] == "apollo"


def test_the_palette_of_a_checkout_is_read_in_full(cli):
    """Without an index the palette is the same, read from the declaration."""
    done = cli("palette", "--json")
    assert "people_match" in [item["id"] for item in done.json["connectors"][0]["actions"]]
    assert "1 credit" in cli("palette").out


def test_the_version_is_told(cli):
    """`--version` works by the fast way and by the whole command."""
    assert cli("--version").out.startswith("apollo-component 0.")
    done = subprocess.run(
        [sys.executable, "-m", "apollo_component", "--version"], check=False, capture_output=True, text=True, cwd=ROOT
    )
    assert done.stdout == cli("--version").out


def test_an_action_is_described_whole(cli):
    """`describe --json` carries the input schema, what is required, and the cost."""
    data = cli("describe", "apollo.people_match", "--json").json
    assert data["requires"]["key_endpoint"] == "api/v1/people/match"
    assert (data["effect"], data["credits"]["base"]) == ("bill", 1)
    assert "reveal_phone_number" in data["input"]["properties"]
    assert (ROOT / data["output_schema"]).is_file()


@pytest.mark.full
def test_every_action_can_be_described_to_people(cli):
    """The table of inputs can be drawn for each action of the palette."""
    for action in cli("palette", "--json").json["connectors"][0]["actions"]:
        done = cli("describe", action["id"])
        assert done.code == 0, done.err
        assert action["title"] in done.out


def test_a_description_has_every_field_with_what_is_needed(cli):
    """Inputs at every depth, those needed inside another, the rules, and the fields that have drop-downs."""
    told = cli("describe", "reports_sync_report").out
    (row,) = [line for line in told.splitlines() if line.startswith(" metrics.smart_datetime_reference ")]
    assert " in metrics " in row
    assert "`options reports_sync_report FIELD --connection NAME`" in told
    fields = {field["name"]: field for field in cli("describe", "reports_sync_report", "--json").json["fields"]}
    assert fields["metrics.smart_datetime_reference"]["required"] is True
    assert fields["filters.smart_user_id"]["options"] == "users"
    match = cli("describe", "people_match")
    assert "Rule: Give at least one of: id, email" in match.out
    assert cli("describe", "people_match", "--json").json["rules"][0].startswith("Give at least one of")


def test_a_match_is_not_said_to_be_updated(cli):
    """Whether a match is changed or given back as it is differs; that there is no second record holds for all."""
    assert "With run_dedupe and email, repeating it makes no second record." in cli("describe", "contacts_create").out
    assert "updates a match" not in cli("describe", "accounts_bulk_create").out


def test_the_palette_tells_costs_for_each_and_more(cli):
    """Costs for each item of a list, and those that options add to, are told apart from plain ones."""
    lines = {line.split()[0]: line for line in cli("palette").out.splitlines() if line.startswith("  ")}
    assert lines["people_match"].endswith("  1 credit or more")
    assert lines["people_bulk_match"].endswith("  1 credit each or more")
    assert lines["organizations_bulk_enrich"].endswith("  1 credit each")
    assert lines["organizations_enrich"].endswith("  1 credit")
    assert lines["contacts_bulk_create"].endswith("  free")


def test_requirements_mention_the_listing_of_custom_fields(cli):
    """Fields by name are looked up by another action, which needs its own right."""
    assert cli("requirements", "contacts_create", "--json").json["custom_fields"] == {
        "contacts_create": ["fields_list"]
    }
    assert (
        "Custom fields by name: contacts_create with them needs fields_list, too"
        in cli("requirements", "contacts_create").out
    )
    assert cli("requirements", "contacts_create", "fields_list", "--json").json["custom_fields"] == {}


def test_an_unknown_action_suggests_the_right_one(cli):
    """A slip in an action's name exits 4 and gets a suggestion."""
    done = cli("describe", "people_macth", "--json")
    assert (done.code, "people_match" in done.error["hint"]) == (4, True)


def test_requirements_are_what_the_actions_need_and_nothing_more(cli):
    """The tick-list holds the endpoints of the actions and of the connection test."""
    found = cli("requirements", "people_match", "apollo.contacts_create", "--json").json
    assert found["key_endpoints"] == [
        "api/v1/contacts/create",
        "api/v1/mixed_people/api_search",
        "api/v1/people/match",
        "api/v1/users/api_profile",
    ]
    assert found["oauth_scopes"] == ["contact_write", "people_match"]
    assert "api/v1/people/match" in cli("requirements", "people_match").out.replace("  ", "").splitlines()


def test_requirements_of_a_workflow_file(cli):
    """A workflow file needs what its steps need."""
    found = cli("requirements", str(ROOT / "examples" / "prospecting.yaml"), "--json").json
    assert "people_bulk_match" in found["oauth_scopes"]


def test_the_installed_declaration_is_valid(cli, tmp_path):
    """`validate` finds nothing wrong with the connector, and every problem of a broken file."""
    assert cli("validate", "--json").json["valid"] is True
    broken = tmp_path / "connector.yaml"
    broken.write_text("id: x\nid: y\n")
    done = cli("validate", str(broken), "--json")
    assert (done.code, done.error["problems"][0]["line"]) == (2, 2)


@pytest.mark.parametrize("arguments", [["nope"], ["test"], ["runs", "list", "--nope"], ["runs", "nope"]])
def test_a_wrong_command_line_exits_2(cli, arguments):
    """Usage mistakes exit 2, as JSON when JSON is wanted."""
    done = cli(*arguments, "--json")
    assert (done.code, done.error["code"]) == (2, "usage")
    assert cli(*arguments).code == 2


def test_a_fault_is_one_sentence(cli, monkeypatch):
    """Something unexpected exits 1 with its kind, without values and without a traceback."""
    from apollo_component.host.host import Host

    def broken(**_more):
        raise ValueError("canary-0815")

    monkeypatch.setattr(Host, "open", broken)
    cli.secrets.add("canary-0815")
    done = cli("connections", "--json")
    assert (done.code, done.error["code"]) == (1, "bug")
    assert "ValueError" in done.error["message"]
    assert "Traceback" not in cli("connections").err


def test_a_lost_key_is_told_with_what_to_do(cli, tmp_path):
    """A home whose key is gone exits 2 and says what to put back."""
    cli.link("main")
    (tmp_path / "home" / "host.key").unlink()
    done = cli("connections", "--json")
    assert (done.code, done.error["code"]) == (2, "store")
