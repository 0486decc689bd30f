"""Actions that a host makes of others."""

from typing import Any

import pytest

from apollo_component.connector.connector import Connector
from apollo_component.contract.errors import InputError
from apollo_component.contract.models import Credential


@pytest.mark.parametrize("hook", ["connector_execute", "connector_preview"])
def test_a_composed_action_is_the_hosts(connector: Connector, key: Credential, host: Any, hook: str) -> None:
    """It has no request of its own, so the connector refuses it before the host is asked for anything."""
    values = {"email": "a@firm.example"}
    arguments = (key, None, host) if hook == "connector_execute" else ()
    with pytest.raises(InputError):
        getattr(connector, hook)("contacts_find_or_create", values, *arguments)
    assert host.events == []
