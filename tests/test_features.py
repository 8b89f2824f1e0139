"""Lazy images look like any image, and cost nothing until somebody looks."""

from __future__ import annotations

import copy
import io
import json
import pickle
import re

import datasets
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from fornet_hf.features import LazyImage, row_features, unread_bytes, with_lazy_images


def png() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def ds() -> datasets.Dataset:
    rows = {"image": [{"bytes": png(), "path": None}, None], "number": [1, 2]}
    features = datasets.Features({"image": datasets.Image(), "number": datasets.Value("int32")})
    return with_lazy_images(datasets.Dataset.from_dict(rows, features=features))


USES = {
    "size": lambda p: p.size,
    "pixels": lambda p: np.asarray(p).tolist(),
    "convert": lambda p: p.convert("L").tobytes(),
    "copy": lambda p: copy.deepcopy(p).tobytes(),
    "pickle": lambda p: pickle.loads(pickle.dumps(p)).tobytes(),
    "format": lambda p: p.format,
    "equal": lambda p: p == Image.open(io.BytesIO(png())),
    "isinstance": lambda p: isinstance(p, Image.Image),
    "with": lambda p: p.__enter__().mode,
    "paste": lambda p: p.paste(0, (0, 0, 2, 2)) or p.tobytes(),
}


def lazy() -> Image.Image:
    return LazyImage().decode_example({"bytes": png(), "path": None})


@pytest.mark.parametrize("use", USES)
def test_a_lazy_image_behaves_like_the_image(use):
    assert USES[use](lazy()) == USES[use](Image.open(io.BytesIO(png())))


def test_a_lazy_image_is_decoded_when_its_pixels_are_used(monkeypatch):
    decoded = []
    load_end = PngImageFile.load_end
    monkeypatch.setattr(PngImageFile, "load_end", lambda image: decoded.append(image) or load_end(image))
    image = lazy()
    assert image.size == (4, 4)
    assert unread_bytes(image) == png()
    assert decoded == []
    image.getpixel((0, 0))
    assert unread_bytes(image) is None
    assert decoded == [image]


def test_used_images_are_of_the_ordinary_class():
    image = lazy()
    image.load()
    assert type(image).__name__ == "PngImageFile"


def test_columns_give_lazy_images(ds):
    assert unread_bytes(ds[0]["image"]) == png()
    assert ds[0]["image"].size == (4, 4)
    assert ds[1]["image"] is None


@pytest.mark.parametrize(
    "derive",
    [
        lambda ds: ds.select([0]),
        lambda ds: ds.shuffle(seed=1).select([0, 1]),
        lambda ds: ds.filter(lambda row: row["number"] == 1),
        lambda ds: ds.map(lambda row: {"more": 1}),
        lambda ds: ds.rename_column("number", "n"),
        lambda ds: datasets.concatenate_datasets([ds, ds]),
        lambda ds: pickle.loads(pickle.dumps(ds)),
        lambda ds: ds.train_test_split(test_size=1, shuffle=False)["train"],
    ],
)
def test_derived_datasets_stay_lazy(ds, derive):
    assert unread_bytes(derive(ds)[0]["image"]) == png()


def test_files_hold_plain_images(ds, tmp_path):
    ds.save_to_disk(str(tmp_path / "ds"))
    assert type(datasets.load_from_disk(str(tmp_path / "ds")).features["image"]) is datasets.Image


def test_map_keeps_the_bytes_of_images_that_it_passes_on(ds):
    passed = ds.select([0]).map(lambda row: {"image": row["image"], "number": row["image"].size[0]})
    assert passed.cast_column("image", datasets.Image(decode=False))[0]["image"]["bytes"] == png()


def test_streams_are_lazy_too(ds):
    assert unread_bytes(next(iter(with_lazy_images(ds.to_iterable_dataset())))["image"]) == png()


def test_a_lazy_image_equals_a_plain_one():
    assert LazyImage() == datasets.Image()
    assert LazyImage() != datasets.Image(decode=False)
    assert repr(LazyImage()) == repr(datasets.Image())


def test_undecoded_columns_stay_undecoded(ds):
    plain = with_lazy_images(ds.cast_column("image", datasets.Image(decode=False)))
    assert plain[0]["image"]["bytes"] == png()


def test_rows_have_these_columns():
    features = row_features(["cat", "dog"])
    assert list(features) == ["key", "label", "foreground", "mask", "background", "box", "foreground_ratio"]
    assert features["label"].names == ["cat", "dog"]


def test_all_versions_of_datasets_read_what_one_of_them_stored() -> None:
    """They name the other lists differently: `Sequence` before 4.0, `List` since."""
    stored = json.dumps(row_features(["a", "b"]).to_dict())
    assert set(re.findall('"_type": "([A-Za-z]+)"', stored)) == {"ClassLabel", "Image", "LargeList", "Value"}
