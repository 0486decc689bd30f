"""The loopback listener: one answer on one path, and nothing of it in a log."""

import http.client
from urllib.parse import urlsplit

import pytest

from apollo_component.contract.errors import InputError, ReauthorizationError
from apollo_component.host.listener import Listener

from ..conftest import free_port
from .conftest import in_threads

pytestmark = pytest.mark.real


@pytest.fixture
def listener():
    port = free_port()
    with Listener(f"http://127.0.0.1:{port}/callback") as made:
        made.port = port
        yield made


def get(listener, path, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=5)
    connection.request(method, path)
    reply = connection.getresponse()
    body = reply.read().decode()
    connection.close()
    return reply, body


def test_an_answer_on_its_path_is_taken(listener, capfd):
    """The query comes back as it was; the page shows nothing of it, isn't stored and tells nobody."""
    reply, body = get(listener, "/callback?code=canary&state=canary-state")
    assert reply.status == 200
    assert listener.wait(1) == {"code": "canary", "state": "canary-state"}
    assert "canary" not in body
    assert (reply.getheader("cache-control"), reply.getheader("referrer-policy")) == ("no-store", "no-referrer")
    assert "default-src 'none'" in reply.getheader("content-security-policy")
    assert "".join(capfd.readouterr()) == ""


@pytest.mark.parametrize(
    "path", ["/", "/favicon.ico", "/callback/x?code=a", "/other?code=a", "/callback", "/callback?"]
)
def test_other_requests_are_not_the_answer(listener, path):
    """Another path, and a visit without any answer, don't use the one answer up."""
    reply, _ = get(listener, path)
    assert reply.status == 404
    get(listener, "/callback?code=c&state=s")
    assert listener.wait(1)["code"] == "c"


def test_only_the_first_answer_counts(listener):
    """A second answer is refused and changes nothing."""
    get(listener, "/callback?code=first&state=s")
    reply, _ = get(listener, "/callback?code=second&state=s")
    assert reply.status == 404
    assert listener.wait(1)["code"] == "first"


def test_of_answers_at_one_moment_one_counts(listener):
    """Twenty answers side by side: one is accepted, and it is the one that is told."""
    statuses = {}

    def go(number):
        statuses[str(number)] = get(listener, f"/callback?code={number}&state=s")[0].status

    in_threads(20, go)
    accepted = [code for code, status in statuses.items() if status == 200]
    assert accepted == [listener.wait(1)["code"]]


def test_a_denial_is_an_answer_too(listener):
    """What isn't a yes is taken as well, and the page says so."""
    _, body = get(listener, "/callback?error=access_denied")
    assert "not given" in body
    assert listener.wait(1) == {"error": "access_denied"}


def test_other_methods_are_refused(listener):
    """Only a browser coming back is listened to."""
    assert get(listener, "/callback?code=a", "POST")[0].status >= 400


def test_nobody_coming_back_has_an_end(listener):
    """After the time is over nothing was linked."""
    with pytest.raises(ReauthorizationError, match="Nobody came back"):
        listener.wait(0.05)


def test_a_port_in_use_is_told(listener):
    """With the port's number and before the person is sent away."""
    with pytest.raises(InputError, match=str(listener.port)):
        Listener(f"http://127.0.0.1:{listener.port}/callback")


def test_it_closes_when_it_is_left():
    """Afterwards the port is free again."""
    with Listener("http://127.0.0.1:0/callback") as made:
        address = made._server.server_address
    with pytest.raises(ConnectionError):
        http.client.HTTPConnection(*address[:2], timeout=1).request("GET", urlsplit("/callback?code=a").path)
