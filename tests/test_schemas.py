"""connector.yaml and the schema files, checked with plain YAML and JSON Schema tools only."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "schemas").rglob("*.json"))
INPUTS = sorted((ROOT / "schemas" / "actions").glob("*.json"))
FORMS = sorted((ROOT / "schemas" / "connections").glob("*.json"))
RECORDS = sorted((ROOT / "schemas" / "records").glob("*.json"))


class TextDates(yaml.CSafeLoader):
    """Plain YAML in which dates stay text."""


TextDates.yaml_implicit_resolvers = {
    first: [item for item in resolvers if item[0] != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}

MANIFEST = yaml.load((ROOT / "connector.yaml").read_text(encoding="utf-8"), Loader=TextDates)
ACTIONS = {item["id"]: item for item in MANIFEST["actions"]}
EXAMPLES = {name: item.get("example", {}) for name, item in ACTIONS.items()}
ID = "c4010da225e590c49a61164d"


@cache
def contents(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def retrieve(uri: str) -> Resource[Any]:
    return Resource(contents=contents(Path(uri.removeprefix("file://"))), specification=DRAFT202012)


REGISTRY: Registry[Any] = Registry(retrieve=retrieve)


@cache
def validator(file: Path) -> Draft202012Validator:
    return Draft202012Validator({"$ref": file.as_uri()}, registry=REGISTRY)


def fits(action: str, **values: Any) -> bool:
    return validator(ROOT / ACTIONS[action]["input"]).is_valid(values)


def name_of(file: Path) -> str:
    return file.relative_to(ROOT / "schemas").as_posix()


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Every object in a schema document, itself included."""
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from parts(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from parts(value)


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_schema_is_valid(file: Path) -> None:
    """Every schema file is JSON Schema 2020-12, says so, and has no id that would move its references."""
    schema = contents(file)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$schema"]
    assert "$id" not in schema


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_references_lead_somewhere(file: Path) -> None:
    """Every reference of a schema file names a file and a place in it that exist."""
    resolver = REGISTRY.resolver(file.as_uri())
    for part in parts(contents(file)):
        if isinstance(part.get("$ref"), str):
            assert isinstance(resolver.lookup(part["$ref"]).contents, dict)


@pytest.mark.parametrize("file", [*INPUTS, *FORMS], ids=name_of)
def test_inputs_are_closed(file: Path) -> None:
    """An input or form refuses fields it doesn't name, and every field has a title and a description."""
    schema = contents(file)
    assert schema["additionalProperties"] is False
    resolver = REGISTRY.resolver(file.as_uri())
    for name, field in schema["properties"].items():
        texts: dict[str, Any] = {}
        base, here = resolver, field
        while True:
            texts = here | texts
            if "$ref" not in here:
                break
            found = base.lookup(here["$ref"])
            base, here = found.resolver, found.contents
        assert texts.get("title"), name
        assert texts.get("description"), name
    assert not validator(file).is_valid({"no_such_field": 1})
    assert "no_such_field" in "".join(error.message for error in validator(file).iter_errors({"no_such_field": 1}))


def test_shared_objects_are_closed() -> None:
    """Objects with named fields inside the inputs are closed too: people, and ranges."""
    definitions = contents(ROOT / "schemas" / "definitions.schema.json")["$defs"]
    for name in ("person_identifiers", "integer_range", "date_range"):
        assert definitions[name]["additionalProperties"] is False
    assert not fits("people_api_search", revenue_range={"minimum": 1})
    assert not fits("people_api_search", revenue_range={})
    assert not fits("people_bulk_match", details=[{"mail": "dana@example.com"}])


@pytest.mark.parametrize("file", RECORDS, ids=name_of)
def test_outputs_are_open(file: Path) -> None:
    """A record may have more fields than named, lack any of them, and have null in all of them."""
    schema = contents(file)
    assert schema["additionalProperties"] is True
    assert "required" not in schema
    assert validator(file).is_valid({})
    assert validator(file).is_valid(dict.fromkeys(schema["properties"]) | {"brand_new": [1]})


@pytest.mark.parametrize("action", EXAMPLES)
def test_example_fits(action: str) -> None:
    """The example of every action is an input its schema accepts."""
    errors = list(validator(ROOT / ACTIONS[action]["input"]).iter_errors(EXAMPLES[action]))
    assert not errors, errors


@pytest.mark.parametrize("action", ACTIONS)
def test_names_of_an_action_exist(action: str) -> None:
    """Path placeholders and every other input an action names are fields of its input; its files exist."""
    item = ACTIONS[action]
    fields = set(contents(ROOT / item["input"])["properties"])
    credits_ = item.get("credits", {})
    named = {
        *re.findall(r"{(\w+)}", item["path"]),
        *item.get("query", ()),
        *([item["bulk"]["items"]] if "bulk" in item else ()),
        *([credits_["per"]] if "per" in credits_ else ()),
        *credits_.get("flags", ()),
        *credits_.get("unbounded", ()),
        *(MANIFEST["paging_styles"][item["paging"]][key] for key in ("page", "per_page") if "paging" in item),
    }
    assert named <= fields
    assert set(re.findall(r"{(\w+)}", item["path"])) <= set(contents(ROOT / item["input"]).get("required", ()))
    assert (ROOT / item["output"]).is_file()
    assert item["group"] in {group["id"] for group in MANIFEST["groups"]}


def test_lookups_and_upserts_name_real_inputs() -> None:
    """What an effect names exists: inputs of the create, and inputs and fields of the action that looks it up."""
    for item in ACTIONS.values():
        effect = item["effect"] if isinstance(item["effect"], dict) else {}
        fields = set(contents(ROOT / item["input"])["properties"])
        upsert, lookup = effect.get("upsert_when"), effect.get("lookup")
        if upsert:
            assert {upsert["flag"], *upsert["with_any"]} <= fields
        if lookup:
            search = ACTIONS[lookup["action"]]
            assert set(lookup["input"]) <= set(contents(ROOT / search["input"])["properties"])
            assert {*lookup["input"].values(), *lookup["match"].values()} <= fields
            assert {*lookup["match"], lookup.get("created", "created_at")} <= set(
                contents(ROOT / search["output"])["properties"]
            )


def test_connection_test_asks_what_is_declared() -> None:
    """Every test stage runs a free action that only reads, with an input that fits."""
    kinds = {kind["id"] for kind in MANIFEST["connection_types"]}
    for stage in MANIFEST["test"]:
        item = ACTIONS[stage["action"]]
        assert item["effect"] == "read"
        assert "credits" not in item
        assert fits(stage["action"], **stage.get("input", {}))
        assert set(stage.get("connection_types", ())) <= kinds


def test_no_schema_file_is_unused() -> None:
    """Every action, record and connection file is used by the manifest or by another record."""
    used = {item[key] for item in ACTIONS.values() for key in ("input", "output")}
    used |= {kind["fields"] for kind in MANIFEST["connection_types"]}
    assert used == {file.relative_to(ROOT).as_posix() for file in (*INPUTS, *FORMS, *RECORDS)}


def test_meta_schema_accepts_the_manifest() -> None:
    """connector.yaml has the form the meta-schema describes."""
    errors = list(validator(ROOT / "schemas" / "connector.schema.json").iter_errors(MANIFEST))
    assert not errors, [(list(error.absolute_path), error.message) for error in errors]


def at(*path: str | int) -> Callable[[Any], Any]:
    def find(data: Any) -> Any:
        for part in path:
            data = data[part]
        return data

    return find


CREATE = list(ACTIONS).index("contacts_create")
PLACES = {
    "top": at(),
    "server": at("servers", "api"),
    "group": at("groups", 0),
    "paging_style": at("paging_styles", "page"),
    "connection_type": at("connection_types", 0),
    "guide_step": at("connection_types", 0, "guide", 0),
    "oauth": at("connection_types", 1, "oauth"),
    "test_stage": at("test", 0),
    "account": at("test", 1, "account"),
    "action": at("actions", 0),
    "requires": at("actions", 0, "requires"),
    "reply": at("actions", 0, "reply"),
    "credits": at("actions", 1, "credits"),
    "bulk": at("actions", 2, "bulk"),
    "effect": at("actions", CREATE, "effect"),
    "upsert_when": at("actions", CREATE, "effect", "upsert_when"),
    "lookup": at("actions", CREATE, "effect", "lookup"),
}


@pytest.mark.parametrize("place", PLACES)
def test_meta_schema_refuses_an_unknown_key(place: str) -> None:
    """A key the format doesn't know is refused in every part of the manifest."""
    data = copy.deepcopy(MANIFEST)
    PLACES[place](data)["no_such_key"] = "x"
    assert not validator(ROOT / "schemas" / "connector.schema.json").is_valid(data)


@pytest.mark.parametrize(
    ("place", "key", "value"),
    [
        ("top", "contract", 1.0),
        ("top", "id", "Apollo"),
        ("server", "url", "http://api.example.com"),
        ("server", "url", "https://api.example.com/"),
        ("action", "method", "post"),
        ("action", "path", "people"),
        ("action", "input", "../x.json"),
        ("action", "output", "/x.json"),
        ("action", "effect", "write"),
        ("action", "effect", {"lookup": {}}),
        ("action", "effect", {"kind": "read", "upsert_when": {"flag": "a", "with_any": ["b"]}}),
        ("reply", "value", "."),
        ("connection_type", "kind", "authorization_code"),
        ("guide_step", "show", "everything"),
        ("test_stage", "required", True),
        ("bulk", "max", 0),
    ],
)
def test_meta_schema_refuses_a_wrong_value(place: str, key: str, value: Any) -> None:
    """A value of the wrong form is refused."""
    data = copy.deepcopy(MANIFEST)
    PLACES[place](data)[key] = value
    assert not validator(ROOT / "schemas" / "connector.schema.json").is_valid(data)


def test_meta_schema_knows_nothing_of_the_service() -> None:
    """The manifest format is for any connector: it doesn't name Apollo, and describes each of its keys."""
    file = ROOT / "schemas" / "connector.schema.json"
    assert "apollo" not in file.read_text(encoding="utf-8").lower()
    schema = contents(file)
    for part in (schema, *schema["$defs"].values()):
        for name, field in part.get("properties", {}).items():
            target = schema["$defs"][field["$ref"].rpartition("/")[2]] if "$ref" in field else {}
            assert (target | field).get("description"), name


def test_later_sections_are_closed_too() -> None:
    """Triggers and option sources are accepted in their plain form and refused with an unknown key."""
    check = validator(ROOT / "schemas" / "connector.schema.json").is_valid
    trigger = {"id": "made", "title": "Made", "description": "When made."}
    source = {"id": "users", "action": "users_search", "label": "name", "value": "id", "search": "q_keywords"}
    assert check(MANIFEST | {"triggers": [trigger], "option_sources": [source]})
    assert not check(MANIFEST | {"triggers": [trigger | {"x": 1}]})
    assert not check(MANIFEST | {"option_sources": [source | {"x": 1}]})


GOOD = [
    ("people_match", {"id": ID}),
    ("people_match", {"first_name": "Dana", "last_name": "Reyes"}),
    ("people_match", {"id": ID, "reveal_phone_number": True, "webhook_url": "https://example.com/a?b=c"}),
    ("people_match", {"id": ID, "run_waterfall_phone": True, "poll_only": True}),
    ("people_match", {"id": ID, "poll_only": False, "webhook_url": "https://example.com/a"}),
    (
        "people_api_search",
        {"revenue_range": {"min": 1}, "q_organization_domains_list": ["example.com"] * 1000},
    ),
    ("people_api_search", {"organization_job_posted_at_range": {"max": "2026-10-31"}}),
    ("people_bulk_match", {"details": [{"id": ID}] * 11}),
    ("contacts_update", {"contact_id": ID, "email": "", "label_names": []}),
    ("contacts_create", {"email": "dana@example.com", "typed_custom_fields": {ID: ["a"]}}),
    ("contacts_search", {"sort_by_field": "contact_created_at", "sort_ascending": True}),
    (
        "emailer_campaigns_add_contact_ids",
        {
            "sequence_id": ID,
            "label_names": ["Fair"],
            "send_email_from_email_account_id": [ID, ID],
            "status": "paused",
            "auto_unpause_at": "2026-10-31T09:00:00Z",
        },
    ),
]
BAD = [
    ("people_match", {}),
    ("people_match", {"domain": "example.com"}),
    ("people_match", {"id": ID + "\n"}),
    ("people_match", {"id": "x" * 24}),
    ("people_match", {"id": ID, "reveal_phone_number": True}),
    ("people_match", {"id": ID, "run_waterfall_email": True, "poll_only": False}),
    ("people_match", {"id": ID, "poll_only": True, "webhook_url": "https://example.com/a"}),
    ("people_match", {"id": ID, "reveal_phone_number": True, "webhook_url": "http://example.com/a"}),
    ("people_bulk_match", {"details": []}),
    ("people_bulk_match", {"details": [{"domain": "example.com"}]}),
    ("people_api_search", {"q_organization_domains": "example.com"}),
    ("people_api_search", {"q_organization_domains_list": ["example.com"] * 1001}),
    ("people_api_search", {"q_organization_domains_list": ["https://example.com"]}),
    ("people_api_search", {"organization_num_employees_ranges": ["11-50"]}),
    ("people_api_search", {"person_seniorities": ["boss"]}),
    ("people_api_search", {"page": 0}),
    ("people_api_search", {"page": 501}),
    ("people_api_search", {"per_page": 101}),
    ("organizations_enrich", {}),
    ("contacts_create", {"run_dedupe": True}),
    ("contacts_update", {"contact_id": ID}),
    ("contacts_update", {"title": "VP"}),
    ("contacts_search", {"sort_ascending": True}),
    ("opportunities_create", {"name": "Deal", "amount": "25,000"}),
    ("opportunities_create", {"name": "Deal", "closed_date": "31.10.2026"}),
    ("opportunities_create", {"amount": "1"}),
    ("emailer_campaigns_add_contact_ids", {"sequence_id": ID, "send_email_from_email_account_id": ID}),
    (
        "emailer_campaigns_add_contact_ids",
        {
            "sequence_id": ID,
            "contact_ids": [ID],
            "send_email_from_email_account_id": ID,
            "auto_unpause_at": "2026-10-31T09:00:00Z",
        },
    ),
]


@pytest.mark.parametrize(("action", "values"), GOOD)
def test_good_input(action: str, values: dict[str, Any]) -> None:
    """Inputs that Apollo takes are accepted."""
    assert fits(action, **values)


@pytest.mark.parametrize(("action", "values"), BAD)
def test_bad_input(action: str, values: dict[str, Any]) -> None:
    """Inputs that would be refused, ignored or wasted are caught before anything is sent."""
    assert not fits(action, **values)


def test_rules_are_worded() -> None:
    """Every rule over several fields has a sentence for people beside it."""
    for file in [*INPUTS, *FORMS, ROOT / "schemas" / "definitions.schema.json"]:
        schema = contents(file)
        rules = [rule for part in (schema, *schema.get("$defs", {}).values()) for rule in part.get("allOf", ())]
        for rule in rules:
            assert "$ref" in rule or rule["x-error"].strip(), name_of(file)


def test_secrets_are_marked() -> None:
    """The key and the client secret are marked as secrets, the rest of the forms is not."""
    marked = {
        name for file in FORMS for name, field in contents(file)["properties"].items() if field.get("secret") is True
    }
    assert marked == {"api_key", "client_secret"}


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("https://example.com/callback", True),
        ("http://127.0.0.1:8765/callback", True),
        ("http://localhost/callback", True),
        ("http://example.com/callback", False),
        ("http://127.0.0.1.example.com/", False),
        ("https://example.com/#callback", False),
        ("callback", False),
    ],
)
def test_redirect(address: str, good: bool) -> None:
    """A redirect address is https, or http on this computer, without a fragment."""
    form = validator(ROOT / "schemas" / "connections" / "oauth2.schema.json")
    assert form.is_valid({"client_id": "a", "client_secret": "b", "redirect_uri": address}) is good
