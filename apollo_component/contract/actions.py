"""An action as frozen values: what it sends, needs, costs and does when repeated."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import Problem
from .models import Effect
from .routes import COVERS, Route, Routes
from .waits import Wait

MAILS = "real people may get mail from this"
UNDECLARED = "no action is declared for this route, so only you know what the request does"


@dataclass(frozen=True, slots=True)
class Requires:
    """What a credential needs for an action. `key_endpoint` is the name a key lists, not the URL path."""

    key_endpoint: str | None = None
    oauth_scope: str | None = None
    master_key: bool = False
    open: bool = False
    """True when any credential will do, and even none."""

    def allows(self, kind: str) -> bool:
        """Whether a connection of this kind can ever run the action."""
        return kind != "authorization_code" or self.open or self.oauth_scope is not None


@dataclass(frozen=True, slots=True)
class Credits:
    """The worst cost of one request: for each item of the list `per` (or once), `base` plus the flags set. `per` names
    the lists of which an input has one.

    `unbounded` names the flags whose cost the service doesn't limit. `reported` is the key of the answer that
    tells what was spent; without it, every record found counts `base`, or the whole answer where it costs per page.
    `variable` means that the service states no limit at all. `stated_by` is the input in which the person states it;
    it is never less than what the actions of the same route among `routes` may cost.
    """

    base: float = 0
    per: tuple[str, ...] = ()
    flags: Mapping[str, float] = field(default_factory=dict)
    unbounded: tuple[str, ...] = ()
    reported: str | None = None
    variable: bool = False
    stated_by: str | None = None
    routes: Routes = field(default_factory=Routes, repr=False, compare=False)

    @property
    def costs(self) -> bool:
        """Whether the action can cost anything."""
        return bool(self.base) or self.variable or self.stated_by is not None

    def may_cost(self, values: Mapping[str, Any]) -> bool:
        """Whether it can cost anything with this input."""
        return self.worst(values) != 0 if self.stated_by else self.costs

    def worst(self, values: Mapping[str, Any], max_per_record: float | None = None) -> float | None:
        """Credits at most for this input; None when no bound is known and none was given."""
        if self.stated_by:
            stated = values.get(self.stated_by, 0)
            declared = (least for _, least in self.routes.of(values).costs(max_per_record))
            return max(float(stated), *declared, 0) if isinstance(stated, int | float) else None
        count = sum(len(values.get(name) or ()) for name in self.per) if self.per else 1
        each = self.base + sum(cost for flag, cost in self.flags.items() if values.get(flag) is True)
        if self.variable or any(values.get(flag) is True for flag in self.unbounded):
            return None if max_per_record is None else count * max(each, max_per_record)
        return count * each

    def settles_later(self, values: Mapping[str, Any]) -> bool:
        """Whether part of the cost is only known after the answer (results that arrive later)."""
        own = any(values.get(flag) is True for flag in (*self.flags, *self.unbounded))
        return own or (self.stated_by is not None and self.routes.of(values).settles_later())


@dataclass(frozen=True, slots=True)
class Lookup:
    """How to find what a lost `create` made: the action, its input and the keys that must be equal.

    Both mappings go from the looked-up side's name to the name in the creating input. `created` are the names under
    which the service may tell when a record was made.
    """

    action: str
    input: Mapping[str, str]
    match: Mapping[str, str]
    created: tuple[str, ...] = ("created_at",)


@dataclass(frozen=True, slots=True)
class EffectRule:
    """What repeating the action would do; `upsert_flag` with one of `upsert_keys` makes a create an upsert, and
    `send_flag` makes it one that sends; `stated_by` is the input in which the person states it, never less than what
    the actions of the same route among `routes` do."""

    kind: Effect
    upsert_flag: str | None = None
    upsert_keys: tuple[str, ...] = ()
    send_flag: str | None = None
    stated_by: str | None = None
    lookup: Lookup | None = None
    routes: Routes = field(default_factory=Routes, repr=False, compare=False)

    def of(self, values: Mapping[str, Any]) -> Effect:
        """What isn't known yet, such as the value of an expression, counts as the gravest."""
        if self.stated_by:
            route, stated = self.routes.of(values), self.stated(values)
            needed = (effect for _, effect in route.effects() if stated not in COVERS[effect])
            return next(needed, stated) if route.told else self.kind
        if self.send_flag and values.get(self.send_flag) not in (None, False):
            return Effect.SEND
        flagged = self.upsert_flag is None or values.get(self.upsert_flag) is True
        return Effect.UPSERT if flagged and any(values.get(key) for key in self.upsert_keys) else self.kind

    def stated(self, values: Mapping[str, Any]) -> Effect:
        """What the person states, whatever the route is."""
        stated = values.get(self.stated_by or "", Effect.READ if values.get("method") == "GET" else self.kind)
        return Effect(stated) if stated in tuple(Effect) else self.kind


@dataclass(frozen=True, slots=True)
class Paging:
    """A paging style: the names of its parameters, and its limits.

    `kind` is `page` (numbered pages) or `offset` (`page` names how many records to skip). `max_records` is what one
    query reaches, None where no ceiling is documented. `until_empty`: only an empty page is the end, a short one isn't.
    """

    page: str = "page"
    per_page: str = "per_page"
    first: int = 1
    max_per_page: int = 100
    max_records: int | None = 50000
    kind: str = "page"
    until_empty: bool = False

    def skipped(self, number: int, size: int) -> int:
        """How many records lie before page or offset `number`."""
        return number if self.kind == "offset" else (number - self.first) * size

    def after(self, number: int, size: int) -> int:
        """The number of the page, or the offset, that follows."""
        return number + (size if self.kind == "offset" else 1)

    def reaches(self, number: int, size: int) -> bool:
        """Whether the whole page lies below the ceiling."""
        return self.max_records is None or self.skipped(number, size) + size <= self.max_records


@dataclass(frozen=True, slots=True)
class Bulk:
    """The lists of which an input has one and that may be cut, and how many items one request takes."""

    items: tuple[str, ...]
    max: int

    def given(self, values: Mapping[str, Any]) -> str:
        """The name of the list that an input has."""
        return next((name for name in self.items if values.get(name)), self.items[0])


@dataclass(frozen=True, slots=True)
class Job:
    """Where an answer tells of work that goes on after it: dotted keys of its id, status and progress."""

    id: str
    status: str = ""
    progress: str = ""


@dataclass(frozen=True, slots=True)
class Stub:
    """How a record tells that nobody was found: its fields equal `where`; or it has none of these fields, its `name`
    is empty, and all it holds stands in `beside` or repeats what was asked."""

    where: Mapping[str, Any]
    name: str
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplyShape:
    """Where an answer keeps its records, its single value (`.` = the whole answer) and the total.

    An answer without its records or value is unreadable, unless it is `optional`: then the service may leave them out
    where there is nothing to tell. `pages` and `size` tell how many pages there are and how many records each holds.
    """

    records: str | None = None
    value: str | None = None
    total: str | None = None
    pages: str | None = None
    size: str | None = None
    optional: bool = False
    stub: Stub | None = None


@dataclass(frozen=True, slots=True)
class ItemKey:
    """Fields of an asked item and of an answered record that are equal where they are the same thing. `item` is `.`
    for an item that is a plain value; names joined by spaces are one text. The first of `record` that fits counts."""

    item: str
    record: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Accounting:
    """What an answer must account for: every item of the given list of `items`, or, without any, the one thing that
    was asked for.

    `keys` tell which record answers which item, surest first. With `in_place` the answer has the order of the list
    and null for what wasn't found. `counted` is the key of the answer that tells how many it left out.
    `maps` are inputs that are maps and must stand in the record with all their keys. `beside` are lists of ids that
    were named beside the items, each with the key of the answer's list of records that must hold them.
    `minimum` is an input of ours, the least worth of the record's field of that name in `ranks` that is wanted.
    """

    items: tuple[str, ...] = ()
    keys: tuple[ItemKey, ...] = ()
    in_place: bool = False
    counted: str | None = None
    maps: tuple[str, ...] = ()
    beside: Mapping[str, str] = field(default_factory=dict)
    minimum: "Minimum | None" = None

    def given(self, values: Mapping[str, Any]) -> list[Any]:
        """The items that an input asks for."""
        if not self.items:
            return [values]
        found = next((values[name] for name in self.items if values.get(name)), None)
        return list(found) if isinstance(found, list | tuple) else []


@dataclass(frozen=True, slots=True)
class Minimum:
    """An input that isn't sent: the least of `ranks`, lowest first, that a record's `field` may have to be given out.
    A record without the field counts as `untold`."""

    input: str
    field: str
    ranks: tuple[str, ...]
    untold: str

    def keeps(self, record: Mapping[str, Any], wanted: Any) -> bool:
        """Whether the record is worth what is wanted; a word that is no rank counts as untold."""
        told = record.get(self.field)
        rank = self.ranks.index(told if told in self.ranks else self.untold)
        return wanted not in self.ranks or rank >= self.ranks.index(wanted)


@dataclass(frozen=True, slots=True)
class NaturalKey:
    """One way to recognise a record: `match` goes from its keys to the inputs that must equal them. `input` is what
    the finding action is asked, each of its inputs with the inputs whose values it gets, joined by spaces; None when
    the creating action looks for itself."""

    match: Mapping[str, str]
    input: Mapping[str, tuple[str, ...]] | None = None

    def given(self, values: Mapping[str, Any]) -> bool:
        return all(values.get(name) for name in self.match.values())


@dataclass(frozen=True, slots=True)
class Compose:
    """An action made of others: find a record by the first natural key that is given, create it when there is none,
    and, with `update`, change what differs.

    The creating action gets the whole input, as the only item of `list` where it takes a list, and `with_` beside it;
    `existed` is the key of its record that tells that there was one already. `id` is the input of `update` that takes
    the found record's id.
    """

    by: tuple[NaturalKey, ...]
    create: str
    find: str | None = None
    list: str | None = None
    with_: Mapping[str, Any] = field(default_factory=dict)
    existed: str | None = None
    update: str | None = None
    id: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The ids of the actions it is made of, in the order they run."""
        return tuple(name for name in (self.find, self.create, self.update) if name)


@dataclass(frozen=True, slots=True)
class Action:
    id: str
    title: str
    group: str
    description: str
    input: str
    output: str
    requires: Requires
    effect: EffectRule
    credits: Credits
    quota_class: str
    reply: ReplyShape
    method: str = ""
    path: str = ""
    compose: Compose | None = None
    """The action has no request of its own: the host runs its parts."""
    raw: bool = False
    """The request is the person's own: `method`, `path`, `query` and `body` are inputs."""
    query: tuple[str, ...] = ()
    paging: Paging | None = None
    bulk: Bulk | None = None
    accounts_for: Accounting | None = None
    job: Job | None = None
    wait: Wait | None = None
    """How a result that comes after the answer is waited for."""
    key: str | None = "id"
    """The field that identifies a record of a page stream; None = no de-duplication."""
    quirk: str | None = None
    mails: bool = False
    """People may get mail because of it, sooner or later; it needs a person's word, whatever a repeat would do."""
    deprecated: str | None = None
    server: str = "api"
    example: Mapping[str, Any] = field(default_factory=dict)

    @property
    def own_inputs(self) -> tuple[str, ...]:
        """Inputs that are the connector's, not the service's: they aren't sent."""
        minimum = self.accounts_for.minimum if self.accounts_for else None
        return (minimum.input,) if minimum else ()

    def route(self, values: Mapping[str, Any]) -> Route | None:
        """What a raw request is beside the declared actions; None for an action with a request of its own."""
        return self.effect.routes.of(values) if self.raw else None

    def refusals(self, values: Mapping[str, Any]) -> list[Problem]:
        """Why a raw request with this (checked) input isn't sent: it would go round a declared action's rules."""
        route, stated = self.route(values), values.get(self.credits.stated_by or "", 0)
        return list(route.problems(self.effect.stated(values), stated)) if route and route.told else []

    def word_for(self, values: Mapping[str, Any]) -> str:
        """Why a person must say that it may be sent; empty when nobody needs to."""
        route = self.route(values)
        if self.mails or self.effect.of(values) is Effect.SEND or (route and any(one.mails for one in route.actions)):
            return MAILS
        return UNDECLARED if route and route.undeclared_write else ""

    def needs_word(self, values: Mapping[str, Any]) -> bool:
        """Whether a person must say that it may be sent."""
        return bool(self.word_for(values))

    def may_mail(self, values: Mapping[str, Any]) -> bool:
        """Whether people may get mail from it with some input; of a raw request method and path are looked at."""
        route = self.route(values)
        if route and route.told:
            return any(one.may_mail({}) for one in route.actions)
        return self.mails or self.effect.kind is Effect.SEND or self.effect.send_flag is not None

    @property
    def streams(self) -> bool:
        """Whether the result is a list of records, else it is a single value."""
        return bool(self.paging or self.bulk or self.reply.records)

    @property
    def ceiling(self) -> int:
        """The most records that one query reaches, 0 where there is no such limit or nothing is paged."""
        return (self.paging.max_records or 0) if self.paging else 0


COMPOSED: Mapping[str, Any] = {"effect": "upsert", "quota_class": "", "reply": {"value": "."}}
"""What follows for an action from being composed; needs and limits are those of its parts."""


def action_from(item: Mapping[str, Any], styles: Mapping[str, Paging], waits: Mapping[str, Wait]) -> Action:
    item = {**item, **COMPOSED} if "compose" in item else item
    plain = dict(item)
    paging = plain.pop("paging", None)
    bulk = plain.pop("bulk", None)
    wait = plain.pop("wait", None)
    return Action(
        **plain
        | {
            "requires": Requires(
                **item.get("requires", {}) | ({"open": True} if {"raw", "compose"} & set(item) else {})
            ),
            "compose": _compose(item["compose"]) if "compose" in item else None,
            "effect": _effect(item["effect"]),
            "credits": _credits(item.get("credits", {})),
            "reply": _reply(item["reply"]),
            "accounts_for": _accounting(item["accounts_for"]) if "accounts_for" in item else None,
            "query": tuple(item.get("query", ())),
            "paging": styles[paging] if paging else None,
            "bulk": Bulk(names(bulk["items"]), bulk["max"]) if bulk else None,
            "job": Job(**item["job"]) if "job" in item else None,
            "wait": waits[wait] if wait else None,
        }
    )


def _reply(item: Mapping[str, Any]) -> ReplyShape:
    stub = item.get("stub")
    found = Stub(stub["where"], stub["name"], tuple(stub.get("beside", ()))) if stub else None
    return ReplyShape(**dict(item) | {"stub": found})


def _accounting(item: Mapping[str, Any]) -> Accounting:
    minimum = item.get("minimum")
    return Accounting(
        items=names(item.get("items")),
        keys=tuple(ItemKey(key["item"], names(key["record"])) for key in item.get("keys", ())),
        in_place=item.get("in_place", False),
        counted=item.get("counted"),
        maps=names(item.get("maps")),
        beside=item.get("beside", {}),
        minimum=Minimum(**dict(minimum) | {"ranks": tuple(minimum["ranks"])}) if minimum else None,
    )


def _compose(item: Mapping[str, Any]) -> Compose:
    create, update, find = item["create"], item.get("update", {}), item.get("find")
    by = tuple(NaturalKey(way["match"], _joined(way.get("input"))) for way in item["by"])
    return Compose(
        by,
        create["action"],
        find,
        create.get("list"),
        create.get("with", {}),
        create.get("existed"),
        update.get("action"),
        update.get("id", ""),
    )


def _joined(inputs: Mapping[str, Any] | None) -> dict[str, tuple[str, ...]] | None:
    return None if inputs is None else {name: names(value) for name, value in inputs.items()}


def _effect(item: str | Mapping[str, Any]) -> EffectRule:
    if isinstance(item, str):
        return EffectRule(Effect(item))
    upsert = item.get("upsert_when", {})
    lookup = item.get("lookup")
    return EffectRule(
        Effect(item["kind"]),
        upsert_flag=upsert.get("flag"),
        upsert_keys=tuple(upsert.get("with_any", ())),
        send_flag=item.get("send_when", {}).get("flag"),
        stated_by=item.get("stated_by"),
        lookup=Lookup(**lookup | {"created": names(lookup.get("created", "created_at"))}) if lookup else None,
    )


def _credits(item: Mapping[str, Any]) -> Credits:
    return Credits(**dict(item) | {"unbounded": tuple(item.get("unbounded", ())), "per": names(item.get("per"))})


def names(value: str | list[str] | None) -> tuple[str, ...]:
    """One name or several, as the YAML has it."""
    return (value,) if isinstance(value, str) else tuple(value or ())
