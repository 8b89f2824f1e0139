"""Masks in boxes by a promptable network: what segment-anything's SAM and transformers' have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch.nn import functional

from fornet_hf.format.masks import Box, Mask
from producers.backends import Identity, Raster
from producers.devices.batches import BatchSize, run_batched
from producers.devices.placement import Placement
from producers.segment.contours import largest_filled

_MEAN, _STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)  # of SAM's training images, 0 to 255


class Network(Protocol):
    """SAM, whoever's code it is."""

    @property
    def side(self) -> int:
        """Pixels of the square which it looks at."""

    def embed(self, pixels: torch.Tensor) -> torch.Tensor:
        """Embeddings (n x channels x h x w) of normalised images (n x 3 x side x side)."""

    def masks(self, embedding: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
        """Logits (n x 3 x h x w), above 0 inside, of the three masks that each box (n x 4) of an image may mean."""


@dataclass(frozen=True, kw_only=True)
class BoxSegmenter:
    """Unites the three masks that SAM offers for a box and keeps the largest part, filled.

    Attributes:
        network: SAM.
        placement: of the network.
        source: what the manifest says: name, model, revision.
        batch_size: images at a time; they are all padded to the same square.
    """

    network: Network
    placement: Placement
    source: tuple[str, str, str]
    batch_size: BatchSize = field(default_factory=lambda: BatchSize(16))

    @property
    def identity(self) -> Identity:
        """What the manifest says about it."""
        name, model, revision = self.source
        settings = (("precision", self.placement.precision),)
        return Identity(name=name, model=model, revision=revision, settings=settings)

    def segment(self, rasters: Sequence[Raster], boxes: Sequence[Sequence[Box]]) -> list[list[Mask]]:
        """For each image a mask of its size for each of its boxes; images without boxes cost nothing."""
        images = list(zip(rasters, boxes, strict=True))
        asked = [image for image in images if image[1]]
        answers = iter(run_batched(asked, self._segment_batch, size=self.batch_size))
        return [next(answers) if found else [] for _, found in images]

    def _segment_batch(self, images: list[tuple[Raster, Sequence[Box]]]) -> list[list[Mask]]:
        with self.placement.inference():
            embeddings = self.network.embed(torch.stack([self._square(raster) for raster, _ in images]))
            return [
                self._masks(embedding, raster.shape[:2], boxes)
                for embedding, (raster, boxes) in zip(embeddings, images, strict=True)
            ]

    def _scaled(self, height: int, width: int) -> tuple[int, int]:
        scale = self.network.side / max(height, width)
        return int(height * scale + 0.5), int(width * scale + 0.5)

    def _square(self, raster: Raster) -> torch.Tensor:
        """The image scaled to the network's side, normalised and padded with zeros."""
        height, width = size = self._scaled(*raster.shape[:2])
        pixels = functional.interpolate(self.placement.pixels(raster)[None], size, mode="bilinear", antialias=True)[0]
        mean, std = (pixels.new_tensor(values).view(3, 1, 1) for values in (_MEAN, _STD))
        return functional.pad((pixels - mean) / std, (0, self.network.side - width, 0, self.network.side - height))

    def _masks(self, embedding: torch.Tensor, size: tuple[int, int], boxes: Sequence[Box]) -> list[Mask]:
        scaled = self._scaled(*size)
        factors = embedding.new_tensor([scaled[1] / size[1], scaled[0] / size[0]] * 2, dtype=torch.float32)
        prompts = torch.tensor(boxes, dtype=torch.float32, device=self.placement.device) * factors
        logits = self.network.masks(embedding, prompts).float()
        square = functional.interpolate(logits, (self.network.side,) * 2, mode="bilinear", align_corners=False)
        image = functional.interpolate(
            square[..., : scaled[0], : scaled[1]], tuple(size), mode="bilinear", align_corners=False
        )
        united = (image > 0).any(1).cpu().numpy()
        return [largest_filled(mask) for mask in united]
