"""More detectors in lower precision, and on a GPU where there is one, against float32 on the CPU."""

import numpy as np
import pytest
import torch

pytest.importorskip("transformers", reason="the detectors need transformers")

from producers.detect.florence import Florence2
from producers.detect.grounding_dino import GroundingDino
from producers.detect.grounding_settings import GroundingSettings
from producers.detect.input_size import InputSize
from producers.detect.owlv2 import Owlv2
from producers.devices.placement import Placement
from producers.scene import Scene
from tests.build import tiny_detectors
from tests.build.tiny_models import flat

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
PLACES = [
    ("cpu", "bfloat16"),
    pytest.param("cuda", "float32", marks=[pytest.mark.gpu, needs_gpu]),
    pytest.param("cuda", "bfloat16", marks=[pytest.mark.gpu, needs_gpu]),
]
SIZE = InputSize(shorter=64, longer=128)
DETECTORS = {
    "together": lambda place: GroundingDino(
        *tiny_detectors.grounding(), place, size=SIZE, threshold=0.0, settings=GroundingSettings(together=True)
    ),
    "mm-grounding-dino": lambda place: GroundingDino(
        *tiny_detectors.grounding("MMGroundingDino"), place, size=SIZE, threshold=0.0
    ),
    "owlv2": lambda place: Owlv2(*tiny_detectors.owlv2(), place, threshold=0.0),
}


@pytest.fixture
def queries():
    rng = np.random.default_rng(6)
    rasters = [rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in [(64, 88), (64, 90)]]
    return [Scene(key="a", raster=raster, prompts=("a tench.", "a cat.")) for raster in rasters]


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize(("device", "precision"), PLACES)
def test_scores_of_boxes_are_nearly_the_same(queries, name, device, precision):
    expected = DETECTORS[name](Placement()).detect(queries)
    found = DETECTORS[name](Placement(device, precision)).detect(queries)
    for ours, others in zip(found, expected, strict=True):
        for prompt in queries[0].prompts:  # of OWLv2's boxes a few may be in the padding with one precision only
            scores = [[one.score for one in some if one.prompt == prompt] for some in (ours, others)]
            least = min(map(len, scores))
            assert least > 0.8 * max(map(len, scores))
            assert np.median(np.abs(np.subtract(scores[0][:least], scores[1][:least]))) < 0.1


@pytest.mark.parametrize(("device", "precision"), PLACES)
def test_answers_of_florence_have_boxes(queries, device, precision, monkeypatch):
    """The first token that differs makes another answer, so no two need be alike."""
    monkeypatch.setattr("producers.detect.florence._MOST", 40)
    assert flat(Florence2(*tiny_detectors.florence(), Placement(device, precision)).detect(queries))
