"""Compositions that between them show all that may come, small enough for Triton's interpreter.

As a program it composes them by the kernels, in an environment with TRITON_INTERPRET=1: Triton reads that when it is
imported.
"""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from benchmarks.photos import Photo, photos, prepare
from fornet_hf.recombination import collate
from fornet_hf.recombination.device.layers import WAYS, deferring
from fornet_hf.recombination.draw.composition import Composition
from fornet_hf.recombination.pixels.compositing import rendering
from fornet_hf.recombination.pixels.parts import Parts
from fornet_hf.recombination.pixels.steps import finished

RASTER, OUTPUT = (44, 36), (24, 20)
Case = tuple[Parts, Composition]
PLAIN = Composition(
    original=False,
    background=None,
    background_box=(5, 3, 41, 34),
    canvas=RASTER,
    window=(5, 3, 41, 34),
    output=OUTPUT,
    size=(25, 21),
    part=(0, 0, 25, 21),
    offset=(9, 8),
    sigma=1.3,
)


@functools.cache
def parts(name: str) -> Parts:
    """A photograph of `RASTER`; "dot": with an object of one pixel."""
    photo = next(p for p in photos() if p.name == ("coffee" if name == "dot" else name))
    mask = np.asarray(Image.fromarray(photo.mask).resize(RASTER, Image.Resampling.NEAREST))
    if name == "dot":
        mask = np.zeros_like(mask)
        mask[17, 21] = True
    return Parts.of(prepare(Photo(photo.name, photo.image.resize(RASTER), mask), 0))


def cases(interpolation: str) -> list[Case]:
    """Scaled ones: mirrored, jutting out on all sides, without soft edges, of one pixel, without object, original."""
    plain, whole = replace(PLAIN, interpolation=interpolation), (0, 0, *RASTER)
    return [
        (parts("astronaut"), plain),
        (parts("astronaut"), replace(plain, flip=True, background_box=whole, window=whole)),
        (parts("coffee"), replace(plain, offset=(-7, -6), flip=True)),
        (parts("coffee"), replace(plain, offset=(30, 27), sigma=4.0)),
        (parts("coffee"), replace(plain, offset=(-2, -3), size=(60, 50), part=(0, 0, 60, 50))),
        (parts("coffee"), replace(plain, sigma=0.0)),
        (parts("dot"), replace(plain, size=(1, 1), part=(0, 0, 1, 1), offset=(20, 20), sigma=0.4)),
        (parts("dot"), replace(plain, sigma=0.0)),
        (parts("dot"), replace(plain, size=None)),
        (parts("astronaut"), replace(plain, original=True, size=None, flip=True)),
        (parts("astronaut"), replace(plain, paste_first=True, background_box=whole)),
    ]


@st.composite
def compositions(draw: st.DrawFn) -> Composition:
    """Any that sampling may draw on a canvas of `RASTER`."""

    def edges(length: int) -> tuple[int, int]:
        first = draw(st.integers(0, length - 2))
        return first, draw(st.integers(first + 1, length))

    (left, right), (top, bottom) = edges(RASTER[0]), edges(RASTER[1])
    size = draw(st.tuples(st.integers(1, 2 * RASTER[0]), st.integers(1, 2 * RASTER[1])))
    return replace(
        PLAIN,
        interpolation=draw(st.sampled_from(["bilinear", "bicubic"])),
        background_box=(left, top, right, bottom),
        window=(left, top, right, bottom),
        size=size,
        part=(0, 0, *size),
        offset=draw(st.tuples(st.integers(-size[0], RASTER[0]), st.integers(-size[1], RASTER[1]))),
        sigma=draw(st.sampled_from([0.0, 0.3, 1.0, 4.0])),
        flip=draw(st.booleans()),
    )


def unscaled() -> list[Case]:
    """Those whose background and object have steps of 1 pixel."""
    box = (8, 10, 8 + OUTPUT[0], 10 + OUTPUT[1])
    cutout = parts("astronaut").cutout
    assert cutout is not None
    size = cutout.shape.width, cutout.shape.height
    plain = replace(PLAIN, background_box=box, window=box, size=size, part=(0, 0, *size))
    chosen = [
        replace(plain, offset=offset, flip=flip, sigma=sigma)
        for offset in ((6, 3), (20, 18), (-4, 2))
        for flip in (False, True)
        for sigma in (0.0, 1.0)
    ]
    return [(parts("astronaut"), composition) for composition in chosen]


def batch(some: list[Case], way: str) -> Any:
    """What a loader gives."""
    images = [finished(deferring(*case, way, with_mask=True)) for case in some]
    return collate([{"image": image, "label": number} for number, image in enumerate(images)])


def wanted(some: list[Case]) -> tuple[Any, Any]:
    """Images and masks of the CPU's compositor: integers, images x channels x height x width."""
    made = [finished(rendering(*case, with_mask=True)) for case in some]
    images = np.stack([np.asarray(one.image) for one in made]).transpose(0, 3, 1, 2)
    masks = np.stack([np.asarray(one.mask)[None] for one in made])
    return images.astype(int), masks.astype(int)


def differences(composed: Any, some: list[Case]) -> dict[str, float]:
    """How far images and masks are from those of the CPU's compositor."""
    off, off_masks = (
        abs(found.cpu().numpy().astype(int) - right)
        for found, right in zip((composed.images, composed.masks), wanted(some), strict=True)
    )
    values = {"most": off.max(), "mean": off.mean(), "mask": off_masks.max(), "mask mean": off_masks.mean()}
    return {name: float(value) for name, value in values.items()}


KINDS = {"bilinear": lambda: cases("bilinear"), "bicubic": lambda: cases("bicubic"), "unscaled": unscaled}


def main() -> None:
    """Print the `differences` of the kernels for each way and kind."""
    import torch

    from fornet_hf.recombination.device.compositor import Compositor
    from fornet_hf.recombination.device.kernels import painting

    painting._TILE, painting._PIXELS = (32, 32), 4096  # the interpreter takes its time for each block, of any size
    compositor = Compositor(dtype=torch.uint8, kernels=True)
    found = {}
    for way in WAYS:
        for kind, all_cases in KINDS.items():
            some = all_cases() if (way, kind) == ("pixels", "bilinear") else all_cases()[1::4]  # it is slow
            found[f"{way} {kind}"] = differences(compositor.composed(batch(some, way)), some)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
