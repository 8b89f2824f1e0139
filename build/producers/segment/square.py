"""The square of pixels that SAM and its successors look at: images are laid on it, and masks are taken from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional

from fornet_hf.format.masks import Mask
from producers.devices.placement import Placement
from producers.devices.stacks import stacks
from producers.scene import Raster

Size = tuple[int, int]  # height, width


@dataclass(frozen=True, kw_only=True)
class Square:
    """A way to lay images on a square.

    Attributes:
        side: of the square, pixels.
        mean: of red, green and blue in the network's training images, 0 to 255.
        std: their standard deviations.
        padded: whether images keep their shape and lie at the top left, with zeros beside them; else each is
            stretched over the whole square.
    """

    side: int
    mean: tuple[float, float, float] = (123.675, 116.28, 103.53)
    std: tuple[float, float, float] = (58.395, 57.12, 57.375)
    padded: bool = False

    def scaled(self, size: Size) -> Size:
        """Return height and width of an image on the square."""
        if not self.padded:
            return self.side, self.side
        scale = self.side / max(size)
        return int(size[0] * scale + 0.5), int(size[1] * scale + 0.5)

    def pixels(self, rasters: Sequence[Raster], placement: Placement) -> torch.Tensor:
        """Return images on the square, normalised: float32, n x 3 x side x side."""
        result = torch.zeros(len(rasters), 3, self.side, self.side, device=placement.device)
        mean, std = (result.new_tensor(values).view(3, 1, 1) for values in (self.mean, self.std))
        for where, pixels in stacks(rasters, placement):
            size = self.scaled((pixels.shape[2], pixels.shape[3]))
            small = functional.interpolate(pixels, size, mode="bilinear", antialias=True)
            result[where, :, : size[0], : size[1]] = small.sub_(mean).div_(std)
        return result

    def places(self, points: torch.Tensor, sizes: Sequence[Size]) -> torch.Tensor:
        """Return points (x, y in pixels of the image; float32, n x k x 2) in pixels of the square.

        Args:
            points: of n prompts.
            sizes: of the image that each prompt is about.
        """
        factors = [
            (scaled[1] / size[1], scaled[0] / size[0])
            for size, scaled in zip(sizes, map(self.scaled, sizes), strict=True)
        ]
        return points * torch.tensor(factors)[:, None]

    def restored(self, logits: torch.Tensor, size: Size) -> torch.Tensor:
        """Return logits (float32, n x k x h x h, the whole square) scaled to images of one size: n x k x that size.

        Padded squares are first scaled to their side, which must be a multiple of h, as SAM's authors do.
        """
        if self.padded:
            high, wide = self.scaled(size)
            cell = self.side // logits.shape[-1]
            part = logits[..., : high // cell + 2, : wide // cell + 2]  # no more than the image's values depend on
            logits = _scaled(part, (cell * part.shape[-2], cell * part.shape[-1]))[..., :high, :wide]
        return _scaled(logits, size)


def fetched(masks: Sequence[torch.Tensor]) -> list[Mask]:
    """Return masks (bool, each height x width of any size) from a device, which is waited for once."""
    if not masks:
        return []
    values = torch.cat([mask.flatten() for mask in masks]).cpu()
    parts = torch.split(values, [mask.numel() for mask in masks])
    return [part.reshape(mask.shape).numpy() for part, mask in zip(parts, masks, strict=True)]


def _scaled(values: torch.Tensor, size: Size) -> torch.Tensor:
    return functional.interpolate(values, size, mode="bilinear", align_corners=False)
