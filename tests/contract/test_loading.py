"""Reading a declaration: from YAML with every check, or from the index a wheel carries."""

import copy
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from apollo_component.contract.errors import ManifestError
from apollo_component.contract.loading import INDEX, digest, index_of, load, load_file, root_of, validate

ROOT = Path(__file__).parent.parent.parent
EMPTY = {"type": "object", "additionalProperties": False, "properties": {}}
PEOPLE = EMPTY | {
    "properties": {
        name: {"type": "string"} for name in ("person_id", "details", "phone", "email", "q", "page", "per_page")
    },
}
MANIFEST: dict[str, Any] = {
    "manifest_version": 1,
    "contract": "1.0",
    "id": "acme",
    "title": "Acme",
    "version": "0.1.0",
    "description": "An address book.",
    "servers": {"api": {"url": "https://api.acme.example/v1", "variable": "ACME_URL"}},
    "groups": [{"id": "people", "title": "People"}],
    "paging_styles": {"page": {}},
    "connection_types": [
        {
            "id": "api_key",
            "title": "Key",
            "description": "A key.",
            "kind": "key",
            "header": "X-Key",
            "prefix": "",
            "fields": "schemas/key.json",
            "guide": [{"title": "Get a key", "text": "Ask for one."}],
            "removal": "Delete it there.",
        },
        {
            "id": "oauth2",
            "title": "OAuth",
            "description": "Tokens.",
            "kind": "authorization_code",
            "header": "Authorization",
            "prefix": "Bearer ",
            "fields": "schemas/key.json",
            "guide": [{"title": "Allow", "text": "Allow it."}],
            "removal": "Delete it there.",
            "oauth": {"server": "api", "authorize": "/#/allow", "token": "/token"},
        },
    ],
    "test": [{"action": "people_list"}],
    "actions": [
        {
            "id": "people_list",
            "title": "List people",
            "group": "people",
            "description": "All of them.",
            "method": "GET",
            "path": "/people",
            "input": "schemas/people.json",
            "output": "schemas/person.json",
            "effect": "read",
            "quota_class": "default",
            "reply": {"records": "people"},
            "paging": "page",
        },
        {
            "id": "people_create",
            "title": "Create a person",
            "group": "people",
            "description": "One more.",
            "method": "POST",
            "path": "/people/{person_id}",
            "query": ["q"],
            "input": "schemas/people.json",
            "output": "schemas/person.json",
            "effect": {
                "kind": "create",
                "upsert_when": {"flag": "q", "with_any": ["email"]},
                "lookup": {"action": "people_list", "input": {"q": "email"}, "match": {"email": "email"}},
            },
            "credits": {"base": 1, "per": "details", "flags": {"phone": 8}},
            "bulk": {"items": "details", "max": 10},
            "quota_class": "default",
            "reply": {"value": "person"},
        },
    ],
    "option_sources": [{"id": "people", "action": "people_list", "label": "name", "value": "id", "search": "q"}],
}

USAGE = {
    "action": "people_list",
    "name": "path",
    "windows": {"day": "day"},
    "counts": {"limit": "limit", "used": "used", "left": "left"},
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "schemas").mkdir()
    for name, schema in {"people": PEOPLE, "person": {"type": "object"}, "key": EMPTY}.items():
        (tmp_path / "schemas" / f"{name}.json").write_text(json.dumps(schema))
    return tmp_path


def write(home: Path, change: Callable[[Any], Any] | None = None) -> Path:
    data = copy.deepcopy(MANIFEST)
    if change:
        change(data)
    file = home / "connector.yaml"
    file.write_text(yaml.dump(json.loads(json.dumps(data)), Dumper=yaml.CSafeDumper, sort_keys=False))
    return file


def problems_of(file: Path) -> list[tuple[str, str]]:
    with pytest.raises(ManifestError) as caught:
        load_file(file)
    return [(problem.path, problem.text) for problem in caught.value.problems]


def at(*path: str | int, value: Any) -> Callable[[Any], Any]:
    def change(data: Any) -> None:
        for part in path[:-1]:
            data = data[part]
        data[path[-1]] = value

    return change


def composed(**more: Any) -> dict[str, Any]:
    """An action made of the others; a test breaks one thing of it."""
    compose = {
        "find": "people_list",
        "by": [{"input": {"q": "email"}, "match": {"email": "email"}}],
        "create": {"action": "people_add"},
        "update": {"action": "people_change", "id": "person_id"},
    }
    base = {key: MANIFEST["actions"][0][key] for key in ("group", "description", "input", "output")}
    return {**base, "id": "people_ensure", "title": "Ensure", "compose": compose | more}


def with_composed(**more: Any) -> Callable[[Any], Any]:
    def change(data: Any) -> None:
        free = {**data["actions"][0], "method": "POST", "reply": {"value": "person"}, "effect": "create"}
        del free["paging"]
        for name in ("people_add", "people_change"):
            data["actions"].append({**free, "id": name})
        data["actions"].append(composed(**more))

    return change


def test_a_composed_action_loads(home: Path) -> None:
    """Its effect follows from what it is, its needs from its parts."""
    manifest = load_file(write(home, with_composed()))
    action = manifest.actions["people_ensure"]
    assert action.compose
    assert action.compose.parts == ("people_list", "people_add", "people_change")
    assert [part.id for part in manifest.parts("people_ensure")] == list(action.compose.parts)
    assert (action.path, str(action.effect.kind), action.credits.costs) == ("", "upsert", False)


WAY = {"match": {"email": "email"}}


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"find": "nobody"}, ("compose.find", "names no action of this manifest")),
        ({"find": "people_add"}, ("compose.find", "must be an action that gives a list of records")),
        (
            {"create": {"action": "people_ensure"}},
            ("compose.create.action", "must be an action with a route of its own"),
        ),
        ({"create": {"action": "people_create"}}, ("compose.create.action", "must be an action that is free")),
        ({"update": {"action": "people_change", "id": "none"}}, ("compose.update.id", "names no input field (none)")),
        ({"by": [{"match": {"email": "none"}}]}, ("compose.by[0].match", "names no input field (none)")),
        ({"by": [WAY | {"input": {"none": "email"}}]}, ("compose.by[0].input", "names no input field (none)")),
        ({"by": [WAY | {"input": {"q": ["email", "none"]}}]}, ("compose.by[0].input", "names no input field (none)")),
        ({"create": {"action": "people_add", "list": "none"}}, ("compose.create", "names no input field (none)")),
        ({"by": []}, ("compose.by", "needs at least 1 item")),
    ],
)
def test_a_part_that_doesnt_fit_is_named(home: Path, more: dict[str, Any], problem: tuple[str, str]) -> None:
    """Parts exist, are free and have the inputs that are named; each mistake at its place."""
    found = problems_of(write(home, with_composed(**more)))
    assert any(path == f"actions[4].{problem[0]}" and text.startswith(problem[1]) for path, text in found), found


def test_a_drop_down_asks_an_action_with_a_route(home: Path) -> None:
    """Tests and drop-downs make one request, so they can't name a composed action."""

    def change(data: Any) -> None:
        with_composed()(data)
        data["option_sources"][0]["action"] = data["test"][0]["action"] = "people_ensure"

    found = problems_of(write(home, change))
    assert ("test[0].action", "must be an action with a route of its own") in found
    assert ("option_sources[0].action", "must be an action with a route of its own") in found


@pytest.mark.parametrize(
    ("key", "value"), [("method", "GET"), ("path", "/x"), ("effect", "read"), ("credits", {}), ("requires", {})]
)
def test_a_composed_action_has_nothing_of_its_own(home: Path, key: str, value: Any) -> None:
    """What follows from the parts isn't declared a second time."""

    def change(data: Any) -> None:
        with_composed()(data)
        data["actions"][4][key] = value

    assert (f"actions[4].{key}", "is not allowed here") in problems_of(write(home, change))


def test_a_raw_action_has_the_inputs_of_one(home: Path) -> None:
    """Its route is the person's, so it has none of its own, and its input has the four parts of a request."""

    def change(data: Any) -> None:
        data["actions"][0] |= {"raw": True, "effect": {"kind": "send", "stated_by": "effect"}}

    found = problems_of(write(home, change))
    assert ("actions[0].method", "is not allowed here") in found
    assert ("actions[0].path", "is not allowed here") in found

    def bare(data: Any) -> None:
        change(data)
        for key in ("method", "path", "paging"):
            del data["actions"][0][key]

    found = problems_of(write(home, bare))
    assert ("actions[0].effect.stated_by", "names no input field (effect)") in found
    assert [text for path, text in found if path == "actions[0].raw"] == [
        f"names no input field ({name})" for name in ("method", "path", "query", "body")
    ]


def test_a_good_manifest_loads(home: Path) -> None:
    """A complete declaration of another service loads, and finds its schemas beside itself."""
    manifest = load_file(write(home))
    assert (manifest.id, manifest.root, list(manifest.actions)) == ("acme", home, ["people_list", "people_create"])
    assert manifest.user_agent == "acme-connector/0.1.0"


def test_an_unknown_key_is_refused_with_its_place(home: Path) -> None:
    """A misspelt key is named with file, line, path and the key that was probably meant."""
    file = write(home, at("actions", 0, "efect", value="read"))
    with pytest.raises(ManifestError) as caught:
        load_file(file)
    problem = caught.value.problems[0]
    line = next(n for n, text in enumerate(file.read_text().splitlines(), 1) if "efect" in text)
    assert problem.as_dict() == {
        "file": "connector.yaml",
        "line": line,
        "path": "actions[0].efect",
        "text": "is not a known field; did you mean effect?",
    }
    assert "connector.yaml has 1 problem." in str(caught.value)


LEADING_NOWHERE: dict[str, list[tuple[Any, ...]]] = {
    # text: what is changed, to what, and where the problem is told, if not there
    "names no group of this manifest": [("actions[0].group", "none")],
    "names no paging style of this manifest": [("actions[0].paging", "none")],
    "names no server of this manifest": [("actions[0].server", "none"), ("connection_types[1].oauth.server", "none")],
    "names no file": [
        ("actions[0].input", "schemas/none.json"),
        ("actions[0].output", "schemas/none.json"),
        ("connection_types[0].fields", "schemas/none.json"),
    ],
    "names no input field (name)": [("actions[0].path", "/people/{name}")],
    "holds a brace that is not {input_field}": [
        ("actions[0].path", "/people/{}"),
        ("actions[0].path", "/people/{"),
        ("actions[0].path", "/people/a}"),
        ("actions[0].path", "/{email!r}"),
        ("actions[0].path", "/{email.upper}"),
        ("actions[0].path", "/{email:>9}"),
    ],
    "names no input field (none)": [
        ("actions[1].query[0]", "none"),
        ("actions[1].bulk.items", "none"),
        ("actions[1].credits.per", "none"),
        ("actions[1].credits.flags", {"none": 1}, "actions[1].credits"),
        ("actions[1].credits.unbounded", ["none"], "actions[1].credits"),
        ("actions[1].effect.upsert_when.flag", "none", "actions[1].effect.upsert_when"),
        ("actions[1].effect.upsert_when.with_any", ["none"], "actions[1].effect.upsert_when"),
        ("paging_styles.page.page", "none", "actions[0].paging"),
    ],
    "names no action of this manifest": [
        ("actions[1].effect.lookup.action", "none"),
        ("test[0].action", "none"),
        ("option_sources[0].action", "none"),
        ("usage", {"requests": USAGE | {"action": "none"}}, "usage.requests.action"),
    ],
    "names no connection type of this manifest": [
        ("test[0].connection_types", ["api_key", "none"], "test[0].connection_types[1]")
    ],
    "names an action that costs credits": [
        ("option_sources[0].action", "people_create"),
        ("actions[0].credits", {"base": 0, "flags": {"phone": 8}}, "option_sources[0].action"),
        ("usage", {"requests": USAGE | {"action": "people_create"}}, "usage.requests.action"),
    ],
    "names an action that does more than read": [("option_sources[0].action", "people_create")],
    "names no field of the form": [
        ("connection_types[0].guide[0].fields", ["none"], "connection_types[0].guide[0].fields[0]")
    ],
    "stands twice": [
        ("groups", [{"id": "people", "title": "A"}] * 2, "groups[1].id"),
        ("actions", [MANIFEST["actions"][0]] * 2, "actions[1].id"),
        ("connection_types", [MANIFEST["connection_types"][0]] * 2, "connection_types[1].id"),
    ],
}


@pytest.mark.parametrize(
    ("changed", "text"),
    [(row, text) for text, rows in LEADING_NOWHERE.items() for row in rows],
    ids=lambda part: part[0] if isinstance(part, tuple) else part.replace(" ", "_"),
)
def test_a_name_must_exist_where_it_points(home: Path, changed: tuple[Any, ...], text: str) -> None:
    """What a schema can't say is checked too: each name stands for something in this manifest or beside it."""
    way, value, *place = changed
    parts = [int(part) if part.isdigit() else part for part in re.findall(r"\w+", way)]
    assert ((*place, way)[0], text) in problems_of(write(home, at(*parts, value=value)))


def test_every_problem_is_reported_at_once(home: Path) -> None:
    """A wrong form, an unknown key, a doubled key and names that lead nowhere are all told together, with lines."""

    def change(data: Any) -> None:
        data["actions"][0]["group"] = "none"
        data["actions"][1]["method"] = "post"
        data["test"][0]["action"] = "none"
        data["titel"] = "x"

    file = write(home, change)
    file.write_text(file.read_text() + "title: twice\n")
    with pytest.raises(ManifestError) as caught:
        load_file(file)
    found = {problem.path: problem for problem in caught.value.problems}
    assert set(found) == {"actions[0].group", "actions[1].method", "test[0].action", "titel", "title"}
    lines = file.read_text().splitlines()
    assert "method: post" in lines[found["actions[1].method"].line - 1]
    assert "group: none" in lines[found["actions[0].group"].line - 1]
    assert lines[found["title"].line - 1] == "title: twice"
    assert {problem.file for problem in found.values()} == {"connector.yaml"}


@pytest.mark.parametrize(
    "text", ["", "[]", "7", "a: &x 1\nb: *x", "{", "actions: 7\ngroups: {}\n", "actions: [7, {}]\n"]
)
def test_a_file_of_another_kind_is_refused(home: Path, text: str) -> None:
    """Whatever stands in the file, the answer is a manifest error with problems."""
    file = home / "connector.yaml"
    file.write_text(text)
    assert problems_of(file)
    assert validate(file)


@pytest.mark.parametrize(
    "section", ["groups", "servers", "paging_styles", "connection_types", "test", "option_sources"]
)
@pytest.mark.parametrize("value", [7, None, [7], {"a": 7}])
def test_a_broken_section_is_told_and_hides_no_other(home: Path, section: str, value: Any) -> None:
    """A section of the wrong form is a problem at its place, names that lead into it aren't judged, others are."""
    change = at(section, value=value)

    def both(data: Any) -> None:
        change(data)
        data["actions"][0]["output"] = "schemas/none.json"

    found = problems_of(write(home, both))
    assert any(path.startswith(section) for path, _ in found)
    assert ("actions[0].output", "names no file") in found


def test_a_missing_file_is_refused(home: Path) -> None:
    """A manifest that isn't there is a problem that names the file."""
    with pytest.raises(ManifestError) as caught:
        load_file(home / "connector.yaml")
    assert "connector.yaml: can't be read" in str(caught.value)


@pytest.mark.parametrize("text", ["{", "[]", '"x"', '{"properties": 7}'])
def test_an_input_schema_that_is_none_is_a_problem(home: Path, text: str) -> None:
    """An input schema that is no JSON object is told at the action that names it."""
    (home / "schemas" / "people.json").write_text(text)
    assert ("actions[0].input", "is not a JSON object") in problems_of(write(home))


def test_validate_finds_broken_schemas(home: Path) -> None:
    """Schema files that aren't valid JSON Schema are named, all of them."""
    (home / "schemas" / "person.json").write_text('{"type": "thing"}')
    (home / "schemas" / "other.json").write_text("{")
    assert [(problem.file, problem.text) for problem in validate(write(home))] == [
        ("schemas/other.json", "is not a valid JSON Schema 2020-12"),
        ("schemas/person.json", "is not a valid JSON Schema 2020-12"),
    ]


def test_validate_tries_the_examples(home: Path) -> None:
    """An example that its own input schema refuses is a problem at its place."""
    file = write(home, at("actions", 0, "example", value={"emial": "x"}))
    assert [(problem.path, problem.text) for problem in validate(file)] == [
        ("actions[0].example.emial", "is not a known field; did you mean email?")
    ]


def test_validate_finds_drop_downs_without_a_source(home: Path) -> None:
    """A field that names an option source which isn't declared is a problem, at any depth."""
    inner = {"type": "object", "properties": {"owner": {"x-options": "none"}, "own": {"x-fields": "people"}}}
    schema = PEOPLE | {"properties": PEOPLE["properties"] | {"details": {"type": "array", "items": inner}}}
    (home / "schemas" / "people.json").write_text(json.dumps(schema))
    text = "names no option source of this manifest (details.owner: none)"
    assert [(problem.path, problem.text) for problem in validate(write(home))] == [
        ("actions[0].input", text),
        ("actions[1].input", text),
    ]


def test_the_real_manifest_is_valid() -> None:
    """The connector of this project has no problem."""
    assert validate(ROOT / "connector.yaml") == []


def test_an_installed_connector_is_read_from_its_index(home: Path) -> None:
    """In a wheel the index alone is read and gives the same manifest; the YAML is not looked at."""
    file = write(home)
    loaded = load_file(file)
    (home / INDEX).write_text(json.dumps(index_of(home)))
    file.write_text("{")
    assert load(home) == loaded


def test_a_checkout_reads_its_yaml(home: Path) -> None:
    """Where the YAML stands beside the package, it is read, whatever a stray index says."""
    write(home)
    package = home / "package"
    package.mkdir()
    (package / INDEX).write_text("{}")
    assert root_of(package) == home
    assert load(package).id == "acme"


def test_a_stale_index_is_found(home: Path) -> None:
    """An index made before the last change of the manifest or of a schema is a problem."""
    file = write(home)
    (home / INDEX).write_text(json.dumps(index_of(home)))
    assert validate(file) == []
    (home / "schemas" / "key.json").write_text(json.dumps(EMPTY | {"title": "Form"}))
    assert [problem.file for problem in validate(file)] == [INDEX]


def test_the_digest_sees_names_and_contents(home: Path) -> None:
    """Changing, renaming or adding a schema changes the digest; nothing else does."""
    write(home)
    seen = [digest(home)]
    assert digest(home) == seen[0]
    (home / "schemas" / "person.json").write_text("{}")
    seen.append(digest(home))
    shutil.move(home / "schemas" / "person.json", home / "schemas" / "persona.json")
    seen.append(digest(home))
    assert len(set(seen)) == 3
    (home / "icon.svg").write_text(ICON)
    assert digest(home) not in seen


ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{}</svg>'
OUTSIDE = "refers to something outside itself"


@pytest.mark.parametrize(
    ("inside", "problem"),
    [
        ("<script>1</script>", "has a <script>, which does more than draw"),
        ("<foreignObject/>", "has a <foreignObject>, which does more than draw"),
        ("<a href='#x'/>", "has a <a>, which does more than draw"),
        ("<style>*{fill:red}</style>", "has a <style>, which does more than draw"),
        ("<g xmlns='http://www.w3.org/1999/xhtml'/>", "has a <g>, which does more than draw"),
        ("<path onclick='x'/>", "has a script (onclick)"),
        ("<use href='other.svg#a'/>", f"{OUTSIDE} (href)"),
        ("<use xmlns:x='http://www.w3.org/1999/xlink' x:href='https://acme.example/'/>", f"{OUTSIDE} (href)"),
        ("<path fill='url(https://acme.example/a)'/>", f"{OUTSIDE} (fill)"),
        ("<path style='fill: \\75rl(//acme.example)'/>", f"{OUTSIDE} (style)"),
        ("<?xml-stylesheet href='a.css'?>", "has a processing instruction"),
        ("<path>", "is not an SVG picture"),
        ("<!--" + "x" * 20_000 + "-->", "must be at most 20 kB"),
    ],
)
def test_an_icon_only_draws(home: Path, inside: str, problem: str) -> None:
    """What would run, load or link something, or isn't a small picture, is refused with the place that names it."""
    (home / "icon.svg").write_text(ICON.format(inside))
    assert problems_of(write(home, at("icon", value="icon.svg"))) == [("icon", problem)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "names no file"),
        ("<html/>", "is not an SVG picture"),
        ('<!DOCTYPE svg [<!ENTITY a "b">]>' + ICON.format(""), "has a DOCTYPE"),
    ],
)
def test_an_icon_is_a_picture(home: Path, text: str | None, problem: str) -> None:
    """A file that isn't there or is no SVG is refused."""
    if text is not None:
        (home / "icon.svg").write_text(text)
    assert problems_of(write(home, at("icon", value="icon.svg"))) == [("icon", problem)]


@pytest.mark.parametrize("name", ["icon.png", "../icon.svg", "pictures/icon.svg", "/icon.svg"])
def test_an_icon_lies_beside_the_manifest(home: Path, name: str) -> None:
    """It is named by its file name alone."""
    assert problems_of(write(home, at("icon", value=name))) == [
        ("icon", "must be the name of a .svg file beside the manifest")
    ]


def test_a_good_icon_is_part_of_the_manifest(home: Path) -> None:
    """It may have gradients and refer to its own parts; a change of it makes the index stale."""
    drawn = '<defs><linearGradient id="a"/></defs><path fill="url(#a)"/><use href="#a"/>'
    (home / "icon.svg").write_text(ICON.format(drawn))
    file = write(home, at("icon", value="icon.svg"))
    assert load_file(file).icon == home / "icon.svg"
    before = digest(home)
    (home / "icon.svg").write_text(ICON.format(""))
    assert digest(home) != before
