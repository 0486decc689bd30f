"""Everything that changes while a sandbox runs, and how it is made anew."""

import contextlib
import gc
from collections.abc import Generator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from .agenda import Agenda
from .auth import Keys, make_keys
from .clock import Clock
from .courier import Courier
from .credit_ledger import Ledger
from .earlier import add_earlier
from .faults import Faults
from .ids import secret
from .oauth import DEFAULT_REDIRECT, Application, TokenStore
from .operations import OPERATIONS
from .quotas import Quotas
from .recorder import Recorder
from .settings import Settings
from .strange import Oddities
from .world import World, build_world

DEFAULT_PEOPLE = 2_000


@dataclass(frozen=True)
class Options:
    """What a sandbox is started with."""

    seed: int = 1
    people: int = DEFAULT_PEOPLE
    redirect_uris: tuple[str, ...] = ()
    strange: int = 0

    @property
    def registered(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((DEFAULT_REDIRECT, *self.redirect_uris)))


@dataclass
class State:
    """One running sandbox."""

    options: Options
    clock: Clock
    world: World
    keys: Keys
    tokens: TokenStore
    ledger: Ledger
    quotas: Quotas
    faults: Faults
    agenda: Agenda
    courier: Courier
    recorder: Recorder = field(default_factory=Recorder)
    settings: Settings = field(default_factory=Settings)
    cache: dict[bytes, Any] = field(default_factory=dict)
    answers: int = 0
    oddities: Oddities = field(default_factory=Oddities)


@contextlib.contextmanager
def _no_collection() -> Generator[None, None, None]:
    """Keeps the collector from walking a growing world over and over: nothing of it is garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def new_state(options: Options) -> State:
    """A fresh sandbox: the same options give the same world, keys and client."""
    clock = Clock()
    with _no_collection():
        world = build_world(options.seed, options.people)
        add_earlier(world, clock.now())
    app = Application(
        secret(options.seed, "client_id", 43), secret(options.seed, "client_secret", 43), options.registered
    )
    faults, agenda, settings = Faults(Random(f"faults/{options.seed}")), Agenda(), Settings(strange=options.strange)
    return State(
        options,
        clock,
        world,
        make_keys(world, OPERATIONS),
        TokenStore(options.seed, clock, app),
        Ledger(clock),
        Quotas(clock),
        faults,
        agenda,
        Courier(clock, agenda, faults, settings),
        settings=settings,
    )
