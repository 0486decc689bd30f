"""Connect sessions: links by which a host application's end users link their own accounts."""

from ....host.connect_sessions import LONGEST, SHORTEST, ConnectSessions, link_to
from ....host.needs import asked_of
from ....host.workflow.catalogue import runnable
from ..endpoint import JSON, Ask, Endpoint, Parameter
from ..shapes import ACTIONS, NAME, WHOLE, ref, sent, text

SESSION = Parameter("session", "A connect session's id.", text(minLength=1, maxLength=32, pattern="^[0-9a-f]+$"))
WORD = text(minLength=1, maxLength=200)
EXPIRES = {
    **WHOLE,
    "minimum": int(SHORTEST),
    "maximum": int(LONGEST),
    "default": 3600,
    "description": "Seconds until the link is void.",
}


def make(ask: Ask) -> JSON:
    wanted = dict(ask.body)
    owner, connector, seconds = wanted.pop("owner"), wanted.pop("connector"), wanted.pop("expires_in", 3600)
    if workflow := wanted.pop("workflow", ""):
        wanted["actions"] = list(dict.fromkeys([*wanted.get("actions", ()), *_asked(ask, connector, workflow)]))
    session, token = ConnectSessions(ask.host).make(owner, connector, seconds=seconds, **wanted)
    return {**session.as_dict(), "url": link_to(ask.hub.address, token)}


def _asked(ask: Ask, connector: str, name: str) -> tuple[str, ...]:
    """Of what a workflow is made now: the session isn't changed with it. Raises InputError and NotFoundError."""
    workflow = runnable(ask.host, ask.hub.workflows, name, "No link can be made for this workflow.")
    return asked_of(connector, workflow, ask.host.registry.manifests)


def show(ask: Ask) -> JSON:
    return ConnectSessions(ask.host).get(ask.path["session"]).as_dict()


def revoke(ask: Ask) -> JSON:
    return ConnectSessions(ask.host).revoke(ask.path["session"]).as_dict()


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/connect-sessions",
        name="make_connect_session",
        summary="Make a link by which an end user links an account",
        tag="Connect sessions",
        handler=make,
        answer=ref("NewConnectSession"),
        status=201,
        body=sent(
            {"owner": {**WORD, "description": "Your own name or id of whose account it will be."}, "connector": WORD},
            {
                "types": {"type": "array", "items": WORD, "maxItems": 20, "description": "Allowed; else all that can."},
                "app": {**WORD, "description": "The stored OAuth app to link with."},
                "actions": ACTIONS,
                "workflow": {**WORD, "description": "The name of a workflow that is known; for all that it asks."},
                "name": NAME,
                "return_url": text("Where the end user is led back to.", minLength=1, maxLength=2000),
                "expires_in": EXPIRES,
            },
        ),
        errors=(404,),
        description="Lead the end user to `url`; it is told this once, and works until an account is linked. Then ask "
        "for the session until its `status` is `linked` and `connection` names the account.",
    ),
    Endpoint(
        method="GET",
        path="/connect-sessions/{session}",
        name="get_connect_session",
        summary="Where a connect session stands",
        tag="Connect sessions",
        handler=show,
        answer=ref("ConnectSession"),
        path_parameters=(SESSION,),
    ),
    Endpoint(
        method="DELETE",
        path="/connect-sessions/{session}",
        name="revoke_connect_session",
        summary="Make a link void that wasn't used yet",
        tag="Connect sessions",
        handler=revoke,
        answer=ref("ConnectSession"),
        path_parameters=(SESSION,),
    ),
)
