"""ImageNet's classes, or a set's own: from folders and from Parquet shards."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fornet_hf.classes import class_names, wnid_index
from fornet_hf.errors import ConfigurationError, PatchFormatError
from fornet_hf.sources import FolderSource
from producers.work.class_names import folder_classes, parquet_classes
from producers.work.plan import plan


def folders(root, *names):
    """Class folders; the images of those that end in a slash are missing."""
    for name in names:
        (root / name).mkdir(parents=True)
        if not name.endswith("/"):
            (root / name / f"{name.replace('/', '_')}.jpg").touch()
    return FolderSource(root)


@pytest.mark.parametrize("stray", ["train/lost+found/", "val/tmp/", "train/@eaDir/"])
def test_a_folder_without_images_is_no_class(tmp_path, stray):
    assert folder_classes(folders(tmp_path, "train/n02123045", "val/n01440764", stray)) is None


def test_a_folder_with_other_files_is_no_class(tmp_path):
    folder = folders(tmp_path, "train/cat", "train/notes/")
    (tmp_path / "train/notes/read.txt").touch()
    assert folder_classes(folder) == ("cat",)


def test_a_stray_folder_changes_neither_labels_nor_prompts(tmp_path):
    folders(tmp_path, "train/n02123045", "train/lost+found/")
    (task,) = plan(tmp_path, ["train"])
    (one,) = task.read()
    assert (one.label, one.prompts[0]) == (281, "a tabby, a type of domestic cat.")


@pytest.mark.parametrize(
    ("names", "odd"),
    [
        (("train/n02123045", "train/n01440764", "train/dogs"), "found dogs among n01440764, n02123045"),
        (("train/cat", "train/dog", "val/n01440764"), "found n01440764 among cat, dog"),
        (("train/n02123045", "train/n01440764", "val/n00000001"), "found n00000001 among"),
    ],
)
def test_a_mixture_is_refused_and_the_odd_ones_are_named(tmp_path, names, odd):
    folders(tmp_path, *names)
    with pytest.raises(ConfigurationError, match=odd):
        plan(tmp_path, ["train"])


def shard(root, names, split="train"):
    """A Parquet shard with one image of label 1."""
    label = {"names": list(names), "_type": "ClassLabel"} if names else {"dtype": "int64", "_type": "Value"}
    metadata = {"huggingface": json.dumps({"info": {"features": {"label": label}}})}
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema([("image", kind), ("label", pa.int64())], metadata=metadata)
    table = pa.table({"image": [{"bytes": b"x", "path": "1.jpg"}], "label": [1]}, schema=schema)
    path = root / "data" / f"{split}-00000-of-00001.parquet"
    path.parent.mkdir(exist_ok=True)
    pq.write_table(table, path)
    return path


def test_parquet_shards_name_the_classes_of_a_set_of_its_own(tmp_path):
    shard(tmp_path, ["apple_pie", "French fries"])
    (task,) = plan(tmp_path, ["train"])
    (one,) = task.read()
    assert task.classes == ("apple_pie", "French fries")
    assert (one.label, one.prompts) == (1, ("a french fries.",))


OTHER_CRANES = ["crane bird" if name == "crane" else name for name in class_names()]
FIRST_LEMMAS = [name.partition(",")[0] for name in class_names()]


@pytest.mark.parametrize("names", [class_names(), OTHER_CRANES, FIRST_LEMMAS, list(wnid_index()), None])
def test_imagenet_is_known_by_its_names_or_wnids_and_meant_where_there_are_none(tmp_path, names):
    assert parquet_classes([shard(tmp_path, names)]) is None


def test_imagenet_in_another_order_has_its_own_labels(tmp_path):
    names = sorted(class_names())
    assert parquet_classes([shard(tmp_path, names)]) == tuple(names)


def test_some_of_imagenets_wnids_are_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="n01440764, n02102040"):
        parquet_classes([shard(tmp_path, ["n01440764", "n02102040"])])


def test_splits_with_other_names_are_refused(tmp_path):
    paths = [shard(tmp_path, ["cat", "dog"]), shard(tmp_path, ["dog", "cat"], "validation")]
    with pytest.raises(ConfigurationError, match="other names of labels"):
        parquet_classes(paths)


def test_what_no_folder_may_have_in_its_name_is_replaced_and_asked_for_as_it_is(tmp_path):
    shard(tmp_path, ["bird", "Ram C/V Cargo Van 2012"])
    (task,) = plan(tmp_path, ["train"])
    (one,) = task.read()
    assert task.classes == ("bird", "Ram C%2FV Cargo Van 2012")
    assert one.prompts == ("a ram c/v cargo van 2012.",)


def test_an_empty_name_is_refused_before_the_work(tmp_path):
    with pytest.raises(PatchFormatError, match="no plain name; found ''"):
        parquet_classes([shard(tmp_path, ["", "bird"])])
