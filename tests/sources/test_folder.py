"""Images in class folders."""

import io
import os
from pathlib import Path

import pytest
from PIL import Image

from fornet_hf.errors import NotFoundError, PatchFormatError, SourceError
from fornet_hf.format.patch import _check_key
from fornet_hf.sources import FolderSource, SourceImage, key_with_class

TENCH, GOLDFISH = "n01440764", "n01443537"


def jpeg(grey: int = 0) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (grey,) * 3).save(buffer, "JPEG")
    return buffer.getvalue()


def put(root: Path, *names: str) -> FolderSource:
    for grey, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(jpeg(grey * 50))
    return FolderSource(root)


def test_images_are_listed_by_class_then_name_and_other_files_passed_over(tmp_path):
    names = [
        f"train/{GOLDFISH}/{GOLDFISH}_1.JPEG",
        f"train/{TENCH}/{TENCH}_2.JPEG",
        f"train/{TENCH}/{TENCH}_10.JPG",
    ]
    source = put(tmp_path, *names, f"train/{TENCH}/._{TENCH}_2.JPEG", "train/.cache/a.png", "train/README.txt")
    (tmp_path / "train" / TENCH / "notes.txt").write_text("no image")
    assert source.classes("train") == [TENCH, GOLDFISH]
    found = [(ref.key, ref.folder_class, ref.path.name) for ref in source.list("train")]
    assert found == [
        (f"{TENCH}_10", TENCH, f"{TENCH}_10.JPG"),
        (f"{TENCH}_2", TENCH, f"{TENCH}_2.JPEG"),
        (f"{GOLDFISH}_1", GOLDFISH, f"{GOLDFISH}_1.JPEG"),
    ]


@pytest.mark.parametrize(
    "name", ["a.JPEG", "a.jpg", "a.png", "a.Jpg", "a.webp", f"a_{GOLDFISH}.JPEG", f"a_{GOLDFISH}.jpg"]
)
def test_a_image_is_read_whatever_its_ending(tmp_path, name):
    source = put(tmp_path, f"val/{GOLDFISH}/b.JPEG", f"val/{GOLDFISH}/{name}")
    path = tmp_path / "val" / GOLDFISH / name
    assert source.read("val", "a", GOLDFISH) == SourceImage("a", 1, jpeg(50), str(path))


def test_the_usual_name_is_read_without_listing_the_folder(tmp_path, monkeypatch):
    source = put(tmp_path, f"train/{TENCH}/{TENCH}_1.JPEG")
    monkeypatch.setattr(Path, "iterdir", lambda self: pytest.fail("listed"))
    assert source.read("train", f"{TENCH}_1", TENCH).data == jpeg(0)


@pytest.mark.parametrize("folder", ["val", "validation"])
@pytest.mark.parametrize("split", ["val", "validation"])
def test_validation_folder_may_have_either_name(tmp_path, folder, split):
    source = put(tmp_path, f"{folder}/cat/cat_1.png")
    assert source.read(split, "cat_1", "cat").label is None


def test_a_folder_of_unusual_endings_is_listed_once_and_again_when_it_changes(tmp_path, monkeypatch):
    source, listed, iterdir = put(tmp_path, *(f"train/cat/cat_{n}.TIF" for n in range(3))), [], Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda self: listed.append(self) or iterdir(self))
    for number in range(3):
        assert source.read("train", f"cat_{number}", "cat").data == jpeg(number * 50)
    with pytest.raises(NotFoundError):
        source.read("train", "cat_3", "cat")
    assert len(listed) == 1
    (tmp_path / "train/cat/cat_3.TIF").write_bytes(b"new")
    os.utime(tmp_path / "train/cat", (1, 1))  # some systems note a change by a clock that goes by milliseconds
    assert source.read("train", "cat_3", "cat").data == b"new"
    (tmp_path / "train/cat/cat_0.TIF").unlink()
    os.utime(tmp_path / "train/cat", (2, 2))
    with pytest.raises(NotFoundError):
        source.read("train", "cat_0", "cat")


def test_two_folders_for_one_split_are_refused(tmp_path):
    source = put(tmp_path, "val/cat/cat_1.png", "validation/cat/cat_1.png")
    with pytest.raises(SourceError, match="two folders"):
        source.list("validation")


def test_two_files_with_one_key_are_refused(tmp_path):
    """ImageNet's name with and without the WNID: the same image twice."""
    source = put(tmp_path, f"train/{TENCH}/{TENCH}_1.JPEG", f"train/{TENCH}/{TENCH}_1_{TENCH}.JPEG")
    with pytest.raises(SourceError, match=rf"{TENCH}_1\.JPEG and .*{TENCH}_1_{TENCH}\.JPEG"):
        source.list("train")


NAMES = ["1.jpg", "1.png", "a:b?.jpg", "100%.jpg", "x" * 240 + ".jpg", "ä" * 110 + ".jpg", "cat--1.jpg", "1.jpg.gif"]


@pytest.mark.parametrize("with_class", [False, True])
def test_an_image_of_any_name_has_a_key_by_which_it_is_read(tmp_path, with_class):
    source = put(tmp_path, *(f"train/cat/{name}" for name in NAMES))
    listed = {ref.path.name: ref.key for ref in source.list("train")}
    assert len(set(listed.values())) == len(NAMES)
    assert (listed["1.jpg"], listed["1.png"], listed["cat--1.jpg"]) == ("1.jpg", "1.png", "cat--1")
    assert (listed["a:b?.jpg"], listed["100%.jpg"]) == ("a%3Ab%3F", "100%")
    for name, key in listed.items():
        one = key_with_class("cat", key) if with_class else key
        _check_key(one)
        assert source.read("train", one, "cat").data == (tmp_path / "train" / "cat" / name).read_bytes()


@pytest.mark.parametrize(
    ("key", "folder"), [("../secret", "cat"), ("secret", ".."), ("/etc/passwd", "cat"), ("a", "")]
)
def test_keys_and_classes_cannot_leave_the_folder(tmp_path, key, folder):
    source = put(tmp_path, "train/cat/cat_1.JPEG", "train/secret.JPEG", "secret.JPEG")
    with pytest.raises(PatchFormatError, match="no plain name"):
        source.read("train", key, folder)


@pytest.mark.parametrize(("key", "folder"), [("cat_2", "cat"), ("cat_1", "dog")])
def test_a_missing_image_is_named_with_the_expected_layout(tmp_path, key, folder):
    source = put(tmp_path, "train/cat/cat_1.JPEG")
    with pytest.raises(NotFoundError, match=rf"{folder}/{key}\.JPEG.*CLASS/IMAGE\.JPEG"):
        source.read("train", key, folder)


def test_missing_root_split_and_classes_are_told_apart(tmp_path):
    with pytest.raises(NotFoundError, match=r"no folder .*nowhere/val or .*nowhere/validation.*Expected"):
        FolderSource(tmp_path / "nowhere").classes("validation")
    source = put(tmp_path, "train/flat.JPEG")
    with pytest.raises(NotFoundError, match=r"no folder .*test"):
        source.classes("test")
    with pytest.raises(NotFoundError, match="no class folders"):
        source.list("train")


def test_only_splits_with_a_folder_are_there(tmp_path):
    source = put(tmp_path, "val/cat/cat_1.png")
    assert source.has("validation")
    assert not source.has("train")
