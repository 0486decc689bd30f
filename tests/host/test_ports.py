"""The port that a command serves on: open on this machine only, or a mistake that says what to do."""

import socket

import pytest

from apollo_component.contract.errors import InputError
from apollo_component.host.ports import opened


def test_a_free_port_listens_on_this_machine():
    """Port 0 takes a free one, on the loopback address."""
    with opened(0) as sock:
        address, port = sock.getsockname()
        assert (address, port > 0) == ("127.0.0.1", True)
        socket.create_connection((address, port)).close()


@pytest.mark.parametrize("port", [-1, 65536, 10**12])
def test_a_number_that_is_no_port_is_a_mistake(port):
    """What is out of range is told with the range."""
    with pytest.raises(InputError) as caught:
        opened(port)
    [problem] = caught.value.problems
    assert (problem.path, problem.text) == (
        "--port",
        f"{port} is no port: give one from 1 to 65535, or 0 for a free one",
    )


def test_a_port_in_use_is_a_mistake():
    """What another listens on is told with its number, and is open for who has it."""
    with opened(0) as sock:
        port = sock.getsockname()[1]
        with pytest.raises(InputError) as caught:
            opened(port)
        [problem] = caught.value.problems
        assert problem.path == "--port"
        assert problem.text.startswith(f"{port} is in use: choose another")
