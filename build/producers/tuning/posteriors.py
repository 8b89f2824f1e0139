"""Images as the VAE sees them, encoded once: training reads these and never an image.

posteriors/00000.safetensors   of 64 pairs each. N.values: float16, 2 x 2 x channels x h/8 x w/8: of the image and of
                               the flipped one, mean and deviation of its latents. N.objects: bool, h/8 x w/8.

The image's shorter side is that of the training, so that a crop of latents is any square of the image.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from safetensors import safe_open
from safetensors.numpy import save_file

from fornet_hf.errors import NotFoundError, SourceError, explain
from fornet_hf.files import atomic_path
from fornet_hf.format.masks import Mask
from fornet_hf.processes import max_workers
from producers.devices.batches import BatchSize, run_batched
from producers.diffusion.model import Diffusion
from producers.diffusion.shapes import LATENT
from producers.pairs.reading import Pairs
from producers.pairs.sizes import Pair
from producers.scene import Raster

PER_FILE = 64
_log = logging.getLogger(__name__)


class Crop(NamedTuple):
    """A square of an image.

    Attributes:
        mean: of its latents, float32, channels x side x side.
        deviation: likewise.
        objects: the cells that an object has pixels in, side x side.
    """

    mean: npt.NDArray[np.float32]
    deviation: npt.NDArray[np.float32]
    objects: Mask


@dataclass(frozen=True)
class Posteriors:
    """The images of a folder that were encoded.

    Attributes:
        folder: of the files.
        places: file and number in it of each image.
    """

    folder: Path
    places: Sequence[tuple[str, int]]

    @classmethod
    def of(cls, folder: Path) -> Posteriors:
        """Open a folder that is complete.

        Raises:
            NotFoundError: no image could be used.
        """
        places = []
        for path in sorted(folder.glob("*.safetensors")):
            names = (name.partition(".") for name in _opened(path).keys())  # noqa: SIM118 - no mapping
            places += [
                (path.name, number) for number in sorted(int(one) for one, _, what in names if what == "values")
            ]
        if not places:
            then = "Look into the log, or give other images."
            raise NotFoundError(explain("no image can be used", found=f"none in {folder}", then=then))
        return cls(folder, places)

    def __len__(self) -> int:
        return len(self.places)

    def crop(self, index: int, side: int, rng: np.random.Generator) -> Crop:
        """Return a random square of so many cells a side, flipped or not."""
        file, number = self.places[index]
        values = _opened(self.folder / file).get_slice(f"{number}.values")
        rows, columns = values.get_shape()[-2:]
        flipped, top, left = (int(rng.integers(count)) for count in (2, rows - side + 1, columns - side + 1))
        down, along = slice(top, top + side), slice(left, left + side)
        mean, deviation = values[flipped, :, :, down, along].astype(np.float32)
        objects = _opened(self.folder / file).get_tensor(f"{number}.objects")
        return Crop(mean, deviation, (objects[:, ::-1] if flipped else objects)[down, along])


@lru_cache(maxsize=256)
def _opened(path: Path) -> Any:
    return safe_open(path, "numpy")


class _Sized(NamedTuple):
    number: int
    raster: Raster
    objects: Mask


def encode(
    pairs: Pairs,
    chosen: Sequence[int],
    folder: Path,
    model: Diffusion,
    side: int,
    *,
    part: tuple[int, int] = (0, 1),
    batch_size: int = 8,
) -> Iterator[int]:
    """Write this process's files that are not there yet; yield the number of pairs after each that is there.

    Images without a mask of an object, and those that cannot be decoded, are left out, which the log says.

    Args:
        pairs: images and masks.
        chosen: those of them that are encoded.
        folder: of the files.
        model: whose VAE encodes.
        side: of the shorter sides, pixels.
        part: of the files: number of the process, and of processes.
        batch_size: images that the VAE gets at a time.
    """
    size = BatchSize(batch_size)
    files = [chosen[start : start + PER_FILE] for start in range(0, len(chosen), PER_FILE)]
    with ThreadPoolExecutor(max_workers()) as pool:
        for number, wanted in list(enumerate(files))[part[0] :: part[1]]:
            path = folder / f"{number:05}.safetensors"
            if not path.is_file():
                found = list(pool.map(partial(_sized, side), pairs.readers(wanted)))
                images = [one for one in found if one is not None]
                values = run_batched(images, partial(_encoded, model), size=size, key=lambda one: one.raster.shape)
                if images:  # else the same command reads them again, once they are put right
                    with atomic_path(path) as temporary:
                        save_file(_tensors(images, values), temporary)
            yield len(wanted)


def _sized(side: int, item: tuple[int, Callable[[], Pair]]) -> _Sized | None:
    """Return image and mask as they are encoded; None, after a word in the log, if they are of no use."""
    number, read = item
    try:
        pair = read()
        raster, mask = pair.at(partial(size_of, side))
    except (SourceError, NotFoundError) as error:
        _log.warning("left out: %s", error)
        return None
    if not mask.any():
        _log.warning("left out: %s: its mask is empty", pair.key)
        return None
    high, wide = (value // LATENT for value in mask.shape)
    objects = mask.reshape(high, LATENT, wide, LATENT).any((1, 3))
    return _Sized(number, raster, np.asarray(objects))


def size_of(side: int, width: int, height: int) -> tuple[int, int]:
    """Return the size at which an image is encoded: the shorter side as given, both whole cells.

    What is more than 4 times as long as that is squeezed: memory has to hold all of it at once.
    """
    scale = side / min(width, height)
    wide, high = (min(max(side, round(value * scale / LATENT) * LATENT), 4 * side) for value in (width, height))
    return wide, high


@torch.no_grad()
def _encoded(model: Diffusion, images: list[_Sized]) -> list[npt.NDArray[np.float16]]:
    pixels = torch.from_numpy(np.stack([one.raster for one in images])).to(model.placement.device)
    plain = pixels.permute(0, 3, 1, 2).float() / 127.5 - 1
    both = torch.cat([plain, plain.flip(-1)])
    posterior = model.vae.encode(both.to(model.vae.dtype)).latent_dist
    values = torch.stack([posterior.mean, posterior.std], 1) * model.vae.config.scaling_factor
    halves = values.to(torch.float16).cpu().unflatten(0, (2, -1)).transpose(0, 1)
    return list(halves.numpy())


def _tensors(images: Sequence[_Sized], values: Sequence[npt.NDArray[np.float16]]) -> dict[str, np.ndarray]:
    result: dict[str, np.ndarray] = {}
    for image, one in zip(images, values, strict=True):
        result[f"{image.number}.values"] = np.ascontiguousarray(one)
        result[f"{image.number}.objects"] = image.objects
    return result
