"""What every connector must keep to: Apollo's own and the toy's are held to the same rules."""

import inspect
import json
import string
from dataclasses import replace
from pathlib import Path

import pytest

from apollo_component.apollo.plugin import plugin as apollo
from apollo_component.apollo.quirks import QUIRKS
from apollo_component.contract import hookspecs
from apollo_component.contract.errors import ManifestError
from apollo_component.contract.hookspecs import PROJECT, SPEC_VERSION, Context, Hookspecs, hookimpl
from apollo_component.contract.loading import load_file, validate
from apollo_component.contract.models import Effect
from apollo_component.contract.schemas import Schemas
from apollo_component.host.contexts import FreeContext
from apollo_component.host.field_words import record_fields
from apollo_component.host.refreshing import Unmetered
from apollo_component.host.registry import Registry
from tests.conformance.spies import HOOKS
from tests.toy.tidepool.plugin import plugin as tidepool

PLUGINS = {"apollo": apollo, "tidepool": tidepool}
CONTEXT = [name for name, value in vars(Context).items() if inspect.isfunction(value) and not name.startswith("_")]
ACTIONS = [
    pytest.param(plugin, action, id=f"{name}.{action.id}")
    for name, plugin in PLUGINS.items()
    for action in plugin.manifest.actions.values()
]


@pytest.fixture(params=PLUGINS)
def plugin(request):
    return PLUGINS[request.param]


@pytest.fixture
def manifest(plugin):
    return plugin.manifest


# The contract itself


def test_the_contract_fits_on_one_screen():
    """The whole contract between plugins and hosts is one file of fewer than 115 lines."""
    assert len(Path(hookspecs.__file__).read_text("utf-8").splitlines()) < 115


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_is_documented(name):
    """Each hook says in a sentence what it gives."""
    assert inspect.getdoc(getattr(Hookspecs, name))


@pytest.mark.parametrize("name", CONTEXT)
def test_every_context_method_is_documented(name):
    """Each thing a connector may ask of its host says what it does."""
    assert inspect.getdoc(getattr(Context, name))


def test_the_context_is_what_was_agreed():
    """The context has exactly these methods and a deadline, and a host's own contexts have them all."""
    assert CONTEXT == ["now", "permit", "observed", "sending", "received"]
    assert set(Context.__annotations__) == {"deadline"}
    for own in (FreeContext, Unmetered):
        for name in CONTEXT:
            wanted = list(inspect.signature(getattr(Context, name)).parameters)
            assert list(inspect.signature(getattr(own, name)).parameters) == wanted


@pytest.mark.parametrize("hook", HOOKS)
def test_a_plugin_implements_every_hook(plugin, hook):
    """Each hook is implemented, marked for this project, with the arguments of the contract."""
    method = getattr(plugin, hook)
    assert hasattr(method, f"{PROJECT}_impl")
    wanted = [name for name in inspect.signature(getattr(Hookspecs, hook)).parameters if name != "self"]
    assert list(inspect.signature(method).parameters) == wanted


def test_plugins_load_together():
    """A registry takes all of them and knows each by its id."""
    assert set(Registry(PLUGINS).manifests) == set(PLUGINS)


@pytest.mark.parametrize(("version", "loads"), [("1.0", True), ("1.9", True), ("2.0", False), ("0.9", False)])
def test_the_major_version_decides(version, loads):
    """A manifest for another major version of the contract is refused in a sentence naming both versions."""

    class Plugin:
        @hookimpl
        def connector_manifest(self):
            return replace(tidepool.manifest, contract=version)

    if loads:
        assert Registry({"p": Plugin()}).manifest("tidepool")
        return
    with pytest.raises(ManifestError, match=f"contract {version}, this host for {SPEC_VERSION}"):
        Registry({"p": Plugin()})


# Manifests


def test_a_manifest_is_valid(manifest):
    """The manifest, its schemas and its examples have no problem, and reading it again gives the same."""
    file = manifest.root / "connector.yaml"
    assert validate(file) == []
    assert load_file(file).data == manifest.data
    assert manifest.contract.partition(".")[0] == SPEC_VERSION.partition(".")[0]


def test_every_name_in_a_manifest_is_used(manifest):
    """No group, server, paging style, schema or quirk is declared for nothing, and none is missing."""
    actions = manifest.actions.values()
    assert {action.group for action in actions} == set(manifest.groups)
    oauth = {kind.oauth.server for kind in manifest.connection_types.values() if kind.oauth}
    assert {action.server for action in actions} | oauth == set(manifest.servers)
    styles = {item["paging"] for item in manifest.data["actions"] if "paging" in item}
    assert styles == set(manifest.data.get("paging_styles", {}))


def test_every_schema_is_used(manifest):
    """Every schema of an action, a record or a connection belongs to something in the manifest."""
    used = {kind.fields for kind in manifest.connection_types.values()}
    used |= {name for action in manifest.actions.values() for name in (action.input, action.output)}
    used |= {name for trigger in manifest.triggers.values() for name in (trigger.input, trigger.record) if name}
    folders = ("actions", "records", "connections", "triggers")
    there = {
        file.relative_to(manifest.root).as_posix()
        for folder in folders
        for file in (manifest.root / "schemas" / folder).glob("*.json")
    }
    assert there == used


def test_every_option_source_is_used_and_exists(manifest):
    """A drop-down in a schema names a declared source, and each declared source fills one."""
    texts = [file.read_text("utf-8") for file in (manifest.root / "schemas").rglob("*.json")]
    named = {value for text in texts for key in ("x-options", "x-fields") for value in _values(json.loads(text), key)}
    assert named == {source["id"] for source in manifest.data.get("option_sources", [])}


def _values(node, key):
    if isinstance(node, dict):
        for name, inner in node.items():
            if name == key and isinstance(inner, str):
                yield inner
            yield from _values(inner, key)
    elif isinstance(node, list):
        for inner in node:
            yield from _values(inner, key)


def test_quirks_exist_and_are_used():
    """Every quirk the manifest names is a function of the plugin, and none is left over."""
    named = {action.quirk for action in apollo.manifest.actions.values() if action.quirk}
    assert named == set(QUIRKS) == set(apollo.quirks)


def test_the_test_costs_nothing(manifest):
    """A connection test runs only free reads, and one of them tells whose account it is."""
    for stage in manifest.test:
        action = manifest.actions[stage.action]
        assert action.effect.kind is Effect.READ
        assert not action.credits.base
        assert Schemas(manifest.root).problems(action.input, dict(stage.input)) == []
    assert any(stage.account for stage in manifest.test)


def test_connection_types_can_be_followed(manifest):
    """Each way to link has a guide that shows what to tick or register and explains every field, one secret field, and a
    word on removal."""
    for kind in manifest.connection_types.values():
        fields = Schemas(manifest.root).fields(kind.fields)
        assert len([name for name, field in fields.items() if field.get("secret")]) == 1
        assert all(field.get("title") and field.get("description") for field in fields.values())
        shown = {step.show for step in kind.guide} - {None}
        assert shown & ({"redirect_uri"} if kind.oauth else {"key_endpoints"})
        assert {name for step in kind.guide for name in step.fields} == set(fields)
        assert kind.removal


def test_an_example_of_a_record_is_a_true_record(manifest):
    """It fits its schema and has no field that isn't declared."""
    schemas = Schemas(manifest.root)
    for record in sorted({action.output for action in manifest.actions.values()}):
        declared = {field.name for field in record_fields(schemas, record, depth=1)}
        for example in schemas.schema(record).get("examples", []):
            assert schemas.problems(record, example) == [], record
            assert set(example) <= declared, record


# Actions, one by one


@pytest.mark.parametrize(("plugin", "action"), ACTIONS)
def test_an_example_is_a_true_input(plugin, action):
    """The example of an action fits its schema, and filling in the defaults keeps it so."""
    schemas = Schemas(plugin.manifest.root)
    whole = schemas.check(action.input, dict(action.example))
    assert schemas.problems(action.input, whole) == []


@pytest.mark.parametrize(("plugin", "action"), ACTIONS)
def test_an_input_is_closed_and_an_output_open(plugin, action):
    """A misspelt field of an input is an error; an unknown field of an answer is not."""
    schemas = Schemas(plugin.manifest.root)
    assert schemas.schema(action.input)["additionalProperties"] is False
    assert schemas.problems(action.input, dict(action.example) | {"no_such_field": 1})
    assert schemas.schema(action.output).get("additionalProperties", True) is True


@pytest.mark.parametrize(("plugin", "action"), ACTIONS)
def test_cost_and_effect_agree(plugin, action):
    """What costs is declared as billing and nothing else is; only reads and bills may be GET; bulk lists and lists
    that cost are the same list."""
    assert bool(action.effect.stated_by) == action.raw
    assert bool(action.credits.stated_by) >= action.raw
    assert action.raw or (action.effect.kind is Effect.BILL) == action.credits.costs
    if action.method == "GET":
        assert action.effect.kind in (Effect.READ, Effect.BILL)
    if action.bulk and action.credits.base:
        assert action.credits.per == action.bulk.items
        assert action.key is None
    assert bool(action.credits.flags or action.credits.unbounded) <= bool(action.credits.base)


WITHOUT_NATURAL_KEY = {
    "contacts_bulk_create": "many records at once",
    "accounts_bulk_create": "many records at once",
    "tasks_bulk_create": "many records at once",
    "phone_calls_create": "without a call identifier nothing tells two calls apart",
    "fields_create": "the list of fields tells no date, so an older field would be taken for the new one",
}
"""Creates that can't be looked up, and why: a lost answer of theirs ends as an unknown outcome."""


@pytest.mark.parametrize(("plugin", "action"), ACTIONS)
def test_a_lost_create_can_be_looked_up(plugin, action):
    """A create says how to find what it made: a free read, by fields that both sides have."""
    schemas = Schemas(plugin.manifest.root)
    mine = schemas.fields(action.input)
    if action.effect.upsert_flag:
        assert {action.effect.upsert_flag, *action.effect.upsert_keys} <= set(mine)
    if action.effect.kind is not Effect.CREATE:
        assert action.effect.lookup is None
        return
    if action.id in WITHOUT_NATURAL_KEY:
        assert action.effect.lookup is None
        return
    lookup = action.effect.lookup
    search = plugin.manifest.actions[lookup.action]
    assert (search.effect.kind, search.credits.base) == (Effect.READ, 0)
    assert set(lookup.input) <= set(schemas.fields(search.input))
    assert {*lookup.input.values(), *lookup.match.values()} <= set(mine)
    found = schemas.fields(search.output)
    assert {*lookup.match, *lookup.created} <= set(found)


@pytest.mark.parametrize(("plugin", "action"), ACTIONS)
def test_needs_are_stated(plugin, action):
    """An action names what a key and what a token needs, or says that any credential will do."""
    needs = action.requires
    if needs.open:
        assert (needs.key_endpoint, needs.oauth_scope, needs.master_key) == (None, None, False)
    else:
        assert needs.key_endpoint or needs.master_key
    assert needs.key_endpoint is None or not needs.key_endpoint.startswith("/")


@pytest.mark.parametrize(("plugin", "action"), ACTIONS)
def test_paging_agrees_with_the_input(plugin, action):
    """A paged action reads records, and its input has the page and a size within the limits."""
    if action.paging is None:
        return
    fields = Schemas(plugin.manifest.root).fields(action.input)
    assert action.effect.kind in (Effect.READ, Effect.BILL)
    assert action.reply.records
    assert fields[action.paging.page]["minimum"] == action.paging.first
    assert fields[action.paging.per_page]["maximum"] == action.paging.max_per_page


@pytest.mark.parametrize(("plugin", "action"), ACTIONS)
def test_what_the_path_needs_is_required(plugin, action):
    """Every name in a path is an input that must be given."""
    names = {name for _, name, _, _ in string.Formatter().parse(action.path) if name}
    assert names <= set(Schemas(plugin.manifest.root).schema(action.input).get("required", []))


@pytest.mark.parametrize(("plugin", "action"), ACTIONS)
def test_every_field_speaks_to_people(plugin, action):
    """Each input field has a title and a description for the form."""
    for name, field in Schemas(plugin.manifest.root).fields(action.input).items():
        assert field.get("title"), name
        assert field.get("description"), name
