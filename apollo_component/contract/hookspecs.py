"""The contract between a connector plugin and a host, whole, on one screen.

A plugin is a module named by an entry point of the group `workflow_connectors`; it implements the hooks
below with `hookimpl`. A host loads it once, checks it, freezes it, and calls the owner of a connection
only: no other plugin ever sees a credential. A connector sends to `servers.addresses(manifest, os.environ)` and nowhere
else: the host hands out a credential only where these are the servers it was linked at.
"""

from datetime import datetime
from typing import Any, Protocol

import pluggy

from .manifest import Manifest
from .models import (
    AuthorizeRequest,
    Callback,
    Choice,
    Credential,
    Event,
    OAuthApp,
    Page,
    Poll,
    Preview,
    Redirect,
    Reply,
    TestReport,
    Window,
)

PROJECT = "workflow_connector"
ENTRY_POINTS = "workflow_connectors"
SPEC_VERSION = "1.0"
"""A host refuses a manifest whose `contract` names another major version."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Context(Protocol):
    """All that a connector sees of a host while one request is made."""

    deadline: datetime  # when the request must have ended, by `now`

    def now(self) -> datetime:
        """The host's clock, in UTC."""

    def permit(self, operation: str, quota_class: str) -> None:
        """Ask right before every request leaves; may wait, journals it. Raises QuotaError."""

    def observed(self, operation: str, windows: tuple[Window, ...], retry_after: float | None) -> None:
        """Tell after every request what its answer said of quotas; empty when there was none."""

    def sending(self) -> Reply | None:
        """Asked first: a Reply means that the answer was recorded before; don't send, use this."""

    def received(self, reply: Reply) -> None:
        """Journals the answer, before anything else happens."""


class Hookspecs(Protocol):
    @hookspec
    def connector_manifest(self) -> Manifest:
        """What the connector is: connection types, actions, triggers, option sources."""

    @hookspec
    def connector_authorize(self, request: AuthorizeRequest) -> Credential | Redirect:
        """A ready credential from fields, or where to send the person. Raises InputError."""

    @hookspec
    def connector_exchange(self, callback: Callback) -> Credential:
        """The credential for what came back. Raises ReauthorizationError on denial, InputError on a wrong state."""

    @hookspec
    def connector_refresh(self, credential: Credential, app: OAuthApp) -> Credential:
        """The whole new credential; the old pair is dead. Raises ReauthorizationError, TransientError."""

    @hookspec
    def connector_test(
        self, credential: Credential, actions: tuple[str, ...], strict: bool, context: Context
    ) -> TestReport:
        """Whether the credential works and for which of `actions`; spends nothing."""

    @hookspec
    def connector_execute(
        self, action: str, input: dict[str, Any], credential: Credential, cursor: str | None, context: Context
    ) -> Page:
        """Exactly one request of an action. Raises any ConnectorError."""

    @hookspec
    def connector_preview(self, action: str, input: dict[str, Any]) -> Preview:
        """What connector_execute would send first, without sending it. Raises InputError."""

    @hookspec
    def connector_options(
        self, source: str, credential: Credential, search: str, cursor: str | None, context: Context
    ) -> tuple[tuple[Choice, ...], str | None]:
        """A page of choices for a drop-down and the cursor of the next; reads only, and costs no credits."""

    @hookspec
    def connector_poll(
        self,
        trigger: str,
        input: dict[str, Any],
        credential: Credential,
        cursor: str | None,
        since: datetime | None,
        context: Context,
    ) -> Poll:
        """One request of a sweep. Without a cursor it begins at `since`, or at the newest record there is."""

    @hookspec
    def connector_receive(self, trigger: str, body: bytes, headers: dict[str, str]) -> tuple[Event, ...]:
        """The events in a callback delivery."""
