import pytest
from hypothesis import given
from hypothesis import strategies as st

from fornet_hf.errors import ConfigurationError
from producers.diffusion.steps import grid, lowest


def test_the_published_grid_starts_at_1_and_ends_at_981():
    assert grid(50) == tuple(range(1, 982, 20))
    assert lowest(40, 50) == tuple(range(1, 782, 20))


@given(st.integers(1, 500))
def test_a_grid_has_as_many_steps_as_asked_for_and_all_are_trained(count):
    found = grid(count)
    assert len(set(found)) == count
    assert found == tuple(sorted(found))
    assert found[0] == 1
    assert found[-1] < 1000


@pytest.mark.parametrize("ask", [lambda: grid(0), lambda: grid(501), lambda: lowest(51, 50), lambda: lowest(0)])
def test_steps_that_are_not_there_are_refused(ask):
    with pytest.raises(ConfigurationError, match="allowed: 1 to "):
        ask()
