"""The consent page: stands for Apollo's own, which lives behind a hash route."""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from .oauth import Application, with_added

if TYPE_CHECKING:
    from .app import Sandbox

TEMPLATES = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=select_autoescape())
QUIET = {"cache-control": "no-store", "referrer-policy": "no-referrer"}

# word for word as in Apollo's documentation, the three dots included
NO_PERMISSION = "You do not have permission to connect integrations. Please contact your Apollo admin..."
# unverified: what Apollo answers when a user declines; the documented shape of a refusal is used
DENIED = "The user denied access."


def consent_routes(sandbox: "Sandbox") -> list[Route]:
    """The routes of the page, for one sandbox."""

    async def page(request: Request) -> Response:  # noqa: ARG001
        return HTMLResponse(TEMPLATES.get_template("consent.html").render(), headers=QUIET)

    async def describe(request: Request) -> Response:
        app = sandbox.state.tokens.app
        if request.query_params.get("client_id") != app.client_id:
            return JSONResponse({"error": "Unknown application."}, 404, headers=QUIET)
        described = {
            "client_id": app.client_id,
            "name": app.name,
            "description": app.description,
            "scopes": list(with_added(app.scopes)),
            "user": sandbox.state.world.users[1]["name"],
        }
        return JSONResponse(described, headers=QUIET)

    async def decide(request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        if problem := refused(sandbox.state.tokens.app, form):
            return error_page(problem)
        return RedirectResponse(decision_url(sandbox, form), 303, headers=QUIET)

    return [
        Route("/", page),
        Route("/oauth/consent/describe", describe),
        Route("/oauth/consent", decide, methods=["POST"]),
    ]


def error_page(problem: str) -> Response:
    """An answer to the user and not to the application, which cannot be trusted with it."""
    body = TEMPLATES.get_template("problem.html").render(problem=problem)
    return HTMLResponse(body, 400, headers=QUIET)


def refused(app: Application, form: dict[str, str]) -> str | None:
    """Why a consent request may not go back to its application, or None."""
    missing = next((name for name in ("client_id", "redirect_uri", "response_type") if not form.get(name)), None)
    if missing:
        return f"Missing required parameter: {missing}"
    checks = {
        "Unknown client_id.": form["client_id"] == app.client_id,
        "The redirect_uri is not registered for this application.": form["redirect_uri"] in app.redirect_uris,
        "The response_type must be code.": form["response_type"] == "code",
        "The requested scope is invalid, unknown, or malformed.": app.accepts(form.get("scope", "").split()),
        "Unknown decision.": form.get("decision") in ("allow", "deny", "no_permission"),
    }
    return next((problem for problem, passed in checks.items() if not passed), None)


def decision_url(sandbox: "Sandbox", form: dict[str, str]) -> str:
    """Where the browser goes: with a code and the state, or with a refusal (which has no state)."""
    state, tokens = sandbox.state, sandbox.state.tokens
    if form["decision"] == "allow":
        scopes = form.get("scope", "").split() or tokens.app.scopes
        # A token acts as the user who allowed it: here a colleague of the admin the keys act as.
        code = tokens.allow(form["redirect_uri"], scopes, state.world.users[1]["id"])
        answer = {"code": code} | ({"state": form["state"]} if form.get("state") else {})
    else:
        text = NO_PERMISSION if form["decision"] == "no_permission" else DENIED
        answer = {"status_code": "403", "error_message": text}
    glue = "&" if "?" in form["redirect_uri"] else "?"
    return f"{form['redirect_uri']}{glue}{urlencode(answer, quote_via=quote)}"
