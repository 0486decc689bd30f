"""Backup and restore as commands."""

import pytest


@pytest.mark.sqlite
def test_a_backup_is_made_and_put_back(cli, tmp_path):
    """A linked account survives the loss of its database by way of a backup, and the key is asked to be kept apart."""
    cli.link()
    copy, home = tmp_path / "copy.db", tmp_path / "home"
    done = cli("backup", str(copy))
    assert done.code == 0, done.err
    assert str(home / "host.key") in done.out.replace("\n", "")
    assert cli("backup", str(copy), "--json").code == 2
    taken = cli("restore", str(copy), "--yes", "--json")
    assert (taken.code, "already" in taken.error["message"]) == (2, True)
    for file in home.glob("host.db*"):
        file.unlink()
    done = cli("restore", str(copy), "--yes", "--json")
    assert (done.code, done.json) == (0, {"runs": [], "workflows": []})
    assert [item["name"] for item in cli("connections", "--json").json] == ["main"]
    assert cli("test", "main", "--json").json["verdict"] == "connected"
