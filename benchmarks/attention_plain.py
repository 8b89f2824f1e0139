"""Maps of cross-attention one by one, written down plainly as the publication's code makes them.

For each image and each step the network sees one latent image; every layer of cross-attention computes by its
weights, and all of them are kept at full size, steps x layers x tokens x 64 x 64, until the mean is taken at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from producers.diffusion.canvas import LATENT, Canvas
from producers.diffusion.model import Diffusion
from producers.diffusion.noise import normal
from producers.scene import Scene
from producers.segment.attention_maps import Asked, Maps
from producers.segment.attention_settings import AttentionSettings


class Keeping:
    """Cross-attention that computes by its weights and keeps their mean over heads."""

    def __init__(self, kept: list[torch.Tensor], grid: int) -> None:
        self.kept, self.grid = kept, grid

    def __call__(
        self, attn: Any, hidden_states: torch.Tensor, encoder_hidden_states: torch.Tensor, **_: Any
    ) -> torch.Tensor:
        """Attend."""
        query, key, value = (
            attn.head_to_batch_dim(part)
            for part in (attn.to_q(hidden_states), attn.to_k(encoder_hidden_states), attn.to_v(encoder_hidden_states))
        )
        weights = ((query.float() @ key.float().transpose(1, 2)) * attn.scale).softmax(-1)
        side = int(hidden_states.shape[1] ** 0.5)
        layer = weights.mean(0).T.reshape(1, -1, side, side)
        self.kept.append(functional.interpolate(layer, (self.grid, self.grid), mode="nearest")[0])
        return attn.to_out[0](attn.batch_to_head_dim(weights.to(value.dtype) @ value))


class OneByOne:
    """Makes the same maps as `AttentionMaps`, slowly."""

    def __init__(self, model: Diffusion, settings: AttentionSettings) -> None:
        self.model, self.settings = model, settings
        self.grid = settings.side // LATENT
        self.kept: list[torch.Tensor] = []
        processors = dict(model.unet.attn_processors)
        mine = {name: Keeping(self.kept, self.grid) for name in processors if name.endswith(".attn2.processor")}
        model.unet.set_attn_processor({**processors, **mine})

    @torch.inference_mode()
    def of(self, scenes: Sequence[Scene], asked: Sequence[Asked]) -> Maps:
        """Return n x grid x grid."""
        return np.stack([self._map(scenes[one.scene], one) for one in asked])

    def _map(self, scene: Scene, asked: Asked) -> Maps:
        model, settings, shape = self.model, self.settings, (4, self.grid, self.grid)
        height, width, _ = scene.raster.shape
        pixels = Canvas.of(height, width, settings.side).pixels(scene.raster, model.placement.device)
        latents = model.latents(pixels[None], normal(shape, "vae", settings.seed, scene.key)[None])
        tokens = model.encoded([asked.phrase.text])
        steps = []
        for step in settings.timesteps:
            noise = normal(shape, "noise", settings.seed, scene.key, step, 0)[None]
            timestep = torch.tensor([step], device=model.placement.device)
            self.kept.clear()
            model.predicted(model.noised(latents, noise, timestep), timestep, tokens)
            steps.append(torch.stack(self.kept))
        whole = torch.stack(steps)
        mean: Maps = whole[:, :, list(asked.phrase.tokens)].mean((0, 1)).sum(0).cpu().numpy()
        return mean
