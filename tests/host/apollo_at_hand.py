"""A sandbox in this process behind the connector, so that a test can fill it with thousands of records at once."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import httpx
import orjson

from apollo_component.apollo.plugin import plugin
from apollo_component.apollo.quirks import QUIRKS
from apollo_component.connector.connector import Connector
from apollo_component.contract.errors import TransientError
from apollo_component.contract.models import Reply
from apollo_component.host.registry import Registry
from apollo_component.sandbox.app import Sandbox
from apollo_component.sandbox.state import Options
from apollo_component.sandbox.world.crm_records import blank_deal

CLASSES = ("default", "search", "enrichment", "enrichment_bulk")


class Apollo:
    """The sandbox and what lies before it. `ignored` are filters it doesn't see, `left_out` are keys that are taken
    out of the records of its answers, `lose` the operations whose next answer is lost."""

    def __init__(self) -> None:
        self.sandbox = Sandbox(Options())
        self.sandbox.state.quotas.overrides |= dict.fromkeys(CLASSES, (None, None, None))
        self.key = self.sandbox.state.keys.secrets["master"]
        self.ignored: set[str] = set()
        self.left_out: Callable[[dict[str, Any]], Iterable[str]] = lambda _record: ()
        self.lose: set[str] = set()
        self.operations: list[str] = []

    @property
    def now(self) -> float:
        return self.sandbox.state.clock.now()

    def registry(self, now: Callable[[], datetime]) -> Registry:
        made = Connector(plugin.manifest, QUIRKS, send=self.send, environ={}, now=now)
        made.schemas = plugin.schemas
        return Registry({"apollo": made})

    def deals(self, count: int, age: float = 86_400.0) -> None:
        """So many deals made a day ago; all names begin alike."""
        world = self.sandbox.state.world
        for number in range(count):
            own = world.new_id("deal")
            name = f"Renewal {number:04}"
            world.deals[own] = blank_deal(own, world.team_id, world.acting_admin["id"], name, self.now - age)

    def deal(self, name: str, age: float = 0.0) -> str:
        world = self.sandbox.state.world
        own = world.new_id("deal")
        world.deals[own] = blank_deal(own, world.team_id, world.acting_admin["id"], name, self.now - age)
        return own

    def send(self, request: Any, *, deadline: datetime, now: Callable[[], datetime]) -> Reply:
        self.operations.append(request.operation)
        body = request.json and {name: value for name, value in request.json.items() if name not in self.ignored}
        query = [(name, value) for name, value in request.query if name not in self.ignored]
        found = asyncio.run(self._asked(request, query, body))
        if request.operation in self.lose:
            self.lose.discard(request.operation)
            raise TransientError("no answer")
        return Reply(found.status_code, dict(found.headers), self._shown(found.content), "api.apollo.io")

    async def _asked(self, request: Any, query: list[tuple[str, str]], body: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.sandbox)
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.request(request.method, request.url, params=query, json=body, headers=request.headers)

    def _shown(self, content: bytes) -> bytes:
        answer = orjson.loads(content)
        for records in (value for value in answer.values() if isinstance(value, list)):
            for record in records:
                for name in self.left_out(record):
                    record.pop(name, None)
        return orjson.dumps(answer)
