#!/usr/bin/env python
"""The images of how_it_works.md and mixing.md, from what `make demo` made: `python docs/make_images.py demo`."""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

import fornet_hf
from fornet_hf.format import jpeg
from fornet_hf.format.rows import open_image
from fornet_hf.mixing import BackgroundMixConfig, CutMixConfig, FMixConfig, MixUpConfig
from fornet_hf.mixing.preview import mixed_sheet
from fornet_hf.preview import Group, Line, sheet

IMAGES = Path(__file__).parent / "images"
ROW = 6


def main() -> None:
    """Write all images."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("demo", type=Path, help="what `make demo` made")
    parser.add_argument("--out", type=Path, default=IMAGES, help="folder of the images")
    arguments = parser.parse_args()
    demo: Path = arguments.demo
    rows = fornet_hf.load_dataset(
        patches=demo / "made" / "patches", imagenet_dir=demo / "pictures", split="train", cache_dir=demo / "cache"
    )
    pages = {"patch": patch(rows), "cut": cut(rows), "recombination": recombination(rows)}
    for name, page in {**pages, **mixtures(rows)}.items():
        page.save(arguments.out / f"{name}.jpg", quality=80, optimize=True)


def patch(rows: Any) -> Image.Image:
    """The original, the blocks that differ in the background, and the background."""
    background, original = open_image(rows[ROW]["background"]), original_of(rows)
    changed = Image.composite(
        background, original.convert("L").convert("RGB"), blocks_that_differ(original, background)
    )
    images = (original, changed, background)
    headings = ("your image", "blocks in the patch", "background")
    return sheet([Group("", headings)], [Line("", images)])


def blocks_that_differ(one: Image.Image, other: Image.Image) -> Image.Image:
    """A mask of the blocks of 16 x 16 pixels in which two images differ."""
    differs = (np.asarray(one) != np.asarray(other)).any(axis=2)
    mask = np.zeros(differs.shape, dtype=bool)
    for y in range(0, differs.shape[0], jpeg.MCU):
        for x in range(0, differs.shape[1], jpeg.MCU):
            block = slice(y, y + jpeg.MCU), slice(x, x + jpeg.MCU)
            mask[block] = differs[block].any()
    return Image.fromarray(mask)


def cut(rows: Any) -> Image.Image:
    """A background with a crop on it, and what is decoded of it."""
    data = rows.with_format("arrow")[ROW]["background"][0]["bytes"].as_py()
    whole = Image.open(io.BytesIO(data))
    width, height = whole.size
    box = width // 4, height // 3, width // 4 + width // 3, height // 3 + height // 2
    area = jpeg.Rectangle.around(box, whole.size, margin=1)
    marked = whole.copy()
    ImageDraw.Draw(marked).rectangle(box, outline=(255, 0, 0), width=4)
    part = Image.open(io.BytesIO(jpeg.cut(data, area)))
    decoded = Image.new("RGB", whole.size, (255, 255, 255))
    decoded.paste(part, area.pixels(whole.size)[:2])
    return sheet([Group("", ("background, crop in red", "decoded"))], [Line("", (marked, decoded))])


def recombination(rows: Any) -> Image.Image:
    """One object, recombined eight times."""
    recombine = fornet_hf.Recombine(rows, seed=3)
    images = []
    for epoch in range(8):
        recombine.clock.epoch = epoch
        images.append(recombine.recombine(rows[ROW]).composed.image)
    return sheet([Group("", ("",) * 4)], [Line("", images[:4]), Line("", images[4:])])


def mixtures(rows: Any) -> dict[str, Image.Image]:
    """Some pairs, mixed by each method."""
    small = {"crop": fornet_hf.CropConfig(scale=(0.7, 1)), "fg_size_fact": 0.4}
    fmix = [FMixConfig(alpha=8), FMixConfig(alpha=8, max_soft=0.3), FMixConfig(alpha=8, legacy_spectrum=True)]
    visible, backgrounds = FMixConfig(alpha=8, labels="visible"), BackgroundMixConfig(alpha=8)
    return {
        "mix_fmix": mixed_sheet(rows, fmix, indices=(20, 1, 15), seed=4),
        "mix_others": mixed_sheet(rows, [CutMixConfig(alpha=8), MixUpConfig(alpha=8)], indices=(0, 6), seed=7),
        "mix_visible": mixed_sheet(rows, [visible], indices=(11, 5, 22), seed=0, **small),
        "mix_background": mixed_sheet(rows, [backgrounds], indices=(2, 18, 12), seed=2, **small),
    }


def original_of(rows: Any) -> Image.Image:
    """The original image of the row."""
    return fornet_hf.Recombine(rows, orig_img_prob=1.0, evaluation=True).recombine(rows[ROW]).composed.image


if __name__ == "__main__":
    main()
