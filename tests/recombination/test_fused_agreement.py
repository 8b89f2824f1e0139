"""Composing straight at the crop's size shows what pasting at full size and cropping afterwards shows."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from benchmarks.photos import prepared_rows
from fornet_hf.format.rows import Row
from fornet_hf.recombination.draw.composition import Composition
from fornet_hf.recombination.draw.configuration import CropConfig, RecombinationConfig
from fornet_hf.recombination.draw.rng import generator
from fornet_hf.recombination.draw.sampling import BackgroundShape, draw
from fornet_hf.recombination.pixels.compositing import compose
from tests.recombination.test_pixels import drawn, psnr
from tests.torchvision_shim import import_torchvision

pytest.importorskip("skimage")
pytest.importorskip("sklearn")
DRAWS = 200
Pair = tuple[Image.Image, Image.Image]


def pair(number: int) -> tuple[Row, Row]:
    """Foreground and background of the `number`-th draw: all 64 pairs of the photos in turn."""
    rows = prepared_rows()
    return rows[number % 8], rows[number // 8 % 8]


def fused(number: int, **parameters: object) -> Composition:
    crop = CropConfig(size=224)
    return drawn(*pair(number), number, crop=crop, flip=0.5, **parameters)


def cropped_afterwards(number: int, composition: Composition) -> Pair:
    """Paste at full size, then crop, resize and flip as torchvision does it with a PIL image."""
    row, background = pair(number)
    whole = (0, 0, *composition.canvas)
    full = replace(composition, window=whole, background_box=whole, output=composition.canvas, flip=False)
    full = replace(full, interpolation="bilinear")
    parts = []
    for image in compose(row, background.background, full):
        kind = Image.Resampling[composition.interpolation.upper()]
        part = image.crop(composition.window).resize(composition.output, kind)
        parts.append(part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if composition.flip else part)
    return parts[0], parts[1]


@functools.cache
def both(number: int) -> tuple[Pair, Pair]:
    composition = fused(number)
    row, background = pair(number)
    return compose(row, background.background, composition), cropped_afterwards(number, composition)


def test_the_crop_does_not_move_the_object() -> None:
    for number in range(DRAWS):
        with_crop, without = fused(number), drawn(*pair(number), number)
        for name in ("canvas", "size", "part", "offset", "sigma"):
            assert getattr(with_crop, name) == getattr(without, name)


def test_images_agree_with_pasting_and_cropping() -> None:
    found = [psnr(np.asarray(one[0]), np.asarray(other[0])) for one, other in map(both, range(DRAWS))]
    assert min(found) > 30, f"draw {int(np.argmin(found))}"
    assert np.median(found) > 36


def test_masks_agree_with_pasting_and_cropping() -> None:
    for number in range(DRAWS):
        one, other = both(number)
        assert psnr(np.asarray(one[1]), np.asarray(other[1])) > 25, f"draw {number}"
        assert abs(np.mean(one[1]) - np.mean(other[1])) < 1.5, f"draw {number}"


def test_edges_are_in_the_same_place() -> None:
    """Over all draws, no shift by a pixel brings the masks closer together than no shift."""
    errors = {(y, x): 0.0 for y in (-1, 0, 1) for x in (-1, 0, 1)}
    for number in range(0, DRAWS, 4):
        one, other = (np.asarray(mask).astype(float) for _, mask in both(number))
        for y, x in errors:
            errors[y, x] += np.mean((one[2 + y : 222 + y, 2 + x : 222 + x] - other[2:-2, 2:-2]) ** 2)
    assert errors[0, 0] < 0.25 * min(error for shift, error in errors.items() if shift != (0, 0))


@pytest.mark.parametrize(
    ("size", "centre", "interpolation"),
    [(224, 0.875, "bilinear"), (224, 0.875, "bicubic"), (192, 0.9, "bicubic"), (64, 1.0, "bilinear")],
)
def test_evaluation_is_torchvisions_resize_and_centre_crop(size: int, centre: float, interpolation: str) -> None:
    pytest.importorskip("torch")
    torchvision = import_torchvision().transforms
    mode = torchvision.InterpolationMode(interpolation)
    resize = torchvision.Resize(int(size / centre), interpolation=mode)
    pipeline = torchvision.Compose([resize, torchvision.CenterCrop(size)])
    crop = CropConfig(size=size, centre=centre, interpolation=interpolation)
    for number in range(0, 64, 3):
        row, background = pair(number)
        one, other = (
            compose(row, background.background, drawn(row, background, number, evaluation=True, crop=each))
            for each in (crop, None)
        )
        for fused_part, whole in zip(one, other, strict=True):
            wrong = np.abs(np.asarray(fused_part).astype(int) - np.asarray(pipeline(whole)).astype(int))
            assert wrong.mean() < 0.5, f"draw {number}"


@pytest.mark.parametrize("size", [(500, 375), (375, 500), (333, 500), (512, 512), (257, 301), (40, 17), (9, 300)])
def test_the_evaluation_crop_shows_what_torchvisions_shows(size: tuple[int, int]) -> None:
    """A gradient tells the place of each pixel, to a hundredth of it."""
    pytest.importorskip("torch")
    torchvision = import_torchvision().transforms
    ramp = np.add.outer(np.arange(size[1]) * 1000.0, np.arange(size[0])).astype(np.float32)
    for output, centre in ((224, 0.875), (224, 1.0), (96, 0.8), (7, 0.5)):
        pipeline = torchvision.Compose([torchvision.Resize(int(output / centre)), torchvision.CenterCrop(output)])
        made = evaluation_frame(CropConfig(size=output, centre=centre), size)
        found = Image.fromarray(ramp).resize(made.output, Image.Resampling.BILINEAR, box=made.background_box)
        assert np.abs(np.asarray(found) - np.asarray(pipeline(Image.fromarray(ramp)))).max() < 10


def evaluation_frame(crop: CropConfig, canvas: tuple[int, int]) -> Composition:
    """The composition of a background of that size alone."""
    config = RecombinationConfig(background_combination="orig", crop=crop, evaluation=True)
    own = BackgroundShape(None, *canvas, 0.0)
    return draw(generator("frame"), config, label=0, foreground=None, own=own, backgrounds=None)


def test_bicubic_crops_agree_with_pasting_and_cropping() -> None:
    for number in range(0, 64, 5):
        crop = CropConfig(size=224, interpolation="bicubic")
        composition = drawn(*pair(number), number, crop=crop)
        row, background = pair(number)
        image = np.asarray(compose(row, background.background, composition)[0])
        assert psnr(image, np.asarray(cropped_afterwards(number, composition)[0])) > 27, f"draw {number}"


@pytest.mark.parametrize(
    ("scale", "ratio"), [((0.08, 1.0), (3 / 4, 4 / 3)), ((0.5, 0.6), (1.0, 1.0)), ((0.9, 1.0), (0.2, 0.3))], ids=str
)
def test_crops_are_distributed_as_those_of_torchvision(
    scale: tuple[float, float], ratio: tuple[float, float]
) -> None:
    stats, torch = pytest.importorskip("scipy.stats"), pytest.importorskip("torch")
    random_resized_crop = import_torchvision().transforms.RandomResizedCrop

    torch.manual_seed(5)
    canvas = torch.zeros(3, 375, 500)
    theirs = np.array([random_resized_crop.get_params(canvas, scale, ratio) for _ in range(2000)])
    crop = CropConfig(size=224, scale=scale, ratio=ratio)
    windows = np.array([drawn(*pair(0), number, crop=crop).window for number in range(2000)])
    ours = np.column_stack(
        [windows[:, 1], windows[:, 0], windows[:, 3] - windows[:, 1], windows[:, 2] - windows[:, 0]]
    )
    for column, what in enumerate(("top", "left", "height", "width")):
        if np.ptp(ours[:, column]) == np.ptp(theirs[:, column]) == 0:
            assert ours[0, column] == theirs[0, column], what
        else:
            assert stats.ks_2samp(ours[:, column], theirs[:, column], method="asymp").pvalue > 1e-4, what


def test_visible_areas_are_distributed_as_with_pasting_and_cropping() -> None:
    """Independent draws on either side: the object's share of the crop."""
    stats = pytest.importorskip("scipy.stats")
    ours = [np.mean(both(number)[0][1]) for number in range(DRAWS)]
    theirs = [np.mean(cropped_afterwards(number, fused(number + 1000))[1]) for number in range(DRAWS)]
    assert stats.ks_2samp(ours, theirs, method="asymp").pvalue > 1e-4
