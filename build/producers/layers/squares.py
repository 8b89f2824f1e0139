"""Images as small squares on a disk: the centre of each, as the discriminator sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fornet_hf.errors import ConfigurationError, NotFoundError, SourceError, explain
from fornet_hf.format.raster import decode_rgb
from fornet_hf.processes import max_workers
from fornet_hf.progress import progress
from fornet_hf.recombination.draw.rng import generator
from producers.pairs.images import Images, Reader
from producers.pairs.sizes import shorter_side
from producers.training.ahead import ahead
from producers.training.arrays import ArrayStore, Index, Pixels
from producers.training.visits import Visit

_AHEAD = 4  # images for each thread that are being read
_LONGEST = 4  # times the shorter side; images that are longer are squeezed


class SquareStore(ArrayStore):
    """Squares in a folder: `squares.bin` has their pixels, `squares.json` says what they are made of."""

    name = "squares"
    channels = 3

    def batch(self, visits: Sequence[Visit], *, mirror: bool = False, seed: int = 0) -> npt.NDArray[np.uint8]:
        """Return the squares of some visits, n x side x side x 3.

        Args:
            visits: of the squares.
            mirror: whether every other one is mirrored, as its visit and the seed say.
            seed: of that.
        """
        found = np.stack([self.array(visit.sample) for visit in visits])
        if mirror:
            turned = np.array([generator("mirror", seed, *visit).random() < 0.5 for visit in visits])
            found[turned] = found[turned, :, ::-1]
        return found


def make_squares(folder: Path, request: Mapping[str, Any], images: Images, side: int) -> SquareStore:
    """Decode images and write their squares; what cannot be used is counted.

    Args:
        folder: of the files.
        request: what `SquareStore.opened` is to know them by.
        images: all that there are.
        side: of the squares, pixels.

    Raises:
        ConfigurationError: fewer than two can be used.
        ForNetError: a shard of images is damaged.
        StorageError: the disk is full.
    """
    return SquareStore.made(folder, request, _decoded(images, side), partial(_check, len(images.names)))


def _check(count: int, index: Index) -> None:
    if len(index["shapes"]) < 2:
        found, reason = f"{len(index['shapes'])} of {count}", next(iter(index["examples"]), None)
        then = reason and f"The first that cannot: {reason}"
        raise ConfigurationError(explain("too few images can be used", found=found, allowed="2 or more", then=then))


def _decoded(images: Images, side: int) -> Iterator[tuple[Mapping[str, str], Pixels | str]]:
    """Yield the name and the square of each image, or why there is none, in their order."""
    reader, workers = Reader(), max_workers()

    def jobs() -> Iterator[Callable[[], tuple[Mapping[str, str], Pixels | str]]]:
        places = zip(images.keys(), images.places, strict=True)
        for key, place in progress(places, "reading images", "images", len(images.places)):
            # rows are read here, one after another; files in the threads
            data = partial(reader.read, place) if isinstance(place, Path) else partial(bytes, reader.read(place))
            yield partial(_named, key, data, side)

    yield from ahead(jobs(), workers, _AHEAD * workers)


def _named(key: str, read: Callable[[], bytes], side: int) -> tuple[Mapping[str, str], Pixels | str]:
    try:
        return {"keys": key}, square_of(read(), side)
    except (SourceError, NotFoundError, OSError) as error:
        return {"keys": key}, f"cannot be used: {key}: {error}"


def square_of(data: bytes, side: int) -> Pixels:
    """Return the centre square of an image, uint8 of side x side x 3, scaled so that it is as large as it can be.

    Args:
        data: bytes of the image's file.
        side: of the square, pixels.

    Raises:
        SourceError: the image cannot be decoded.
    """
    pixels = np.asarray(decode_rgb(data, shorter_side(side, _LONGEST * side)))
    top, left = ((whole - side) // 2 for whole in pixels.shape[:2])
    return np.ascontiguousarray(pixels[top : top + side, left : left + side])
