"""Settings of a release."""

import dataclasses

import pytest

from fornet_hf.errors import PatchFormatError
from fornet_hf.format import jpeg
from fornet_hf.format.encoding import Encoding


def test_json_and_back():
    encoding = Encoding(max_side=256, dilation=0)
    assert Encoding.from_json(encoding.to_json()) == encoding


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("quality", 91),
        ("quality", 90.0),
        ("subsampling", "4:4:4"),
        ("restart_interval", True),
        ("mcu", 8),
        ("max_side", 15),
        ("max_side", 4097),
        ("max_side", 512.0),
        ("max_side", True),
        ("max_side", None),
        ("dilation", -1),
        ("dilation", 257),
        ("dilation", float("nan")),
        ("quality", [90]),
    ],
)
def test_other_values_are_refused_and_named(name, value):
    with pytest.raises(PatchFormatError, match=rf"encoding\.{name}.*allowed"):
        Encoding.from_json({**Encoding().to_json(), name: value})


@pytest.mark.parametrize("value", [None, [], "x", {}, {**Encoding().to_json(), "more": 1}, {"max_side": 512}])
def test_other_shapes_are_refused(value):
    with pytest.raises(PatchFormatError, match="names"):
        Encoding.from_json(value)


def test_no_target_is_larger_than_the_limit():
    assert Encoding(max_side=32).max_target_bytes == len(jpeg.header()) + 4 * 2498


def test_it_is_a_value():
    assert dataclasses.replace(Encoding(), dilation=18) == Encoding()
    assert hash(Encoding()) == hash(Encoding())
