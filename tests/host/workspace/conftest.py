"""The made-up service of the host's tests with drop-downs, fields of a workspace's own, and a report of usage."""

import json

import pytest

from apollo_component.contract.manifest import Manifest

from ..conftest import DATA, action, answer, page

SCHEMAS = {
    "any": {"type": "object"},
    "person": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string"},
            "owner_id": {"type": "string", "x-options": "users"},
            "lost_id": {"type": "string", "x-no-options": "Nobody lists them."},
            "size": {"type": "array", "items": {"type": "string", "examples": ["1,10", "11,50"]}},
            "rank": {"enum": ["Low", "High", None]},
            "own": {"$ref": "#/$defs/own"},
            "people": {
                "type": "array",
                "items": {"type": "object", "properties": {"name": {}, "own": {"$ref": "#/$defs/own"}}},
            },
        },
        "$defs": {"own": {"type": "object", "x-fields": "own_fields"}},
    },
    "credits": {
        "type": "object",
        "properties": {
            "pools": {"type": "object", "properties": {"lead": {"title": "Leads", "description": "One a person."}}}
        },
    },
}
TYPES = {"string": "text", "number": "number", "day": "date", "moment": "datetime"}
TYPES |= {"flag": "boolean", "one": "choice", "many": "choices"}
SOURCES = [
    {"id": "users", "action": "users", "label": "name", "value": "id"},
    {"id": "found", "action": "find", "label": "name", "value": "id", "search": "q"},
    {
        "id": "own_fields",
        "action": "fields",
        "input": {"source": "own"},
        "where": {"kind": "person"},
        "label": "label",
        "value": "id",
        "type": "type",
        "types": TYPES,
        "choices": {"records": "meta.options", "label": "name", "value": "id"},
        "ids": "^[0-9a-f]{4}$",
    },
]
COUNTS = {"limit": "limit", "used": "consumed", "left": "left_over"}
USAGE = {
    "requests": {"action": "request_usage", "name": "path", "windows": {"minute": "m", "day": "d"}, "counts": COUNTS},
    "credits": {"action": "credit_usage", "pools": "pools", "counts": COUNTS, "start": "cycle.from", "end": "cycle.to"},
}
INPUT = "schemas/person.schema.json"
ACTIONS = [
    action("users", "GET", "/users", reply={"records": "records", "total": "total"}, paging="page"),
    action("fields", "GET", "/fields", reply={"records": "records"}),
    action("person_put", "PUT", "/people", effect="upsert", input=INPUT),
    action("person_make", "POST", "/people", effect="create", input=INPUT),
    action(
        "people_make",
        "POST",
        "/people/bulk",
        effect="create",
        input=INPUT,
        bulk={"items": "people", "max": 2},
        reply={"records": "records"},
        key=None,
    ),
    action("request_usage", "POST", "/requests", reply={"records": "records"}, key=None),
    action("credit_usage", "POST", "/credits", output="schemas/credits.schema.json"),
    action("dear", "GET", "/dear", credits={"base": 1}, reply={"records": "records"}),
]
OPTIONS = [{"id": "o001", "name": "Startup"}, {"id": "o002", "name": "Enterprise"}, {"id": "o003", "name": "startup"}]
FIELDS = [
    {"id": "f001", "label": "Owner", "type": "string", "kind": "person"},
    {"id": "f002", "label": "Seats", "type": "number", "kind": "person"},
    {"id": "f003", "label": "Renewal date", "type": "day", "kind": "person"},
    {"id": "f004", "label": "Last demo", "type": "moment", "kind": "person"},
    {"id": "f005", "label": "VIP", "type": "flag", "kind": "person"},
    {"id": "f006", "label": "Segment", "type": "one", "kind": "person", "meta": {"options": OPTIONS}},
    {"id": "f007", "label": "Tags", "type": "many", "kind": "person", "meta": {"options": OPTIONS[:2]}},
    {"id": "f008", "label": "Odd", "type": "unheard of", "kind": "person"},
    {"id": "f009", "label": "Odd list", "type": "unheard of", "kind": "person", "meta": {"options": OPTIONS[:2]}},
    {"id": "f010", "label": "Silent list", "type": "one", "kind": "person", "meta": None},
    {"id": "f011", "label": "Twin", "type": "string", "kind": "person"},
    {"id": "f012", "label": "Twin", "type": "string", "kind": "person"},
    {"id": "f013", "label": "Tier", "type": "string", "kind": "company"},
]


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workspace")
    (folder / "schemas").mkdir()
    for name, schema in SCHEMAS.items():
        (folder / "schemas" / f"{name}.schema.json").write_text(json.dumps(schema))
    return folder


@pytest.fixture(scope="session")
def manifest(root):
    data = {**DATA, "actions": [*DATA["actions"], *ACTIONS], "option_sources": SOURCES, "usage": USAGE}
    return Manifest.from_data(data, root)


@pytest.fixture
def service(service):
    service.always("/fields", page(*FIELDS))
    service.always("/people", lambda request: answer({"id": "p1", "sent": request.json}))
    service.always("/people/bulk", lambda request: page(*request.json["people"]))
    return service
