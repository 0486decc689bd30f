"""The linked accounts: whose they are, how they are, and what they have left."""

from typing import Any

from starlette.responses import Response

from ...contract.errors import ConnectorError, InputError, WrongServerError
from ...contract.manifest import ConnectionType
from ...host import linking
from ...host.connections import Connection
from ...host.dependents import removal, users
from ..account_choices import offered
from ..guides import titles
from ..rendering import on_page, sentence
from ..visits import Place, Visit

PER_PAGE = 50


def listed(visit: Visit) -> Response:
    text, status = visit.query.get("q", "").strip(), visit.query.get("status", "")
    number = max(1, int(visit.query.get("page", "1"))) if visit.query.get("page", "1").isdecimal() else 1
    connections = visit.host.connections
    found, total = connections.search(text, status, limit=PER_PAGE, offset=min(PER_PAGE * (number - 1), 2**31))
    pages = max(1, -(-total // PER_PAGE))
    asked: dict[str, Any] = {"q": text, "only": status, "number": number, "pages": pages}
    return visit.page(
        "accounts.html",
        found=found,
        total=total,
        statuses=connections.statuses(),
        kinds={item.id: _kind(visit, item) for item in found},
        **asked,
    )


def choices(visit: Visit) -> Response:
    """What a field for an account offers for the words in it: `{choices: [{label, value, note}], next_cursor}`."""
    asked = (visit.query.get(name, "") for name in ("connector", "q", "cursor"))
    return visit.told(offered(visit.host.connections, visit.hub.texts, *asked))


def shown(visit: Visit) -> Response:
    return _page(visit, visit.host.connections.get(visit.path["id"]))


def tested(visit: Visit) -> Response:
    connection, report = linking.test_stored(visit.host, visit.path["id"])
    return _page(visit, connection, report=report.as_dict())


def renamed(visit: Visit) -> Response:
    connection = visit.host.connections.get(visit.path["id"])
    try:
        visit.host.connections.rename(connection, visit.form.get("name", "").strip())
    except InputError as error:
        wrong = error.problems[0].text if error.problems else error.message
        return _page(visit, connection, 422, wrong=sentence(wrong))
    return visit.to(f"/accounts/{connection.id}")


def removed(visit: Visit) -> Response:
    """Says what stays at the service, in the list."""
    connection = visit.host.connections.get(visit.path["id"])
    text = removal(visit.host, connection)
    visit.host.connections.remove(connection)
    return visit.page("account_removed.html", name=connection.name, text=text)


def usage(visit: Visit) -> Response:
    """What the service itself tells; it is asked now, for free."""
    connection = visit.host.connections.get(visit.path["id"])
    try:
        report, problem = visit.host.usage.report(connection.id), ""
    except ConnectorError as error:
        report, problem = None, f"{error.message} {on_page(error.hint)}".strip()
    return visit.page("account_usage.html", connection=connection, report=report, problem=problem)


def _page(visit: Visit, connection: Connection, status: int = 200, **more: Any) -> Response:
    host = visit.host
    manifest = host.registry.manifests.get(connection.connector)
    names = [*connection.missed, *(check["name"] for check in (more.get("report") or {}).get("checks", []))]
    values: dict[str, Any] = {
        "connection": connection,
        "title": manifest.title if manifest else connection.connector,
        "kind": _kind(visit, connection),
        "titles": titles(manifest, names),
        "learnt": host.limits.of(connection.quota_scope),
        "history": host.connections.history(connection),
        "users": users(host, connection.id),
        "removal": removal(host, connection),
        "elsewhere": _elsewhere(visit, connection),
        "report": None,
        "wrong": "",
    }
    return visit.page("account.html", status, **values | more)


def _elsewhere(visit: Visit, connection: Connection) -> ConnectorError | None:
    """Why the account isn't used here: this Hub's requests go to other servers than its own."""
    try:
        visit.host.connections.check(connection)
    except WrongServerError as error:
        return error
    except ConnectorError:
        return None
    return None


def _kind(visit: Visit, connection: Connection) -> ConnectionType | None:
    """None once the connector is uninstalled."""
    manifest = visit.host.registry.manifests.get(connection.connector)
    return manifest.connection_types.get(connection.type) if manifest else None


PLACES = (
    Place("/accounts", listed),
    Place("/accounts/choices", choices),
    Place("/accounts/{id}", shown),
    Place("/accounts/{id}/test", tested, ["POST"]),
    Place("/accounts/{id}/name", renamed, ["POST"]),
    Place("/accounts/{id}/remove", removed, ["POST"]),
    Place("/accounts/{id}/usage", usage),
)
