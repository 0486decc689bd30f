"""The key file: for its owner alone, changed in one piece, and never followed elsewhere."""

import os
import stat
from dataclasses import replace

import pytest

from apollo_component.contract.errors import StoreError
from apollo_component.host.host import Host
from apollo_component.host.key_files import KeySource, loose
from apollo_component.host.sealing import Key


@pytest.fixture
def source(settings):
    return KeySource(settings)


def names(source):
    return sorted(file.name for file in source.settings.home.iterdir() if "key" in file.name)


def test_a_new_home_gets_a_key_for_its_owner_alone(source):
    """The first key's file may only be read by its owner, and nothing is left beside it."""
    key = source.create()
    assert stat.S_IMODE(source.file.stat().st_mode) == 0o600
    assert source.read() == [key]
    assert names(source) == ["host.key"]


def test_a_key_that_another_process_just_made_is_taken(source):
    """A key file is never overwritten by making a first key."""
    first = source.create()
    assert source.create() == first
    assert source.read() == [first]


def test_several_keys_stand_one_a_line(source):
    """The file keeps the order; empty lines don't matter."""
    made = [source.create(), Key.new(), Key.new()]
    source.write(made)
    assert source.read() == made
    source.file.write_text("\n" + source.file.read_text().replace("\n", "\n\n"))
    assert source.read() == made


def test_a_rewritten_file_stays_for_its_owner_alone(source):
    """A file that was made stricter or kept as it was is 0600 after it was written, and no draft is left."""
    key = source.create()
    (source.settings.home / ".host.key.0badcafe.draft").write_text("left by a kill")
    source.write([key, Key.new()])
    assert stat.S_IMODE(source.file.stat().st_mode) == 0o600
    assert names(source) == ["host.key"]


def test_a_killed_writer_leaves_the_file_as_it_was(source):
    """Whoever is stopped while he writes leaves a draft, never half a key file; the next writer removes it."""
    key = source.create()

    def stopped():
        yield Key.new()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        source.write(stopped())
    assert source.read() == [key]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_a_key_file_that_others_can_open_is_refused(source, mode):
    """As ssh does it: a key that others may have read isn't used, and the words say what to do."""
    source.create()
    source.file.chmod(mode)
    with pytest.raises(StoreError, match=f"{mode:04o}") as caught:
        source.read()
    assert "chmod 600" in caught.value.hint
    assert "keys rotate" in caught.value.hint
    source.file.chmod(0o400)
    assert len(source.read()) == 1


def test_a_symbolic_link_is_not_followed(source):
    """A link could lead to a file that others exchange, and rotation would leave the old key where it points to."""
    source.create()
    elsewhere = source.settings.home / "elsewhere"
    source.file.rename(elsewhere)
    source.file.symlink_to(elsewhere)
    with pytest.raises(StoreError, match="symbolic link"):
        source.read()


@pytest.mark.parametrize("raw", [b"", b"\n", b"short", b"\xff\xfe" * 30])
def test_a_damaged_key_file_is_refused(source, raw):
    """A key file that holds no key is an error that names it, never a reason for a new key."""
    source.create()
    source.file.write_bytes(raw)
    with pytest.raises(StoreError, match=r"host\.key"):
        source.read()
    assert source.file.read_bytes() == raw


def test_a_line_that_is_no_key_spoils_the_file(source):
    """Half a file of keys is not used: the damage is told before a secret is found unreadable."""
    key = source.create()
    source.file.write_text(key.text() + "\nnonsense\n")
    with pytest.raises(StoreError, match=r"host\.key") as caught:
        source.read()
    assert key.text() not in str(caught.value)


def test_the_environment_wins_over_the_file(settings, source):
    """With WORKFLOW_HOST_KEY the file isn't looked at; the old keys follow the key, whatever blanks stand between."""
    source.create()
    new, old, older = Key.new(), Key.new(), Key.new()
    given = replace(settings, key=new.text(), old_keys=f" {old.text()} ,, {older.text()}\n")
    assert KeySource(given).read() == [new, old, older]
    assert not KeySource(given).is_file
    assert KeySource(replace(settings, old_keys=old.text())).read() == source.read()
    assert old.text() not in repr(given)


@pytest.mark.parametrize("name", ["WORKFLOW_HOST_KEY", "WORKFLOW_HOST_OLD_KEYS"])
def test_a_malformed_key_of_the_environment_is_named(settings, name):
    """Which of the two variables is wrong is told, not what stands in it."""
    good = Key.new().text()
    wrong = replace(settings, **{"key": good, "old_keys": good} | {_FIELD[name]: "canary"})
    with pytest.raises(StoreError, match=name) as caught:
        KeySource(wrong).read()
    assert "canary" not in str(caught.value)


_FIELD = {"WORKFLOW_HOST_KEY": "key", "WORKFLOW_HOST_OLD_KEYS": "old_keys"}


def test_loose_modes_are_told(settings, registry, notices):
    """A home that others can write in and a database that others can open are warned of at every start; strict ones
    aren't."""
    Host.open(settings, registry, notice=notices.append).close()
    assert notices == []
    settings.home.chmod(0o770)
    (settings.home / "host.db").chmod(0o640)
    Host.open(settings, registry, notice=notices.append).close()
    assert len(notices) == 2
    assert str(settings.home) in notices[0]
    assert "host.db" in notices[1]
    settings.home.chmod(0o755)
    assert loose(settings, None) == []
    assert loose(settings, settings.home / "nothing") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_who_owns_the_file_goes_on_owning_it(source):
    """A rotation by root leaves the file readable for the user whom the host runs as."""
    key = source.create()
    os.chown(source.file, 1234, 1235)
    source.write([key])
    assert (source.file.stat().st_uid, source.file.stat().st_gid) == (1234, 1235)
