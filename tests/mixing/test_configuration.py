"""What masks may depend on, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.mixing.configuration import MaskConfig, checked_alpha, checked_key, checked_lambdas


@pytest.mark.parametrize(
    ("given", "size"), [(7, (7,)), ([3, 4], (3, 4)), (np.array([3, 4, 5]), (3, 4, 5)), (np.int64(6), (6,))]
)
def test_a_size_is_one_to_three_numbers(given, size):
    assert MaskConfig(size=given).size == size
    assert MaskConfig(size=given).pixels == np.prod(size)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("size", value) for value in (0, (), (3, 0), (1, 2, 3, 4), (2.5, 3), "32", True, None)),
        *(("decay", value) for value in (-1, 101, float("nan"), "3")),
        *(("max_soft", value) for value in (-0.1, 0.51, None)),
        ("legacy_spectrum", 1),
    ],
)
def test_others_are_refused_by_name(name, value):
    with pytest.raises(ConfigurationError, match=f"{name} is not allowed; found .*; allowed: "):
        MaskConfig(**{"size": (4, 4), name: value})


@pytest.mark.parametrize("size", [1, (1, 8), (1, 4, 4)], ids=str)
def test_the_published_code_cannot_make_masks_of_one_row(size):
    assert MaskConfig(size=size)
    with pytest.raises(ConfigurationError, match="legacy_spectrum needs a size of 2 or more in front"):
        MaskConfig(size=size, legacy_spectrum=True)


@pytest.mark.parametrize("alpha", [0, -1, float("inf"), float("nan"), "1", None])
def test_alpha_is_above_0(alpha):
    with pytest.raises(ConfigurationError, match="alpha is not allowed"):
        checked_alpha(alpha)


@pytest.mark.parametrize("lam", [-0.1, 1.1, float("nan"), [[0.5]], "half", [0.5, None]])
def test_lambdas_are_numbers_from_0_to_1(lam):
    with pytest.raises(ConfigurationError, match="lam is not allowed"):
        checked_lambdas(lam)
    assert checked_lambdas(0.5).tolist() == [0.5]


@pytest.mark.parametrize("key", [-1, 2**63, 0.5, None, True])
def test_a_key_is_an_integer_of_63_bits(key):
    with pytest.raises(ConfigurationError, match="key is not allowed"):
        checked_key(key)
