"""Where images are not, and what is said of it."""

from pathlib import Path

import pytest

from fornet_hf.errors import NotFoundError
from fornet_hf.format.manifest import ShardEntry
from fornet_hf.hub.location import Folder
from fornet_hf.release.images import all_shards, sources_of

HOW = {"streaming": False, "anew": False}
NAME = "data/validation-00000-of-00001.parquet"


def entries(source):
    return [ShardEntry(path="p.parquet", rows=1, bytes=1, sha256="0" * 64, source=source)]


@pytest.fixture(params=["named", "unnamed", "old"])
def find(request):
    """Looks for the images of a release which names their shards, of one that does not, of an old one."""
    if request.param == "old":
        return lambda folder, split: all_shards(Folder(folder), split, **HOW)
    source = NAME if request.param == "named" else None
    return lambda folder, split: sources_of(entries(source), split, Folder(folder), **HOW)


def test_the_folder_that_is_missing_is_named_and_how_to_do_without(tmp_path, find):
    (tmp_path / "train/n01440764").mkdir(parents=True)
    with pytest.raises(NotFoundError) as caught:
        find(tmp_path, "validation")
    assert f"{tmp_path} has no images for 'validation'" in str(caught.value)
    assert "found train, but no val/ or validation/; allowed: imagenet_dir=FOLDER with train/ and val/" in str(
        caught.value
    )
    assert "split='train'; with datasets.load_dataset also splits=['train']" in str(caught.value)


def test_the_folder_of_one_split_is_too_deep(tmp_path, find):
    (tmp_path / "train/n01440764").mkdir(parents=True)
    with pytest.raises(NotFoundError, match=rf"found n01440764, but no train/.*give the one above it, {tmp_path}$"):
        find(tmp_path / "train", "train")


def test_a_folder_of_other_things_is_described(tmp_path, find):
    with pytest.raises(NotFoundError, match=r"no images for 'train'.*found an empty folder, but no train/"):
        find(tmp_path, "train")


def test_shards_of_another_conversion_are_not_the_source(tmp_path):
    (tmp_path / "validation-00000-of-00002.parquet").touch()
    with pytest.raises(NotFoundError, match=rf"is not the source that this release names \(validation: {NAME}"):
        sources_of(entries(NAME), "validation", Folder(tmp_path), **HOW)


def test_shards_are_found_where_they_are(tmp_path):
    file = tmp_path / Path(NAME).name
    file.touch()
    assert sources_of(entries(NAME), "validation", Folder(tmp_path), **HOW) == [str(file)]
    assert all_shards(Folder(tmp_path), "validation", **HOW) == [str(file)]
