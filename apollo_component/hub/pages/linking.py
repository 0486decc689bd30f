"""Linking an account: the form with its guide, for operators."""

from starlette.responses import Response

from ...contract.errors import ConnectorError, InputError, NotFoundError
from ...contract.manifest import ConnectionType, Manifest
from ..link_forms import LinkForm
from ..visits import Place, Visit


def shown(visit: Visit) -> Response:
    manifest = _manifest(visit)
    if manifest is None:
        manifests = sorted(visit.host.registry.manifests.values(), key=lambda one: one.title)
        return visit.page("link_connectors.html", manifests=manifests)
    return visit.page("link.html", form=_form(visit, manifest))


def sent(visit: Visit) -> Response:
    manifest = _manifest(visit)
    if manifest is None:
        return visit.to("/link")
    form = _form(visit, manifest)
    try:
        attempt = form.sent()
    except ConnectorError as error:
        return visit.page("link.html", 422, form=form.refused(error))
    return visit.to(f"/link/attempts/{attempt.id}")


def _form(visit: Visit, manifest: Manifest) -> LinkForm:
    again = visit.host.connections.get(visit.query["connection"]) if "connection" in visit.query else None
    kinds = tuple(manifest.connection_types.values())
    if again:
        kinds = tuple(kind for kind in kinds if kind.id == again.type)
    names = tuple(dict.fromkeys(visit.query.getlist("for")))
    if unknown := [name for name in names if name not in manifest.actions and name not in manifest.triggers]:
        raise NotFoundError(f"{manifest.title} has no action {unknown[0][:100]!r}.", hint="Choose it in the palette.")
    return LinkForm(visit, manifest, _kind(visit, kinds), kinds, names, again)


def _manifest(visit: Visit) -> Manifest | None:
    """The connector that is named, or the only one there is. Raises NotFoundError."""
    manifests = visit.host.registry.manifests
    name = visit.query.get("connector", "")
    if "connection" in visit.query:
        name = visit.host.connections.get(visit.query["connection"]).connector
    if name and name not in manifests:
        raise NotFoundError(f"There is no connector {name[:100]!r} here.")
    found: Manifest | None = manifests.get(name) or (next(iter(manifests.values())) if len(manifests) == 1 else None)
    return found


def _kind(visit: Visit, kinds: tuple[ConnectionType, ...]) -> ConnectionType:
    if not kinds:
        raise InputError("This account has a type that its connector doesn't know any more.")
    return next((kind for kind in kinds if kind.id == visit.query.get("type")), kinds[0])


PLACES = (Place("/link", shown), Place("/link", sent, ["POST"]))
