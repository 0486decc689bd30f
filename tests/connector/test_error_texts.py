"""The most telling text of an answer that says what went wrong (api.md section 8)."""

from http import HTTPStatus
from typing import Any

import pytest

from apollo_component.connector.error_texts import is_telling, said_in

TOLD: dict[str, tuple[Any, str]] = {
    "details": ({"error": "invalid request", "error_details": {"message": "page must be a number."}}, "page must be a number."),
    "details say nothing": ({"error": "No such stage.", "error_details": {"message": "Validation failed"}}, "No such stage."),
    "details of a record": (
        {"error": "Validation failed", "error_details": {"contact_id": "c1", "field": "email", "message": "has no @"}},
        "email has no @ (contact_id c1)",
    ),
    "details by field": ({"error": "Invalid", "error_details": {"email": ["is invalid"]}}, "email is invalid"),
    "details as a list": (
        {"error_details": [{"field": "page", "message": "must be >= 1"}, {"field": "x", "message": "Unknown field x"}]},
        "page must be >= 1; Unknown field x",
    ),
    "details as text": ({"error": "Bad request", "error_details": "page is missing"}, "page is missing"),
    "only a code": ({"error_details": {"code": "REQUEST.BAD", "suggestions": [], "context": {"a": "b"}}}, "REQUEST.BAD"),
    "only an error code": ({"error_code": "WEBHOOK_URL_WITH_POLL_ONLY"}, "WEBHOOK_URL_WITH_POLL_ONLY"),
    "phrase and message": ({"error": "Unprocessable Entity", "message": "ids must be an array"}, "ids must be an array"),
    "message and phrase": ({"message": "Bad Request", "error": "ids must be an array"}, "ids must be an array"),
    "code as message": ({"message": "invalid_parameter", "error_message": "ids must be an array"}, "ids must be an array"),
    "both tell": ({"message": "Could not find list 1", "error": "There is no list 1."}, "Could not find list 1"),
    "description": ({"error": "invalid_scope", "error_description": "No such scope as x."}, "No such scope as x."),
    "title and detail": ({"title": "Bad", "detail": "q_keywords must be text"}, "q_keywords must be text"),
    "telling title": ({"title": "Your filters clash.", "detail": "a and b"}, "Your filters clash: a and b"),
    "title alone": ({"title": "Bad"}, "Bad"),
    "list": ({"errors": ["per_page must be <= 100", "page must be >= 1"]}, "per_page must be <= 100; page must be >= 1"),
    "list with a message": ({"message": "Contact not saved.", "errors": ["Name is taken."]}, "Contact not saved: Name is taken."),
    "list with a general message": ({"message": "Validation failed", "errors": ["Name is taken"]}, "Name is taken"),
    "list that repeats": ({"message": "Name is taken", "errors": ["Name is taken", "Name is taken"]}, "Name is taken"),
    "objects": ({"errors": [{"title": "Bad", "detail": "No such field"}, {"detail": "And more"}]}, "No such field; And more"),
    "objects with fields": ({"errors": [{"field": "email", "message": "is invalid", "code": "x"}]}, "email is invalid"),
    "objects with parameters": ({"errors": [{"parameter": "page", "message": "Too large a page"}]}, "Too large a page"),
    "objects with codes": ({"errors": [{"field": "email", "code": "taken"}, {"code": "too_long"}]}, "email taken; too_long"),
    "fields": ({"errors": {"contact_stage_ids": ["is invalid"], "title": ["is too long", "is odd"]}},
        "contact_stage_ids is invalid; title is too long; title is odd"),
    "field with a sentence": ({"errors": {"email": "Wrong format"}}, "email: Wrong format"),
    "fields of fields": ({"errors": {"contact": {"email": ["is invalid"]}}}, "contact email is invalid"),
    "no field": ({"errors": {"base": ["Name taken already."]}}, "Name taken already."),
    "error as an object": ({"error": {"code": 422, "message": "page is missing"}}, "page is missing"),
    "error as a list": ({"error": ["page is missing", "x is missing"]}, "page is missing; x is missing"),
    "error as fields": ({"error": {"page": ["is missing"]}}, "page is missing"),
    "detail as a list": ({"detail": [{"loc": ["body"], "msg": "field required"}]}, "field required"),
    "text": ("page is missing", "page is missing"),
    "texts": (["page is missing", "x is missing"], "page is missing; x is missing"),
    "markup": ({"message": "Page <b>1</b> &lt; 2<br/><!-- x -->, <a href='x'>see</a>"}, "Page 1 < 2, see"),
    "steering": ({"message": "a\x1b[31m b\u202ec\nd"}, "a [31m b c d"),
    "nothing": ({"errors": [None, 7, {}, []], "error": True, "message": 5}, ""),
    "numbers": ([1], ""),
}  # fmt: skip


@pytest.mark.parametrize("case", TOLD)
def test_the_most_telling_text_is_the_message(case: str) -> None:
    """Whatever name and shape an answer gives its reason, the text that says most is shown, as one line."""
    body, message = TOLD[case]
    assert said_in(body).message == message


@pytest.mark.parametrize(
    "text",
    [
        *(status.phrase for status in HTTPStatus if status >= 400),
        *("Bad", "invalid request", "Something went wrong.", "An unexpected error occurred. Please try again later."),
        *(
            "Oops! Something went wrong",
            "The request couldn't be processed",
            "Invalid data provided",
            "Missing parameters",
            "validation failed",
            "You are not authorized.",
            "Error 422",
            "unknown_error",
            "",
        ),
    ],
)
def test_a_general_text_tells_nothing(text: str) -> None:
    """The phrase of a status, and words that fit any refusal, give way to whatever is beside them."""
    assert not is_telling(text)
    assert said_in({"message": text, "error": "page is missing"}).message == "page is missing"


@pytest.mark.parametrize(
    "text",
    [
        "Value too long",
        "Name is required",
        "IP not allowed",
        "Api key required",
        "This is obsolete data.",
        "値が長すぎます",
    ],
)
def test_a_text_about_something_tells(text: str) -> None:
    """One word about the matter is enough; what isn't English isn't judged."""
    assert is_telling(text)


def test_a_telling_text_decides_beside_a_general_one() -> None:
    """Words are compared with texts that tell a reason, and with codes as words; general ones only without these."""
    assert said_in({"error": "Access denied.", "error_code": "IP_RESTRICTED"}).texts == ("IP RESTRICTED",)
    assert said_in({"error": "Access denied."}).texts == ("Access denied.",)


def test_a_message_is_short_however_much_there_is() -> None:
    """Of thousands of errors, of deep ones and of long ones at most 300 characters are shown."""
    deep: Any = "deep inside"
    for _ in range(100):
        deep = {"errors": [deep]}
    many = {
        "message": "a long text " * 1000,
        "errors": [{"field": f"f{n}", "message": "m " * 500} for n in range(9999)],
    }
    assert len(said_in(many).message) <= 300
    assert len(said_in({"errors": {f"f{n}": ["is wrong"] for n in range(9999)}}).message) <= 300
    assert said_in(deep).message == ""


def test_no_part_of_a_secret_is_said() -> None:
    """Wherever the service repeats it."""
    body = {"errors": {"s3cr3t-canary-1": ["is no s3cr3t-canary-1"]}, "error_code": "s3cr3t-canary-1"}
    said = said_in(body, "", ["s3cr3t-canary-1"])
    assert "canary" not in f"{said.message} {said.texts} {said.suggestions}"
