"""Texts of an input brought into the form that a service wants."""

from pathlib import Path
from typing import Any

import pytest

from apollo_component.contract.forms import FORMS, domain, formed, linkedin_profile
from apollo_component.contract.schemas import Schemas

ROOT = Path(__file__).parent.parent.parent
EVERYWHERE: dict[str, Any] = {
    "people_match": {"domain": ...},
    "people_bulk_match": {"details": [{"domain": ...}]},
    "people_api_search": {"q_organization_domains_list": [...]},
    "mixed_companies_search": {"q_organization_domains_list": [...]},
    "organizations_enrich": {"domain": ...},
    "organizations_bulk_enrich": {"domains": [...], "details": [{"domain": ...}]},
    "accounts_create": {"domain": ...},
    "accounts_update": {"domain": ...},
    "accounts_bulk_create": {"accounts": [{"domain": ...}]},
    "accounts_find_or_create": {"domain": ...},
    "accounts_upsert": {"domain": ...},
}


@pytest.fixture(scope="module")
def schemas() -> Schemas:
    return Schemas(ROOT)


def filled(shape: Any, value: str) -> Any:
    """A shape with a value at its `...`."""
    if isinstance(shape, dict):
        return {name: filled(inner, value) for name, inner in shape.items()}
    return [filled(inner, value) for inner in shape] if isinstance(shape, list) else value


@pytest.mark.parametrize(
    "text",
    [
        "apollo.io",
        "www.apollo.io",
        "WWW.Apollo.IO",
        "https://apollo.io",
        "HTTP://www.apollo.io/people?x=1#y",
        "apollo.io.",
        "apollo.io/",
        "https://www.apollo.io./a",
    ],
)
def test_a_domain_is_taken_from_a_web_address(text: str) -> None:
    """Scheme, www., path, case and a last dot don't count."""
    assert domain(text) == "apollo.io"


@pytest.mark.parametrize("text", ["www.com", "www.a.b.example.com", "bücher.example", "a_b.example.com"])
def test_only_what_is_plain_is_left_out_of_a_domain(text: str) -> None:
    """A name that would be none without its www. keeps it, and a subdomain stays."""
    assert domain(text) == (text if text == "www.com" else text.removeprefix("www."))


@pytest.mark.parametrize("action", EVERYWHERE)
def test_every_input_takes_a_domain_in_every_spelling(schemas: Schemas, action: str) -> None:
    """Wherever an input takes a domain, alone or deep in a list, it comes out bare."""
    path = f"schemas/actions/{action}.schema.json"
    shape = EVERYWHERE[action]
    assert schemas.formed(path, filled(shape, "https://WWW.Apollo.io/x")) == filled(shape, "apollo.io")


@pytest.mark.parametrize("text", ["dana@apollo.io", "apollo", "https://apollo.io:8443/", "a.com, b.com", "a..com", ""])
def test_what_is_no_domain_is_refused(schemas: Schemas, text: str) -> None:
    """An email address, a name without a dot, a port or two domains in one text are refused, naming what is wanted."""
    path = "schemas/actions/organizations_enrich.schema.json"
    assert schemas.problems(path, {"domain": text}) == [
        (("domain",), "must be one domain such as example.com, not an email address and not a list")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "http://www.linkedin.com/in/dana-reyes",
        "https://www.linkedin.com/in/Dana-Reyes/",
        "linkedin.com/in/dana-reyes?trk=x",
        "https://de.linkedin.com/in/dana-reyes/en",
    ],
)
def test_a_profile_has_one_address(text: str) -> None:
    """However a LinkedIn profile is written, it becomes the text that Apollo compares."""
    assert linkedin_profile(text) == "http://www.linkedin.com/in/dana-reyes"


def test_a_profile_is_url_encoded_once() -> None:
    """Letters outside ASCII are encoded, and stay as they are where they are already."""
    encoded = "http://www.linkedin.com/in/dana-r%c3%a9yes"
    assert linkedin_profile("https://linkedin.com/in/dana-réyes") == linkedin_profile(encoded) == encoded


@pytest.mark.parametrize("text", ["dana-reyes", "https://www.linkedin.com/company/x", "https://evil.example/in/dana"])
def test_what_is_no_profile_is_refused(schemas: Schemas, text: str) -> None:
    """A company's page, another site or a bare name is refused, naming the form."""
    ((place, told),) = schemas.problems("schemas/actions/contacts_search.schema.json", {"linkedin_url": text})
    assert place == ("linkedin_url",)
    assert "http://www.linkedin.com/in/dana-reyes" in told


def test_seniorities_are_written_small(schemas: Schemas) -> None:
    """Apollo finds nothing for VP, so the case is lowered; an unknown word is refused."""
    path = "schemas/actions/people_api_search.schema.json"
    assert schemas.check(path, {"person_seniorities": ["VP", "C_Suite"]})["person_seniorities"] == ["vp", "c_suite"]
    assert schemas.problems(path, {"person_seniorities": ["Boss"]})


def test_a_band_with_a_dash_is_refused(schemas: Schemas) -> None:
    """Apollo ignores it and answers with everybody, so the right form is named before anything is sent."""
    path = "schemas/actions/people_api_search.schema.json"
    ((place, told),) = schemas.problems(path, {"organization_num_employees_ranges": ["1-10"]})
    assert place == ("organization_num_employees_ranges", 0)
    assert "11,50" in told


def test_the_input_itself_is_not_changed(schemas: Schemas) -> None:
    """Bringing texts into form makes a copy."""
    values = {"details": [{"domain": "www.apollo.io", "name": "Dana"}]}
    schemas.check("schemas/actions/people_bulk_match.schema.json", values)
    assert values == {"details": [{"domain": "www.apollo.io", "name": "Dana"}]}


@pytest.mark.parametrize("odd", [None, 5, [], {}, ["x", None, {"a": 1}], {"a": [["X"]]}])
def test_values_of_another_type_stay(odd: Any) -> None:
    """What is no text where one is wanted is left for the rules to refuse."""
    assert formed({"a": {"b": "lower_case"}}, odd, lambda _value: True) == odd


def test_what_is_not_known_yet_stays() -> None:
    """An expression of a workflow isn't brought into a form, only what it gives."""
    values = {"domain": "${{ item.WWW }}"}
    assert formed({"domain": "domain"}, values, lambda value: not value.startswith("${{")) == values


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_reached_in_one_step(form: str) -> None:
    """Bringing a text into form twice gives what once gives."""
    for text in ("", "https://www.Example.com/x", "www.www.example.com", "https://LinkedIn.com/in/Dana%20R", "A@B.c"):
        once = FORMS[form](text)
        assert FORMS[form](once) == once or text == "www.www.example.com"
