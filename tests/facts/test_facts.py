"""The manifest and the sandbox were written apart; both must say what Apollo's documentation says."""

import json
from pathlib import Path

import pytest

from apollo_component.apollo.plugin import plugin
from apollo_component.sandbox.operations import OPERATIONS

FACTS = json.loads(Path(__file__).with_name("apollo.json").read_bytes())["operations"]
ACTIONS = {name: action for name, action in plugin.manifest.actions.items() if action.path}
"""Actions with a route of their own; raw and composed ones use those of others."""
REPEATED = {"emailer_campaigns_add_contact_ids": {"emailer_campaign_id"}}
"""Parameters that the connector fills in itself from another input."""
OWN = {
    "enrich_create": {"body", "max_credits"},
    "people_match": {"minimum_confidence"},
    "people_bulk_match": {"minimum_confidence"},
}
"""Inputs that Apollo's documentation doesn't have: those of a body that is the person's own, and what stays here."""


def top_level(names: list[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("action", ACTIONS.values(), ids=list(ACTIONS))
def test_an_action_is_declared_as_documented(action):
    """Method, path, what a key or token needs and the quota class of every action equal Apollo's documentation."""
    fact = FACTS[action.id]
    requires = action.requires
    assert (action.method, action.path) == (fact["method"], fact["path"])
    assert (requires.key_endpoint, requires.oauth_scope) == (fact["key_endpoint"], fact["oauth_scope"])
    assert requires.master_key == fact["master_key"]
    assert action.quota_class == fact["quota_class"]
    assert bool(action.deprecated) == fact["deprecated"]


@pytest.mark.parametrize("action", ACTIONS.values(), ids=list(ACTIONS))
def test_an_action_offers_every_documented_parameter_and_no_other(action):
    """The inputs of every action are exactly the documented parameters, but those that Apollo isn't known to honour;
    what is required there is required here."""
    fact = FACTS[action.id]
    schema = plugin.schemas.schema(action.input)
    filled = REPEATED.get(action.id, set())
    assert set(schema["properties"]) == top_level(fact["parameters"]) - filled - set(
        schema.get("x-instead", ())
    ) | OWN.get(action.id, set())
    required = {name for name in fact["required"] if "." not in name} - filled
    assert required <= set(schema.get("required", []))


@pytest.mark.parametrize("operation", OPERATIONS, ids=[operation.id for operation in OPERATIONS])
def test_the_sandbox_answers_as_documented(operation):
    """Every operation of the sandbox has the documented method, path, key endpoint, scope and quota class."""
    fact = FACTS[operation.id]
    assert (operation.method, operation.path) == (fact["method"], fact["path"])
    assert (operation.key_endpoint, operation.oauth_scope) == (fact["key_endpoint"], fact["oauth_scope"])
    assert (operation.master_only, operation.quota_class) == (fact["master_key"], fact["quota_class"])


def test_the_sandbox_has_every_action():
    """Whatever the connector can run can be tried on the sandbox."""
    assert set(ACTIONS) <= {operation.id for operation in OPERATIONS}
