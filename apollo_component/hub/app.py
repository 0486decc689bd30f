"""The Hub as an ASGI application."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from .api.routes import routes as api_routes
from .headers import Guarded
from .hub import Hub
from .pages import (
    accounts,
    attempts,
    connect_links,
    connectors,
    credits_spent,
    guests,
    linking,
    oauth_apps,
    palette,
    run,
    run_steps,
    runs,
    settings,
    signing_in,
    tokens,
    trial_results,
    trying,
    workflow_starts,
    workflows,
)
from .rendering import STATIC
from .visits import Place, Visit, cookie_name

PLACES: tuple[Place, ...] = (
    *signing_in.PLACES,
    *palette.PLACES,
    *connectors.PLACES,
    *accounts.PLACES,
    *trial_results.PLACES,
    *trying.PLACES,
    *settings.PLACES,
    *tokens.PLACES,
    *workflow_starts.PLACES,
    *workflows.PLACES,
    *runs.PLACES,
    *run_steps.PLACES,
    *run.PLACES,
    *credits_spent.PLACES,
    *linking.PLACES,
    *attempts.PLACES,
    *guests.PLACES,
    *oauth_apps.PLACES,
    *connect_links.PLACES,
)
KEPT = "public, max-age=31536000, immutable"


class KeptFiles(StaticFiles):
    """Files whose addresses change with their content."""

    def file_response(self, *arguments: object, **options: object) -> Response:
        answer = super().file_response(*arguments, **options)  # type: ignore[arg-type]
        answer.headers["cache-control"] = KEPT
        return answer


def application(hub: Hub) -> Starlette:
    """Every place of the Hub below `/`; a proxy takes the path of its address off."""

    async def logo(_request: Request) -> Response:
        if hub.look.logo is None:
            return Response(status_code=404)
        return FileResponse(hub.look.logo, media_type=hub.look.logo_type)

    async def accent(_request: Request) -> Response:
        colour = hub.look.accent
        text = f":root {{ --accent: {colour}; }}\n" if colour else ""
        return Response(text, media_type="text/css")

    async def missing(request: Request, _error: Exception) -> Response:
        session = hub.sessions.of(request.cookies.get(cookie_name(hub), ""))
        return Visit(hub, request, session).page("missing.html", 404)

    routes = [
        Route("/look/logo", logo),
        Route("/look/accent.css", accent),
        Mount("/static/{version}", KeptFiles(directory=STATIC)),
        *api_routes(hub),
        *(place.route(hub) for place in PLACES),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Guarded, hub=hub)], exception_handlers={404: missing})
