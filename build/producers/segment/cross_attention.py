"""Segmenting by cross-attention of Stable Diffusion: the object is where the network looks at the object's name.

Dombrowski et al., "Foreground-Background Separation through Concept Distillation from Generative Image Foundation
Models", ICCV 2023. The image's latents are noised anew at each of many steps, and the mean of the network's maps is
cut by a threshold of the image's own.

It is fitted to the part of the map on which the image is, not to all of the canvas as in the publication: padding
looks at words in its own way, and would be a third group of values where two are sought.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from producers.devices.placement import Placement
from producers.diffusion.canvas import Canvas
from producers.diffusion.model import Diffusion
from producers.diffusion.model import load as load_diffusion
from producers.model_step import SegmentByPrompts
from producers.scene import Cut, Identity, Scene
from producers.segment.attention_maps import Asked, AttentionMaps, Maps
from producers.segment.attention_settings import AttentionSettings
from producers.segment.attention_words import objects, phrase
from producers.segment.mixture import threshold, without_orphans


class CrossAttention(SegmentByPrompts):
    """Finds the objects that scenes' prompts describe, where the network looks at their names."""

    def __init__(self, model: Diffusion, settings: AttentionSettings | None = None, *, batch_size: int = 32) -> None:
        """Take a model's U-Net over.

        Args:
            model: Stable Diffusion.
            settings: by default the published ones.
            batch_size: noised latents that the U-Net gets at a time, of several steps and images.

        Raises:
            ConfigurationError: the U-Net has no such layers as the settings name.
        """
        self.settings = settings or AttentionSettings()
        self._model = model
        self._maps = AttentionMaps(model, self.settings, batch_size)

    @classmethod
    def load(
        cls,
        placement: Placement,
        model: str,
        revision: str | None = None,
        *,
        settings: AttentionSettings | None = None,
        batch_size: int = 32,
    ) -> CrossAttention:
        """Load Stable Diffusion 1 or 2, or one fine-tuned from it, from the Hub or a local folder.

        Raises:
            NotFoundError: it is not there; the message has the line that fetches it.
            ConfigurationError: it is a diffusion model of another kind, or has no such layers as the settings name.
        """
        return cls(load_diffusion(placement, model, revision), settings, batch_size=batch_size)

    @property
    def identity(self) -> Identity:
        """The model, as the manifest names it."""
        model, revision = self._model.source
        settings = {**self.settings.noted(), "precision": self._model.placement.precision}
        return Identity(name="cross-attention", model=model, revision=revision, settings=tuple(settings.items()))

    def __call__(self, scenes: Sequence[Scene]) -> list[Scene]:
        """Return the scenes with a mask for each object that was found.

        Raises:
            ConfigurationError: an object's name is longer than what the network reads.
        """
        settings, tokenizer = self.settings, self._model.tokenizer
        wanted = [
            (index, prompt, phrase(tokenizer, settings.prompt, name, settings.tokens))
            for index, scene in enumerate(scenes)
            for name, prompt in objects(scene.prompts, parents=settings.parents).items()
        ]
        maps = self._maps.of(scenes, [Asked(index, found) for index, _, found in wanted])
        cuts: list[list[Cut]] = [[] for _ in scenes]
        for (index, prompt, _), values in zip(wanted, maps, strict=True):
            if found := cut(self._maps.canvas(scenes[index]), values, prompt):
                cuts[index].append(found)
        return [replace(scene, masks=tuple(found)) for scene, found in zip(scenes, cuts, strict=True)]


def cut(canvas: Canvas, values: Maps, prompt: str) -> Cut | None:
    """Return the object that a map shows; None if all of the image's part of it is the same.

    The score is the share of the values' variance that lies between object and background, 0 to 1.

    Args:
        canvas: the image's.
        values: the map, float32, grid x grid.
        prompt: that describes the object.
    """
    grid = len(values)
    rows, columns = canvas.cells(grid)
    image = values[:rows, :columns].astype(np.float64)  # their variance may be too small for float32
    level = threshold(image)
    if level is None:
        return None
    inside = image > level
    share, means = inside.mean(), (image[inside].mean(), image[~inside].mean())
    score = share * (1 - share) * (means[0] - means[1]) ** 2 / image.var()
    soft = canvas.fitted(values, grid)
    low, span = soft.min(), np.ptp(soft) or 1
    return Cut(
        mask=canvas.spread(without_orphans(inside), grid),
        prompt=prompt,
        score=float(score.clip(0, 1)),
        soft=np.round((soft - low) / span * 255).astype(np.uint8),
    )
