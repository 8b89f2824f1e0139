"""Small pairs on a disk, and which of them are held back."""

import dataclasses
import json

import numpy as np
import pytest

from fornet_hf.errors import ConfigurationError, IntegrityError
from fornet_hf.format.masks import encode_mask
from producers.distil.store import TRAIN, VALIDATION, PairStore, make_store, small, split_pairs
from producers.pairs.reading import Pairs, read_pairs
from tests.build.distil.drawn import drawn, write_drawn

REQUEST = {"side": 32}


def named(keys, splits):
    blank = [None] * len(keys)
    return Pairs(keys=keys, splits=splits, places=blank, numbers=blank, sets=blank, unmatched={})


@pytest.fixture
def pairs(tmp_path):
    return read_pairs(*write_drawn(tmp_path, 12))


def test_pairs_are_read_once_and_found_again(tmp_path, pairs):
    splits = split_pairs(pairs, share=0.3, most=None, seed=0)
    store = make_store(tmp_path / "store", REQUEST, [(pairs, splits)], 32)
    again = PairStore.opened(tmp_path / "store", REQUEST)
    assert PairStore.opened(tmp_path / "store", {"side": 64}) is None
    assert again.index == store.index
    for number, key in enumerate(store.index["keys"]):
        image, mask = drawn(int(key))
        layers = again.layers(number)
        assert min(layers.shape[:2]) == 32
        assert layers.shape[0] / layers.shape[1] == pytest.approx(image.shape[0] / image.shape[1], rel=0.03)
        assert (layers[..., 3] > 0).mean() == pytest.approx(mask.mean(), abs=0.02)
        assert {*np.unique(layers[..., 3])} == {0, 255}
    assert sum(map(len, again.splits.values())) == 12


def test_what_cannot_be_used_is_counted(tmp_path):
    images, masks = write_drawn(tmp_path, 8)
    (images / "train" / "thing" / "0001.jpg").write_bytes(b"no image")
    (masks / "0002.png").write_bytes(encode_mask(np.zeros(drawn(2)[1].shape, np.bool_)))
    (masks / "0003.png").write_bytes(encode_mask(np.ones((9, 90), np.bool_)))
    pairs = read_pairs(images, masks)
    (images / "train" / "thing" / "0004.jpg").unlink()
    splits = {index: (TRAIN, VALIDATION)[index % 2] for index in range(8)}
    store = make_store(tmp_path / "store", REQUEST, [(pairs, splits)], 32)
    assert store.index["lost"] == {"cannot be used": 3, "without an object": 1}
    assert "0001: the source image cannot be decoded" in store.index["examples"][0]
    with pytest.raises(ConfigurationError, match="no pairs for validation can be used; found 1 for train, 0 for"):
        make_store(tmp_path / "none", REQUEST, [(pairs, {0: TRAIN})], 32)
    assert not (tmp_path / "none" / "pairs.json").exists()


def test_a_file_that_was_cut_off_is_named(tmp_path, pairs):
    make_store(tmp_path, REQUEST, [(pairs, {0: TRAIN, 1: VALIDATION})], 32)
    with (tmp_path / "pairs.bin").open("ab") as file:
        file.write(b"more")
    with pytest.raises(IntegrityError, match=r"pairs\.bin: not of the size"):
        PairStore.opened(tmp_path, REQUEST)


def test_an_image_that_is_far_too_long_takes_no_more_than_four_squares(tmp_path):
    from PIL import Image

    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    Image.new("RGB", (30_000, 2)).save(tmp_path / "images" / "a.png")
    (tmp_path / "masks" / "a.png").write_bytes(encode_mask(np.ones((2, 30_000), np.bool_)))
    pairs = read_pairs(tmp_path / "images", tmp_path / "masks")
    assert small(lambda: pairs.read(0), 32).shape == (32, 128, 4)


def test_a_set_that_grows_keeps_what_it_held_back():
    keys = [f"image_{number}" for number in range(400)]
    few = split_pairs(named(keys[:200], [""] * 200), share=0.25, most=None, seed=1)
    many = split_pairs(named(keys, [""] * 400), share=0.25, most=None, seed=1)
    assert {index: many[index] for index in few} == few
    assert 0.15 < [*many.values()].count(VALIDATION) / 400 < 0.35
    assert split_pairs(named(keys, [""] * 400), share=0.25, most=None, seed=2) != many
    most = split_pairs(named(keys, [""] * 400), share=0.25, most=50, seed=1)
    assert len(most) == 50
    assert most.items() <= many.items()


def test_of_a_small_set_one_pair_is_held_back():
    found = split_pairs(named(["a", "b", "c"], [""] * 3), share=0.01, most=None, seed=0)
    assert sorted(found.values()) == [TRAIN, TRAIN, VALIDATION]


def test_a_sets_own_splits_count_and_tests_are_never_seen():
    pairs = named(["a", "b", "c", "d"], ["train", "validation", "test", "train"])
    options = {"share": 0.5, "most": None, "seed": 0}
    assert split_pairs(pairs, **options) == {0: TRAIN, 1: VALIDATION, 3: TRAIN}
    assert split_pairs(pairs, **options, only=TRAIN) == {0: TRAIN, 3: TRAIN}
    assert split_pairs(pairs, **options, only=VALIDATION) == {1: VALIDATION}
    cub = named(["a", "b"], ["train", "test"])
    assert split_pairs(cub, **options, only=VALIDATION) == {1: VALIDATION}
    assert [*split_pairs(cub, **options)] == [0]
    own = named(["a", "b"], ["", ""])
    assert split_pairs(own, **options, only=VALIDATION) == {0: VALIDATION, 1: VALIDATION}


def test_of_a_set_of_tests_nothing_is_taken(tmp_path, pairs):
    tests = dataclasses.replace(pairs, splits=["test"] * len(pairs))
    splits = split_pairs(tests, share=0.1, most=None, seed=0)
    assert splits == {}
    with pytest.raises(ConfigurationError, match=r"no pairs for train.*those of a test split are for neither"):
        make_store(tmp_path / "none", REQUEST, [(tests, splits)], 32)


def test_an_index_is_json(tmp_path, pairs):
    make_store(tmp_path, REQUEST, [(pairs, {0: TRAIN, 1: VALIDATION})], 32)
    assert json.loads((tmp_path / "pairs.json").read_text())["request"] == REQUEST
