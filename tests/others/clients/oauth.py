"""authlib's and requests-oauthlib's clients: consent, code, token by Basic and by body, one request, refresh."""

import os
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

os.environ |= {"AUTHLIB_INSECURE_TRANSPORT": "1", "OAUTHLIB_INSECURE_TRANSPORT": "1"}

import requests
from authlib.integrations.httpx_client import OAuth2Client
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from calling import Calls, facts
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

given, calls = facts(), Calls()
app, server = given["app"], given["oauth_url"]
TOKEN = f"{server}/api/v1/oauth/token"
PROFILE = f"{given['api_url']}/users/api_profile"
ADDED = ["read_user_profile", "app_scopes"]
ASKED = [*ADDED, "contacts_search"]


def allowed(fields: str) -> str:
    """The address that the consent page leads to for the query of an authorize address."""
    form = [*parse_qsl(fields), ("decision", "allow")]
    answer = requests.post(f"{server}/oauth/consent", form, allow_redirects=False, timeout=10)
    if "location" not in answer.headers:
        raise LookupError(answer.text[answer.text.find("Missing") :])
    return answer.headers["location"]


def joined(url: str) -> str:
    """The query that a client put before the `#`, as somebody puts it behind by hand."""
    return urlsplit(url).query


def behind(url: str) -> str:
    """The query that stands where Apollo's page looks for it."""
    return url.partition("#")[2].partition("?")[2]


def through(name: str, url: str, trade: Callable[[str], Any], renew: Callable[[dict[str, Any]], Any], get: Any) -> None:
    """The whole way with one client: each step only when the one before it worked."""
    calls(f"{name}: its own authorize address", lambda: allowed(behind(url)))
    back = calls(f"{name}: authorize", lambda: allowed(joined(url)))
    token = back and calls(f"{name}: exchange", lambda: dict(trade(back)))
    if not token:
        return
    calls(f"{name}: profile", lambda: get(PROFILE).raise_for_status())
    fresh = calls(f"{name}: refresh", lambda: dict(renew(token)))
    if not fresh:
        return
    assert fresh["refresh_token"] != token["refresh_token"]
    calls(f"{name}: profile after the refresh", lambda: get(PROFILE).raise_for_status())
    calls(f"{name}: refresh with the spent token", lambda: renew(token))


for method in ("client_secret_basic", "client_secret_post"):
    for kind in (AuthlibSession, OAuth2Client):
        client = kind(
            app["client_id"],
            app["client_secret"],
            token_endpoint_auth_method=method,
            scope=" ".join(ASKED),
            redirect_uri=app["redirect_uri"],
        )
        url, _ = client.create_authorization_url(f"{server}/#/oauth/authorize")
        through(
            f"authlib {kind.__module__.split('.')[-2]} {method}",
            url,
            lambda back, client=client: client.fetch_token(TOKEN, authorization_response=back),
            lambda token, client=client: client.refresh_token(TOKEN, refresh_token=token["refresh_token"]),
            client.get,
        )

for body in (False, True):
    session = OAuth2Session(app["client_id"], scope=ASKED, redirect_uri=app["redirect_uri"])
    url, _ = session.authorization_url(f"{server}/#/oauth/authorize")
    more = {"include_client_id": body, "client_secret": app["client_secret"]}
    basic = None if body else HTTPBasicAuth(app["client_id"], app["client_secret"])
    through(
        f"requests-oauthlib {'client_secret_post' if body else 'client_secret_basic'}",
        url,
        lambda back, session=session, more=more: session.fetch_token(TOKEN, authorization_response=back, **more),
        lambda token, session=session, basic=basic, body=body: session.refresh_token(
            TOKEN,
            refresh_token=token["refresh_token"],
            auth=basic,
            **({"client_id": app["client_id"], "client_secret": app["client_secret"]} if body else {}),
        ),
        session.get,
    )

narrow = OAuth2Session(app["client_id"], scope=["contacts_search"], redirect_uri=app["redirect_uri"])
url, _ = narrow.authorization_url(f"{server}/#/oauth/authorize")
back = allowed(joined(url))
calls(
    "requests-oauthlib: without the scopes that Apollo adds",
    lambda: narrow.fetch_token(
        TOKEN, authorization_response=back, client_secret=app["client_secret"], include_client_id=True
    ),
)
calls.print()
