"""Other places for the source images: a mirror on the Hub, a folder of images, a folder of shards."""

from __future__ import annotations

from pathlib import Path

import pytest

from fornet_hf import load_dataset
from fornet_hf.errors import NotFoundError
from tests.builder.rows import described, made_directly
from tests.local_hub.state import Hub
from tests.published import FORNET, IMAGENET, ROWS, SHARDS, WNIDS, key_of, source_of

SPLITS = ("train", "validation")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """ImageNet as its archives give it."""
    for split, name in (("train", "train"), ("validation", "val")):
        for number in range(SHARDS[split] * ROWS):
            path = tmp_path / "imagenet" / name / WNIDS[number % 2] / f"{key_of(split, number)}.JPEG"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(source_of(split, number))
    return tmp_path / "imagenet"


def asked_for_images(hub: Hub) -> bool:
    return bool(hub.asked("imagenet-1k"))


@pytest.mark.parametrize("streaming", [False, True])
def test_a_mirror(here: Path, published: Hub, streaming: bool) -> None:
    published.commit("someone/mirror", published.files(IMAGENET))
    rows = load_dataset(FORNET, split="train", cache_dir=here, imagenet_repo="someone/mirror", streaming=streaming)
    assert described(rows) == made_directly("train")
    assert not asked_for_images(published)


@pytest.mark.parametrize("streaming", [False, True])
def test_a_folder_of_images(here: Path, published: Hub, folder: Path, streaming: bool) -> None:
    rows = load_dataset(FORNET, cache_dir=here, imagenet_dir=folder, streaming=streaming)
    assert described(rows) == {split: made_directly(split) for split in SPLITS}
    assert not asked_for_images(published)


@pytest.mark.parametrize("place", ["data", ""])
def test_a_folder_of_shards(here: Path, published: Hub, tmp_path: Path, place: str) -> None:
    for path, data in published.files(IMAGENET).items():
        file = tmp_path / "shards" / place / Path(path).name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    rows = load_dataset(FORNET, split="train", cache_dir=here, imagenet_dir=tmp_path / "shards")
    assert described(rows) == made_directly("train")
    assert not asked_for_images(published)


def test_where_the_images_were_makes_no_other_dataset(here: Path, published: Hub, folder: Path) -> None:
    first = load_dataset(FORNET, split="train", cache_dir=here)
    published.forget()
    assert described(load_dataset(FORNET, split="train", cache_dir=here, imagenet_dir=folder)) == described(first)
    assert not asked_for_images(published)
    assert len({path.parent for path in here.rglob("*.arrow")}) == 1


def test_a_folder_without_images_is_named(here: Path, published: Hub, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFoundError, match=r"/empty has no images for .train.; found an empty folder"):
        load_dataset(FORNET, split="train", cache_dir=here, imagenet_dir=tmp_path / "empty")
    with pytest.raises(NotFoundError, match=r"imagenet_dir: no such folder; found .*/nowhere"):
        load_dataset(FORNET, split="train", cache_dir=here, imagenet_dir=tmp_path / "nowhere")


def test_a_image_that_is_missing_is_named(here: Path, published: Hub, folder: Path) -> None:
    (folder / "train/n01443537/n01443537_3.JPEG").unlink()
    with pytest.raises(NotFoundError, match=r"row 3 \(n01443537_3\): no image .*/n01443537_3.JPEG"):
        load_dataset(FORNET, split="train", cache_dir=here, imagenet_dir=folder)
