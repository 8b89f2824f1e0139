"""Masks: boxes and dilation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fornet_hf.errors import EmptyMaskError
from fornet_hf.format.masks import bounding_box, dilate

masks = arrays(np.bool_, st.tuples(st.integers(1, 40), st.integers(1, 40)))


def dilated_by_definition(mask, radius):
    result = np.zeros_like(mask)
    for y, x in zip(*np.nonzero(mask), strict=True):
        result[max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1] = True
    return result


@given(masks, st.sampled_from([0, 1, 2, 5, 18, 100]))
def test_dilation_is_a_square_around_every_pixel(mask, radius):
    assert np.array_equal(dilate(mask, radius), dilated_by_definition(mask, radius))


@given(masks)
def test_the_box_is_the_smallest(mask):
    if not mask.any():
        with pytest.raises(EmptyMaskError, match="no pixel"):
            bounding_box(mask)
        return
    x0, y0, x1, y1 = bounding_box(mask)
    inner = mask[y0:y1, x0:x1]
    assert inner.sum() == mask.sum()
    assert inner[0].any()
    assert inner[-1].any()
    assert inner[:, 0].any()
    assert inner[:, -1].any()
