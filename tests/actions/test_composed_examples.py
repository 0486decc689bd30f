"""What is made of several requests, and the raw request: each with its own example, through a host."""

import pytest

from apollo_component.apollo.plugin import plugin
from apollo_component.contract.models import Credential
from apollo_component.host.calls import Call
from apollo_component.host.host import Host
from apollo_component.host.journal import Key
from apollo_component.host.settings import Settings

from .conftest import declared_operations

pytestmark = [pytest.mark.real]
OTHERS = [action for name, action in plugin.manifest.actions.items() if name not in declared_operations()]


@pytest.mark.parametrize("kind", ["api_key", "oauth2"])
@pytest.mark.parametrize("action", OTHERS, ids=lambda action: action.id)
def test_an_example_does_what_it_says(action, kind, world, tmp_path):
    """It works under both connection types, its record fits the output's schema, and a repeat makes nothing new."""
    credential: Credential = world.link(kind)
    host = Host.open(Settings(tmp_path, f"sqlite:///{tmp_path / 'host.db'}"), world.registry)
    link = host.connections.add("mine", "apollo", credential)
    pages = []
    for _ in range(2):
        key = Key(host.runs.create("action", action.title).id, "run", "0")
        pages.append(host.caller.page(Call(key, link.id, action, dict(action.example))))
    host.close()
    for page in pages:
        [record] = page.records
        plugin.schemas.check(action.output, record)
    if action.compose:
        assert pages[1].records[0]["outcome"] in ("found", "unchanged")
        assert pages[0].records[0]["id"] == pages[1].records[0]["id"]
