"""The palette: every action and trigger of the connectors, found by words, and what those that are ticked need."""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from ...host.connections import Connection
from ...host.needs import by_connector, lines, needs_of, remarks
from ..account_choices import account_choice
from ..choosing import SHOWS, Asked, Found, found, picked
from ..nodes import Node, nodes_of
from ..rendering import rendered
from ..visits import Place, Visit


def shown(visit: Visit) -> Response:
    manifests = visit.host.registry.manifests
    asked = Asked.of(visit.query, manifests)
    account = _account(visit, asked)
    there = found(asked, manifests, account, visit.hub.texts)
    return visit.page(
        "palette.html",
        manifests=manifests.values(),
        asked=asked,
        accounts=account_choice(visit.host.connections, "", account.name if account else asked.account),
        account=account,
        found=there,
        sections=_sections(there),
        names={node.name for node in there.shown},
        filled={node.group for node in there.shown},
        sizes=Counter(node.group for node in there.every),
        shows=SHOWS,
        told=_told(visit, asked, there, account),
        plan=_plan(visit, asked.picks),
    )


def search(visit: Visit) -> Response:
    """`{order, barred, count, account, known}`: names, the best first; reasons by name; sentences; and whether there
    is such an account."""
    manifests = visit.host.registry.manifests
    asked = Asked.of(visit.query, manifests)
    account = _account(visit, asked)
    there = found(asked, manifests, account, visit.hub.texts)
    order = [node.name for node in there.shown]
    return visit.told(
        {"order": order, "barred": there.barred, "known": account is not None, **_told(visit, asked, there, account)}
    )


def plan(visit: Visit) -> Response:
    """`{html, count}`: the tick-list of what was picked."""
    picks = picked(visit.query.getlist("pick"), visit.host.registry.manifests)
    html = rendered("palette_plan.html", {"visit": visit, "hub": visit.hub, "plan": _plan(visit, picks)})
    return visit.told({"html": html, "count": len(picks)})


def _account(visit: Visit, asked: Asked) -> Connection | None:
    return visit.host.connections.find(asked.account) if asked.account else None


def _sections(there: Found) -> list[tuple[Node, list[Node]]]:
    """The nodes by group, each with the first: groups and nodes that were found before the others."""
    ordered = dict.fromkeys([*(node.name for node in there.shown), *(node.name for node in there.every)])
    by_name = {node.name: node for node in there.every}
    groups: dict[str, list[Node]] = {}
    for name in ordered:
        groups.setdefault(by_name[name].group, []).append(by_name[name])
    return [(nodes[0], nodes) for nodes in groups.values()]


def _told(visit: Visit, asked: Asked, there: Found, account: Connection | None) -> dict[str, str]:
    texts = visit.hub.texts
    whole = len(there.shown) == len(there.every)
    count = texts("palette.all" if whole else "palette.some", count=len(there.shown), total=len(there.every))
    if not there.shown:
        count = texts("palette.nothing", query=asked.q) if asked.q.strip() else texts("palette.none_fits")
    if account is None:
        return {"count": count, "account": texts("accounts.no_such", name=asked.account) if asked.account else ""}
    able = len(there.every) - len(there.barred)
    kinds = visit.host.registry.manifests[account.connector].connection_types if _known(visit, account) else {}
    by_key = account.type in kinds and kinds[account.type].oauth is None
    text = texts("palette.able", account=account.name, count=able, total=len(there.every))
    return {"count": count, "account": f"{text} {texts('palette.by_key')}" if by_key else text}


def _known(visit: Visit, account: Connection) -> bool:
    return account.connector in visit.host.registry.manifests


def _plan(visit: Visit, picks: tuple[str, ...]) -> Mapping[str, Any]:
    """What was picked, what each connector needs for it, the tick-list as text, and where to link an account."""
    manifests = visit.host.registry.manifests
    if not picks:
        return {"picks": {}, "unlisted": [], "needs": [], "text": ""}
    needs = needs_of(manifests, picks)
    own: dict[str, list[str]] = {}
    for pick in picks:
        connector, _, name = pick.partition(".")
        own.setdefault(connector, []).append(name)
    each = [
        {
            "manifest": manifests[connector or picks[0].partition(".")[0]],
            "needs": one,
            "remarks": list(remarks(one)),
        }
        for connector, one in by_connector(needs).items()
    ]
    for one in each:
        connector = one["manifest"].id
        one["link"] = f"/link?{urlencode([('connector', connector), *(('for', name) for name in own[connector])])}"
    titles = {pick: _title(manifests, pick) for pick in picks}
    listed = {node.name for node in nodes_of(manifests.values())}
    unlisted = [pick for pick in picks if pick not in listed]
    return {"picks": titles, "unlisted": unlisted, "needs": each, "text": "\n".join(lines(needs))}


def _title(manifests: Mapping[str, Any], pick: str) -> str:
    connector, _, name = pick.partition(".")
    manifest = manifests[connector]
    return str((manifest.triggers.get(name) or manifest.actions[name]).title)


PLACES = (Place("/", shown), Place("/palette/search", search), Place("/palette/plan", plan))
