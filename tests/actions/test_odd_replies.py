"""Apollo adds fields, leaves values empty and writes numbers as texts: none of it breaks a call.

The reply of each action's example, as the sandbox gave it, is handed in with one thing changed at a time. What may
come of it is a page, or an error of the contract's own; anything else is a fault of the connector.
"""

import asyncio
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
import pytest

from apollo_component.apollo.plugin import plugin
from apollo_component.apollo.quirks import QUIRKS
from apollo_component.connector.connector import Connector
from apollo_component.contract.actions import Action
from apollo_component.contract.digging import dig
from apollo_component.contract.errors import IncompleteReplyError
from apollo_component.contract.models import Credential, Page, Reply
from apollo_component.sandbox.app import Sandbox
from apollo_component.sandbox.state import Options

from .conftest import declared_operations

ACTIONS = declared_operations()
KEY = Credential("api_key", api_key="key")
ROWS = 2
"""Enough of a list: the change is made in all of its rows, and in the first alone."""
EXTRA = {"added_by_apollo": {"new": [1, None, "x"]}, "another": None}

Path = tuple[str, ...]
Change = Callable[[Any], Any]


class Recording:
    """A sandbox in this process, and a connector that sends to it."""

    def __init__(self) -> None:
        self.sandbox = Sandbox(Options())
        self.key = Credential("api_key", api_key=self.sandbox.state.keys.secrets["master"])
        self.connector = Connector(plugin.manifest, QUIRKS, send=self.send, environ={})

    def send(self, request: Any, *, deadline: Any, now: Any) -> Reply:
        async def go() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app=self.sandbox)) as client:
                parts = {"params": list(request.query) or None, "json": request.json, "headers": dict(request.headers)}
                return await client.request(request.method, request.url, **parts)

        answer = asyncio.run(go())
        return Reply(answer.status_code, dict(answer.headers), answer.content)


@pytest.fixture(scope="module")
def recorded(context):
    """The reply of every action's example: JSON, with long lists cut."""
    recording, found = Recording(), {}
    for action in ACTIONS.values():
        recording.sandbox.reset()
        recording.connector.connector_execute(action.id, dict(action.example), recording.key, None, context)
        found[action.id] = shortened(orjson.loads(context.reply.body))
    return found


class Replay:
    """A connector whose every request is answered with `answer`."""

    def __init__(self) -> None:
        self.answer: Any = None
        self.connector = Connector(plugin.manifest, QUIRKS, send=self._send, environ={})

    def _send(self, request: Any, *, deadline: Any, now: Any) -> Reply:
        return Reply(200, {"content-type": "application/json"}, orjson.dumps(self.answer))


@dataclass
class Case:
    """The reply to an action's example, and what the connector makes of a changed one."""

    action: Action
    reply: Any
    replay: Replay
    context: Any

    def read(self, answer: Any) -> Page:
        """The page of an answer: numbers are numbers in it, and all of it can be stored. One that lacks its list or
        its value is unreadable, and no other."""
        self.replay.answer = answer
        try:
            page: Page = self.replay.connector.connector_execute(
                self.action.id, dict(self.action.example), KEY, None, self.context
            )
        except IncompleteReplyError:
            assert not holds(self.action, answer)
            return Page()
        assert holds(self.action, answer)
        assert page.total is None or type(page.total) is int
        assert page.spent is None or type(page.spent) in (int, float)
        assert page.next_cursor is None or isinstance(page.next_cursor, str)
        assert all(isinstance(text, str) for text in page.warnings)
        orjson.dumps([page.records, page.value])
        return page


def holds(action: Action, answer: Any) -> bool:
    """Whether an answer has the list or the value that its action declares, or may leave it out."""
    shape = action.reply
    path = shape.records or shape.value or ""
    found = answer if path == "." else dig(answer, path)
    if action.quirk == "created_and_existing":
        named = (
            [answer[key] for key in answer if key.startswith(("created_", "existing_"))]
            if isinstance(answer, dict)
            else []
        )
        return (found is None or isinstance(found, list)) and any(isinstance(each, list) for each in named)
    if isinstance(found, list if shape.records else dict) and (found or shape.records or path == "."):
        return True
    left_out = found is None or path == "." or (found == {} and shape.value is not None)
    return shape.optional and isinstance(answer, dict) and left_out


@pytest.fixture(scope="module")
def replay():
    return Replay()


@pytest.fixture(params=list(ACTIONS))
def case(request, recorded, replay, context):
    return Case(ACTIONS[request.param], recorded[request.param], replay, context)


def shortened(value: Any) -> Any:
    """Long lists are cut, and so is an object whose keys are records: those of request limits are lists as text."""
    if isinstance(value, dict):
        rows = ROWS if all(name.startswith("[") for name in value) else None
        return {name: shortened(item) for name, item in list(value.items())[:rows]}
    return [shortened(item) for item in value[:ROWS]] if isinstance(value, list) else value


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every place of a reply; `*` stands for all rows of a list."""
    yield path
    if isinstance(value, dict):
        for name, item in value.items():
            yield from places(item, (*path, name))
    elif isinstance(value, list):
        for item in value:
            yield from places(item, (*path, "*"))


def changed(value: Any, path: Path, change: Change, rows: slice) -> Any:
    """A reply with one place changed, in the chosen rows of the lists on the way; what isn't changed is shared."""
    if not path:
        return change(value)
    name, rest = path[0], path[1:]
    if isinstance(value, list) and name == "*":
        chosen = range(*rows.indices(len(value)))
        return [changed(item, rest, change, rows) if place in chosen else item for place, item in enumerate(value)]
    if isinstance(value, dict) and name in value:
        return value | {name: changed(value[name], rest, change, rows)}
    return value


def one_by_one(case: Case, change: Change, wanted: Callable[[Any], bool]) -> int:
    """Reads the reply with each wanted place changed alone, in all rows and in the first; how many it were."""
    found = 0
    for path in dict.fromkeys(places(case.reply)):
        for rows in (slice(None), slice(1)) if "*" in path else (slice(None),):
            touched: list[Any] = []
            answer = changed(case.reply, path, lambda value, seen=touched: _noted(value, seen, change, wanted), rows)
            if touched:
                case.read(answer)
                found += 1
    return found


def _noted(value: Any, seen: list[Any], change: Change, wanted: Callable[[Any], bool]) -> Any:
    if not wanted(value):
        return value
    seen.append(value)
    return change(value)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def everywhere(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return change({name: everywhere(item, change) for name, item in value.items()})
    return [everywhere(item, change) for item in value] if isinstance(value, list) else change(value)


def test_fields_nobody_declared_are_fine(case):
    """Extra fields in every object of the reply change neither how many records there are nor what they said."""
    before = case.read(copy.deepcopy(case.reply))
    after = case.read(everywhere(case.reply, lambda value: value | EXTRA if isinstance(value, dict) else value))
    assert len(after.records) >= len(before.records)
    for old, new in zip(before.records, after.records, strict=False):
        if isinstance(old, dict):
            assert set(old) <= set(new)
    assert (after.total, after.spent, after.next_cursor) == (before.total, before.spent, before.next_cursor) or (
        case.action.quirk == "usage_rows"
    )


def test_any_field_may_be_empty(case):
    """Each value, list, object and row of the reply is null once, alone, in all rows and in the first."""
    assert one_by_one(case, lambda _: None, lambda value: value is not None) or case.reply in ([], {})


def test_all_fields_may_be_empty_at_once(case):
    """A reply whose every value is null still gives a page; one that is null as a whole is unreadable."""
    case.read(everywhere(case.reply, lambda value: value if isinstance(value, dict | list) else None))
    case.read(None)
    case.read({})


def test_any_number_may_be_a_text(case):
    """Each number comes as a text once, alone, and all do at once: totals and credits are still counted."""
    before = case.read(copy.deepcopy(case.reply))
    one_by_one(case, str, is_number)
    after = case.read(everywhere(case.reply, lambda value: str(value) if is_number(value) else value))
    assert (after.total, after.spent, after.next_cursor) == (before.total, before.spent, before.next_cursor)
    assert len(after.records) == len(before.records)


def test_any_field_may_be_missing(case):
    """Each key is left out once, in all objects of its place."""
    paths = [path for path in dict.fromkeys(places(case.reply)) if path and path[-1] != "*"]
    for path in paths:
        name = path[-1]
        case.read(changed(case.reply, path[:-1], lambda value, gone=name: _without(value, gone), slice(None)))


def _without(value: Any, name: str) -> Any:
    return {key: item for key, item in value.items() if key != name} if isinstance(value, dict) else value


@pytest.mark.parametrize(
    "other",
    [[], "text", *(pytest.param(other, marks=pytest.mark.full) for other in ({}, 0, True, ["text"], [None]))],
    ids=repr,
)
def test_lists_and_objects_may_be_something_else(case, other):
    """Wherever the connector expects a list or an object, another kind of value is survived, too."""
    one_by_one(case, lambda _: other, lambda value: isinstance(value, dict | list))


def test_the_replies_are_worth_it(recorded):
    """The replies are those of actions that worked: hundreds of places for the widest, something for all."""
    sizes = {name: len(set(places(reply))) for name, reply in recorded.items()}
    assert set(sizes) == set(ACTIONS)
    assert min(sizes.values()) >= 2
    assert sizes["contacts_search"] > 100
