"""Keys by the command: what is told of them, and changing them."""

import base64

from apollo_component.host.key_files import KeySource
from apollo_component.host.sealing import Key
from apollo_component.host.settings import Settings


def held(home):
    return KeySource(Settings(home, "")).read()


def test_a_key_is_rotated_by_one_command(cli, tmp_path):
    """After `keys rotate` the connection works under a new key, the list tells both keys by id, and none is shown."""
    cli.link()
    [old] = held(tmp_path / "home")
    done = cli("keys", "rotate", "--json")
    assert done.code == 0, done.err
    [new] = held(tmp_path / "home")
    assert done.json == {"current": new.id, "steps": ["began", "removed", "retired", "sealed"]}
    cli.secrets |= {old.text(), new.text()}
    rows = cli("keys", "list", "--json").json
    assert [(row["id"], row["state"], row["secrets"], row["here"]) for row in rows] == [
        (old.id, "retired", 0, False),
        (new.id, "current", 1, True),
    ]
    assert rows[0]["retired_at"] > rows[0]["created_at"]
    assert cli("test", "main", "--json").code == 0


def test_people_see_what_happens(cli, tmp_path):
    """The progress is told on stderr, the result and the list on stdout."""
    cli.link()
    done = cli("keys", "rotate")
    [new] = held(tmp_path / "home")
    assert done.out == f"Every secret is under key {new.id}.\n"
    assert "Sealed anew: 1 of 1." in done.err
    shown = cli("keys", "list").out
    assert new.id in shown
    assert "retired" in shown


def test_the_next_key_is_prepared_and_then_taken(cli, tmp_path):
    """`--prepare` changes the key file only; the rotation takes that very key."""
    cli.link()
    prepared = cli("keys", "rotate", "--prepare", "--json").json["prepared"]
    assert [key.id for key in held(tmp_path / "home")][1:] == [prepared]
    assert {row["id"]: row["state"] for row in cli("keys", "list", "--json").json}[prepared] == "prepared"
    assert cli("keys", "rotate", "--json").json["current"] == prepared


def test_keys_of_the_environment(cli):
    """With keys of the environment the operator gives the new one; without it there is nothing to do, in words."""
    old, new = Key.new().text(), Key.new().text()
    cli.secrets |= {old, new}
    cli.env["WORKFLOW_HOST_KEY"] = old
    cli.link()
    assert "Nothing to do" in cli("keys", "rotate").out
    cli.env |= {"WORKFLOW_HOST_KEY": new, "WORKFLOW_HOST_OLD_KEYS": old}
    assert cli("keys", "rotate", "--json").json["current"] == Key.parsed(new, "").id
    cli.env["WORKFLOW_HOST_OLD_KEYS"] = ""
    assert cli("test", "main", "--json").code == 0
    refused = cli("keys", "rotate", "--prepare", "--json")
    assert refused.code == 2
    assert "WORKFLOW_HOST_OLD_KEYS" in refused.error["hint"]


def test_a_malformed_old_key_is_named_and_not_shown(cli):
    """A mistake in WORKFLOW_HOST_OLD_KEYS exits 2 naming it."""
    cli.secrets.add("canary-0817")
    key = base64.b64encode(bytes(32)).decode()
    refused = cli("keys", "list", "--json", env={"WORKFLOW_HOST_KEY": key, "WORKFLOW_HOST_OLD_KEYS": "canary-0817"})
    assert refused.code == 2
    assert "WORKFLOW_HOST_OLD_KEYS" in refused.error["message"]


def test_what_was_left_over_is_cleared_first(cli, tmp_path):
    """A run after a stop at the very end finishes that one, and says that it began no other."""
    cli.link()
    source = KeySource(Settings(tmp_path / "home", ""))
    [old] = source.read()
    cli("keys", "rotate")
    source.write([old, *source.read()])
    done = cli("keys", "rotate")
    assert "An earlier rotation is finished here" in done.out
    assert old not in source.read()
