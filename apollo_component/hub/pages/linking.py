"""Linking an account: the form with its guide, for operators, for actions that they choose or for a workflow."""

from dataclasses import replace
from urllib.parse import urlencode

from starlette.responses import Response

from ...contract.errors import ConnectorError, InputError, NotFoundError, ProblemsError
from ...contract.manifest import ConnectionType, Manifest
from ...host.needs import asked_of
from ...host.workflow.catalogue import runnable
from ...host.workflow.file import Workflow, parse_workflow
from ..link_forms import LinkForm
from ..visits import Place, Visit

FILE = "workflow.yaml"
"""What a workflow that was pasted is called where its problems are told."""
REFUSED = "The list can't be made from this workflow."


def shown(visit: Visit) -> Response:
    manifest = _manifest(visit)
    if manifest is None:
        return _which(visit)
    form = _form(visit, manifest)
    return visit.page("link.html", 422 if form.refused_file else 200, form=form)


def sent(visit: Visit) -> Response:
    manifest = _manifest(visit)
    if manifest is None:
        return visit.to("/link")
    form = _form(visit, manifest)
    if form.refused_file:
        return visit.page("link.html", 422, form=form)
    try:
        attempt = form.sent()
    except ConnectorError as error:
        return visit.page("link.html", 422, form=form.refused(error))
    return visit.to(f"/link/attempts/{attempt.id}")


def read(visit: Visit) -> Response:
    """A workflow file that was pasted: what it asks becomes the choice, and nothing of it is kept."""
    manifest = _manifest(visit)
    if manifest is None:
        return visit.to("/link")
    form, manifests = _form(visit, manifest), visit.host.registry.manifests
    try:
        names = asked_of(manifest.id, parse_workflow(visit.form.get("text", ""), manifests, FILE), manifests)
    except ProblemsError as error:
        return visit.page("link.html", 422, form=replace(form, refused_file=error))
    return visit.to(replace(form, names=names, workflow="").path)


def _which(visit: Visit) -> Response:
    """The connectors to choose from: all, or those of the workflow."""
    used = _workflow(visit).connectors if "workflow" in visit.query else visit.host.registry.manifests
    manifests = [visit.host.registry.manifest(name) for name in used]
    kept = [("workflow", visit.query["workflow"])] if "workflow" in visit.query else []
    paths = {one.id: f"/link?{urlencode([('connector', one.id), *kept])}" for one in manifests}
    return visit.page("link_connectors.html", manifests=sorted(manifests, key=lambda one: one.title), paths=paths)


def _workflow(visit: Visit) -> Workflow:
    return runnable(visit.host, visit.hub.workflows, visit.query["workflow"], REFUSED)


def _form(visit: Visit, manifest: Manifest) -> LinkForm:
    again = visit.host.connections.get(visit.query["connection"]) if "connection" in visit.query else None
    kinds = tuple(manifest.connection_types.values())
    if again:
        kinds = tuple(kind for kind in kinds if kind.id == again.type)
    form = LinkForm(visit, manifest, _kind(visit, kinds), kinds, again=again)
    if workflow := visit.query.get("workflow", ""):
        return _for_workflow(form, workflow)
    return replace(form, names=_chosen(visit, manifest))


def _for_workflow(form: LinkForm, name: str) -> LinkForm:
    try:
        names = asked_of(form.manifest.id, _workflow(form.visit), form.visit.host.registry.manifests)
    except ProblemsError as error:
        return replace(form, refused_file=error)
    return replace(form, names=names, workflow=name)


def _chosen(visit: Visit, manifest: Manifest) -> tuple[str, ...]:
    """The ids of what was ticked. Raises NotFoundError."""
    names = tuple(dict.fromkeys(visit.query.getlist("for")))
    if unknown := [name for name in names if name not in manifest.actions and name not in manifest.triggers]:
        raise NotFoundError(f"{manifest.title} has no action {unknown[0][:100]!r}.", hint="Choose it in the palette.")
    return names


def _manifest(visit: Visit) -> Manifest | None:
    """The connector that is named, or the only one there is or that the workflow uses. Raises NotFoundError."""
    manifests = visit.host.registry.manifests
    name = visit.query.get("connector", "")
    if "connection" in visit.query:
        name = visit.host.connections.get(visit.query["connection"]).connector
    if name and name not in manifests:
        raise NotFoundError(f"There is no connector {name[:100]!r} here.")
    used = [name] if name else list(manifests)
    if len(used) > 1 and visit.query.get("workflow"):
        used = list(_workflow(visit).connectors)
    found: Manifest | None = manifests[used[0]] if len(used) == 1 else None
    return found


def _kind(visit: Visit, kinds: tuple[ConnectionType, ...]) -> ConnectionType:
    if not kinds:
        raise InputError("This account has a type that its connector doesn't know any more.")
    return next((kind for kind in kinds if kind.id == visit.query.get("type")), kinds[0])


PLACES = (Place("/link", shown), Place("/link", sent, ["POST"]), Place("/link/workflow", read, ["POST"]))
