"""Each fault by the name it has in the table: what it does to the world, just before the work begins."""

from collections.abc import Callable

from . import door
from .bench import IMPATIENT, Target, World

Arm = Callable[[World, Target], None]
HOURS = 3 * 3600.0


def refused(world: World, _target: Target) -> None:
    world.door.shut()
    world.until_waiting(world.door.open_again)


def dns(world: World, _target: Target) -> None:
    _elsewhere(world, "https://nowhere.invalid")


def tls(world: World, _target: Target) -> None:
    _elsewhere(world, f"https://127.0.0.1:{world.bench.stranger.port}")


def _elsewhere(world: World, address: str) -> None:
    world.bench.lead_to(address)
    world.until_waiting(lambda: world.bench.lead_to(f"http://127.0.0.1:{world.door.port}"))


def at_door(misdeed: door.Misdeed, *, before: bool = False, impatient: bool = False) -> Arm:
    def arm(world: World, target: Target) -> None:
        world.door.strikes.append(door.Strike(target.path, before, misdeed))
        if impatient:
            world.patience = IMPATIENT
        world.until_waiting(world.door.calm)

    return arm


def at_service(kind: str, **more: object) -> Arm:
    def arm(world: World, target: Target) -> None:
        world.sandbox.tell("/faults", operation=target.operation, kind=kind, times=1, **more)

    return arm


def quota(window: str, seconds: int) -> Arm:
    """As the service words it; `retry-after` tells until when."""
    text = f"The maximum number of api calls allowed is 5 times per {window}. Please upgrade your plan"
    return at_service("status", status=429, body={"message": text}, headers={"retry-after": str(seconds)})


def expired(world: World, _target: Target) -> None:
    world.sandbox.tell("/tokens/expire")


def revoked(world: World, _target: Target) -> None:
    world.sandbox.tell("/tokens/revoke")


def when_answered(world: World, target: Target, action: Callable[[], None]) -> None:
    world.door.strikes.append(door.Strike(target.path, False, door.meanwhile(action)))


def full_before(world: World, _target: Target) -> None:
    world.fill()


def full_short(world: World, target: Target) -> None:
    when_answered(world, target, world.fill)
    world.clock.when_waiting = world.heal


def full_long(world: World, target: Target) -> None:
    when_answered(world, target, world.fill)


def locked_before(world: World, _target: Target) -> None:
    world.lock()
    world.clock.when_waiting = world.heal


def locked_after(world: World, target: Target) -> None:
    when_answered(world, target, world.lock)
    world.clock.when_waiting = world.heal


def jump(seconds: float) -> Arm:
    def arm(world: World, target: Target) -> None:
        def moved() -> None:
            world.clock.moved += seconds

        when_answered(world, target, moved)

    return arm


ARMS: dict[str, Arm] = {
    "refused": refused,
    "dns": dns,
    "tls": tls,
    "reset_before": at_door(door.reset, before=True),
    "reset_after": at_door(door.reset),
    "no_answer": at_door(door.stall, impatient=True),
    "slow_headers": at_door(door.drip, impatient=True),
    "truncated": at_door(door.cut),
    "bad_gzip": at_door(door.badly_packed),
    "bad_chunks": at_door(door.badly_chunked),
    "wrong_types": at_service("wrong_types"),
    "proxy_page": at_service("html"),
    "quota_minute": quota("minute", 20),
    "quota_hour": quota("hour", 3000),
    "quota_day": quota("day", 80_000),
    "unavailable": at_service("status", status=503),
    "server_error": at_service("status", status=500, body={"error": "Internal Server Error"}),
    "expired": expired,
    "revoked": revoked,
    "full_before": full_before,
    "full_short": full_short,
    "full_long": full_long,
    "locked_before": locked_before,
    "locked_after": locked_after,
    "clock_forward": jump(HOURS),
    "clock_back": jump(-HOURS),
}
WITH_TOKENS = {"expired", "revoked"}
"""These need a connection by OAuth; all others have one by key."""
