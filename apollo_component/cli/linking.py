"""Linking an account with a person in front: the guide, the form, the way through the browser and back."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import typer

from ..contract.errors import InputError, Problem
from ..contract.manifest import ConnectionType, GuideStep, Manifest
from ..contract.models import OAuthApp, TestReport
from ..contract.schemas import Schemas
from .options import refuse_secrets, secret
from .output import Output, interactive, line

if TYPE_CHECKING:
    from ..host.connections import Connection
    from ..host.host import Host
    from ..host.linking import Authorization

WAIT_SECONDS = 600.0
Linked = tuple["Connection", TestReport]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be linked, and what the person gave for it."""

    host: "Host"
    out: Output
    manifest: Manifest
    kind: ConnectionType
    name: str
    given: Mapping[str, str] = field(repr=False)
    secret_file: str | None
    actions: tuple[str, ...]
    redirect_uri: str = ""


def by_key(wanted: Wanted) -> Linked:
    from ..host.linking import link_key

    form = filled(wanted)
    return link_key(wanted.host, wanted.manifest.id, wanted.name, wanted.kind.id, form, wanted.actions)


def by_import(wanted: Wanted, file: Path, app: str | None) -> Linked:
    from ..host.linking import take_over

    wanted.out.warn(
        "From now on only this host may refresh these tokens: a refresh elsewhere revokes them. "
        "Stop the other platform from using them."
    )
    app_id = wanted.host.apps.get(app)[0] if app else None
    return take_over(wanted.host, wanted.manifest.id, wanted.name, wanted.kind.id, file, app_id)


def by_browser(wanted: Wanted, app: str | None, scopes: Sequence[str] | None, *, paste: bool, browser: bool) -> Linked:
    from ..host.linking import begin, finish

    app_id, oauth_app = _stored_app(wanted, app) if app else (None, _own_app(wanted))
    attempt = begin(
        wanted.host,
        wanted.manifest.id,
        wanted.name,
        wanted.kind.id,
        oauth_app,
        app_id=app_id,
        redirect_uri=wanted.redirect_uri,
        actions=wanted.actions,
        scopes=scopes or None,
    )
    query = _answer(attempt, wanted.out, paste=paste, browser=browser)
    return finish(wanted.host, attempt, query, wanted.actions)


def filled(wanted: Wanted) -> dict[str, str]:
    """The form of the connection type: what was given, then secrets, then what a person types."""
    schemas = Schemas(wanted.manifest.root)
    fields = schemas.fields(wanted.kind.fields)
    secrets = [name for name, schema in fields.items() if schema.get("secret")]
    refuse_secrets(wanted.given, secrets, wanted.manifest.id)
    if wanted.secret_file is not None and len(secrets) != 1:
        raise InputError("--secret-file holds one secret, and this form has another number of them.")
    if interactive() and not wanted.out.as_json:
        show_guide(wanted)
    needed = schemas.schema(wanted.kind.fields).get("required", [])
    form = dict(wanted.given)
    for name, schema in fields.items():
        title = schema.get("title", name)
        if name in secrets:
            form[name] = secret(wanted.manifest.id, name, title, wanted.secret_file, wanted.out)
        elif name in needed and name not in form and interactive():
            form[name] = str(typer.prompt(title, err=True))
    return schemas.check(wanted.kind.fields, form, "What you gave")


def show_guide(wanted: Wanted) -> None:
    """The steps a person follows, with exactly the names to tick for the chosen actions."""
    say = wanted.out.say
    say(f"How to link {wanted.manifest.title} by {wanted.kind.title}:\n")
    for number, step in enumerate(wanted.kind.guide, 1):
        say(f"{number}. {step.title}. {step.text}")
        for item in _listed(step, wanted):
            say(f"     {item}")
    say("")


def _listed(step: GuideStep, wanted: Wanted) -> list[str]:
    if step.show == "name":
        return [wanted.name]
    if step.show == "redirect_uri":
        default = wanted.kind.oauth.default_redirect if wanted.kind.oauth else ""
        return [wanted.redirect_uri or default]
    needs = wanted.manifest.requirements(wanted.actions)
    return [str(item) for item in needs.get(step.show or "", [])]


def _own_app(wanted: Wanted) -> OAuthApp:
    form = filled(wanted)
    uri = wanted.redirect_uri or form.get("redirect_uri", "")
    return OAuthApp(form["client_id"], form["client_secret"], (uri,) if uri else ())


def _stored_app(wanted: Wanted, name: str) -> tuple[str, OAuthApp]:
    if wanted.given or wanted.secret_file:
        raise InputError("--app names a stored app, so --field and --secret-file have no place here.")
    return wanted.host.apps.get(name)


def _answer(attempt: "Authorization", out: Output, *, paste: bool, browser: bool) -> dict[str, str]:
    """What came back to the redirect address: caught here, or pasted by the person."""
    from ..host.settings import is_loopback

    if paste or not is_loopback(urlsplit(attempt.redirect_uri)):
        _announce(attempt, out, browser=browser)
        return pasted_answer(_pasted(out), attempt.redirect_uri)
    from ..host.listener import Listener

    with Listener(attempt.redirect_uri, attempt.state) as listener:
        _announce(attempt, out, browser=browser)
        return listener.wait(WAIT_SECONDS)


def _announce(attempt: "Authorization", out: Output, *, browser: bool) -> None:
    """Where to go: programs read the first line of stdout."""
    if out.as_json:
        line({"authorize_url": attempt.url, "redirect_uri": attempt.redirect_uri, "scopes": list(attempt.scopes)})
        sys.stdout.flush()
    asked = ", ".join(attempt.scopes) or "all that the app is registered with"
    out.say(f"Scopes asked for: {asked}.")
    out.say(f"Open this address in your browser and allow access:\n\n{attempt.url}\n")
    if browser:
        _open(attempt.url)


def _open(url: str) -> None:
    """A graphical browser only: one that draws in the terminal would take it over."""
    import webbrowser

    try:
        found: Any = webbrowser.get()
    except webbrowser.Error:
        return
    if type(found) is not webbrowser.GenericBrowser or "BROWSER" in os.environ:
        found.open(url)


def _pasted(out: Output) -> str:
    ask: Callable[[], Any] = sys.stdin.readline
    if interactive():
        return str(typer.prompt("Paste the address you end up at", err=True))
    out.say("Waiting for one line on stdin: the address you end up at.")
    return str(ask())


def pasted_answer(address: str, redirect_uri: str) -> dict[str, str]:
    """The query of the final address. Raises InputError when it isn't the redirect address."""
    found, wanted = urlsplit(address.strip().strip("\"'")), urlsplit(redirect_uri)
    if (found.scheme, found.netloc, found.path) != (wanted.scheme, wanted.netloc, wanted.path):
        problem = Problem(f"must begin with {redirect_uri}")
        raise InputError("This is not the address you were sent back to; nothing was linked.", [problem])
    return dict(parse_qsl(found.query, keep_blank_values=True)[:20])
