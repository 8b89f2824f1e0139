"""Both layouts of `images.txt`."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fornet_hf.errors import NotFoundError, SourceError
from fornet_hf.sources.image_list import read_image_list

CODED = "images/036.Northern_Flicker/a b 2.jpg 0\nimages/036.Northern_Flicker/c.JPG 1\n\nimages/7.x/d.png\t2\n"
NUMBERED = "1 036.Northern_Flicker/a b 2.jpg\n2 036.Northern_Flicker/c.JPG\n10 7.x/d.png\n"
SPLITS = {
    "images/036.Northern_Flicker/a b 2.jpg": "test",
    "images/036.Northern_Flicker/c.JPG": "train",
    "images/7.x/d.png": "validation",
}


def put(root, **files):
    for name, text in files.items():
        (root / f"{name}.txt").write_bytes(text.encode())
    return root


def splits(root):
    return {str(image.path): image.split for image in read_image_list(root).images}


def test_paths_with_codes(tmp_path):
    assert splits(put(tmp_path, images=CODED)) == SPLITS
    assert read_image_list(tmp_path).file == tmp_path / "images.txt"


@pytest.mark.parametrize("text", [CODED.replace("\n", "\r\n"), "\ufeff" + CODED, CODED.rstrip()])
def test_lists_of_other_systems_are_read(tmp_path, text):
    assert splits(put(tmp_path, images=text)) == SPLITS


def test_numbers_and_their_splits(tmp_path):
    put(tmp_path, images=NUMBERED, train_test_split="1 0\n2 1\n10 0\n99 1\n")
    assert splits(tmp_path) == SPLITS | {"images/7.x/d.png": "test"}
    put(tmp_path, train_val_test_split="1 2\n10 1\n2 0\n")
    assert splits(tmp_path) == SPLITS
    assert read_image_list(tmp_path).file.name == "train_val_test_split.txt"


OTHER = {"0": "2", "1": "0", "2": "1"}
"""Codes of that file, which are not those of the other lists."""

names = st.text(st.characters(exclude_characters="/\\", exclude_categories=["C", "Zl", "Zp", "Zs"]), min_size=1)
paths = st.tuples(names, names).filter(lambda parts: not {".", ".."} & {*parts}).map("/".join)


@given(st.lists(st.tuples(paths, st.sampled_from("012")), min_size=1, unique_by=lambda one: one[0]))
def test_what_is_written_is_read_in_both_layouts(tmp_path_factory, entries):
    root = tmp_path_factory.mktemp("set")
    put(root, images="\n".join(f"images/{path}.jpg {code}" for path, code in entries))
    found = read_image_list(root).images
    assert [image.path for image in found] == [PurePosixPath("images", f"{path}.jpg") for path, _ in entries]
    put(
        root,
        images="\n".join(f"{number} {path}.jpg" for number, (path, _) in enumerate(entries)),
        train_val_test_split="\n".join(f"{number} {OTHER[code]}" for number, (_, code) in enumerate(entries)),
    )
    assert read_image_list(root).images == found


@pytest.mark.parametrize(
    "path", ["../a/b.jpg", "images/x/../../../b.jpg", "/etc/x/b.jpg", "images\\x\\b.jpg", "b.jpg", "a/\x01/b.jpg"]
)
def test_paths_that_are_not_in_a_folder_of_the_set_are_refused(tmp_path, path):
    with pytest.raises(SourceError, match=r"images\.txt, line 2: an image's path is not one in a folder of the set"):
        read_image_list(put(tmp_path, images=f"images/x/a.jpg 1\n{path} 0\n"))


@pytest.mark.parametrize("path", ["../../b/b.jpg", "/etc/b.jpg"])
def test_nor_may_those_of_numbers_leave_it(tmp_path, path):
    with pytest.raises(SourceError, match="line 1: an image's path is not one"):
        read_image_list(put(tmp_path, images=f"1 {path}\n", train_test_split="1 0"))


@pytest.mark.parametrize(
    ("images", "split", "message"),
    [
        ("", "", r"images\.txt is damaged; found no lines"),
        ("a/b.jpg 3", "", r"images\.txt, line 1 is damaged; found 'a/b\.jpg 3'; allowed: PATH 0.1.2 or NUMBER PATH"),
        ("a/b.jpg", "", "line 1 is damaged"),
        ("a/b.jpg 1\n2 a/c.jpg", "", "line 2 is damaged; found '2 a/c.jpg'; allowed: PATH 0.1.2"),
        ("1 a/b.txt", "1 0", "line 1 is damaged"),
        ("1 a/b.jpg", "1 7", r"train_test_split\.txt, line 1 is damaged; found '1 7'; allowed: NUMBER 0.1.2"),
        ("1 a/b.jpg\n2 a/c.jpg", "1 0", r"train_test_split\.txt has no split of an image; found image 2"),
        ("a/b.jpg 1\na/b.jpg 0", "", r"images\.txt lists an image twice; found a/b\.jpg"),
    ],
)
def test_damaged_lists_are_named_with_the_line(tmp_path, images, split, message):
    with pytest.raises(SourceError, match=message):
        read_image_list(put(tmp_path, images=images, train_test_split=split))


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "images.txt").write_bytes(b"a/\xff.jpg 0")
    with pytest.raises(SourceError, match=r"images\.txt is damaged"):
        read_image_list(tmp_path)


def test_a_list_that_says_no_splits_names_the_file_that_is_missing(tmp_path):
    with pytest.raises(NotFoundError, match="no list of images"):
        read_image_list(tmp_path)
    put(tmp_path, images=NUMBERED)
    with pytest.raises(NotFoundError, match=r"does not say which split .* allowed: train_val_test_split\.txt or tr"):
        read_image_list(tmp_path)
