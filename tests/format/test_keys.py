"""Keys of images, and names that may go into a path."""

import pytest

from fornet_hf.errors import PatchFormatError
from fornet_hf.format.keys import image_key, plain_name
from fornet_hf.sources.image import split_names


@pytest.mark.parametrize(
    ("path", "key", "wnid"),
    [
        ("n01440764_10026_n01440764.JPEG", "n01440764_10026", "n01440764"),
        ("n01440764_10026.JPEG", "n01440764_10026", "n01440764"),
        ("ILSVRC2012_val_00000293_n02113186.JPEG", "ILSVRC2012_val_00000293", "n02113186"),
        ("ILSVRC2012_val_00000293.JPEG", "ILSVRC2012_val_00000293", None),
        ("train/n01440764/n01440764_10026.jpeg", "n01440764_10026", "n01440764"),
        ("cat_1.png", "cat_1", None),
        ("v1.5_cat", "v1.5_cat", None),
    ],
)
def test_key_and_wnid_are_read_from_the_name(path, key, wnid):
    assert image_key(path) == (key, wnid)


@pytest.mark.parametrize("name", ["", ".", "..", "../a", "a/b", "/a", "a\\b", "a\0", "a\n", "\udc80", "a" * 201])
def test_names_that_could_leave_the_folder_are_refused(name):
    with pytest.raises(PatchFormatError, match="key is no plain name"):
        plain_name(name, "key")


@pytest.mark.parametrize("name", ["n01440764_10026", "a..b", "Katze_ä", "a" * 200])
def test_plain_names_pass(name):
    assert plain_name(name, "key") == name


def test_validation_has_two_names():
    assert split_names("validation") == split_names("val") == ("val", "validation")
    assert split_names("train") == ("train",)
    with pytest.raises(PatchFormatError, match="split"):
        split_names("../train")
