"""Whatever a service answers, an action gives a page or an error of the contract, never another exception."""

import contextlib
import json
import math
from collections.abc import Callable
from copy import deepcopy
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given, seed
from hypothesis import strategies as st

from apollo_component.connector.connector import Connector
from apollo_component.contract.actions import Action
from apollo_component.contract.errors import ConnectorError
from apollo_component.contract.manifest import Manifest
from apollo_component.contract.models import Page, TestReport
from apollo_component.host.plans import further_pages, unique
from apollo_component.host.splitting import out_of_reach

from .conftest import FACTS, KEY, Answer, Host, examples
from .making import FREE, TEXTS

STATUSES = (200, 200, 200, 201, 204, 302, 400, 401, 402, 403, 404, 408, 409, 422, 429, 500, 502, 503)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "content-type": st.sampled_from(("application/json", "text/plain", "text/html; charset=utf-8", "")),
        "retry-after": st.sampled_from(("5", "-5", "1e99", "nan", "soon", "")),
        "x-request-id": TEXTS,
        "x-rate-limit-minute": st.sampled_from(("", "200", "-1", "inf", "many")),
        "x-minute-requests-left": st.sampled_from(("", "0", "-7", "1.5", "few")),
    },
)
NUMBERS = (0, -1, -5.5, 3, 1e308, 10**15, 2**63, "7", "-7", "1e400", True, None)
ODD = ({"a": {"b": [1]}}, {"id": []}, [{"id": {}}], {"": None}, [], {}, [[]], [None])
TEXT = ("", "a", "ü\n\x00", "email_not_unlocked@domain.com", "x" * 3000, "<b>" * 300)
LEAVES = st.sampled_from((*NUMBERS, *ODD, *TEXT)).map(deepcopy)
"""What may stand anywhere, as it is or under a name that is looked at."""
COMMON = ("error", "message", "error_code", "error_details", "code", "retry_after_seconds", "pagination", "id", "email")


def words(action: Action) -> list[str]:
    """The names by which a reply of the action is read, in the declaration and by Apollo's quirks."""
    shape = (action.reply.records, action.reply.value, action.reply.total, action.credits.reported)
    job = (action.job.id, action.job.status, action.job.progress) if action.job else ()
    named = [path for path in (*shape, *job) if path and path != "."]
    quirks = {
        "two_arrays": ["organizations", "accounts", "model_ids", "organization_id"],
        "created_and_existing": ["created_x", "existing_x"],
        "enroll": ["skipped_contact_ids"],
        "deleted_as_warning": ["deleted"],
        "usage_rows": ['["a", "b"]', "[1", "5"],
    }
    return [*COMMON, *named, action.key or "id", *quirks.get(action.quirk or "", [])]


@st.composite
def shaped(draw: st.DrawFn, names: list[str]) -> dict[str, Any]:
    """An answer with the right names, each over something that may be of any kind."""
    known = st.sampled_from(sorted({part for name in names for part in name.split(".")}))
    record = st.dictionaries(known, LEAVES, max_size=5) | LEAVES
    answer: dict[str, Any] = {}
    for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=6, unique=True)):
        here = answer
        *way, last = name.split(".")
        for part in way:
            inner = here.get(part)
            here[part] = inner if isinstance(inner, dict) else {}
            here = here[part]
        here[last] = draw(st.lists(record, max_size=4) | LEAVES)
    return answer


def answers(names: list[str]) -> st.SearchStrategy[Answer]:
    written = (shaped(names) | shaped(names) | shaped(names) | LEAVES | FREE).map(
        lambda value: json.dumps(value).encode()
    )
    return st.tuples(st.sampled_from(STATUSES), HEADERS, written | st.binary(max_size=40))


def is_sound(page: Page, action: Action, values: dict[str, Any]) -> None:
    """What a host may rely on: the types of a page, numbers that can be counted with, records it can take apart."""
    assert isinstance(page.records, list)
    assert page.total is None or (isinstance(page.total, int) and page.total >= 0)
    assert page.spent is None or (math.isfinite(page.spent) and page.spent >= 0)
    assert page.next_cursor is None or page.next_cursor.isdigit()
    assert all(isinstance(warning, str) for warning in page.warnings)
    list(unique(page.records, action.key))
    cursors = further_pages(action, values, page, limit=None)
    assert cursors is None or len(cursors) <= 100_000
    assert out_of_reach(action, page, None) >= 0


def is_told(error: ConnectorError) -> None:
    json.dumps(error.as_dict())
    assert str(error)
    pause = getattr(error, "retry_after", None)
    assert pause is None or 0 <= pause <= 7 * 86400


@pytest.mark.parametrize("action", FACTS)
def test_any_answer_gives_a_page_or_an_error(
    action: str, manifest: Manifest, answering: Callable[[Answer], Connector]
) -> None:
    """JSON of any kind under any status, and bytes that are no JSON, are read or refused by name."""
    declared = manifest.actions[action]
    given_input = dict(declared.example)

    @examples(15)
    @seed(crc32(action.encode()))
    @given(answers(words(declared)))
    def is_read(answer: Answer) -> None:
        try:
            page = answering(answer).connector_execute(
                action=action, input=given_input, credential=KEY, cursor=None, context=Host()
            )
        except ConnectorError as error:
            is_told(error)
        else:
            is_sound(page, declared, given_input)

    is_read()


def test_any_answer_gives_a_test_report(manifest: Manifest, answering: Callable[[Answer], Connector]) -> None:
    """A connection test has a verdict whatever comes back."""

    @examples(40)
    @given(answers(["is_logged_in", "id", "team_id", "first_name", "people", *COMMON]), st.booleans())
    def is_judged(answer: Answer, strict: bool) -> None:
        found = answering(answer).connector_test(credential=KEY, actions=tuple(FACTS), strict=strict, context=Host())
        assert isinstance(found, TestReport)
        assert found.verdict in ("connected", "limited", "refused", "unreachable")

    is_judged()


def test_any_answer_gives_choices(manifest: Manifest, answering: Callable[[Answer], Connector]) -> None:
    """A drop-down is filled with texts or refused by name, whatever comes back."""
    named = {word for source in manifest.option_sources.values() for word in (*source.label.split(), source.value)}
    kept = {action.reply.records or "" for action in manifest.actions.values()}

    @examples(100)
    @given(
        st.sampled_from(sorted(manifest.option_sources)), TEXTS, answers([*COMMON, *sorted((named | kept) - {"", "."})])
    )
    def is_filled(source: str, search: str, answer: Answer) -> None:
        with contextlib.suppress(ConnectorError):
            choices, _ = answering(answer).connector_options(
                source=source, credential=KEY, search=search, cursor=None, context=Host()
            )
            assert all(isinstance(choice.label, str) and isinstance(choice.value, str) for choice in choices)

    is_filled()
