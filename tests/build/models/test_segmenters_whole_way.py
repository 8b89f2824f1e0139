"""Segmenters of transformers, tiny and random, from a local folder through build/segment.py."""

import pytest

pytest.importorskip("transformers", reason="they are models of transformers")

import segment
from producers.devices.seats import Seat
from producers.tasks.candidate_shards import CandidateShard
from producers.tasks.gpu_worker import read_models
from producers.work import command
from producers.work.run_folder import CandidateFolder
from tests.build import tiny_segmenters
from tests.build.models.test_birefnet import TINY


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Work in this process, whose torchvision is mended."""
    monkeypatch.setattr(command, "run_on_slots", lambda work, tasks, *_, **__: ((t, work(t, Seat())) for t in tasks))


def candidates(images, out, *more):
    """Return what was found in each image, and the segmenter as it is noted."""
    words = [str(images), str(out), "--infiller", "opencv", "--gpus", "0", "--workers", "0", *more]
    assert segment.main(words) == 0
    shards = sorted(CandidateFolder(out).candidates.rglob("*.parquet"))
    return [one for shard in shards for one in CandidateShard(shard).by_image()], read_models(out)["segmenter"]


def test_sam2_outlines_objects_in_boxes(image_folder, tmp_path):
    tiny_segmenters.sam2().save_pretrained(tmp_path / "sam2")
    choice = f"sam2={tmp_path / 'sam2'}"
    found, noted = candidates(image_folder[0], tmp_path / "run", "--detector", "centred", "--segmenter", choice)
    assert found
    assert (noted["name"], noted["model"]) == ("sam2", str(tmp_path / "sam2"))


def test_sam3_finds_objects_by_their_names(image_folder, tmp_path):
    for part in tiny_segmenters.sam3():
        part.save_pretrained(tmp_path / "sam3")
    words = ("--segmenter", f"sam3={tmp_path / 'sam3'}", "--set", "segmenter.threshold=0.1")
    found, noted = candidates(image_folder[0], tmp_path / "run", *words)
    assert found
    assert noted["name"] == "sam3"
    assert noted["settings"]["threshold"] == pytest.approx(0.1)


def test_birefnet_needs_no_names(image_folder, tmp_path):
    pytest.importorskip("onnxruntime", reason="BiRefNet needs ONNX Runtime")
    (tmp_path / "tiny.onnx").write_bytes(TINY)
    found, noted = candidates(image_folder[0], tmp_path / "run", "--segmenter", f"birefnet={tmp_path / 'tiny.onnx'}")
    assert found
    assert (noted["name"], noted["model"]) == ("birefnet", "tiny.onnx")
