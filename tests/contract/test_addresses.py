"""Whether the internet can reach a web address, as far as the address itself tells."""

from pathlib import Path

import pytest

from apollo_component.contract.addresses import unreachable
from apollo_component.contract.errors import InputError
from apollo_component.contract.models import HostUrl
from apollo_component.contract.schemas import Schemas

ROOT = Path(__file__).parent.parent.parent
FILE = "schemas/actions/{}.schema.json"

REACHABLE = [
    "https://hooks.example.com/x?a=b",
    "https://HOOKS.EXAMPLE.COM:8443",
    "https://example.com.",
    "https://8.8.8.8/x",
    "https://[2606:4700:4700::1111]/x",
    "https://localhost.example.com/",
    "https://bücher.example.com/",
]
REFUSED = {
    "begin with https://": ["http://hooks.example.com/x", "ftp://example.com", "hooks.example.com", "", "https:/x.com"],
    "this machine": [
        "https://localhost/x",
        "https://LOCALHOST./x",
        "https://a.localhost",
        "https://\u24dbocalhost/",
        "https://127.0.0.1/x",
        "https://127.1",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1",
        "https://017700000001/",
        "https://\uff11\uff12\uff17.0.0.1/",
        "https://127\u30020\u30020\u30021/",
        "https://0.0.0.0/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[64:ff9b::7f00:1]/",
        "http://localhost:5678/webhook/x",
    ],
    "private or reserved network": [
        "https://10.0.0.1/",
        "https://192.168.1.1:8443/x",
        "https://172.16.0.1",
        "https://169.254.169.254/latest",
        "https://100.64.0.1",
        "https://224.0.0.1",
        "https://255.255.255.255",
        "https://0xa.1",
        "https://012.0.0.1",
        "https://[fe80::1]/",
        "https://[fc00::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[2002:a00:1::]/",
    ],
    "private networks and tests": [
        "https://printer.local/x",
        "https://api.internal",
        "https://hooks.test",
        "https://hooks.example/x",
        "https://a.invalid",
        "https://router.home.arpa.",
    ],
    "bare host": ["https://hooks/x", "https://n8n:5678/webhook"],
    "user name": ["https://dana:secret@example.com/", "https://@example.com"],
    "space": ["https://example.com/a b", "https://exam\tple.com", "https://example.com\\@localhost", " https://a.com"],
    "host": ["https:///x", "https://?x", "https://1.2.3.4.5", "https://300.1.1.1", "https://08.1", "https://%6c.com"],
    "port": ["https://example.com:0", "https://example.com:99999", "https://example.com:x"],
}


@pytest.mark.parametrize("url", REACHABLE)
def test_an_address_of_the_internet_is_fine(url: str) -> None:
    """Nothing is said against an https address with a public name or number."""
    assert unreachable(url) == ""


@pytest.mark.parametrize(("why", "url"), [(why, url) for why, urls in REFUSED.items() for url in urls])
def test_an_address_that_nothing_outside_reaches_is_named_as_such(why: str, url: str) -> None:
    """Whatever the spelling: other schemes, this machine, private networks, bare names and credentials have a reason,
    and it repeats no part of the address."""
    told = unreachable(url)
    assert why in told or (url.startswith(" ") and told)
    assert "secret" not in told


@pytest.mark.parametrize("action", ["people_match", "people_bulk_match"])
@pytest.mark.parametrize("url", ["http://localhost:5678/webhook/x", "https://10.0.0.1/x", "https://n8n/x"])
def test_a_webhook_that_apollo_cannot_reach_is_refused(action: str, url: str) -> None:
    """A late result that could never be delivered isn't asked for: the reason and the other way are named, not the
    address."""
    schemas = Schemas(ROOT)
    person = {"id": "c4010da225e590c49a61164d"}
    values = {"people_match": person, "people_bulk_match": {"details": [person]}}[action]
    with pytest.raises(InputError) as caught:
        schemas.check(FILE.format(action), values | {"reveal_phone_number": True, "webhook_url": url})
    (problem,) = caught.value.problems
    assert problem.path == "webhook_url"
    assert problem.text.startswith(unreachable(url))
    assert "poll_only" in problem.text
    assert url not in str(caught.value)


def test_the_address_of_the_host_itself_is_its_operators_matter() -> None:
    """What the host fills in may lie on this machine, where a sandbox delivers."""
    values = {"id": "c4010da225e590c49a61164d", "reveal_phone_number": True}
    own = values | {"webhook_url": HostUrl("http://127.0.0.1:8766/callbacks/x")}
    assert Schemas(ROOT).problems(FILE.format("people_match"), own) == []
