"""Declared routes by raw requests: each in many spellings, none with weaker rules than its action's."""

import json
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest

from apollo_component.apollo.quirks import QUIRKS
from apollo_component.connector.connector import Connector
from apollo_component.connector.messages import Request
from apollo_component.contract.actions import Action
from apollo_component.contract.errors import InputError
from apollo_component.contract.loading import load_file
from apollo_component.contract.models import Effect, Reply

from .conftest import DEEPER, KEY, ROOT, Host

MANIFEST = load_file(ROOT / "connector.yaml")
ROUTED = {name: action for name, action in MANIFEST.actions.items() if action.path}
RAW = MANIFEST.actions["raw_request"]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
REPEATS = {"read": 2, "upsert": 2, "bill": 1, "create": 0, "send": 0}
"""How freely a lost request is repeated: always, when it may be paid again, or not at all."""
ID = "66aa11bb22cc33dd44ee55f0"


def spelled_path(path: str, random_: random.Random) -> str:
    """The path of an action in some spelling that a server might take for the same."""
    segments = ["" if not part else ID if part.startswith("{") else part for part in path.split("/")]
    place = random_.randrange(1, len(segments))
    word = segments[place]
    char = random_.randrange(len(word))
    segments[place] = random_.choice(
        [
            *[word, word.upper(), word.title(), word + ".json", word + ".XML", word + "."] * 3,
            word[:char] + f"%{ord(word[char]):02X}" + word[char + 1 :],
            word[:char] + f"%{ord(word[char]):02x}" + word[char + 1 :],
            word + ";v=1",
            "./" + word,
            "x/../" + word,
            "/" + word,
            word + "%2F",
        ]
    )
    whole = "/".join(segments)
    return (
        random_.choice((*[""] * 12, "/api/v1", "/v1", "/API/V1", "/x/.."))
        + whole
        + random_.choice((*[""] * 12, "/", "//", "?", "#", "%20", ".json"))
    )


def spelled(name: str, value: Any, random_: random.Random) -> dict[str, Any]:
    """One input under some name and in some form that a server might take for the same."""
    if value is True:
        value = random_.choice((True, True, 1, "true", "1", "TRUE", "t", "yes", "on"))
    if isinstance(value, list):
        value = random_.choice((value, value, [value], dict(enumerate(value)), json.dumps(value)))
    if isinstance(value, dict):
        value = {str(key): item for key, item in value.items()}
    forms = [{name: value}] * 4 + [
        {f"{name}[]": value},
        {f"{name}[0]": value},
        {f"[{name}]": value},
        {name.upper(): value},
        {f"about_{name}[{name}]": value},
        {f"in_{name}": {name: value}},
        {f"all_{name}": [{name: value}]},
    ]
    return random_.choice(forms)


def spellings(action: Action, random_: random.Random, count: int) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Inputs of the action, each with a raw request that may mean the same."""
    flags = {*action.credits.flags, *action.credits.unbounded} | {action.effect.send_flag, action.effect.upsert_flag}
    for _ in range(count):
        values = dict(action.example) | {name: random_.random() < 0.5 for name in flags if name}
        method = random_.choice((action.method, action.method, *METHODS))
        places: dict[str, dict[str, Any]] = {"query": {}, "body": {}}
        for name, value in values.items():
            bodyless = method in ("GET", "DELETE") or random_.random() < 0.3
            places["query" if bodyless else "body"] |= spelled(name, value, random_)
        raw = {
            "method": method,
            "path": spelled_path(action.path, random_),
            "effect": random_.choice((*Effect, *[action.effect.of(values)] * 5)).value,
            "credits": random_.choice((0, 0.5, 1, 3, *[action.credits.worst(values, 0)] * 5, 200)),
            **{place: given for place, given in places.items() if given},
        }
        yield values, raw


class Sent(Exception):
    """The request would have left."""


@pytest.fixture(scope="module")
def connector() -> Connector:
    def send(request: Request, **_: Any) -> Reply:
        raise Sent

    return Connector(MANIFEST, QUIRKS, send=send, environ={})


def leaves(connector: Connector, raw: dict[str, Any]) -> bool:
    """Whether the connector would send it."""
    try:
        connector.connector_execute("raw_request", raw, KEY, None, Host())
    except InputError:
        return False
    except Sent:
        return True
    raise AssertionError("neither sent nor refused")


def is_another(action: Action, method: str) -> bool:
    """Whether the same path is declared for this method as another action, whose rules count then."""
    same = [one for one in ROUTED.values() if without_names(one.path) == without_names(action.path)]
    return any(one.method == method for one in same if one is not action)


def without_names(path: str) -> str:
    return re.sub(r"{\w+}", "{}", path)


@pytest.mark.parametrize("count", [50, pytest.param(200 * DEEPER, marks=pytest.mark.full)])
@pytest.mark.parametrize("name", ROUTED)
def test_no_spelling_weakens_the_rules_of_a_declared_route(connector: Connector, name: str, count: int) -> None:
    """Whatever gets through has at least the effect, cost and confirmation of the action with the same input."""
    action, through = ROUTED[name], 0
    for values, raw in spellings(action, random.Random(name), count):
        if is_another(action, raw["method"]) or not leaves(connector, raw):
            continue
        through += 1
        effect = RAW.effect.of(raw)
        assert REPEATS[effect] <= REPEATS[action.effect.of(values)], raw
        assert (effect is Effect.READ) <= (action.effect.of(values) is Effect.READ), raw
        worst = action.credits.worst(values)
        least = max(action.credits.worst(values, 0) or 0, 1) if worst is None else worst
        if action.credits.stated_by:
            least = 1  # a person states the cost there too; only nothing at all is refused
        assert (RAW.credits.worst(raw) or 0) >= least, raw
        assert RAW.credits.may_cost(raw) >= action.credits.may_cost(values), raw
        assert RAW.needs_word(raw) >= action.needs_word(values), raw
        assert RAW.needs_word(raw) or raw["method"] in ("GET", action.method), raw
    assert through >= count // 40
