"""The form that links an account: what it asks for, what was typed, and what is wrong with it.

It is the same for operators and for end users; these don't choose a name or an app, and see nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from ..contract.errors import ConnectorError, InputError, Problem, ProblemsError, ReauthorizationError
from ..contract.manifest import ConnectionType, Manifest
from ..contract.models import OAuthApp
from ..contract.schemas import schemas_at
from ..host.attempt_rows import Attempt, Wanted
from ..host.attempts import Attempts
from ..host.connect_sessions import ConnectSession
from ..host.connections import Connection
from ..host.needs import needs_of, remarks
from ..host.workflow.catalogue import using
from .guides import Step, groups, steps, titles
from .visits import Visit

OWN_APP = "client_id", "client_secret"
"""The fields of an app; where it sends people back to is always this Hub."""


@dataclass(frozen=True)
class LinkForm:
    """`names` are the actions and triggers it is for; `again` is the connection to link again; `guest` the connect
    session of an end user. `workflow` is the name of the one that `names` are taken from, `refused_file` is what is
    wrong with one that can't be used."""

    visit: Visit
    manifest: Manifest
    kind: ConnectionType
    kinds: tuple[ConnectionType, ...]
    names: tuple[str, ...] = ()
    again: Connection | None = None
    guest: ConnectSession | None = None
    workflow: str = ""
    refused_file: ProblemsError | None = None
    wrong: Mapping[str, str] = field(default_factory=dict)
    error: ConnectorError | None = None

    @property
    def path(self) -> str:
        """Where the form is, with all that was chosen in its address."""
        return self.path_of(self.kind)

    def path_of(self, kind: ConnectionType) -> str:
        if self.guest:
            return f"/connect?{urlencode({'type': kind.id})}"
        names = [("for", name) for name in self.names]
        return f"/link?{urlencode([*self._bare(kind), *([('workflow', self.workflow)] if self.workflow else names)])}"

    @property
    def file_path(self) -> str:
        """Where a workflow file is sent to, to be linked for."""
        return f"/link/workflow?{urlencode(self._bare(self.kind))}"

    def _bare(self, kind: ConnectionType) -> list[tuple[str, str]]:
        again = [("connection", self.again.id)] if self.again else []
        return [*again, ("connector", self.manifest.id), ("type", kind.id)]

    @cached_property
    def workflows(self) -> Sequence[str]:
        """The names of those that use this connector."""
        return using(self.visit.host, self.visit.hub.workflows, self.manifest.id)

    @cached_property
    def needs(self) -> dict[str, Any]:
        """What `requirements` prints for what was chosen; without any, what the test needs."""
        if not self.names:
            return self.manifest.requirements(())
        names = [f"{self.manifest.id}.{name}" for name in self.names]
        return needs_of(self.visit.host.registry.manifests, names)

    @property
    def remarks(self) -> list[str]:
        """What else to know of the chosen actions: costs, and what some inputs need beyond the list."""
        return list(remarks(self.needs)) if self.names and not self.guest else []

    @property
    def guide(self) -> list[Step]:
        """An end user who is sent to the service by the operator's app has nothing to prepare there."""
        if self.guest and self.kind.oauth:
            return []
        return steps(self.kind, self.needs, {"redirect_uri": self.visit.hub.redirect_uri, "name": self.visit.hub.name})

    @property
    def choices(self) -> list[tuple[str, list[tuple[str, str]]]]:
        return groups(self.manifest)

    @property
    def chosen(self) -> dict[str, str]:
        return titles(self.manifest, self.names)

    @property
    def needs_master(self) -> bool:
        return bool(self.needs["master_key"]) and self.kind.oauth is None

    def explained(self, step: Step) -> list[dict[str, Any]]:
        """The fields of the form that a step of the guide explains."""
        return [entry for entry in self.fields if entry["name"] in step.fields]

    @cached_property
    def fields(self) -> list[dict[str, Any]]:
        """`{name, title, description, placeholder, pattern, secret, required, value, wrong}`; a secret has no value."""
        if self.guest and self.kind.oauth:
            return []
        schemas = schemas_at(self.manifest.root)
        required = schemas.schema(self.kind.fields).get("required", [])
        return [
            {
                "name": name,
                "title": schema.get("title", name),
                "description": schema.get("description", ""),
                "placeholder": schema.get("placeholder", ""),
                "pattern": schema.get("pattern", ""),
                "secret": bool(schema.get("secret")),
                "required": name in required,
                "value": "" if schema.get("secret") else self.typed.get(name, ""),
                "wrong": self.wrong.get(name, ""),
            }
            for name, schema in schemas.fields(self.kind.fields).items()
            if not self.kind.oauth or name in OWN_APP
        ]

    @property
    def typed(self) -> Mapping[str, str]:
        return self.visit.form

    @property
    def name(self) -> str:
        if self.again:
            return self.again.name
        return self.typed.get("name", self.visit.query.get("name", self.manifest.title))

    @property
    def apps(self) -> list[dict[str, Any]]:
        """The stored apps to choose from."""
        if self.kind.oauth is None or self.guest:
            return []
        return [app for app in self.visit.host.apps.all() if app["connector"] == self.manifest.id]

    @property
    def own_app(self) -> str:
        """The app that the connection has now, where it is one of its own."""
        named = [app["name"] for app in self.apps]
        used = self.again.app_id if self.again and self.kind.oauth else None
        return used if used and not any(self.visit.host.apps.check(name) == used for name in named) else ""

    @property
    def app(self) -> str:
        """The app that is chosen."""
        if "app" in self.typed:
            return self.typed["app"]
        names = [app["name"] for app in self.apps]
        if self.again and self.again.app_id:
            mine = [name for name in names if self.visit.host.apps.check(name) == self.again.app_id]
            return mine[0] if mine else self.own_app
        return names[0] if names else ""

    def sent(self) -> Attempt:
        """What was typed becomes an attempt; a key is tested and stored at once. Raises ConnectorError."""
        browser = self.visit.session.id if self.visit.session else ""
        if self.kind.oauth is None:
            return Attempts(self.visit.host).by_key(browser, self._wanted, self._checked())
        return Attempts(self.visit.host).begin(browser, self._wanted, self._app())

    def refused(self, error: ConnectorError) -> "LinkForm":
        """The same form with what is wrong beside its fields; what belongs to no field stands above them."""
        known = {entry["name"] for entry in self.fields} | ({"name"} if not self.guest else set())
        problems = error.problems if isinstance(error, InputError) else []
        secret = next((entry["name"] for entry in self.fields if entry["secret"]), "")
        if isinstance(error, ReauthorizationError) and secret:
            problems = [Problem(f"{error.message} {error.hint}".strip(), path=secret)]
        wrong = {problem.path: _sentence(problem.text) for problem in problems if problem.path in known}
        return replace(self, wrong=wrong, error=None if wrong and len(wrong) == len(problems) else error)

    @property
    def _wanted(self) -> Wanted:
        actions = tuple(action.id for action in self.manifest.needed(self.names))
        return Wanted(
            self.manifest.id,
            self.kind.id,
            self.name.strip() if not self.guest else "",
            actions,
            self.visit.hub.redirect_uri if self.kind.oauth else "",
            self.again.id if self.again else None,
            self.guest.id if self.guest else "",
            self.guest.owner if self.guest else "",
        )

    def _checked(self) -> dict[str, str]:
        given = {entry["name"]: self.typed.get(entry["name"], "") for entry in self.fields}
        filled = {name: value for name, value in given.items() if value.strip()}
        return schemas_at(self.manifest.root).check(self.kind.fields, filled, "What you gave")

    def _app(self) -> str | OAuthApp:
        if self.guest:
            return self.guest.app or ""
        if self.app:
            return self.app
        found = self._checked()
        return OAuthApp(found["client_id"].strip(), found["client_secret"].strip())


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."
