"""What a person has put in to try an action, and what would come of it. Nothing here sends."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..contract.actions import Action
from ..contract.errors import ConnectorError, InputError, Problem
from ..contract.json_text import read_object
from ..contract.located import dotted
from ..contract.manifest import Manifest
from ..contract.schemas import schemas_at
from ..host.host import Host
from ..host.planning import Plan, previewed
from ..host.running import Chosen, chosen
from .account_choices import chosen as account
from .form_values import Pairs, Posted, UnreadableError, pairs_of, read
from .forms import Field, form_of
from .visits import CSRF_FIELD

MOST = 1000
"""Records that one trial reads at most."""
OWN = "_"
"""What the names of the page's own fields begin with; an action's begin with a slash."""


@dataclass(frozen=True, slots=True)
class Options:
    """The page's own fields, as text: what stands beside the input."""

    connection: str = ""
    limit: str = ""
    budget: str = ""
    prefilled: str = ""
    """The budget that the page had filled in by itself."""
    per_record: str = ""
    confirmed: str = ""

    @classmethod
    def posted(cls, form: Mapping[str, str]) -> "Options":
        names = ("connection", "limit", "budget", "prefilled", "per_record", "confirmed")
        return cls(**{name: form.get(OWN + name, "").strip() for name in names})


@dataclass(frozen=True, slots=True)
class Trial:
    """An action with what was put in; `text` is the JSON where that is edited, else None."""

    manifest: Manifest
    action: Action
    options: Options
    posted: Posted = field(repr=False)
    text: str | None = field(default=None, repr=False)

    @property
    def fields(self) -> tuple[Field, ...]:
        return form_of(schemas_at(self.manifest.root), self.action.input)

    def values(self) -> dict[str, Any]:
        """The input as it stands, unchecked. Raises InputError for text that is no JSON."""
        if self.text is not None:
            return read_object(self.text or "{}", "JSON")
        try:
            return read(self.fields, self.posted)
        except UnreadableError as error:
            parts = [int(part) if part.isdigit() else part for part in error.at.strip("/").split("/")]
            problem = Problem(str(error), path=dotted(tuple(parts)))
            raise InputError("The input was refused; nothing was sent.", [problem]) from None

    def as_form(self) -> "Trial":
        """Raises InputError."""
        return self.showing(self.values())

    def as_json(self) -> "Trial":
        """Raises InputError."""
        return replace(self, text=json.dumps(self.values(), ensure_ascii=False, indent=2))

    def showing(self, values: Mapping[str, Any]) -> "Trial":
        return replace(self, posted=Posted(pairs_of(self.fields, values)), text=None)

    def wanted(self) -> dict[str, Any]:
        """The options as fields of a plan. Raises InputError."""
        limit = _number(self.options.limit, "limit", whole=True, most=MOST)
        per_record = _number(self.options.per_record, "max_credits_per_record")
        return {"limit": limit, "every_page": limit is not None, "max_credits_per_record": per_record}


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a run would do: the plan as a dictionary, what it may cost, and what a person must say before it."""

    plan: Plan
    told: Mapping[str, Any] = field(repr=False)
    worst: float | None
    budget: str
    seal: str
    """Stands for exactly this input, account and cost: a confirmation counts for what was shown."""

    @property
    def costs(self) -> bool:
        return self.worst is None or self.worst > 0

    @property
    def needs_word(self) -> bool:
        return self.costs or self.plan.needs_word

    @property
    def request_text(self) -> str:
        body = self.told.get("request", {}).get("body")
        return "" if body is None else json.dumps(body, ensure_ascii=False, indent=2)


def trial_of(manifest: Manifest, action: Action, form: Mapping[str, str], pairs: Pairs) -> Trial:
    own = [(name, text) for name, text in pairs if not name.startswith(OWN) and name != CSRF_FIELD]
    text = form.get("_json") if form.get("_mode") == "json" else None
    return Trial(manifest, action, Options.posted(form), Posted(own), text)


def outlook(host: Host, trial: Trial) -> Outlook:
    """Nothing is sent and nothing looked up. Raises InputError for an input or options that can't be run."""
    checked = schemas_at(trial.manifest.root).check(trial.action.input, trial.values())
    plan = Plan(trial.manifest, trial.action, checked, **trial.wanted())
    plan.refuse_pages()
    plan.refuse()
    shown = replace(plan, values=host.deliveries.sketched(trial.action, plan.values))
    worst = plan.worst()
    prefilled = "" if worst is None else f"{worst:g}"
    untouched = trial.options.budget in ("", trial.options.prefilled)
    sealed = [trial.options.connection, trial.action.id, checked, plan.limit, worst, plan.max_credits_per_record]
    seal = hashlib.sha256(json.dumps(sealed, sort_keys=True).encode()).hexdigest()
    budget = prefilled if untouched else trial.options.budget
    return Outlook(plan, previewed(shown, host.registry), worst, budget, seal)


def ready(host: Host, trial: Trial) -> Chosen:
    """What is to run, after everything was said that must be. Custom fields may be looked up. Raises InputError."""
    seen = outlook(host, trial)
    name = trial.options.connection
    if not account(host.connections, trial.manifest.id, name):
        text = f"there is no account of {trial.manifest.title} named {name!r}" if name else "is required"
        raise InputError("Nothing was sent.", [Problem(text, path="connection")])
    if seen.worst is None:
        text = "is needed: nobody but you can say what these options may cost at most"
        raise InputError("Nothing was sent.", [Problem(text, path="max_credits_per_record")])
    budget = _number(seen.budget, "budget") if seen.costs else None
    if seen.needs_word and trial.options.confirmed != seen.seal:
        raise InputError("Nothing was sent.", [Problem("look at what it will do, then tick this", path="confirmed")])
    return chosen(host, trial.options.connection, trial.action.id, trial.values(), budget=budget, **trial.wanted())


def problems_of(error: ConnectorError) -> list[Problem]:
    return list(getattr(error, "problems", ()))


def _number(text: str, path: str, *, whole: bool = False, most: float = 1e9) -> Any:
    if not text:
        return None
    try:
        found = int(text) if whole else float(text)
    except ValueError:
        found = -1
    if not (1 if whole else 0) <= found <= most:
        kind = f"a whole number from 1 to {most:,}" if whole else "a number of credits, 0 or more"
        raise InputError("Nothing was sent.", [Problem(f"must be {kind}", path=path)])
    return found
