"""What the producers do beside their networks, for each image on one core of a CPU.

    python -m benchmarks.segment_beside [--quick]

Images are the photographs that all benchmarks share, with three boxes, three masks and one version of the object.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[1] / place) for place in ("", "build")]

from benchmarks import harness  # noqa: E402 - the folders above come first
from benchmarks.photos import Photo, photos  # noqa: E402
from benchmarks.segment_stages import PROMPTS  # noqa: E402
from fornet_hf.format.encoding import Encoding  # noqa: E402
from fornet_hf.format.masks import dilate  # noqa: E402
from producers.detect.answers import confident  # noqa: E402
from producers.devices.opencv import dilated, largest_filled, load_cv2  # noqa: E402
from producers.scene import Cut, Scene  # noqa: E402
from producers.segment.versions import versions  # noqa: E402
from producers.tasks.candidates import Candidate, raster_of  # noqa: E402
from producers.tasks.segment import make_candidates  # noqa: E402
from producers.work.plan import Labelled  # noqa: E402

QUERIES = 900  # boxes that GroundingDINO scores for each prompt


def cases(samples: Sequence[Photo], encoding: Encoding) -> list[harness.Case]:
    """Return each piece of work; all images are one call."""
    images = [Labelled(key=photo.name, label=0, data=photo.source, prompts=PROMPTS) for photo in samples]
    rasters = [np.asarray(photo.image) for photo in samples]
    masks = [photo.mask for photo in samples]
    wide = encoding.dilation
    candidates = [
        (Candidate(0, mask, _infilled(raster, dilated(mask, wide)), PROMPTS[0], 0.9),)
        for raster, mask in zip(rasters, masks, strict=True)
    ]
    cuts = [
        [Cut(np.roll(mask, 4 * number, 1), prompt, 0.9) for number, prompt in enumerate(PROMPTS)] for mask in masks
    ]
    scenes = [
        Scene(key=photo.name, raster=raster, prompts=PROMPTS) for photo, raster in zip(samples, rasters, strict=True)
    ]
    rng = np.random.default_rng(0)
    scores, boxes = (rng.random((len(scenes), 3, QUERIES, *more), np.float32) for more in ((), (4,)))
    grown = [dilate(mask, wide) for mask in masks]

    def case(name: str, run: Callable[[], Any], check: Callable[[Any], bool]) -> harness.Case:
        return harness.Case(name, run, len(samples), lambda found: _sure(name, check(found)))

    return [
        case(
            "decoding",
            lambda: [raster_of(image, encoding) for image in images],
            lambda found: len(found) == len(images),
        ),
        case(
            "boxes above a threshold, of 3 x 900",
            lambda: confident(scenes, scores, boxes, 0.997),
            lambda found: all(len(one) < 30 for one in found),
        ),
        case(
            "outlines of 3 masks", lambda: [largest_filled(mask) for mask in masks * 3], lambda found: len(found) > 0
        ),
        case("merging of 3 masks", lambda: [versions(one) for one in cuts], all),
        case("dilating, OpenCV", lambda: [dilated(mask, wide) for mask in masks], lambda found: _same(found, grown)),
        case("dilating, Pillow", lambda: [dilate(mask, wide) for mask in masks], lambda found: _same(found, grown)),
        case(
            "a patch",
            lambda: [make_candidates(*one, encoding) for one in zip(images, candidates, strict=True)],
            lambda found: all(isinstance(one, tuple) for one in found),
        ),
    ]


def _infilled(raster: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Return a raster with another photograph's texture in the hole: its own, mirrored."""
    return np.where(hole[..., None], raster[:, ::-1], raster)


def _same(found: Sequence[np.ndarray], expected: Sequence[np.ndarray]) -> bool:
    return all(map(np.array_equal, found, expected))


def _sure(name: str, right: bool) -> None:  # noqa: FBT001
    if not right:
        raise RuntimeError(f"{name}: a wrong result")


def main() -> None:
    """Print the figures and write the results."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--quick", action="store_true", help="see that it runs; writes nothing")
    quick = options.parse_args().quick
    harness.pin_to_one_core()
    load_cv2().setNumThreads(1)
    sides = harness.measure(cases(photos(outlines=True), Encoding()), repeats=2 if quick else 15)
    for name, times in sides.items():
        print(f"{name:<40}{times['on_core_median_ms']:10.3f} ms an image")
    if not quick:
        print(harness.write("segment_beside", {"images": len(photos()), "sides": sides}))


if __name__ == "__main__":
    main()
