"""Trying an action: a form from its schema, what it would do, and what came of it."""

import secrets
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.responses import Response

from ...contract.actions import Action
from ...contract.errors import ConnectorError, InputError, Problem
from ...contract.inputs import rules
from ...contract.json_text import read_object
from ...contract.manifest import Manifest
from ...contract.models import Choice
from ...contract.schemas import schemas_at
from ...host.connections import Connection
from ...host.rights import obstacles
from ...host.running import find
from .. import copies
from ..account_choices import account_choice, chosen, first
from ..choosing import reason
from ..form_values import Posted
from ..forms import Field, first_and_more
from ..trial_runs import Trials
from ..trials import MOST, Options, Outlook, Trial, outlook, problems_of, ready, trial_of
from ..visits import Place, Visit
from ..widgets import Widget, Wrong, drawn, unknown

TRIALS = Trials()
SEARCHED = 12
"""So many further fields get a search."""
OWN_PLACES = ("connection", "limit", "budget", "max_credits_per_record", "confirmed", "JSON")


@dataclass(frozen=True, slots=True)
class Told:
    """What a page says of what was wrong: problems at their fields, or an error on top."""

    error: ConnectorError | None = None
    problems: list[Problem] = field(default_factory=list)

    @classmethod
    def of(cls, error: ConnectorError) -> "Told":
        return cls(error, problems_of(error))


def choose(visit: Visit) -> Response:
    return visit.to("/")


def show(visit: Visit) -> Response:
    manifest, action = _asked(visit)
    stored, wanted = visit.host.connections, visit.query.get("connection", "")
    link = chosen(stored, manifest.id, wanted) or first(stored, manifest.id)
    trial = Trial(manifest, action, Options(connection=link.name if link else ""), Posted(()))
    if given := visit.query.get("input"):
        trial = trial.showing(read_object(given, "input"))
    return _page(visit, trial)


def change(visit: Visit) -> Response:
    """`_do` tells what a button wants; the answer is the page as it then is."""
    manifest, action = _asked(visit)
    trial = trial_of(manifest, action, visit.form, visit.form.multi_items())
    do, _, what = visit.form.get("_do", "look").partition(":")
    try:
        return _DO.get(do, _look)(visit, trial, what)
    except InputError as error:
        return _page(visit, trial, Told.of(error), 422)


def options(visit: Visit) -> Response:
    """The choices of a field: `{choices: [{label, value, type?, choices?}], next_cursor}`."""
    manifest, action = _asked(visit)
    asked = {name: visit.query.get(name) or None for name in ("field", "q", "cursor", "connection")}
    found = visit.host.options.of(
        manifest, action, asked["field"] or "", asked["connection"], asked["q"] or "", asked["cursor"]
    )
    return visit.told({"choices": [_choice(one) for one in found.choices], "next_cursor": found.next_cursor})


def _choice(one: Choice) -> dict[str, Any]:
    more = {"type": one.type, "choices": [_choice(inner) for inner in one.choices]}
    return {"label": one.label, "value": one.value} | {key: value for key, value in more.items() if value}


def _look(visit: Visit, trial: Trial, _what: str) -> Response:
    return _page(visit, trial)


def _check(visit: Visit, trial: Trial, _what: str) -> Response:
    outlook(visit.host, trial)
    return _page(visit, trial)


def _form(visit: Visit, trial: Trial, _what: str) -> Response:
    return _page(visit, trial.as_form())


def _json(visit: Visit, trial: Trial, _what: str) -> Response:
    return _page(visit, trial.as_json())


def _example(visit: Visit, trial: Trial, _what: str) -> Response:
    shown = trial.showing(trial.action.example)
    return _page(visit, shown if trial.text is None else shown.as_json())


def _add(visit: Visit, trial: Trial, at: str) -> Response:
    return _page(visit, replace(trial, posted=Posted(trial.posted.added(at))))


def _remove(visit: Visit, trial: Trial, at: str) -> Response:
    return _page(visit, replace(trial, posted=Posted(trial.posted.without(at))))


def _run(visit: Visit, trial: Trial, _what: str) -> Response:
    """The run goes on by itself; its page shows it, whoever looks and whenever."""
    try:
        meant = ready(visit.host, trial)
    except InputError:
        raise
    except ConnectorError as error:
        return _page(visit, trial, Told(error), 422)
    return visit.to(f"/try/runs/{TRIALS.start(visit.host, meant, visit.form.get('_once', ''))}")


_DO = {
    "look": _look,
    "check": _check,
    "form": _form,
    "json": _json,
    "example": _example,
    "add": _add,
    "remove": _remove,
    "run": _run,
}


def _asked(visit: Visit) -> tuple[Manifest, Action]:
    return find(visit.host.registry.manifests, visit.path["connector"], visit.path["action"])


def _page(visit: Visit, trial: Trial, told: Told | None = None, status: int = 200) -> Response:
    told = told or Told()
    stored, name = visit.host.connections, trial.options.connection
    link = chosen(stored, trial.manifest.id, name)
    seen, why = _outlook(visit, trial)
    wrong = Wrong([one for one in told.problems if one.path not in OWN_PLACES])
    first, more = first_and_more(trial.fields, trial.action.example)
    return visit.page(
        "trying.html",
        status,
        trial=trial,
        manifest=trial.manifest,
        action=trial.action,
        accounts=account_choice(stored, trial.manifest.id, name),
        rules=list(rules(schemas_at(trial.manifest.root), trial.action.input)),
        **_drawn(trial, first, more, wrong),
        searched=len(more) > SEARCHED,
        seen=seen,
        why=why,
        barred=_barred(visit, trial, link) if link else [],
        copies=_copies(seen, link.name if link else "NAME") if seen else {},
        error=told.error,
        beside={one.path: one for one in told.problems if one.path in OWN_PLACES},
        left=wrong.left,
        most=MOST,
        once=secrets.token_urlsafe(16),
    )


def _barred(visit: Visit, trial: Trial, link: Connection) -> list[str]:
    """Why this account can't run it, in words, as far as is known."""
    met = obstacles(trial.manifest, trial.action.id, link)
    return list(dict.fromkeys(reason(one, link, visit.hub.texts) for one in met))


def _drawn(trial: Trial, first: tuple[Field, ...], more: tuple[Field, ...], wrong: Wrong) -> dict[str, Any]:
    """The form's parts, or none while its JSON is edited."""
    if trial.text is not None:
        return {"first": (), "more": (), "beyond": ()}
    found: dict[str, tuple[Widget, ...]] = {
        "first": drawn(first, trial.posted, wrong),
        "more": drawn(more, trial.posted, wrong),
        "beyond": unknown(trial.fields, trial.posted, wrong),
    }
    return found


def _outlook(visit: Visit, trial: Trial) -> tuple[Outlook | None, str]:
    """What it would do, or why that can't be told yet."""
    try:
        return outlook(visit.host, trial), ""
    except InputError as error:
        return None, "; ".join(f"{one.path}: {one.text}" if one.path else one.text for one in error.problems)


def _copies(seen: Outlook, connection: str) -> dict[str, str]:
    plan = replace(seen.plan, budget=seen.worst) if seen.costs else seen.plan
    return {
        "step": copies.step(plan),
        "command": copies.command(plan, connection),
        "python": copies.python(plan, connection),
    }


PLACES = (
    Place("/try", choose),
    Place("/try/{connector}/{action}", show),
    Place("/try/{connector}/{action}", change, ["POST"]),
    Place("/try/{connector}/{action}/options", options),
)
