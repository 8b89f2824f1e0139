#!/usr/bin/env python
"""Write a small labelled set of real photographs, laid out like ImageNet, with boxes around their objects.

    python build/demo_pictures.py OUT

The photographs are the samples that scikit-image and scikit-learn bring along, so nothing is downloaded. Each is
cut and mirrored in several ways, and these images are a class. OUT/boxes.json is for create_patches.py --boxes.
The class folders are named by the nearest class that ImageNet has: the dahlia is a daisy there. With --own-names they
are called `daisy` and so on, and so are the files: of such a set a release may be shown with its images, as nobody
takes them for ImageNet's.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from fornet_hf.classes import imagenet_classes, wnid_index
from fornet_hf.errors import ForNetError, MissingDependencyError
from fornet_hf.files import atomic_path, write_text
from producers.work.command import described

LONG_SIDE = 500  # of most images in ImageNet
QUALITY = 95
Box = tuple[int, int, int, int]
_PROJECTS = {"skimage": "scikit-image", "sklearn": "scikit-learn"}  # a module and where it comes from


@dataclass(frozen=True)
class Photo:
    """A photograph, and the images that are made of it.

    Attributes:
        wnid: ImageNet's class.
        load: gives its pixels, uint8, height x width x 3.
        boxes: around the object, in its pixels. Several are united: each part is then told from its own
            surroundings.
        train: crops for the training split, in its pixels; every second one is mirrored.
        validation: crops for the validation split, likewise.
    """

    wnid: str
    load: Callable[[], np.ndarray]
    boxes: tuple[Box, ...]
    train: tuple[Box, ...]
    validation: tuple[Box, ...]


def _photograph(package: str, name: str) -> Callable[[], np.ndarray]:
    """Read a file of a package's folder; the package itself, and what it depends on, is not imported."""

    def load() -> np.ndarray:
        spec = find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise MissingDependencyError(f"no photographs (no module {package}): pip install {_PROJECTS[package]}")
        with Image.open(Path(spec.submodule_search_locations[0]) / name) as photo:
            return np.asarray(photo.convert("RGB"))

    return load


PHOTOS = (
    Photo(  # tabby; 451 x 300
        "n02123045",
        _photograph("skimage", "data/chelsea.png"),
        ((0, 0, 392, 300),),
        ((0, 0, 451, 300), (40, 0, 451, 300), (80, 0, 451, 260), (20, 20, 451, 300), (110, 0, 451, 300)),
        ((60, 0, 451, 290), (0, 10, 451, 280)),
    ),
    Photo(  # projectile, missile; 640 x 427
        "n04008634",
        _photograph("skimage", "data/rocket.jpg"),
        ((303, 116, 338, 405), (305, 108, 337, 178)),
        ((215, 50, 425, 408), (205, 85, 430, 408), (160, 20, 420, 408), (190, 50, 410, 408), (240, 95, 420, 408)),
        ((225, 70, 440, 408), (180, 40, 430, 408)),
    ),
    Photo(  # cup; 600 x 400
        "n07930864",
        _photograph("skimage", "data/coffee.png"),
        ((75, 10, 490, 385),),
        ((0, 0, 600, 400), (30, 0, 560, 400), (50, 0, 600, 400), (60, 0, 510, 400), (0, 0, 540, 400)),
        ((40, 0, 520, 400), (20, 0, 600, 400)),
    ),
    Photo(  # palace; 640 x 427
        "n03877845",
        _photograph("sklearn", "datasets/images/china.jpg"),
        ((62, 18, 358, 385),),
        ((0, 0, 640, 427), (0, 0, 500, 427), (20, 0, 420, 427), (10, 0, 560, 410), (30, 0, 470, 400)),
        ((0, 0, 450, 427), (40, 0, 600, 400)),
    ),
    Photo(  # daisy; 640 x 427
        "n11939491",
        _photograph("sklearn", "datasets/images/flower.jpg"),
        ((162, 78, 454, 366),),
        ((0, 0, 640, 427), (60, 20, 560, 400), (120, 40, 500, 400), (0, 30, 520, 427), (130, 0, 640, 380)),
        ((90, 30, 540, 400), (40, 0, 600, 390)),
    ),
)


@dataclass(frozen=True)
class DemoImage:
    """An image of the demo.

    Attributes:
        split: name of its folder, `train` or `val`.
        wnid: name of its class folder.
        key: its file name without ending.
        name: of the class, in a word.
        image: RGB, longer side `LONG_SIDE`.
        boxes: around the object, as fractions of width and height.
    """

    split: str
    wnid: str
    key: str
    name: str
    image: Image.Image
    boxes: list[list[float]]


def demo_pictures() -> Iterator[DemoImage]:
    """Yield all images of the demo, named like ImageNet's."""
    number = 0
    for photo in PHOTOS:
        pixels = Image.fromarray(photo.load())
        name = imagenet_classes()[wnid_index()[photo.wnid]].name.partition(",")[0]
        for index, crop in enumerate(photo.train):
            part = _cut(pixels, crop, photo.boxes, mirrored=index % 2 == 1)
            yield DemoImage("train", photo.wnid, f"{photo.wnid}_{index + 1}", name, *part)
        for index, crop in enumerate(photo.validation):
            number += 1
            part = _cut(pixels, crop, photo.boxes, mirrored=index % 2 == 1)
            yield DemoImage("val", photo.wnid, f"ILSVRC2012_val_{number:08d}", name, *part)


def _cut(
    photo: Image.Image, crop: Box, boxes: Sequence[Box], *, mirrored: bool
) -> tuple[Image.Image, list[list[float]]]:
    x0, y0, x1, y1 = crop
    scale = LONG_SIDE / max(x1 - x0, y1 - y0)
    size = round((x1 - x0) * scale), round((y1 - y0) * scale)
    image = photo.resize(size, Image.Resampling.LANCZOS, box=crop)
    if mirrored:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return image, [_fractions(box, crop, mirrored=mirrored) for box in boxes]


def _fractions(box: Box, crop: Box, *, mirrored: bool) -> list[float]:
    x0, y0, x1, y1 = crop
    left, right = ((min(max(x, x0), x1) - x0) / (x1 - x0) for x in (box[0], box[2]))
    top, bottom = ((min(max(y, y0), y1) - y0) / (y1 - y0) for y in (box[1], box[3]))
    if mirrored:
        left, right = 1 - right, 1 - left
    return [round(side, 4) for side in (left, top, right, bottom)]


def write_demo(out: Path, *, own_names: bool = False) -> int:
    """Write all images and `boxes.json`; returns the number of images. See `--own-names`."""
    boxes = {}
    for number, one in enumerate(demo_pictures()):
        folder, key = (one.name, f"{one.name}_{number:02d}") if own_names else (one.wnid, one.key)
        with atomic_path(out / one.split / folder / f"{key}.JPEG") as path:
            one.image.save(path, "JPEG", quality=QUALITY, subsampling=0)  # GrabCut needs the colours
        boxes[key] = one.boxes
    write_text(out / "boxes.json", json.dumps(boxes, indent=1) + "\n")
    return len(boxes)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    parser = described(__doc__)
    parser.add_argument("out", type=Path, metavar="OUT", help="folder to write to; made if it is not there")
    parser.add_argument("--own-names", action="store_true", help="name classes and files by words, not as ImageNet's")
    arguments = parser.parse_args(argv)
    out: Path = arguments.out
    try:
        count = write_demo(out, own_names=arguments.own_names)
    except ForNetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{count} images in {out}/train and {out}/val; boxes: {out / 'boxes.json'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
