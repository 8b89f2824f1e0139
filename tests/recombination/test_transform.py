"""`Recombine` on a dataset: columns, edge cases, determinism, provenance, pickles."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys

import datasets
import numpy as np
import pytest
from datasets.fingerprint import Hasher
from PIL import Image

from fornet_hf.errors import ConfigurationError
from fornet_hf.format.rows import cutout
from fornet_hf.recombination import (
    Composition,
    RecombinationConfig,
    Recombine,
    StreamingRecombine,
    as_prepared,
    compose,
    recombiner,
)
from fornet_hf.recombination.pixels import compositing
from tests.recombination.conftest import as_dataset


def with_recombine(ds, **parameters):
    ds.set_transform(Recombine(ds, **parameters))
    return ds


def test_the_defaults_give_images_and_labels(ds, rows):
    example = with_recombine(ds)[3]
    assert list(example) == ["image", "label"]
    assert example["image"].mode == "RGB"
    assert example["label"] == rows[3].label


def test_every_access_is_new_without_a_seed(ds):
    with_recombine(ds, return_composition=True)
    assert ds[0]["composition"] != ds[0]["composition"]


PINNED = {
    0: {"background": 3, "size": [45, 62], "offset": [85, 4], "window": [18, 36, 125, 126], "flip": False},
    5: {"background": 2, "size": [78, 53], "offset": [39, 31], "window": [0, 33, 69, 115], "flip": True},
}


@pytest.mark.parametrize("index", PINNED)
def test_a_seed_gives_the_same_example_for_ever(ds, index):
    made = with_recombine(ds, seed=7, crop=96, flip=0.5, return_composition=True)[index]["composition"]
    assert {name: made[name] for name in PINNED[index]} == PINNED[index]


@pytest.mark.parametrize("parameters", [{"crop": 64}, {"orig_img_prob": 0.5, "flip": 0.5}])
def test_with_a_seed_neither_order_nor_batches_matter(ds, parameters):
    with_recombine(ds, seed=7, **parameters)
    batch = ds[[6, 1, 3]]["image"]
    shuffled = ds.shuffle(seed=1).with_format(None)
    positions = [shuffled["key"][:].index(ds.with_format(None)[index]["key"]) for index in (6, 1, 3)]
    alone = [ds.shuffle(seed=1)[position]["image"] for position in positions]
    assert [image.tobytes() for image in batch] == [image.tobytes() for image in alone]
    assert [image.tobytes() for image in batch] == [ds[index]["image"].tobytes() for index in (6, 1, 3)]


@pytest.mark.parametrize(("room", "together"), [(1, 1), (2 * 192 * 192, 2), (2**22, 8)])
def test_as_many_are_decoded_at_once_as_there_is_room_for(ds, monkeypatch, room, together):
    log = []
    part_for = compositing.part_for
    monkeypatch.setattr(compositing, "part_for", lambda *of: log.append("decoded") or part_for(*of))
    monkeypatch.setattr(recombiner, "_ROOM", room)
    done = {"transform": lambda image: log.append("done") or image}
    with_recombine(ds, background_combination="orig", **done)
    assert len(ds[:]["image"]) == 8
    assert log == (["decoded"] * together + ["done"] * together) * (8 // together)


def test_transforms_are_called_in_the_order_of_the_rows(ds):
    """Whatever stages a row has, so that a seeded random transform repeats."""
    seen = []
    hooks = {"transform": lambda image: seen.append(image.tobytes()) or image}
    with_recombine(ds, seed=3, crop=48, orig_img_prob=0.5, return_composition=True, **hooks)
    batch = ds[:]
    assert len({made["original"] for made in batch["composition"]}) == 2
    assert seen == [image.tobytes() for image in batch["image"]]


def test_a_large_batch_is_worked_off_in_parts(ds, monkeypatch):
    """Else memory would grow with the batch."""
    log = []
    monkeypatch.setattr(recombiner, "_TOGETHER", 3)
    with_recombine(
        ds,
        foreground_transform=lambda image: log.append("begun") or image,
        transform=lambda image: log.append("done") or image,
    )
    assert len(ds[:]["image"]) == 8
    assert log == [word for count in (3, 3, 2) for word in ["begun"] * count + ["done"] * count]


def test_epochs_differ_and_repeat(ds):
    with_recombine(ds, seed=7, return_composition=True)
    made = []
    for epoch in (0, 1, 0):
        ds.epoch = epoch
        made.append(ds[2]["composition"])
    assert made[0] == made[2] != made[1]


@pytest.mark.parametrize("parameters", [{}, {"crop": 96, "flip": 0.5}, {"crop": 64, "paste_pre_transform": False}])
def test_a_composition_replays_to_the_same_pixels(ds, rows, parameters):
    recombine = Recombine(
        ds, return_composition=True, return_fg_masks=True, orig_img_prob=0.3, transform=None, **parameters
    )
    plain = ds.with_format(None)
    ds.set_transform(recombine)
    for index in range(8):
        example = ds[index]
        made = Composition.from_json(json.loads(json.dumps(example["composition"])))
        background = None if made.background is None else recombine.pool.read(made.background)
        assert made.background is None or recombine.pool.key(made.background) == made.background_key
        image, mask = compose(plain[index], background, made)
        assert image.tobytes() == example["image"].tobytes()
        assert mask.tobytes() == example["mask"].tobytes()


def test_all_ways_to_hand_over_images_give_the_same(ds, rows, saved):
    expected = with_recombine(ds, seed=1, crop=64)[4]["image"].tobytes()
    undecoded = as_dataset(rows)
    for name in ("foreground", "mask", "background"):
        undecoded = undecoded.cast_column(name, datasets.Image(decode=False))
    assert with_recombine(undecoded, seed=1, crop=64)[4]["image"].tobytes() == expected
    assert with_recombine(datasets.load_from_disk(saved), seed=1, crop=64)[4]["image"].tobytes() == expected


def test_fewer_rows_keep_the_pool(ds):
    with_recombine(ds, return_composition=True)
    one = ds.select([3])
    assert {one[0]["composition"]["background"] for _ in range(60)} == {0, 1, 2, 3, 4, 5, 6, 7}


def test_one_row_alone_has_its_own_background(ds):
    one = ds.select([3])
    assert with_recombine(one, return_composition=True)[0]["composition"]["background"] == 0


def without(ds, name, index):
    parts = ("foreground", "mask", "box") if name == "foreground" else ("background",)
    rows = ds.to_list()
    for part in parts:
        rows[index][part] = None
    if name == "foreground":
        rows[index]["foreground_ratio"] = 0.0
    return datasets.Dataset.from_list(rows, features=ds.features)


def test_a_row_without_foreground_gives_its_background(ds, rows):
    lacking = with_recombine(without(ds, "foreground", 2), return_fg_masks=True, orig_img_prob=1.0)
    example = lacking[2]
    assert np.array_equal(np.asarray(example["image"]), np.asarray(lacking.with_format(None)[2]["background"]))
    assert example["mask"].getbbox() is None


@pytest.mark.parametrize("combination", ["orig", "same", "all"])
def test_a_row_without_background_takes_another(ds, combination):
    lacking = without(ds, "background", 2)
    with_recombine(lacking, background_combination=combination, orig_img_prob=1.0, return_composition=True)
    made = lacking[2]["composition"]
    assert not made["original"]
    assert made["background"] == 6 or combination == "all"


def test_a_foreground_ratio_of_zero_is_no_error(ds):
    rows = [row | {"foreground_ratio": 0.0} for row in ds.to_list()]
    zero = datasets.Dataset.from_list(rows, features=ds.features)
    assert with_recombine(zero, return_composition=True)[0]["composition"]["size"] == [1, 1]


def test_a_foreground_larger_than_the_background_is_cut(ds):
    made = with_recombine(ds, fg_size_fact=30.0, return_composition=True, seed=0)[0]["composition"]
    assert made["size"][0] > made["canvas"][0]
    assert made["part"][2] - made["part"][0] == made["canvas"][0]


def test_evaluation_repeats_without_a_seed(ds):
    with_recombine(ds, evaluation=True, flip=1.0)
    before = ds[1]["image"].tobytes()
    ds.epoch = 5
    assert ds[1]["image"].tobytes() == before


def test_user_transforms_are_called(ds):
    hooks = {
        "foreground_transform": lambda image: Image.new("RGBA", (30, 20), (255, 0, 0, 255)),
        "transform": np.asarray,
        "target_transform": lambda label: label + 100,
    }
    example = with_recombine(ds, seed=0, **hooks)[1]
    assert example["label"] == 101
    assert ((example["image"] == (255, 0, 0)).all(axis=-1)).any()


@pytest.mark.parametrize("names", [["key", "label"], ["label"]])
def test_missing_columns_are_named(ds, names):
    part = ds.select_columns(names)
    with pytest.raises(ConfigurationError, match=r"'foreground'.*with_format\(None\)"):
        part.with_transform(Recombine(ds))[0]


def test_config_and_keywords_exclude_each_other(ds):
    with pytest.raises(ConfigurationError, match="not both"):
        Recombine(ds, config=RecombinationConfig(), flip=0.5)


def test_an_unknown_keyword_is_named(ds):
    with pytest.raises(ConfigurationError, match="fg_jitter"):
        Recombine(ds, fg_jitter=0.5)


def test_a_hook_must_be_callable(ds):
    with pytest.raises(ConfigurationError, match="transform is not allowed"):
        Recombine(ds, transform=3)


def test_a_pickle_recombines_alike(saved):
    ds = with_recombine(datasets.load_from_disk(saved), seed=3, crop=64)
    assert pickle.loads(pickle.dumps(ds))[2]["image"].tobytes() == ds[2]["image"].tobytes()


HASH = """
import sys, datasets
from datasets.fingerprint import Hasher
from fornet_hf.recombination import Recombine
print(Hasher.hash(Recombine(datasets.load_from_disk(sys.argv[1]), crop=64, seed=1)))
"""


def test_the_fingerprint_is_the_same_in_every_process_and_depends_on_the_parameters(saved):
    ds = datasets.load_from_disk(saved)
    here = Hasher.hash(Recombine(ds, crop=64, seed=1))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "77"}
    there = subprocess.check_output([sys.executable, "-c", HASH, saved], env=environment, text=True).split()[-1]
    assert here == there
    assert here != Hasher.hash(Recombine(ds, crop=96, seed=1))


def test_saving_and_streaming_a_recombined_dataset(ds, tmp_path):
    with_recombine(ds, crop=32)
    ds.save_to_disk(str(tmp_path / "ds"))
    assert "foreground" in as_prepared(datasets.load_from_disk(str(tmp_path / "ds")))[0]
    assert next(iter(ds.to_iterable_dataset()))["image"].size == (32, 32)


@pytest.mark.parametrize(
    ("made", "found"), [(lambda p: p.convert("RGB"), "RGB"), (lambda _: None, "NoneType"), (np.asarray, "ndarray")]
)
def test_a_foreground_transform_that_returns_something_else_is_named(ds, made, found):
    with pytest.raises(ConfigurationError, match=f"foreground_transform returned.*{found}.*an RGBA image"):
        Recombine(ds, foreground_transform=made)(ds.with_format(None)[:1])


def recoloured(image):
    image = image.resize((30, 20))
    image.putalpha(image.getchannel("R"))
    return image


class CentreCrop:
    """By its name, it crops the background first."""

    def __init__(self, side):
        self.side = side

    def __call__(self, image):
        return image.crop((5, 5, 5 + self.side, 5 + self.side))


MADE = {
    "foreground": {"foreground_transform": recoloured},
    "background": {"transform": CentreCrop(50), "paste_pre_transform": False},
    "both": {"foreground_transform": recoloured, "transform": CentreCrop(50), "paste_pre_transform": False},
}


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("combination", ["orig", "all"])
def test_what_transforms_made_replays_to_the_same_pixels_or_is_refused(ds, name, combination):
    plain = ds.with_format(None)
    recombine = Recombine(
        ds, seed=4, orig_img_prob=0.3, background_combination=combination, return_composition=True, **MADE[name]
    )
    originals = 0
    for row in plain:
        composed, made = recombine.recombine(row)
        assert Composition.from_json(recombine.examples([row])[0]["composition"]) == made
        parts = {"background": None if made.background is None else recombine.pool.read(made.background)}
        if made.original:
            originals += 1
            assert compose(row, composition=made, **parts).image.tobytes() == composed.image.tobytes()
            continue
        if "transform" in MADE[name]:
            with pytest.raises(ConfigurationError, match=r"not the (back|fore)ground of the composition"):
                compose(row, composition=made, **parts)
            whole = row["background"] if made.background is None else Image.open(io.BytesIO(parts["background"]))
            parts["background"] = CentreCrop(50)(whole)
        if "foreground_transform" in MADE[name]:
            with pytest.raises(ConfigurationError, match=r"not the foreground.*foreground="):
                compose(row, composition=made, **parts)
            parts["foreground"] = recoloured(cutout(row).crop(cutout(row).getchannel("A").getbbox()))
        assert compose(row, composition=made, **parts).image.tobytes() == composed.image.tobytes()
    assert 0 < originals < 8


def test_another_background_is_refused(ds):
    recombine = Recombine(ds, seed=0, return_composition=True)
    row = ds.with_format(None)[1]
    _, made = recombine.recombine(row)
    with pytest.raises(ConfigurationError, match=rf"another row's background.*{made.background_key}"):
        compose(row, None, made)
    with pytest.raises(ConfigurationError, match=r"not the background"):
        compose(row, Image.new("RGB", (9, 9)), made)
    with pytest.raises(ConfigurationError, match=r"not the foreground.*the row's own"):
        compose(row, recombine.pool.read(made.background), made, foreground=cutout(row))


def test_masks_of_originals_are_of_the_object_as_it_was(ds):
    plain = ds.with_format(None)[0]
    for hooks in ({}, {"foreground_transform": recoloured}):
        example = Recombine(ds, orig_img_prob=1.0, return_fg_masks=True, **hooks).examples([plain])[0]
        x0, y0, x1, y1 = plain["box"]
        where = np.zeros(example["mask"].size[::-1], bool)
        where[y0:y1, x0:x1] = np.asarray(plain["mask"]) > 0
        assert np.array_equal(np.asarray(example["mask"]) > 127, where)


def test_columns_are_kept(ds):
    ds = ds.add_column("source", [f"camera {index}" for index in range(8)])
    with_recombine(ds, keep=("key", "source", "box"), crop=32)
    example = ds[3]
    assert list(example) == ["image", "label", "key", "source", "box"]
    assert (example["key"], example["source"]) == ("n00000003_3", "camera 3")
    assert ds[2:4]["key"] == ["n00000002_2", "n00000003_3"]
    mine = Recombine(ds, keep=["mask"])(ds.with_format(None)[:1])
    assert mine["mask"][0].size == ds.with_format(None)[0]["mask"].size


@pytest.mark.parametrize("keep", ["key", ("label",), ("image",), ("mask",), ("key", "key"), 3, (3,), None])
def test_what_cannot_be_kept_is_refused(ds, keep):
    with pytest.raises(ConfigurationError, match=r"keep is not allowed.*keep=\(.key.,\)"):
        Recombine(ds, keep=keep, return_fg_masks=True)


def test_a_missing_column_to_keep_is_named_at_once(ds):
    with pytest.raises(ConfigurationError, match=r"'source'.*'key'"):
        Recombine(ds, keep=("source",))


def test_it_shows_what_differs_from_the_defaults(ds):
    assert repr(Recombine(ds)) == "Recombine()"
    recombine = Recombine(ds, crop=96, flip=0.5, keep=("key",), epochs=3, orig_img_prob="cos", transform=len)
    assert repr(recombine) == (
        "Recombine(orig_img_prob='cos', crop=CropConfig(size=(96, 96)), flip=0.5, "
        "transform=<built-in function len>, keep=('key',), epochs=3)"
    )
    assert repr(StreamingRecombine(seed=3, pool_size=9)) == "StreamingRecombine(seed=3, pool_size=9)"


def test_the_transform_may_be_set_later(ds):
    recombine = Recombine(ds, seed=1, paste_pre_transform=False)
    recombine.transform, recombine.target_transform = CentreCrop(50), str
    example = recombine.examples([ds.with_format(None)[0]])[0]
    assert (example["image"].size, example["label"]) == ((50, 50), "0")
    with_masks = Recombine(ds, return_fg_masks=True)
    with pytest.raises(ConfigurationError, match="return_fg_masks"):
        with_masks.transform = CentreCrop(50)
