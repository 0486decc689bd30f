"""The connection test: stages from the manifest, free reads for the chosen actions, one of four verdicts. Pure."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..contract.actions import Action
from ..contract.digging import dig
from ..contract.errors import (
    ConnectorError,
    CredentialExpiredError,
    PermissionDeniedError,
    ReauthorizationError,
    TransientError,
)
from ..contract.manifest import Manifest, TestStage
from ..contract.models import Account, Credential, Effect, Reply, TestCheck, TestReport, Verdict
from .messages import Flow, Request
from .replies import answer_of

MAX_PROBES = 10
Ask = Callable[[str, Mapping[str, Any]], Request]
Judge = Callable[[str, Reply], ConnectorError | None]


@dataclass(slots=True)
class _Findings:
    checks: list[TestCheck] = field(default_factory=list)
    account: Account | None = None
    stop: tuple[Verdict, str, str] | None = None
    probed: int = 0


def test(
    manifest: Manifest,
    credential: Credential,
    actions: Sequence[str],
    strict: bool,
    ask: Ask,
    judge: Judge,
    needs_input: Callable[[Action], bool],
) -> Flow[TestReport]:
    """The report of a test. `ask` builds an action's request, `judge` reads the error out of its answer."""
    findings = _Findings()
    stages = [stage for stage in manifest.test if _applies(stage, manifest, credential)]
    for stage in stages:
        if not findings.stop:
            yield from _stage(stage, manifest, strict, ask, judge, findings)
    done = {stage.action for stage in stages}
    for name in dict.fromkeys(actions):
        if not findings.stop and name not in done:
            yield from _action(manifest.actions[name], manifest, credential, ask, judge, needs_input, findings)
    return _report(manifest, findings)


test.__test__ = False  # type: ignore[attr-defined]  # not one of pytest's


def _applies(stage: TestStage, manifest: Manifest, credential: Credential) -> bool:
    """Stages of this connection type; for tokens a stage whose scope was not granted is left out unless it tells
    whose account it is."""
    if stage.connection_types and credential.connection_type not in stage.connection_types:
        return False
    needed = manifest.actions[stage.action].requires.oauth_scope
    return bool(credential.api_key or stage.account or needed is None or needed in (credential.scopes or (needed,)))


def _stage(
    stage: TestStage, manifest: Manifest, strict: bool, ask: Ask, judge: Judge, findings: _Findings
) -> Generator[Request, Reply, None]:
    action = manifest.actions[stage.action]
    error, answer = yield from _probe(action, ask, stage.input, judge)
    if isinstance(error, PermissionDeniedError) and not _of_connection(error):
        text = f"{error.message} {_remedy(stage, error)}".strip()
        findings.checks.append(TestCheck(action.id, "missed", text, error.missing))
        if strict and stage.required == "strict":
            findings.stop = ("refused", text, error.hint)
        return
    if error:
        _stop(findings, action, error)
        return
    wrong = any(dig(answer, key) != value for key, value in stage.expect.items())
    if wrong:
        findings.checks.append(TestCheck(action.id, "failed", stage.refused))
        findings.stop = ("refused", stage.refused, stage.hint)
        return
    findings.checks.append(TestCheck(action.id, "passed"))
    if stage.account:
        findings.account = Account(**{key: _joined(answer, names) for key, names in stage.account.items()})


def _remedy(stage: TestStage, error: PermissionDeniedError) -> str:
    """What to do about a miss: the stage's own words where the endpoint is missing, not for a plan or a right."""
    endpoint = {"key_endpoint", "oauth_scope", "master_key"} & set(error.missing)
    return (stage.hint if endpoint else "") or error.hint


def _joined(answer: Any, names: str) -> str:
    return " ".join(str(found) for name in names.split() if (found := dig(answer, name)) is not None)


def _action(
    action: Action,
    manifest: Manifest,
    credential: Credential,
    ask: Ask,
    judge: Judge,
    needs_input: Callable[[Action], bool],
    findings: _Findings,
) -> Generator[Request, Reply, None]:
    if miss := known_miss(manifest, action, credential):
        findings.checks.append(miss)
    elif action.effect.kind is not Effect.READ or action.credits.costs or needs_input(action):
        text = "not tried: it writes, costs or needs input; a refusal will show at its first use"
        findings.checks.append(TestCheck(action.id, "untested", text))
    elif findings.probed >= MAX_PROBES:
        findings.checks.append(TestCheck(action.id, "untested", f"not tried: a test makes {MAX_PROBES} probes at most"))
    else:
        findings.probed += 1
        small = {action.paging.per_page: 1} if action.paging else {}
        error, _ = yield from _probe(action, ask, small, judge)
        if error is None:
            findings.checks.append(TestCheck(action.id, "passed"))
        elif _of_connection(error):
            _stop(findings, action, error)
        elif isinstance(error, PermissionDeniedError):
            findings.checks.append(TestCheck(action.id, "missed", f"{error.message} {error.hint}", error.missing))
        else:
            findings.checks.append(TestCheck(action.id, "missed", error.message))


def _of_connection(error: ConnectorError) -> bool:
    """Whether an error is about the whole connection and not about one action."""
    if isinstance(error, PermissionDeniedError):
        return "account" in error.missing
    return isinstance(error, ReauthorizationError | CredentialExpiredError | TransientError)


def known_miss(manifest: Manifest, action: Action, credential: Credential) -> TestCheck | None:
    """What the granted scopes already rule out, without a call; None when nothing does."""
    linked = manifest.connection_types[credential.connection_type]
    kind, requires = linked.kind, action.requires
    if not requires.allows(kind):
        text = "this action has no OAuth scope; it needs a connection by API key"
        return TestCheck(action.id, "missed", text, {"connection_type": "api_key"})
    if kind != "authorization_code" or requires.oauth_scope is None or credential.scopes is None:
        return None
    always = linked.oauth.always_scopes if linked.oauth else ()
    if requires.oauth_scope in (*credential.scopes, *always):
        return None
    text = f"the scope {requires.oauth_scope} was not granted; add it to the OAuth app and authorize again"
    return TestCheck(action.id, "missed", text, {"oauth_scope": requires.oauth_scope})


def _probe(
    action: Action, ask: Ask, values: Mapping[str, Any], judge: Judge
) -> Generator[Request, Reply, tuple[ConnectorError | None, Any]]:
    try:
        reply = yield ask(action.id, values)
        error = judge(action.id, reply)
        return error, None if error else answer_of(reply)
    except ConnectorError as error:
        return error, None


def _stop(findings: _Findings, action: Action, error: ConnectorError) -> None:
    findings.checks.append(TestCheck(action.id, "failed", error.message))
    final = isinstance(error, ReauthorizationError | CredentialExpiredError)
    verdict: Verdict = "refused" if final or not isinstance(error, TransientError) else "unreachable"
    findings.stop = (verdict, error.message, error.hint)


def _report(manifest: Manifest, findings: _Findings) -> TestReport:
    checks = tuple(findings.checks)
    if findings.stop:
        verdict, text, hint = findings.stop
        return TestReport(verdict, text, findings.account, checks, hint)
    missed = [check for check in checks if check.outcome == "missed"]
    if missed:
        names = ", ".join(check.name for check in missed)
        return TestReport("limited", f"Signed in, but not allowed: {names}.", findings.account, checks)
    return TestReport("connected", f"{manifest.title} accepts this connection.", findings.account, checks)
