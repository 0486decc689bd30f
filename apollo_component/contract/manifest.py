"""A manifest as frozen values: what a connector is to a host. Reading and checking files is `loading.py`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from .actions import Action, Paging, action_from
from .models import ValueType
from .routes import Routes
from .triggers import Trigger, trigger_from
from .waits import wait_from


@dataclass(frozen=True, slots=True)
class Server:
    """Where a service lives: the default URL and the operator's environment variable that overrides it."""

    url: str
    variable: str


@dataclass(frozen=True, slots=True)
class InnerChoices:
    """Choices inside a record: the key of their list, and of each its label and value."""

    records: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class OptionSource:
    """What fills a drop-down: a free action, its fixed `input`, and where a record keeps label and value.

    `search` is the input that searches on the server; `where` keeps the records whose fields equal. Where the records
    are fields of the service: `type` is the key of their type, `types` what the service's words for it mean (see
    ValueType), `choices` the values of one, and `ids` the form of values that need no look-up.
    """

    id: str
    action: str
    label: str
    value: str
    search: str | None = None
    input: Mapping[str, Any] = field(default_factory=dict)
    where: Mapping[str, Any] = field(default_factory=dict)
    type: str | None = None
    types: Mapping[str, ValueType] = field(default_factory=dict)
    choices: InnerChoices | None = None
    ids: str | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """Keys, from where a count stands: what is allowed, used and left."""

    limit: str
    used: str
    left: str


@dataclass(frozen=True, slots=True)
class RequestUsage:
    """The action that lists the request quotas: the key of an operation's name, and where each window's counts are."""

    action: str
    name: str
    windows: Mapping[str, str]
    counts: Counts


@dataclass(frozen=True, slots=True)
class CreditUsage:
    """The action that tells the credits: the key that holds the pools by name, and when the cycle starts and ends."""

    action: str
    pools: str
    counts: Counts
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What a service tells about what was used; a part is None where it tells nothing."""

    requests: RequestUsage | None = None
    credits: CreditUsage | None = None


@dataclass(frozen=True, slots=True)
class GuideStep:
    """One step a person follows; `show` is `key_endpoints`, `oauth_scopes`, `redirect_uri` or `name` when it lists
    them. `fields` are those of the form that it explains."""

    title: str
    text: str
    show: str | None = None
    fields: tuple[str, ...] = ()


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
    usage: Usage = field(default_factory=Usage)
    user_agent: str = ""
    docs: str = ""
    """Where the service's own documentation begins."""
    placeholders: tuple[str, ...] = ()
    """Texts that the service gives in place of what it doesn't tell."""
    icon: Path | None = None
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_data(cls, data: Mapping[str, Any], root: Path) -> Self:
        """Build from checked data: `loading.load` has refused anything that doesn't fit."""
        styles = {name: Paging(**style) for name, style in data.get("paging_styles", {}).items()}
        waits = {name: wait_from(item) for name, item in data.get("waits", {}).items()}
        return cls(
            id=data["id"],
            title=data["title"],
            version=data["version"],
            contract=data["contract"],
            description=data["description"],
            servers={name: Server(**server) for name, server in data["servers"].items()},
            groups={group["id"]: group["title"] for group in data["groups"]},
            connection_types={item["id"]: _connection_type(item) for item in data["connection_types"]},
            actions=_beside_each_other({item["id"]: action_from(item, styles, waits) for item in data["actions"]}),
            test=tuple(_stage(item) for item in data["test"]),
            triggers={item["id"]: trigger_from(item) for item in data.get("triggers", [])},
            option_sources={item["id"]: _option_source(item) for item in data.get("option_sources", [])},
            root=root,
            usage=_usage(data.get("usage", {})),
            user_agent=f"{data['id']}-connector/{data['version']}",
            docs=data.get("docs", ""),
            placeholders=tuple(data.get("placeholders", ())),
            icon=root / data["icon"] if "icon" in data else None,
            data=data,
        )

    def requirements(self, actions: Iterable[str]) -> dict[str, Any]:
        """What a credential needs for `actions` (or triggers) and for the connection test, nothing more.

        `{key_endpoints, oauth_scopes, master_key, credits}`, lists sorted; `credits` maps each action that
        can cost to its table. Scopes that the service adds by itself are left out.
        """
        chosen = list(self.needed(actions))
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

    def needed(self, names: Iterable[str]) -> Iterator[Action]:
        """The actions that are asked for the names of actions and triggers, each once. Raises KeyError for others."""
        found = (self.triggers[name].action if name in self.triggers else name for name in names)
        parts = {part.id: part for name in found if name is not None for part in self.parts(name)}
        return iter(parts.values())

    def record_of(self, trigger: Trigger) -> str | None:
        """The schema file of a trigger's records."""
        return trigger.record or (self.actions[trigger.action].output if trigger.action else None)

    def parts(self, action: str) -> tuple[Action, ...]:
        """The actions whose requests an action makes: itself, or what it is composed of."""
        found = self.actions[action]
        return tuple(self.actions[part] for part in found.compose.parts) if found.compose else (found,)

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


def _beside_each_other(actions: Mapping[str, Action]) -> dict[str, Action]:
    """Raw requests know the routes of the other actions, whose rules they keep."""
    return {name: _routed(action, actions.values()) if action.raw else action for name, action in actions.items()}


def _routed(action: Action, others: Iterable[Action]) -> Action:
    routes = Routes(tuple(other for other in others if other.path and other.server == action.server))
    effect, costs = replace(action.effect, routes=routes), replace(action.credits, routes=routes)
    return replace(action, effect=effect, credits=costs)


def _connection_type(item: Mapping[str, Any]) -> ConnectionType:
    oauth = item.get("oauth")
    return ConnectionType(
        **dict(item)
        | {
            "guide": tuple(
                GuideStep(**dict(step) | {"fields": tuple(step.get("fields", ()))}) for step in item["guide"]
            ),
            "oauth": OAuth(**dict(oauth) | {"always_scopes": tuple(oauth.get("always_scopes", ()))}) if oauth else None,
        }
    )


def _stage(item: Mapping[str, Any]) -> TestStage:
    return TestStage(**dict(item) | {"connection_types": tuple(item.get("connection_types", ()))})


def _option_source(item: Mapping[str, Any]) -> OptionSource:
    inner = item.get("choices")
    return OptionSource(**dict(item) | {"choices": InnerChoices(**inner) if inner else None})


def _usage(item: Mapping[str, Any]) -> Usage:
    parts = {name: {**part, "counts": Counts(**part["counts"])} for name, part in item.items()}
    return Usage(
        requests=RequestUsage(**parts["requests"]) if "requests" in parts else None,
        credits=CreditUsage(**parts["credits"]) if "credits" in parts else None,
    )
