"""The connection test: four verdicts that tell the truth, and what was or wasn't tried (design section 6)."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from apollo_component.connector.testing import MAX_PROBES
from apollo_component.contract.actions import Credits, Requires
from apollo_component.contract.errors import NotFoundError, QuotaError, TransientError
from apollo_component.contract.manifest import Manifest
from apollo_component.contract.models import Account, Credential, Effect, Reply, TestReport

Make = Callable[..., Reply]
HEALTH, PROFILE, SEARCH = "/auth/health", "/users/api_profile", "/mixed_people/api_search"
ME = {"id": "u1", "team_id": "t1", "first_name": "Dana", "last_name": "Reyes", "email": "dana@example.com"}
INACCESSIBLE = {"error": "This API key is not authorized to access it.", "error_code": "API_INACCESSIBLE"}
FREE = {"error": "x is not accessible with this api_key on a free plan.", "error_code": "API_INACCESSIBLE"}


@pytest.fixture
def good(service: Any, reply: Make) -> Any:
    service.answers = {
        HEALTH: reply(200, {"healthy": True, "is_logged_in": True}),
        PROFILE: reply(200, ME),
        SEARCH: reply(200, {"people": [], "total_entries": 1}),
    }
    return service.answers


@pytest.fixture
def check(make: Any, key: Credential, host: Any) -> Callable[..., TestReport]:
    def test(*actions: str, credential: Credential = key, strict: bool = False, declaration: Any = None) -> TestReport:
        connector = make(declaration) if declaration else make()
        return connector.connector_test(credential, actions, strict, host)

    return test


def outcomes(report: TestReport) -> dict[str, str]:
    return {check.name: check.outcome for check in report.checks}


def test_a_good_key_is_connected(good: Any, check: Any, service: Any, host: Any) -> None:
    """A key that passes every stage is connected, with its account; three requests, each metered, none recorded."""
    report = check()
    assert report.verdict == "connected"
    assert report.account == Account("u1", "t1", "Dana Reyes", "dana@example.com")
    assert service.paths == [HEALTH, PROFILE, SEARCH]
    assert service.requests[2].json["per_page"] == 1
    assert host.events == ["permit", "send", "observed"] * 3
    assert set(outcomes(report).values()) == {"passed"}


def test_a_flag_decides_and_not_the_status(good: Any, check: Any, service: Any, reply: Make) -> None:
    """Health that answers 200 but knows nobody refuses the connection, at once and in plain words."""
    good[HEALTH] = reply(200, {"healthy": True, "is_logged_in": False})
    report = check()
    assert report.verdict == "refused"
    assert "doesn't recognise this credential" in report.text
    assert service.paths == [HEALTH]


@pytest.mark.parametrize("answer", [{}, {"is_logged_in": "true"}, {"is_logged_in": None}])
def test_a_flag_that_is_not_there_is_not_true(good: Any, check: Any, reply: Make, answer: Any) -> None:
    """Only a true flag passes."""
    good[HEALTH] = reply(200, answer)
    assert check().verdict == "refused"


@pytest.mark.parametrize("path", [HEALTH, PROFILE, SEARCH])
@pytest.mark.parametrize("answer", [[], None, "text", {"error": "Something went wrong"}])
def test_an_answer_that_can_t_be_read_says_nothing_of_a_credential(
    good: Any, check: Any, reply: Make, path: str, answer: Any
) -> None:
    """A good status without what it must hold isn't a good answer: the service is out of reach."""
    good[path] = reply(200, answer)
    assert check().verdict != "connected"


@pytest.mark.parametrize("path", [HEALTH, PROFILE, SEARCH])
@pytest.mark.parametrize("oauth", [False, True])
def test_any_401_is_refused(
    good: Any, check: Any, reply: Make, key: Credential, token: Credential, path: str, oauth: bool
) -> None:
    """A credential that any stage rejects is refused, whatever the other stages say."""
    good[path] = reply(
        401, {"error": "Invalid", "error_code": "INVALID_ACCESS_TOKEN"} if oauth else {"error": "Invalid"}
    )
    report = check(credential=token if oauth else key)
    assert report.verdict == ("connected" if oauth and path == SEARCH else "refused")


@pytest.mark.parametrize("strict", [False, True])
def test_a_key_without_the_profile_is_limited(good: Any, check: Any, reply: Make, strict: bool) -> None:
    """A 403 on the profile leaves the account unknown and says which box to tick; the test goes on."""
    good[PROFILE] = reply(403, INACCESSIBLE)
    report = check(strict=strict)
    assert (report.verdict, report.account) == ("limited", None)
    miss = next(check for check in report.checks if check.outcome == "missed")
    assert miss.name == "users_api_profile"
    assert "Tick api/v1/users/api_profile" in miss.text
    assert miss.missing["key_endpoint"] == "api/v1/users/api_profile"
    assert "users_api_profile" in report.text
    assert outcomes(report)["people_api_search"] == "passed"


def test_a_key_without_the_search_is_limited_or_strictly_refused(good: Any, check: Any, reply: Make) -> None:
    """A 403 on the people search limits the connection, and refuses it when a strict test was asked for."""
    good[SEARCH] = reply(403, INACCESSIBLE)
    loose, strict = check(), check(strict=True)
    assert (loose.verdict, strict.verdict) == ("limited", "refused")
    assert loose.account == strict.account == Account("u1", "t1", "Dana Reyes", "dana@example.com")
    assert "Tick api/v1/mixed_people/api_search" in next(c.text for c in loose.checks if c.outcome == "missed")
    assert "Tick api/v1/mixed_people/api_search" in strict.text


def structured(code: str, message: str, *labels: str) -> dict[str, Any]:
    suggestions = [{"label": label} for label in labels]
    return {"error": "Refused", "error_details": {"code": code, "message": message, "suggestions": suggestions}}


@pytest.mark.parametrize("path", [HEALTH, PROFILE, SEARCH, "/contacts/search"])
@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (structured("X.IP_RESTRICTED", "Requests from this IP address are not allowed.", "Add it"), "this IP address"),
        ({"error": "IP not allowed"}, "IP not allowed"),
        (structured("X.ACCOUNT_INACTIVE", "The account that owns this key is not active."), "is not active"),
        ({"message": "Your account has been suspended.", "error": "Forbidden"}, "has been suspended"),
        (structured("X.API_KEY_EXPIRED", "This API key has expired."), "has expired"),
        (structured("X.NO_API_ACCESS", "This workspace has no API access."), "no API access"),
        ({"error": "Not from your region."}, "Not from your region."),
    ],
)
def test_a_refused_account_is_refused_in_the_services_words(
    good: Any, check: Any, reply: Make, path: str, status: int, body: Any, words: str
) -> None:
    """Where the place, the account or the whole key is refused, no endpoint is said to be missing: 401 or 403, at
    whichever stage, the connection is refused, and the service tells why and what to do."""
    good[path] = reply(status, body)
    report = check("contacts_search")
    assert report.verdict == "refused"
    assert words in report.text
    assert not [one for one in report.checks if one.outcome == "missed"]
    assert "tick" not in report.hint.lower()
    if body.get("error_details", {}).get("suggestions"):
        assert report.hint == "Add it."


@pytest.mark.parametrize(
    "body",
    [
        structured("X.OAUTH_SCOPE_MISSING", "This token does not have the contacts_search scope."),
        structured("X.ENDPOINT", "This key may not call this endpoint."),
        {"error": "You do not have permission to access contacts."},
        {"error": "This endpoint requires unified credits."},
        {"error": "Forbidden"},
        {},
    ],
)
def test_a_refused_right_limits(good: Any, check: Any, reply: Make, body: Any) -> None:
    """A missing endpoint, scope, plan or right of the person limits a connection, and so does a 403 without a reason."""
    good["/contacts/search"] = reply(403, body)
    report = check("contacts_search")
    assert report.verdict == "limited"
    assert outcomes(report)["contacts_search"] == "missed"


@pytest.mark.parametrize("path", [HEALTH, PROFILE, SEARCH])
@pytest.mark.parametrize(
    "answer",
    [
        (200, b"<html>Sign in to the wifi</html>"),
        (200, b'{"is_logged_in": tr'),
        (302, b""),
        (401, b"<html>Proxy authentication</html>"),
        (403, b"<html>Blocked</html>"),
        (502, b"<html>Bad gateway</html>"),
        (503, {"error": "Maintenance"}),
    ],
)
def test_an_answer_of_somebody_else_is_unreachable(
    good: Any, check: Any, reply: Make, path: str, answer: tuple[int, Any]
) -> None:
    """Pages, redirects, halves of answers and outages say nothing about the credential: unreachable."""
    good[path] = reply(*answer)
    assert check().verdict == "unreachable"


def test_no_network_is_unreachable(good: Any, check: Any, service: Any) -> None:
    """A network error ends the test as unreachable, with what to check; the test itself doesn't fail."""
    good[HEALTH] = TransientError("api.apollo.io can't be reached.", worked=False, hint="Check the network.")
    report = check()
    assert (report.verdict, report.text, report.hint) == (
        "unreachable",
        "api.apollo.io can't be reached.",
        "Check the network.",
    )
    assert service.paths == [HEALTH]


def test_no_permission_to_send_is_unreachable(good: Any, check: Any, host: Any, service: Any) -> None:
    """A host that holds requests back gets a report too, and nothing is sent."""
    host.refusal = QuotaError("Used up.", window="day")
    assert check().verdict == "unreachable"
    assert service.requests == []


def test_a_free_plan_is_named(good: Any, check: Any, reply: Make) -> None:
    """A key of a free plan is limited; each miss names the plan and not a box that wouldn't help."""
    good[PROFILE] = good[SEARCH] = reply(403, FREE)
    report = check()
    assert (report.verdict, report.account) == ("limited", None)
    misses = [check for check in report.checks if check.outcome == "missed"]
    assert [dict(miss.missing) for miss in misses] == [{"plan": "paid"}] * 2
    assert all("plan" in miss.text and "Upgrade" in miss.text and "Tick" not in miss.text for miss in misses)


@pytest.mark.parametrize("scopes", [None, (), ("read_user_profile", "contacts_search")])
def test_oauth_without_the_search_scope_skips_it(
    good: Any, check: Any, service: Any, token: Credential, scopes: Any
) -> None:
    """The people search is a key's stage: a token is tested without it, and is connected."""
    report = check(credential=dataclasses.replace(token, scopes=scopes))
    assert report.verdict == "connected"
    assert service.paths == [HEALTH, PROFILE]


def test_chosen_reads_are_probed_small(good: Any, check: Any, service: Any, reply: Make) -> None:
    """A chosen free read is tried with one record; a refusal is a miss that names what to grant."""
    good["/contacts/search"] = reply(403, INACCESSIBLE)
    report = check("contacts_search", "users_search")
    assert report.verdict == "limited"
    assert outcomes(report)["contacts_search"] == "missed"
    assert outcomes(report)["users_search"] == "passed"
    assert service.requests[3].json["per_page"] == 1
    miss = next(check for check in report.checks if check.outcome == "missed")
    assert "tick api/v1/contacts/search" in miss.text


def test_what_writes_or_costs_or_needs_input_is_untested(good: Any, check: Any, service: Any) -> None:
    """Nothing that changes, bills or needs an input is tried; it is listed as untested and limits nothing."""
    actions = ("contacts_create", "contacts_update", "people_match", "emailer_campaigns_add_contact_ids")
    report = check(*actions)
    assert report.verdict == "connected"
    assert [outcomes(report)[name] for name in actions] == ["untested"] * 4
    assert len(service.requests) == 3


def test_a_read_that_costs_is_not_tried(good: Any, check: Any, manifest: Manifest, service: Any) -> None:
    """An action that only reads but costs credits is left untested: a test spends nothing."""
    paid = dataclasses.replace(manifest.actions["users_search"], id="paid", credits=Credits(base=1))
    report = check("paid", declaration=dataclasses.replace(manifest, actions={**manifest.actions, "paid": paid}))
    assert (report.verdict, outcomes(report)["paid"]) == ("connected", "untested")
    assert len(service.requests) == 3


def test_a_stage_is_not_tried_twice(good: Any, check: Any, service: Any) -> None:
    """A chosen action that the test calls anyway, or that is chosen twice, is called once."""
    check("auth_health", "users_api_profile", "people_api_search", "users_search", "users_search")
    assert service.paths == [HEALTH, PROFILE, SEARCH, "/users/search"]


def test_at_most_ten_probes(good: Any, check: Any, reply: Make, manifest: Manifest, service: Any) -> None:
    """However many reads are chosen, ten are tried; the others are listed as untested."""
    read = manifest.actions["contacts_search"]
    many = {f"search_{n}": dataclasses.replace(read, id=f"search_{n}") for n in range(12)}
    good["/contacts/search"] = reply(200, {"contacts": []})
    report = check(*many, declaration=dataclasses.replace(manifest, actions={**manifest.actions, **many}))
    assert MAX_PROBES == 10
    assert len(service.requests) == 3 + 10
    assert [outcomes(report)[name] for name in many] == ["passed"] * 10 + ["untested"] * 2
    assert report.verdict == "connected"


def test_missing_scopes_are_told_without_a_call(good: Any, check: Any, service: Any, token: Credential) -> None:
    """Granted scopes are compared, not tried: a missing one limits the connection and names itself."""
    report = check(
        "contacts_search",
        "contacts_create",
        "users_search",
        credential=dataclasses.replace(token, scopes=("users_list",)),
    )
    assert report.verdict == "limited"
    assert outcomes(report) == {
        "auth_health": "passed",
        "users_api_profile": "passed",
        "contacts_search": "missed",
        "contacts_create": "missed",
        "users_search": "passed",
    }
    assert service.paths == [HEALTH, PROFILE, "/users/search"]
    assert {check.missing.get("oauth_scope") for check in report.checks} == {None, "contacts_search", "contact_write"}


def test_a_chosen_search_is_judged_over_oauth_too(good: Any, check: Any, service: Any, token: Credential) -> None:
    """Choosing the people search with a token is no exception: its scope is compared, and with it the action is tried."""
    without = check("people_api_search", credential=dataclasses.replace(token, scopes=("contacts_search",)))
    assert (without.verdict, outcomes(without)["people_api_search"]) == ("limited", "missed")
    granted = check("people_api_search", credential=dataclasses.replace(token, scopes=("mixed_people_api_search",)))
    assert (granted.verdict, outcomes(granted)["people_api_search"]) == ("connected", "passed")
    assert service.paths[-1] == SEARCH


def test_an_action_out_of_reach_of_oauth_is_a_miss(
    good: Any, check: Any, manifest: Manifest, token: Credential
) -> None:
    """An action without a scope is a miss for a token, and says that a key is needed."""
    action = dataclasses.replace(manifest.actions["contacts_search"], requires=Requires("api/v1/contacts/search"))
    declaration = dataclasses.replace(manifest, actions={**manifest.actions, "contacts_search": action})
    report = check("contacts_search", credential=token, declaration=declaration)
    assert report.verdict == "limited"
    assert report.checks[-1].missing == {"connection_type": "api_key"}


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ((401, {"error": "Invalid"}), "refused"),
        ((503, {"error": "Down"}), "unreachable"),
        ((200, b"<html>"), "unreachable"),
        ((403, FREE), "limited"),
        ((422, {"error": "Something odd."}), "limited"),
        ((404, {"error": "Not Found"}), "limited"),
    ],
)
def test_what_a_probe_says_of_the_connection(
    good: Any, check: Any, reply: Make, answer: tuple[int, Any], verdict: str
) -> None:
    """A chosen action that refuses for its own reasons limits the connection; only a 401 refuses a signed-in one."""
    good["/contacts/search"] = reply(*answer)
    report = check("contacts_search")
    assert report.verdict == verdict
    assert report.account is not None


def test_an_unknown_action_is_an_error(good: Any, check: Any, service: Any) -> None:
    """An action that doesn't exist is no verdict but an error, before anything is sent."""
    with pytest.raises(NotFoundError):
        check("none")
    assert service.requests == []


def test_a_test_spends_and_changes_nothing(manifest: Manifest) -> None:
    """Every declared stage only reads and is free."""
    for stage in manifest.test:
        action = manifest.actions[stage.action]
        assert action.effect.kind is Effect.READ
        assert not action.credits.base


def test_a_report_shows_no_secret(good: Any, check: Any, reply: Make, key: Credential) -> None:
    """Whatever comes of a test, neither the key nor a token is in the report."""
    good[PROFILE] = reply(403, INACCESSIBLE)
    assert "canary" not in repr(check("contacts_search"))
