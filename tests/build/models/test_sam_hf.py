import numpy as np
import pytest
import torch

pytest.importorskip("transformers", reason="SAM of the Hub needs transformers")

from fornet_hf.errors import NotFoundError
from producers.devices.opencv import largest_filled
from producers.devices.placement import Placement
from producers.segment import sam
from producers.segment.sam import BoxSegmenter
from tests.build import tiny_models
from tests.build.tiny_models import flat

BOXES = [[(5, 5, 60, 40), (20, 10, 30, 44)], [], [(0, 0, 40, 90)]]
SHAPES = [(50, 70), (64, 64), (90, 40)]


@pytest.fixture
def rasters():
    rng = np.random.default_rng(1)
    return [rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in SHAPES]


def straightforward(model, raster, **prompts):
    from transformers import SamImageProcessor, SamProcessor

    side = model.config.vision_config.image_size
    processor = SamProcessor(
        SamImageProcessor(
            size={"longest_edge": side},
            pad_size={"height": side, "width": side},
            mask_size={"longest_edge": side // 4},
        )
    )
    inputs = processor(raster, **prompts, return_tensors="pt")
    asked = {name: inputs[name].float() if inputs[name].is_floating_point() else inputs[name] for name in inputs}
    with torch.inference_mode():
        output = model(**{name: asked[name] for name in ("pixel_values", *prompts)})
    masks = processor.image_processor.post_process_masks(
        output.pred_masks,
        inputs["original_sizes"],
        inputs["reshaped_input_sizes"],
        pad_size={"height": side, "width": side},
    )
    return [largest_filled(mask.any(0).numpy()) for mask in masks[0]]


def test_masks_agree_with_the_models_own_processor(rasters):
    model = tiny_models.hub_sam()
    segmenter = BoxSegmenter(network=sam.HubSam(model), placement=Placement(), source=("sam", "tiny", "0"))
    found = segmenter.segment(rasters, BOXES)
    assert [len(masks) for masks in found] == [2, 0, 1]
    assert any(0.02 < mask.mean() < 0.98 for mask in flat(found))
    for raster, boxes, masks in zip(rasters, BOXES, found, strict=True):
        given = [[[float(edge) for edge in box] for box in boxes]]
        expected = straightforward(model, raster, input_boxes=given) if boxes else []
        for mask, other in zip(masks, expected, strict=True):
            assert np.mean(mask != other) < 0.02  # pixels are scaled in float here and in uint8 there


def test_masks_at_points_agree_with_the_models_own_processor(rasters):
    model = tiny_models.hub_sam()
    segmenter = BoxSegmenter(network=sam.HubSam(model), placement=Placement(), source=("sam", "tiny", "0"))
    found = segmenter.segment_points(rasters, [[(35, 20), (3, 3)], [], [(20, 60)]])
    assert [len(masks) for masks in found] == [2, 0, 1]
    for number, points in ((0, [(35, 20), (3, 3)]), (2, [(20, 60)])):
        given = [[[[float(x), float(y)]] for x, y in points]]
        labels = [[[1]] * len(points)]
        expected = straightforward(model, rasters[number], input_points=given, input_labels=labels)
        for mask, other in zip(found[number], expected, strict=True):
            assert np.mean(mask != other) < 0.02


def test_weights_of_a_local_folder_are_named_by_their_digest(rasters, tmp_path):
    model = tiny_models.hub_sam()
    model.save_pretrained(tmp_path)
    loaded = sam.load_from_hub(Placement(), str(tmp_path))
    assert loaded.identity.revision.startswith("sha256:")
    own = BoxSegmenter(network=sam.HubSam(model), placement=Placement(), source=("sam", "tiny", "0"))
    expected = own.segment(rasters, BOXES)
    assert np.array_equal(loaded.segment(rasters, BOXES)[0][1], expected[0][1])


def test_missing_weights_say_what_to_type(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(NotFoundError, match="hf download "):
        sam.load_from_hub(Placement(), str(tmp_path / "nothing"))
