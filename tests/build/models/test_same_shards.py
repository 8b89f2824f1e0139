"""Shards are the same, byte for byte, whatever the window, the batches and the number of processes are."""

import itertools
from dataclasses import dataclass, replace

import pyarrow.parquet as pq
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers", reason="GroundingDINO needs transformers")
pytest.importorskip("simple_lama_inpainting", reason="LaMa needs simple-lama-inpainting", exc_type=ImportError)

from fornet_hf.format.encoding import Encoding
from fornet_hf.processes import InlineExecutor
from producers.detect.prompts import Prompts
from producers.devices.placement import Placement
from producers.devices.seats import seats
from producers.infill import lama
from producers.registry import Choice
from producers.segment.versions import Merging
from producers.tasks.candidate_shards import CandidateShard
from producers.tasks.segment import Engine, SegmentWorker, segment_shard
from producers.work.plan import plan
from producers.work.run_folder import CandidateFolder
from producers.work.settings import ModelSettings
from producers.work.slots import run_on_slots
from tests.build import tiny_models
from tests.torchvision_shim import import_torchvision

SHAPES = ((96, 64), (64, 96), (96, 64), (64, 64), (90, 70), (96, 64))
PROCESSES = 2


@pytest.fixture(scope="module")
def tasks(photos, tmp_path_factory):
    """Two shards of images of several shapes, one of them damaged."""
    root = tmp_path_factory.mktemp("pictures")
    folder = root / "train" / "a_cat"
    folder.mkdir(parents=True)
    for index, photo in zip(range(12), itertools.cycle(photos.values()), strict=False):
        part = photo.image.resize((120 + index, 110)).crop(
            (index, 0, index + SHAPES[index % 6][0], SHAPES[index % 6][1])
        )
        part.save(folder / f"{index:02}.JPEG", quality=95)
    (folder / "damaged.JPEG").write_bytes(b"\xff\xd8 this is no image")
    return plan(root, ["train"], PROCESSES)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    network, tokenizer = tiny_models.grounding_dino()
    network.save_pretrained(folder / "dino")
    tokenizer.save_pretrained(folder / "dino")
    (folder / "dino" / "preprocessor_config.json").write_text('{"size": {"shortest_edge": 64, "longest_edge": 128}}')
    tiny_models.hub_sam().save_pretrained(folder / "sam")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAMA_MODEL", str(tiny_models.lama_file(folder)))
        yield ModelSettings(
            detector=Choice("grounding-dino", str(folder / "dino")),
            segmenter=Choice("sam-hf", str(folder / "sam")),
            infiller=Choice("lama", revision=lama.load(Placement()).revision.removeprefix("md5:")),
            threshold=0.5,
            encoding=Encoding(dilation=4),
            prompts=Prompts(objects=("cat", "fish", "animal")),
            merging=Merging(threshold=1),
        )


def made(folder, tasks):
    """The bytes of the shards, and what the reports say of images without one."""
    return [(folder.shard(task).read_bytes(), folder.report(task).lost) for task in tasks]


def rows(folder, tasks):
    """The rows of all shards, and their scores apart."""
    found = [row for task in tasks for row in pq.read_table(folder.shard(task)).to_pylist()]
    scores = [row.pop("score") for row in found]
    for row in found:
        scores += [one.pop("score") for one in row["detections"] or ()]
    return found, scores


@pytest.fixture(scope="module")
def alone(tasks, settings, tmp_path_factory):
    """The folder of a run with one image at a time."""
    folder = CandidateFolder(tmp_path_factory.mktemp("alone"))
    segment(tasks, settings, folder, window=1, batch_size=1)
    return folder


def segment(tasks, settings, folder, *, window, batch_size):
    backends = replace(settings, batch_size=batch_size).backends("cpu")
    engine = Engine(
        backends=backends,
        pool=InlineExecutor(),
        encoding=settings.encoding,
        prompts=settings.prompts,
        merging=settings.merging,
        window=window,
    )
    for task in tasks:
        segment_shard(task, engine, folder)


@pytest.mark.parametrize("window", [3, 64])
def test_shards_are_the_same_for_every_window(tasks, settings, alone, tmp_path, window):
    folder = CandidateFolder(tmp_path)
    segment(tasks, settings, folder, window=window, batch_size=1)
    assert made(folder, tasks) == made(alone, tasks)
    found = [len(versions) for task in tasks for versions in CandidateShard(folder.shard(task)).by_image()]
    assert len(found) > 8
    assert max(found) > 1


@pytest.mark.parametrize(("window", "batch_size"), [(3, 2), (64, 2), (64, 8)])
def test_all_but_the_last_bits_of_scores_are_the_same_for_every_batch(
    tasks, settings, alone, tmp_path, window, batch_size
):
    """A library's products of matrices sum up in an order that depends on their height."""
    folder = CandidateFolder(tmp_path)
    segment(tasks, settings, folder, window=window, batch_size=batch_size)
    (found, scores), (expected, true_scores) = rows(folder, tasks), rows(alone, tasks)
    assert found == expected
    assert scores == pytest.approx(true_scores, abs=1e-5)
    assert [folder.report(task).lost for task in tasks] == [alone.report(task).lost for task in tasks]


@dataclass
class Worker(SegmentWorker):
    """Work in a process of its own, whose torch is as this one's."""

    def load(self, device):
        import torch

        import_torchvision()
        torch.set_num_threads(1)
        return super().load(device)


def test_shards_are_the_same_by_several_processes(tasks, settings, alone, tmp_path):
    folder = CandidateFolder(tmp_path)
    work = Worker(folder, 0, replace(settings, batch_size=1), window=3)
    assert len(dict(run_on_slots(work, tasks, seats(0, PROCESSES)))) == len(tasks)
    assert len(list((tmp_path / "logs").iterdir())) == PROCESSES
    assert made(folder, tasks) == made(alone, tasks)
