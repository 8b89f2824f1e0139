"""Foregrounds and backgrounds in ImageNet-9's folders."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from fornet_hf.errors import NotFoundError, SourceError
from fornet_hf.evaluation.challenge.tree import TreeImages, lacking
from fornet_hf.evaluation.data.trees import read_tree

CLASSES = ("00_dog", "01_bird", "02_fish")


def save(path, pixels) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, quality=95)


@pytest.fixture
def root(tmp_path):
    """Originals of dogs and birds, of which one bird has no mask; backgrounds of all three."""
    for number, (folder, stem) in enumerate([("00_dog", "a"), ("01_bird", "a"), ("01_bird", "b")]):
        save(tmp_path / "original" / "val" / folder / f"{stem}.JPEG", np.full((6, 8, 3), 40 * number, np.uint8))
        if stem == "a":
            mask = tmp_path / "fg_mask" / "val" / folder / f"{stem}.npy"
            mask.parent.mkdir(parents=True)
            np.save(mask, np.eye(6, 8, dtype=bool))
    for number, folder in enumerate(CLASSES):
        save(tmp_path / "only_bg_t" / "val" / folder / f"t{number}.JPEG", np.full((6, 8, 3), 100 + number, np.uint8))
    return tmp_path


def test_foregrounds_are_those_with_a_mask(root):
    found = TreeImages(read_tree(root))
    assert list(found.foregrounds) == ["dog/a", "bird/a"]
    assert found.left_out == {"no mask": 1}
    assert found.labels.tolist() == [0, 1]
    assert list(found.backgrounds) == ["t0", "t1", "t2"]
    assert found.background_labels.tolist() == [0, 1, 2]
    assert list(found.class_names) == ["dog", "bird", "fish"]
    image, mask = found.foreground(1)
    assert (image.shape, image.dtype) == ((3, 6, 8), np.uint8)
    assert abs(int(image.mean()) - 40) <= 1
    np.testing.assert_array_equal(mask, np.eye(6, 8, dtype=np.float32))
    assert found.background(2).mean() == pytest.approx(102, abs=1)


def test_masks_of_three_equal_colours(root):
    path = root / "fg_mask" / "val" / "00_dog" / "a.npy"
    np.save(path, np.eye(6, 8, dtype=np.uint8)[..., None].repeat(3, axis=2))
    np.testing.assert_array_equal(TreeImages(read_tree(root)).foreground(0).mask, np.eye(6, 8))


@pytest.mark.parametrize("mask", [np.full((6, 8), 2), np.zeros(3), np.array([[np.nan]]), np.array([["x"]])])
def test_what_is_no_mask_is_refused(root, mask):
    np.save(root / "fg_mask" / "val" / "00_dog" / "a.npy", mask)
    with pytest.raises(SourceError, match=r"a\.npy: not a mask"):
        TreeImages(read_tree(root)).foreground(0)


def test_no_code_of_a_mask_is_run(root):
    np.save(root / "fg_mask" / "val" / "00_dog" / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(SourceError, match=r"a\.npy: the mask cannot be decoded"):
        TreeImages(read_tree(root)).foreground(0)


def test_what_is_missing_is_named(root):
    assert lacking(read_tree(root)) == ""
    (root / "original" / "val" / "01_bird" / "a.JPEG").rename(root / "original" / "val" / "01_bird" / "c.JPEG")
    found = TreeImages(read_tree(root))
    assert (list(found.foregrounds), found.left_out) == (["a"], {"no mask": 2, "no original": 1})
    (root / "original" / "val" / "00_dog" / "a.JPEG").unlink()
    assert "no mask of" in lacking(read_tree(root))
    (root / "only_bg_t").rename(root / "other")
    assert "no only_bg_t in" in lacking(read_tree(root))
    with pytest.raises(NotFoundError, match="no only_bg_t in"):
        TreeImages(read_tree(root))


def test_one_class_is_refused(root):
    for path in [*root.rglob("01_bird/*"), *root.rglob("02_fish/*")]:
        path.unlink()
    assert "nothing to choose from" in lacking(read_tree(root))
