"""Images to latents and back, by autoencoders of diffusers, an image at a time.

They work in the weights' own precision, for which float32 is chosen: lower ones cost quality. At full size one
image takes gigabytes, so more of them at a time would only take memory from the network that follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch


def encoded(vae: Any, images: torch.Tensor, generators: Sequence[torch.Generator]) -> torch.Tensor:
    """Return latents drawn from the posteriors, n x channels x h/8 x w/8, scaled as networks take them.

    Args:
        vae: autoencoder.
        images: n x 3 x h x w, 0 to 1.
        generators: of the draws, one for each image.
    """
    drawn = [
        vae.encode((image[None] * 2 - 1).to(vae.dtype)).latent_dist.sample(generator)
        for image, generator in zip(images, generators, strict=True)
    ]
    return (torch.cat(drawn).float() - _shift(vae)) * float(vae.config.scaling_factor)


def decoded(vae: Any, latents: torch.Tensor) -> torch.Tensor:
    """Return the images of latents: float32, n x 3 x h x w, 0 to 1."""
    scaled = (latents.float() / float(vae.config.scaling_factor) + _shift(vae)).to(vae.dtype)
    images = torch.cat([vae.decode(one[None]).sample.float() for one in scaled])
    return (images / 2 + 0.5).clamp(0, 1)


def _shift(vae: Any) -> float:
    return float(vae.config.get("shift_factor") or 0)
