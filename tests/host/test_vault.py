"""The vault: what it seals opens in one place only, and a wrong or lost key is told, never papered over."""

import base64
import os
import secrets
import stat
import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from apollo_component.contract.errors import StoreError
from apollo_component.contract.models import Credential
from apollo_component.host import vault as vaults
from apollo_component.host.settings import Settings
from apollo_component.host.store import Store
from apollo_component.host.tables import connections
from apollo_component.host.vault import Vault, open_vault

PLACE = ("c1", "oauth2", "credential", 3)
VAULT = Vault(b"k" * 32)
SEALED = VAULT.seal(b"canary", *PLACE)


def encoded(key: bytes) -> str:
    return base64.b64encode(key).decode()


def test_a_sealed_value_opens_at_its_own_place():
    """What was sealed comes back unchanged for the same place, and its bytes don't show it."""
    assert VAULT.open(SEALED, *PLACE) == b"canary"
    assert b"canary" not in SEALED
    assert VAULT.seal(b"canary", *PLACE) != SEALED


@pytest.mark.parametrize(
    "place",
    [
        ("c2", "oauth2", "credential", 3),
        ("c1", "api_key", "credential", 3),
        ("c1", "oauth2", "client_secret", 3),
        ("c1", "oauth2", "credential", 2),
        ("c1", "oauth2", "credential", 4),
        ("c1", "oauth2", "credential"),
    ],
)
def test_a_value_moved_elsewhere_is_refused(place):
    """Another row, type, field or version can't use a sealed value, older ones of the same row included."""
    with pytest.raises(StoreError, match="changed or moved"):
        VAULT.open(SEALED, *place)


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused(position, change):
    """No byte of a sealed value can be changed unnoticed."""
    broken = bytearray(SEALED)
    broken[position] ^= change
    with pytest.raises(StoreError):
        VAULT.open(bytes(broken), *PLACE)


@pytest.mark.parametrize("length", range(0, len(SEALED), 3))
def test_a_shortened_value_is_refused(length):
    """However much of a sealed value is missing, it is an error of the store."""
    with pytest.raises(StoreError):
        VAULT.open(SEALED[:length], *PLACE)


def test_another_key_is_named_beside_the_right_one():
    """A value sealed with another key is refused in words that name both keys, and show neither."""
    other = Vault(b"o" * 32)
    with pytest.raises(StoreError) as caught:
        other.open(SEALED, *PLACE)
    assert VAULT.key_id in str(caught.value)
    assert other.key_id in str(caught.value)
    assert "kkk" not in repr(VAULT)


def test_a_new_home_gets_a_key_for_its_owner_alone(settings, store):
    """The first start makes a key file that only its owner may read, and nothing else beside it."""
    open_vault(settings, store)
    file = settings.home / "host.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(base64.b64decode(file.read_text())) == 32
    assert [name.name for name in settings.home.glob("host.key*")] == ["host.key"]


def test_a_key_file_is_never_overwritten(settings, store, monkeypatch):
    """The key file is opened so that an existing one can't be replaced."""
    seen = []
    real = os.open

    def watched(path, flags, *more):
        seen.append(flags)
        return real(path, flags, *more)

    monkeypatch.setattr(vaults.os, "open", watched)
    open_vault(settings, store)
    assert seen
    assert all(flags & os.O_EXCL for flags in seen)


def test_the_same_key_opens_again(settings, store):
    """A second start finds the key of the first."""
    sealed = open_vault(settings, store).seal(b"x", "p")
    assert open_vault(settings, store).open(sealed, "p") == b"x"


def test_a_lost_key_file_is_an_error_and_no_new_key(settings, store):
    """A database that was made with a key never gets another one silently."""
    made = open_vault(settings, store)
    (settings.home / "host.key").unlink()
    with pytest.raises(StoreError, match=made.key_id):
        open_vault(settings, store)
    assert not (settings.home / "host.key").exists()


def test_the_key_of_another_database_is_refused_by_both_names(settings, store):
    """A wrong WORKFLOW_HOST_KEY is refused in words that name the key given and the key wanted."""
    made = open_vault(settings, store)
    other = Vault(secrets.token_bytes(32))
    given_key = encoded(other._key)
    with pytest.raises(StoreError) as caught:
        open_vault(replace(settings, key=given_key), store)
    assert made.key_id in str(caught.value)
    assert other.key_id in str(caught.value)
    assert given_key not in str(caught.value)


def test_the_environment_wins_over_the_file(settings, store):
    """A key in the environment is used and no file is written for it."""
    chosen = replace(settings, key=encoded(b"e" * 32))
    assert open_vault(chosen, store).key_id == Vault(b"e" * 32).key_id
    assert not (settings.home / "host.key").exists()


@pytest.mark.parametrize(
    "text", ["short", encoded(b"k" * 31), encoded(b"k" * 33), "ä" * 44, "!" * 44, encoded(b"k" * 32)[:-1]]
)
def test_a_malformed_key_is_refused_without_showing_it(settings, store, text):
    """Anything but base64 of 32 bytes is refused, named by where it stands."""
    with pytest.raises(StoreError, match="WORKFLOW_HOST_KEY") as caught:
        open_vault(replace(settings, key=text), store)
    assert text not in str(caught.value)


@pytest.mark.parametrize("raw", [b"", b"short", b"\xff\xfe" * 30])
def test_a_damaged_key_file_is_refused(settings, store, raw):
    """A key file that holds no key is an error, never a reason for a new key."""
    file = settings.home / "host.key"
    file.write_bytes(raw)
    with pytest.raises(StoreError, match=r"host\.key"):
        open_vault(settings, store)
    assert file.read_bytes() == raw


def test_a_forged_check_value_is_refused(settings, store):
    """A key is known by proof, not by its short name."""
    open_vault(settings, store)
    with store.write() as database:
        database.exec_driver_sql("UPDATE host_keys SET check_value = 'forged'")
    with pytest.raises(StoreError):
        open_vault(settings, store)


def test_hosts_that_start_together_end_with_one_key(settings):
    """Twelve starts at one moment in a new home agree on one key."""
    gate, found = threading.Barrier(12), []

    def go():
        store = Store.open(settings.database_url)
        gate.wait()
        found.append(open_vault(settings, store).key_id)
        store.close()

    threads = [threading.Thread(target=go) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    assert len(set(found)) == 1


def test_a_stored_secret_copied_to_another_row_is_refused(host, key):
    """Whoever can write the database can't give one connection the credential of another, or an older one back."""
    other = host.connections.add("other", "demo", Credential("api_key", api_key="canary-other"))
    with host.store.write() as connection:
        secret = sa.select(connections.c.secret).where(connections.c.id == other.id).scalar_subquery()
        connection.execute(sa.update(connections).where(connections.c.id == key.id).values(secret=secret))
    with pytest.raises(StoreError, match="changed or moved"):
        host.connections.credential(key)


def test_an_old_credential_put_back_is_refused(host, key):
    """A credential that was replaced can't be replayed into its own row."""
    old = host.store.rows(sa.select(connections))[0]["secret"]
    host.connections.replace_credential(key, Credential("api_key", api_key="canary-new"), "linked again", "")
    with host.store.write() as connection:
        connection.execute(sa.update(connections).values(secret=old))
    with pytest.raises(StoreError, match="changed or moved"):
        host.connections.current(key.id)


def test_settings_show_no_key(tmp_path):
    """The settings' repr shows the home and nothing of the key."""
    text = repr(Settings(tmp_path, "sqlite://", key="canary"))
    assert "canary" not in text
