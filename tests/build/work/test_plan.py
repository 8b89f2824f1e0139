"""Tasks from a source."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fornet_hf.errors import ConfigurationError, NotFoundError
from producers.tasks.candidates import Labelled
from producers.work.plan import enough_shards, plan, present_splits
from producers.work.report import Lost
from tests.images import files


def test_shards_are_slices_of_the_sorted_list(tmp_path):
    root = files(tmp_path, "train/b/3.jpg", "train/a/1.jpg", "train/a/2.jpg", "train/c/4.png", "train/c/5.png")
    tasks = plan(root, ["train"], shards=2)
    assert [task.name for task in tasks] == ["train-00000-of-00002", "train-00001-of-00002"]
    assert [[one.key for one in task.read()] for task in tasks] == [["1", "2"], ["3", "4", "5"]]


def test_labels_of_imagenet_are_imagenets(tmp_path):
    (task,) = plan(files(tmp_path, "train/n02123045/a.JPEG"), ["train"])
    (one,) = task.read()
    assert task.classes is None
    assert (one.label, one.prompts[0]) == (281, "a tabby, a type of domestic cat.")


def test_other_folders_are_numbered_in_order_over_all_splits(tmp_path):
    root = files(tmp_path, "train/red_fox/1.jpg", "train/cat/2.jpg", "val/ant/3.jpg")
    (task,) = plan(root, ["train"])
    assert task.classes == ("ant", "cat", "red_fox")
    assert [(one.label, one.prompts) for one in task.read()] == [(1, ("a cat.",)), (2, ("a red fox.",))]


def test_an_unreadable_file_has_its_reason(tmp_path):
    (task,) = plan(files(tmp_path, "train/a/1.jpg", "train/a/2.jpg"), ["train"])
    (tmp_path / "train/a/1.jpg").unlink()
    gone, there = task.read()
    assert isinstance(gone, Lost)
    assert (gone.key, gone.outcome, gone.kind) == ("1", "error", "FileNotFoundError")
    assert isinstance(there, Labelled)


def test_parquet_shards_keep_number_order_and_labels(tmp_path):
    for index, label in enumerate((5, 1000)):
        images = [{"bytes": b"x", "path": f"n01440764_{index}_n01440764.JPEG"}]
        kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        table = pa.table({"image": pa.array(images, kind), "label": pa.array([label], pa.int64())})
        (tmp_path / "data").mkdir(exist_ok=True)
        pq.write_table(table, tmp_path / "data" / f"validation-0000{index}-of-00002.parquet")
    first, second = plan(tmp_path, present_splits(tmp_path, "all"))
    assert (first.name, first.source) == ("validation-00000-of-00002", "data/validation-00000-of-00002.parquet")
    assert [(one.key, one.label) for one in first.read()] == [("n01440764_0", 5)]
    assert [(one.key, one.kind) for one in second.read()] == [("n01440764_1", "label")]


def test_splits_that_are_there(tmp_path):
    root = files(tmp_path, "val/a/1.jpg")
    assert present_splits(root, "all") == ["validation"] == present_splits(root, "val")


def test_errors_name_what_is_wrong(tmp_path):
    with pytest.raises(NotFoundError, match="no split"):
        present_splits(tmp_path, "all")
    root = files(tmp_path, "train/a/1.jpg", "train/b/1.png", "val/a/2.jpg")
    with pytest.raises(ConfigurationError, match=r"too few images; found 1; allowed: at least 3"):
        plan(root, ["validation"], shards=3)


@pytest.mark.parametrize(
    ("images", "workers", "shards"),
    [(6, 8, 1), (127, 8, 1), (128, 8, 2), (20_000, 16, 16), (20_000, 2, 5), (1_281_167, 16, 313), (1, 1, 1)],
)
def test_a_folder_makes_enough_shards_for_its_workers(images, workers, shards):
    assert enough_shards(images, workers) == shards
