"""A connector keeps nothing between calls but what it has read of its own schemas."""

import sys
from typing import Any

from apollo_component.connector.connector import Connector
from apollo_component.contract.models import Credential

OPENED: list[Any] | None = None


def listening(event: str, arguments: tuple[Any, ...]) -> None:
    if OPENED is not None and event == "open":
        OPENED.append(arguments[0])


sys.addaudithook(listening)


def test_work_leaves_the_connector_as_it_was_and_opens_no_file(
    connector: Connector, key: Credential, host: Any
) -> None:
    """After more calls it has the same parts, and no file was opened for them: schemas are read once."""
    global OPENED  # noqa: PLW0603
    calls = ("contacts_search", {"per_page": 5}), ("people_match", {"email": "a@firm.example"})
    for action, values in calls:
        connector.connector_execute(action, values, key, None, host)
    before = dict(vars(connector))
    OPENED = opened = list[Any]()
    try:
        for action, values in calls:
            connector.connector_execute(action, values, key, None, host)
    finally:
        OPENED = None
    assert opened == []
    assert vars(connector) == before
