"""Partners: of the same group, never oneself, each equally often."""

import numpy as np
import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.evaluation.independence.partners import drawn_partners
from fornet_hf.recombination.draw.rng import generator

GROUPS = ["cat", "dog", "cat", "cat", "dog", "cat"]


def test_partners_are_others_of_the_same_group():
    partners = drawn_partners(GROUPS, 2, generator("partners", 0))
    assert partners.shape == (6, 2)
    for row, (one, two) in enumerate(partners):
        assert GROUPS[one] == GROUPS[two] == GROUPS[row]
        assert row not in (one, two)


def test_each_row_is_a_partner_equally_often():
    partners = drawn_partners([0] * 10, 3, generator("partners", 0))
    assert np.bincount(partners.ravel()).tolist() == [3] * 10
    assert all(len(set(ones)) == 3 for ones in partners)


def test_partners_of_a_small_group_come_again():
    assert drawn_partners([7, 7], 3, generator("partners", 0)).tolist() == [[1, 1, 1], [0, 0, 0]]


def test_the_generator_alone_decides():
    one, same, other = (drawn_partners([0] * 50, 2, generator("partners", seed)) for seed in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_group_of_one_row_is_refused():
    with pytest.raises(ConfigurationError, match="bird"):
        drawn_partners([*GROUPS, "bird"], 1, generator("partners", 0))
