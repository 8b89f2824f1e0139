"""The device's images are those of the CPU's compositor, for the same compositions, however the pixels travel."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from benchmarks.photos import prepared_rows
from benchmarks.recombination import repeated, store
from fornet_hf.errors import ConfigurationError, MissingDependencyError
from fornet_hf.recombination import Composition, CropConfig, Recombine, collate
from fornet_hf.recombination.device.layers import WAYS
from tests.recombination.device import cases
from tests.torchrun import run_two_of

torch = pytest.importorskip("torch")

from fornet_hf.recombination.device.compositor import Compositor  # noqa: E402
from tests.operations import Operations  # noqa: E402


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """16 rows of the benchmarks' photographs."""
    return store(repeated(prepared_rows(), 2), Path(tmp_path_factory.mktemp("device")) / "rows")


def both(rows: Any, way: str, **parameters: Any) -> tuple[Any, Any, Any, Any]:
    """Images and masks of the device, and those of the CPU: uint8."""
    some = list(range(len(rows)))
    deferred = rows.with_transform(
        Recombine(rows, seed=3, return_fg_masks=True, defer=way, **parameters)
    ).__getitems__(some)
    wanted = rows.with_transform(Recombine(rows, seed=3, return_fg_masks=True, **parameters)).__getitems__(some)
    found = Compositor(dtype=torch.uint8).composed(collate(deferred))
    images = np.stack([np.asarray(example["image"]).transpose(2, 0, 1) for example in wanted])
    masks = np.stack([np.asarray(example["mask"])[None] for example in wanted])
    return found.images.numpy().astype(int), found.masks.numpy().astype(int), images, masks


@pytest.mark.parametrize("way", ["pixels", "jpeg"])
@pytest.mark.parametrize(
    "parameters",
    [
        {"crop": 112, "flip": 0.5},
        {"crop": CropConfig(size=(96, 128), interpolation="bicubic"), "flip": 1.0},
        {"crop": 112, "orig_img_prob": 0.5, "mask_smoothing_sigma": 0},
    ],
)
def test_images_are_those_of_the_cpu(rows: Any, way: str, parameters: dict[str, Any]) -> None:
    images, masks, wanted, wanted_masks = both(rows, way, **parameters)
    off, off_masks = abs(images - wanted), abs(masks - wanted_masks)
    if way == "pixels":
        assert off.max() <= 2
        assert off.mean() <= 0.05
        assert off_masks.max() <= 2
    else:  # the CPU decodes at half the size, or less, what is shrunk by as much
        assert np.percentile(off, 99.9) <= 12
        assert off.mean() <= 0.5
        assert off_masks.mean() <= 0.2


def test_what_nobody_filled_is_never_seen(rows: Any) -> None:
    batch = collate(
        rows.with_transform(Recombine(rows, seed=3, defer="pixels", crop=96)).__getitems__(list(range(8)))
    )
    found = []
    for fill in (0, 255):
        longer = torch.full((len(batch.flat) + 4096,), fill, dtype=torch.uint8)
        longer[: len(batch.flat)] = batch.flat
        found.append(Compositor()(replace(batch, flat=longer))[0])
    assert torch.equal(*found)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", cases.KINDS)
def test_every_kind_of_composition_is_that_of_the_cpu(way: str, kind: str) -> None:
    """From the same pixels, as nothing here is shrunk enough to be decoded at half the size."""
    some = cases.KINDS[kind]()
    found = cases.differences(levels().composed(cases.batch(some, way)), some)
    assert found["most"] <= 1
    assert found["mean"] <= (0 if kind == "unscaled" else 0.01)
    assert found["mask"] == 0


@given(cases.compositions(), st.sampled_from(["astronaut", "coffee", "dot"]))
def test_any_composition_is_that_of_the_cpu(composition: Composition, name: str) -> None:
    some = [(cases.parts(name), composition)]
    found = cases.differences(levels().composed(cases.batch(some, "pixels")), some)
    assert found["most"] <= 2
    assert found["mask"] <= 2
    assert found["mean"] <= 0.3


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_boxes_between_pixels_are_scaled_in_the_same_order(interpolation: str) -> None:
    """Rows before columns: the bicubic filter overshoots, and is cut off after either."""
    noise = np.random.default_rng(0).integers(0, 2, (120, 70, 3), np.uint8) * 255
    box = (3.5, 8.5, 33.5, 116.5)
    composition = replace(cases.PLAIN, size=None, background_box=box, window=box, interpolation=interpolation)
    some = [(cases.parts("astronaut")._replace(background=Image.fromarray(noise)), composition)]
    assert cases.differences(levels().composed(cases.batch(some, "pixels")), some)["most"] <= 2


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["original", "paste_first"])
def test_masks_of_what_is_not_pasted_are_those_of_the_cpu(way: str, name: str) -> None:
    some = [case for case in cases.cases("bilinear") if getattr(case[1], name)]
    assert cases.wanted(some)[1].max() == 255
    assert cases.differences(levels().composed(cases.batch(some, way)), some)["mask"] == 0


def test_columns_and_masks_come_on_request(rows: Any) -> None:
    recombine = Recombine(rows, defer="pixels", crop=32, return_composition=True, keep=("key",))
    batch = collate(rows.with_transform(recombine).__getitems__([0, 1]))
    composed = levels().composed(batch)
    assert composed.masks is None
    assert set(composed.columns) == {"composition", "key"}
    assert Composition.from_json(composed.columns["composition"][1]).output == (32, 32)
    assert torch.equal(composed.labels, batch.labels)


def test_autocast_and_precisions_change_nothing() -> None:
    batch = cases.batch(cases.cases("bilinear"), "pixels")
    wanted, before = levels().composed(batch), torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = levels().composed(batch)
    finally:
        torch.set_float32_matmul_precision(before)
    assert torch.equal(found.images, wanted.images)
    assert torch.equal(found.masks, wanted.masks)


def test_runs_repeat_bit_for_bit_without_algorithms_that_do_not() -> None:
    batch = cases.batch(cases.cases("bilinear"), "pixels")
    torch.use_deterministic_algorithms(True)
    try:
        first, second = levels()(batch)[0], levels()(batch)[0]
    finally:
        torch.use_deterministic_algorithms(False)
    assert torch.equal(first, second)


def test_the_number_of_operations_does_not_depend_on_the_number_of_images() -> None:
    some = cases.cases("bilinear")
    counts = []
    for count in (1, 8, 256):
        batch = cases.batch((some * 30)[:count], "pixels")
        with Operations() as counting:
            levels().composed(batch)
        counts.append(len(counting.names))
    assert counts[1] == counts[2] == counts[0]


def test_an_image_does_not_depend_on_those_beside_it() -> None:
    some = cases.cases("bicubic")
    alone = torch.cat([levels()(cases.batch([case], "pixels"))[0] for case in some])
    assert torch.equal(levels()(cases.batch(some, "pixels"))[0], alone)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_levels_become_normalised_numbers(dtype: Any, memory_format: Any) -> None:
    batch = cases.batch(cases.cases("bilinear")[:2], "pixels")
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    images, _ = Compositor(mean, std, dtype=dtype, memory_format=memory_format)(batch)
    numbers = levels()(batch)[0].double() / 255
    wanted = (numbers - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
    assert images.dtype == dtype
    assert images.is_contiguous(memory_format=memory_format)
    assert (images - wanted).abs().max() <= 4 * torch.finfo(dtype).eps


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mean": (123.7, 116.3, 103.5)}, "mean is not allowed.*divide levels by 255"),
        ({"std": (0.2, 0.2, 0.0)}, "std is not allowed"),
        ({"std": (float("nan"),) * 3}, "std is not allowed"),
        ({"mean": 0.5}, "mean is not allowed; found 0.5; allowed: 3 numbers"),
        ({"mean": (0.5, 0.5)}, "mean is not allowed"),
        ({"dtype": torch.float64}, "dtype is not allowed"),
        ({"dtype": torch.uint8, "mean": (0.5, 0.5, 0.5)}, "allowed: a floating point type with mean and std"),
        ({"memory_format": torch.preserve_format}, "memory_format is not allowed"),
    ],
)
def test_arguments_are_checked(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Compositor(**arguments)


def test_a_training_has_nothing_of_it_to_save_or_to_convert() -> None:
    compositor = Compositor((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    batch = cases.batch(cases.cases("bilinear")[:2], "pixels")
    wanted = compositor(batch)[0]
    assert not compositor.state_dict()
    assert not list(compositor.buffers())
    assert torch.equal(compositor.half()(batch)[0], wanted)
    assert not wanted.requires_grad


TRAINING = """
import torch
import torch.distributed.nn  # before the group is there, which it would keep for ever
from torch import distributed
from tests.recombination.device import cases
from tests.recombination.device.test_compositor import Model

def train():  # a model that is freed after its group may wait for a thread, which waits for Python's lock
    model = torch.nn.parallel.DistributedDataParallel(Model())
    model(cases.batch(cases.cases("bilinear")[:2], "pixels")).sum().backward()

distributed.init_process_group("gloo")
train()
distributed.destroy_process_group()
"""


def test_it_goes_into_a_model_that_several_processes_train(tmp_path: Path) -> None:
    run_two_of(TRAINING, tmp_path)


def test_without_a_compiler_torch_composes_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """As kernels that cannot run at all, here on a processor."""
    kernels = ModuleType("painting")
    kernels.painted = mock.Mock(side_effect=RuntimeError("Failed to find C compiler"))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fornet_hf.recombination.device.kernels.painting", kernels)
    monkeypatch.setattr(Compositor, "_by_kernels", lambda self, device: self.kernels is not False)
    batch, compositor = cases.batch(cases.cases("bilinear")[:2], "pixels"), levels()
    with pytest.warns(UserWarning, match="do not run on cpu.*Failed to find C compiler. So torch composes"):
        images, _ = compositor(batch)
    assert torch.equal(images, compositor(batch)[0])  # without a second attempt
    assert kernels.painted.call_count == 1
    with pytest.raises(ConfigurationError, match=r"Failed to find C compiler\. Leave kernels=True out"):
        Compositor(kernels=True)(batch)


def test_kernels_without_triton_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("fornet_hf.recombination.device.kernels.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "triton", None)
    with pytest.raises(MissingDependencyError, match="pip install triton"):
        Compositor(kernels=True)(cases.batch(cases.cases("bilinear")[:1], "pixels"))


def test_it_says_what_it_does() -> None:
    assert "mean=(0.5, 0.5, 0.5), std=(1.0, 1.0, 1.0), dtype=torch.float32" in repr(Compositor((0.5, 0.5, 0.5)))


def test_backends_are_named() -> None:
    backend = Compositor(kernels=False).backend("cpu")
    assert backend["compose"] == f"torch {torch.__version__}"
    assert backend["decode"].startswith("pillow ")


def levels() -> Compositor:
    return Compositor(dtype=torch.uint8)


class Model(torch.nn.Module):
    """A classifier that takes batches as they come."""

    def __init__(self) -> None:
        super().__init__()
        self.compositor = Compositor()
        self.layer = torch.nn.Conv2d(3, 2, 3)

    def forward(self, batch: Any) -> Any:
        images, _ = self.compositor(batch)
        return self.layer(images)
