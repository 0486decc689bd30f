"""How a problem says where it is."""

import pytest

from apollo_component.contract.errors import Problem


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("is wrong", path="a.b"), "a.b: is wrong"),
        (Problem("is wrong", path="a", line=3, file="w.yaml"), "w.yaml:3: a: is wrong"),
        (Problem("is wrong", file="w.yaml"), "w.yaml: is wrong"),
        (Problem("is wrong", path="--input", line=1), "line 1: --input: is wrong"),
        (Problem("is wrong"), "is wrong"),
    ],
)
def test_a_problem_says_where_it_is(problem: Problem, text: str) -> None:
    """File and line as tools write them; a line without a file as people say it."""
    assert str(problem) == text
