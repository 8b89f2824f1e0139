"""Examples, all of whose chance belongs to a visit, and the loss of a batch of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from fornet_hf.format.masks import Mask
from fornet_hf.recombination.draw.rng import generator
from producers.diffusion.model import Diffusion
from producers.diffusion.shapes import LATENT
from producers.diffusion.steps import TRAINED
from producers.training.visits import Visit
from producers.tuning.posteriors import Posteriors
from producers.tuning.rectangles import Rectangles
from producers.tuning.settings import TuningSettings

OBJECT, BACKGROUND = 0, 1
"""The prompts by number."""


class Example(NamedTuple):
    """One visit of an image.

    Attributes:
        latents: float32, channels x side x side.
        noise: that is added to them, likewise.
        counts: the cells that count, side x side.
        prompt: `OBJECT` or `BACKGROUND`.
        timestep: 0 to 999.
    """

    latents: npt.NDArray[np.float32]
    noise: npt.NDArray[np.float32]
    counts: Mask
    prompt: int
    timestep: int


def example(posteriors: Posteriors, visit: Visit, settings: TuningSettings) -> Example:
    """Draw a visit: the same in any process, after any number of others."""
    rng, side = generator("example", settings.seed, *visit), settings.side // LATENT
    crop = posteriors.crop(visit.sample, side, rng)
    prompt = OBJECT if rng.random() < settings.whole else BACKGROUND
    counts = np.ones_like(crop.objects) if prompt == OBJECT else Rectangles.of(side).draw(crop.objects, rng)
    timestep = int(rng.integers(TRAINED))
    draw, noise = rng.standard_normal((2, *crop.mean.shape), np.float32)
    return Example(crop.mean + crop.deviation * draw, noise, counts, prompt, timestep)


class Batch(NamedTuple):
    """Examples as tensors on a device; see `Example`."""

    latents: torch.Tensor
    noise: torch.Tensor
    counts: torch.Tensor
    prompts: torch.Tensor
    timesteps: torch.Tensor


def batch_of(examples: Sequence[Example], device: torch.device | str) -> Batch:
    """Return examples together."""
    tensors = [torch.from_numpy(np.stack(values)) for values in zip(*examples, strict=True)]
    if torch.device(device).type == "cuda":  # so that copying does not wait for the steps before
        tensors = [one.pin_memory() for one in tensors]
    return Batch(*(one.to(device, non_blocking=True) for one in tensors))


def target(model: Diffusion, batch: Batch) -> torch.Tensor:
    """Return what the U-Net is to predict: the noise, or the velocity of models that predict that."""
    if model.prediction_type == "epsilon":
        return batch.noise
    alphas = model.alphas_at(batch.timesteps, batch.latents.device)
    velocity: torch.Tensor = alphas.sqrt() * batch.noise - (1 - alphas).sqrt() * batch.latents
    return velocity


def masked_error(predicted: torch.Tensor, wanted: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """Return the squared error where cells count, averaged over all of them: small rectangles weigh little.

    Args:
        predicted: n x channels x side x side.
        wanted: likewise.
        counts: n x side x side.
    """
    return ((predicted - wanted) * counts[:, None]).square().mean()
