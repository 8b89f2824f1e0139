import numpy as np
import pytest
import torch

pytest.importorskip("transformers", reason="SAM 2 needs transformers")

from fornet_hf.errors import NotFoundError
from producers.devices.batches import BatchSize
from producers.devices.opencv import largest_filled
from producers.devices.placement import Placement
from producers.segment import sam2
from producers.segment.box_segmenter import BoxSegmenter
from tests.build import tiny_segmenters
from tests.build.tiny_models import flat

BOXES = [[(5, 5, 60, 40), (20, 10, 30, 44)], [], [(0, 0, 40, 90)], [(30, 20, 120, 110)]]
POINTS = [[(35, 20), (3, 3)], [], [(20, 60)], [(60, 60)]]
SHAPES = [(50, 70), (64, 64), (90, 40), (128, 128)]


@pytest.fixture
def rasters():
    rng = np.random.default_rng(1)
    return [rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in SHAPES]


def segmenter(model, size=16):
    network = sam2.HubSam2(model)
    return BoxSegmenter(network=network, placement=Placement(), source=("a", "b", "c"), batch_size=BatchSize(size))


def straightforward(model, raster, **prompts):
    """One image by the model's own processor."""
    from transformers import Sam2ImageProcessor, Sam2Processor

    side = model.config.prompt_encoder_config.image_size
    processor = Sam2Processor(Sam2ImageProcessor(size={"height": side, "width": side}), target_size=side)
    inputs = processor(raster, **prompts, return_tensors="pt")
    with torch.inference_mode():
        output = model(**{name: inputs[name] for name in ("pixel_values", *prompts)})
    masks = processor.post_process_masks(output.pred_masks, inputs["original_sizes"])
    return [largest_filled(mask.any(0).numpy()) for mask in masks[0]]


def test_masks_in_boxes_agree_with_the_models_own_processor(rasters):
    model = tiny_segmenters.sam2()
    found = segmenter(model).segment(rasters, BOXES)
    assert [len(masks) for masks in found] == [2, 0, 1, 1]
    assert all(0.02 < mask.mean() < 0.99 for mask in flat(found))
    for raster, boxes, masks in zip(rasters, BOXES, found, strict=True):
        given = [[[float(edge) for edge in box] for box in boxes]]
        expected = straightforward(model, raster, input_boxes=given) if boxes else []
        for mask, other in zip(masks, expected, strict=True):
            assert np.mean(mask != other) < 0.02  # pixels are scaled in float here and in uint8 there
    assert np.array_equal(found[3][0], expected[0])  # the last image is not scaled


def test_masks_at_points_agree_with_the_models_own_processor(rasters):
    model = tiny_segmenters.sam2()
    found = segmenter(model).segment_points(rasters, POINTS)
    assert [len(masks) for masks in found] == [2, 0, 1, 1]
    assert any(0.02 < mask.mean() < 0.9 for mask in flat(found))
    for raster, points, masks in zip(rasters, POINTS, found, strict=True):
        given = {
            "input_points": [[[[*map(float, point)]] for point in points]],
            "input_labels": [[[1]] * len(points)],
        }
        expected = straightforward(model, raster, **given) if points else []
        for mask, other in zip(masks, expected, strict=True):
            assert np.mean(mask != other) < 0.02


def test_a_batch_equals_single_images(rasters):
    model = tiny_segmenters.sam2()
    together, alone = (flat(segmenter(model, size).segment(rasters, BOXES)) for size in (4, 1))
    for mask, other in zip(together, alone, strict=True):
        assert np.mean(mask != other) < 1e-3


def test_weights_come_from_a_local_folder(rasters, tmp_path):
    tiny_segmenters.sam2().save_pretrained(tmp_path)
    loaded = sam2.load(Placement(), str(tmp_path), batch_size=2)
    assert loaded.batch_size.value == 2
    assert loaded.identity.name == "sam2"
    assert loaded.identity.revision.startswith("sha256:")
    expected = segmenter(tiny_segmenters.sam2()).segment(rasters, BOXES)
    assert np.array_equal(loaded.segment(rasters, BOXES)[0][0], expected[0][0])


def test_weights_for_videos_load_as_they_are_published(rasters, tmp_path):
    model = tiny_segmenters.sam2()
    tiny_segmenters.sam2_for_videos(model).save_pretrained(tmp_path)
    found = sam2.load(Placement(), str(tmp_path)).segment(rasters, BOXES)
    expected = segmenter(model).segment(rasters, BOXES)
    assert all(np.array_equal(*pair) for pair in zip(flat(found), flat(expected), strict=True))


def test_missing_weights_say_what_to_type(tmp_path):
    with pytest.raises(NotFoundError, match="hf download"):
        sam2.load(Placement(), str(tmp_path))
