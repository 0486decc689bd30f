"""Raw requests: any path of the service's own host, and no other host, under the rules of declared actions."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apollo_component.connector.connector import Connector
from apollo_component.connector.raw import OPERATION_LENGTH, declared, operation
from apollo_component.contract.actions import MAILS, UNDECLARED, Action
from apollo_component.contract.errors import InputError, PermissionDeniedError
from apollo_component.contract.manifest import Manifest
from apollo_component.contract.models import Credential, Effect, Page
from apollo_component.contract.routes import PATH

SCHEMA = "schemas/actions/raw_request.schema.json"
BAD_PATHS = [
    "contacts", "", "/", "//evil.test/x", "/a//b", "/a/", "/../oauth", "/a/..", "/./a", "/a/./b", "https://evil.test/",
    "/a?x=1", "/a#b", "/a\\b", "\\evil.test", "/a b", "/a\n", "/a\t/b", "/%2e%2e/x", "/a%2Fb", "/a%5cb", "/a%3Fb",
    "/a%23b", "/a%0d%0aHost:x", "/%252e%252e/x", "/a%00", "/a%", "/a%zz", "/ä", "/a%7f", "/.%2e/x", "@evil.test/x",
    "/people/bulk%5Fmatch", "/people/%6datch", "/a;b=1", "/a;", "/api/v1/people/match", "/v1/people/match", "/x/API/V1/y",
]  # fmt: skip


@pytest.fixture
def run(connector: Connector, key: Credential, host: Any) -> Callable[..., Page]:
    def execute(**values: Any) -> Page:
        return connector.connector_execute("raw_request", values, key, None, host)

    return execute


def test_the_whole_answer_of_any_path_comes_back(run: Any, service: Any, reply: Any) -> None:
    """Method, path, query and body go out as stated, with the credential, to the service's own server."""
    service.answers = {"/hidden/thing": reply(200, {"a": [1]})}
    page = run(method="PUT", path="/hidden/thing", query={"ids": ["x", "y"], "r": {"min": 1}}, body=[1], effect="upsert",
               credits=0)  # fmt: skip
    (request,) = service.requests
    assert (request.method, request.url) == ("PUT", "https://api.apollo.io/api/v1/hidden/thing")
    assert request.query == (("ids[]", "x"), ("ids[]", "y"), ("r[min]", "1"))
    assert request.json == [1]
    assert request.headers["x-api-key"] == "KEY-canary"
    assert page.value == {"a": [1]}


@pytest.mark.parametrize("path", BAD_PATHS)
def test_a_path_that_could_lead_elsewhere_is_refused(run: Any, service: Any, path: str) -> None:
    """No scheme, host, dots, empty segment, parameter, query, fragment, backslash, control character, percent sign or
    second /api/v1."""
    with pytest.raises(InputError) as caught:
        run(method="GET", path=path)
    assert [problem.path for problem in caught.value.problems] == ["path"]
    assert service.requests == []


@given(st.text(alphabet="/.%25fFeEcC\\?#@:ab", max_size=12))
def test_whatever_path_is_let_through_stays_below_the_server(path: str) -> None:
    """Decoded as often as one likes, it holds no way up, no other host and no query."""
    from urllib.parse import unquote, urlsplit

    if not PATH.fullmatch(path):
        return
    url = f"https://api.test/api/v1{path}"
    while True:
        parts = urlsplit(url)
        assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("https", "api.test", "", "")
        segments = parts.path.split("/")[3:]
        assert all(part not in ("", ".", "..") for part in segments)
        assert "\\" not in url
        if unquote(url) == url:
            return
        url = unquote(url)


def test_the_schema_says_what_the_connector_checks(connector: Connector) -> None:
    """The form refuses what the connector refuses: the pattern is the same."""
    assert connector.schemas.fields(SCHEMA)["path"]["pattern"] == PATH.pattern


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"method": "POST"}, "State the effect"),
        ({"method": "DELETE"}, "State the effect"),
        ({"method": "POST", "effect": "create"}, "State what the request may cost"),
        ({"method": "GET", "effect": "bill"}, "State what the request may cost"),
        ({"method": "GET", "body": {}}, "has no body"),
        ({"method": "POST", "effect": "read", "body": 7}, "must be an object"),
        ({"method": "HEAD"}, "must be one of"),
        ({"method": "POST", "effect": "harmless"}, "must be one of"),
    ],
)
def test_effect_and_cost_must_be_stated(run: Any, service: Any, values: dict[str, Any], word: str) -> None:
    """Nothing is guessed about a route: what isn't stated is asked for, before anything is sent."""
    with pytest.raises(InputError) as caught:
        run(path="/x", **values)
    assert word in str(caught.value)
    assert service.requests == []


@pytest.fixture
def action(manifest: Manifest) -> Action:
    return manifest.actions["raw_request"]


def test_a_get_reads_and_the_rest_is_what_was_stated(action: Action) -> None:
    """The stated effect and cost are what journal, budget and consent go by; what isn't known yet is the gravest."""
    assert action.effect.of({"method": "GET", "path": "/x"}) is Effect.READ
    assert action.effect.of({"method": "POST", "path": "/x", "effect": "upsert"}) is Effect.UPSERT
    assert action.effect.of({"method": "POST", "path": "/x", "effect": {"$from": "item"}}) is Effect.SEND
    assert action.effect.of({"method": "GET", "path": {"$from": "item"}}) is Effect.SEND
    assert action.credits.worst({"credits": 3}) == 3
    assert action.credits.worst({}) == 0
    assert action.credits.worst({"credits": {"$from": "item"}}) is None
    assert [action.credits.may_cost(values) for values in ({}, {"credits": 0}, {"credits": 2})] == [False, False, True]


@pytest.mark.parametrize(
    ("method", "path", "effect", "fine"),
    [
        ("POST", "/emailer_messages/abc/send_now", "upsert", False),
        ("POST", "/emailer_messages/abc/send_now", "send", True),
        ("POST", "/people/match", "read", False),
        ("POST", "/people/match", "bill", True),
        ("POST", "/contacts/search", "read", True),
    ],
)
def test_a_known_route_cant_be_made_to_look_harmless(
    run: Any, service: Any, reply: Any, method: str, path: str, effect: str, fine: bool
) -> None:
    """A route that an action is declared for keeps at least that effect; the error names the action."""
    service.answers = {path: reply(200, {})}
    if fine:
        run(method=method, path=path, effect=effect, credits=1)
        return
    with pytest.raises(InputError, match="this is the route of"):
        run(method=method, path=path, effect=effect, credits=1)
    assert service.requests == []


def test_a_known_route_shares_its_quota_and_its_words(run: Any, service: Any, host: Any, reply: Any) -> None:
    """Quota windows are those of the declared action, and a refusal says what to tick."""
    refused = {"error": "not authorized to access api/v1/contacts/show", "error_code": "API_INACCESSIBLE"}
    service.answers = {"/contacts/c4010da225e590c49a61164d": reply(403, refused)}
    with pytest.raises(PermissionDeniedError) as caught:
        run(method="GET", path="/contacts/c4010da225e590c49a61164d")
    assert caught.value.missing["key_endpoint"] == "api/v1/contacts/show"
    assert service.requests[0].operation == "contacts_show"


def test_an_unknown_route_has_windows_of_its_own(action: Action) -> None:
    """One route, whatever the ids in it, and a name that fits into its column."""
    path = "/things/c4010da225e590c49a61164d/parts"
    assert declared(action, {"method": "GET", "path": path}) is None
    assert operation(None, "GET", path) == "GET /things/*/parts"
    assert len(operation(None, "DELETE", "/long" * 100)) == OPERATION_LENGTH


def test_the_fixed_path_wins_over_one_with_a_placeholder(action: Action) -> None:
    """/opportunities/search is the search, not a deal called search."""
    found = declared(action, {"method": "GET", "path": "/opportunities/search"})
    assert found
    assert found.id == "opportunities_search"


def test_no_value_is_repeated_in_an_error(run: Any) -> None:
    """What a person typed doesn't come back in the refusal."""
    with pytest.raises(InputError) as caught:
        run(method="GET", path="/canary-v4lue/../x")
    assert "canary" not in json.dumps(caught.value.as_dict())


@pytest.mark.parametrize(
    ("body", "credits", "least"),
    [
        ({"email": "a@b.example"}, 0, 1),
        ({"email": "a@b.example", "reveal_phone_number": True}, 8, 9),
        ({"details": [1, 2, 3]}, 2, 3),
        ({"details": []}, 0, 1),
    ],
)
def test_a_cost_can_t_be_stated_away(run: Any, service: Any, body: dict[str, Any], credits: int, least: int) -> None:  # noqa: A002
    """A route that an action is declared for reserves at least what that action would, so that a budget holds."""
    path = "/people/bulk_match" if "details" in body else "/people/match"
    with pytest.raises(InputError) as caught:
        run(method="POST", path=path, body=body, effect="bill", credits=credits)
    assert [problem.path for problem in caught.value.problems] == ["credits"]
    assert f"at least {least}" in caught.value.problems[0].text
    assert service.requests == []


@pytest.mark.parametrize("url", ["http://localhost:5678/x", "https://10.0.0.1/x"])
def test_an_address_that_nothing_reaches_is_refused_here_too(connector: Connector, url: str) -> None:
    """The route of an action that is delivered to takes no address that the action itself would refuse."""
    body = {"id": "c4010da225e590c49a61164d", "reveal_phone_number": True, "webhook_url": url}
    values = {"method": "POST", "path": "/people/match", "effect": "bill", "credits": 9, "body": body}
    with pytest.raises(InputError) as caught:
        connector.connector_preview("raw_request", values)
    assert [problem.path for problem in caught.value.problems] == ["body.webhook_url"]


def test_a_cost_that_only_a_person_can_tell_is_not_nothing(connector: Connector) -> None:
    """The route of an action whose cost is stated isn't free."""
    values = {"method": "POST", "path": "/enrich", "effect": "bill", "credits": 0, "body": {}}
    with pytest.raises(InputError) as caught:
        connector.connector_preview("raw_request", values)
    assert [problem.path for problem in caught.value.problems] == ["credits"]


FLAG = "reveal_phone_number"
MATCH = {"method": "POST", "path": "/people/match", "effect": "bill"}
BULK = {"method": "POST", "path": "/people/bulk_match", "effect": "bill", "credits": 100}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/people/match.json"),
        ("POST", "/people/match.xml.gz"),
        ("POST", "/People/MATCH"),
        ("GET", "/people/match"),
        ("PUT", "/people/match"),
        ("GET", "/news_articles/search"),
        ("POST", "/organizations/enrich"),
    ],
)
def test_a_second_spelling_has_the_rules_of_the_first(
    run: Any, service: Any, action: Action, method: str, path: str
) -> None:
    """Letter case, a suffix and another method change neither effect nor cost."""
    for stated, credits_ in (("read", 0), ("bill", 0)):
        with pytest.raises(InputError, match=r"this is the route of|may cost with this"):
            run(method=method, path=path, effect=stated, credits=credits_)
    assert service.requests == []
    values = {"method": method, "path": path, "effect": "read", "credits": 0}
    assert action.effect.of(values) is Effect.BILL
    assert action.credits.worst(values) == 1
    assert action.credits.may_cost(values)


@pytest.mark.parametrize(
    "given",
    [
        {"body": {FLAG: True}},
        {"query": {FLAG: True}},
        {"query": {FLAG: "true"}},
        {"query": {FLAG: 1}, "body": {FLAG: False}},
        {"body": {FLAG.upper(): "1"}},
        {"query": {f"{FLAG}[]": "true"}},
        {"query": {f"person[{FLAG}]": "t"}},
        {"body": {"person": [{FLAG: "yes"}]}},
        {"body": {FLAG: [True]}},
    ],
)
def test_a_flag_costs_wherever_it_stands(run: Any, service: Any, given: dict[str, Any]) -> None:
    """A flag that costs more is seen in query and body, as text, in brackets and inside other values."""
    with pytest.raises(InputError, match="must be at least 9"):
        run(**MATCH, credits=8, **given)
    run(**MATCH, credits=9, **given)
    assert len(service.requests) == 1


@pytest.mark.parametrize("off", [False, None, "false", "0", 0])
def test_a_flag_that_is_off_costs_nothing(run: Any, off: Any) -> None:
    """What a service can only take for no isn't charged."""
    run(**MATCH, credits=1, query={FLAG: off})


@pytest.mark.parametrize(
    ("place", "given"),
    [
        ("query", {"query": {"details[]": [{}, {}]}}),
        ("query", {"query": {"details[0][email]": "a@b.example"}}),
        ("body", {"body": {"details": {"0": {}, "1": {}}}}),
        ("body", {"body": {"details": [[{}, {}]]}}),
        ("body", {"body": {"details": "a,b"}}),
        ("body", {"body": {"Details": [{}]}}),
        ("body", {"body": {"wrapped": {"details": [{}]}}}),
        ("query", {"query": {"details": [{}]}, "body": {"details": [{}]}}),
        ("body", {"body": [{}, {}]}),
    ],
)
def test_what_is_paid_by_the_item_must_be_countable(run: Any, service: Any, place: str, given: dict[str, Any]) -> None:
    """The list that an action is paid by stands once, plainly; everything else is refused at its place."""
    with pytest.raises(InputError) as caught:
        run(**BULK, **given)
    assert {problem.path for problem in caught.value.problems} == {place}
    assert service.requests == []


def test_a_method_override_is_refused(run: Any, service: Any) -> None:
    """No parameter makes a GET a write."""
    for values in ({"method": "GET", "query": {"_method": "POST"}}, {"method": "POST", "body": {"_METHOD[]": "put"}}):
        with pytest.raises(InputError, match="must not hold _method"):
            run(path="/contacts/search", effect="read", **values)
    assert service.requests == []


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"method": "POST", "path": "/emailer_campaigns/abc/add_contact_ids", "effect": "upsert"}, MAILS),
        ({"method": "GET", "path": "/Emailer_campaigns/abc/add_contact_ids.json", "effect": "upsert"}, MAILS),
        ({"method": "POST", "path": "/emailer_messages/abc/send_now", "effect": "read"}, MAILS),
        ({"method": "PUT", "path": "/sequences/abc", "effect": "upsert", "body": {"active": "1"}}, MAILS),
        ({"method": "PUT", "path": "/sequences/abc", "effect": "upsert", "body": {"name": "x"}}, ""),
        ({"method": "POST", "path": "/contacts", "effect": "create", "body": {}}, ""),
        ({"method": "GET", "path": "/anything/else"}, ""),
        ({"method": "GET", "path": "/anything/else", "effect": "send"}, MAILS),
        ({"method": "POST", "path": "/anything/else", "effect": "read"}, UNDECLARED),
        ({"method": "DELETE", "path": "/contacts/abc", "effect": "upsert"}, UNDECLARED),
        ({"method": "GET", "path": {"$from": "item"}}, MAILS),
    ],
)
def test_what_a_person_must_confirm(action: Action, values: dict[str, Any], word: str) -> None:
    """Whatever its action needs a word for, and any undeclared request but a GET, whatever effect is stated."""
    assert action.word_for({"credits": 0, **values}) == word


def test_the_declared_action_decides_about_repeats(run: Any, action: Action) -> None:
    """A create isn't repeated because it was stated to bill; an upsert needs its flag and key plainly."""
    create = {"method": "POST", "path": "/contacts", "credits": 0}
    with pytest.raises(InputError, match="must be create or send"):
        run(**create, effect="bill")
    deduplicated = {"run_dedupe": True, "email": "a@b.example"}
    assert action.effect.of({**create, "effect": "upsert", "body": deduplicated}) is Effect.UPSERT
    for query, body in (
        ({"run_dedupe": False}, {}),
        ({"run_dedupe": True}, {"run_dedupe": False}),
        ({"Email": ""}, {}),
    ):
        doubtful = {**create, "effect": "upsert", "body": {**deduplicated, **body}, "query": query}
        assert action.effect.of(doubtful) is Effect.CREATE


@pytest.mark.parametrize(
    ("values", "answer", "spent"),
    [
        ({"method": "GET", "path": "/x"}, {"credits_consumed": 10}, 10),
        ({"method": "POST", "path": "/x", "effect": "upsert", "credits": 0}, {"credits_consumed": "3"}, 3),
        ({"method": "POST", "path": "/x", "effect": "bill", "credits": 5}, {"credits_consumed": 2}, 2),
        ({"method": "POST", "path": "/x", "effect": "bill", "credits": 5}, {}, None),
        ({**MATCH, "credits": 9, "body": {FLAG: True}}, {"credits_consumed": 1}, None),
        ({**MATCH, "credits": 9, "query": {"run_waterfall_email": "1"}}, {"credits_consumed": 1}, None),
        ({"method": "GET", "path": "/x"}, {"credits_consumed": -1}, 0),
    ],
)
def test_the_credits_that_an_answer_reports_are_booked(
    run: Any, service: Any, reply: Any, values: dict[str, Any], answer: Any, spent: float | None
) -> None:
    """What the answer says counts, whatever was stated; what is decided later stays reserved."""
    service.answers = {values["path"]: reply(200, answer)}
    assert run(**values).spent == spent
