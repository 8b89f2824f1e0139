import numpy as np
import pytest
import torch

pytest.importorskip("transformers", reason="SAM 3 needs transformers")

from fornet_hf.errors import ConfigurationError, NotFoundError
from producers.devices.placement import Placement
from producers.scene import Scene
from producers.segment import sam3
from producers.segment.sam3 import Sam3
from producers.segment.sam3_settings import Sam3Settings
from tests.build import tiny_segmenters
from tests.build.tiny_models import flat

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
PLACES = [
    ("cpu", "bfloat16"),
    pytest.param("cuda", "float32", marks=[pytest.mark.gpu, needs_gpu]),
    pytest.param("cuda", "bfloat16", marks=[pytest.mark.gpu, needs_gpu]),
]
SETTINGS = Sam3Settings(threshold=0.15)  # of the tiny network's scores some are above
ASKED = [
    ((50, 70), {"a tench, a type of fish.": "tench", "a fish.": "fish"}),
    ((64, 64), {"a cat.": "cat"}),
    ((56, 56), {"an owl, a type of bird.": "owl"}),
]


@pytest.fixture
def scenes():
    rng = np.random.default_rng(1)
    rasters = [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size, _ in ASKED]
    return [Scene(key="a", raster=one, prompts=(*asked,)) for one, (_, asked) in zip(rasters, ASKED, strict=True)]


def segmenter(settings=SETTINGS, place=None, size=8):
    return Sam3(*tiny_segmenters.sam3(), place or Placement(), settings, batch_size=size)


def straightforward(model, tokenizer, raster, name):
    """Objects of a name in one image, by the model's own processor: union of the masks, best score, their number."""
    from transformers import Sam3ImageProcessor, Sam3Processor

    side = model.config.image_size
    processor = Sam3Processor(Sam3ImageProcessor(size={"height": side, "width": side}), tokenizer)
    inputs = processor(images=raster, text=name, return_tensors="pt")
    with torch.inference_mode():
        output = model(**{key: inputs[key] for key in ("pixel_values", "input_ids", "attention_mask")})
    (found,) = processor.post_process_instance_segmentation(
        output, threshold=SETTINGS.threshold, target_sizes=[raster.shape[:2]]
    )
    return found["masks"].bool().any(0).numpy(), float(found["scores"].max()), len(found["scores"])


def test_masks_and_scores_agree_with_the_models_own_processor(scenes):
    model, tokenizer = tiny_segmenters.sam3()
    found = segmenter()(scenes)
    counts = []
    for scene, result, (_, asked) in zip(scenes, found, ASKED, strict=True):
        assert [cut.prompt for cut in result.masks] == [*asked]
        for cut, name in zip(result.masks, asked.values(), strict=True):
            mask, score, count = straightforward(model, tokenizer, scene.raster, name)
            assert cut.score == pytest.approx(score, abs=2e-3)
            assert np.mean(cut.mask != mask) < 0.02  # pixels are scaled in float here and in uint8 there
            assert 0.1 < cut.mask.mean() < 0.98
            counts.append(count)
    assert np.array_equal(found[2].masks[0].mask, mask)  # of the last image, which is not scaled
    assert max(counts) > 1


def test_each_image_is_seen_once_and_a_batch_equals_single_images(scenes):
    one = segmenter(size=1)
    looked = []
    one._model.vision_encoder.register_forward_hook(lambda *_: looked.append(1))
    alone, together = one(scenes), segmenter()(scenes)
    assert len(looked) == 3
    for first, second in zip(flat(scene.masks for scene in alone), flat(s.masks for s in together), strict=True):
        assert first.score == pytest.approx(second.score, abs=1e-5)
        assert np.mean(first.mask != second.mask) < 1e-3


def test_masks_do_not_depend_on_how_many_fit_into_memory(scenes, monkeypatch):
    expected = segmenter()(scenes)
    monkeypatch.setattr(sam3, "_VALUES", 1)
    found = segmenter()(scenes)
    for one, other in zip(found, expected, strict=True):
        assert all(np.array_equal(cut.mask, same.mask) for cut, same in zip(one.masks, other.masks, strict=True))


def test_below_the_threshold_nothing_is_found(scenes):
    found = segmenter(Sam3Settings(threshold=0.9))(scenes)
    assert [scene.masks for scene in found] == [(), (), ()]
    assert segmenter().identity.settings == (("precision", "float32"), ("threshold", 0.15))
    with pytest.raises(ConfigurationError, match="threshold"):
        Sam3Settings(threshold=1)


@pytest.mark.parametrize(("device", "precision"), PLACES)
def test_lower_precision_and_a_gpu_find_nearly_the_same(scenes, device, precision):
    expected, found = segmenter()(scenes), segmenter(place=Placement(device, precision))(scenes)
    scores = [[cut.score for scene in some for cut in scene.masks] for some in (expected, found)]
    assert scores[1] == pytest.approx(scores[0], abs=0.02)


def test_weights_come_from_a_local_folder(scenes, tmp_path):
    for part in tiny_segmenters.sam3():
        part.save_pretrained(tmp_path)
    loaded = sam3.load(Placement(), str(tmp_path), settings=SETTINGS, batch_size=2)
    assert loaded.batch_size.value == 2
    assert loaded.bucket(50, 70) == loaded.bucket(64, 64)
    assert loaded.identity.revision.startswith("sha256:")
    assert np.array_equal(loaded(scenes)[1].masks[0].mask, segmenter()(scenes)[1].masks[0].mask)


def test_weights_for_videos_load_as_they_are_published(scenes, tmp_path):
    model, tokenizer = tiny_segmenters.sam3()
    tiny_segmenters.sam3_for_videos(model).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    found = sam3.load(Placement(), str(tmp_path), settings=SETTINGS)(scenes)
    assert np.array_equal(found[1].masks[0].mask, segmenter()(scenes)[1].masks[0].mask)


def test_missing_weights_say_what_to_type(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(NotFoundError, match="hf download "):
        sam3.load(Placement(), str(tmp_path / "nothing"))
