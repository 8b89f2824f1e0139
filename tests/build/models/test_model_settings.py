"""What is checked without torch has to agree with what needs it."""

import pytest

from fornet_hf.format.encoding import Encoding
from producers.choices import Choice
from producers.devices import placement
from producers.work import model_settings


def test_a_run_goes_on_with_the_commits_that_it_began_with():
    asked = model_settings.ModelSettings(
        detector=Choice("grounding-dino"),
        segmenter=Choice("sam-hf", None, "main"),
        infiller=Choice("opencv"),
        encoding=Encoding(),
    )
    noted = {"detector": {"revision": "c" * 40}, "segmenter": {"revision": "d" * 40}, "infiller": {"revision": "5.0"}}
    begun = asked.as_begun(noted)
    assert begun.detector == Choice("grounding-dino", None, "c" * 40)
    assert (begun.segmenter, begun.infiller) == (asked.segmenter, asked.infiller)
    assert asked.as_begun({}) == asked


def test_precisions():
    assert sorted(model_settings.PRECISIONS) == sorted(placement.PRECISIONS)


def test_sizes_of_sam():
    pytest.importorskip("segment_anything", reason="SAM needs segment-anything", exc_type=ImportError)
    from producers.segment import sam

    assert sorted(model_settings.SAM_SIZES) == sorted(sam.FILES)
