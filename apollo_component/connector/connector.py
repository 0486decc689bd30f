"""A connector made of a manifest: implements every hook; keeps no state and opens no file while it works."""

import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ..contract.actions import Action
from ..contract.errors import (
    ConnectorError,
    CredentialExpiredError,
    IncompleteReplyError,
    InputError,
    NotFoundError,
    PermissionDeniedError,
    Problem,
    ReauthorizationError,
    RejectedError,
)
from ..contract.hookspecs import Context, hookimpl
from ..contract.inputs import input_fields
from ..contract.manifest import ConnectionType, Manifest, OAuth
from ..contract.models import (
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
)
from ..contract.placeholders import told as without_placeholders
from ..contract.schemas import Schemas
from ..contract.servers import addresses
from . import accounting, auth, error_texts, late, operations, options, polling, raw, replies, testing
from .messages import Flow, Request, T, drive

Send = Callable[..., Reply]
TOKEN_SECONDS = 30
"""How long a token request may take; a host keeps its right to refresh for as long."""


@dataclass(frozen=True, slots=True)
class Quirk:
    """What an action needs beyond its declaration: `prepare` its input, `read` its page. Both pure."""

    prepare: Callable[[dict[str, Any]], dict[str, Any]] = dict
    read: Callable[[Page], Page] = lambda page: page


class Connector:
    """The hooks of one service. `send` and `now` are injected in tests; `environ` names the operator's choices."""

    def __init__(
        self,
        manifest: Manifest,
        quirks: Mapping[str, Quirk] | None = None,
        *,
        send: Send | None = None,
        environ: Mapping[str, str] = os.environ,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.manifest = manifest
        self.quirks = quirks or {}
        self.schemas = Schemas(manifest.root)
        self.fields = functools.cache(lambda path: input_fields(self.schemas, path))
        self._send = send
        self._environ = environ
        self._now = now
        self._errors = manifest.data.get("errors", [])
        self._windows = manifest.data.get("quota_headers", {})
        self._failures = manifest.data.get("failures", {})

    @hookimpl
    def connector_manifest(self) -> Manifest:
        return self.manifest

    @hookimpl
    def connector_authorize(self, request: AuthorizeRequest) -> Credential | Redirect:
        kind = self._kind(request.connection_type)
        server = addresses(self.manifest, self._environ)[kind.oauth.server] if kind.oauth else ""
        fields = self.schemas.fields(kind.fields).items()
        key_field = next((name for name, field in fields if field.get("secret")), "api_key")
        return auth.authorize(kind, request, server, key_field)

    @hookimpl
    def connector_exchange(self, callback: Callback) -> Credential:
        kind, oauth, server = self._oauth(callback.connection_type)
        return self._drive_token(auth.exchange(oauth, kind, callback, server, self._now()))

    @hookimpl
    def connector_refresh(self, credential: Credential, app: OAuthApp) -> Credential:
        _, oauth, server = self._oauth(credential.connection_type)
        return self._drive_token(auth.refresh(oauth, credential, app, server, self._now()))

    @hookimpl
    def connector_test(
        self, credential: Credential, actions: tuple[str, ...], strict: bool, context: Context
    ) -> TestReport:
        for name in actions:
            self._action(name)
        actions = tuple(dict.fromkeys(part.id for name in actions for part in self.manifest.parts(name)))

        def ask(name: str, values: Mapping[str, Any]) -> Request:
            action = self._action(name)
            return self._request(action, self.schemas.with_defaults(action.input, values), credential, None)

        def judge(name: str, reply: Reply) -> ConnectorError | None:
            try:
                self.read(self._action(name), {}, reply, credential)
            except ConnectorError as error:
                return error
            return None

        def needs_input(action: Action) -> bool:
            return bool(self.schemas.problems(action.input, {}))

        flow = testing.test(self.manifest, credential, actions, strict, ask, judge, needs_input)
        return drive(flow, lambda request: self._metered(request, context))

    @hookimpl
    def connector_execute(
        self,
        action: str,
        input: dict[str, Any],  # noqa: A002  # the contract's word
        credential: Credential,
        cursor: str | None,
        context: Context,
    ) -> Page:
        chosen, values = self._checked(action, input)
        if miss := testing.known_miss(self.manifest, chosen, credential):
            error = f"{chosen.title} can't run with this connection: {miss.text}."
            raise PermissionDeniedError(error, missing=dict(miss.missing))
        request = self._request(chosen, self._asked(chosen, values), credential, cursor)
        reply = context.sending()
        if reply is None:
            if unresolved := options.names_left(self.manifest, self.fields(chosen.input), values):
                raise InputError("The input was refused; nothing was sent.", unresolved)
            reply = self._metered(request, context)
            context.received(reply)
        return self.read(chosen, values, reply, credential, cursor)

    def read(
        self, action: Action, values: Mapping[str, Any], reply: Reply, credential: Credential, cursor: str | None = None
    ) -> Page:
        """What a reply to a request of the action means: a page that accounts for what was asked. Raises
        ConnectorError: also when a good status holds an error and nothing of what was asked for."""
        route = raw.declared(action, values)
        if error_found := self._error(reply, route or action, credential):
            raise error_found
        answer = without_placeholders(
            replies.answer_of(reply, _secrets(credential)), reply.body, self.manifest.placeholders
        )
        told = replies.error_told(answer, reply, route or action, self._errors, _secrets(credential))
        page = self._page(action, values, answer, cursor, self._of_kind(told, credential))
        page = late.announced(action, values, answer, page)
        return accounting.accounted(action, values, answer, page, self._failures)

    def _page(
        self, action: Action, values: Mapping[str, Any], answer: Any, cursor: str | None, told: ConnectorError | None
    ) -> Page:
        """The page that an answer holds. `told` is the error that it tells: raised where nothing came, unless the
        answer names the items that it leaves out; else a warning."""
        try:
            page = operations.page_from(action, values, answer)
            page = _lean(page, self._quirk(action).read(page))
        except IncompleteReplyError as error:
            raise _incomplete(error, told) from None
        page = operations.finished(action, values, answer, page, cursor)
        if told is None:
            return page
        whole, accounts = action.reply.value == ".", action.accounts_for is not None
        explained = page.given or (accounts and accounting.names_failures(answer, self._failures))
        if error_texts.tells_nothing_else(answer) if whole else not explained:
            told.spent = page.spent or 0
            raise told
        silent = whole or (accounts and error_texts.tells_of_items_only(answer))
        return page if silent else replace(page, warnings=(*page.warnings, f"the service says: {told.message}"))

    @hookimpl
    def connector_preview(self, action: str, input: dict[str, Any]) -> Preview:  # noqa: A002
        chosen, values = self._checked(action, input)
        request = self._bare(chosen, self._asked(chosen, values), "", None)
        return Preview(request.method, request.url, request.query, request.json)

    @hookimpl
    def connector_options(
        self, source: str, credential: Credential, search: str, cursor: str | None, context: Context
    ) -> tuple[tuple[Choice, ...], str | None]:
        if source not in self.manifest.option_sources:
            raise NotFoundError("There is no such option source.", hint="See the manifest's option_sources.")
        declared = self.manifest.option_sources[source]
        asked = {declared.search: search} if search and declared.search else {}
        page = self.connector_execute(declared.action, {**declared.input, **asked}, credential, cursor, context)
        return options.choices(declared, page.records, "" if asked else search), page.next_cursor

    @hookimpl
    def connector_poll(
        self,
        trigger: str,
        input: dict[str, Any],  # noqa: A002
        credential: Credential,
        cursor: str | None,
        since: datetime | None,
        context: Context,
    ) -> Poll:
        declared = self.manifest.triggers.get(trigger)
        if declared is None or declared.action is None:
            raise NotFoundError(f"{self.manifest.title} has no trigger of that name that can be asked.")
        sweep = polling.sweep_from(cursor, since)
        values = polling.asked(declared, self.schemas.check(declared.input, input), context.now())
        page = self.connector_execute(declared.action, values, credential, sweep.page, context)
        return polling.poll_of(declared, page, sweep, context.now())

    @hookimpl
    def connector_receive(self, trigger: str, body: bytes, headers: dict[str, str]) -> tuple[Event, ...]:
        return late.events(self.manifest, trigger, body)

    def _kind(self, name: str) -> ConnectionType:
        if name not in self.manifest.connection_types:
            known = ", ".join(self.manifest.connection_types)
            raise InputError("There is no such connection type.", [Problem(f"must be one of: {known}")])
        return self.manifest.connection_types[name]

    def _oauth(self, name: str = "") -> tuple[ConnectionType, OAuth, str]:
        kinds = self.manifest.connection_types.values()
        kind = self._kind(name) if name else next((kind for kind in kinds if kind.oauth), None)
        if kind is None or kind.oauth is None:
            raise InputError("This connection type has no OAuth flow.")
        return kind, kind.oauth, addresses(self.manifest, self._environ)[kind.oauth.server]

    def _action(self, name: str) -> Action:
        if name not in self.manifest.actions:
            raise NotFoundError(f"{self.manifest.title} has no action of that name.", hint="See the palette.")
        return self.manifest.actions[name]

    def _checked(self, name: str, given: Mapping[str, Any]) -> tuple[Action, dict[str, Any]]:
        """The action and its whole input. Raises NotFoundError, InputError."""
        chosen = self._action(name)
        if chosen.compose:
            raise InputError(f"{chosen.title} is made of several requests; a host runs its parts. Nothing was sent.")
        values = self.schemas.check(chosen.input, given)
        self._check_size(chosen, values)
        return chosen, values

    def _quirk(self, action: Action) -> Quirk:
        return self.quirks[action.quirk] if action.quirk else Quirk()

    def _asked(self, action: Action, values: dict[str, Any]) -> dict[str, Any]:
        """The input as the service wants it."""
        return self._quirk(action).prepare(late.asked(action, values))

    def _check_size(self, action: Action, values: Mapping[str, Any]) -> None:
        """One request takes so many items; hosts cut longer lists before they call."""
        name = action.bulk.given(values) if action.bulk else ""
        if action.bulk and len(values.get(name) or ()) > action.bulk.max:
            problem = Problem(f"may have at most {action.bulk.max} items a request", path=name)
            raise InputError("The input was refused; nothing was sent.", [problem])

    def _request(
        self, action: Action, values: Mapping[str, Any], credential: Credential, cursor: str | None
    ) -> Request:
        request = self._bare(action, values, addresses(self.manifest, self._environ)[action.server], cursor)
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "Cache-Control": "no-cache",
            "User-Agent": self.manifest.user_agent,
        }
        kind = self._kind(credential.connection_type)
        return replace(request, headers=headers | auth.headers_for(kind, credential))

    def _bare(self, action: Action, values: Mapping[str, Any], base: str, cursor: str | None) -> Request:
        """The request without headers."""
        if action.raw:
            return raw.request_for(action, values, base)
        return operations.request_for(action, values, base, cursor)

    def _metered(self, request: Request, context: Context) -> Reply:
        """Permission first, then the one request, then what it told about quotas, whatever came of it."""
        context.permit(request.operation, request.quota_class)
        reply = None
        try:
            reply = self._sender()(request, deadline=context.deadline, now=context.now)
            return reply
        finally:
            windows = replies.windows_of(reply, self._windows) if reply else ()
            pause = replies.retry_after(reply) if reply and reply.status == 429 else None
            context.observed(request.operation, windows, pause)

    def _error(self, reply: Reply, action: Action, credential: Credential) -> ConnectorError | None:
        return self._of_kind(replies.error_for(reply, action, self._errors, _secrets(credential)), credential)

    @staticmethod
    def _of_kind(error: ConnectorError | None, credential: Credential) -> ConnectorError | None:
        """A refused token may be refreshed, a refused key can't."""
        if not isinstance(error, ReauthorizationError | CredentialExpiredError):
            return error
        kind = CredentialExpiredError if credential.access_token else ReauthorizationError
        return kind(error.message, hint=error.hint, request_id=error.request_id)

    def _drive_token(self, flow: Flow[T]) -> T:
        deadline = self._now() + timedelta(seconds=TOKEN_SECONDS)
        return drive(flow, lambda request: self._sender()(request, deadline=deadline, now=self._now))

    def _sender(self) -> Send:
        if self._send is None:
            from .client import send

            self._send = send
        return self._send


def _secrets(credential: Credential) -> tuple[str, ...]:
    return credential.api_key, credential.access_token, credential.refresh_token


def _incomplete(error: IncompleteReplyError, told: ConnectorError | None) -> ConnectorError:
    """What an answer without its records means: the error that it tells, if that is a known one."""
    if told is None:
        return error
    if type(told) is not RejectedError:
        return told
    return IncompleteReplyError(f"{error.message} {told.message}", hint=told.hint, request_id=told.request_id)


def _lean(page: Page, read: Page) -> Page:
    """A list's whole answer has served its purpose once the quirk has seen it; a single value stays."""
    whole_answer = page.value is read.value and page.records and page.records[0] is not page.value
    return replace(read, value=None) if whole_answer else read
