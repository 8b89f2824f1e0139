"""What happens to a shard when models fail, and how far one is said to be."""

import contextlib
import json

import pytest

from fornet_hf.format.encoding import Encoding
from fornet_hf.processes import InlineExecutor
from producers.detect.boxes import read_boxes
from producers.infill.inpaint import OpenCVInpaint
from producers.scene import Identity
from producers.segment.grabcut import GrabCut
from producers.step import Backends
from producers.tasks.segment import Engine, segment_shard
from producers.work.plan import plan
from producers.work.run_folder import CandidateFolder


class OutOfMemoryError(RuntimeError):
    """Named like torch's."""


class Broken:
    """An infiller that fails with the first images it gets, or with all."""

    identity = Identity(name="broken", model="none", revision="1")

    def __init__(self, error, times):
        self.error = error
        self.times = times

    def infill(self, rasters, holes):
        if rasters and self.times:
            self.times -= 1
            raise self.error
        return OpenCVInpaint().infill(rasters, holes)


@pytest.fixture
def shard(image_folder, tmp_path):
    """Segments the train shard of 4 images, in the first of which nothing is found, and a damaged one."""
    images, boxes = image_folder
    known = json.loads(boxes.read_text())
    (task,) = plan(images, ["train"], 1)
    del known[next(ref.key for ref in task.images if ref.key in known)]
    boxes.write_text(json.dumps(known))
    folder = CandidateFolder(tmp_path / "run")

    def segment(infiller, **options):
        backends = Backends(detector=read_boxes(boxes), segmenter=GrabCut(), infiller=infiller)
        engine = Engine(backends=backends, pool=InlineExecutor(), encoding=Encoding(), **options)
        return segment_shard(task, engine, folder)

    return segment, lambda: folder.finished(task)


@pytest.mark.parametrize("error", [OutOfMemoryError("CUDA out of memory"), ValueError("broken installation")])
@pytest.mark.parametrize("window", [1, 128])
def test_a_shard_is_not_finished_by_a_broken_infiller(shard, error, window):
    segment, finished = shard
    with pytest.raises(type(error), match=str(error)):
        segment(Broken(error, times=99), window=window)
    assert not finished()


def test_a_shard_is_not_finished_while_others_use_the_gpu(shard, monkeypatch):
    monkeypatch.setattr("producers.tasks.careful_step.time.sleep", lambda _: None)
    segment, finished = shard
    with pytest.raises(OutOfMemoryError):
        segment(Broken(OutOfMemoryError("CUDA out of memory"), times=7), window=1, shared=lambda: True)
    assert not finished()


def test_memory_that_ran_out_for_a_while_loses_no_image(shard):
    segment, finished = shard
    report = segment(Broken(OutOfMemoryError("CUDA out of memory"), times=2))
    assert report.outcomes() == {"ok": 3, "no_detect": 1, "error": 1}
    assert finished()


def test_images_count_as_done_as_soon_as_they_have_gone_through_the_models(shard, monkeypatch):
    """None leaves before the last: models without batches wait for more images than there are."""
    segment, _ = shard
    told = []

    @contextlib.contextmanager
    def noted(*_):
        yield told.append

    monkeypatch.setattr("producers.work.run_folder.noted", noted)
    report = segment(OpenCVInpaint())
    assert report.images == 5
    assert told == sorted(told)
    assert told[-2:] == [report.images] * 2
