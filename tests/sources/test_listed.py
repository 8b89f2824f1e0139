"""Images in a folder with a list."""

import os
import pickle

import pytest

from fornet_hf.errors import NotFoundError, PatchFormatError, SourceError
from fornet_hf.sources import FolderSource, ListedSource, open_images

LIST = "images/2.b/y 1.jpg 1\nimages/1.a/z.jpg 1\nimages/1.a/x.png 1\nimages/1.a/w.jpg 0\nimages/2.b/v.jpg 2\n"


def put(root, text=LIST, *, missing=""):
    (root / "images.txt").write_text(text)
    for path in (line.rpartition(" ")[0] for line in text.splitlines()):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        if path != missing:
            (root / path).write_bytes(path.encode())
    return open_images(root)


def test_images_are_listed_by_class_then_name(tmp_path):
    source = put(tmp_path)
    assert isinstance(source, ListedSource)
    assert source.classes("train") == ["1.a", "2.b"]
    found = [(ref.key, ref.folder_class, str(ref.path.relative_to(tmp_path))) for ref in source.list("train")]
    assert found == [
        ("x", "1.a", "images/1.a/x.png"), ("z", "1.a", "images/1.a/z.jpg"), ("y 1", "2.b", "images/2.b/y 1.jpg"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "keys"), [(LIST, ["v"]), (LIST.replace("v.jpg 2", "v.jpg 1"), ["w"]), ("images/1.a/w.jpg 1", [])]
)
def test_validation_has_the_test_images_where_the_list_has_no_others(tmp_path, text, keys):
    source = put(tmp_path, text)
    for split in ("validation", "val"):
        assert source.has(split) == bool(keys)
        assert (source.has(split) and [ref.key for ref in source.list(split)]) == (keys or False)
    with pytest.raises(NotFoundError, match=r"images\.txt has no images of 'other'"):
        source.list("other")


def test_an_image_is_read_by_class_and_key(tmp_path):
    source = pickle.loads(pickle.dumps(put(tmp_path)))
    assert source.read("train", "y 1", "2.b").data == b"images/2.b/y 1.jpg"
    assert source.read("train", "2.b--y 1", "2.b").data == b"images/2.b/y 1.jpg"
    assert source.read("validation", "v", "2.b").label is None
    assert source.read("test", "w", "1.a").origin == str(tmp_path / "images/1.a/w.jpg")
    for key, name in (("w", "1.a"), ("x", "2.b"), ("x", "3.c")):
        with pytest.raises(NotFoundError, match=rf"lists no image {name}/{key} of 'train'"):
            source.read("train", key, name)
    for key, name in (("../x", "1.a"), ("x", "..")):
        with pytest.raises(PatchFormatError, match="no plain name"):
            source.read("train", key, name)


def test_a_list_that_changed_is_read_anew(tmp_path):
    source = put(tmp_path)
    assert [ref.key for ref in source.list("validation")] == ["v"]
    put(tmp_path, LIST.replace("v.jpg 2", "v.jpg 1"))
    os.utime(tmp_path / "images.txt", (1, 1))  # some systems note a change by a clock that goes by milliseconds
    assert [ref.key for ref in source.list("validation")] == ["w"]


def test_an_image_that_is_missing_is_listed_and_named(tmp_path):
    source = put(tmp_path, missing="images/1.a/z.jpg")
    assert [ref.key for ref in source.list("train")] == ["x", "z", "y 1"]
    with pytest.raises(NotFoundError, match=r"no image .*images/1\.a/z\.jpg\. It is listed in .*images\.txt"):
        source.read("train", "z", "1.a")


def test_files_of_one_name_have_their_endings_in_their_keys_and_folders_must_differ(tmp_path):
    source = put(tmp_path, "images/a/1.jpg 1\nimages/a/1.png 1\n")
    assert [ref.key for ref in source.list("train")] == ["1.jpg", "1.png"]
    source = put(tmp_path, "images/a/1.jpg 1\nother/a/1.jpg 1\n")
    with pytest.raises(SourceError, match=r"two files for key '1\.jpg'; found .*images/a/1\.jpg and .*other"):
        source.list("train")


def test_class_folders_of_splits_come_first(tmp_path):
    put(tmp_path)
    (tmp_path / "val").mkdir()
    assert open_images(tmp_path) == FolderSource(tmp_path)
