"""The operator's choices."""

from datetime import timedelta
from pathlib import Path

import pytest

from apollo_component.contract.errors import InputError
from apollo_component.host.settings import Settings


def test_an_empty_environment_is_enough():
    """Without any choice there is a home, a SQLite database in it, and thirty days of retention."""
    made = Settings.from_environment({})
    assert made.database_url == f"sqlite:///{made.home / 'host.db'}"
    assert made.home.is_absolute()
    assert (made.key, made.retention) == ("", timedelta(days=30))


def test_every_choice_is_taken(tmp_path):
    """Home, database, key and retention come from the environment."""
    given = {"HOME": str(tmp_path), "DATABASE_URL": "postgresql+psycopg://u:canary@db/host"}
    given |= {"KEY": "canary-key", "RETENTION": "0.5"}
    made = Settings.from_environment({f"WORKFLOW_HOST_{name}": text for name, text in given.items()})
    assert (made.home, made.database_url) == (tmp_path, "postgresql+psycopg://u:canary@db/host")
    assert (made.key, made.retention) == ("canary-key", timedelta(hours=12))
    assert "canary" not in repr(made)


def test_a_home_may_begin_with_a_tilde():
    """`~` is the user's folder, and a relative home doesn't move with the working folder."""
    assert Settings.from_environment({"WORKFLOW_HOST_HOME": "~/x"}).home == Path.home() / "x"
    assert Settings.from_environment({"WORKFLOW_HOST_HOME": "x"}).home.is_absolute()


@pytest.mark.parametrize(
    ("name", "text"),
    [("RETENTION", text) for text in ("soon", "-1", "nan", "inf", "36501")]
    + [("RESERVE", text) for text in ("a tenth", "-1", "91", "nan")],
)
def test_a_number_that_cant_be_used_is_refused(name, text):
    """A retention that is no number of days, or a reserve that is no percentage, stops the start and names its
    variable."""
    with pytest.raises(InputError, match=f"WORKFLOW_HOST_{name}"):
        Settings.from_environment({f"WORKFLOW_HOST_{name}": text})


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", ""),
        ("https://hooks.example.com/", "https://hooks.example.com"),
        ("https://hooks.example.com:8443/base", "https://hooks.example.com:8443/base"),
        ("http://127.0.0.1:8766", "http://127.0.0.1:8766"),
        ("http://[::1]:1/", "http://[::1]:1"),
        ("http://localhost", "http://localhost"),
    ],
)
def test_a_public_address_is_taken_without_its_last_slash(given, kept):
    """An https address, or http on this machine, is where deliveries are asked for."""
    assert Settings.from_environment({"WORKFLOW_HOST_PUBLIC_URL": given}).public_url == kept


@pytest.mark.parametrize(
    "text",
    ["hooks.example.com", "http://hooks.example.com", "https://", "https://u:canary@h", "https://h?x=canary",
     "https://h#canary", "ftp://h", "https://h:x", "https://h:0", "https://h ", "https://h/a b", "http://localhost.evil"],
)  # fmt: skip
def test_a_public_address_that_cant_be_used_is_refused(text):
    """It stops the start, names its variable, and doesn't repeat what was given."""
    with pytest.raises(InputError, match="WORKFLOW_HOST_PUBLIC_URL") as caught:
        Settings.from_environment({"WORKFLOW_HOST_PUBLIC_URL": text})
    assert "canary" not in str(caught.value)


def test_the_reserve_is_a_percentage():
    """What background work leaves of a quota is a tenth, or what the operator says."""
    assert Settings.from_environment({}).reserve == 0.1
    assert Settings.from_environment({"WORKFLOW_HOST_RESERVE": "25"}).reserve == 0.25
    assert Settings.from_environment({"WORKFLOW_HOST_RESERVE": "0"}).reserve == 0
