"""Images out of noise, by DDIM without new noise on the way (eta 0)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from diffusers import DDIMScheduler

from producers.diffusion.finite import finite
from producers.diffusion.model import Diffusion

Blend = Callable[[torch.Tensor, int], torch.Tensor]


@torch.no_grad()
def denoised(
    model: Diffusion,
    noise: torch.Tensor,
    tokens: torch.Tensor,
    *,
    steps: int = 50,
    guidance: float = 1.0,
    opposite: torch.Tensor | None = None,
    blend: Blend | None = None,
) -> torch.Tensor:
    """Return latents made of noise, float32, of its shape.

    Args:
        model: whose U-Net takes the noise away.
        noise: standard normal numbers, n x channels x h x w.
        tokens: of the prompt, 1 or n x 77 x channels.
        steps: from noise to image.
        guidance: weight of the prompt's prediction against that of `opposite`; at 1 only the prompt is asked.
        opposite: tokens that guidance leads away from, of the shape of `tokens`.
        blend: makes of the latents before a step, and its timestep, those that the step begins with.

    Raises:
        ConfigurationError: values overflow, as they may in float16.
    """
    latents, count = noise.to(model.placement.device), len(noise)
    guided = opposite is not None and guidance != 1
    asked = torch.cat([one.expand(count, -1, -1) for one in (tokens, opposite) if one is not None][: 1 + guided])
    scheduler = DDIMScheduler.from_config(model.scheduler.config)
    scheduler.set_timesteps(steps)
    for time in scheduler.timesteps.tolist():
        if blend is not None:
            latents = blend(latents, time)
        both = latents.repeat(1 + guided, 1, 1, 1)
        predicted = model.predicted(both, torch.full((len(both),), time), asked)
        if guided:
            wanted, other = predicted.chunk(2)
            predicted = other + guidance * (wanted - other)
        latents = scheduler.step(predicted, time, latents).prev_sample
    return finite(latents, model.placement.precision)
