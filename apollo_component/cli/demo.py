"""`demo`: the main job from nothing, against a sandbox: link both ways, test, run the example, show what it cost."""

import json
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from ..contract.loading import root_of
from ..contract.models import OAuthApp
from .consent import allow
from .runs import show_report
from .sandboxing import started

WORKFLOW = "examples/prospecting.yaml"
_console = Console(stderr=True, highlight=False)


def main(*, as_json: bool = False) -> int:
    """Run the demo; 0 when everything worked. State lives in a folder of its own that goes away."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="apollo-demo-") as home, started("--redirect-uri", _redirect()) as facts:
        os.environ.update(WORKFLOW_HOST_HOME=home, APOLLO_API_URL=facts["api_url"], APOLLO_OAUTH_URL=facts["oauth_url"])
        os.environ.pop("WORKFLOW_HOST_DATABASE_URL", None)
        os.environ.pop("WORKFLOW_HOST_KEY", None)  # the old keys count beside it only
        report = _tour(facts)
        report["sandbox"] = _control(facts, "/ledger")["total"]
    _conclude(report, time.monotonic() - begun, as_json=as_json)
    return 0 if report["run"]["status"] == "done" else 1


def _tour(facts: dict[str, Any]) -> dict[str, Any]:
    from ..host import linking
    from ..host.host import Host
    from ..host.workflow.engine import drive, start
    from ..host.workflow.file import load_workflow

    host = Host.open(notice=_say)
    file = root_of(Path(__file__).parent.parent) / WORKFLOW
    workflow = load_workflow(file, host.registry.manifests)
    actions = workflow.actions("apollo")
    _title("1  Link an account by API key")
    _, by_key = linking.link_key(host, "apollo", "demo-key", "api_key", {"api_key": facts["keys"]["scoped"]}, actions)
    _verdict("demo-key", by_key)
    _title("2  Link an account by OAuth 2.0, through the consent page")
    _verdict("demo-oauth", _link_oauth(host, facts, actions))
    _title("3  Test both")
    for name in ("demo-key", "demo-oauth"):
        _verdict(name, linking.test_stored(host, name, actions, strict=False)[1])
    _title(f"4  {workflow.name}")
    run = start(host, workflow, {}, {"apollo": "demo-oauth"})
    report = drive(host, run.id, progress=_say)
    host.close()
    return {"connections": ["demo-key", "demo-oauth"], "run": report}


def _link_oauth(host: Any, facts: dict[str, Any], actions: list[str]) -> Any:
    """What a person does in the browser, done by a program: the page, the button, the way back."""
    from ..host import linking
    from ..host.listener import Listener

    redirect = facts["oauth"]["redirect_uris"][-1]
    app = OAuthApp(facts["oauth"]["client_id"], facts["oauth"]["client_secret"], (redirect,))
    app_id = host.apps.add("demo-app", "apollo", app)
    attempt = linking.begin(host, "apollo", "demo-oauth", "oauth2", app, app_id=app_id, actions=actions)
    _say(f"Asking for {len(attempt.scopes)} scopes: {', '.join(attempt.scopes)}")
    with Listener(redirect) as listener:
        threading.Thread(target=allow, args=(attempt.url,), daemon=True).start()
        query = listener.wait(30)
    return linking.finish(host, attempt, query, actions)[1]


def _redirect() -> str:
    """An address on a free port."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/callback"


def _control(facts: dict[str, Any], path: str) -> dict[str, Any]:
    import urllib.request

    with urllib.request.urlopen(facts["control_url"] + path, timeout=10) as answer:  # noqa: S310  # loopback
        found: dict[str, Any] = json.load(answer)
    return found


def _title(text: str) -> None:
    _console.print(f"\n[bold]{text}[/bold]")


def _say(text: str) -> None:
    _console.print(f"   {text}", markup=False, soft_wrap=True)


def _verdict(name: str, report: Any) -> None:
    account = f" — {report.account.name}, {report.account.email}" if report.account else ""
    _say(f"{name}: {report.verdict}{account}. {report.text}")


def _conclude(report: dict[str, Any], seconds: float, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({**report, "seconds": round(seconds, 1)}))
        return
    print("\nWhat happened and what it cost")
    show_report(report["run"])
    print(f"The sandbox's own ledger: {report['sandbox']:g} credits. Done in {seconds:.1f} s.")
