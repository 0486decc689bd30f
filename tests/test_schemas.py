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
FILTERS = sorted((ROOT / "schemas" / "triggers").glob("*.json"))
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
SOURCES = {item["id"]: item for item in MANIFEST["option_sources"]}
DEFINITIONS = ROOT / "schemas" / "definitions.schema.json"
FACTS = json.loads((ROOT / "tests" / "facts" / "apollo.json").read_text(encoding="utf-8"))["operations"]
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


def resolved(file: Path, schema: Any) -> tuple[Path, dict[str, Any]]:
    """A schema with its references followed, and the file it ends in; what stands beside a reference wins."""
    texts: dict[str, Any] = {}
    while True:
        texts = schema | texts
        if "$ref" not in schema:
            return file, {key: value for key, value in texts.items() if key != "$ref"}
        other, _, pointer = schema["$ref"].partition("#")
        file = (file.parent / other).resolve() if other else file
        schema = contents(file)
        for part in pointer.strip("/").split("/"):
            schema = schema[part] if part else schema


def fields_of(file: Path, schema: Any, path: str = "") -> Iterator[tuple[str, Path, dict[str, Any]]]:
    """Every field of an input at any depth: its path, and its schema with references followed."""
    file, schema = resolved(file, schema)
    if "items" in schema:
        yield from fields_of(file, schema["items"], path)
    for name, field in schema.get("properties", {}).items():
        there, found = resolved(file, field)
        yield f"{path}{name}", there, found
        yield from fields_of(file, field, f"{path}{name}.")


def holds_ids(file: Path, schema: Any) -> bool:
    """Whether a field, an item of it or one of its forms is an Apollo id."""
    file, schema = resolved(file, schema)
    inner = [*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else ())]
    pattern = contents(DEFINITIONS)["$defs"]["id"]["pattern"]
    return bool(
        schema.get("pattern") == pattern or any(holds_ids(file, item) for item in inner if "required" not in item)
    )


def has_key(file: Path, key: str) -> bool:
    """Whether a record schema names a key; dots go deeper."""
    schema = contents(file)
    for part in key.split("."):
        file, schema = resolved(file, schema.get("properties", {}).get(part) or {})
        if not schema:
            return False
    return True


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
    for name, field in schema["properties"].items():
        texts = resolved(file, field)[1]
        assert texts.get("title"), name
        assert texts.get("description"), name
    assert not validator(file).is_valid({"no_such_field": 1})
    assert "no_such_field" in "".join(error.message for error in validator(file).iter_errors({"no_such_field": 1}))


def test_objects_inside_are_closed() -> None:
    """Objects with named fields inside the inputs are closed too, at any depth, and each of their fields has a title."""
    for file in INPUTS:
        for path, there, field in fields_of(file, contents(file)):
            item = resolved(there, field["items"])[1] if "items" in field else field
            assert field.get("title"), (name_of(file), path)
            assert "properties" not in item or item["additionalProperties"] is False, (name_of(file), path)
    assert not fits("people_api_search", revenue_range={"minimum": 1})
    assert not fits("people_api_search", revenue_range={})
    assert not fits("people_bulk_match", details=[{"mail": "dana@example.com"}])


def test_every_definition_is_used() -> None:
    """A shared definition stands for something that an input uses."""
    used = {
        part["$ref"].partition("#/$defs/")[2].partition("/")[0]
        for file in (*INPUTS, DEFINITIONS)
        for part in parts(contents(file))
        if isinstance(part.get("$ref"), str)
    }
    assert used == set(contents(DEFINITIONS)["$defs"])


@pytest.mark.parametrize("file", INPUTS, ids=name_of)
def test_every_id_says_where_it_comes_from(file: Path) -> None:
    """A field that holds ids names an option source, or says in a sentence why there is none."""
    for path, there, field in fields_of(file, contents(file)):
        item = resolved(there, field["items"])[1] if "items" in field else {}
        source, reason = (
            field.get("x-fields") or field.get("x-options"),
            field.get("x-no-options") or item.get("x-no-options"),
        )
        assert source is None or source in SOURCES, path
        if holds_ids(there, field) or re.search(r"(^|[._])ids?$", path):
            assert (source is None) != (reason is None), path
            assert reason is None or reason.endswith("."), path


@pytest.mark.parametrize("source", SOURCES)
def test_option_source(source: str) -> None:
    """An option source runs a free action that reads and gives a list, with inputs and keys that exist."""
    item = SOURCES[source]
    action = ACTIONS[item["action"]]
    assert action["effect"] == "read"
    assert "credits" not in action
    assert "deprecated" not in action
    assert "records" in action["reply"]
    assert fits(item["action"], **item.get("input", {}))
    fields = contents(ROOT / action["input"])["properties"]
    assert (
        item.get("search") is None
        or "nverified" not in resolved(ROOT / action["input"], fields[item["search"]])[1]["description"]
    )
    inner = [item["choices"]["records"].partition(".")[0]] if "choices" in item else []
    keys = (*item["label"].split(), item["value"], *item.get("where", {}), *listed(item.get("type")), *inner)
    for key in keys:
        assert has_key(ROOT / action["output"], key), key


def test_every_option_source_is_used() -> None:
    """No option source is declared for nothing."""
    used = {
        part[key]
        for file in (*INPUTS, DEFINITIONS)
        for part in parts(contents(file))
        for key in ("x-options", "x-fields")
        if key in part
    }
    assert used == set(SOURCES)


def test_every_documented_operation_is_an_action() -> None:
    """The manifest has every operation of the facts, and what those mark as unverified is marked here."""
    assert {name for name, item in ACTIONS.items() if "path" in item} == set(FACTS)
    for name, fact in FACTS.items():
        file = ROOT / ACTIONS[name]["input"]
        offered, refused = contents(file)["properties"], contents(file).get("x-instead", {})
        for field in {item.partition(".")[0] for item in fact["unverified"]} - set(refused):
            described = resolved(file, offered[field])[1]["description"]
            assert "(Unverified" in described, (name, field)


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


def listed(names: str | list[str] | None) -> list[str]:
    """The list inputs that a bulk rule or a cost names."""
    return [names] if isinstance(names, str) else names or []


def test_one_of_several_bulk_lists_is_given() -> None:
    """Where a list is one of several, the input schema wants exactly one of them; a list that is cut has no limit."""
    for name, item in ACTIONS.items():
        lists = listed(item.get("bulk", {}).get("items"))
        fields = contents(ROOT / item["input"])["properties"]
        assert not any("maxItems" in resolved(ROOT / item["input"], fields[one])[1] for one in lists)
        if len(lists) > 1:
            rules = contents(ROOT / item["input"])["allOf"]
            assert [{"required": [one]} for one in lists] in [rule.get("oneOf") for rule in rules], name


@pytest.mark.parametrize("action", ACTIONS)
def test_names_of_an_action_exist(action: str) -> None:
    """Path placeholders and every other input an action names are fields of its input; its files exist."""
    item = ACTIONS[action]
    fields = set(contents(ROOT / item["input"])["properties"])
    credits_ = item.get("credits", {})
    named = {
        *re.findall(r"{(\w+)}", item.get("path", "")),
        *item.get("query", ()),
        *listed(item.get("bulk", {}).get("items")),
        *listed(credits_.get("per")),
        *credits_.get("flags", ()),
        *credits_.get("unbounded", ()),
        *(MANIFEST["paging_styles"][item["paging"]][key] for key in ("page", "per_page") if "paging" in item),
    }
    assert named <= fields
    assert set(re.findall(r"{(\w+)}", item.get("path", ""))) <= set(contents(ROOT / item["input"]).get("required", ()))
    assert (ROOT / item["output"]).is_file()
    assert item["group"] in {group["id"] for group in MANIFEST["groups"]}


def test_lookups_and_upserts_name_real_inputs() -> None:
    """What an effect names exists: inputs of the create, and inputs and fields of the action that looks it up."""
    for item in ACTIONS.values():
        effect = item["effect"] if isinstance(item.get("effect"), dict) else {}
        fields = set(contents(ROOT / item["input"])["properties"])
        upsert, lookup = effect.get("upsert_when"), effect.get("lookup")
        if upsert:
            assert {upsert.get("flag", upsert["with_any"][0]), *upsert["with_any"]} <= fields
        if "send_when" in effect:
            assert effect["send_when"]["flag"] in fields
        if lookup:
            search = ACTIONS[lookup["action"]]
            assert set(lookup["input"]) <= set(contents(ROOT / search["input"])["properties"])
            assert {*lookup["input"].values(), *lookup["match"].values()} <= fields
            created = listed(lookup.get("created", "created_at"))
            assert {*lookup["match"], *created} <= set(contents(ROOT / search["output"])["properties"])


def test_natural_keys_name_real_fields() -> None:
    """What a composed action compares exists: keys of the found and the created record, and inputs of the search."""
    for item in ACTIONS.values():
        compose = item.get("compose", {})
        outputs = [
            ACTIONS[name]["output"] for name in (compose.get("find"), compose.get("create", {}).get("action")) if name
        ]
        for way in compose.get("by", ()):
            for output in outputs:
                assert all(has_key(ROOT / output, key) for key in way["match"])
        if existed := compose.get("create", {}).get("existed"):
            assert has_key(ROOT / outputs[-1], existed)


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
    used |= {item[key] for item in MANIFEST["triggers"] for key in ("input", "record") if key in item}
    assert used == {file.relative_to(ROOT).as_posix() for file in (*INPUTS, *FORMS, *RECORDS, *FILTERS)}


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


CREATE, JOB, SENDING = (
    list(ACTIONS).index(name) for name in ("contacts_create", "contacts_bulk_update", "sequences_update")
)
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
    "send_when": at("actions", SENDING, "effect", "send_when"),
    "job": at("actions", JOB, "job"),
    "option_source": at("option_sources", 0),
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
        ("bulk", "items", ["details"]),
        ("paging_style", "kind", "cursor"),
        ("paging_style", "kind", "offset"),
        ("paging_style", "max_records", 0),
        ("credits", "variable", "yes"),
        ("effect", "send_when", {}),
        ("job", "id", ""),
        ("option_source", "label", "name, email"),
        ("option_source", "where", {}),
        ("option_source", "value", ""),
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
    """Triggers and option sources are accepted in their full form and refused with an unknown key."""
    check = validator(ROOT / "schemas" / "connector.schema.json").is_valid
    trigger = {
        "id": "made",
        "title": "Made",
        "group": "people",
        "description": "When made.",
        "input": "schemas/triggers/nothing.schema.json",
        "style": "scan",
        "action": "users_search",
        "interval": 60,
    }
    source = {
        "id": "users",
        "action": "users_search",
        "input": {"per_page": 100},
        "where": {"deleted": False},
        "label": "first_name last_name",
        "value": "id",
        "search": "q_keywords",
        "type": "kind",
        "types": {"words": "text"},
        "choices": {"records": "meta.options", "label": "name", "value": "id"},
        "ids": "^[0-9]+$",
    }
    assert check(MANIFEST | {"triggers": [trigger], "option_sources": [source]})
    assert not check(MANIFEST | {"triggers": [trigger | {"x": 1}]})
    assert check(MANIFEST | {"triggers": [trigger | {"time": ["made_at", "created_at"]}]})
    assert not check(MANIFEST | {"triggers": [trigger | {"time": ["made_at"]}]})
    assert not check(MANIFEST | {"option_sources": [source | {"x": 1}]})


GOOD = [
    ("people_match", {"id": ID}),
    ("people_match", {"first_name": "Dana", "last_name": "Reyes"}),
    ("people_match", {"id": ID, "reveal_phone_number": True, "webhook_url": "https://example.com/a?b=c"}),
    ("people_match", {"id": ID, "run_waterfall_phone": True, "poll_only": True}),
    ("people_match", {"id": ID, "reveal_phone_number": True}),
    ("people_match", {"id": ID, "poll_only": False, "webhook_url": "https://example.com/a"}),
    (
        "people_api_search",
        {"revenue_range": {"min": 1}, "q_organization_domains_list": ["example.com"] * 1000},
    ),
    ("people_api_search", {"organization_job_posted_at_range": {"max": "2026-10-31"}}),
    ("people_bulk_match", {"details": [{"id": ID}] * 11}),
    ("contacts_update", {"contact_id": ID, "email": "", "label_names": []}),
    ("contacts_create", {"email": "dana@example.com", "typed_custom_fields": {ID: ["a"]}}),
    ("contacts_create", {"email": "dana@example.com", "typed_custom_fields": {"Renewal owner": "Dana"}}),
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
    ("organizations_bulk_enrich", {"domains": ["example.com"] * 11}),
    ("organizations_bulk_enrich", {"details": [{"name": "Example Corp"}]}),
    ("webhook_result_show", {"request_id": "-9223372036854775808"}),
    ("contacts_bulk_create", {"contacts": [{"first_name": "Dana"}] * 101}),
    ("contacts_bulk_create", {"contacts": [{"email": "a@example.com"}], "run_dedupe": True}),
    ("contacts_bulk_update", {"contact_ids": [ID] * 1001, "owner_id": ID}),
    ("contacts_bulk_update", {"contact_attributes": [{"id": ID, "title": ""}], "async": True}),
    ("accounts_bulk_update", {"account_ids": [ID], "name": "A", "async": True}),
    ("sequences_update", {"id": ID, "label_names": [], "active": True}),
    ("sequences_create", {"name": "A", "emailer_steps": [{"type": "call", "priority": "high"}]}),
    ("fields_update", {"fields": [{"id": f"contact.{ID}", "label": "Renewal"}]}),
    ("notes_list", {"contact_ids": [ID]}),
    ("conversations_show", {"id": f"{ID}_x7"}),
    ("agents_task", {"task_id": "t1"}),
    ("news_articles_search", {"organization_ids": [ID], "per_page": 25}),
]
BAD = [
    ("people_match", {}),
    ("people_match", {"domain": "example.com"}),
    ("people_match", {"id": ID + "\n"}),
    ("people_match", {"id": "x" * 24}),
    ("people_match", {"id": ID, "run_waterfall_email": True, "poll_only": False}),
    ("people_match", {"id": ID, "poll_only": True, "webhook_url": "https://example.com/a"}),
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
    ("contacts_create", {"email": "dana@example.com", "typed_custom_fields": {"": "Dana"}}),
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
    ("organizations_bulk_enrich", {}),
    ("organizations_bulk_enrich", {"domains": ["example.com"], "details": [{"domain": "example.com"}]}),
    ("organizations_bulk_enrich", {"details": [{}]}),
    ("webhook_result_show", {"request_id": -5}),
    ("webhook_result_show", {"request_id": "5a"}),
    ("mixed_companies_search", {"q_organization_nam": "Example"}),
    ("news_articles_search", {"organization_ids": []}),
    ("news_articles_search", {"organization_ids": [ID], "per_page": 26}),
    ("contacts_bulk_create", {"contacts": [{"mail": "a@example.com"}]}),
    ("contacts_bulk_create", {"contacts": [{"first_name": "Dana"}], "run_dedupe": True}),
    ("contacts_bulk_update", {"contact_ids": [ID]}),
    ("contacts_bulk_update", {"contact_ids": [ID], "contact_attributes": [{"id": ID, "title": "VP"}], "title": "VP"}),
    ("contacts_bulk_update", {"contact_attributes": [{"id": ID, "title": "VP"}], "title": "VP"}),
    ("contacts_bulk_update", {"contact_attributes": [{"id": ID}]}),
    ("accounts_bulk_update", {"account_attributes": [{"id": ID, "name": "A"}], "async": True}),
    ("accounts_create", {"phone": "1"}),
    ("accounts_update", {"account_id": ID}),
    ("accounts_bulk_create", {"accounts": [{"phone": "1"}]}),
    ("opportunities_update", {"opportunity_id": ID, "amount": "25,000"}),
    ("sequences_create", {}),
    ("sequences_create", {"name": "A", "emailer_steps": [{"type": "auto_email", "priority": "high"}]}),
    ("sequences_create", {"name": "A", "sequence_by_exact_daytime": True, "emailer_steps": [{"type": "call"}]}),
    ("sequences_create", {"name": "A", "same_account_reply_delay_days": 1001}),
    ("emailer_campaigns_activity_feed", {"contact_id": ID, "per_page": 51}),
    (
        "emailer_campaigns_remove_or_stop_contact_ids",
        {"emailer_campaign_ids": [ID], "contact_ids": [ID], "mode": "end"},
    ),
    ("emailer_messages_create", {"contact_id": ID, "recipients": [{"email": "person@"}]}),
    (
        "tasks_create",
        {"user_id": ID, "contact_id": ID, "type": "mail", "status": "scheduled", "due_at": "2026-12-15T10:00Z"},
    ),
    ("phone_calls_create", {}),
    ("phone_calls_create", {"status": "no-answer"}),
    ("labels_create", {"name": "Fair", "modality": "leads"}),
    ("labels_create", {"name": "Fair", "modality": "contacts", "book_of_business": True}),
    ("fields_update", {"fields": [{"id": ID, "label": "Renewal"}]}),
    ("fields_update", {"fields": [{"id": f"contact.{ID}", "label": "powerup_x"}]}),
    ("fields_update", {"fields": [{"id": f"contact.{ID}", "label": "A"}, {"id": f"contact.{ID}", "label": "B"}]}),
    ("notes_list", {}),
    ("notes_list", {"contact_id": ID, "limit": 101}),
    ("reports_sync_report", EXAMPLES["reports_sync_report"] | {"date_ranges": [{"modality": "custom_range"}]}),
    ("reports_sync_report", EXAMPLES["reports_sync_report"] | {"date_ranges": []}),
    ("conversations_export_create", {"start_time": "yesterday", "end_time": "2026-10-31", "email": "a@example.com"}),
    ("conversations_search", {"date_range": {}}),
    ("agents_task", {}),
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
