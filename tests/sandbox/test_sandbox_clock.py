"""The clock that tests move."""

import time

import pytest

from apollo_component.sandbox.clock import Clock


def test_a_clock_may_run_fast():
    """From the moment it is told, a fast clock runs so many times as fast, without a jump."""
    clock = Clock()
    clock.advance(100)
    clock.run(1000)
    began, real = clock.now(), time.time()
    assert abs(began - real - 100) < 50
    while clock.now() < began + 5:
        assert time.time() - real < 5


@pytest.mark.parametrize("rate", [0, -1, 1001])
def test_a_clock_never_stands_or_runs_back(rate):
    """A rate that isn't above 0, or is too large, is refused."""
    with pytest.raises(ValueError, match="rate must be"):
        Clock().run(rate)
