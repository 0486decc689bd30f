"""Every command that serves says alike why it can't have its port."""

import socket

import pytest

pytestmark = pytest.mark.real


@pytest.fixture
def busy():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield str(sock.getsockname()[1])


@pytest.mark.parametrize("command", ["sandbox", "hub", "callbacks", "workflow worker"])
def test_a_port_that_cant_be_had_is_a_mistake(cli, busy, command):
    """One in use or out of range ends the command with exit code 2, its number and what to do, and nothing started."""
    processes = {port: cli.process(*command.split(), "--port", port, "--json") for port in (busy, "70000")}
    done = {port: cli.finished(process) for port, process in processes.items()}
    for port, word in ((busy, "is in use: choose another"), ("70000", "is no port: give one from 1 to 65535")):
        assert (done[port].code, done[port].out) == (2, "")
        [problem] = done[port].error["problems"]
        assert (problem["path"], problem["text"].startswith(f"{port} {word}")) == ("--port", True)
