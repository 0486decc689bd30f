"""Everything the host does, as the columns of the table: prepare it, do it, do it again, and see what really happened."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from apollo_component.contract.errors import ConnectorError
from apollo_component.host.callbacks import serve
from apollo_component.host.calls import Call
from apollo_component.host.runner import Job
from apollo_component.host.workflow.engine import prepared
from apollo_component.host.workflow.file import parse_workflow
from apollo_component.host.workflow.subscriptions import Subscriptions
from apollo_component.host.workflow.sweeps import LEASE_SECONDS, Sweeps

from .bench import TOKENS, Target, World
from .strikes import WITH_TOKENS, Arm

FOLLOW = """\
name: follow
connections: {apollo: {connector: apollo, use: mine}}
trigger: {on: contact_created}
steps:
  - {id: one, action: users_api_profile}
"""
SLOW = 60
"""Seconds until a late result is there, by the service's clock."""


@dataclass
class Evidence:
    """What the host said of each try, and what the service saw. A try is an error, or None."""

    tries: list[ConnectorError | None] = field(default_factory=list)
    waits: int = 0
    worked: int = 0
    worked_at_first: int = 0
    doubts: list[str] = field(default_factory=list)
    result: Any = None
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def codes(self) -> list[str]:
        return [error.code if error else "ok" for error in self.tries]


class Work:
    """One cell: a world, the request that is struck, and the fault."""

    def __init__(self, world: World, fault: str) -> None:
        self.world, self.fault = world, fault
        self.found = Evidence()

    @property
    def target(self) -> Target:
        raise NotImplementedError

    def prepare(self) -> None:
        """All that comes before the fault."""

    def once(self) -> Any:
        """The work; raises a ConnectorError."""
        raise NotImplementedError

    def go_on(self, error: ConnectorError) -> None:
        """What a person does, or time, before it is tried again."""
        if error.code == "reauthorization_needed":
            self.world.link_again(self.connection)
        if error.code == "quota":
            self.world.clock.moved += 90_000

    def link(self, **more: Any) -> None:
        self.connection = self.world.tokens(**more) if more or self.fault in WITH_TOKENS else self.world.key()

    def attempt(self) -> None:
        before = self.world.clock.waits
        try:
            self.found.result = self.once()
            self.found.tries.append(None)
        except ConnectorError as error:
            self.found.tries.append(error)
        self.found.waits += self.world.clock.waits - before

    def run(self, arm: Arm) -> Evidence:
        """Strike, try; when that failed, set right what was wrong, and try once more, as a resumed run does."""
        self.link()
        self.prepare()
        self.world.begin_anew()
        arm(self.world, self.target)
        self.attempt()
        self.world.heal()
        self.found.worked_at_first = self.world.worked(self.target.operation)
        if error := self.found.tries[-1]:
            self.go_on(error)
            self.attempt()
        self.found.worked = self.world.worked(self.target.operation)
        self.found.doubts = self.world.doubts
        self.look()
        return self.found

    def look(self) -> None:
        """What else there is to see afterwards."""


class Effect(Work):
    """One request of an action; a call with the same key is what a resumed run makes."""

    action = ""
    on_unknown = "repeat"

    def values(self) -> dict[str, Any]:
        raise NotImplementedError

    @property
    def target(self) -> Target:
        return Target.of(self.world, self.action)

    def prepare(self) -> None:
        self.call: Call = self.world.call(self.connection, self.action, self.values(), on_unknown=self.on_unknown)

    def once(self) -> Any:
        return self.world.host.caller.page(self.call)

    def look(self) -> None:
        self.found.more = {
            "refreshes": self.world.refreshes,
            "status": self.world.host.connections.get(self.connection).status,
            "spent": self.world.spent,
            "credits": self.world.credits,
        }

    @property
    def person(self) -> dict[str, Any]:
        return self.world.bench.people[self.world.number % 50]

    @property
    def contact(self) -> str:
        return str(self.world.bench.contacts[self.world.number % 500]["id"])


class Read(Effect):
    action = "people_api_search"

    def values(self) -> dict[str, Any]:
        return {"per_page": 2}


class Update(Effect):
    action = "contacts_update"

    def values(self) -> dict[str, Any]:
        return {"contact_id": self.contact, "title": f"Title {self.world.number}"}


class Create(Effect):
    action = "contacts_create"

    def values(self) -> dict[str, Any]:
        self.email = f"cell{self.world.number}@faults.example"
        return {"first_name": "Ida", "last_name": "Berg", "email": self.email}

    def look(self) -> None:
        super().look()
        self.found.worked = len(self.world.sandbox.ask("/contacts", email=self.email)["contacts"])


class Blind(Effect):
    action = "tasks_bulk_create"

    def values(self) -> dict[str, Any]:
        user = self.world.sandbox.ask("/state")["acting_admin_id"]
        when = "2030-12-15T10:00:00Z"
        return {"user_id": user, "contact_ids": [self.contact], "type": "call", "status": "scheduled", "due_at": when}


class Bill(Effect):
    action = "people_match"

    def values(self) -> dict[str, Any]:
        return {"id": self.person["id"]}


class BillStop(Bill):
    on_unknown = "stop"


class Mail(Effect):
    action = "emailer_messages_send_now"

    def values(self) -> dict[str, Any]:
        body = {"contact_id": self.contact, "subject": f"Hello {self.world.number}", "body_html": "<p>Hi</p>"}
        return {"id": self.world.api("POST", "/emailer_messages", **body)["emailer_message"]["id"]}


class Refresh(Work):
    """A read with a token that is over, so that the tokens are refreshed first."""

    @property
    def target(self) -> Target:
        return TOKENS

    def link(self) -> None:  # type: ignore[override]
        now = self.world.clock.moment()
        super().link(issued_at=now - timedelta(days=30), expires_at=now - timedelta(minutes=1))

    def once(self) -> Any:
        call = self.world.call(self.connection, "users_api_profile", {})
        return self.world.host.caller.page(call)

    def look(self) -> None:
        self.found.more = {"refreshes": self.world.refreshes}
        link = self.world.host.connections.get(self.connection)
        self.found.more |= {"status": link.status, "reason": link.reason}


class Look(Work):
    """A trigger's look for a contact that was made."""

    @property
    def target(self) -> Target:
        return Target.of(self.world, self.world.manifest.triggers["contact_created"].action or "")

    def prepare(self) -> None:
        host = self.world.host
        self.workflow = parse_workflow(FOLLOW, host.registry.manifests)
        self.subscriptions = Subscriptions(host.store, host.clock)
        self.id, _ = self.subscriptions.enable(self.workflow, prepared(host, self.workflow, {}, {}), None, None)
        self.sweeps = Sweeps(host, self.subscriptions)
        self.once()
        made = {"first_name": "Ida", "last_name": "Berg", "email": f"cell{self.world.number}@faults.example"}
        self.made = self.world.sandbox.tell("/create", kind="contact", fields=made)["id"]

    def once(self) -> Any:
        return self.sweeps.look(self.subscriptions.get(self.id), self.workflow)

    def go_on(self, error: ConnectorError) -> None:
        """A lease that the database couldn't take back is waited out."""
        super().go_on(error)
        self.world.clock.moved += LEASE_SECONDS + 1

    def look(self) -> None:
        """Once more, as a worker goes on looking: what had its run gets no second one."""
        self.attempt()
        started = self.world.host.runs.started_by_subscriptions(100)
        self.found.more = {"started": [run.inputs["trigger"]["id"] for run in started], "made": self.made}


class Revealed(Work):
    """An enrichment whose phone number comes later."""

    @property
    def values(self) -> dict[str, Any]:
        return {"id": self.world.bench.people[0]["id"], "reveal_phone_number": True}

    def prepare(self) -> None:
        self.world.sandbox.tell("/settings", async_seconds=SLOW, webhook_retries=[30] * 20)
        self.call = self.world.call(self.connection, "people_match", self.values)
        self.page = self.world.host.caller.page(self.call)

    def look(self) -> None:
        self.found.more |= {"spent": self.world.spent, "credits": self.world.credits}
        self.found.more["asked"] = len(self.world.requests("people_match"))


class Late(Revealed):
    """Asking for it, as often as it takes; the service's clock goes with the host's."""

    @property
    def target(self) -> Target:
        return Target.of(self.world, "webhook_result_show")

    def prepare(self) -> None:
        super().prepare()
        self.world.clock.follower = lambda seconds: self.world.sandbox.tell("/clock", advance=seconds)
        self.world.sandbox.tell("/clock", advance=SLOW + 1)

    def once(self) -> Any:
        job = Job(self.world.run, self.connection, self.call.action, self.values)
        [page] = self.world.host.runner.pages(job)
        return page


class Delivery(Revealed):
    """The service brings it, and brings it again when that didn't go well."""

    AT_SERVICE: ClassVar = {
        "reset_before": "drop_before",
        "reset_after": "drop_after",
        "truncated": "truncate",
        "wrong_types": "wrong_types",
    }

    @property
    def target(self) -> Target:
        return Target.of(self.world, "people_match")

    def run(self, arm: Arm) -> Evidence:
        self.link()
        self.prepare()
        self.world.begin_anew()
        with self.open() if self.fault != "refused" else contextlib.nullcontext():
            self._struck(arm)
            self.come()
        self.world.heal()
        with self.open():
            self.come_again()
        return self.found

    def come(self) -> None:
        """The result is there, and is delivered for the first time."""
        self.world.sandbox.tell("/clock", advance=SLOW + 1)
        self.world.sandbox.tell("/webhooks")

    def come_again(self) -> None:
        """As often as the service wants."""
        for _ in range(20):
            self.world.sandbox.tell("/clock", advance=31)
            if all(one["state"] == "delivered" for one in self.world.sandbox.tell("/webhooks")):
                break
        self.found.tries.append(None)
        self.look()

    def _struck(self, arm: Arm) -> None:
        if kind := self.AT_SERVICE.get(self.fault):
            self.world.sandbox.tell("/faults", operation="webhook", kind=kind, times=1)
        elif self.fault.startswith("clock"):
            self.world.clock.moved += 3 * 3600 * (1 if self.fault == "clock_forward" else -1)
        elif self.fault != "refused":
            arm(self.world, self.target)

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        with serve(self.world.host, int(self.world.settings.public_url.rpartition(":")[2])):
            yield

    def look(self) -> None:
        deliveries = self.world.host.deliveries
        [expected] = deliveries.of(self.call.key)
        ids = self.page.late.ids if self.page.late else ()
        attempts = [
            one for one in self.world.sandbox.ask("/webhooks") if one["url"].startswith(self.world.settings.public_url)
        ]
        self.found.result = deliveries.arrived(self.call.key, "apollo", ids)
        self.found.more = {"expected": expected, "attempts": attempts[0]["attempts"], "state": attempts[0]["state"]}


def public_url() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


WORKS: dict[str, Callable[[World, str], Work]] = {
    "read": Read,
    "upsert": Update,
    "create": Create,
    "blind": Blind,
    "bill": Bill,
    "bill_stop": BillStop,
    "send": Mail,
    "refresh": Refresh,
    "look": Look,
    "delivery": Delivery,
    "late": Late,
}
