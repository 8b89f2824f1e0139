"""From images and questions about them to maps: passes through the U-Net, in batches across steps and images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from producers.devices.batches import BatchSize, run_batched
from producers.diffusion.canvas import Canvas
from producers.diffusion.finite import finite
from producers.diffusion.model import Diffusion
from producers.diffusion.noise import normal
from producers.diffusion.shapes import LATENT
from producers.scene import Scene
from producers.segment.attention_reader import AttentionReader, Shown, chosen, layers_of
from producers.segment.attention_settings import AttentionSettings
from producers.segment.attention_words import Phrase

Maps = npt.NDArray[np.float32]
_IMAGES = 8  # that the VAE gets at a time, at most: it needs more memory for one than the U-Net


class Asked(NamedTuple):
    """One object in one image.

    Attributes:
        scene: number of the image.
        phrase: that asks for the object.
    """

    scene: int
    phrase: Phrase


class _Pass(NamedTuple):
    asked: int  # its number
    timestep: int
    draw: int  # of the repeats at this step


class AttentionMaps:
    """Makes maps by a model whose U-Net it takes over.

    Noise is keyed by seed, image and step, so a map does not depend on what else is in a batch.
    """

    def __init__(self, model: Diffusion, settings: AttentionSettings, batch_size: int) -> None:
        """Prepare the model; see `CrossAttention`."""
        self.model = model
        self.settings = settings
        self.batch_size = BatchSize(batch_size)
        self.grid = settings.side // LATENT
        self._images = BatchSize(min(_IMAGES, batch_size))
        self._shape = (model.unet.config.in_channels, self.grid, self.grid)
        self._reader = AttentionReader(model.unet, chosen(layers_of(model.unet), settings.layers, self.grid))

    @torch.inference_mode()
    def of(self, scenes: Sequence[Scene], asked: Sequence[Asked]) -> Maps:
        """Return how much the network looks at each object: float32, n x grid x grid, over the whole canvas.

        Values are shares of attention, 0 to 1 for each token of the object: means over steps, layers and heads.

        Raises:
            torch.OutOfMemoryError: a single pass runs out of memory.
            ConfigurationError: values overflow, as they may in float16.
        """
        if not asked:
            return np.zeros((0, self.grid, self.grid), np.float32)
        moved = self.model.placement.moved
        latents = run_batched(scenes, self._latents, size=self._images)
        texts = list(dict.fromkeys(one.phrase.text for one in asked))
        tokens = self.model.encoded(texts)
        weights = moved(_weights(asked, tokens.shape[1]))
        sums = weights.new_zeros(len(asked), self.grid**2)

        def run(passes: list[_Pass]) -> list[_Pass]:
            ones = [asked[one.asked] for one in passes]
            timesteps = moved(torch.tensor([one.timestep for one in passes]))
            noise = [self._noise(scenes[one.scene], at) for one, at in zip(ones, passes, strict=True)]
            clean = torch.stack([latents[one.scene] for one in ones])
            noised = self.model.noised(clean, moved(torch.stack(noise)), timesteps)
            distinct = list(dict.fromkeys(one.phrase.text for one in ones))
            shown = Shown(
                tokens=torch.stack([tokens[texts.index(text)] for text in distinct]),
                rows=moved(torch.tensor([distinct.index(one.phrase.text) for one in ones])),
                weights=torch.stack([weights[one.asked] for one in passes]),
            )
            found = self._reader.read(noised, timesteps, shown).flatten(1)
            # not before the batch is through, as one that runs out of memory is run again; a product, as adding by
            # index has no fixed order on GPUs
            sums.add_(moved(_members(passes, len(asked))) @ found)
            return passes

        passes = [
            _Pass(row, timestep, draw)
            for row in range(len(asked))
            for draw in range(self.settings.repeats)
            for timestep in self.settings.timesteps
        ]
        run_batched(passes, run, size=self.batch_size)
        means = finite(sums * (len(asked) / len(passes)), self.model.placement.precision)
        return means.cpu().numpy().reshape(-1, self.grid, self.grid)

    def canvas(self, scene: Scene) -> Canvas:
        """Return the place of an image on the square."""
        height, width, _ = scene.raster.shape
        return Canvas.of(height, width, self.settings.side, enlarge=self.settings.enlarge)

    def _latents(self, scenes: list[Scene]) -> list[torch.Tensor]:
        images = [self.canvas(scene).pixels(scene.raster, self.model.placement.device) for scene in scenes]
        draws = [normal(self._shape, "vae", self.settings.seed, scene.key) for scene in scenes]
        return list(self.model.latents(torch.stack(images), torch.stack(draws)))

    def _noise(self, scene: Scene, at: _Pass) -> torch.Tensor:
        return normal(self._shape, "noise", self.settings.seed, scene.key, at.timestep, at.draw)


def _weights(asked: Sequence[Asked], tokens: int) -> torch.Tensor:
    """Return 1 for the tokens of each object, else 0: float32, n x tokens."""
    result = torch.zeros(len(asked), tokens)
    for row, one in zip(result, asked, strict=True):
        row[list(one.phrase.tokens)] = 1
    return result


def _members(passes: Sequence[_Pass], count: int) -> torch.Tensor:
    """Return 1 where a pass is for an object, else 0: float32, objects x passes."""
    return (torch.arange(count)[:, None] == torch.tensor([one.asked for one in passes])).float()
