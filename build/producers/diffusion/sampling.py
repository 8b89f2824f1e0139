"""Whole images out of a prompt."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from producers.diffusion.ddim import denoised
from producers.diffusion.model import Diffusion
from producers.diffusion.noise import normal
from producers.diffusion.shapes import LATENT
from producers.scene import Raster


def sampled(
    model: Diffusion,
    tokens: torch.Tensor,
    numbers: Sequence[int],
    *,
    seed: int = 0,
    side: int = 512,
    steps: int = 50,
    guidance: float = 1.0,
    opposite: torch.Tensor | None = None,
) -> list[Raster]:
    """Return images, uint8, side x side x 3; each depends on its number and the seed, not on the others.

    Args:
        model: that makes them.
        tokens: of the prompt, 1 x 77 x channels.
        numbers: of the images.
        seed: of the noise.
        side: of the images, a multiple of 64.
        steps: of DDIM.
        guidance: see `denoised`.
        opposite: likewise.
    """
    shape = (model.unet.config.in_channels, side // LATENT, side // LATENT)
    noise = torch.stack([normal(shape, "sample", seed, number) for number in numbers])
    latents = denoised(model, noise, tokens, steps=steps, guidance=guidance, opposite=opposite)
    levels = ((model.decoded(latents) + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return list(levels.permute(0, 2, 3, 1).cpu().numpy())
