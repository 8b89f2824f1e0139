"""Masks in boxes or at points by SAM or a successor, whoever's code it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple, Protocol

import torch

from fornet_hf.format.masks import Box, Mask
from producers.devices.batches import BatchSize, run_batched
from producers.devices.opencv import largest_filled
from producers.devices.placement import Placement
from producers.scene import Identity, Point, Raster
from producers.segment.square import Size, Square, fetched
from producers.segment.threads import threads

Embeddings = tuple[torch.Tensor, ...]
"""Maps of n images, each n x channels x h x w: one, or several of different sizes."""

_Ask = Callable[[Embeddings, torch.Tensor], torch.Tensor]  # `Network.masks` or `Network.masks_at`

# Values of masks at a time, at the size of the square or of the image: 512 MiB; a CPU is faster with few.
_VALUES, _CPU_VALUES = 2**27, 10**7


class Network(Protocol):
    """SAM or a successor."""

    @property
    def square(self) -> Square:
        """The square that it looks at."""

    def embed(self, pixels: torch.Tensor) -> Embeddings:
        """Return embeddings of normalised images (n x 3 x side x side)."""

    def masks(self, embeddings: Embeddings, boxes: torch.Tensor) -> torch.Tensor:
        """Return logits (n x 3 x h x w), above 0 inside, of the three masks that each box (n x 4) may mean.

        The embeddings are those of each box's image.
        """

    def masks_at(self, embeddings: Embeddings, points: torch.Tensor) -> torch.Tensor:
        """Return the same for points (n x 2)."""


class _Prompt(NamedTuple):
    image: int  # its number in the batch
    size: Size  # of that image
    numbers: Sequence[int]  # of the box or the point


@dataclass(frozen=True, kw_only=True)
class BoxSegmenter:
    """A segmenter that unites the three masks which a network offers for a box or a point: the largest part, filled.

    Attributes:
        network: of the masks.
        placement: of the network.
        source: what the manifest says: name, model, revision.
        batch_size: images at a time; they all lie on the same square.
    """

    network: Network
    placement: Placement
    source: tuple[str, str, str]
    batch_size: BatchSize = field(default_factory=lambda: BatchSize(16))

    @property
    def identity(self) -> Identity:
        """The model, as the manifest names it."""
        name, model, revision = self.source
        settings = (("precision", self.placement.precision),)
        return Identity(name=name, model=model, revision=revision, settings=settings)

    def bucket(self, height: int, width: int) -> None:  # noqa: ARG002
        """Say that images of all sizes may share a batch."""
        return

    def segment(self, rasters: Sequence[Raster], boxes: Sequence[Sequence[Box]]) -> list[list[Mask]]:
        """Return for each image a mask of its size for each of its boxes; images without boxes cost nothing."""
        return self._segment(rasters, boxes, self.network.masks)

    def segment_points(self, rasters: Sequence[Raster], points: Sequence[Sequence[Point]]) -> list[list[Mask]]:
        """Return the same for points."""
        return self._segment(rasters, points, self.network.masks_at)

    def _segment(
        self, rasters: Sequence[Raster], prompts: Sequence[Sequence[Sequence[int]]], ask: _Ask
    ) -> list[list[Mask]]:
        asked = [image for image in zip(rasters, prompts, strict=True) if image[1]]
        with threads() as executor:  # they outline the masks of a batch while a GPU is at the next one

            def run(images: list[tuple[Raster, Sequence[Sequence[int]]]]) -> list[list[Future[Mask]]]:
                return [
                    [executor.submit(largest_filled, mask) for mask in masks] for masks in self._united(images, ask)
                ]

            answers = iter(run_batched(asked, run, size=self.batch_size))
            return [[one.result() for one in next(answers)] if some else [] for some in prompts]

    def _united(self, images: Sequence[tuple[Raster, Sequence[Sequence[int]]]], ask: _Ask) -> list[list[Mask]]:
        """Return for each image of a batch, for each of its prompts, all that one of its three masks holds."""
        asked = [
            _Prompt(index, (raster.shape[0], raster.shape[1]), numbers)
            for index, (raster, prompts) in enumerate(images)
            for numbers in prompts
        ]
        asked.sort(key=lambda one: one.size)  # stable: those of an image stay in order
        with self.placement.inference():
            pixels = self.network.square.pixels([raster for raster, _ in images], self.placement)
            embeddings = self.network.embed(pixels)
            found = [mask for some in self._portions(asked) for mask in self._masks(embeddings, some, ask)]
            masks = fetched(found)
        result: list[list[Mask]] = [[] for _ in images]
        for one, mask in zip(asked, masks, strict=True):
            result[one.image].append(mask)
        return result

    def _masks(self, embeddings: Embeddings, asked: Sequence[_Prompt], ask: _Ask) -> Iterator[torch.Tensor]:
        """Yield the masks of prompts: bool, height x width, on the device."""
        move, sizes = self.placement.moved, [one.size for one in asked]
        rows = move(torch.tensor([one.image for one in asked]))
        points = torch.tensor([one.numbers for one in asked], dtype=torch.float32).reshape(len(asked), -1, 2)
        places = move(self.network.square.places(points, sizes)).flatten(1)
        logits = ask(tuple(maps[rows] for maps in embeddings), places).float()
        start = 0
        for size, same in groupby(sizes):
            end = start + len([*same])
            yield from (self.network.square.restored(logits[start:end], size) > 0).any(1)
            start = end

    def _portions(self, asked: Sequence[_Prompt]) -> Iterator[list[_Prompt]]:
        """Yield prompts to be answered together: as many as memory should hold, or if so placed those of an image."""
        least, most = self.network.square.side**2, _CPU_VALUES if self.placement.device == "cpu" else _VALUES
        portion: list[_Prompt] = []
        values = 0
        for one in asked:
            more = 3 * max(least, one.size[0] * one.size[1])
            other = "decoding" not in self.placement.speedups and portion and portion[-1].image != one.image
            if portion and (other or values + more > most):
                yield portion
                portion, values = [], 0
            portion.append(one)
            values += more
        yield portion
