"""The validation beta, of whose request and result little is published."""

from collections.abc import Callable
from typing import Any

import pytest

from apollo_component.connector.connector import Connector
from apollo_component.contract.errors import ConnectorError, InputError, PermissionDeniedError
from apollo_component.contract.models import Credential, Page, Reply

Make = Callable[..., Reply]
BODY = {"rows": [{"anything": "x"}]}
REFUSED = {"error": "This is not available on your credit plan."}


@pytest.fixture
def run(connector: Connector, key: Credential, host: Any) -> Callable[..., Page]:
    def execute(values: dict[str, Any], action: str = "enrich_create", credential: Credential = key) -> Page:
        return connector.connector_execute(action, values, credential, None, host)

    return execute


def refusal(run: Any, *arguments: Any) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        run(*arguments)
    return caught.value


def test_the_body_is_sent_as_it_is(run: Any, service: Any, reply: Make) -> None:
    """Nothing is added to what the person gives, the bound of the cost least of all; the result is announced."""
    service.answers = {"/enrich": reply(202, {"request_id": -7992052096697829582})}
    page = run({"body": BODY, "max_credits": 9})
    assert service.requests[0].json == BODY
    assert page.late is not None
    assert dict(page.late.input) == {"request_id": "-7992052096697829582"}
    assert page.spent is None


def test_its_cost_is_bounded_by_the_person(run: Any, connector: Connector, service: Any) -> None:
    """Without a bound nothing is sent; with one it is what the request may cost at most."""
    assert {problem.path for problem in refusal(run, {"body": BODY}).problems} == {"max_credits"}  # type: ignore[attr-defined]
    assert isinstance(refusal(run, {"body": BODY, "max_credits": 0}), InputError)
    assert service.requests == []
    assert connector.manifest.actions["enrich_create"].credits.worst({"max_credits": 24}) == 24


def test_a_legacy_plan_is_told_as_such(run: Any, service: Any, reply: Make) -> None:
    """A 403 of another kind than a missing endpoint is the plan's, and another key is no help."""
    service.answers = {"/enrich": reply(403, REFUSED)}
    error = refusal(run, {"body": BODY, "max_credits": 9})
    assert isinstance(error, PermissionDeniedError)
    assert error.missing == {"plan": "paid"}
    assert "unified credits" in error.message
    assert "Another key doesn't help" in error.hint
    service.answers = {"/enrich": reply(403, {"error": "x", "error_code": "API_INACCESSIBLE"})}
    assert refusal(run, {"body": BODY, "max_credits": 9}).missing == {  # type: ignore[attr-defined]
        "key_endpoint": "api/v1/enrich/create"
    }


def test_another_action_is_not_told_so(run: Any, service: Any, reply: Make) -> None:
    """A row of the table that names an action is about no other."""
    service.answers = {"/labels": reply(403, REFUSED)}
    assert "unified" not in str(refusal(run, {}, "labels_list"))


def test_deals_of_a_contact_over_oauth_are_explained(run: Any, service: Any, reply: Make, token: Credential) -> None:
    """Apollo's sources disagree on the scope, so a refusal offers a key."""
    service.answers = {"/opportunities": reply(403, {"error": "x", "error_code": "API_INACCESSIBLE"})}
    error = refusal(run, {"contact_id": "c4010da225e590c49a61164d"}, "contacts_opportunities", token)
    assert isinstance(error, PermissionDeniedError)
    assert "API key" in error.hint
    assert "oauth_scope" in error.missing
