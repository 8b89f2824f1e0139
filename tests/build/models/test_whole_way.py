"""Segmenting and selecting with the real model classes, tiny and random."""

import json

import numpy as np
import pytest

pytest.importorskip("transformers", reason="GroundingDINO needs transformers")
pytest.importorskip("segment_anything", reason="SAM needs segment-anything", exc_type=ImportError)
pytest.importorskip("simple_lama_inpainting", reason="LaMa needs simple-lama-inpainting", exc_type=ImportError)

import select_versions
from fornet_hf.errors import ConfigurationError
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.manifest import read_manifest
from fornet_hf.format.masks import decode_mask
from fornet_hf.format.patch import apply_patch
from fornet_hf.format.raster import decode_rgb
from fornet_hf.format.shards import PatchShard
from fornet_hf.processes import InlineExecutor
from producers.detect.grounding_dino import GroundingDino, InputSize
from producers.detect.prompts import Prompts
from producers.devices.batches import BatchSize
from producers.devices.placement import Placement
from producers.devices.seats import Seat
from producers.infill import lama
from producers.registry import Choice
from producers.score.witnesses import Witnesses
from producers.segment import sam
from producers.segment.sam import BoxSegmenter
from producers.step import Backends
from producers.tasks.candidate_shards import CandidateShard
from producers.tasks.candidates import take_apart
from producers.tasks.gpu_worker import note_models, read_models
from producers.tasks.segment import Engine, SegmentWorker, segment_shard
from producers.tasks.select import SelectWorker
from producers.work import command
from producers.work.plan import Labelled, plan
from producers.work.report import Report
from producers.work.run_folder import CandidateFolder
from producers.work.settings import ModelSettings
from tests.build import tiny_models
from tests.build.tiny_models import mean_colour

SIZE = InputSize(shorter=64, longer=128, multiple=32)


@pytest.fixture
def weights(tmp_path, monkeypatch):
    monkeypatch.setenv("LAMA_MODEL", str(tiny_models.lama_file(tmp_path)))


def backends(batch_size):
    network, tokenizer = tiny_models.grounding_dino()
    place = Placement()
    return Backends(
        detector=GroundingDino(network, tokenizer, place, size=SIZE, batch_size=batch_size, threshold=0.5),
        segmenter=BoxSegmenter(
            network=sam.SegmentAnything(tiny_models.segment_anything()),
            placement=place,
            source=("segment-anything", "tiny", "0"),
            batch_size=BatchSize(batch_size),
        ),
        infiller=lama.load(place, batch_size=batch_size),
    )


def pixels(row, patch):
    mask = np.zeros((patch.height, patch.width), bool)
    x0, y0, x1, y1 = row.box
    mask[y0:y1, x0:x1] = decode_mask(row.mask, (x1 - x0, y1 - y0))
    return mask, np.asarray(decode_rgb(row.background)).astype(int)


def test_candidates_are_those_of_one_image_at_a_time(image_folder, tmp_path, weights):
    images, _ = image_folder
    (task,) = plan(images, ["train"], 1)
    folder = CandidateFolder(tmp_path / "run")
    engine = Engine(backends=backends(8), pool=InlineExecutor(), encoding=Encoding(), window=3)
    report = segment_shard(task, engine, folder)
    assert report.outcomes() == {"ok": 4, "no_detect": 0, "error": 1}

    found = {versions[0].patch.key: versions for versions in CandidateShard(folder.shard(task)).by_image()}
    alone, compared = backends(1), 0
    for image in (one for one in task.read() if isinstance(one, Labelled) and one.key in found):
        asked = Labelled(image.key, image.label, image.data, Prompts().of(image.label))
        (outcome,) = take_apart([asked], alone, Encoding(), Report())
        assert [one.prompt for one in outcome] == [one.prompt for one in found[image.key]]
        for expected, candidate in zip(outcome, found[image.key], strict=True):
            row = apply_patch(image.data, candidate.patch, Encoding())
            mask, background = pixels(row, candidate.patch)
            assert np.mean(mask != expected.mask) < 1e-3
            assert np.abs(background - expected.infilled).mean() < 4  # JPEG of quality 90 in between
            assert candidate.score == pytest.approx(expected.score, abs=1e-4)
            compared += 1
    assert compared >= 4


def test_models_from_local_folders_go_the_whole_way(image_folder, tmp_path, weights, monkeypatch):
    images, _ = image_folder
    dino, hub = tmp_path / "dino", tmp_path / "sam"
    network, tokenizer = tiny_models.grounding_dino()
    network.save_pretrained(dino)
    tokenizer.save_pretrained(dino)
    (dino / "preprocessor_config.json").write_text(json.dumps({"size": {"shortest_edge": 64, "longest_edge": 128}}))
    tiny_models.hub_sam().save_pretrained(hub)
    md5 = lama.load(Placement()).revision.removeprefix("md5:")
    settings = ModelSettings(
        detector=Choice("grounding-dino", str(dino)),
        segmenter=Choice("sam-hf", str(hub)),
        infiller=Choice("lama", revision=md5),
        encoding=Encoding(),
        batch_size=3,
    )
    tasks = plan(images, ["train", "validation"], 1)
    run = CandidateFolder(tmp_path / "run")
    run.begin(tasks, settings)
    worker = SegmentWorker(run, 0, settings)
    assert sum(worker(task, Seat()).ok for task in tasks) == 5
    assert read_models(run.root)["detector"]["revision"].startswith("sha256:")
    assert read_models(run.root)["infiller"]["revision"] == f"md5:{md5}"

    witnesses = Witnesses(
        classifiers=(Classifier(name="colour", revision="1", network=mean_colour),), placement=Placement()
    )
    monkeypatch.setattr(SelectWorker, "load", lambda self, device: witnesses)
    monkeypatch.setattr(command, "run_on_slots", lambda work, tasks, *_, **__: ((t, work(t, Seat())) for t in tasks))
    words = [str(run.root), str(images), str(tmp_path / "out"), "--gpus", "0", "--workers", "0", "--every"]
    assert select_versions.main(words) == 0
    import pyarrow.parquet as pq

    scores = pq.read_table(tmp_path / "out" / "scores" / f"{tasks[0].name}.parquet").to_pylist()
    versions = sum(len(one) for one in CandidateShard(run.shard(tasks[0])).by_image())
    assert len(scores) == versions
    for key in {one["key"] for one in scores}:
        of_key = [one for one in scores if one["key"] == key]
        (chosen,) = (one for one in of_key if one["chosen"])
        assert chosen["score"] == max(one["score"] for one in of_key)
        shard = PatchShard(tmp_path / "out" / "patches" / f"{tasks[0].name}.parquet", "patches")
        assert shard[shard.keys.index(key)].foreground_ratio == pytest.approx(chosen["foreground_ratio"])
    assert read_manifest(tmp_path / "out" / "patches").producer["infiller"]["revision"] == f"md5:{md5}"


def test_a_run_does_not_go_on_with_other_models(tmp_path, weights):
    note_models(tmp_path, backends(1))
    note_models(tmp_path, backends(4))
    other = backends(1)
    other.detector.threshold = 0.6
    with pytest.raises(ConfigurationError, match="uses other models"):
        note_models(tmp_path, other)
