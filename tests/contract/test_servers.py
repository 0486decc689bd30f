"""Where the service lives, and what an operator may put in its place."""

from pathlib import Path

import pytest

from apollo_component.contract.errors import InputError
from apollo_component.contract.loading import load_file
from apollo_component.contract.manifest import Manifest
from apollo_component.contract.servers import addresses, is_loopback, origins, wrong

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return load_file(ROOT / "connector.yaml")


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com",
        "https://api.example.com:8443/base",
        "http://127.0.0.1:8080",
        "http://localhost:9",
        "http://[::1]:9/x",
        "HTTPS://API.example.com",
    ],
)
def test_a_safe_address_is_taken(manifest: Manifest, url: str) -> None:
    """An operator's https address, or one on this computer, replaces the manifest's, without a slash at its end."""
    found = addresses(manifest, {"APOLLO_API_URL": url + "/"})
    assert found == {"api": url, "oauth": "https://app.apollo.io"}


def test_without_a_choice_the_manifest_decides(manifest: Manifest) -> None:
    """Absent and empty variables leave the declared servers."""
    assert addresses(manifest, {"APOLLO_API_URL": ""})["api"] == "https://api.apollo.io/api/v1"


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com",
        "http://10.0.0.1",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "https://CANARY@example.com",
        "https://user:CANARY@example.com",
        "https://@example.com",
        "https://:@example.com",
        "https://example.com?CANARY=1",
        "https://example.com?",
        "https://example.com#CANARY",
        "https://example.com#",
        "https://exa mple.com",
        "https://example.com/\n",
        "https://",
        "https://[::1",
        "https://example.com:99999",
        "ftp://example.com",
        "file:///etc/passwd",
        "example.com",
        "CANARY",
    ],
)
def test_an_unsafe_address_is_refused(manifest: Manifest, url: str) -> None:
    """Anything else is refused, naming the variable at fault and showing nothing of its value."""
    with pytest.raises(InputError) as caught:
        addresses(manifest, {"APOLLO_OAUTH_URL": url})
    assert [problem.path for problem in caught.value.problems] == ["APOLLO_OAUTH_URL"]
    assert "CANARY" not in str(caught.value)


def test_all_wrong_variables_are_named(manifest: Manifest) -> None:
    """Two wrong addresses are two problems at once."""
    with pytest.raises(InputError, match=r"APOLLO_API_URL(.|\n)*APOLLO_OAUTH_URL"):
        addresses(manifest, {"APOLLO_API_URL": "x", "APOLLO_OAUTH_URL": "y"})


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("https://API.example.com/v1", "https://api.example.com"),
        ("https://api.example.com:443", "https://api.example.com"),
        ("https://api.example.com:8443/", "https://api.example.com:8443"),
        ("http://127.0.0.1:80/x", "http://127.0.0.1"),
        ("http://127.0.0.1:443", "http://127.0.0.1:443"),
        ("http://[::1]:9", "http://[::1]:9"),
    ],
)
def test_a_server_is_scheme_host_and_port(manifest: Manifest, url: str, server: str) -> None:
    """The path, the case and a port that the scheme has anyway make no other server."""
    assert origins(manifest, {"APOLLO_API_URL": url}) == {"api": server, "oauth": "https://app.apollo.io"}


@pytest.mark.parametrize(
    ("host", "is_it"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("local", False),
    ],
)
def test_what_is_this_computer(host: str, is_it: bool) -> None:
    """Loopback is localhost and the loopback networks, nothing that looks like them."""
    assert is_loopback(host) is is_it
    assert (wrong(f"http://{f'[{host}]' if ':' in host else host}/") == "") is is_it
