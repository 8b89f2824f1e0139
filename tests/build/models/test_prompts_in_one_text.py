"""GroundingDINO with all prompts of an image in one text."""

from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("transformers", reason="GroundingDINO needs transformers")

from producers.detect.grounding_dino import GroundingDino
from producers.detect.grounding_settings import GroundingSettings
from producers.detect.input_size import InputSize
from producers.devices.placement import Placement
from producers.registry import Choice, find
from producers.scene import Scene
from tests.build import tiny_detectors
from tests.build.tiny_models import flat

PROMPTS = ("a tench, a type of fish.", "a fish.", "a cat, a type of tench.")
SIZE = InputSize(shorter=64, longer=128, multiple=32)
KINDS = ["GroundingDino", "MMGroundingDino"]


def detector(kind=KINDS[0], *, together=True, size=SIZE, **options):
    settings = GroundingSettings(together=together)
    return GroundingDino(*tiny_detectors.grounding(kind), Placement(), size=size, settings=settings, **options)


@pytest.fixture
def queries():
    rng = np.random.default_rng(5)
    rasters = [rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in [(64, 90), (60, 83), (64, 90)]]
    prompts = (PROMPTS, PROMPTS, PROMPTS[::-1])
    return [Scene(key="", raster=raster, prompts=asked) for raster, asked in zip(rasters, prompts, strict=True)]


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_those_of_the_best_token_of_each_prompt(kind, queries):
    """By transformers' own processor, in an image that needs no scaling."""
    from transformers import GroundingDinoImageProcessor

    query = queries[0]
    network, tokenizer = tiny_detectors.grounding(kind)
    pixels = GroundingDinoImageProcessor(size={"shortest_edge": 64, "longest_edge": 128})(
        images=query.raster, return_tensors="pt"
    )
    tokens = tokenizer("a tench, a type of fish. a fish. a cat, a type of tench.", return_tensors="pt")
    with torch.inference_mode():
        output = network(**pixels, **tokens)
    confidence = output.logits[0].sigmoid()
    words = tokenizer.convert_ids_to_tokens(tokens["input_ids"][0])
    ends = [index for index, word in enumerate(words) if word == "."]
    parts = zip([1, *(end + 1 for end in ends)], [end + 1 for end in ends], strict=False)
    expected = [score for start, end in parts for score in sorted(confidence[:, start:end].amax(-1).tolist())[::-1]]
    (found,) = detector(kind, size=replace(SIZE, multiple=1), threshold=0.0).detect([query])
    assert [one.prompt for one in found] == [prompt for prompt in PROMPTS for _ in range(9)]
    np.testing.assert_allclose([one.score for one in found], expected, atol=1e-4)


def test_prompts_do_not_see_each_other_before_they_meet_the_image():
    read = {}
    one = detector()
    one._text.encoder.register_forward_hook(
        lambda _, inputs, output: read.update({len(inputs[0][0]): output.last_hidden_state[0]})
    )
    raster = np.zeros((64, 90, 3), np.uint8)
    for prompts in (("a fish.", "a cat, a type of tench."), ("a cat, a type of tench.",)):
        one.detect([Scene(key="", raster=raster, prompts=prompts)])
    (together, start), alone = (read[13], 1 + 3), read[10]
    torch.testing.assert_close(together[start : start + 8], alone[1:9])


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_finds_what_single_images_find(kind, together, queries):
    one = detector(kind, together=together, threshold=0.03)
    batch, alone = one.detect(queries), [one.detect([query])[0] for query in queries]
    assert min(map(len, batch)) > 0
    assert [[found.prompt for found in each] for each in batch] == [[f.prompt for f in each] for each in alone]
    for found, expected in zip(flat(batch), flat(alone), strict=True):
        assert found.score == pytest.approx(expected.score, abs=1e-4)
        assert np.abs(np.subtract(found.box, expected.box)).max() <= 1


def test_the_model_looks_at_an_image_once(queries):
    seen = {}
    for together in (True, False):
        one = detector(together=together)
        counts = []
        one._model.model.decoder.register_forward_pre_hook(
            lambda _, __, inputs, counts=counts: counts.append(len(inputs["inputs_embeds"])), with_kwargs=True
        )
        one.detect(queries)
        seen[together] = sum(counts)
    assert seen == {True: len(queries), False: len(queries) * len(PROMPTS)}


def test_a_text_that_is_too_long_is_asked_prompt_by_prompt(queries):
    long = [replace(query, prompts=(*PROMPTS, "a cat, a type of fish, a type of tench.")) for query in queries]
    assert detector().detect(long) == detector(together=False).detect(long)
    assert detector().detect(queries) != detector(together=False).detect(queries)


@pytest.mark.parametrize("kind", KINDS)
def test_a_prompt_that_is_too_long_is_cut_off(kind, queries):
    long = replace(queries[0], prompts=("a tench, " * 7 + "a cat.", "a tench, " * 20 + "a fish."))
    found = detector(kind, threshold=0.03).detect([long])[0]
    scores = [[one.score for one in found if one.prompt == prompt] for prompt in long.prompts]
    cut = replace(long, prompts=("a tench, " * 10, "a cat."))  # of 32 tokens the model reads 30, and two marks
    expected = [one.score for one in detector(kind, threshold=0.03).detect([cut])[0] if one.prompt == cut.prompts[0]]
    assert scores[1] == pytest.approx(expected, abs=1e-4)
    assert scores[0] != scores[1]


def test_words_are_looked_for_within_the_prompt(queries):
    every, some = (flat(detector(threshold=0.1, text_threshold=least).detect(queries)) for least in (0.0, 0.4))
    assert 0 < len(some) < len(every)


@pytest.mark.parametrize(("name", "kind"), [("grounding-dino", KINDS[0]), ("mm-grounding-dino", KINDS[1])])
def test_the_setting_reaches_the_detector_and_its_identity(name, kind, tmp_path):
    for part in tiny_detectors.grounding(kind):
        part.save_pretrained(tmp_path)
    loaded = {
        text: find("detector", name).load(Choice(name, str(tmp_path), settings=(("together", text),)))
        for text in ("true", "false")
    }
    assert {one.identity.name for one in loaded.values()} == {name}
    assert dict(loaded["true"].identity.settings)["together"] is True
    assert "together" not in dict(loaded["false"].identity.settings)
