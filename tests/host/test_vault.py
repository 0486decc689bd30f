"""The vault: a wrong or lost key is told, never papered over; rows that were moved or put back are refused."""

import threading
import time
from dataclasses import replace

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from apollo_component.contract.errors import StoreError
from apollo_component.contract.models import Credential, OAuthApp
from apollo_component.host import vault as vault_module
from apollo_component.host.key_files import KeySource
from apollo_component.host.sealing import Key
from apollo_component.host.settings import Settings
from apollo_component.host.store import Store
from apollo_component.host.tables import apps, connections, keys
from apollo_component.host.vault import Vault, open_vault

from .conftest import APP, add_oauth, in_threads

PLACE = ("c1", "oauth2", "credential", 1)
PUT_BACK = "Put the right key back (WORKFLOW_HOST_KEY or the key file)"


def said(caught):
    """The whole of what a person is told."""
    return caught.value.message, caught.value.hint


def sealed(vault, value=b"x"):
    with vault.store.write() as connection:
        return vault.to_seal(connection).seal(value, *PLACE)


def changed(host, table, identity, **values):
    """What somebody who can write the database does."""
    with host.store.write() as connection:
        connection.execute(sa.update(table).where(table.c.id == identity).values(**values))


def row(host, table, identity):
    return host.store.row(sa.select(table).where(table.c.id == identity))


def test_the_same_key_opens_again(settings, store):
    """A second start finds the key of the first."""
    value = sealed(open_vault(settings, store))
    assert open_vault(settings, store).open(value, *PLACE) == b"x"


def test_a_lost_key_file_is_an_error_and_no_new_key(settings, store):
    """A database that was made with a key never gets another one silently."""
    made = open_vault(settings, store)
    (settings.home / "host.key").unlink()
    with pytest.raises(StoreError) as caught:
        open_vault(settings, store)
    assert said(caught) == (
        (
            f"The host's key is missing: the database was made with key {made.key_id}, and there is none in "
            f"WORKFLOW_HOST_KEY or in {settings.home / 'host.key'}."
        ),
        "Put the key back from your backup. Without it every account must be linked again in a new home.",
    )
    assert not (settings.home / "host.key").exists()


def test_the_key_of_another_database_is_refused_by_both_names(settings, store):
    """A wrong WORKFLOW_HOST_KEY is refused in words that name the keys given and the key wanted, also with the right
    one in the file."""
    made, other, older = open_vault(settings, store), Key.new(), Key.new()
    with pytest.raises(StoreError) as caught:
        open_vault(replace(settings, key=other.text(), old_keys=older.text()), store)
    assert said(caught) == (
        f"The host's key is {other.id}, {older.id}, but the database's is {made.key_id}.",
        f"{PUT_BACK}, or choose another WORKFLOW_HOST_HOME.",
    )


def test_a_key_of_the_environment_makes_no_file(settings, store):
    """A new database can be made with a given key."""
    chosen = Key.new()
    assert open_vault(replace(settings, key=chosen.text()), store).key_id == chosen.id
    assert not (settings.home / "host.key").exists()


def test_a_value_of_a_key_that_is_not_here_names_both(settings, store):
    """A value sealed with another key is refused in words that name both keys, and show neither."""
    vault, other = open_vault(settings, store), Key.new()
    with pytest.raises(StoreError) as caught:
        vault.open(other.seal(b"x", *PLACE), *PLACE)
    assert said(caught) == (
        f"A stored secret was sealed with key {other.id}, but here is only {vault.key_id}.",
        f"{PUT_BACK}.",
    )


def test_keys_that_the_database_does_not_know_are_not_used(settings, store):
    """A key that merely lies beside the right one opens nothing that somebody sealed with it."""
    source = KeySource(settings)
    vault, planted = open_vault(settings, store), Key.new()
    source.write([*source.read(), planted])
    assert set(open_vault(settings, store)._held) == {vault.key_id}


def test_which_key_was_first_is_noted_with_its_time(settings, store):
    """The first key is the current one from its making on; a second start notes nothing anew."""
    before = time.time()
    made = open_vault(settings, store)
    open_vault(settings, store)
    [key] = KeySource(settings).read()
    [noted] = store.rows(sa.select(keys))
    assert before <= noted.pop("created_at") <= time.time()
    assert noted == {"id": made.key_id, "check_value": key.check_value, "state": "current", "retired_at": None}


def test_of_two_first_starts_one_wins(settings, store, monkeypatch):
    """A start that found no key noted, and was overtaken by one that noted another, is refused like any wrong key."""
    first, second = Key.new(), Key.new()
    monkeypatch.setattr(vault_module, "_current", lambda _store: {})
    assert open_vault(replace(settings, key=first.text()), store).key_id == first.id
    with pytest.raises(StoreError) as caught:
        open_vault(replace(settings, key=second.text()), store)
    assert caught.value.message == f"The host's key is {second.id}, but the database's is {first.id}."
    assert open_vault(replace(settings, key=first.text()), store).key_id == first.id


def test_a_key_that_came_into_use_is_learnt_once(settings, store, monkeypatch):
    """A running process finds the new key in the key file, keeps the ones it has, and doesn't read the file for each
    secret."""
    vault, new = open_vault(settings, store), Key.new()
    old = vault.key_id
    source = KeySource(settings)
    source.write([*source.read(), new])
    reads, read = [], KeySource.read
    monkeypatch.setattr(KeySource, "read", lambda self: reads.append(1) or read(self))
    value = new.seal(b"y", *PLACE)
    assert [vault.open(value, *PLACE) for _ in range(3)] == [b"y"] * 3
    assert len(reads) == 1
    assert vault._held.keys() == {old, new.id}


def test_a_key_lies_ready_before_the_database_knows_it(settings, store):
    """The next key may stand first everywhere while the present one, named as old, goes on being used."""
    vault = open_vault(settings, store)
    present, new = KeySource(settings).read()[0], Key.new()
    both = open_vault(replace(settings, key=new.text(), old_keys=present.text()), store)
    assert both.key_id == present.id
    assert vault.open(sealed(both), *PLACE) == b"x"


def test_a_forged_check_value_is_refused(settings, store):
    """A key is known by proof, not by its short name, at the start and at each sealing."""
    vault = open_vault(settings, store)
    with store.write() as database:
        database.exec_driver_sql("UPDATE host_keys SET check_value = 'forged'")
    for use in (lambda: open_vault(settings, store), lambda: sealed(vault)):
        with pytest.raises(StoreError) as caught:
            use()
        assert said(caught) == (
            f"The database's check value of key {vault.key_id} is not that of the key with this name here.",
            "Put the database back from your backup, and find out who can write to it.",
        )


def test_hosts_that_start_together_end_with_one_key(settings):
    """Twelve starts at one moment in a new home agree on one key."""
    gate, found = threading.Barrier(12), []

    def go(_number):
        store = Store.open(settings.database_url)
        gate.wait()
        found.append(open_vault(settings, store).key_id)
        store.close()

    in_threads(12, go)
    assert len(found) == 12
    assert len(set(found)) == 1


def test_a_stored_secret_copied_to_another_row_is_refused(host, key):
    """Whoever can write the database can't give one connection the credential of another."""
    other = host.connections.add("other", "demo", Credential("api_key", api_key="canary-other"))
    changed(host, connections, key.id, secret=row(host, connections, other.id)["secret"])
    with pytest.raises(StoreError, match="changed or moved"):
        host.connections.credential(key)


def test_an_old_credential_put_back_is_refused(host, key):
    """A credential that was replaced can't be replayed into its own row, and a row's version can't be changed."""
    old = row(host, connections, key.id)["secret"]
    host.connections.replace_credential(key, Credential("api_key", api_key="canary-new"), "linked again", "")
    now = row(host, connections, key.id)
    for values in ({"secret": old}, {"secret": now["secret"], "version": 1}, {"secret": now["secret"], "version": 3}):
        changed(host, connections, key.id, **values)
        with pytest.raises(StoreError, match="changed or moved"):
            host.connections.current(key.id)
    changed(host, connections, key.id, secret=now["secret"], version=2)
    assert host.connections.current(key.id)[1].api_key == "canary-new"


ELSEWHERE = {"servers_json": '{"api":"https://elsewhere.example"}', "redirect_uris_json": "[]", "version": 7}


@pytest.mark.parametrize("column", ["connector", "type", "app_id", "servers_json"])
def test_a_credential_can_not_be_sent_elsewhere(host, clock, column):
    """Whoever can write the database can't change whom a credential is given to: its connector, type, app and servers."""
    connection = add_oauth(host, clock)
    other = host.apps.add("other", "demo", OAuthApp("client-2", "canary-2"))
    value = other if column == "app_id" else ELSEWHERE.get(column, "elsewhere")
    changed(host, connections, connection.id, **{column: value})
    with pytest.raises(StoreError, match="changed or moved"):
        host.connections.current(connection.id)


@pytest.mark.parametrize("column", ["connector", "client_id", "redirect_uris_json", "servers_json", "version"])
def test_an_app_can_not_be_sent_elsewhere(host, column):
    """The secret of an app goes with its connector, client id, redirect addresses and servers only."""
    identity = host.apps.add("ours", "demo", APP)
    changed(host, apps, identity, **{column: ELSEWHERE.get(column, "elsewhere")})
    with pytest.raises(StoreError, match="changed or moved"):
        host.apps.get("ours")
    host.apps.remove("ours")
    assert host.apps.all() == []


def test_secrets_of_apps_and_connections_are_not_exchanged(host, key):
    """A secret of an app doesn't open as a credential, a credential not as the secret of an app, nor one app's as
    another's."""
    one, other = host.apps.add("one", "demo", APP), host.apps.add("other", "demo", APP)
    of_app, of_key = row(host, apps, one)["secret"], row(host, connections, key.id)["secret"]
    changed(host, connections, key.id, secret=of_app)
    for secret in (of_key, row(host, apps, other)["secret"]):
        changed(host, apps, one, secret=secret)
        with pytest.raises(StoreError, match="changed or moved"):
            host.apps.get(one)
    with pytest.raises(StoreError, match="changed or moved"):
        host.connections.current(key.id)


def test_a_credential_of_the_first_format_is_read_and_bound_anew(host, key, settings):
    """What an older version stored is read; with its next change it is bound to its connector."""
    [own] = KeySource(settings).read()
    changed(host, connections, key.id, secret=_first_format(own, b'{"api_key":"canary"}', key.id, "api_key"))
    assert host.connections.current(key.id)[1].api_key == "canary"
    host.connections.replace_credential(key, Credential("api_key", api_key="canary"), "x", "")
    assert row(host, connections, key.id)["secret"].startswith(b"wh2")
    changed(host, connections, key.id, connector="elsewhere")
    with pytest.raises(StoreError, match="changed or moved"):
        host.connections.current(key.id)


def _first_format(key, value, identity, kind):
    """As the first version sealed it."""
    header = b"wh1" + key.id.encode()
    bound = b"\0".join([header, identity.encode(), kind.encode(), b"credential", b"1"])
    return header + b"n" * 12 + AESGCM(key._bytes).encrypt(b"n" * 12, value, bound)


def test_while_the_new_key_is_not_here_the_one_being_replaced_seals(settings, store):
    """A pair of tokens that just arrived is kept under a key that is at hand and not retired yet; after that it is an
    error that names both keys."""
    vault, new = open_vault(settings, store), Key.new()
    own = vault.key_id
    with store.write() as connection:
        connection.execute(sa.update(keys).values(state="retiring"))
        connection.execute(sa.insert(keys).values(id=new.id, check_value=new.check_value, created_at=0))
    value = sealed(vault)
    assert vault.open(value, *PLACE) == b"x"
    with pytest.raises(StoreError) as caught, store.write() as connection:
        vault.current(connection)
    assert said(caught) == (f"New secrets are sealed with key {new.id}, but here is only {own}.", f"{PUT_BACK}.")
    with store.write() as connection:
        connection.execute(sa.update(keys).where(keys.c.id == own).values(state="retired", retired_at=0.0))
    with pytest.raises(StoreError, match=own) as caught:
        sealed(vault)
    assert new.id in str(caught.value)


def test_a_row_of_a_retired_key_is_refused_although_the_key_is_still_in_the_file(settings, store):
    """An old copy of a row doesn't come back with the help of a key file that was not cleared."""
    vault = open_vault(settings, store)
    value, old, new = sealed(vault), vault.key_id, Key.new()
    source = KeySource(settings)
    source.write([*source.read(), new])
    with store.write() as connection:
        connection.execute(sa.update(keys).values(state="retired", retired_at=86400.0))
        connection.execute(sa.insert(keys).values(id=new.id, check_value=new.check_value, created_at=0))
    for fresh in (open_vault(settings, store), Vault(store, source)):
        with pytest.raises(StoreError) as caught:
            fresh.open(value, *PLACE)
        assert said(caught) == (
            f"A stored secret is older than the last change of keys: its key {old} was retired on 1970-01-02.",
            "It was put back from an old copy. Link the account again, and find out who did that.",
        )
    with store.write() as connection:
        connection.execute(sa.update(keys).values(retired_at=None))
    with pytest.raises(StoreError, match=f"{old} was retired\\."):
        fresh.open(value, *PLACE)


def test_a_process_that_runs_on_forgets_a_retired_key(settings, store, monkeypatch):
    """An old copy of a row doesn't come back through a process that had the key before it was retired: ten seconds
    later at most it has noticed. What it opens meanwhile costs no question each."""
    seconds = [0.0]
    monkeypatch.setattr(vault_module, "monotonic", lambda: seconds[0])
    vault, asked = open_vault(settings, store), []
    value, old, new = sealed(vault), vault.key_id, Key.new()
    source = KeySource(settings)
    source.write([*source.read(), new])
    assert vault.open(value, *PLACE) == b"x"
    with store.write() as connection:
        connection.execute(sa.update(keys).values(state="retired", retired_at=86400.0))
        connection.execute(sa.insert(keys).values(id=new.id, check_value=new.check_value, created_at=0))
    heard = lambda *_: asked.append(1)  # noqa: E731
    sa.event.listen(store.engine, "before_cursor_execute", heard)
    seconds[0] = 9.9
    assert [vault.open(value, *PLACE) for _ in range(9)] == [b"x"] * 9
    assert asked == []
    seconds[0] = 10.0
    with pytest.raises(StoreError, match=f"{old} was retired on 1970-01-02"):
        vault.open(value, *PLACE)
    assert vault.open(sealed(vault), *PLACE) == b"x"
    asked.clear()
    vault.open(new.seal(b"y", *PLACE), *PLACE)
    assert asked == []


def test_settings_show_no_key(tmp_path):
    """The settings' repr shows the home and nothing of the keys."""
    text = repr(Settings(tmp_path, "sqlite://", key="canary", old_keys="canary"))
    assert "canary" not in text
