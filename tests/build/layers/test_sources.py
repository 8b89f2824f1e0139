"""Images to learn layers from."""

import numpy as np
import pytest

from fornet_hf.errors import ConfigurationError, NotFoundError, SourceError
from producers.layers.sources import images_asked
from tests.build.distil.drawn import write_drawn
from tests.cub import NAMES, cub


@pytest.fixture
def labelled(tmp_path):
    for number, group in enumerate(("train/cat", "train/dog", "val/dog")):
        write_drawn(tmp_path, 2, first=10 * number, group=group)
    return tmp_path / "images"


def test_a_folder_gives_all_of_its_images_at_any_depth(tmp_path):
    write_drawn(tmp_path, 2, group="a/b/c/d")
    write_drawn(tmp_path, 1, first=7, group="a")
    assert [*images_asked(tmp_path / "images").keys()] == ["0007", "0000", "0001"]


def test_a_class_gives_its_images_of_the_splits_that_are_asked_for(labelled):
    assert images_asked(labelled, name="dog").keys() == ["0010", "0011", "0020", "0021"]
    assert images_asked(labelled, name="dog", split="val").keys() == ["0020", "0021"]
    assert images_asked(labelled, name="cat").keys() == ["0000", "0001"]
    with pytest.raises(ConfigurationError, match=r"there is no such class; found 'dig'; allowed: such as \['dog'\]"):
        images_asked(labelled, name="dig")
    with pytest.raises(NotFoundError, match="no images of the class cat"):
        images_asked(labelled, name="cat", split="val")
    with pytest.raises(ConfigurationError, match="--split without --class"):
        images_asked(labelled, split="val")


def test_birds_are_those_of_the_training_split(tmp_path):
    root = cub(tmp_path)
    (root / "train_val_test_split.txt").write_text("1 0\n2 2\n3 0\n4 1\n")
    found = images_asked(root, drc=True)
    assert [*found.places] == [root / "images" / f"{NAMES[number]}.jpg" for number in (0, 2)]


def select(root, file, folder, tokens, there):
    (root / folder).mkdir(parents=True)
    for token in there:
        (root / folder / f"{token}_orig.png").write_bytes(b"")
    np.save(root / file, np.array(tokens))


@pytest.mark.parametrize(
    ("file", "folder", "tokens"),
    [
        ("data_mrcnn_train_select.npy", "data_mrcnn/train/orig", [12, 7]),
        ("data_tr_sel.npy", "train_orig/orig", ["n02085620_1", "n02085620_2"]),
    ],
)
def test_cars_and_dogs_are_those_that_were_selected_at_full_size(tmp_path, file, folder, tokens):
    select(tmp_path, file, folder, tokens, [*tokens, 99])
    found = images_asked(tmp_path, drc=True)
    assert [*found.places] == [tmp_path / folder / f"{token}_orig.png" for token in tokens]
    assert found.keys() == [str(token) for token in tokens]
    found.places[1].unlink()
    with pytest.raises(NotFoundError, match="training images are missing; found 1 of 2, such as"):
        images_asked(tmp_path, drc=True)


def test_a_hostile_selection_is_refused(tmp_path):
    np.save(tmp_path / "data_tr_sel.npy", np.array(["../../secret"]))
    with pytest.raises(SourceError, match="a name is not one of a file"):
        images_asked(tmp_path, drc=True)


def test_options_that_do_not_go_together_are_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="--drc with --class"):
        images_asked(tmp_path, name="dog", drc=True)
    with pytest.raises(NotFoundError, match="none of DRC's sets"):
        images_asked(tmp_path, drc=True)
