"""Commands that share the folder of a run."""

import contextlib
import json
import os
import pickle
import threading
import time
from pathlib import Path

import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.manifest import read_manifest
from fornet_hf.format.shards import write_shard
from producers.detect.boxes import CentredBox
from producers.work import run_folder
from producers.work.plan import plan
from producers.work.progress import running
from producers.work.report import Report
from producers.work.run_folder import RunFolder
from producers.work.settings import Settings

SETTINGS = Settings(detector=CentredBox(), encoding=Encoding())
SPLITS = ["train", "validation"]


@pytest.fixture
def tasks(tmp_path):
    """Those of two splits of one image each."""
    for split in ("train", "val"):
        (tmp_path / "pictures" / split / "cat").mkdir(parents=True)
        (tmp_path / "pictures" / split / "cat" / f"{split}.jpg").touch()
    return {split: plan(tmp_path / "pictures", [split]) for split in SPLITS}


def at_the_same_time(monkeypatch, name, work):
    """Do the work for both splits: each writes by `name` only when the other has read, unless that has to wait."""
    write, both_have_read = getattr(run_folder, name), threading.Barrier(2, timeout=0.5)

    def slow(*arguments):
        with contextlib.suppress(threading.BrokenBarrierError):
            both_have_read.wait()
        write(*arguments)

    monkeypatch.setattr(run_folder, name, slow)
    threads = [threading.Thread(target=work, args=(split,)) for split in SPLITS]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def test_two_splits_that_are_begun_at_the_same_time_are_both_noted(tasks, tmp_path, monkeypatch):
    folder = RunFolder(tmp_path / "run")
    at_the_same_time(monkeypatch, "_write_json", lambda split: folder.begin(tasks[split], SETTINGS))
    assert sorted(json.loads((folder.root / "run.json").read_text())["splits"]) == SPLITS


def test_two_splits_that_end_at_the_same_time_are_both_in_the_manifest(tasks, tmp_path, monkeypatch):
    folder = RunFolder(tmp_path / "run")
    for (task,) in tasks.values():
        with folder.reported(task):
            write_shard(folder.shard(task), [], Encoding())
    at_the_same_time(
        monkeypatch, "write_manifest", lambda split: folder.finish(tasks[split], SETTINGS, "pictures", None)
    )
    assert list(read_manifest(folder.patches).splits) == SPLITS


def test_other_images_are_refused(tasks, tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.begin(tasks["train"], SETTINGS)
    folder.begin(tasks["train"], SETTINGS)
    (tmp_path / "pictures" / "train" / "cat" / "2.jpg").touch()
    others = "another set of images for train; found others in 1 of 1 shards, first in number 0"
    with pytest.raises(ConfigurationError, match=others):
        folder.begin(plan(tmp_path / "pictures", ["train"]), SETTINGS)
    with pytest.raises(ConfigurationError, match="another number of shards for train; found 2; allowed: 1"):
        folder.begin(plan(tmp_path / "pictures", ["train"], 2), SETTINGS)
    assert folder.total().outcomes() == Report().outcomes()


def test_a_file_system_that_remembers_missing_files_is_looked_at_anew(tasks, tmp_path, monkeypatch):
    (task,), folder, is_file = tasks["train"], RunFolder(tmp_path / "run"), Path.is_file
    with folder.reported(task):
        write_shard(folder.shard(task), [], Encoding())
    for path in (folder.patches, folder.root / "reports"):
        os.utime(path, (1, 1))
    monkeypatch.setattr(Path, "is_file", lambda path: path.parent.stat().st_mtime > 1 and is_file(path))
    assert folder.waiting([task]) == [task]
    assert folder.left_to_others([task]) == []
    assert len(list(folder.patches.iterdir())) == 1


def test_a_report_says_where_it_was_made_and_shards_in_progress_are_seen_until_the_end(tasks, tmp_path):
    (task,) = tasks["train"]
    folder = RunFolder(tmp_path / "run", where="node7 cuda:1")
    with folder.reported(task) as report:
        (one,) = running(folder.root, (), time.time())
        assert (one.where, one.task, one.of) == ("node7 cuda:1", task.name, 1)
    assert pickle.loads(pickle.dumps(report)).where == "node7 cuda:1"
    write_shard(folder.shard(task), [], Encoding())
    assert folder.report(task).ended == pytest.approx(report.ended, abs=0.01)
    (folder.root / "progress" / "killed.json").touch()
    folder.finish([task], SETTINGS, "pictures", None)
    assert not (folder.root / "progress").exists()
