"""segment.py, end to end on small images, with detectors from local folders."""

import json

import pytest

pytest.importorskip("transformers", reason="the detectors need transformers")
pytest.importorskip("cv2", reason="GrabCut needs OpenCV")

import segment
from producers.devices.seats import Seat
from producers.tasks.candidate_shards import CandidateShard
from producers.tasks.gpu_worker import read_models
from producers.work import command
from producers.work.plan import plan
from producers.work.run_folder import CandidateFolder
from tests.build import tiny_detectors


def grounding():
    """With boxes of some pixels, which random ones do not have."""
    network, tokenizer = tiny_detectors.grounding("MMGroundingDino")
    for head in network.bbox_embed:
        head.layers[-1].bias.data[2:] += 3
    return network, tokenizer


DETECTORS = {
    "mm-grounding-dino": (grounding, "0.05", ["--parents", "1", "--set", "detector.together=true"]),
    "owlv2": (tiny_detectors.owlv2, "0.6", []),
    "florence-2": (tiny_detectors.florence, "0.02", []),
}


@pytest.mark.parametrize("name", DETECTORS)
def test_images_are_segmented_by_the_boxes_of_a_detector(name, image_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "run_on_slots", lambda work, tasks, *_, **__: ((t, work(t, Seat())) for t in tasks))
    make, threshold, more = DETECTORS[name]
    images, _ = image_folder
    weights, out = tmp_path / "weights", tmp_path / "run"
    for part in make():
        part.save_pretrained(weights)
    if name == "mm-grounding-dino":
        small = {"size": {"shortest_edge": 64, "longest_edge": 128}}
        (weights / "preprocessor_config.json").write_text(json.dumps(small))
    words = ["--detector", f"{name}={weights}", "--segmenter", "grabcut", "--infiller", "opencv", "--shards", "1"]
    words += ["--threshold", threshold, "--precision", "float32", "--gpus", "0", "--workers", "0", *more]
    assert segment.main([str(images), str(out), *words]) == 0
    used = read_models(out)["detector"]
    assert (used["name"], used["model"]) == (name, str(weights))
    assert used["settings"]["threshold"] == float(threshold)
    assert used["settings"].get("together") is (True if more else None)
    found = [one for task in plan(images, ["train", "validation"], 1) for one in _candidates(out, task)]
    assert len(found) >= 2
    assert all(float(threshold) < one.score <= 1 for one in found)


def _candidates(out, task):
    for versions in CandidateShard(CandidateFolder(out).shard(task)).by_image():
        yield from versions
