import hashlib

import numpy as np
import pytest
import torch

pytest.importorskip("segment_anything", reason="SAM needs segment-anything", exc_type=ImportError)

import segment_anything

from fornet_hf.errors import ConfigurationError, NotFoundError
from producers.devices.batches import BatchSize
from producers.devices.opencv import largest_filled
from producers.devices.placement import ON, Placement
from producers.registry import find
from producers.segment import sam
from producers.segment.sam import BoxSegmenter
from tests.build import tiny_models
from tests.build.tiny_models import flat

BOXES = [[(5, 5, 60, 40), (20, 10, 30, 44)], [], [(0, 0, 40, 90)], [(3, 3, 9, 8)] * 3]
SHAPES = [(50, 70), (64, 64), (90, 40), (200, 150)]
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


@pytest.fixture
def rasters():
    rng = np.random.default_rng(1)
    return [rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in SHAPES]


def segmenter(model, place=None, **options):
    place = place or Placement()
    network = sam.SegmentAnything(model.to(place.device))
    return BoxSegmenter(network=network, placement=place, source=("segment-anything", "tiny", "0"), **options)


def straightforward(model, raster, prompts):
    """One image at a time by the package's own predictor."""
    from segment_anything import SamPredictor

    predictor = SamPredictor(model)
    predictor.set_image(raster)
    masks = [predictor.predict(**prompt, multimask_output=True)[0].any(0) for prompt in prompts]
    return [largest_filled(mask) for mask in masks]


def test_masks_agree_with_the_packages_predictor(rasters):
    model = tiny_models.segment_anything()
    found = segmenter(model).segment(rasters, BOXES)
    for raster, boxes, masks in zip(rasters, BOXES, found, strict=True):
        expected = straightforward(model, raster, [{"box": np.array(box)} for box in boxes])
        assert len(masks) == len(expected)
        for mask, other in zip(masks, expected, strict=True):
            assert mask.dtype == np.bool_
            assert mask.shape == raster.shape[:2]
            assert np.mean(mask != other) < 0.02  # pixels are scaled in float here and in uint8 there


def test_masks_at_points_agree_with_the_packages_predictor(rasters):
    model = tiny_models.segment_anything()
    points = [[(35, 20), (3, 3)], [], [(20, 60)], [(75, 100)] * 2]
    found = segmenter(model).segment_points(rasters, points)
    assert [len(masks) for masks in found] == [2, 0, 1, 2]
    assert any(0.02 < mask.mean() < 0.98 for mask in flat(found))
    for raster, some, masks in zip(rasters, points, found, strict=True):
        prompts = [{"point_coords": np.array([point]), "point_labels": np.array([1])} for point in some]
        for mask, other in zip(masks, straightforward(model, raster, prompts), strict=True):
            assert np.mean(mask != other) < 0.02


def test_masks_are_neither_empty_nor_full(rasters):
    """Else the comparisons here would compare nothing."""
    found = flat(segmenter(tiny_models.segment_anything()).segment(rasters, BOXES))
    assert all(0 < mask.mean() < 0.98 for mask in found)
    assert any(mask.mean() > 0.1 for mask in found)


@pytest.mark.parametrize("speedups", [ON, ON - {"decoding", "pinned"}], ids=["fast", "plain"])
@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=[pytest.mark.gpu, needs_gpu])])
def test_a_batch_equals_single_images(rasters, device, speedups):
    model = tiny_models.segment_anything()
    place = Placement(device, speedups=speedups)
    together = segmenter(model, place, batch_size=BatchSize(4)).segment(rasters, BOXES)
    alone = segmenter(model, Placement(device), batch_size=BatchSize(1)).segment(rasters, BOXES)
    for mask, other in zip(flat(together), flat(alone), strict=True):
        assert np.mean(mask != other) < 1e-3


def test_weights_come_from_a_file_named_by_its_digest(rasters, tmp_path, monkeypatch):
    monkeypatch.setitem(segment_anything.sam_model_registry, "vit_b", tiny_models.segment_anything)
    weights = tmp_path / "sam.pth"
    torch.save(tiny_models.segment_anything().state_dict(), weights)
    loaded = sam.load(Placement(), weights)
    assert loaded.identity.revision.startswith("sha256:")
    expected = segmenter(tiny_models.segment_anything()).segment(rasters, BOXES)
    assert np.array_equal(loaded.segment(rasters, BOXES)[0][0], expected[0][0])


def test_the_image_encoder_is_compiled_if_asked(rasters, tmp_path, monkeypatch):
    monkeypatch.setitem(segment_anything.sam_model_registry, "vit_b", tiny_models.segment_anything)
    torch.save(tiny_models.segment_anything().state_dict(), tmp_path / "sam.pth")
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda module: compiled.append(module) or module)
    expected = sam.load(Placement(), tmp_path / "sam.pth").segment(rasters, BOXES)
    assert compiled == []
    found = sam.load(Placement(speedups=ON | {"compile"}), tmp_path / "sam.pth").segment(rasters, BOXES)
    assert [type(one) for one in compiled] == [segment_anything.modeling.ImageEncoderViT]
    assert np.array_equal(found[0][0], expected[0][0])


def test_missing_weights_say_what_to_type(tmp_path):
    with pytest.raises(NotFoundError, match=r"curl -o sam_vit_b_01ec64\.pth https://"):
        sam.load(Placement(), tmp_path / "sam.pth")


def test_weights_of_another_size_are_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(segment_anything.sam_model_registry, "vit_b", tiny_models.segment_anything)
    weights = tmp_path / "sam.pth"
    torch.save({"something": torch.zeros(1)}, weights)
    with pytest.raises(ConfigurationError, match="does not hold weights of SAM vit_b"):
        sam.load(Placement(), weights)


def test_the_sizes_of_the_registration_are_those_that_load():
    assert find("segmenter", "sam").revisions == tuple(sam.FILES)


def test_an_unknown_size_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="vit_x"):
        sam.load(Placement(), tmp_path / "sam.pth", "vit_x")


def test_weights_that_are_not_given_are_fetched_and_checked(rasters, tmp_path, monkeypatch):
    monkeypatch.setitem(segment_anything.sam_model_registry, "vit_b", tiny_models.segment_anything)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sam, "_ADDRESS", tmp_path.as_uri())
    weights = tmp_path / "weights.pth"
    torch.save(tiny_models.segment_anything().state_dict(), weights)
    name = f"sam_vit_b_{hashlib.sha256(weights.read_bytes()).hexdigest()[:6]}.pth"
    weights.rename(tmp_path / name)
    monkeypatch.setitem(sam.FILES, "vit_b", name)
    assert len(sam.load(Placement()).segment(rasters, BOXES)) == 4
    (tmp_path / name).unlink()
    assert sam.load(Placement()).identity.revision.startswith("sha256:")  # from the cache

    monkeypatch.setitem(sam.FILES, "vit_b", "sam_vit_b_000000.pth")
    (tmp_path / "sam_vit_b_000000.pth").write_bytes(b"something else")
    with pytest.raises(NotFoundError, match="invalid hash value"):
        sam.load(Placement())
