"""The size at which detectors of DETR's family look at images, and the tensors that these become."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn import functional
from transformers.utils.hub import cached_file

from producers.devices.placement import Placement
from producers.devices.stacks import stacks
from producers.scene import Raster

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, as all published weights expect


@dataclass(frozen=True, kw_only=True)
class InputSize:
    """A size to which images are brought before they are looked at.

    Attributes:
        shorter: side in pixels to which the shorter one is scaled,
        longer: unless the longer one would exceed this.
        multiple: to which both sides are padded, so that images of nearly the same shape share a batch.
    """

    shorter: int = 800
    longer: int = 1333
    multiple: int = 32

    def scaled(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width after scaling; the rounding is that of DETR's and its descendants' processors."""
        low, high = min(height, width), max(height, width)
        target = min(float(self.shorter), self.longer * low / high)
        short = round(target)
        long = int(target * high / low)
        return (short, long) if height <= width else (long, short)

    def padded(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width after scaling and padding."""
        high, wide = self.scaled(height, width)
        return high + -high % self.multiple, wide + -wide % self.multiple

    def pixels(self, rasters: Sequence[Raster], placement: Placement) -> tuple[torch.Tensor, torch.Tensor]:
        """Return normalised pixels, padded with zeros, and which of them are image.

        Args:
            rasters: n images whose padded sizes are the same; those of the same size are scaled at once.
            placement: of the tensors.

        Returns:
            n x 3 x height x width in float32, and n x height x width in int64, 1 inside of the image.
        """
        high, wide = self.padded(*rasters[0].shape[:2])
        pixels = torch.zeros(len(rasters), 3, high, wide, device=placement.device)
        seen = torch.zeros(len(rasters), high, wide, dtype=torch.int64, device=placement.device)
        mean, std = (pixels.new_tensor(values).view(3, 1, 1) for values in (_MEAN, _STD))
        for where, stack in stacks(rasters, placement):
            size = self.scaled(*stack.shape[2:])
            scaled = functional.interpolate(stack, size, mode="bilinear", antialias=True)
            pixels[where, :, : size[0], : size[1]] = scaled.div_(255).sub_(mean).div_(std)
            seen[where, : size[0], : size[1]] = 1
        return pixels, seen


def input_size(model: str, revision: str | None) -> InputSize:
    """Return the size that the model's own processor scales images to, where its repository says so."""
    path = cached_file(
        model, "preprocessor_config.json", revision=revision, _raise_exceptions_for_missing_entries=False
    )
    size = json.loads(Path(path).read_text(encoding="utf-8")).get("size", {}) if path else {}
    standard = InputSize()
    return InputSize(
        shorter=size.get("shortest_edge", standard.shorter), longer=size.get("longest_edge", standard.longer)
    )
