"""What a run would do, told before anything is sent."""

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from ..contract.actions import MAILS, Action, Compose
from ..contract.errors import InputError, Problem
from ..contract.manifest import Manifest
from ..contract.models import Effect
from ..contract.schemas import schemas_at
from .composed import most_requests
from .plans import chunks, page_size
from .registry import Registry
from .splitting import Field, chosen_fields, heads

_BODYLESS = ("GET", "DELETE", "HEAD")


@dataclass(frozen=True, slots=True)
class Plan:
    """One action with a checked input and how much of it is wanted."""

    manifest: Manifest
    action: Action
    values: Mapping[str, Any] = field(repr=False)
    every_page: bool = False
    limit: int | None = None
    split_by: tuple[str, ...] = ()
    max_credits_per_record: float | None = None
    budget: float | None = None

    @property
    def effect(self) -> Effect:
        return self.action.effect.of(self.values)

    @property
    def streams(self) -> bool:
        """Whether the result is a list of records, else it is a single value."""
        return self.action.streams

    @property
    def word(self) -> str:
        """Why a person must say that it may be sent; empty when nobody needs to."""
        return self.action.word_for(self.values)

    @property
    def mails(self) -> bool:
        """Whether that is because real people may get mail from it."""
        return self.word == MAILS

    @property
    def needs_word(self) -> bool:
        """Whether a person must say that it may be sent."""
        return bool(self.word)

    def refuse(self) -> None:
        """Every wrong choice beside the input, each at the name of this class's field. Raises InputError."""
        if self.action.bulk and self.limit is not None:
            text = f"is for searches; give fewer {' or '.join(self.action.bulk.items)} instead"
            raise InputError("The input was refused; nothing was sent.", [Problem(text, path="limit")])
        if problems := self.action.refusals(self.values):
            raise InputError("The input was refused; nothing was sent.", problems)
        self.fields()
        if self.budget is not None and self.worst() is None:
            text = "is needed under a budget: the service sets no limit to what these options cost"
            raise InputError("Nothing was sent.", [Problem(text, path="max_credits_per_record")])

    def refuse_pages(self) -> None:
        """Pages that were asked for of an action that has none. Raises InputError."""
        if self.action.paging or not self.every_page or (self.action.bulk and self.limit is not None):
            return
        name = "limit" if self.limit is not None else "every_page"
        raise InputError("Nothing was sent.", [Problem("this action has no pages", path=name)])

    def fields(self) -> tuple[Field, ...]:
        """What the search is cut by. Raises InputError."""
        if not self.split_by:
            return ()
        schemas = schemas_at(self.manifest.root)
        return chosen_fields(self.manifest, schemas, self.action, self.split_by, self.values)

    def split(self) -> dict[str, Any] | None:
        """What planning a split asks for at most: first pages, which are kept and not asked for again."""
        if not self.split_by:
            return None
        pages, each = heads(self.fields()), self.action.credits.worst(self.values, self.max_credits_per_record)
        return {
            "by": list(self.split_by),
            "first_pages": pages,
            "worst_credits": None if each is None else pages * each,
        }

    def parts(self) -> list[dict[str, Any]]:
        return chunks(self.action, self.values)

    def requests(self) -> int | None:
        """How many requests, for a composed action at most; None when only the first answer tells."""
        if self.action.compose:
            return most_requests(self.action.compose)
        return None if self.every_page and self.action.paging else len(self.parts())

    @property
    def unbounded(self) -> bool:
        """Whether a single request may cost more than anybody can say."""
        return any(self.action.credits.worst(part, self.max_credits_per_record) is None for part in self.parts())

    def worst(self) -> float | None:
        """Credits at most, None when no bound is known."""
        costs = [self.action.credits.worst(part, self.max_credits_per_record) for part in self.parts()]
        pages = self.most_pages()
        if None in costs or (pages is None and any(costs)):
            return None
        return (pages or 0) * sum(cost for cost in costs if cost)

    def most_pages(self) -> int | None:
        """How many pages are read of each part at most, None when only the first answer tells."""
        if not (self.every_page and self.action.paging):
            return 1
        return None if self.limit is None else ceil(self.limit / page_size(self.action, self.values))

    def _parts(self) -> dict[str, Any]:
        """The requests of a composed action, in their order; `when` tells under which condition each is sent."""
        compose = self.action.compose
        if compose is None:
            return {}
        when = dict(_conditions(compose, self.values))
        told = [
            {"action": part.id, "method": part.method, "path": part.path, "effect": str(part.effect.kind)}
            | {"when": when[part.id]}
            for part in self.manifest.parts(self.action.id)
            if part.id in when
        ]
        return {"parts": told}

    def _covered(self) -> dict[str, Any]:
        """The budget, and whether it covers the worst case."""
        worst = self.worst()
        if self.budget is None or worst is None:
            return {}
        return {"budget": self.budget, "covered": self.budget >= worst}

    def as_dict(self) -> dict[str, Any]:
        return (
            {
                "action": f"{self.manifest.id}.{self.action.id}",
                "method": self.values["method"] if self.action.raw else self.action.method,
                "path": self.values["path"] if self.action.raw else self.action.path,
                "inputs": dict(places(self.action, self.values)),
                "effect": str(self.effect),
                "requests": self.requests(),
                "worst_credits": self.worst(),
            }
            | self._parts()
            | self._covered()
            | ({"split": split} if (split := self.split()) else {})
        )


def _conditions(compose: Compose, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each part that may be sent for this input, with when."""
    way = next((way for way in compose.by if way.given(values)), None)
    searched = compose.find is not None and (way is None or way.input is not None)
    if compose.find and searched:
        yield compose.find, "first"
    yield compose.create, "when none is found" if searched else "first, as it looks for itself"
    if compose.update:
        yield compose.update, "when one is found that differs"


def places(action: Action, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Where each input goes: path, query or body."""
    if action.compose:
        yield from ((name, "the parts") for name in values)
        return
    if action.raw:
        yield from ((name, name) for name in ("query", "body") if name in values)
        return
    in_path = {name for _, name, _, _ in string.Formatter().parse(action.path) if name}
    for name, value in values.items():
        if value is not None and name not in action.own_inputs:
            in_query = action.method in _BODYLESS or name in action.query
            yield name, "path" if name in in_path else "query" if in_query else "body"


def previewed(plan: Plan, registry: Registry) -> dict[str, Any]:
    """The plan, and under `request` the first request as it would be sent: `{method, path, query, body}`; without it
    where the connector can't tell, and for composed actions, whose requests follow from answers."""
    hook, connector = "connector_preview", plan.manifest.id
    if plan.action.compose or not registry.offers(connector, hook):
        return plan.as_dict()
    found = registry.call(connector, hook, action=plan.action.id, input=plan.parts()[0])
    query = [list(pair) for pair in found.query]
    request = {"method": found.method, "path": found.path, "query": query, "body": found.body}
    return plan.as_dict() | {"request": request}
