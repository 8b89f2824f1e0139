"""Finding the files of the old release, and reading its ratios."""

import json

import pytest

from fornet_hf.errors import NotFoundError, PatchFormatError
from fornet_hf.release.legacy import find_release, read_ratios

NAME = "train/backgrounds/n01/n01_7.JPEG"


def test_train_zips_are_in_numeric_order():
    names = [f"train_{number}.zip" for number in range(12)]
    release = find_release([*reversed(names), "val.zip", "fg_bg_ratios_train.json", "other.txt"])
    assert list(release.train) == names
    assert release.validation == ("val.zip",)
    assert release.train_ratios == "fg_bg_ratios_train.json"
    assert release.validation_ratios is None


def test_one_split_is_enough():
    assert find_release(["val.zip"]).train == ()


def test_missing_zips_are_named():
    with pytest.raises(NotFoundError, match="no zips"):
        find_release([])
    with pytest.raises(NotFoundError, match=r"lacks train_0.zip, train_2.zip; found 2 others"):
        find_release(["train_1.zip", "train_3.zip"])


@pytest.mark.parametrize("name", ["train_01.zip", "train_old.zip"])
def test_zips_of_no_clear_place_are_named(name):
    with pytest.raises(PatchFormatError, match=name):
        find_release(["train_0.zip", "train_1.zip", name])


def test_ratios_are_keyed_by_stem(tmp_path):
    path = tmp_path / "r.json"
    path.write_text(json.dumps({NAME: 0.25, "a/b/backgrounds/n02/n02_8.JPEG": 1, "backgrounds/n02/V.JPEG": 0}))
    assert read_ratios(path) == {"n01_7": 0.25, "n02_8": 1.0, "V": 0.0}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[]", "list"),
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        (f'{{"{NAME}": "0.5"}}', "'0.5'"),
        (f'{{"{NAME}": true}}', "True"),
        (f'{{"{NAME}": null}}', "NoneType"),
        (f'{{"{NAME}": NaN}}', "nan"),
        (f'{{"{NAME}": 1e999}}', "inf"),
        (f'{{"{NAME}": -0.1}}', "-0.1"),
        (f'{{"{NAME}": 1.5}}', "1.5"),
        (f'{{"{NAME}": 0.5, "{NAME}": 0.6}}', "two ratios of one image; found n01_7"),
        ('{"train/n01/n01_7.JPEG": 0.5}', "train/n01/n01_7.JPEG"),
        ('{"backgrounds/n01/n01_7.png": 0.5}', "n01_7.png"),
    ],
)
def test_wrong_ratio_files_are_named(text, found, tmp_path):
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(PatchFormatError) as error:
        read_ratios(path)
    assert found in str(error.value)
    assert str(path) in str(error.value)


def test_a_missing_ratio_file_is_named(tmp_path):
    with pytest.raises(NotFoundError, match=r"r\.json"):
        read_ratios(tmp_path / "r.json")
