"""The key file: for its owner alone, changed in one piece, and never followed elsewhere."""

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from apollo_component.contract.errors import StoreError
from apollo_component.host import key_files
from apollo_component.host.host import Host
from apollo_component.host.key_files import KeySource, loose
from apollo_component.host.sealing import Key


@pytest.fixture
def source(settings):
    return KeySource(settings)


def said(caught):
    """The whole of what a person is told."""
    return caught.value.message, caught.value.hint


@pytest.fixture
def on_disk(monkeypatch):
    """In their order: what is brought to the disk, and what gets its name."""
    events = []

    def heard(module, name, tell):
        real = getattr(module, name)

        def act(*given, **more):
            events.append(tell(*given))
            return real(*given, **more)

        monkeypatch.setattr(module, name, act)

    heard(os, "fsync", lambda handle: "folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else os.fstat(handle).st_size)
    heard(os, "link", lambda *_: "named")
    heard(Path, "replace", lambda *_: "named")
    return events


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


def test_a_key_outlives_a_power_cut(source, on_disk):
    """A key file is whole on disk before it gets its name, and the name is on disk before anything is sealed."""
    line = len(source.create().text()) + 1
    assert on_disk == [line, "named", "folder"]
    on_disk.clear()
    source.write([Key.new(), Key.new()])
    assert on_disk == [2 * line, "named", "folder"]


def test_a_new_home_is_made_for_its_owner_alone(settings):
    """A home that isn't there yet is made, with the folders above it, and nobody else may look into it."""
    deep = replace(settings, home=settings.home / "some" / "where")
    assert KeySource(deep).create() in KeySource(deep).read()
    assert stat.S_IMODE(deep.home.stat().st_mode) == 0o700


def test_a_draft_is_never_open_to_others(source, monkeypatch):
    """From its first byte on the file is its owner's alone, whatever the process allows by default, and one that
    somebody laid out before isn't written to."""
    seen, real = [], os.open

    def opened(path, flags, mode=0o777, **more):
        handle = real(path, flags, mode, **more)
        if str(path).endswith(".draft"):
            seen.append((stat.S_IMODE(os.fstat(handle).st_mode), bool(flags & os.O_EXCL)))
        return handle

    monkeypatch.setattr(os, "open", opened)
    before = os.umask(0)
    try:
        source.create()
        source.write([Key.new()])
    finally:
        os.umask(before)
    assert seen == [(0o600, True), (0o600, True)]


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
    with pytest.raises(StoreError) as caught:
        source.read()
    assert said(caught) == (
        f"Others can read the key file {source.file} (mode {mode:04o}), so it is not used.",
        f"chmod 600 {source.file}. If somebody may have read it, run `keys rotate` after that.",
    )
    source.file.chmod(0o400)
    assert len(source.read()) == 1


def test_a_symbolic_link_is_not_followed(source):
    """A link could lead to a file that others exchange, and rotation would leave the old key where it points to."""
    source.create()
    elsewhere = source.settings.home / "elsewhere"
    source.file.rename(elsewhere)
    source.file.symlink_to(elsewhere)
    with pytest.raises(StoreError) as caught:
        source.read()
    assert said(caught) == (
        f"The key file {source.file} is a symbolic link.",
        "Put the file itself there, or give the key in WORKFLOW_HOST_KEY.",
    )
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "{} is not a key: base64 of exactly 32 bytes is expected."),
        (b"\n", "{} is not a key: base64 of exactly 32 bytes is expected."),
        (b"short", "{} is not a key: base64 of exactly 32 bytes is expected."),
        (b"\xff\xfe" * 30, "The key file {} can't be read."),
        ("ä".encode() * 44, "The key file {} can't be read."),
    ],
)
def test_a_damaged_key_file_is_refused(source, raw, message):
    """A key file that holds no key is an error that names it, never a reason for a new key."""
    source.create()
    source.file.write_bytes(raw)
    with pytest.raises(StoreError) as caught:
        source.read()
    assert caught.value.message == message.format(source.file)
    assert source.file.read_bytes() == raw


def test_a_key_file_that_can_not_be_opened_is_told(source):
    """Neither is it taken for missing, which would make a new key, nor does a line of it get into the words."""
    source.file.mkdir()
    source.file.chmod(0o700)
    with pytest.raises(StoreError) as caught:
        source.read()
    assert said(caught) == (f"The key file {source.file} can't be read.", "Check its owner and mode (0600).")
    assert caught.value.__suppress_context__


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
    assert notices == [
        f"Warning: Others can write in the host's folder {settings.home}: chmod go-w it.",
        f"Warning: Others can open the database {settings.home / 'host.db'}, which holds personal data: chmod 600 it.",
    ]
    settings.home.chmod(0o755)
    assert loose(settings, None) == []
    assert loose(settings, settings.home / "nothing") == []


def test_where_modes_and_links_mean_nothing_neither_is_judged(source, monkeypatch, on_disk):
    """A system without owners and modes, without links that needn't be followed and without folders that can be
    brought to the disk keeps its keys too."""
    monkeypatch.setattr(key_files, "_POSIX", False)
    monkeypatch.delattr(os, "O_NOFOLLOW")
    key = source.create()
    assert "folder" not in on_disk
    source.file.chmod(0o644)
    source.settings.home.chmod(0o777)
    assert source.read() == [key]
    assert loose(source.settings, source.file) == []


@pytest.mark.parametrize(("mode", "told"), [(0o720, 1), (0o702, 1), (0o755, 0), (0o700, 0)])
def test_a_home_is_loose_when_others_can_write_in_it(settings, mode, told):
    """The group or anybody: who can write in the folder can put another key file there. Looking is allowed."""
    settings.home.chmod(mode)
    assert len(loose(settings, None)) == told


@pytest.mark.parametrize("mode", [0o610, 0o620, 0o640, 0o601, 0o602, 0o604])
def test_a_database_is_loose_when_others_can_do_anything_with_it(settings, mode):
    """It holds personal data, so each right of each other person is told."""
    database = settings.home / "host.db"
    database.chmod(mode)
    assert len(loose(settings, database)) == 1
    database.chmod(0o600)
    assert loose(settings, database) == []


def test_a_file_of_ones_own_is_not_given_away(source, monkeypatch):
    """Who rewrites his own file needs no right to give files away."""
    source.create()
    monkeypatch.setattr(os, "chown", lambda *_: pytest.fail("given away"))
    source.write([Key.new()])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_who_owns_the_file_goes_on_owning_it(source):
    """A rotation by root leaves the file readable for the user whom the host runs as."""
    key = source.create()
    os.chown(source.file, 1234, 1235)
    source.write([key])
    assert (source.file.stat().st_uid, source.file.stat().st_gid) == (1234, 1235)
