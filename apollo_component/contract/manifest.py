"""A manifest as frozen values: what a connector is to a host. Reading and checking files is `loading.py`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from .models import Effect


@dataclass(frozen=True, slots=True)
class Server:
    """Where a service lives: the default URL and the operator's environment variable that overrides it."""

    url: str
    variable: str


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
    `variable` means that the service states no limit at all.
    """

    base: float = 0
    per: tuple[str, ...] = ()
    flags: Mapping[str, float] = field(default_factory=dict)
    unbounded: tuple[str, ...] = ()
    reported: str | None = None
    variable: bool = False

    @property
    def costs(self) -> bool:
        """Whether the action can cost anything."""
        return bool(self.base) or self.variable

    def worst(self, values: Mapping[str, Any], max_per_record: float | None = None) -> float | None:
        """Credits at most for this input; None when no bound is known and none was given."""
        count = sum(len(values.get(name) or ()) for name in self.per) if self.per else 1
        each = self.base + sum(cost for flag, cost in self.flags.items() if values.get(flag) is True)
        if self.variable or any(values.get(flag) is True for flag in self.unbounded):
            return None if max_per_record is None else count * max(each, max_per_record)
        return count * each

    def settles_later(self, values: Mapping[str, Any]) -> bool:
        """Whether part of the cost is only known after the answer (results that arrive later)."""
        return any(values.get(flag) is True for flag in (*self.flags, *self.unbounded))


@dataclass(frozen=True, slots=True)
class Lookup:
    """How to find what a lost `create` made: the action, its input and the keys that must be equal.

    Both mappings go from the looked-up side's name to the name in the creating input.
    """

    action: str
    input: Mapping[str, str]
    match: Mapping[str, str]
    created: str = "created_at"


@dataclass(frozen=True, slots=True)
class EffectRule:
    """What repeating the action would do; `upsert_flag` with one of `upsert_keys` makes a create an upsert, and
    `send_flag` makes it one that sends."""

    kind: Effect
    upsert_flag: str | None = None
    upsert_keys: tuple[str, ...] = ()
    send_flag: str | None = None
    lookup: Lookup | None = None

    def of(self, values: Mapping[str, Any]) -> Effect:
        if self.send_flag and values.get(self.send_flag) is True:
            return Effect.SEND
        flagged = self.upsert_flag is None or values.get(self.upsert_flag) is True
        return Effect.UPSERT if flagged and any(values.get(key) for key in self.upsert_keys) else self.kind


@dataclass(frozen=True, slots=True)
class Paging:
    """A paging style: the names of its parameters, and its limits.

    `kind` is `page` (numbered pages) or `offset` (`page` names how many records to skip). `max_records` is what one
    query reaches, None where no ceiling is documented.
    """

    page: str = "page"
    per_page: str = "per_page"
    first: int = 1
    max_per_page: int = 100
    max_records: int | None = 50000
    kind: str = "page"

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
    status: str
    progress: str


@dataclass(frozen=True, slots=True)
class OptionSource:
    """What fills a drop-down: a free action, its fixed `input`, and where a record keeps label and value.

    `search` is the input that searches on the server; `where` keeps the records whose fields equal.
    """

    id: str
    action: str
    label: str
    value: str
    search: str | None = None
    records: str | None = None
    input: Mapping[str, Any] = field(default_factory=dict)
    where: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReplyShape:
    """Where an answer keeps its records, its single value (`.` = the whole answer) and the total."""

    records: str | None = None
    value: str | None = None
    total: str | None = None


@dataclass(frozen=True, slots=True)
class Action:
    id: str
    title: str
    group: str
    description: str
    method: str
    path: str
    input: str
    output: str
    requires: Requires
    effect: EffectRule
    credits: Credits
    quota_class: str
    reply: ReplyShape
    query: tuple[str, ...] = ()
    paging: Paging | None = None
    bulk: Bulk | None = None
    job: Job | None = None
    key: str | None = "id"
    """The field that identifies a record of a page stream; None = no de-duplication."""
    quirk: str | None = None
    deprecated: str | None = None
    server: str = "api"
    example: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GuideStep:
    """One step a person follows; `show` is `key_endpoints`, `oauth_scopes` or `redirect_uri` when it lists them."""

    title: str
    text: str
    show: str | None = None


@dataclass(frozen=True, slots=True)
class OAuth:
    """An authorization-code flow. `authorize` is joined to by hand, since it may be a hash route."""

    server: str
    authorize: str
    token: str
    always_scopes: tuple[str, ...] = ()
    scope_separator: str = " "
    denial_status: str = "error"
    denial_message: str = "error_description"
    default_redirect: str = "http://127.0.0.1:8765/callback"


@dataclass(frozen=True, slots=True)
class ConnectionType:
    id: str
    title: str
    description: str
    kind: str
    """`key` or `authorization_code`."""
    header: str
    prefix: str
    fields: str
    guide: tuple[GuideStep, ...]
    removal: str
    oauth: OAuth | None = None


@dataclass(frozen=True, slots=True)
class TestStage:
    """One request of a connection test. `expect` are fields that must equal; `account` maps Account's fields."""

    action: str
    input: Mapping[str, Any] = field(default_factory=dict)
    expect: Mapping[str, Any] = field(default_factory=dict)
    account: Mapping[str, str] = field(default_factory=dict)
    connection_types: tuple[str, ...] = ()
    required: str | None = None
    """`strict`: under --strict a miss refuses the connection."""
    refused: str = ""
    hint: str = ""

    __test__ = False


@dataclass(frozen=True, slots=True)
class Trigger:
    id: str
    title: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A connector, loaded. `data` is the plain declaration; `root` is the folder its schema paths start from."""

    id: str
    title: str
    version: str
    contract: str
    description: str
    servers: Mapping[str, Server]
    groups: Mapping[str, str]
    connection_types: Mapping[str, ConnectionType]
    actions: Mapping[str, Action]
    test: tuple[TestStage, ...]
    triggers: Mapping[str, Trigger]
    option_sources: Mapping[str, OptionSource]
    root: Path
    user_agent: str = ""
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_data(cls, data: Mapping[str, Any], root: Path) -> Self:
        """Build from checked data: `loading.load` has refused anything that doesn't fit."""
        styles = {name: Paging(**style) for name, style in data.get("paging_styles", {}).items()}
        return cls(
            id=data["id"],
            title=data["title"],
            version=data["version"],
            contract=data["contract"],
            description=data["description"],
            servers={name: Server(**server) for name, server in data["servers"].items()},
            groups={group["id"]: group["title"] for group in data["groups"]},
            connection_types={item["id"]: _connection_type(item) for item in data["connection_types"]},
            actions={item["id"]: _action(item, styles) for item in data["actions"]},
            test=tuple(_stage(item) for item in data["test"]),
            triggers={item["id"]: Trigger(**item) for item in data.get("triggers", [])},
            option_sources={item["id"]: OptionSource(**item) for item in data.get("option_sources", [])},
            root=root,
            user_agent=f"{data['id']}-connector/{data['version']}",
            data=data,
        )

    def requirements(self, actions: Iterable[str]) -> dict[str, Any]:
        """What a credential needs for `actions` and for the connection test, nothing more.

        `{key_endpoints, oauth_scopes, master_key, credits}`, lists sorted; `credits` maps each action that
        can cost to its table. Scopes that the service adds by itself are left out.
        """
        chosen = [self.actions[name] for name in actions]
        kinds = self.connection_types.values()
        always = {scope for kind in kinds if kind.oauth for scope in kind.oauth.always_scopes}
        endpoints = {action.requires.key_endpoint for action in (*chosen, *self._tested("key"))}
        scopes = {action.requires.oauth_scope for action in (*chosen, *self._tested("authorization_code"))}
        return {
            "key_endpoints": sorted(name for name in endpoints if name),
            "oauth_scopes": sorted(name for name in scopes - always if name),
            "master_key": any(action.requires.master_key for action in chosen),
            "credits": {action.id: self.action_data(action.id)["credits"] for action in chosen if action.credits.costs},
        }

    def _tested(self, kind: str) -> list[Action]:
        """The actions that the connection test calls for connections of this kind."""
        ids = {item.id for item in self.connection_types.values() if item.kind == kind}
        return [
            self.actions[stage.action]
            for stage in self.test
            if not stage.connection_types or ids & set(stage.connection_types)
        ]

    def action_data(self, action: str) -> dict[str, Any]:
        return next(item for item in self.data["actions"] if item["id"] == action)


def _action(item: Mapping[str, Any], styles: Mapping[str, Paging]) -> Action:
    plain = dict(item)
    paging = plain.pop("paging", None)
    bulk = plain.pop("bulk", None)
    return Action(
        **plain
        | {
            "requires": Requires(**item.get("requires", {})),
            "effect": _effect(item["effect"]),
            "credits": _credits(item.get("credits", {})),
            "reply": ReplyShape(**item["reply"]),
            "query": tuple(item.get("query", ())),
            "paging": styles[paging] if paging else None,
            "bulk": Bulk(names(bulk["items"]), bulk["max"]) if bulk else None,
            "job": Job(**item["job"]) if "job" in item else None,
        }
    )


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
        lookup=Lookup(**lookup) if lookup else None,
    )


def _credits(item: Mapping[str, Any]) -> Credits:
    return Credits(**dict(item) | {"unbounded": tuple(item.get("unbounded", ())), "per": names(item.get("per"))})


def names(value: str | list[str] | None) -> tuple[str, ...]:
    """One name or several, as the YAML has it."""
    return (value,) if isinstance(value, str) else tuple(value or ())


def _connection_type(item: Mapping[str, Any]) -> ConnectionType:
    oauth = item.get("oauth")
    return ConnectionType(
        **dict(item)
        | {
            "guide": tuple(GuideStep(**step) for step in item["guide"]),
            "oauth": OAuth(**dict(oauth) | {"always_scopes": tuple(oauth.get("always_scopes", ()))}) if oauth else None,
        }
    )


def _stage(item: Mapping[str, Any]) -> TestStage:
    return TestStage(**dict(item) | {"connection_types": tuple(item.get("connection_types", ()))})
