"""Infilling by Attentive Eraser: SDXL's inpainting pipeline with the self-attention of `eraser_attention`.

Its guidance by attention is the arithmetic of classifier-free guidance with the same empty prompt on both sides,
so the pipeline of diffusers does it unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import DDIMScheduler, StableDiffusionXLInpaintPipeline

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.format.masks import Mask
from producers.devices.batches import BatchSize
from producers.devices.placement import Placement
from producers.devices.weights import commit_of, from_hub, name_of
from producers.diffusion.finite import finite
from producers.diffusion.noise import generator_of
from producers.diffusion.shapes import LATENT
from producers.infill.encoded_prompt import EncodedPrompt, drop_text_encoders
from producers.infill.eraser_network import EraserNetwork
from producers.infill.eraser_settings import EraserSettings
from producers.infill.latents import decoded, encoded
from producers.infill.working_image import Asked, enlarged, infilled, pasted
from producers.scene import Identity, Raster


class AttentiveEraser:
    """Infiller for images of any shape, in batches of equal shape."""

    def __init__(
        self,
        pipeline: Any,
        prompt: EncodedPrompt,
        placement: Placement,
        *,
        source: tuple[str, str] = ("unknown", "unknown"),
        settings: EraserSettings | None = None,
        batch_size: int = 8,
    ) -> None:
        self._pipeline = pipeline
        self._prompt = prompt.precise()
        pipeline.encode_prompt = _as_given
        self._placement = placement
        self._source = source
        self.settings = settings or EraserSettings()
        self._network = EraserNetwork(pipeline.unet, self.settings, placement)
        if "channels-last" in placement.speedups:
            pipeline.vae.to(memory_format=torch.channels_last)
        self.batch_size = BatchSize(batch_size)

    @classmethod
    def load(
        cls,
        placement: Placement,
        model: str,
        revision: str | None = None,
        *,
        settings: EraserSettings | None = None,
        batch_size: int = 8,
    ) -> AttentiveEraser:
        """Load Attentive Eraser with SDXL's weights from the Hub or a local folder.

        Raises:
            NotFoundError: they are not there; the message has the line that fetches them.
            ConfigurationError: they were trained for inpainting, so that the U-Net takes the hole, too.
        """
        commit = commit_of(model, revision, file="model_index.json")
        dtype = placement.dtype
        pipeline = from_hub(
            StableDiffusionXLInpaintPipeline.from_pretrained,
            model,
            commit,
            dtype={"default": dtype, "vae": torch.float32},
            add_watermarker=False,
            **({} if dtype == torch.float32 or Path(model).is_dir() else {"variant": "fp16"}),  # half the download
        ).to(placement.device)
        if (channels := pipeline.unet.config.in_channels) != pipeline.vae.config.latent_channels:
            then = "Give SDXL itself, such as stabilityai/stable-diffusion-xl-base-1.0."
            raise ConfigurationError(
                explain(f"{model} is made for inpainting", found=f"{channels} channels", then=then)
            )
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

    def bucket(self, height: int, width: int) -> tuple[int, int]:
        """Return the size at which it works on an image; those of equal size share a batch."""
        return self.settings.shape(height, width)

    def infill(self, rasters: Sequence[Raster], holes: Sequence[Mask]) -> list[Raster]:
        """Return each image with its hole filled; outside of the hole nothing changes."""
        return infilled(rasters, holes, self._erase, size=self.batch_size, bucket=self.bucket)

    def _erase(self, asked: list[Asked]) -> list[Raster]:
        shape = self.bucket(*asked[0][1].shape)
        with torch.inference_mode():
            images, masks = enlarged(asked, shape, self._placement, latent=LATENT)
            generators = [generator_of(raster, hole, self.settings.seed) for raster, hole in asked]
            return pasted(asked, self._run(images, masks, generators), self.settings.feather)

    def _run(self, images: torch.Tensor, masks: torch.Tensor, generators: list[torch.Generator]) -> torch.Tensor:
        """Return the erased images: float32, n x 3 x height x width, 0 to 1."""
        settings, network = self.settings, self._network
        latents = encoded(self._pipeline.vae, images, generators)

        def advance(_pipe: Any, step: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            network.step = step + 1
            return tensors

        tokens, pooled = self._prompt.repeated(len(images))
        with network.running(masks):
            output = self._pipeline(
                image=latents,
                mask_image=masks,
                height=images.shape[2],
                width=images.shape[3],
                prompt_embeds=tokens,
                negative_prompt_embeds=tokens,
                pooled_prompt_embeds=pooled,
                negative_pooled_prompt_embeds=pooled,
                # Only networks made for inpainting look at the masked image.
                masked_image_latents=torch.zeros_like(latents),
                guidance_scale=settings.guidance,
                strength=settings.strength,
                num_inference_steps=settings.steps,
                generator=generators,
                callback_on_step_end=advance,
                output_type="latent",
            )
        return decoded(self._pipeline.vae, finite(output.images, self._placement.precision))


def encode_empty_prompt(pipeline: Any) -> EncodedPrompt:
    """Return the encoding of "" by the pipeline's text encoders, which are then let go to free their memory."""
    with torch.inference_mode():
        tokens, _, pooled, _ = pipeline.encode_prompt(prompt="", do_classifier_free_guidance=False)
    drop_text_encoders(pipeline)
    return EncodedPrompt(tokens, pooled)


def _as_given(**given: Any) -> tuple[torch.Tensor, ...]:
    """Return encoded prompts, in place of a pipeline which would lower their precision to that of its U-Net."""
    names = ("prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds", "negative_pooled_prompt_embeds")
    return tuple(given[name] for name in names)


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
