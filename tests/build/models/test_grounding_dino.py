from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("transformers", reason="GroundingDINO needs transformers")

from fornet_hf.errors import NotFoundError
from producers.detect.grounding_dino import GroundingDino
from producers.detect.input_size import InputSize
from producers.detect.texts import Texts
from producers.devices.placement import ON, Placement
from producers.scene import Scene
from tests.build import tiny_models
from tests.build.tiny_models import flat

PROMPTS = ("a tench, a type of fish.", "a fish.", "a cat, a type of tench.")
SHAPES = [(50, 70), (60, 83), (90, 40), (50, 70)]
SMALL = InputSize(shorter=64, longer=128, multiple=32)


@pytest.fixture(scope="module")
def model():
    return tiny_models.grounding_dino()


def detector(model, size=SMALL, placement=None, **options):
    network, tokenizer = tiny_models.grounding_dino()
    network.load_state_dict(model[0].state_dict())
    return GroundingDino(network, tokenizer, placement or Placement(), size=size, **options)


@pytest.fixture
def queries(rng):
    return [
        Scene(key=str(index), raster=rng.integers(0, 256, (*shape, 3), dtype=np.uint8), prompts=PROMPTS)
        for index, shape in enumerate(SHAPES)
    ]


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def straightforward(model, query, threshold=0.3):
    """One image and one prompt at a time, by transformers' own processor: `(prompt, score, box)`."""
    from transformers import GroundingDinoImageProcessor

    network, tokenizer = model
    processor = GroundingDinoImageProcessor(size={"shortest_edge": 64, "longest_edge": 128})
    found = []
    for prompt in query.prompts:
        inputs = processor(images=query.raster, return_tensors="pt")
        with torch.inference_mode():
            output = network(**inputs, **tokenizer(prompt, return_tensors="pt"))
        (answer,) = processor.post_process_object_detection(output, threshold, [query.raster.shape[:2]])
        triples = zip(answer["scores"].tolist(), answer["boxes"].tolist(), strict=True)
        found += sorted(((prompt, score, box) for score, box in triples), key=lambda one: -one[1])
        found = sorted(found, key=lambda one: query.prompts.index(one[0]))
    return found


def test_agrees_with_the_models_own_processor_prompt_by_prompt(model, rng):
    """On images that need no scaling, because there the processor rounds to uint8 in between."""
    queries = [
        Scene(key=str(index), raster=rng.integers(0, 256, (*shape, 3), dtype=np.uint8), prompts=PROMPTS)
        for index, shape in enumerate([(64, 90), (100, 64), (64, 90)])
    ]
    for query, found in zip(queries, detector(model, replace(SMALL, multiple=1)).detect(queries), strict=True):
        expected = straightforward(model, query)
        assert [one.prompt for one in found] == [prompt for prompt, _, _ in expected]
        np.testing.assert_allclose([one.score for one in found], [score for _, score, _ in expected], atol=1e-4)
        off = [np.abs(np.subtract(one.box, box)).max() for one, (_, _, box) in zip(found, expected, strict=True)]
        assert np.mean(np.less(off, 1.01)) > 0.9  # whole pixels here; the least boxes are made a pixel wide


def test_pixels_are_those_of_the_models_own_processor(queries):
    from transformers import GroundingDinoImageProcessor

    processor = GroundingDinoImageProcessor(size={"shortest_edge": 64, "longest_edge": 128})
    for query in queries:
        pixels, seen = replace(SMALL, multiple=1).pixels([query.raster], Placement())
        expected = processor(images=query.raster, return_tensors="pt")
        assert torch.equal(seen, expected["pixel_mask"])
        torch.testing.assert_close(pixels, expected["pixel_values"], atol=1.01 / 255 / 0.224, rtol=0)  # one level


def test_pixels_of_a_batch_are_those_of_single_images(rng):
    rasters = [rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in [(50, 70), (50, 71), (50, 70)]]
    pixels, seen = SMALL.pixels(rasters, Placement())
    for index, raster in enumerate(rasters):
        one, its = SMALL.pixels([raster], Placement())
        assert torch.equal(pixels[index], one[0])
        assert torch.equal(seen[index], its[0])
    assert not pixels[seen[:, None].expand_as(pixels) == 0].any()


def test_a_batch_finds_what_single_images_find(model, queries):
    one = detector(model)
    together = one.detect(queries)
    alone = [one.detect([query])[0] for query in queries]
    assert [[found.prompt for found in each] for each in together] == [[f.prompt for f in each] for each in alone]
    for found, expected in zip(flat(together), flat(alone), strict=True):
        assert found.score == pytest.approx(expected.score, abs=1e-4)
        assert np.abs(np.subtract(found.box, expected.box)).max() <= 1


def test_images_are_looked_at_once_for_all_prompts(model, queries):
    seen = []
    one = detector(model)
    one._vision.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    one.detect(queries)
    assert sum(seen) == len(queries)


def test_a_prompt_is_read_once_by_itself_and_remembered(model, queries):
    read = []
    one = detector(model)
    one._text.encoder.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0].tolist()))
    one.detect(queries[:2])
    one.detect([replace(query, prompts=PROMPTS[::-1]) for query in queries])
    assert read == [[ids] for ids in one._tokenizer(list(PROMPTS))["input_ids"]]


def test_remembered_prompts_change_nothing(model, queries):
    every = detector(model, placement=Placement(speedups=ON - {"texts"}))
    calls = []
    every._text.encoder.register_forward_pre_hook(lambda _, inputs: calls.append(len(inputs[0])))
    one = detector(model)
    one.detect(queries)
    for found, expected in zip(flat(one.detect(queries)), flat(every.detect(queries)), strict=True):
        assert (found.prompt, found.box) == (expected.prompt, expected.box)
        assert found.score == pytest.approx(expected.score, abs=1e-5)
    assert sum(calls) == len(queries) * len(PROMPTS)


def test_images_of_a_bucket_meet_in_a_batch(model, queries):
    one = detector(model)
    batches = []
    one._vision.backbone.register_forward_pre_hook(lambda _, inputs: batches.append(len(inputs[0])))
    one.detect(queries)
    buckets = [one.bucket(*query.raster.shape[:2]) for query in queries]
    assert sorted(batches) == sorted(buckets.count(bucket) for bucket in {*buckets})


def test_a_high_threshold_finds_nothing(model, queries):
    assert detector(model, threshold=1.0).detect(queries) == [[]] * len(queries)


def test_scores_are_above_the_threshold_and_boxes_inside(model, queries):
    for query, found in zip(queries, detector(model, threshold=0.5).detect(queries), strict=True):
        height, width = query.raster.shape[:2]
        for one in found:
            x0, y0, x1, y1 = one.box
            assert one.score > 0.5
            assert 0 <= x0 < x1 <= width
            assert 0 <= y0 < y1 <= height


def test_a_box_needs_a_word_of_the_prompt_when_it_is_asked_for(model):
    tokenizer = model[1]
    asked = [Scene(key="", raster=None, prompts=("a cat.",)), Scene(key="", raster=None, prompts=(PROMPTS[0],))]
    texts = Texts.of(tokenizer, asked, together=False, most=99, device="cpu")
    assert tokenizer.convert_ids_to_tokens(texts.plain[0]) == ["[CLS]", "a", "cat", ".", "[SEP]"]
    confidence = torch.full((2, 3, 32), 0.1)
    confidence[0, 0, 3] = 0.9  # the full stop
    confidence[0, 1, 0] = 0.8  # [CLS]
    confidence[0, 2, 2], confidence[0, 2, 0] = 0.6, 0.7  # the cat, and [CLS] above it
    confidence[1, 0, 3] = 0.9  # the comma
    confidence[1, 1, 2] = 0.4  # the tench
    confidence[1, 2, 7] = 0.55  # the fish
    expected = torch.tensor([[0, 0, 0.7], [0, 0, 0.55]])
    torch.testing.assert_close(texts.scores(confidence, 0.5)[:, 0], expected)
    torch.testing.assert_close(texts.scores(confidence, 0.0)[:, 0], confidence.amax(-1))


def test_thresholds_reach_the_detector_and_its_identity(model, queries, tmp_path):
    model[0].save_pretrained(tmp_path)
    model[1].save_pretrained(tmp_path)
    loaded = GroundingDino.load(Placement(), str(tmp_path), threshold=0.5, text_threshold=0.99, batch_size=2)
    settings = dict(loaded.identity.settings)
    assert (settings["threshold"], settings["text_threshold"], loaded.batch_size.value) == (0.5, 0.99, 2)
    assert len(flat(loaded.detect(queries))) < len(flat(detector(model, threshold=0.5).detect(queries)))


@pytest.mark.parametrize(
    ("shape", "scaled"), [((375, 500), (800, 1066)), ((500, 375), (1066, 800)), ((200, 500), (533, 1332))]
)
def test_sizes_are_those_of_the_public_processor(shape, scaled):
    from transformers.image_transforms import get_size_with_aspect_ratio

    assert tuple(get_size_with_aspect_ratio(shape, 800, 1333)) == InputSize().scaled(*shape)
    assert np.abs(np.subtract(InputSize().scaled(*shape), scaled)).max() <= 1


def test_weights_of_a_local_folder_are_named_by_their_digest(model, queries, tmp_path):
    model[0].save_pretrained(tmp_path)
    model[1].save_pretrained(tmp_path)
    loaded = GroundingDino.load(Placement(), str(tmp_path))
    assert loaded.identity.model == str(tmp_path)
    assert loaded.identity.revision.startswith("sha256:")
    assert loaded.detect([]) == []


def test_missing_weights_say_what_to_type(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(NotFoundError, match="hf download "):
        GroundingDino.load(Placement(), str(tmp_path / "nothing"))
