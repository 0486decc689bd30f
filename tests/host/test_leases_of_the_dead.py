"""A process that is gone on this machine holds nothing up."""

import sqlalchemy as sa

from apollo_component.host.leases import Leases, new_owner
from apollo_component.host.tables import leases as table


def test_the_lease_of_a_process_that_is_gone_here_is_free_at_once(store, clock):
    """On this machine it is looked at whether the process lives; of another machine only the time tells."""
    leases, here = Leases(store, clock), new_owner().split("/")[0]
    for name, owner, free in (("dead", f"{here}/4194999/aaaaaaaaaa", True), ("far", "far/4194999/aaaaaaaaaa", False)):
        assert leases.acquire(name, 20)
        with store.write(name) as connection:
            connection.execute(sa.update(table).where(table.c.name == name).values(owner=owner))
        assert bool(leases.acquire(name, 20)) is free, name
    clock.now += 20
    assert leases.acquire("far", 20)
