"""Validating finds what is missing, extra and damaged."""

from __future__ import annotations

import json
import shutil

import pytest
from PIL import Image

from fornet_hf.hub.location import Folder
from fornet_hf.layout import validate as validating
from fornet_hf.layout.apply import apply, delete_patches
from fornet_hf.layout.trees import ZipTree
from fornet_hf.layout.validate import validate
from fornet_hf.release.release import open_release
from tests.images import write_release


def found(result) -> set[tuple[str, str]]:
    return {(finding.kind, finding.name.rpartition("/")[2]) for finding in result.findings}


@pytest.mark.parametrize("layout", ["applied", "zipped"])
@pytest.mark.parametrize("split", ["train", "validation"])
def test_what_apply_made_is_sound(layout, split, release, request):
    result = validate(request.getfixturevalue(layout), split, release)
    assert result.counts == {"foregrounds": 9, "backgrounds": 9, "ratios": 9}


def test_what_the_public_tool_made_is_sound(public, release):
    assert validate(public, "train", release).findings == []


def test_missing_extra_and_damaged_images_are_named(public, release, monkeypatch):
    folder = public / "train/foregrounds/n01440764"
    (folder / "n01440764_1000.WEBP").rename(folder / "n01440764_1.WEBP")
    (folder / "n01440764_1004.WEBP").write_bytes(b"RIFF")
    Image.new("RGBA", (9, 9)).save(folder / "n01440764_1008.WEBP")
    Image.new("RGB", (9, 9)).save(public / "train/foregrounds/n02123045/n02123045_1001.WEBP")
    background = public / "train/backgrounds/n02123045/n02123045_1001.JPEG"
    background.write_bytes(background.read_bytes()[:-300])
    monkeypatch.setenv("MAX_WORKERS", "2")
    assert found(validate(public, "train", release)) == {
        ("missing", "n01440764_1000.WEBP"),
        ("extra", "n01440764_1.WEBP"),
        ("without ratio", "n01440764_1.WEBP"),
        ("damaged", "n01440764_1004.WEBP"),
        ("damaged", "n01440764_1008.WEBP"),
        ("damaged", "n02123045_1001.WEBP"),
        ("damaged", "n02123045_1001.JPEG"),
    }
    names = {kind for kind, _ in found(validate(public, "train", release, decode=False))}
    assert names == {"missing", "extra", "without ratio"}


def test_files_that_cannot_be_read_at_all_are_named(public):
    (public / "backgrounds_train.zip").write_bytes(b"PK")
    (public / "fg_bg_ratios_train.json").write_text("{")
    result = validate(public, "train")
    assert {finding.kind for finding in result.findings} == {"unreadable"}
    assert len(result.findings) == 2


def test_a_release_in_the_new_format_tells_what_belongs_there(tmp_path):
    write_release(tmp_path / "patches", tmp_path / "pictures", shards=2, each=3)
    release = open_release(Folder(tmp_path / "patches"))
    apply(release, "train", Folder(tmp_path / "pictures"), tmp_path / "out")
    assert validate(tmp_path / "out", "train", release).findings == []
    shutil.rmtree(next((tmp_path / "out/train/backgrounds").iterdir()))
    kinds = {finding.kind for finding in validate(tmp_path / "out", "train", release).findings}
    assert kinds == {"missing"}
    json.loads((tmp_path / "out/fg_bg_ratios_train.json").read_text())


def test_patches_are_deleted_with_the_manifest_but_never_images(tmp_path):
    write_release(tmp_path / "patches", tmp_path / "pictures", shards=2, each=1)
    deleted = delete_patches(open_release(Folder(tmp_path / "patches")), ["train"])
    assert len(deleted) == 3
    assert not [path for path in (tmp_path / "patches").rglob("*") if path.is_file()]
    assert list((tmp_path / "pictures").rglob("*.*"))


def test_an_index_travels_once_to_each_process_not_with_each_part_of_the_work(zipped, monkeypatch):
    travels = []
    state = ZipTree.__getstate__
    monkeypatch.setattr(ZipTree, "__getstate__", lambda self: travels.append(1) or state(self))
    monkeypatch.setattr(validating, "_CHUNK", 2)
    monkeypatch.setenv("MAX_WORKERS", "2")
    tree = validating.open_tree(validating.Layout(zipped, "train"), "backgrounds")
    assert list(validating._damages(tree, "backgrounds")) == [[]] * 5
    assert len(travels) == 2
