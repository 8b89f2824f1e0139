"""The models in lower precision, and on a GPU where there is one, against float32 on the CPU."""

import numpy as np
import pytest
import torch

pytest.importorskip("transformers", reason="the models need transformers")
pytest.importorskip("segment_anything", reason="SAM needs segment-anything", exc_type=ImportError)
pytest.importorskip("simple_lama_inpainting", reason="LaMa needs simple-lama-inpainting", exc_type=ImportError)

from producers.detect.grounding_dino import GroundingDino, InputSize
from producers.devices.placement import Placement
from producers.infill import lama
from producers.scene import Scene
from producers.segment import sam, sam2
from producers.segment.box_segmenter import BoxSegmenter
from producers.segment.relative_positions import fuse
from tests.build import tiny_models, tiny_segmenters

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
PLACES = [
    ("cpu", "bfloat16"),
    pytest.param("cuda", "float32", marks=[pytest.mark.gpu, needs_gpu]),
    pytest.param("cuda", "bfloat16", marks=[pytest.mark.gpu, needs_gpu]),
]
BOXES = [[(5, 5, 60, 40)], [(3, 10, 50, 60), (0, 0, 20, 20)]]


@pytest.fixture
def rasters():
    rng = np.random.default_rng(6)
    return [rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in [(64, 88), (64, 90)]]


def detect(rasters, placement):
    network, tokenizer = tiny_models.grounding_dino()
    size = InputSize(shorter=64, longer=128)
    queries = [Scene(key="a", raster=raster, prompts=("a tench.", "a cat.")) for raster in rasters]
    return GroundingDino(network, tokenizer, placement, size=size, threshold=0.0).detect(queries)


@pytest.mark.parametrize(("device", "precision"), PLACES)
def test_scores_of_boxes_are_nearly_the_same(rasters, device, precision):
    expected, found = detect(rasters, Placement()), detect(rasters, Placement(device, precision))
    for ours, others in zip(found, expected, strict=True):
        assert [one.prompt for one in ours] == [one.prompt for one in others]
        # Random weights amplify rounding; which queries are chosen may differ, their scores hardly do.
        differences = np.abs(np.subtract([one.score for one in ours], [one.score for one in others]))
        assert np.median(differences) < 0.1


def fused_sam():
    model = tiny_models.segment_anything()
    fuse(model.image_encoder)
    return model


@pytest.mark.parametrize(
    ("wrapped", "made"),
    [
        (sam.SegmentAnything, tiny_models.segment_anything),
        (sam.SegmentAnything, fused_sam),
        (sam.HubSam, tiny_models.hub_sam),
        (sam2.HubSam2, tiny_segmenters.sam2),
    ],
    ids=["segment-anything", "fused", "transformers", "sam2"],
)
@pytest.mark.parametrize(("device", "precision"), PLACES)
def test_masks_are_nearly_the_same(rasters, device, precision, wrapped, made):
    def segment(placement):
        network = wrapped(made().to(placement.device))
        return BoxSegmenter(network=network, placement=placement, source=("", "", "")).segment(rasters, BOXES)

    expected = tiny_models.flat(segment(Placement()))
    found = tiny_models.flat(segment(Placement(device, precision)))
    assert np.mean([np.mean(mask != other) for mask, other in zip(found, expected, strict=True)]) < 0.1


@pytest.mark.parametrize(("device", "precision"), PLACES)
def test_lama_stays_in_float32(rasters, device, precision, tmp_path, monkeypatch):
    monkeypatch.setenv("LAMA_MODEL", str(tiny_models.lama_file(tmp_path)))
    holes = [np.zeros(raster.shape[:2], bool) for raster in rasters]
    for hole in holes:
        hole[10:40, 20:60] = True
    expected = lama.load(Placement()).infill(rasters, holes)
    found = lama.load(Placement(device, precision)).infill(rasters, holes)
    for filled, other in zip(found, expected, strict=True):
        assert np.abs(filled.astype(int) - other).max() <= 1 + (device == "cuda")  # whose convolutions use TF32
