"""A batch moves, pins and travels as others expect it, and refuses what it cannot hold."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.recombination import collate
from fornet_hf.recombination.device.layers import Axis, Deferred, Pixels
from tests.recombination.device import cases

torch = pytest.importorskip("torch")


def small(way: str = "pixels", count: int = 3) -> Any:
    """A batch with further columns."""
    made = cases.batch(cases.cases("bilinear")[:count], way)
    return replace(made, columns={"key": list("abc")[:count], "weight": torch.arange(count)})


def deferred(width: int = 8, height: int = 8, **fields: Any) -> Deferred:
    """An image without an object, of pixels that take no memory."""
    quads = np.broadcast_to(np.zeros(1, np.uint8), (height, width, 4))
    return Deferred((8, 8), False, Pixels(quads, Axis(0, 1, width), Axis(0, 1, height)), **fields)


def packed(images: list[Deferred]) -> Any:
    return collate([{"image": image, "label": 0} for image in images])


def test_it_has_a_length_labels_and_columns() -> None:
    batch = small()
    assert len(batch) == 3
    assert torch.equal(batch.labels, torch.arange(3))
    assert batch.columns["key"] == ["a", "b", "c"]
    assert repr(batch).startswith("Batch(3 images of (24, 20), ")


@pytest.mark.parametrize("way", ["pixels", "jpeg"])
def test_it_moves_all_tensors_but_the_jpegs(way: str) -> None:
    batch = small(way)
    moved = batch.to("meta", non_blocking=True)
    assert {moved.device.type, moved.labels.device.type, moved.columns["weight"].device.type} == {"meta"}
    assert moved.columns["key"] is batch.columns["key"]
    assert (moved.codes is None) == (way == "pixels")
    assert moved.codes is None or moved.codes.device.type == "cpu"


def test_accelerate_moves_it() -> None:
    operations = pytest.importorskip("accelerate.utils.operations")
    assert operations.send_to_device({"batch": small()}, "meta", non_blocking=True)["batch"].device.type == "meta"


def test_lightning_moves_it() -> None:
    move = pytest.importorskip("lightning_fabric.utilities.apply_func", exc_type=ImportError).move_data_to_device
    assert move([small()], torch.device("meta"))[0].device.type == "meta"


def test_pinning_finds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no page-locked memory without a GPU: that of a tensor is its copy here."""
    pin = pytest.importorskip("torch.utils.data._utils.pin_memory").pin_memory
    monkeypatch.setattr(torch.Tensor, "pin_memory", torch.Tensor.clone)
    batch = small()
    pinned = pin(batch)
    assert torch.equal(pinned.flat, batch.flat)
    for mine, theirs in zip(
        (pinned.flat, pinned.labels, pinned.columns["weight"]),
        (batch.flat, batch.labels, batch.columns["weight"]),
        strict=True,
    ):
        assert mine.data_ptr() != theirs.data_ptr()


@pytest.mark.parametrize("way", ["pixels", "jpeg"])
def test_it_is_the_same_after_pickling(way: str) -> None:
    from fornet_hf.recombination.device.compositor import Compositor

    batch = small(way)
    assert torch.equal(Compositor()(batch)[0], Compositor()(pickle.loads(pickle.dumps(batch)))[0])


@pytest.mark.parametrize("other", [{"output": (8, 9)}, {"interpolation": "bicubic"}, {"with_mask": True}])
def test_images_of_a_batch_must_be_alike(other: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"images of one batch differ in size, .* Crop them to one size"):
        packed([deferred(), replace(deferred(), **other)])


def test_a_batch_of_more_than_two_gibibytes_is_refused_before_memory_is_taken() -> None:
    images = [deferred(16_384, 16_384)] * 2
    with pytest.raises(ConfigurationError, match=r"a batch is too large; found 2 images .* Make batches smaller"):
        packed(images)


def test_an_empty_batch_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="these are no examples"):
        packed([])
