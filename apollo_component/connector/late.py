"""Results that come after the answer, from the action's declaration: how they are asked for, announced and delivered.

Pure. Waiting is the host's; see `Wait` in the contract.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import orjson

from ..contract.actions import Action
from ..contract.digging import dig, sentence, whole
from ..contract.errors import InputError, NotFoundError
from ..contract.manifest import Manifest
from ..contract.models import Event, Late, Page
from ..contract.placeholders import cleared
from ..contract.waits import Merge, Standing
from .operations import answered_cost
from .reading import UnreadableError, loaded


def asked(action: Action, values: dict[str, Any]) -> dict[str, Any]:
    """The input, asking for polling when a result will come later and no address is given for it."""
    rule = action.wait.callback if action.wait else None
    if action.wait is None or rule is None or rule.poll is None or not action.wait.expected(values):
        return values
    return values if values.get(rule.url) else {**values, rule.poll: True}


def announced(action: Action, values: Mapping[str, Any], answer: Any, page: Page) -> Page:
    """The page with what it announces: a late result, or work in the background that can't be asked after."""
    page = _with_job(action, answer, page)
    wait = action.wait
    if wait is None or not wait.expected(values):
        return page
    if wait.action == action.id and wait.standing(answer) is not Standing.WORKING:
        return page
    spent = answered_cost(action, values, answer, page.records)
    if wait.comes_to_nothing(answer):
        return replace(page, spent=spent)
    found = {name: _text(dig(answer, path)) for name, path in wait.input.items()}
    if None in found.values():
        text = "Nothing in the answer tells how to fetch what comes later."
        return replace(page, warnings=(*page.warnings, text))
    ids = wait.merge.ids(page.records) if wait.merge else ()
    return replace(page, late=Late(found, ids, spent))


def _text(value: Any) -> Any:
    """An id as text: numbers of 64 bits lose digits in most programs."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _with_job(action: Action, answer: Any, page: Page) -> Page:
    job = action.job
    identity = sentence(dig(answer, job.id)) if job else ""
    if job is None or not identity:
        return page
    status, done = sentence(dig(answer, job.status)), whole(dig(answer, job.progress))
    stands = ", ".join(part for part in (status, "" if done is None else f"{done} % done") if part)
    text = (
        f"The service goes on with this in the background (job {identity}{': ' if stands else ''}{stands}). "
        "No way is documented to ask how it stands; look at the records later."
    )
    return replace(page, warnings=(*page.warnings, text))


def events(manifest: Manifest, trigger: str, body: bytes) -> tuple[Event, ...]:
    """One event for each record of a delivery: its id, a digest of it as the version, and the record.

    Raises NotFoundError when nothing is delivered under this trigger, InputError when the body isn't a JSON object.
    """
    merge = _delivered_as(manifest, trigger)
    try:
        payload = cleared(loaded(body), manifest.placeholders)
    except UnreadableError:
        payload = None
    if not isinstance(payload, Mapping):
        raise InputError("The delivery is no JSON object.")
    return tuple(_events(merge, payload))


def _delivered_as(manifest: Manifest, trigger: str) -> Merge:
    for action in manifest.actions.values():
        wait = action.wait
        if wait and wait.callback and wait.callback.trigger == trigger and wait.merge:
            return wait.merge
    raise NotFoundError("This connector has no trigger of that name that is delivered.")


def _events(merge: Merge, payload: Mapping[str, Any]) -> Iterator[Event]:
    for part in merge.parts(payload):
        version = hashlib.sha256(orjson.dumps(part, option=orjson.OPT_SORT_KEYS)).hexdigest()
        yield Event(str(part[merge.key]), version, part)
