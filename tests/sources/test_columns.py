"""Columns of Parquet shards."""

import json

import pyarrow as pa
import pytest

from fornet_hf.errors import PatchFormatError, SourceError
from fornet_hf.sources import Columns

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def found(types, classes=(), **asked):
    features = {name: {"_type": "ClassLabel"} for name in classes}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return Columns(**asked).found_in(pa.schema(list(types.items()), metadata=metadata), "a.parquet")


@pytest.mark.parametrize(
    ("types", "classes", "asked", "columns"),
    [
        ({"image": IMAGE, "label": pa.int64()}, (), {}, ("image", "label")),
        ({"image": IMAGE, "mask": IMAGE, "label": pa.int64(), "id": pa.int64()}, ("id",), {}, ("image", "label")),
        ({"img": IMAGE, "y": pa.uint8()}, (), {}, ("img", "y")),
        ({"img": IMAGE, "id": pa.int32(), "y": pa.int32()}, ("y",), {}, ("img", "y")),
        ({"img": IMAGE, "label": pa.string(), "y": pa.int32()}, (), {}, ("img", "y")),
        ({"a": IMAGE, "b": IMAGE, "x": pa.int8(), "y": pa.int8()}, (), {"image": "b", "label": "y"}, ("b", "y")),
        ({"image": IMAGE, "label": pa.int8(), "y": pa.int8()}, (), {"label": "y"}, ("image", "y")),
    ],
)
def test_columns_are_found_by_option_name_or_type(types, classes, asked, columns):
    assert found(types, classes, **asked) == columns


@pytest.mark.parametrize(
    ("types", "classes", "asked", "message"),
    [
        (
            {"img": IMAGE, "x": pa.int8(), "y": pa.int8()},
            (),
            {},
            r"several columns may be the label; found \['x', 'y'\].*--label-column",
        ),
        ({"img": IMAGE, "x": pa.int8(), "y": pa.int8()}, ("x", "y"), {}, "may be the label"),
        (
            {"a": IMAGE, "b": IMAGE, "label": pa.int8()},
            (),
            {},
            r"several columns may be the image; found \['a', 'b'\].*--image-column",
        ),
        ({"image": IMAGE, "label": pa.int8()}, (), {"label": "y"}, "lacks columns; .*allowed: y"),
        ({"image": IMAGE, "label": pa.string()}, (), {}, "column 'label'; found string; allowed: integers"),
        ({"image": IMAGE, "label": pa.int8()}, (), {"label": "image"}, "column 'image'; found struct"),
        ({"image": pa.binary(), "label": pa.int8()}, (), {}, "column 'image'; found binary"),
        ({"x": pa.float32()}, (), {}, "lacks columns"),
    ],
)
def test_what_cannot_be_known_is_told_with_what_to_type(types, classes, asked, message):
    with pytest.raises(SourceError, match=rf"^a\.parquet.*{message}"):
        found(types, classes, **asked)


def test_a_release_says_which_columns_it_was_made_from():
    assert Columns.of_release({}) == Columns()
    assert Columns.of_release({"columns": {"image": "img", "label": "y"}}) == Columns(image="img", label="y")


@pytest.mark.parametrize("value", [None, [], "img", {"image": 1}, {"images": "img"}, {"image": None}])
def test_a_release_that_says_what_cannot_be_is_refused(value):
    with pytest.raises(PatchFormatError, match=r"producer\.columns"):
        Columns.of_release({"columns": value})
