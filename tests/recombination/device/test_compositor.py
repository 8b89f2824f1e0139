"""The device's images are those of the CPU's compositor, for the same compositions, however the pixels travel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.photos import prepared_rows
from benchmarks.recombination import repeated, store
from fornet_hf.recombination import CropConfig, Recombine, collate

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """64 rows of the benchmarks' photographs."""
    return store(repeated(prepared_rows(), 8), Path(tmp_path_factory.mktemp("device")) / "rows")


def both(rows: Any, way: str, **parameters: Any) -> tuple[Any, Any, Any, Any]:
    """Images and masks of the device, and those of the CPU: uint8."""
    from fornet_hf.recombination.device.compositor import Compositor

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
        {"crop": 160, "flip": 0.5},
        {"crop": CropConfig(size=(96, 128), interpolation="bicubic"), "flip": 1.0},
        {"crop": 160, "orig_img_prob": 0.5, "mask_smoothing_sigma": 0},
    ],
)
def test_images_are_those_of_the_cpu(rows: Any, way: str, parameters: dict[str, Any]) -> None:
    images, masks, wanted, wanted_masks = both(rows, way, **parameters)
    off = abs(images - wanted)
    shrunk = way == "jpeg" and off.max() > 2  # the CPU decodes at half the size where it may
    assert off.mean() < (1.0 if shrunk else 0.3)
    if way == "pixels":
        assert off.max() <= 2
        assert abs(masks - wanted_masks).max() <= 2


def test_halves_make_no_level_beyond_a_byte(rows: Any) -> None:
    """GPUs multiply halves: a mask a little above 1 would turn black on white into -1, and that into 255."""
    from fornet_hf.recombination.device.packing import pack
    from fornet_hf.recombination.device.products import compose

    deferred = rows.with_transform(Recombine(rows, seed=3, defer="pixels", crop=224))
    for under, over in ((255, 0), (0, 255)):
        images = [flat(example["image"], under, over) for example in deferred.__getitems__(list(range(16)))]
        batch = pack(images, None, {})
        halves, floats = (compose(batch, kind)[0].float() for kind in (torch.float16, torch.float32))
        assert halves.min() >= 0
        assert halves.max() <= 255
        assert (halves - floats).abs().max() <= 3


def test_rows_of_a_feather_sum_to_1_in_halves() -> None:
    from fornet_hf.recombination.device.filters import boxes

    half = torch.linspace(0.01, 6, 50)
    at = torch.arange(48.0).expand(50, -1)
    rows = boxes(at, half, torch.full((50,), 40), 48, torch.float16).float().sum(-1)
    assert torch.equal(rows[:, :40], torch.ones(50, 40))


def test_what_nobody_filled_is_never_seen(rows: Any) -> None:
    from fornet_hf.recombination.device.compositor import Compositor

    batch = collate(
        rows.with_transform(Recombine(rows, seed=3, defer="pixels", crop=96)).__getitems__(list(range(8)))
    )
    found = []
    for fill in (0, 255):
        longer = torch.full((len(batch.flat) + 4096,), fill, dtype=torch.uint8)
        longer[: len(batch.flat)] = batch.flat
        found.append(Compositor()(replace(batch, flat=longer))[0])
    assert torch.equal(*found)


def flat(image: Any, under: int, over: int) -> Any:
    """The image with one level in the background and one in the object; the mask stays."""
    background = np.full_like(image.background.quads, under)
    if image.foreground is None:
        return replace(image, background=replace(image.background, quads=background))
    foreground = np.array(image.foreground.quads)
    foreground[..., :3] = over
    return replace(
        image,
        background=replace(image.background, quads=background),
        foreground=replace(image.foreground, quads=foreground),
    )
