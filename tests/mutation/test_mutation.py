"""The quick tier of mutation testing: one function, whole."""

import pytest

from tests.mutation.run import TESTS, WANTED, mutate

pytestmark = pytest.mark.real


@pytest.mark.full
def test_mutants_of_a_function_are_killed():
    """Changes to how a pasted key is read don't pass the tests, and what survives is told as a change."""
    outcome = mutate("connector/auth", "x_pasted*")
    assert outcome.counts["killed"] >= 15
    assert outcome.share >= WANTED
    assert all(text.startswith("pasted: ") and " -> " in text for text in outcome.survivors)


def test_the_tests_named_for_a_module_are_there():
    """Each module and each of its tests exists."""
    from tests.mutation.run import ROOT

    missing = [name for tests in TESTS.values() for name in tests if not (ROOT / name).is_file()]
    missing += [name for name in TESTS if not (ROOT / "apollo_component" / f"{name}.py").is_file()]
    assert missing == []
