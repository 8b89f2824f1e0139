"""What is checked without torch has to agree with what needs it."""

import pytest

from producers import model_settings, placement


def test_precisions():
    assert sorted(model_settings.PRECISIONS) == sorted(placement.PRECISIONS)


def test_sizes_of_sam():
    pytest.importorskip("segment_anything", reason="SAM needs segment-anything", exc_type=ImportError)
    from producers import sam

    assert sorted(model_settings.SAM_SIZES) == sorted(sam.FILES)
