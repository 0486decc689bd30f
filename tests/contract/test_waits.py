"""Ways to wait: what answers mean, where results go, and that a declaration is checked."""

import pytest

from apollo_component.contract.waits import Merge, Standing, wait_from

from .test_loading import home, problems_of, write

__all__ = ["home"]
BASE = {"action": "people_list", "input": {"q": "id"}, "every": 10, "timeout": 60}


def declared(**more):
    return wait_from(BASE | more)


@pytest.mark.parametrize(
    ("answer", "standing"),
    [
        ({"state": "busy"}, Standing.WORKING),
        ({"state": "broken"}, Standing.FAILED),
        ({"state": "done"}, Standing.DONE),
        ({"state": "never heard of"}, Standing.DONE),
        ({"state": "done", "again": 5}, Standing.WORKING),
        ({"state": "broken", "again": 5}, Standing.FAILED),
        ({"state": None, "again": None}, Standing.DONE),
        ([], Standing.DONE),
        (None, Standing.DONE),
    ],
)
def test_what_an_answer_says(answer, standing):
    """Words that are declared, or a time to ask again, mean that it goes on; every other word means done."""
    wait = declared(status="state", working=["busy"], failed=["broken"], retry_after="again")
    assert wait.standing(answer) is standing


def test_flags_decide_whether_something_comes():
    """One flag that is true is enough; without flags something always comes."""
    wait = declared(when=["a", "b"])
    assert [wait.expected(values) for values in ({}, {"a": False}, {"b": "true"}, {"b": True})] == [False] * 3 + [True]
    assert declared().expected({})


def test_nothing_comes_when_all_that_is_told_says_so():
    """One part that was skipped isn't enough while another was accepted."""
    wait = declared(skipped={"phone.status": "skipped", "mail.status": "skipped"})
    skipped, accepted = {"status": "skipped"}, {"status": "accepted"}
    answers = ({}, {"phone": skipped}, {"phone": skipped, "mail": skipped}, {"phone": skipped, "mail": accepted})
    assert [wait.comes_to_nothing(answer) for answer in answers] == [False, True, True, False]


def test_records_are_merged_by_key_and_nothing_else_changes():
    """Each late record finds its place, also twice; order, nulls, strangers and what isn't named stay."""
    merge = Merge(("phones",), records="people")
    records = [{"id": 2, "a": 1}, None, {"id": "1"}, {"id": "9"}, "odd", {"id": "1", "phones": ["old"]}]
    late = {"people": [{"id": "1", "phones": ["x"], "a": "no"}, {"id": 2, "phones": None}, None, {"phones": ["y"]}]}
    assert merge.into(records, late) == [
        {"id": 2, "a": 1}, None, {"id": "1", "phones": ["x"]}, {"id": "9"}, "odd", {"id": "1", "phones": ["x"]},
    ]  # fmt: skip
    assert records[5] == {"id": "1", "phones": ["old"]}
    assert merge.ids(records) == ("2", "1", "9")


@pytest.mark.parametrize("late", [None, [], {}, {"people": None}, {"people": {}}, {"people": ["x"]}])
def test_a_result_that_is_odd_changes_nothing(late):
    """Whatever comes, the records that were paid for are kept."""
    assert Merge(("phones",), records="people").into([{"id": "1"}], late) == [{"id": "1"}]


def test_only_an_empty_field_is_filled():
    """What a record has already wins over the first item of a late list."""
    merge = Merge(("emails",), records="people", fill={"email": "emails.email"})
    late = {"people": [{"id": "1", "emails": [{"email": "new"}]}]}
    found = merge.into([{"id": "1"}, {"id": "1", "email": ""}, {"id": "1", "email": "own"}], late)
    assert [record["email"] for record in found] == ["new", "new", "own"]
    assert "email" not in merge.into([{"id": "1"}], {"people": [{"id": "1", "emails": []}]})[0]


@pytest.mark.parametrize(
    ("told", "credits"), [(3, 3), ("2.5", 2.5), (None, None), ("many", None), (-4, 0), (True, None)]
)
def test_credits_of_a_result(told, credits):  # noqa: A002
    """A number, also one written as text; what is none isn't guessed, and nobody is paid back."""
    assert declared(spent="cost").credits({"cost": told}) == credits


MERGED = BASE | {"input": {"q": "id"}, "merge": {"fields": ["phone"]}}
WRONG = {
    "waits.w.action": (MERGED | {"action": "nobody"}, "names no action"),
    "waits.w.input.zzz": (MERGED | {"input": {"zzz": "id"}}, "names no input field of people_list"),
    "actions[1].wait": (BASE, "needs a merge"),
    "waits.w.every": (MERGED | {"every": 0}, "more than"),
    "waits.w.timeout": (MERGED | {"timeout": 10**6}, "at most"),
    "waits.w.colour": (MERGED | {"colour": 1}, "not a known field"),
    "waits.w.pending[0]": (MERGED | {"pending": ["temporary"]}, "one of"),
}


@pytest.mark.parametrize("path", WRONG)
def test_a_wrong_way_to_wait_is_told_at_its_place(home, path):
    """Names that don't exist and values that can't be are found when the manifest is loaded."""
    wait, text = WRONG[path]

    def change(data):
        data["waits"] = {"w": wait}
        data["actions"][1]["wait"] = "w"

    problems = dict(problems_of(write(home, change)))
    assert text in problems[path], problems


def test_names_of_the_waiting_action_are_checked(home):
    """Flags and the inputs of a callback must be inputs of each action that waits so, and a callback needs records."""
    callback = {"url": "hook", "trigger": "arrived"}

    def change(data):
        data["waits"] = {"w": MERGED | {"when": ["flag"], "callback": callback}}
        data["actions"][1]["wait"] = "w"

    said = [text for path, text in problems_of(write(home, change)) if path == "actions[1].wait"]
    assert said == [
        "has a callback, so its merge needs records",
        "names no input field (flag)",
        "names no input field (hook)",
    ]


def test_an_unknown_way_to_wait_is_told(home):
    """An action can only wait in a way that is declared."""

    def change(data):
        data["actions"][1]["wait"] = "nope"

    assert ("actions[1].wait", "names no way to wait of this manifest") in problems_of(write(home, change))
