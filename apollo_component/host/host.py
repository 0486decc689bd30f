"""The host, put together: one object a command line, a page or another program works with."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from .calls import Caller
from .clocks import Clock, shared_clock
from .connections import Apps, Connections
from .custom_fields import CustomFields
from .deliveries import Deliveries
from .journal import Journal
from .key_files import loose
from .late import Waiter
from .leases import Leases
from .limits import Limits
from .options import Options
from .refreshing import Refresher
from .registry import Registry
from .runner import Runner
from .runs import Runs
from .settings import Settings
from .store import Store
from .usage import Usages
from .vault import open_vault


@dataclass(frozen=True, slots=True)
class Host:
    """Everything shares one store and one clock, this machine's; `shared` is the one that all on the database agree
    on, by which leases and signs of life are told."""

    settings: Settings
    registry: Registry
    store: Store
    connections: Connections
    apps: Apps
    leases: Leases
    refresher: Refresher
    limits: Limits
    journal: Journal
    runs: Runs
    caller: Caller
    deliveries: Deliveries
    waiter: Waiter
    options: Options
    fields: CustomFields
    usage: Usages
    runner: Runner
    clock: Clock = time.time
    shared: Clock = time.time

    @classmethod
    def open(
        cls,
        settings: Settings | None = None,
        registry: Registry | None = None,
        *,
        store: Store | None = None,
        clock: Clock = time.time,
        sleep: Callable[[float], None] = time.sleep,
        notice: Callable[[str], None] = lambda _text: None,
    ) -> "Host":
        """Raises StoreError when the database or key can't be used, ManifestError for a broken plugin."""
        settings = settings or Settings.from_environment()
        with contextlib.ExitStack() as refused:
            if store is None:
                store = Store.open(settings.database_url)
                refused.callback(store.close)
            vault = open_vault(settings, store)
            for text in loose(settings, store.file):
                notice(f"Warning: {text}")
            registry = registry or Registry.installed()
            refused.pop_all()
        shared = shared_clock(store, clock)
        leases = Leases(store, shared)
        connections, apps = Connections(store, vault, registry, clock), Apps(store, vault, registry, clock)
        refresher = Refresher(connections, apps, registry, leases, clock, sleep)
        limits = Limits(store, clock, sleep, notice, reserve=settings.reserve, shared=shared)
        journal = Journal(store, clock, shared)
        deliveries = Deliveries(store, registry, settings.public_url, clock)
        caller = Caller(registry, connections, refresher, limits, journal, clock, sleep, deliveries.addressed)
        waiter = Waiter(caller, deliveries)
        runs = Runs(store, journal, leases, clock, settings.retention)
        options = Options(caller, clock)
        fields = CustomFields(options)
        caller.prepare = fields.prepared
        parts = (settings, registry, store, connections, apps, leases, refresher, limits, journal, runs, caller)
        rest = (deliveries, waiter, options, fields, Usages(caller, options))
        return cls(*parts, *rest, Runner(caller, notice, waiter), clock, shared)

    def close(self) -> None:
        self.store.close()
