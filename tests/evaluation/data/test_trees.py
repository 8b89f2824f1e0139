"""ImageNet-9's folders as stimuli."""

import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fornet_hf.errors import ConfigurationError, NotFoundError, SourceError
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.data.trees import is_tree, read_tree
from fornet_hf.evaluation.labels import NO_LABEL
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.evaluation.stimuli.conditions import Condition

NINE = (
    "00_dog", "01_bird", "02_wheeled vehicle", "03_reptile", "04_carnivore", "05_insect", "06_musical instrument",
    "07_primate", "08_fish",
)  # fmt: skip
PREPROCESSING = Preprocessing(size=32)
DOG, BIRD = "n02085620_00001", "n01514859_00002"


def picture(seed: int, size: tuple[int, int] = (32, 32)) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


def write(root: Path, variant: str, folder: str, stem: str, data: bytes | None = None) -> None:
    path = root / variant / "val" / folder / f"{stem}.JPEG"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture(len(stem)) if data is None else data)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for folder in NINE:
        (tmp_path / "original" / "val" / folder).mkdir(parents=True)
    write(tmp_path, "original", "00_dog", DOG)
    write(tmp_path, "original", "01_bird", BIRD)
    write(tmp_path, "mixed_rand", "00_dog", f"fg_{DOG}_bg_{BIRD}")
    write(tmp_path, "mixed_rand", "01_bird", f"fg_{BIRD}_bg_n01440764_00009")
    write(tmp_path, "mixed_same", "00_dog", f"fg_{DOG}_bg_{DOG}")
    return tmp_path


def stimuli(root: Path, *conditions: str):
    return read_tree(root).stimuli(dict.fromkeys(conditions, Condition()), EvaluationConfig())


def test_items_are_original_images_and_conditions_the_variants_that_are_there(tree):
    shown = stimuli(tree)
    assert shown.conditions == ("original", "mixed_same", "mixed_rand")
    assert list(shown.keys) == [DOG, BIRD]
    assert shown.labels.tolist() == [0, 1]
    assert list(shown.class_names) == [name.partition("_")[2] for name in NINE]


def test_images_of_the_classifiers_size_are_shown_as_they_are(tree):
    image = stimuli(tree).shown(0, PREPROCESSING).views[0].image
    with Image.open(tree / "original" / "val" / "00_dog" / f"{DOG}.JPEG") as opened:
        assert np.array_equal(image, np.asarray(opened).transpose(2, 0, 1))


@pytest.mark.parametrize("size", [(32, 32), (40, 32)])
def test_other_images_are_preprocessed(tree, size):
    write(tree, "original", "00_dog", DOG, picture(3, size))
    preprocessing = Preprocessing(size=24)
    image = stimuli(tree).shown(0, preprocessing).views[0].image
    with Image.open(tree / "original" / "val" / "00_dog" / f"{DOG}.JPEG") as opened:
        assert np.array_equal(image, preprocessing.prepared(opened))


def test_names_of_files_tell_backgrounds_and_their_classes(tree):
    dog, bird = (stimuli(tree, "mixed_rand").shown(item, PREPROCESSING).views[0] for item in (0, 1))
    assert (dog.background, dog.background_label) == (BIRD, 1)
    assert (bird.background, bird.background_label) == ("n01440764_00009", 8)  # by its WNID: a tench


def test_an_image_on_its_own_background_is_told_from_one_whose_background_is_not_known(tree):
    view = stimuli(tree, "mixed_same").shown(0, PREPROCESSING).views[0]
    assert (view.background, view.background_label) == (DOG, 0)
    write(tree, "mixed_same", "01_bird", BIRD)
    view = stimuli(tree, "mixed_same").shown(1, PREPROCESSING).views[0]
    assert (view.background, view.background_label) == ("", NO_LABEL)


def test_a_background_whose_name_two_classes_have_is_not_known(tree):
    for folder in ("00_dog", "01_bird"):
        write(tree, "original", folder, "1")
        write(tree, "mixed_next", folder, "fg_1_bg_1")
    view = stimuli(tree, "mixed_next").shown(0, PREPROCESSING).views[0]
    assert (view.background, view.background_label) == ("1", NO_LABEL)


def test_one_class_with_images_is_too_few(tree):
    assert read_tree(tree).too_few_classes == ""
    for path in tree.rglob("01_bird/*"):
        path.unlink()
    found = read_tree(tree).too_few_classes
    assert found.startswith(f"a classifier has nothing to choose from; found images of dog in {tree}")


def test_a_variant_that_lacks_an_image_is_told(tree):
    shown = stimuli(tree).shown(1, PREPROCESSING)
    assert [view.condition for view in shown.views] == [0, 2]
    assert shown.missing == {1: "no file of this variant"}


def test_a_variant_that_is_not_there_is_refused(tree):
    assert "only_bg_t" in read_tree(tree).lacks({"only_bg_t": Condition()})
    with pytest.raises(ConfigurationError, match="only_bg_t"):
        stimuli(tree, "only_bg_t")


def test_keys_differ_where_classes_have_files_of_one_name(tree):
    write(tree, "original", "01_bird", DOG)
    assert list(stimuli(tree).keys) == [f"dog/{DOG}", BIRD, f"bird/{DOG}"]


def test_damaged_images_are_named(tree):
    write(tree, "original", "00_dog", DOG, b"none")
    with pytest.raises(SourceError, match=f"{DOG}.JPEG"):
        stimuli(tree).shown(0, PREPROCESSING)


def test_the_fingerprint_changes_with_a_file(tree):
    before = read_tree(tree).fingerprint
    assert read_tree(tree).fingerprint == before
    write(tree, "original", "00_dog", DOG, b"more")
    assert read_tree(tree).fingerprint != before


def test_the_fingerprint_changes_with_contents_of_the_same_size(tree):
    prints = set()
    for data in (b"one", b"two"):
        write(tree, "original", "00_dog", DOG, data)
        prints.add(read_tree(tree).fingerprint)
    assert len(prints) == 2


def test_endings_may_be_of_any_case(tree):
    path = tree / "original" / "val" / "00_dog" / f"{DOG}.JPEG"
    path.rename(path.with_suffix(".JpG"))
    mask = tree / "fg_mask" / "val" / "00_dog" / f"{DOG}.NPY"
    mask.parent.mkdir(parents=True)
    mask.write_bytes(b"")
    found = read_tree(tree)
    assert (0, DOG) in found.files["original"].keys() & found.masks.keys()


def test_names_that_no_table_can_hold_are_refused(tree):
    path = tree / "original" / "val" / "00_dog"
    (path / f"{DOG}.JPEG").rename(path / os.fsdecode(b"\xff.JPEG"))
    with pytest.raises(SourceError, match=r"a file's name is not UTF-8; found .*udcff\.JPEG"):
        read_tree(tree)


def test_stimuli_travel_to_processes(tree):
    shown = stimuli(tree)
    twin = pickle.loads(pickle.dumps(shown))
    assert np.array_equal(twin.shown(1, PREPROCESSING).views[1].image, shown.shown(1, PREPROCESSING).views[1].image)


def test_other_folders_are_none(tree):
    assert is_tree(tree)
    assert not is_tree(tree / "original")
    with pytest.raises(NotFoundError, match="no variants"):
        read_tree(tree / "original")
    with pytest.raises(NotFoundError, match="train"):
        read_tree(tree, "train")


@pytest.mark.parametrize(
    ("folder", "found"),
    [
        ("dogs", "no number"),
        ("10_cat", "are missing"),
        ("00_cat", "has two names"),
        ("09_dog", "two classes have one name"),
    ],
)
def test_folders_of_classes_are_numbered(tree, folder, found):
    (tree / "mixed_rand" / "val" / folder).mkdir()
    with pytest.raises(SourceError, match=found):
        read_tree(tree)


def test_two_folders_of_one_split_are_refused(tree):
    (tree / "original" / "validation").symlink_to("val")  # the same by another name
    assert read_tree(tree).variants
    (tree / "mixed_rand" / "validation").mkdir()
    with pytest.raises(SourceError, match="split 'validation' has two folders"):
        read_tree(tree)


def test_two_images_of_one_foreground_are_refused(tree):
    write(tree, "mixed_rand", "00_dog", f"fg_{DOG}_bg_{DOG}")
    with pytest.raises(SourceError, match="two images"):
        read_tree(tree)
