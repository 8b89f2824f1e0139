"""Infilling by Attentive Eraser: SDXL's inpainting pipeline with the self-attention of `eraser_attention`.

Its guidance by attention is the arithmetic of classifier-free guidance with the same empty prompt on both sides,
so the pipeline of diffusers does it unchanged.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from diffusers import DDIMScheduler, StableDiffusionXLInpaintPipeline
from torch.nn import functional

from fornet_hf.format.masks import Mask
from producers.devices.batches import BatchSize, run_batched
from producers.devices.opencv import fade
from producers.devices.placement import Placement
from producers.devices.weights import commit_of, from_hub, name_of
from producers.infill.eraser_attention import AttentiveEraserProcessor, EraserState, erasing
from producers.infill.eraser_settings import LATENT, EraserSettings
from producers.infill.shared_halves import shared_halves
from producers.scene import Identity, Raster


class EmptyPrompt(NamedTuple):
    """The encoding of "": `tokens` is 1 x 77 x channels, `pooled` is 1 x channels."""

    tokens: torch.Tensor
    pooled: torch.Tensor


class AttentiveEraser:
    """Infiller for images of any shape, in batches of equal shape."""

    def __init__(
        self,
        pipeline: Any,
        prompt: EmptyPrompt,
        placement: Placement,
        *,
        source: tuple[str, str] = ("unknown", "unknown"),
        settings: EraserSettings | None = None,
        batch_size: int = 4,
    ) -> None:
        self._pipeline = pipeline
        self._prompt = prompt
        self._placement = placement
        self._source = source
        self.settings = settings or EraserSettings()
        self.batch_size = BatchSize(batch_size)

    @classmethod
    def load(
        cls,
        placement: Placement,
        model: str,
        revision: str | None = None,
        *,
        settings: EraserSettings | None = None,
        batch_size: int = 4,
    ) -> AttentiveEraser:
        """Load Attentive Eraser with SDXL's weights from the Hub or a local folder.

        Raises:
            NotFoundError: they are not there; the message has the line that fetches them.
        """
        commit = commit_of(model, revision, file="model_index.json")
        dtype = placement.dtype
        pipeline = from_hub(
            StableDiffusionXLInpaintPipeline.from_pretrained,
            model,
            commit,
            dtype=dtype,
            add_watermarker=False,
            **({} if dtype == torch.float32 or Path(model).is_dir() else {"variant": "fp16"}),  # half the download
        ).to(placement.device)
        pipeline.set_progress_bar_config(disable=True)
        use_ddim(pipeline)
        prompt = encode_empty_prompt(pipeline)
        source = (model, name_of(model, commit))
        return cls(pipeline, prompt, placement, source=source, settings=settings, batch_size=batch_size)

    @property
    def identity(self) -> Identity:
        """The model, as the manifest names it."""
        model, revision = self._source
        settings = {**vars(self.settings), "precision": self._placement.precision}
        return Identity(
            name="attentive-eraser", model=model, revision=revision, settings=tuple(sorted(settings.items()))
        )

    def infill(self, rasters: Sequence[Raster], holes: Sequence[Mask]) -> list[Raster]:
        """Return each image with its hole filled; outside of the hole nothing changes."""
        images = list(zip(rasters, holes, strict=True))
        asked = [image for image in images if image[1].any()]
        answers = iter(
            run_batched(
                asked, self._erase, size=self.batch_size, key=lambda image: self.settings.shape(*image[1].shape)
            )
        )
        return [next(answers) if hole.any() else raster.copy() for raster, hole in images]

    def _erase(self, asked: list[tuple[Raster, Mask]]) -> list[Raster]:
        shape = self.settings.shape(*asked[0][1].shape)
        images = torch.cat([self._image(raster, hole, shape) for raster, hole in asked])
        # A token or latent value belongs to the object as soon as one of its pixels does.
        masks = torch.cat([self._hole(hole, shape) for _, hole in asked])
        generators = [self._generator(raster, hole) for raster, hole in asked]
        output = self._run(images, masks, generators)
        return [self._paste(raster, hole, erased) for (raster, hole), erased in zip(asked, output, strict=True)]

    def _image(self, raster: Raster, hole: Mask, shape: tuple[int, int]) -> torch.Tensor:
        """Return the image with a black hole: float32, 1 x 3 x height x width, 0 to 1."""
        pixels = self._placement.pixels(np.where(hole[..., None], np.uint8(0), raster))[None] / 255
        return functional.interpolate(pixels, shape, mode="bilinear", antialias=True).clamp(0, 1)

    def _hole(self, hole: Mask, shape: tuple[int, int]) -> torch.Tensor:
        """Return float32, 1 x 1 x height x width, 0 or 1, constant over each latent value; keep thin holes."""
        latent = (shape[0] // LATENT, shape[1] // LATENT)
        pixels = torch.tensor(hole, dtype=torch.float32, device=self._placement.device)[None, None]
        fine = functional.interpolate(pixels, _covering(pixels.shape[-2:], latent), mode="nearest-exact")
        return functional.interpolate(functional.adaptive_max_pool2d(fine, latent), shape, mode="nearest")

    def _generator(self, raster: Raster, hole: Mask) -> torch.Generator:
        content = np.packbits(hole).tobytes() + raster.tobytes() + str(self.settings.seed).encode()
        seed = int.from_bytes(hashlib.sha256(content).digest()[:7], "big")
        return torch.Generator(self._placement.device).manual_seed(seed)

    def _run(self, images: torch.Tensor, masks: torch.Tensor, generators: list[torch.Generator]) -> torch.Tensor:
        """Return the erased images: float32, n x 3 x height x width, 0 to 1."""
        count, settings = len(images), self.settings
        state = EraserState()
        state.begin(masks, (2 * LATENT, 4 * LATENT))
        processor = AttentiveEraserProcessor(
            state, suppressed_steps=settings.suppressed_steps, suppression=settings.suppression
        )

        def advance(_pipe: Any, step: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            state.step = step + 1
            return tensors

        tokens, pooled = (value.expand(count, *value.shape[1:]) for value in self._prompt)
        with erasing(self._pipeline.unet, processor), self._fast():
            output = self._pipeline(
                image=images,
                mask_image=masks,
                height=images.shape[2],
                width=images.shape[3],
                prompt_embeds=tokens,
                negative_prompt_embeds=tokens,
                pooled_prompt_embeds=pooled,
                negative_pooled_prompt_embeds=pooled,
                masked_image_latents=self._unused_latents(images),
                guidance_scale=settings.guidance,
                strength=settings.strength,
                num_inference_steps=settings.steps,
                generator=generators,
                callback_on_step_end=advance,
                output_type="pt",
            )
        result: torch.Tensor = output.images.float()
        return result

    def _fast(self) -> contextlib.AbstractContextManager[None]:
        shared = "shared-halves" in self._placement.speedups
        return shared_halves(self._pipeline.unet) if shared else contextlib.nullcontext()

    def _unused_latents(self, images: torch.Tensor) -> torch.Tensor:
        """Return zeros: only networks made for inpainting look at the masked image, and encoding it takes time."""
        count, _, height, width = images.shape
        channels = self._pipeline.vae.config.latent_channels
        return torch.zeros(
            count, channels, height // LATENT, width // LATENT, device=images.device, dtype=self._prompt.tokens.dtype
        )

    def _paste(self, raster: Raster, hole: Mask, erased: torch.Tensor) -> Raster:
        pixels = functional.interpolate(erased[None], hole.shape, mode="bicubic", antialias=True)[0]
        filled = (pixels.permute(1, 2, 0) * 255).clamp(0, 255).cpu().numpy()
        weight = fade(hole, self.settings.feather)[..., None]
        result: Raster = (raster * (1 - weight) + filled * weight).round().astype(np.uint8)
        return result


def encode_empty_prompt(pipeline: Any) -> EmptyPrompt:
    """Return the encoding of "" by the pipeline's text encoders, which are then let go to free their memory."""
    with torch.inference_mode():
        tokens, _, pooled, _ = pipeline.encode_prompt(prompt="", do_classifier_free_guidance=False)
    pipeline.register_modules(text_encoder=None, text_encoder_2=None, tokenizer=None, tokenizer_2=None)
    return EmptyPrompt(tokens, pooled)


def use_ddim(pipeline: Any) -> None:
    """Give the pipeline the scheduler of the publication."""
    scheduler = DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
    )
    pipeline.register_modules(scheduler=scheduler)


def _covering(size: Sequence[int], grid: tuple[int, int]) -> tuple[int, int]:
    """Return the least multiple of the grid, in height and width, on which no pixel gets lost."""
    high, wide = (-(-side // cells) * cells for side, cells in zip(size, grid, strict=True))
    return high, wide
