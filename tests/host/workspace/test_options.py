"""Drop-downs: fresh enough, cheap, searched and paged, refused where they would cost, and honest where there are none."""

from dataclasses import replace

import pytest

from apollo_component.contract.errors import (
    CredentialExpiredError,
    InputError,
    ManifestError,
    NotFoundError,
    PermissionDeniedError,
    QuotaError,
)
from apollo_component.contract.models import Choice, Credential
from apollo_component.host import options as module
from apollo_component.host.options import Opened

from ..conftest import add_oauth, answer, page


def people(service, *names):
    service.always("/users", page(*({"id": f"u{n}", "name": name} for n, name in enumerate(names)), total=len(names)))


def pages(service, total, path="/users"):
    """A list of `total` people, ten a page."""

    def answering(request):
        start = (int(dict(request.query)["page"]) - 1) * 10
        return page(*({"id": n, "name": f"Person {n}"} for n in range(start, min(start + 10, total))), total=total)

    service.always(path, answering)


def labels(opened):
    return [choice.label for choice in opened.choices]


def test_choices_have_labels_and_values(host, key, service):
    """A source gives what people read and what is sent."""
    people(service, "Dana")
    assert host.options.page(key.id, "users") == Opened((Choice("Dana", "u0"),), None)


def test_a_page_is_kept_for_a_minute(host, key, service, clock):
    """The same page is asked for once a minute; another search or page is another."""
    people(service, "Dana", "Eli")
    for _ in range(3):
        host.options.page("mine", "users")
    assert len(service.requests) == 1
    host.options.page("mine", "users", search="da")
    host.options.page("mine", "users", search=" da ")
    assert len(service.requests) == 2
    clock.now += 61
    host.options.page("mine", "users")
    assert len(service.requests) == 3


def test_connections_do_not_share_and_a_new_credential_starts_anew(host, key, service):
    """What one connection sees is never shown to another, and linking again forgets what was kept."""
    people(service, "Dana")
    host.connections.add("other", "demo", Credential("api_key", api_key="canary-other"))
    host.options.page("mine", "users")
    host.options.page("other", "users")
    host.connections.replace_credential(key, Credential("api_key", api_key="canary-new"), "linked", "again")
    host.options.page("mine", "users")
    assert len(service.requests) == 3


def test_memory_is_bounded(host, key, service, monkeypatch):
    """The pages used longest ago are forgotten first."""
    monkeypatch.setattr(module, "KEPT_PAGES", 2)
    people(service, "Dana")
    for search in ("a", "d", "a", "da"):
        host.options.page("mine", "users", search=search)
    assert len(service.requests) == 3
    host.options.page("mine", "users", search="a")
    assert len(service.requests) == 3
    host.options.page("mine", "users", search="d")
    assert len(service.requests) == 4


def test_a_failure_is_not_kept(host, key, service):
    """After a refusal the next look asks again."""
    people(service, "Dana")
    service.on("/users", answer({"error": "no"}, 404))
    with pytest.raises(NotFoundError):
        host.options.page("mine", "users")
    assert labels(host.options.page("mine", "users")) == ["Dana"]


def test_pages_follow_each_other(host, key, service):
    """A cursor leads to the next page; all pages come in order."""
    pages(service, 25)
    first = host.options.page("mine", "users")
    assert (len(first.choices), first.next_cursor) == (10, "2")
    assert labels(host.options.page("mine", "users", cursor="3")) == [f"Person {n}" for n in range(20, 25)]
    assert len(list(host.options.every("mine", "users"))) == 25


def test_the_service_searches_where_it_can(host, key, service):
    """With a search parameter the text goes to the service, and its answer isn't searched again."""
    service.always("/find", page({"id": 1, "name": "Dana"}, total=1))
    assert labels(host.options.page("mine", "found", search="dnaa")) == ["Dana"]
    assert ("q", "dnaa") in service.requests[0].query


def test_empty_pages_are_passed_over(host, key, service):
    """Where the service can't search, pages without a match are skipped, so many at most."""
    pages(service, 100)
    assert labels(host.options.page("mine", "users", search="person 77")) == ["Person 77"]
    assert len(service.requests) == 8
    pages(service, 1000)
    none = host.options.page("mine", "users", search="nobody")
    assert none.choices == ()
    assert len(service.requests) <= 8 + module.EMPTY_PAGES


def test_permits_are_asked_for(host, key, service):
    """A drop-down keeps the quota like any request: nothing leaves when the hour is used up."""
    service.on("/users", answer({}, 429, retry_after="1800"))
    for search in ("", "x"):
        with pytest.raises(QuotaError):
            host.options.page("mine", "users", search=search)
    assert len(service.requests) == 1


def test_an_expired_token_is_refreshed_once(host, clock, service):
    """A token that the service rejects is refreshed and the page asked for again."""
    add_oauth(host, clock)
    people(service, "Dana")
    service.on("/users", CredentialExpiredError("expired"))
    assert labels(host.options.page("theirs", "users")) == ["Dana"]
    assert service.issued == 1


def test_a_missing_right_is_remembered(host, key, service):
    """A refusal names what is missing and is kept with the connection, as for an action."""
    service.on("/users", answer({"error": "no", "error_code": "API_INACCESSIBLE"}, 403))
    with pytest.raises(PermissionDeniedError):
        host.options.page("mine", "users")
    assert "users" in host.connections.get("mine").missed


@pytest.mark.parametrize("action", ["dear", "put", "pay"])
def test_what_costs_or_writes_is_never_opened(host, key, service, manifest, action):
    """A source that could cost or change something is refused before anything is sent."""
    source = replace(manifest.option_sources["users"], action=action)
    host.registry._manifests["demo"] = replace(manifest, option_sources={"users": source})
    with pytest.raises(ManifestError):
        host.options.page("mine", "users")
    assert service.requests == []


def test_an_unknown_source_names_the_known(host, key):
    """A slip in a source's name is told with the likely one."""
    with pytest.raises(NotFoundError) as caught:
        host.options.page("mine", "user")
    assert caught.value.hint == "Did you mean users?"


def of(host, manifest, name, connection="mine", action="person_put", **more):
    return host.options.of(manifest, manifest.actions[action], name, connection, **more)


def test_a_field_leads_to_its_source(host, key, service, manifest):
    """A field is named with dots, lists passed through."""
    people(service, "Dana")
    assert labels(of(host, manifest, "owner_id")) == ["Dana"]
    assert labels(of(host, manifest, "people[].own"))[:2] == ["Owner", "Seats"]


def test_fixed_words_need_no_connection_and_no_request(host, service, manifest):
    """An enum or the examples of list items are choices by themselves, and can be searched."""
    assert labels(of(host, manifest, "rank", None)) == ["Low", "High"]
    assert labels(of(host, manifest, "size", None, search="11")) == ["11,50"]
    assert service.requests == []


def test_a_source_needs_a_connection(host, manifest):
    """Whose users? Without a connection that can't be told."""
    with pytest.raises(InputError):
        of(host, manifest, "owner_id", None)


@pytest.mark.parametrize(
    ("name", "text"), [("lost_id", "Nobody lists them."), ("name", "any value"), ("owner", "no field 'owner'")]
)
def test_a_field_without_choices_says_why(host, key, manifest, service, name, text):
    """The documented reason is told, and a slip in the name gets a suggestion."""
    with pytest.raises(NotFoundError, match=text) as caught:
        of(host, manifest, name)
    assert name != "owner" or caught.value.hint == "Did you mean owner_id?"
    assert service.requests == []


@pytest.mark.parametrize("chosen", ["Segment", "segment ", "f006"])
def test_the_values_of_a_field_depend_on_the_field(host, key, service, manifest, chosen):
    """Behind a field of the workspace, by name or id, stand its own options; they cost no further request."""
    assert labels(of(host, manifest, f"own.{chosen}")) == ["Startup", "Enterprise", "startup"]
    assert labels(of(host, manifest, f"people.own.{chosen}", search="enter")) == ["Enterprise"]
    assert len(service.requests) == 1


def test_a_field_that_is_not_there_or_not_alone_is_told(host, key, service, manifest):
    """An unknown field and an ambiguous name are errors; the ids of the ambiguous are named."""
    with pytest.raises(NotFoundError, match="no choice"):
        of(host, manifest, "own.Nothing")
    with pytest.raises(InputError) as caught:
        of(host, manifest, "own.Twin")
    assert "f011, f012" in str(caught.value)
