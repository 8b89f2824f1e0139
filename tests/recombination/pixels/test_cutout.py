"""An object scaled with its mask: with torch and without, shrunk and cut off."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from PIL import Image

from fornet_hf.format import jpeg
from fornet_hf.format.masks import encode_mask
from fornet_hf.recombination.pixels import scaling
from fornet_hf.recombination.pixels.cutout import Cutout
from fornet_hf.recombination.pixels.scaling import SUPPORT, scaled_along
from fornet_hf.recombination.pixels.span import Span
from tests.factory import photo

COLOURS = photo("coffee", 400)
BOX = (21, 10, 371, 241)
WIDTH, HEIGHT = BOX[2] - BOX[0], BOX[3] - BOX[1]


def ellipse() -> np.ndarray:
    y, x = np.mgrid[: COLOURS.height, : COLOURS.width] + 0.5
    return ((2 * x - BOX[0] - BOX[2]) / WIDTH) ** 2 + ((2 * y - BOX[1] - BOX[3]) / HEIGHT) ** 2 <= 1


MASK = ellipse()
CODED = jpeg.encode(COLOURS)
CASES = {
    "whole": ((0.0, 0.0, WIDTH, HEIGHT), (200, 130)),
    "enlarged": ((0.0, 0.0, WIDTH, HEIGHT), (500, 400)),
    "cut off": ((101.3, 20.6, 250.1, 180.9), (150, 120)),
    "cut off, enlarged": ((101.3, 20.6, 150.1, 90.9), (130, 210)),
    "cut off, grids apart": ((100.5, 60.5, 150.5, 110.5), (50, 50)),
    "cut off at the left": ((101.3, 0.0, WIDTH, HEIGHT), (150, 120)),
    "shrunk": ((0.0, 0.0, WIDTH, HEIGHT), (40, 30)),
    "tiny": ((0.0, 0.0, WIDTH, HEIGHT), (2, 1)),
}


def cutout(colours: object = CODED) -> Cutout:
    return Cutout.of_bytes(colours, encode_mask(MASK), 0.5)


def test_the_shape_is_that_of_the_mask() -> None:
    shape = cutout().shape
    assert (shape.width, shape.height) == (WIDTH, HEIGHT)
    assert shape.coverage == pytest.approx(MASK.sum() / (WIDTH * HEIGHT))


def test_a_mask_is_the_same_from_any_hand() -> None:
    """Of ours, with PNG's filters as earlier releases have, and as an image that somebody looked at."""
    image, ours = Image.fromarray(MASK), cutout()
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    for mask in (buffer.getvalue(), image, image.convert("L"), image.convert("RGB")):
        other = Cutout.of_bytes(CODED, mask, 0.5)
        assert other.shape == ours.shape
        one, two = (each.scaled(*CASES["cut off"]) for each in (ours, other))
        assert one[0].tobytes() == two[0].tobytes()
        assert one[1].max() == 255
        assert np.array_equal(one[1], two[1])


@pytest.mark.parametrize("case", CASES)
def test_torch_and_pillow_scale_alike(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    with_torch = [np.asarray(part).astype(int) for part in cutout().scaled(*CASES[case])]
    monkeypatch.setitem(scaling.sys.modules, "torch", None)
    without = [np.asarray(part).astype(int) for part in cutout().scaled(*CASES[case])]
    for one, other in zip(with_torch, without, strict=True):
        assert one.shape == other.shape
        assert np.abs(one - other).max() <= 1


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_torch_and_pillow_scale_alike_whatever_the_shape(interpolation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where one side has as many pixels afterwards, which torch leaves alone whatever the factor is."""
    pytest.importorskip("torch")
    rng, differing, torchs = np.random.default_rng(8), [], 0
    for _ in range(400):
        width, height = (int(np.exp(rng.uniform(0, 5))) for _ in range(2))
        quads = rng.integers(0, 256, (height, width, 4), dtype=np.uint8)
        quads[..., 3] = 255 * (quads[..., 3] & 1)  # a mask
        spans = tuple(span(rng, side, interpolation) for side in (width, height))
        made = []
        for torch in (sys.modules["torch"], None):
            with monkeypatch.context() as context:
                context.setitem(scaling.sys.modules, "torch", torch)
                made.append(scaled_along(quads, spans, interpolation).astype(int))
        one, other = made
        assert one.shape == other.shape
        assert np.abs(one - other).max() <= 2, spans
        differing.append(np.mean(one != other))
        torchs += differing[-1] > 0
    assert np.mean(differing) < 0.05
    assert torchs > 100


def span(rng: np.random.Generator, side: int, interpolation: str) -> Span:
    start = rng.uniform(0, 0.7 * side) if rng.random() < 0.5 else 0.0
    end = rng.uniform(start + 0.2 * (side - start), side) if rng.random() < 0.5 else float(side)
    factor = np.exp(rng.uniform(-2, 1.5)) if rng.random() < 0.7 else rng.uniform(1, 1.1)
    output = max(1, int((end - start) * factor))
    return Span.of(start, end, output, (0.0, float(side)), SUPPORT[interpolation])


@pytest.mark.parametrize("case", CASES)
def test_it_is_what_pillow_scales_but_for_a_part_of_a_pixel(case: str) -> None:
    pytest.importorskip("torch")
    box, output = CASES[case]
    found, mask = cutout().scaled(box, output)
    assert found.size == mask.shape[::-1] == output
    whole = Image.open(io.BytesIO(CODED)).crop(BOX)
    for one, source in ((found, whole), (mask, Image.fromarray(MASK).convert("L").crop(BOX))):
        expected = np.asarray(source.resize(output, Image.Resampling.BILINEAR, box=box)).astype(float)
        assert np.mean((np.asarray(one) - expected) ** 2) < 255**2 / 10**3  # 30 dB


def test_scaling_changes_neither_the_cutout_nor_the_image() -> None:
    image = Image.open(io.BytesIO(CODED)).convert("RGB")
    before, twice = image.tobytes(), cutout(image)
    one, other = (twice.scaled(*CASES["cut off"]) for _ in range(2))
    assert one[0].tobytes() == other[0].tobytes()
    assert np.array_equal(one[1], other[1])
    assert image.mode == "RGB"
    assert image.tobytes() == before
