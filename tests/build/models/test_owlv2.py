import numpy as np
import pytest
import torch

pytest.importorskip("transformers", reason="OWLv2 needs transformers")

from producers.detect.owlv2 import Owlv2, squares
from producers.devices.placement import ON, Placement
from producers.registry import Choice, find
from producers.scene import Scene
from tests.build import tiny_detectors
from tests.build.tiny_models import flat

PROMPTS = ("a tench.", "a fish.", "a photo of a cat that has more letters than the model reads.")
SHAPES = [(50, 64), (60, 33), (90, 140), (50, 64), (64, 64)]


def detector(speedups=ON, **options):
    return Owlv2(*tiny_detectors.owlv2(), Placement(speedups=speedups), **options)


@pytest.fixture
def queries():
    rng = np.random.default_rng(5)
    return [
        Scene(key=str(index), raster=rng.integers(0, 256, (*shape, 3), dtype=np.uint8), prompts=PROMPTS)
        for index, shape in enumerate(SHAPES)
    ]


def processor():
    from transformers import Owlv2ImageProcessor

    return Owlv2ImageProcessor(size={"height": 64, "width": 64})


@pytest.mark.parametrize("shape", [(50, 64), (20, 33), (90, 140), (301, 300)])
def test_pixels_are_those_of_the_models_own_processor(shape):
    raster = np.random.default_rng(2).integers(0, 256, (*shape, 3), dtype=np.uint8)
    expected = processor()(images=raster, return_tensors="pt")["pixel_values"]
    torch.testing.assert_close(squares([raster], 64, Placement()), expected, atol=1e-4, rtol=0)


def test_agrees_with_the_models_own_processor_prompt_by_prompt(queries):
    network, tokenizer = tiny_detectors.owlv2()
    found = detector(threshold=0.5).detect(queries)
    assert min(map(len, found)) > 0
    for query, boxes in zip(queries, found, strict=True):
        expected = []
        for prompt in query.prompts:
            text = tokenizer(prompt[:-1], padding="max_length", truncation=True, max_length=24, return_tensors="pt")
            pixels = processor()(images=query.raster, return_tensors="pt")
            with torch.inference_mode():
                output = network(**text, **pixels)
            (answer,) = processor().post_process_object_detection(output, 0.5, [query.raster.shape[:2]])
            triples = zip(answer["scores"].tolist(), answer["boxes"].tolist(), strict=True)
            height, width = query.raster.shape[:2]
            inside = [one for one in triples if one[1][0] < width and one[1][1] < height]
            expected += [(prompt, *one) for one in sorted(inside, key=lambda one: -one[0])]
        assert [one.prompt for one in boxes] == [prompt for prompt, _, _ in expected]
        np.testing.assert_allclose([one.score for one in boxes], [score for _, score, _ in expected], atol=1e-4)
        for one, (_, _, box) in zip(boxes, expected, strict=True):
            x0, y0, x1, y1 = np.clip(box, 0, [width, height] * 2)
            assert np.abs(np.subtract(one.box, (x0, y0, x1, y1))).max() <= 1.01  # whole pixels here


def test_a_batch_finds_what_single_images_find(queries):
    one = detector(threshold=0.3, batch_size=3)
    together, alone = one.detect(queries), [one.detect([query])[0] for query in queries]
    assert [[found.prompt for found in each] for each in together] == [[f.prompt for f in each] for each in alone]
    for found, expected in zip(flat(together), flat(alone), strict=True):
        assert found.score == pytest.approx(expected.score, abs=1e-5)
        assert np.abs(np.subtract(found.box, expected.box)).max() <= 1


def test_an_image_is_looked_at_once_and_a_prompt_is_read_once(queries):
    for speedups, times in ((ON, 3), (ON - {"texts"}, 3 * len(queries))):
        one = detector(speedups)
        looked, read = [], []
        one._model.owlv2.vision_model.register_forward_hook(lambda *parts, into=looked: into.append(len(parts[2][0])))
        one._model.owlv2.text_model.register_forward_hook(lambda *parts, into=read: into.append(1))
        one.detect(queries)
        assert (sum(looked), len(read)) == (len(queries), times)


def test_remembered_prompts_change_nothing(queries):
    one = detector()
    one.detect(queries)
    assert one.detect(queries) == detector(ON - {"texts"}).detect(queries)


def test_boxes_in_the_padding_are_left_out():
    """Else each would become a line along the image's edge."""
    scene = Scene(key="", raster=np.full((60, 200, 3), 90, np.uint8), prompts=PROMPTS)
    (found,) = detector(threshold=0.0).detect([scene])
    assert 0 < len(found) < len(PROMPTS) * 16


def test_a_high_threshold_finds_nothing(queries):
    assert detector(threshold=1.0).detect(queries) == [[]] * len(queries)
    assert detector().detect([]) == []


def test_weights_of_a_local_folder_are_named_by_their_digest(queries, tmp_path):
    for part in tiny_detectors.owlv2():
        part.save_pretrained(tmp_path)
    loaded = find("detector", "owlv2").load(Choice("owlv2", str(tmp_path)), options={"threshold": 0.4})
    assert loaded.identity.revision.startswith("sha256:")
    assert dict(loaded.identity.settings) == {"threshold": 0.4, "precision": "float32", "side": 64}
    assert loaded.detect(queries) == detector(threshold=0.4).detect(queries)
