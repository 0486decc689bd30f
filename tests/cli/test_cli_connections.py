"""Linking by key, listing, testing and removing."""

import json
import os
import pty
import subprocess
import sys

import pytest


def test_a_good_key_is_tested_and_stored(cli):
    """`connect api_key` stores a key that works and tells whose account it is."""
    done = cli("connect", "api_key", "--name", "main", "--json", env={"APOLLO_API_KEY": cli.key("master")})
    assert done.code == 0
    assert done.json["connection"]["name"] == "main"
    assert done.json["test"]["verdict"] == "connected"
    assert done.json["test"]["account"]["email"]
    assert [item["name"] for item in cli("connections", "--json").json] == ["main"]


def test_a_wrong_key_is_refused_and_not_stored(cli):
    """A key the service doesn't accept exits 3 and leaves nothing behind."""
    cli.secrets.add("wrong-key-31337")
    done = cli("connect", "api_key", "--name", "bad", "--json", env={"APOLLO_API_KEY": "wrong-key-31337"})
    assert (done.code, done.error["code"]) == (3, "reauthorization_needed")
    assert cli("connections", "--json").json == []


def test_quotes_and_spaces_around_a_key_are_removed(cli, tmp_path):
    """A key pasted with quotes, spaces and a line end into a file works."""
    file = tmp_path / "key"
    file.write_text(f' "{cli.key("master")}" \n')
    done = cli("connect", "api_key", "--name", "main", "--secret-file", str(file), "--json")
    assert done.code == 0


def test_a_key_can_come_from_stdin(cli):
    """`--secret-file -` reads the key from a pipe."""
    assert cli("connect", "api_key", "--name", "m", "--secret-file", "-", stdin=cli.key("master") + "\n").code == 0


def test_a_key_without_the_test_endpoints_is_limited(cli):
    """A key that may do less is stored, exits 0 and says what to tick."""
    done = cli.link("small", "scoped_without_search")
    assert done.json["test"]["verdict"] == "limited"
    assert "api/v1/mixed_people/api_search" in json.dumps(done.json["test"]["checks"])


def test_a_service_that_cannot_be_reached_is_told_apart(cli):
    """Without an answer `connect` exits 6 and stores nothing."""
    nowhere = {"APOLLO_API_URL": "http://127.0.0.1:9/api/v1", "APOLLO_API_KEY": cli.key("master")}
    assert cli("connect", "api_key", "--name", "main", "--json", env=nowhere).code == 6
    assert cli("connections", "--json").json == []


def test_a_secret_on_the_command_line_is_refused(cli):
    """`--field api_key=...` exits 2 and names the safe ways."""
    done = cli("connect", "api_key", "--name", "main", "--field", "api_key=abc", "--json")
    assert done.code == 2
    assert "APOLLO_API_KEY" in done.error["hint"]


def test_a_missing_secret_is_an_input_error(cli):
    """With nobody to ask, a missing key exits 2 instead of waiting."""
    assert cli("connect", "api_key", "--name", "main", "--json").code == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("connect", "nope", "--name", "x"), 2), (("connect", "api_key", "--name", "x", "--for", "nope"), 4)],
)
def test_unknown_names_are_refused_before_anything_is_asked(cli, arguments, code):
    """An unknown connection type exits 2, an unknown action exits 4."""
    assert cli(*arguments, "--json", env={"APOLLO_API_KEY": cli.key("master")}).code == code


def test_linking_again_keeps_the_id(cli):
    """A second `connect` under the same name gives the connection the new key and keeps its id."""
    first, second = cli.link("main", "free"), cli.link("main", "master")
    assert first.json["connection"]["id"] == second.json["connection"]["id"]
    assert [event["event"] for event in cli("connections", "--history", "main", "--json").json].count("linked") == 1


@pytest.mark.real
def test_a_person_sees_the_guide_and_types_the_key_unseen(cli):
    """In a terminal the guide lists what to tick for the chosen actions, and the typed key is not echoed."""
    main, side = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "apollo_component",
        "connect",
        "api_key",
        "--name",
        "main",
        "--for",
        "people_match",
    ]
    process = subprocess.Popen(
        command, stdin=side, stdout=side, stderr=side, start_new_session=True, env=os.environ | cli.env,
        preexec_fn=_controlling,  # noqa: PLW1509
    )  # fmt: skip
    os.close(side)
    seen = _read_until(main, "API key: ")
    os.write(main, cli.key("master").encode() + b"\n")
    seen += _read_until(main, None)
    os.close(main)
    cli.printed.append(seen)
    assert process.wait(20) == 0
    assert "api/v1/people/match" in seen
    assert "Connected" in seen


def test_test_tells_the_verdict_by_its_exit_code(cli, service):
    """`test` exits 0 for connected and limited, 3 for refused and 6 for unreachable."""
    cli.link("main")
    cli.link("small", "scoped_without_search")
    assert cli("test", "main", "--json").json["verdict"] == "connected"
    assert cli("test", "small", "--json").code == 0
    assert cli("test", "small", "--strict", "--json").code == 3
    nobody = {"APOLLO_API_URL": "http://127.0.0.1:9/api/v1"}
    assert cli("connections", "move", "main", "--yes", "--json", env=nobody).code == 0
    assert cli("test", "main", "--json", env=nobody).code == 6
    assert cli("test", "nobody", "--json").code == 4


def test_test_names_the_rights_that_chosen_actions_lack(cli):
    """`test --for` reports each action that the connection may not run."""
    cli.link("small", "scoped_without_search")
    done = cli("test", "small", "--for", "apollo.people_api_search", "--for", "people_match", "--json")
    outcomes = {check["name"]: check["outcome"] for check in done.json["checks"]}
    assert (outcomes["people_api_search"], outcomes["people_match"]) == ("missed", "untested")


def test_remove_asks_and_tells_what_stays_at_the_service(cli):
    """Without a terminal `remove` needs --yes; it says that the key goes on working at the service."""
    cli.link("main")
    assert cli("remove", "main", "--json").code == 2
    done = cli("remove", "main", "--yes", "--json")
    assert done.json["removed"]["name"] == "main"
    assert "until you delete it there" in done.json["text"]
    assert cli("connections", "--json").json == []


def test_people_read_tables(cli):
    """Without --json the same facts are a table and sentences."""
    cli.link("main")
    assert "main" in cli("connections").out
    assert "Connected" in cli("test", "main").out
    assert "linked" in cli("connections", "--history", "main").out


def _controlling():
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _read_until(terminal, text):
    seen = ""
    while text is None or text not in seen:
        try:
            part = os.read(terminal, 4096).decode()
        except OSError:
            break
        if not part:
            break
        seen += part
    return seen
