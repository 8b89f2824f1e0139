"""What a patch weighs and costs, against the format that the public repository holds today.

    python benchmarks/patches.py

Images: samples of scikit-image and scikit-learn at 500 x 375 with outlines by GrabCut. One core. The old
side does what the public tool does: gunzip and unpickle an int64 difference and mask, add, cut the object out, and
encode background (JPEG) and object (WEBP with alpha). `make` has no counterpart: the old one searches offsets for
minutes. What was timed is checked each time: new results byte for byte, old ones pixel for pixel before encoding.

A patch holds what infilling invented, so its size depends on that. Two kinds bound it: `smooth`, the surroundings
smeared into the hole (as OpenCV's inpainting looks), and `photo`, the pixels of another photo, which have more
texture than any infilling has.
"""

from __future__ import annotations

import argparse
import gzip
import io
import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import harness
from benchmarks.photos import Photo, fill, photos
from fornet_hf.format import jpeg
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.masks import bounding_box, dilate
from fornet_hf.format.patch import Patch, apply_patch, make_patch

ENCODING = Encoding()
GOALS = {"old_bytes_per_new_byte": 25, "apply_speedup": 5, "make_per_second": 30}


@dataclass(frozen=True)
class Sample:
    """One image with both its patches and what they must give."""

    source: bytes
    photo: Photo
    infilled: npt.NDArray[np.uint8]
    patch: Patch
    old: bytes
    target: bytes
    background: npt.NDArray[np.uint8]


def sample(photo: Photo, other: Photo | None) -> Sample:
    """Both patches of a photo, infilled smoothly, or with the pixels of another."""
    source = photo.source
    pixels = np.asarray(Image.open(io.BytesIO(source)).convert("RGB"))
    infilled = np.asarray(other.image) if other else fill(pixels, photo.mask, reach=ENCODING.dilation)
    hole = dilate(photo.mask, ENCODING.dilation)[..., None]
    background = np.where(hole, infilled, pixels)
    x0, y0, x1, y1 = bounding_box(photo.mask)
    content = {
        "bg_diff": background.astype(np.int64) - pixels,
        "fg_off": (x0, y0),
        "fg_mask": photo.mask[y0:y1, x0:x1, None].astype(np.int64),
    }
    return Sample(
        source=source,
        photo=photo,
        infilled=infilled,
        patch=make(source, photo, infilled),
        old=gzip.compress(pickle.dumps(content)),
        target=jpeg.encode(Image.fromarray(background)),
        background=background,
    )


def make(source: bytes, photo: Photo, infilled: npt.NDArray[np.uint8]) -> Patch:
    """What is timed as making."""
    return make_patch(source, photo.mask, infilled, key=photo.name, label=0, encoding=ENCODING)


def old_apply(source: bytes, packed: bytes) -> tuple[npt.NDArray[np.uint8], Image.Image, bytes, bytes]:
    """The work of the public tool; the exact arrays, and the files that it writes of them."""
    patch = pickle.loads(gzip.decompress(packed))
    image = Image.open(io.BytesIO(source)).convert("RGB")
    pixels = np.asarray(image)
    background = np.clip(pixels + patch["bg_diff"], 0, 255).astype(np.uint8)
    (x, y), mask = patch["fg_off"], patch["fg_mask"]
    cut = pixels[y : y + mask.shape[0], x : x + mask.shape[1]]
    cutout = Image.fromarray(np.concatenate([cut, mask.astype(np.uint8) * 255], axis=2))
    return background, cutout, _file(Image.fromarray(background), "JPEG"), _file(cutout, "WEBP")


def _file(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def check_new(samples: list[Sample], rows: list[Any]) -> None:
    """Backgrounds are the target's bytes; the foreground restores the original."""
    for one, row in zip(samples, rows, strict=True):
        assert row.background == one.target
        size = one.photo.image.size
        area = jpeg.Rectangle.around(row.box, size)
        original = jpeg.encode(Image.open(io.BytesIO(one.source)).convert("RGB"))
        assert jpeg.splice(row.background, row.foreground, area) == original


def check_old(samples: list[Sample], results: list[Any]) -> None:
    """The arrays before encoding are exact."""
    for one, (background, cutout, *_files) in zip(samples, results, strict=True):
        assert np.array_equal(background, one.background)
        assert int((np.asarray(cutout)[..., 3] > 0).sum()) == int(one.photo.mask.sum())


def check_made(samples: list[Sample], patches: list[Patch]) -> None:
    """Made again, a patch is the same, and gives the target."""
    assert patches == [one.patch for one in samples]
    check_new(samples, [apply_patch(one.source, one.patch, ENCODING) for one in samples])


def cases(samples: list[Sample]) -> list[harness.Case]:
    """What is timed."""

    def case(name: str, work: Callable[[Sample], Any], check: Callable[..., None]) -> harness.Case:
        return harness.Case(name, lambda: [work(one) for one in samples], len(samples), partial(check, samples))

    return [
        case("make", lambda one: make(one.source, one.photo, one.infilled), check_made),
        case("apply", lambda one: apply_patch(one.source, one.patch, ENCODING), check_new),
        case("old apply", lambda one: old_apply(one.source, one.old), check_old),
    ]


def sizes(samples: list[Sample]) -> dict[str, float]:
    """Mean bytes an image."""
    new = [len(one.patch.delta or b"") + len(one.patch.mask or b"") for one in samples]
    return {
        "pictures": len(samples),
        "source": float(np.mean([len(one.source) for one in samples])),
        "patch": float(np.mean(new)),
        "patch_mask": float(np.mean([len(one.patch.mask or b"") for one in samples])),
        "old_patch": float(np.mean([len(one.old) for one in samples])),
        "dilated_area": float(np.mean([dilate(one.photo.mask, ENCODING.dilation).mean() for one in samples])),
    }


def compare(samples: list[Sample], repeats: int) -> dict[str, Any]:
    """Sizes, times and what of the goals was reached."""
    size = sizes(samples)
    times = harness.measure(cases(samples), repeats=repeats)
    reached = {
        "old_bytes_per_new_byte": round(size["old_patch"] / size["patch"], 1),
        "apply_speedup": round(times["old apply"]["median_ms"] / times["apply"]["median_ms"], 1),
        "make_per_second": times["make"]["items_per_second"],
    }
    return {"bytes_a_picture": size, "times": times, "reached": reached}


def report(kind: str, result: dict[str, Any]) -> None:
    """The result for people."""
    print(f"\ninfilling: {kind}")
    for name, value in result["bytes_a_picture"].items():
        print(f"  {name:25} {value:10.{2 if value < 1 else 0}f}")
    for name, time in result["times"].items():
        spread = f"({time['quartile_1_ms']:.2f} to {time['quartile_3_ms']:.2f})"
        print(f"  {name:25} {time['median_ms']:10.2f} ms  {spread}")
    for name, value in result["reached"].items():
        print(f"  {name:25} {value:10.1f}  goal {GOALS[name]}: {'reached' if value >= GOALS[name] else 'missed'}")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="two repeats; writes no results")
    quick = parser.parse_args().quick
    core = harness.pin_to_one_core()
    images = photos(outlines=True)
    others = {"smooth": [None] * len(images), "photo": [*images[1:], images[0]]}
    results = {
        kind: compare(list(map(sample, images, chosen)), 2 if quick else 15) for kind, chosen in others.items()
    }
    for kind, result in results.items():
        report(kind, result)
    if not quick:
        content = {"core": core, "bsdiff4": version("bsdiff4"), "goals": GOALS, "infilling": results}
        print(f"\nwritten to {harness.write('patches', content)}")


if __name__ == "__main__":
    main()
