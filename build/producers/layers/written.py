"""Samples of a generator in files: each image with its mask, and the layers that it was composed of."""

from __future__ import annotations

import io
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from fornet_hf.files import whole_path
from fornet_hf.format.masks import Levels, Mask, encode_levels
from fornet_hf.processes import max_workers
from producers.scene import Raster

IMAGES, MASKS, FOREGROUNDS, BACKGROUNDS = "images", "masks", "foregrounds", "backgrounds"

OBJECT, EMPTY, FULL = "with an object", "with an empty mask", "with a full mask"
"""Kinds of samples, by their masks."""

_AHEAD = 512  # samples that wait for threads; of 128 pixels they take 84 MB


class Sample(NamedTuple):
    """One composed image and its layers.

    Attributes:
        image: uint8, side x side x 3.
        soft: uint8, side x side, 0 to 255: how much of the image is the foreground.
        foreground: as the image.
        background: as the image.
    """

    image: Raster
    soft: Levels
    foreground: Raster
    background: Raster

    @property
    def mask(self) -> Mask:
        """The pixels that are the foreground by half at least: bool, side x side."""
        result: Mask = self.soft >= 128
        return result


def kind_of(mask: Mask) -> str:
    """Return the kind of a sample, by its mask."""
    return FULL if mask.all() else OBJECT if mask.any() else EMPTY


@dataclass(frozen=True)
class SampleFolder:
    """A folder of samples of one class, laid out so that segment.py and train_segmenter.py read it.

    images/train/CLASS/CLASS_000000.png   the composed image
    masks/CLASS_000000.png                grey, 255 where the object is and else 0
    foregrounds/CLASS_000000.png          the foreground, whose alpha is the soft mask
    backgrounds/CLASS_000000.png          the background, behind the object, too

    Attributes:
        root: of the folder; made when it is needed.
        name: of the class.
        kinds: of the files that are written: `images`, `masks`, and of the others those that are wanted.
    """

    root: Path
    name: str
    kinds: tuple[str, ...] = (IMAGES, MASKS)

    def paths(self, number: int) -> Mapping[str, Path]:
        """Return where the files of a sample go, by kind."""
        file = f"{self.name}_{number:06}.png"
        places = {IMAGES: self.root / IMAGES / "train" / self.name}
        return {kind: places.get(kind, self.root / kind) / file for kind in self.kinds}

    def has(self, number: int) -> bool:
        """Return whether all files of a sample are there."""
        return all(path.is_file() for path in self.paths(number).values())

    def write(self, number: int, sample: Sample) -> str:
        """Write all files of a sample, each of which is complete or not there; return its kind.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        makers = {
            IMAGES: lambda: _png(sample.image),
            MASKS: lambda: encode_levels(sample.mask.astype(np.uint8) * 255),
            FOREGROUNDS: lambda: _png(np.dstack([sample.foreground, sample.soft])),
            BACKGROUNDS: lambda: _png(sample.background),
        }
        for kind, path in self.paths(number).items():
            with whole_path(path) as temporary:
                temporary.write_bytes(makers[kind]())
        return kind_of(sample.mask)


def write_samples(folder: SampleFolder, samples: Iterable[tuple[int, Sample]]) -> Counter[str]:
    """Write numbered samples in threads, while more of them are made; return how many of each kind there were.

    Raises:
        StorageError: the disk is full or cannot be written.
        Exception: what making them raised.
    """
    kinds = Counter[str]()
    with ThreadPoolExecutor(max_workers()) as executor:
        waiting: deque[Future[str]] = deque()
        for number, sample in samples:
            waiting.append(executor.submit(folder.write, number, sample))
            if len(waiting) > _AHEAD:
                kinds[waiting.popleft().result()] += 1
        kinds.update(future.result() for future in waiting)
    return kinds


def _png(pixels: Raster) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
