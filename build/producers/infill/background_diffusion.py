"""Infilling by a diffusion model that knows what a background is: latent blending under the background's prompt.

Every step begins with the image's own latents, noised as that step has them, outside of the hole, and with those
that the steps before have made inside of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import torch

from fornet_hf.format.masks import Mask
from producers.devices.batches import BatchSize
from producers.devices.opencv import blended
from producers.devices.placement import Placement
from producers.diffusion.canvas import Canvas
from producers.diffusion.concepts import Concepts
from producers.diffusion.ddim import denoised
from producers.diffusion.model import Diffusion, load
from producers.diffusion.noise import normal
from producers.diffusion.shapes import LATENT
from producers.infill.background_settings import BackgroundSettings
from producers.infill.working_image import Asked, infilled
from producers.scene import Identity, Raster


class BackgroundDiffusion:
    """Infiller for images of any shape, all in batches, as all are put on the same canvas."""

    def __init__(
        self,
        model: Diffusion,
        concepts: Concepts,
        settings: BackgroundSettings | None = None,
        *,
        batch_size: int = 8,
    ) -> None:
        self.settings = settings or BackgroundSettings()
        self.batch_size = BatchSize(batch_size)
        self._model = model
        self._concepts = concepts
        self._tokens = model.encoded([concepts.background])
        self._opposite = model.encoded([concepts.object])

    @property
    def identity(self) -> Identity:
        """The model, as the manifest names it."""
        model, revision = self._model.source
        settings = {
            **vars(self.settings),
            "prompt": self._concepts.background,
            "precision": self._model.placement.precision,
        }
        return Identity(
            name="background-diffusion", model=model, revision=revision, settings=tuple(sorted(settings.items()))
        )

    def infill(self, rasters: Sequence[Raster], holes: Sequence[Mask]) -> list[Raster]:
        """Return each image with its hole filled; outside of the hole nothing changes."""
        return infilled(rasters, holes, self._fill, size=self.batch_size)

    def _fill(self, asked: list[Asked]) -> list[Raster]:
        model, settings = self._model, self.settings
        device, grid = model.placement.device, settings.side // LATENT
        canvases = [Canvas.of(hole.shape[0], hole.shape[1], settings.side) for _, hole in asked]
        names = [_digest(raster, hole) for raster, hole in asked]

        def noise(*name: object) -> torch.Tensor:
            shape = (model.unet.config.in_channels, grid, grid)
            drawn = [normal(shape, "infill", settings.seed, one, *name) for one in names]
            return model.placement.moved(torch.stack(drawn))

        pixels = [canvas.pixels(raster, device) for canvas, (raster, _) in zip(canvases, asked, strict=True)]
        known = model.latents(torch.stack(pixels), noise("posterior"))
        # A cell is made anew as soon as one of its pixels is of the object.
        cells = [canvas.touched(hole, grid) for canvas, (_, hole) in zip(canvases, asked, strict=True)]
        inside = torch.from_numpy(np.stack(cells))[:, None].to(device)

        def blend(latents: torch.Tensor, time: int) -> torch.Tensor:
            outside = model.noised(known, noise(time), torch.full((len(asked),), time))
            return torch.where(inside, latents, outside)

        made = denoised(
            model,
            noise("start"),
            self._tokens,
            steps=settings.steps,
            guidance=settings.guidance,
            opposite=self._opposite,
            blend=blend,
        )
        filled = model.decoded(torch.where(inside, made, known))
        return [
            blended(raster, canvas.raster(one), hole, settings.feather)
            for (raster, hole), canvas, one in zip(asked, canvases, filled, strict=True)
        ]


def _digest(raster: Raster, hole: Mask) -> str:
    content = repr(hole.shape).encode() + np.packbits(hole).tobytes() + raster.tobytes()
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def load_background_diffusion(
    placement: Placement,
    model: str,
    revision: str | None = None,
    *,
    settings: BackgroundSettings | None = None,
    batch_size: int = 8,
) -> BackgroundDiffusion:
    """Load what `finetune_background.py` made, from a folder or the Hub; any other model needs the setting `prompt`.

    Raises:
        NotFoundError: it is not there; the message has the line that fetches it.
        ConfigurationError: the model was not fine-tuned on two prompts, or is of another kind.
    """
    settings = settings or BackgroundSettings()
    given = settings.prompt
    concepts = Concepts.read(model, revision) if given is None else Concepts(object="", background=given)
    return BackgroundDiffusion(load(placement, model, revision), concepts, settings, batch_size=batch_size)
