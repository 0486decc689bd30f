"""Connect sessions: what an end user may link by a link, for how long, and once."""

import pytest
import sqlalchemy as sa

from apollo_component.contract.errors import InputError, NotFoundError
from apollo_component.host import tables
from apollo_component.host.connect_sessions import ConnectSessions, is_returnable

from .conftest import APP


@pytest.fixture
def sessions(host):
    return ConnectSessions(host)


def test_a_token_opens_its_session_until_it_ends(sessions, clock):
    """As often as wanted while it lasts, since windows are closed; wrong and old tokens open nothing."""
    session, token = sessions.make("Acme", "demo", seconds=600)
    assert (session.status, sessions.open("wrong")) == ("waiting", None)
    assert sessions.open(token).status == "opened"
    assert sessions.open(token).id == session.id
    clock.now += 601
    assert sessions.open(token) is None
    assert sessions.get(session.id).status == "expired"


def test_a_revoked_session_is_void(sessions):
    """Also while somebody has it open."""
    session, token = sessions.make("Acme", "demo")
    sessions.open(token)
    assert sessions.revoke(session.id).status == "revoked"
    assert sessions.open(token) is None
    with pytest.raises(InputError, match="can't be used"):
        sessions.usable(session.id)
    with pytest.raises(NotFoundError):
        sessions.revoke("nothing")


def test_the_token_is_kept_hashed(sessions, host):
    """The database doesn't know it, and neither does what is shown."""
    session, token = sessions.make("Acme", "demo")
    assert token not in str(host.store.rows(sa.select(tables.connect_sessions)))
    assert token not in str(session.as_dict())


def test_without_an_app_only_types_that_need_none(sessions, host):
    """An end user brings no client secret."""
    host.apps.add("ours", "demo", APP)
    assert sessions.make("Acme", "demo")[0].types == ("api_key",)
    assert sessions.make("Acme", "demo", app="ours")[0].types == ("api_key", "oauth2")
    with pytest.raises(InputError, match="end users bring none"):
        sessions.make("Acme", "demo", types=["oauth2"])


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"owner": ""}, "owner"),
        ({"owner": "a\nb"}, "owner"),
        ({"connector": "nothing"}, "connector"),
        ({"types": ["nothing"]}, "types"),
        ({"actions": ["nothing"]}, "actions"),
        ({"seconds": 59}, "expires"),
        ({"seconds": 31 * 86400}, "expires"),
        ({"seconds": float("nan")}, "expires"),
        ({"return_url": "javascript:alert(1)"}, "return_url"),
        ({"name": "a/b"}, "name"),
    ],
)
def test_what_is_wrong_is_named(sessions, wrong, path):
    """Each by its name, and nothing is made."""
    with pytest.raises(InputError) as caught:
        sessions.make(**{"owner": "Acme", "connector": "demo", **wrong})
    assert [problem.path for problem in caught.value.problems] == [path]
    assert sessions.all() == []


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://app.example/done?x=1", True),
        ("http://127.0.0.1:3000/done", True),
        ("http://app.example/done", False),
        ("https://user@app.example/", False),
        ("//app.example/", False),
        ("https:///x", False),
        ("https://[", False),
        ("https://app.example/\n", False),
    ],
)
def test_people_are_sent_back_to_safe_addresses_only(url, good):
    """https, or this computer."""
    assert is_returnable(url) is good


def test_names_are_free_and_fit(sessions, host, key):
    """Taken ones get a number, and what a name can't hold is left out."""
    host.connections.rename(key, "M ller Co. Demo")
    session, _ = sessions.make("M&ller & Co.", "demo")
    assert sessions.free_name(session) == "M ller Co. Demo 2"
    other, _ = sessions.make("…", "demo")
    assert sessions.free_name(other) == "Demo"
    named, _ = sessions.make("Acme", "demo", name="Sales")
    assert sessions.free_name(named) == "Sales"
