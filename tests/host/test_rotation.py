"""Rotation: online, taken up again after a stop anywhere, and the old key goes only when nothing needs it."""

import pytest
import sqlalchemy as sa

from apollo_component.contract.errors import InputError, StoreError
from apollo_component.contract.models import Credential
from apollo_component.host import linking
from apollo_component.host.host import Host
from apollo_component.host.key_files import KeySource
from apollo_component.host.rotation import Rotation, listed
from apollo_component.host.sealing import Key
from apollo_component.host.settings import Settings
from apollo_component.host.store import Store
from apollo_component.host.tables import apps, connections, keys
from apollo_component.host.vault import Vault

from .conftest import APP, TOKEN_PATH, add_oauth, answer, forget_servers, in_threads

COUNT = 7


@pytest.fixture
def opened(database_url, tmp_path, registry, clock):
    """Hosts of one machine (one home) on one database, or of several."""
    stores = []

    def open_(home="home", **given):
        folder = tmp_path / home
        folder.mkdir(mode=0o700, exist_ok=True)
        stores.append(Store.open(database_url))
        settings = Settings(folder, database_url, **given)
        return Host.open(settings, registry, store=stores[-1], clock=clock, sleep=clock.sleep)

    yield open_
    for store in stores:
        store.close()


@pytest.fixture
def filled(opened):
    """A host with connections and an app, all sealed."""
    host = opened()
    for number in range(COUNT):
        host.connections.add(f"c{number}", "demo", Credential("api_key", api_key=f"canary-{number}"))
    host.apps.add("app", "demo", APP)
    return host


def rotation(host, vault=None):
    """In batches of three, so that there are several."""
    return Rotation(host.store, vault or host.connections.vault, host.clock, lambda _seconds: None, batch=3)


def rotated(host):
    return [progress.step for progress in rotation(host).steps()]


def source(host):
    return KeySource(host.settings)


def states(host):
    return {row["id"]: (row["state"], row["secrets"]) for row in listed(host.store, host.connections.vault)}


def readable(host):
    """Everything that is stored, opened."""
    found = {item.name: host.connections.credential(item).api_key for item in host.connections.all()}
    assert found == {f"c{number}": f"canary-{number}" for number in range(len(found))}
    assert host.apps.get("app")[1] == APP
    return len(found)


def test_a_rotation_seals_everything_anew_and_forgets_the_old_key(filled):
    """Afterwards every secret is under a new key, the old one is retired and gone from the file; and the versions are
    the same, so that nobody's work was disturbed."""
    [old] = source(filled).read()
    before = {item.name: item.version for item in filled.connections.all()}
    assert rotated(filled) == ["began", "sealed", "sealed", "sealed", "sealed", "retired", "removed"]
    [new] = source(filled).read()
    assert new != old
    assert states(filled) == {old.id: ("retired", 0), new.id: ("current", COUNT + 1)}
    assert {item.name: item.version for item in filled.connections.all()} == before
    assert readable(filled) == COUNT


def test_processes_that_began_before_go_on_with_the_new_key(opened, filled):
    """A host that was opened before the rotation reads what was sealed anew, and seals with the new key itself."""
    other = opened()
    rotated(filled)
    assert readable(other) == COUNT
    added = other.connections.add(f"c{COUNT}", "demo", Credential("api_key", api_key=f"canary-{COUNT}"))
    assert other.connections.replace_credential(added, other.connections.credential(added), "x", "")
    [new] = source(filled).read()
    assert states(filled)[new.id] == ("current", COUNT + 2)


@pytest.mark.parametrize("stopped", range(8))
def test_stopped_after_any_step_everything_is_readable_and_it_is_finished_later(opened, filled, stopped):
    """Wherever a rotation stops, old and new processes read everything and can change it; the next one ends it."""
    [old] = source(filled).read()
    steps = rotation(opened()).steps()
    taken = [progress.step for _, progress in zip(range(stopped), steps, strict=False)]
    steps.close()
    for host in (filled, opened()):
        assert readable(host) == COUNT
    some = filled.connections.get("c3")
    assert filled.connections.replace_credential(some, filled.connections.credential(some), "x", "")
    after = rotated(opened())
    assert len([step for step in (*taken, *after) if step == "began"]) == 1 + (taken[-1:] == ["removed"])
    [new] = source(filled).read()
    assert states(filled)[new.id] == ("current", COUNT + 1)
    assert states(filled)[old.id] == ("retired", 0)
    assert readable(opened()) == COUNT


def test_stopped_before_the_database_names_the_new_key_it_is_taken_up(opened, filled):
    """A key that lies in the file alone opens nothing yet; the next rotation takes it and makes no other."""
    [old] = source(filled).read()
    new = Key.new()
    source(filled).write([old, new])
    assert readable(opened()) == COUNT
    assert states(filled) == {old.id: ("current", COUNT + 1), new.id: ("prepared", 0)}
    rotated(filled)
    assert source(filled).read() == [new]


def test_stopped_before_the_file_was_cleared_the_next_run_only_clears_it(opened, filled):
    """The old key is the last thing to go; what is left to do after a stop there begins no second rotation."""
    held = [*source(filled).read()]
    rotated(filled)
    [new] = source(filled).read()
    source(filled).write([*held, new])
    assert rotated(opened()) == ["removed"]
    assert source(filled).read() == [new]
    assert rotated(filled)[0] == "began"


def test_two_rotations_at_once_end_with_one_new_key(opened, filled):
    """Four rotations that begin together share the work of one or follow each other; no secret and no key is lost."""
    hosts, failed = [opened() for _ in range(4)], []

    def go(number):
        try:
            rotated(hosts[number])
        except Exception as error:
            failed.append(error)

    in_threads(4, go)
    assert not failed
    assert [state for state, _ in states(filled).values()].count("current") == 1
    assert len(source(filled).read()) == 1
    assert readable(opened()) == COUNT


def test_a_refresh_in_between_is_not_overwritten(filled):
    """A credential that changed after it was read and before it was written back stays as it changed."""

    class Meddled(Vault):
        def open(self, sealed, identity, *place):
            if place[0] == "api_key" and place[2] == 1:
                item = filled.connections.get(identity)
                filled.connections.replace_credential(item, Credential("api_key", api_key="canary-new"), "x", "")
            return super().open(sealed, identity, *place)

    list(rotation(filled, Meddled(filled.store, source(filled))).steps())
    assert {filled.connections.credential(item).api_key for item in filled.connections.all()} == {"canary-new"}
    [new] = source(filled).read()
    assert states(filled)[new.id] == ("current", COUNT + 1)


def test_a_refresh_under_way_on_a_machine_without_the_new_key_loses_nothing(opened, filled, service, clock):
    """While the service answers a refresh that opened its token with the old key, all else is sealed anew, but the old
    key isn't retired: the new pair is stored under it and sealed anew at last."""
    elsewhere = opened("elsewhere", key=source(filled).read()[0].text())
    connection = add_oauth(elsewhere, clock, age=2592000)
    told = []

    def slow(_request):
        for progress in steps:
            told.append(progress.step)
            if progress.step == "waiting":
                break
        return answer({"access_token": "access-1", "refresh_token": "refresh-1", "expires_in": 2592000})

    service.on(TOKEN_PATH, slow)
    steps = rotation(filled).steps()
    elsewhere.refresher.usable(connection.id)
    assert (told[0], told[-1]) == ("began", "waiting")
    assert "retired" not in told
    told += [progress.step for progress in steps]
    assert told[-2:] == ["retired", "removed"]
    assert filled.connections.current(connection.id)[1].refresh_token == "refresh-1"
    [new] = source(filled).read()
    assert states(filled)[new.id] == ("current", COUNT + 3)


def test_machines_with_key_files_of_their_own_are_prepared_first(opened, filled):
    """The prepared key is copied to the other machine while the present one is used; then one rotates, and the other
    goes on, and later clears its file."""
    prepared = rotation(filled).prepare()
    assert rotation(filled).prepare() == prepared
    (filled.settings.home.parent / "far").mkdir(mode=0o700)
    far_file = filled.settings.home.parent / "far" / "host.key"
    far_file.touch(mode=0o600)
    far_file.write_bytes(source(filled).file.read_bytes())
    far = opened("far")
    assert far.connections.vault.key_id != prepared
    assert rotated(filled)[0] == "began"
    assert filled.connections.vault.key_id == prepared
    assert readable(far) == COUNT
    assert rotated(far) == ["removed"]
    assert [key.id for key in source(far).read()] == [prepared]


def test_a_machine_that_was_not_prepared_is_told(opened, filled):
    """A process whose machine lacks the new key names both keys, sends nothing and loses nothing."""
    old = source(filled).read()[0]
    far = opened("far", key=old.text())
    rotated(filled)
    [new] = source(filled).read()
    with pytest.raises(StoreError, match=f"{new.id}.*{old.id}"):
        far.connections.current(far.connections.get("c1").id)
    with pytest.raises(StoreError, match=f"{new.id}.*{old.id}"):
        far.connections.add("late", "demo", Credential("api_key", api_key="x"))
    with pytest.raises(StoreError, match=f"{old.id}.*{new.id}"):
        opened("again", key=old.text())


def test_keys_of_the_environment_are_rotated_to_the_one_given(opened):
    """WORKFLOW_HOST_KEY is the new key and WORKFLOW_HOST_OLD_KEYS the present one; a second run has nothing to do, and
    no file is written."""
    old, new = Key.new(), Key.new()
    first = opened("env", key=old.text())
    first.connections.add("c0", "demo", Credential("api_key", api_key="canary-0"))
    assert rotated(first) == []
    both = opened("env", key=new.text(), old_keys=old.text())
    with pytest.raises(InputError, match="no key file"):
        rotation(both).prepare()
    assert rotated(both) == ["began", "sealed", "retired"]
    assert rotated(both) == []
    alone = opened("env", key=new.text())
    assert alone.connections.credential(alone.connections.get("c0")).api_key == "canary-0"
    assert list(both.settings.home.iterdir()) == []
    with pytest.raises(InputError, match="WORKFLOW_HOST_KEY"):
        rotated(opened("env", key=old.text(), old_keys=new.text()))


def test_a_secret_that_does_not_open_keeps_the_old_key(filled):
    """What was tampered with is named and left as it is, all else is sealed anew, and the old key stays until somebody
    has settled it."""
    [old] = source(filled).read()
    with filled.store.write() as connection:
        secret = sa.select(connections.c.secret).where(connections.c.name == "c1").scalar_subquery()
        connection.execute(sa.update(connections).where(connections.c.name == "c2").values(secret=secret))
        connection.execute(sa.update(apps).values(client_id="other"))
    with pytest.raises(StoreError, match="app 'app', connection 'c2'") as caught:
        rotated(filled)
    assert "keys rotate" in caught.value.hint
    assert states(filled)[old.id] == ("retiring", 2)
    assert old in source(filled).read()
    assert filled.connections.credential(filled.connections.get("c1")).api_key == "canary-1"
    filled.connections.remove(filled.connections.get("c2"))
    filled.apps.remove("app")
    assert rotated(filled) == ["resumed", "retired", "removed"]


def test_a_lost_key_can_not_be_rotated_away(opened, filled):
    """A half finished rotation whose old key isn't here any more says which secrets need it."""
    steps = rotation(filled).steps()
    next(steps)
    steps.close()
    new = source(filled).read()[1]
    with pytest.raises(StoreError, match=r"app 'app', connection 'c0', .*'c6'"):
        rotated(opened("alone", key=new.text()))
    assert rotated(filled)[-1] == "removed"


def test_an_old_row_put_back_after_a_rotation_is_refused(opened, filled):
    """Rotation ends the use of every older copy: a whole row, version and all, put back from before doesn't open, and
    the next rotation doesn't make it good."""
    old = filled.store.row(sa.select(connections).where(connections.c.name == "c0"))
    held = source(filled).read()
    rotated(filled)
    source(filled).write([*held, *source(filled).read()])
    with filled.store.write() as connection:
        connection.execute(sa.update(connections).where(connections.c.id == old["id"]).values(**old))
    fresh = opened()
    with pytest.raises(StoreError, match="was retired"):
        fresh.connections.current(old["id"])
    with pytest.raises(StoreError, match="'c0'"):
        rotated(fresh)
    assert held[0] in source(filled).read()


def test_a_key_file_of_two_databases_is_not_rotated(opened, filled):
    """A key that another database in the same home may need isn't thrown away."""
    (filled.settings.home / "host.db").touch()
    before = source(filled).read()
    with pytest.raises(InputError, match=r"host\.db"):
        rotated(filled)
    assert source(filled).read() == before


def test_no_key_and_no_secret_is_told(filled):
    """Neither the progress nor the list holds a key or a secret."""
    told = [repr(progress) for progress in rotation(filled).steps()] + [repr(states(filled))]
    for key in source(filled).read():
        assert key.text() not in "".join(told)
    assert "canary" not in "".join(told)


def test_a_database_of_before_is_upgraded_and_rotated(opened, filled):
    """What one key of an older version sealed is current after the upgrade of the schema."""
    forget_servers(filled)
    with filled.store.write() as connection:
        for column in ("state", "retired_at"):
            connection.exec_driver_sql(f"ALTER TABLE host_keys DROP COLUMN {column}")
        connection.exec_driver_sql("ALTER TABLE host_connections DROP COLUMN owner")
        for table in ("host_connections", "host_apps"):
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN servers_json")
        connection.exec_driver_sql("ALTER TABLE host_subscriptions DROP COLUMN looked_json")
        connection.exec_driver_sql("ALTER TABLE host_runs DROP COLUMN unattended")
        for index in ("runs_by_age", "runs_by_status", "runs_by_workflow", "runs_by_kind", "journal_costs"):
            connection.exec_driver_sql(f"DROP INDEX host_{index}")
        connection.exec_driver_sql("CREATE INDEX ix_host_runs_workflow ON host_runs (workflow)")
        for table in ("host_workers", "host_quotas", "host_connect_sessions", "host_attempts", "host_api_tokens"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
        for table in ("host_windows", "host_permits"):
            connection.exec_driver_sql(f"CREATE TABLE {table} (id INTEGER)")
        connection.exec_driver_sql("UPDATE host_schema SET version_num = '0002'")
    fresh = opened()
    assert [row["state"] for row in fresh.store.rows(sa.select(keys))] == ["current"]
    assert rotated(fresh)[-1] == "removed"
    moved = [linking.move(fresh, item.name) for item in fresh.connections.all()]
    assert [fresh.connections.credential(item).api_key for item in moved] == [f"canary-{n}" for n in range(COUNT)]


def test_an_app_of_one_connection_is_sealed_anew_too(filled, clock):
    """Apps without a name are not forgotten."""
    connection = add_oauth(filled, clock)
    rotated(filled)
    assert filled.apps.get(connection.app_id)[1] == APP
