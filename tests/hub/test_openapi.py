"""The API keeps to its OpenAPI document, whatever is sent: no fault, and no answer that isn't documented."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Mount

from apollo_component.host import linking, running
from apollo_component.host.api_tokens import ApiTokens
from apollo_component.host.host import Host
from apollo_component.host.registry import Registry
from apollo_component.host.settings import Settings
from apollo_component.hub import tries
from apollo_component.hub.api.document import document
from apollo_component.hub.api.routes import BASE, ENDPOINTS
from apollo_component.hub.app import application
from apollo_component.hub.hub import Hub
from apollo_component.hub.sessions import Sessions

ADDRESS = "http://127.0.0.1:8765"
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "5"))
KNOWN = {
    "connectors": ["apollo"],
    "connections": ["Main"],
    "actions": ["people_api_search", "contacts_search", "contacts_create", "people_match"],
    "types": ["api_key", "oauth2"],
}
PLACES = {
    "path.connector": "connectors",
    "path.connection": "connections",
    "path.action": "actions",
    "query.action": "actions",
    "body.connector": "connectors",
    "body.connection": "connections",
    "body.action": "actions",
    "body.type": "types",
}
CONFIG = {
    # What fits the schema may still name an action, an app or a field that there isn't.
    "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "401", "403", "404", "409", "422", "429"]}},
    "generation": {"deterministic": True},
    "dictionaries": {name: {"values": values} for name, values in KNOWN.items()},
    "parameters": {place: {"dictionary": name, "probability": 0.8} for place, name in PLACES.items()},
}


TOLD = document(ENDPOINTS, f"{ADDRESS}{BASE}", "Hub")


class Served:
    """The document until there is a Hub; then the whole Hub."""

    app = Starlette(routes=[Mount("/", JSONResponse(TOLD))])

    async def __call__(self, scope, receive, send):
        """Requests in this process name another host than the Hub's; it would refuse them."""
        others = [pair for pair in scope.get("headers", ()) if pair[0] != b"host"]
        await self.app({**scope, "headers": [*others, (b"host", b"127.0.0.1:8765")]}, receive, send)


served = Served()


@pytest.fixture(scope="module")
def schema():
    """The document as the library reads it, which takes seconds to import."""
    import schemathesis
    from schemathesis.config import SchemathesisConfig

    config = SchemathesisConfig.from_dict(CONFIG)
    return schemathesis.openapi.from_asgi(f"{BASE}/openapi.json", served, config=config)


@pytest.fixture(scope="module")
def secret(schema, tmp_path_factory, sandbox_process, registered):
    """A token for the API of a Hub over a host of its own, in which an account is linked."""
    home: Path = tmp_path_factory.mktemp("openapi")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in sandbox_process.env.items():
            patch.setenv(name, value)
        sandbox_process.control("POST", "/reset", {})
        host = Host.open(Settings(home, f"sqlite:///{home / 'host.db'}"), Registry.installed())
        main, _ = linking.link_key(host, "apollo", "Main", "api_key", {"api_key": sandbox_process.keys["master"]})
        running.run(host, running.chosen(host, main.id, "contacts_search", {}), lambda _page: None)
        patch.setattr(tries, "TRIES", 10**9)
        served.app = application(Hub(host, Sessions(lambda _token: None, host.clock), ADDRESS))
        yield ApiTokens(host.store, host.clock).add("test")[1]
        host.close()


OPERATIONS = [(path, method) for path, methods in TOLD["paths"].items() for method in methods if method != "parameters"]


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_documented(schema, secret, path, method):
    """Statuses, kinds of content, shapes and headers are those of the document; no request is a fault of the Hub."""

    @settings(max_examples=EXAMPLES, deadline=timedelta(seconds=30), suppress_health_check=list(HealthCheck))
    @given(case=schema[path][method.upper()].as_strategy())
    def keeps(case):
        case.call_and_validate(headers={"Authorization": f"Bearer {secret}"})

    keeps()
