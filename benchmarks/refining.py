#!/usr/bin/env python
"""How exact refinement makes rough masks: intersection over union with the object, before and after.

    python benchmarks/refining.py

Each of the photographs' objects is pasted, at 0.6 of its size, into three other photographs; both the result and the
photograph without the object are saved as JPEG of quality 92. Infilled are the true background, which no model
reaches, and OpenCV's blur. 20 seconds on one core.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "build")]

from benchmarks.photos import photos  # noqa: E402
from fornet_hf.format.masks import Mask, dilate  # noqa: E402
from producers.devices.opencv import load_cv2  # noqa: E402
from producers.infill.inpaint import OpenCVInpaint  # noqa: E402
from producers.refine.inpaint_difference import DifferenceSettings, InpaintDifference  # noqa: E402
from producers.scene import Identity, Infiller, Raster  # noqa: E402
from producers.segment.versions import overlap  # noqa: E402

SCALE, QUALITY, OTHERS = 0.6, 92, (1, 3, 5)
ROUGH: dict[str, Callable[[Mask], Mask]] = {
    "10 pixels around it": lambda mask: dilate(mask, 10),
    "20 pixels around it": lambda mask: dilate(mask, 20),
    "5 pixels cut off": lambda mask: ~dilate(~mask, 5),
}
SETTINGS = {
    "the paper's equation": DifferenceSettings(close=0, fill=False),
    "the defaults": DifferenceSettings(),
    "dilation=18": DifferenceSettings(dilation=18),
}


@dataclass(frozen=True)
class Planted:
    """An object in a photograph that it is not of.

    Attributes:
        raster: with the object.
        ground: without it.
        mask: the object's pixels.
    """

    raster: Raster
    ground: Raster
    mask: Mask


@dataclass(frozen=True)
class Truth:
    """The infiller that knows the background."""

    ground: Raster
    identity = Identity(name="truth", model="none", revision="1")

    def infill(self, rasters: list[Raster], holes: list[Mask]) -> list[Raster]:
        """Return each image with the truth in its hole."""
        return [np.where(hole[..., None], self.ground, one) for one, hole in zip(rasters, holes, strict=True)]


def planted() -> Iterator[Planted]:
    """All pairs of an object and another photograph."""
    cv2, found = load_cv2(), photos(outlines=True)
    for number, photo in enumerate(found):
        height, width = photo.mask.shape
        place = np.float64([[SCALE, 0, width * (1 - SCALE) / 2], [0, SCALE, height * (1 - SCALE) / 2]])
        colours, alpha = (
            cv2.warpAffine(one, place, (width, height), flags=cv2.INTER_AREA)
            for one in (np.asarray(photo.image, np.float32), photo.mask.astype(np.float32))
        )
        for step in OTHERS:
            ground = np.asarray(found[(number + step) % len(found)].image)
            pasted = (ground * (1 - alpha[..., None]) + colours * alpha[..., None]).round().astype(np.uint8)
            yield Planted(_saved(pasted), _saved(ground), alpha > 0.5)


def _saved(pixels: Raster) -> Raster:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=QUALITY)
    return np.asarray(Image.open(buffer).convert("RGB"))


def main() -> int:
    """Print the table; returns the exit status."""
    scenes = list(planted())
    for name, roughen in ROUGH.items():
        rough = [roughen(one.mask) for one in scenes]
        before = np.mean([overlap(mask, one.mask) for mask, one in zip(rough, scenes, strict=True)])
        print(f"rough mask: {name}; {len(scenes)} images, IoU {before:.3f}")
        for words, settings in SETTINGS.items():
            refiner, means = InpaintDifference(settings=settings), []
            for truth in (True, False):
                after = []
                for mask, one in zip(rough, scenes, strict=True):
                    infiller: Infiller = Truth(one.ground) if truth else OpenCVInpaint()  # type: ignore[assignment]
                    after.append(overlap(refiner.refine([one.raster], [mask], infiller)[0], one.mask))
                means.append(np.mean(after))
            print(f"  {words:22} true background {means[0]:.3f}   OpenCV {means[1]:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
