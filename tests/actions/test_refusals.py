"""What a token's scopes don't cover is refused with nothing sent."""

from dataclasses import replace

import pytest

from apollo_component.apollo.plugin import plugin
from apollo_component.apollo.quirks import QUIRKS
from apollo_component.connector.connector import Connector
from apollo_component.contract.errors import PermissionDeniedError
from apollo_component.contract.models import Credential

from .conftest import declared_operations

ACTIONS = declared_operations()
ALWAYS = plugin.manifest.connection_types["oauth2"].oauth.always_scopes
SCOPES = tuple(sorted({one.requires.oauth_scope for one in ACTIONS.values() if one.requires.oauth_scope}))
TOKEN = Credential("oauth2", access_token="token", refresh_token="refresh", scopes=SCOPES)
SCOPED = [one for one in ACTIONS.values() if one.requires.oauth_scope and one.requires.oauth_scope not in ALWAYS]


class Left(Exception):
    """A request would have left."""


def never(request, *, deadline, now):
    raise Left


@pytest.fixture(scope="module")
def connector():
    return Connector(plugin.manifest, QUIRKS, send=never, environ={})


@pytest.mark.parametrize("action", SCOPED, ids=lambda action: action.id)
def test_a_token_without_the_scope_is_refused_before_sending(action, connector, context):
    """Every other scope was granted, only this one is missing: it is named, and nothing leaves."""
    scopes = tuple(scope for scope in SCOPES if scope != action.requires.oauth_scope)
    credential = replace(TOKEN, scopes=scopes)
    with pytest.raises(PermissionDeniedError) as refusal:
        connector.connector_execute(action.id, dict(action.example), credential, None, context)
    assert refusal.value.missing == {"oauth_scope": action.requires.oauth_scope}
    assert action.requires.oauth_scope in str(refusal.value)


@pytest.mark.parametrize("action", SCOPED, ids=lambda action: action.id)
def test_the_scope_alone_is_enough(action, connector, context):
    """With this scope and no other one the request leaves."""
    credential = replace(TOKEN, scopes=(action.requires.oauth_scope,))
    with pytest.raises(Left):
        connector.connector_execute(action.id, dict(action.example), credential, None, context)


def test_the_scopes_apollo_adds_need_no_grant(connector, context):
    """The profile's scope comes with every token, so a token that doesn't list it is let through."""
    with pytest.raises(Left):
        connector.connector_execute("users_api_profile", {}, replace(TOKEN, scopes=()), None, context)
