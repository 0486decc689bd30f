"""OAuth apps: clients registered at a service, kept once and used by many accounts. Their secrets are never shown."""

from typing import Any

from starlette.responses import Response

from ...contract.errors import InputError, Problem
from ...contract.manifest import Manifest
from ...contract.models import OAuthApp
from ...contract.schemas import schemas_at
from ..link_forms import OWN_APP
from ..visits import Place, Visit


def listed(visit: Visit) -> Response:
    return _page(visit)


def added(visit: Visit) -> Response:
    form = {name: visit.form.get(name, "").strip() for name in ("name", "connector", *OWN_APP)}
    try:
        _add(visit, form)
    except InputError as error:
        wrong = {problem.path: problem.text[:1].upper() + problem.text[1:] for problem in error.problems}
        return _page(visit, 422, wrong=wrong, typed={**form, "client_secret": ""})
    return visit.to("/settings/apps")


def removed(visit: Visit) -> Response:
    visit.host.apps.remove(visit.form.get("name", ""))
    return visit.to("/settings/apps")


def _add(visit: Visit, form: dict[str, str]) -> None:
    """Every problem at once. Raises InputError."""
    manifest = next((one for one in _manifests(visit) if one.id == form["connector"]), None)
    if manifest is None:
        raise InputError("The app was not stored.", [Problem("must be one of those listed", path="connector")])
    [kind] = [kind for kind in manifest.connection_types.values() if kind.oauth][:1]
    given = {name: form[name] for name in OWN_APP if form[name]}
    schemas = schemas_at(manifest.root)
    problems = [Problem(text, path=str(where[0])) for where, text in schemas.problems(kind.fields, given) if where]
    if not form["name"]:
        problems.append(Problem("is required", path="name"))
    if problems:
        raise InputError("The app was not stored.", problems)
    app = OAuthApp(form["client_id"], form["client_secret"], (visit.hub.redirect_uri,))
    visit.host.apps.add(form["name"], manifest.id, app)


def _page(visit: Visit, status: int = 200, **more: Any) -> Response:
    values: dict[str, Any] = {"apps": visit.host.apps.all(), "manifests": _manifests(visit), "wrong": {}, "typed": {}}
    return visit.page("oauth_apps.html", status, **values | more)


def _manifests(visit: Visit) -> list[Manifest]:
    """The connectors whose accounts are linked with an app."""
    found = visit.host.registry.manifests.values()
    return [one for one in found if any(kind.oauth for kind in one.connection_types.values())]


PLACES = (
    Place("/settings/apps", listed),
    Place("/settings/apps", added, ["POST"]),
    Place("/settings/apps/remove", removed, ["POST"]),
)
