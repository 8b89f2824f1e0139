import re

import numpy as np
import pytest
import torch

pytest.importorskip("transformers", reason="Florence-2 needs transformers")

from producers.detect import florence
from producers.detect.florence import Florence2, located
from producers.devices.placement import Placement
from producers.registry import Choice, find
from producers.scene import Scene
from tests.build import tiny_detectors
from tests.build.tiny_models import flat

PROMPTS = ("a tench, a type of fish.", "an owl.")
CAPTIONS = ["<CAPTION_TO_PHRASE_GROUNDING>tench", "<CAPTION_TO_PHRASE_GROUNDING>owl"]
SHAPES = [(50, 70), (60, 33), (90, 140), (50, 70), (64, 64)]


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(florence, "_MOST", 24)


def detector(**options):
    return Florence2(*tiny_detectors.florence(), Placement(), **options)


@pytest.fixture
def queries():
    rng = np.random.default_rng(5)
    return [
        Scene(key=str(index), raster=rng.integers(0, 256, (*shape, 3), dtype=np.uint8), prompts=PROMPTS)
        for index, shape in enumerate(SHAPES)
    ]


def test_the_model_is_shown_and_asked_what_its_own_processor_makes(queries):
    _, processor = tiny_detectors.florence()
    query = queries[2]
    expected = processor(images=[query.raster] * 2, text=CAPTIONS, padding=True, return_tensors="pt")
    one = detector()
    tokens = one._tokens(PROMPTS)
    assert torch.equal(tokens["input_ids"], expected["input_ids"])
    assert torch.equal(tokens["attention_mask"], expected["attention_mask"])
    off = (one._pixels([query.raster])[0] - expected["pixel_values"][0]).abs() * 255 * 0.224
    assert off.mean() < 0.5  # levels: the processor rounds to whole ones, twice
    assert off.max() < 3.5


def test_agrees_with_the_models_own_post_processing(queries):
    """Of boxes whose edges are the right way round."""
    network, processor = tiny_detectors.florence()
    compared = 0
    one = detector()
    for query, found in zip(queries, one.detect(queries), strict=True):
        height, width = query.raster.shape[:2]
        for prompt, caption in zip(PROMPTS, CAPTIONS, strict=True):
            inputs = processor(images=query.raster, text=caption, return_tensors="pt")
            inputs["pixel_values"] = one._pixels([query.raster])
            with torch.inference_mode():
                answer = network.generate(**inputs, max_new_tokens=24, num_beams=1, do_sample=False)
            task = "<CAPTION_TO_PHRASE_GROUNDING>"
            text, _ = processor.post_processor.decode_with_spans(answer[0].tolist())
            named = re.sub("^</s>(<loc_[0-9]+>)+", "", text)  # else it takes the first location for a name
            boxes = processor.post_process_generation(named, task=task, image_size=(width, height))[task]["bboxes"]
            kept = [box for box in boxes if box[0] <= box[2] and box[1] <= box[3]]
            expected = sorted([x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)] for x0, y0, x1, y1 in kept)
            ours = sorted(list(box.box) for box in found if box.prompt == prompt)
            assert len(ours) == len(expected)
            compared += len(ours)
            if ours:
                assert np.abs(np.subtract(ours, expected)).max() <= 1  # rounded here, cut off there
    assert compared > 5


def test_scores_are_means_of_the_probabilities_of_the_locations(queries):
    network, processor = tiny_detectors.florence()
    inputs = processor(images=queries[0].raster, text=CAPTIONS[1], return_tensors="pt")
    one = detector()
    inputs["pixel_values"] = one._pixels([queries[0].raster])
    options = {"return_dict_in_generate": True, "output_logits": True, "num_beams": 1, "do_sample": False}
    with torch.inference_mode():
        answer = network.generate(**inputs, max_new_tokens=24, **options)
    (found,) = one.detect([Scene(key="", raster=queries[0].raster, prompts=PROMPTS[1:])])
    tokens = answer.sequences[0, 1:].tolist()
    probabilities = [logits[0].softmax(-1)[token].item() for logits, token in zip(answer.logits, tokens, strict=True)]
    starts = located(tokens, one._bins, one._marks)
    every = [np.exp(np.mean(np.log(probabilities[at : at + 4]))) for at in starts]
    assert len(found) > 0
    for box in found:
        assert np.min(np.abs(np.subtract(every, box.score))) < 1e-5
    assert [box.score for box in found] == sorted((box.score for box in found), reverse=True)


def test_settings_for_a_search_with_beams_change_nothing_and_warn_of_nothing(queries, caplog):
    network, processor = tiny_detectors.florence()
    network.generation_config.update(num_beams=3, early_stopping=True, max_length=20)
    assert Florence2(network, processor, Placement()).detect(queries) == detector().detect(queries)
    assert not caplog.records


def test_a_batch_finds_what_single_images_find(queries):
    one = detector(batch_size=3)
    together, alone = one.detect(queries), [one.detect([query])[0] for query in queries]
    assert len(flat(together)) > len(queries)
    assert [[(found.prompt, found.box) for found in each] for each in together] == [
        [(found.prompt, found.box) for found in each] for each in alone
    ]
    for found, expected in zip(flat(together), flat(alone), strict=True):
        assert found.score == pytest.approx(expected.score, abs=1e-5)


def test_an_image_is_looked_at_once(queries):
    one = detector()
    seen = []
    one._tower.tower.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    one.detect(queries)
    assert sum(seen) == len(queries)


@pytest.mark.parametrize(
    ("written", "starts"),
    [
        ([7, 100, 101, 102, 103], [1]),
        ([0, 7, 7, 100, 101, 102, 103, 104, 105, 106, 107, 108, 0, 0], [3, 7]),
        ([7, 100, 101, 102, 7, 100, 101, 102, 103], [5]),
        ([100, 101, 102, 103], []),
        ([0, 100, 101, 102, 103, 7], []),
        ([], []),
    ],
)
def test_boxes_are_four_locations_behind_words(written, starts):
    bins = {token: token - 100 for token in range(100, 110)}
    assert [*located(written, bins, {0, *bins})] == starts


def test_a_high_threshold_finds_nothing(queries):
    assert detector(threshold=1.0).detect(queries) == [[]] * len(queries)
    assert detector().detect([]) == []


def test_weights_of_a_local_folder_are_named_and_read_in_full_precision(queries, tmp_path):
    network, processor = tiny_detectors.florence()
    network.half().save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    loaded = find("detector", "florence-2").load(Choice("florence-2", str(tmp_path)), options={"threshold": 0.01})
    assert loaded._model.dtype == torch.float32
    assert loaded.identity.revision.startswith("sha256:")
    assert dict(loaded.identity.settings)["threshold"] == 0.01
    assert len(loaded.detect(queries)) == len(queries)
