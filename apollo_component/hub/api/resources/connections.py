"""Linked accounts, and the apps that some are linked with."""

from typing import Any

from ....contract.models import TestReport
from ....host import linking
from ....host.connections import Connection
from ....host.dependents import users
from ....host.naming import find_action, find_node
from ..endpoint import JSON, Ask, Endpoint, Parameter, RefusedError
from ..paging import CURSOR, PAGED, cursor_for, place_of
from ..shapes import ACTIONS, MOMENT, NAME, TEXT, TRUTH, listed, mapped, obj, page_of, ref, sent, text

CONNECTION = Parameter(
    "connection", "A connection's id or name.", text(minLength=1, maxLength=100, pattern=r"^[\w][\w .@+-]*$")
)
WORD = text(minLength=1, maxLength=200)
SERVICE = (403, 409, 422, 429, 503)
"""Where a service is asked: what it may refuse."""
FIELDS = mapped(text(maxLength=10_000), "The form's values, as the connection type's `fields` describe them.")
CHOICES = obj({"items": listed(ref("Choice")), "next_cursor": {"type": ["string", "null"]}})


def connections(ask: Ask) -> JSON:
    limit, (start,) = ask.query["limit"], place_of(ask, int) or (0,)
    given = {name: ask.query.get(name, "") for name in ("text", "status")}
    found, count = ask.host.connections.search(
        **given, owner=ask.query.get("owner"), limit=limit, offset=min(max(start, 0), 10**9)
    )
    more = cursor_for(start + limit) if start + limit < count else None
    return {"items": [one.as_dict() for one in found], "next_cursor": more}


def connection(ask: Ask) -> JSON:
    return _connection(ask).as_dict()


def link(ask: Ask) -> JSON:
    """A new connection; one that is there is never changed by it."""
    body = ask.body
    manifest = ask.host.registry.manifest(body["connector"])
    linking.kind_of(ask.host, manifest.id, body["type"])
    wanted = (body["name"], body["type"], body["fields"], _chosen(ask, manifest.id))
    owner = body.get("owner", "")
    return _linked(*linking.link_key(ask.host, manifest.id, *wanted, owner=owner, existing="refused"))


def link_again(ask: Ask) -> JSON:
    """The connection keeps its id and its name."""
    found = _connection(ask)
    wanted = (found.name, found.type, ask.body["fields"], _chosen(ask, found.connector))
    return _linked(*linking.link_key(ask.host, found.connector, *wanted, existing="required"))


def rename(ask: Ask) -> JSON:
    return ask.host.connections.rename(_connection(ask), ask.body["name"]).as_dict()


def remove(ask: Ask) -> None:
    """Not under a workflow that would fail without it, unless that is asked for."""
    found = _connection(ask)
    used = users(ask.host, found.id)
    if used and not ask.query["used"]:
        raise RefusedError(
            409,
            "in_use",
            f"Enabled workflows use it: {', '.join(used)}.",
            hint="Disable them or enable them with another connection, or send used=true.",
        )
    ask.host.connections.remove(found)


def test(ask: Ask) -> JSON:
    found = _connection(ask)
    actions = _chosen(ask, found.connector)
    return _linked(*linking.test_stored(ask.host, found.id, actions, strict=ask.body.get("strict", False)))


def usage(ask: Ask) -> JSON:
    return ask.host.usage.report(_connection(ask).id).as_dict()


def history(ask: Ask) -> JSON:
    return {"items": ask.host.connections.history(_connection(ask))}


def options(ask: Ask) -> JSON:
    found = _connection(ask)
    manifest = ask.host.registry.manifest(found.connector)
    asked = find_node({manifest.id: manifest}, ask.query["action"])[1]
    (cursor,) = place_of(ask, str) or (None,)
    opened = ask.host.options.of(
        manifest, asked, ask.query["field"], found.id, search=ask.query.get("q", ""), cursor=cursor
    )
    more = None if opened.next_cursor is None else cursor_for(opened.next_cursor)
    return {"items": [_choice(one) for one in opened.choices], "next_cursor": more}


def apps(ask: Ask) -> JSON:
    return {"items": ask.host.apps.all()}


def _connection(ask: Ask) -> Connection:
    return ask.host.connections.get(ask.path["connection"])


def _chosen(ask: Ask, connector: str) -> tuple[str, ...]:
    """The actions that are named, and those that triggers ask. Raises NotFoundError."""
    manifests = {connector: ask.host.registry.manifest(connector)}
    nodes = [find_node(manifests, name)[1] for name in ask.body.get("actions", ())]
    asked = [getattr(node, "action", node.id) for node in nodes]
    return tuple(find_action(manifests, name)[1].id for name in asked if name)


def _linked(found: Connection, report: TestReport) -> dict[str, Any]:
    return {"connection": found.as_dict(), "test": report.as_dict()}


def _choice(one: Any) -> dict[str, Any]:
    inner = {"choices": [_choice(each) for each in one.choices]} if one.choices else {}
    return {"label": one.label, "value": one.value, "type": one.type, **inner}


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/connections",
        name="list_connections",
        summary="Linked accounts, in the order of their names",
        tag="Connections",
        handler=connections,
        answer=page_of(ref("Connection")),
        query=(
            *PAGED,
            Parameter("text", "A part of the name, the owner or the account.", WORD),
            Parameter("status", "Only those of this status.", text(minLength=1, maxLength=40)),
            Parameter("owner", "Only those that were linked for this owner.", WORD),
        ),
    ),
    Endpoint(
        method="POST",
        path="/connections",
        name="link_connection",
        summary="Link an account by key: it is tested, and stored unless the service refuses it",
        tag="Connections",
        handler=link,
        answer=ref("Linked"),
        status=201,
        body=sent(
            {"connector": WORD, "type": WORD, "name": NAME, "fields": FIELDS},
            {"actions": ACTIONS, "owner": {**WORD, "description": "Whose it is, where that is an end user."}},
        ),
        errors=(404, *SERVICE),
        description="For keys that this host application's server holds. Let people link accounts with a connect "
        "session instead: then their secrets pass through nobody else's hands.",
    ),
    Endpoint(
        method="GET",
        path="/connections/{connection}",
        name="get_connection",
        summary="A linked account",
        tag="Connections",
        handler=connection,
        answer=ref("Connection"),
        path_parameters=(CONNECTION,),
    ),
    Endpoint(
        method="PATCH",
        path="/connections/{connection}",
        name="rename_connection",
        summary="Rename a linked account",
        tag="Connections",
        handler=rename,
        answer=ref("Connection"),
        path_parameters=(CONNECTION,),
        body=sent({"name": NAME}),
    ),
    Endpoint(
        method="DELETE",
        path="/connections/{connection}",
        name="remove_connection",
        summary="Remove a linked account and its secret",
        tag="Connections",
        handler=remove,
        answer=None,
        status=204,
        path_parameters=(CONNECTION,),
        query=(
            Parameter("used", "Also where enabled workflows use it, which then fail.", {**TRUTH, "default": False}),
        ),
        errors=(409,),
        description="What stays at the service is told by the connection type's `removal`.",
    ),
    Endpoint(
        method="PUT",
        path="/connections/{connection}/credential",
        name="link_again",
        summary="Give a connection by key a new key: it is tested first",
        tag="Connections",
        handler=link_again,
        answer=ref("Linked"),
        path_parameters=(CONNECTION,),
        body=sent({"fields": FIELDS}, {"actions": ACTIONS}),
        errors=SERVICE,
    ),
    Endpoint(
        method="POST",
        path="/connections/{connection}/test",
        name="test_connection",
        summary="Test a linked account; costs no credits",
        tag="Connections",
        handler=test,
        answer=ref("Linked"),
        path_parameters=(CONNECTION,),
        body=sent({}, {"actions": ACTIONS, "strict": TRUTH}),
        errors=SERVICE,
    ),
    Endpoint(
        method="GET",
        path="/connections/{connection}/usage",
        name="get_usage",
        summary="Credits and request quotas: allowed, used, left",
        tag="Connections",
        handler=usage,
        answer=ref("Usage"),
        path_parameters=(CONNECTION,),
        errors=SERVICE,
    ),
    Endpoint(
        method="GET",
        path="/connections/{connection}/history",
        name="get_history",
        summary="What happened to a linked account, the newest first, at most 200",
        tag="Connections",
        handler=history,
        answer=obj({"items": listed(obj({"at": MOMENT, "event": TEXT, "text": TEXT}))}),
        path_parameters=(CONNECTION,),
    ),
    Endpoint(
        method="GET",
        path="/connections/{connection}/options",
        name="list_options",
        summary="What may stand in an input of an action or a trigger: the choices of a drop-down",
        tag="Connections",
        handler=options,
        answer=CHOICES,
        path_parameters=(CONNECTION,),
        query=(
            Parameter("action", "An action's or a trigger's id.", WORD, required=True),
            Parameter("field", "The input's name, dotted where it is inside another.", WORD, required=True),
            Parameter("q", "What the choice's label holds.", WORD),
            CURSOR,
        ),
        errors=SERVICE,
    ),
    Endpoint(
        method="GET",
        path="/apps",
        name="list_apps",
        summary="The OAuth apps that are stored",
        tag="Connections",
        handler=apps,
        answer=obj({"items": listed(ref("App"))}),
    ),
)
