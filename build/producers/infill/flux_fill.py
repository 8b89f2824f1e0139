"""Infilling by FLUX.1 Fill [dev]: a flow-matching transformer that sees the rest of the image, and a prompt.

Its weights may be used under the FLUX.1 [dev] Non-Commercial License, which has to be accepted on their page first.
In bfloat16 the transformer of 12 billion parameters takes 24 GB, and the text encoders 10 GB until the prompt is
encoded. Overflows make float16 useless.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from diffusers import FluxFillPipeline

from fornet_hf.format.masks import Mask
from producers.devices.batches import BatchSize
from producers.devices.placement import Placement
from producers.devices.weights import commit_of, from_hub, name_of
from producers.diffusion.finite import finite
from producers.diffusion.noise import generator_of
from producers.diffusion.shapes import LATENT
from producers.infill.encoded_prompt import EncodedPrompt, drop_text_encoders
from producers.infill.flux_settings import FluxSettings
from producers.infill.working_image import Asked, enlarged, infilled, pasted
from producers.scene import Identity, Raster

_FETCH = "# accept its terms on its page first, and log in: hf auth login"


class FluxFill:
    """Infiller for images of any shape, in batches of equal shape."""

    def __init__(
        self,
        pipeline: Any,
        prompt: EncodedPrompt,
        placement: Placement,
        *,
        source: tuple[str, str] = ("unknown", "unknown"),
        settings: FluxSettings | None = None,
        batch_size: int = 4,
    ) -> None:
        self._pipeline = pipeline
        self._prompt = prompt.precise()
        self._placement = placement
        self._source = source
        self.settings = settings or FluxSettings()
        self.batch_size = BatchSize(batch_size)
        pipeline.vae.enable_slicing()  # at full size one image takes gigabytes
        if "channels-last" in placement.speedups:
            pipeline.vae.to(memory_format=torch.channels_last)
        if "compile" in placement.speedups:
            pipeline.transformer.compile_repeated_blocks(dynamic=True)
        pipeline.transformer.register_forward_pre_hook(_lowered, with_kwargs=True)
        pipeline.transformer.register_forward_hook(_raised)

    @classmethod
    def load(
        cls,
        placement: Placement,
        model: str,
        revision: str | None = None,
        *,
        settings: FluxSettings | None = None,
        batch_size: int = 4,
    ) -> FluxFill:
        """Load FLUX.1 Fill from the Hub or a local folder.

        Raises:
            NotFoundError: it is not there; the message has the line that fetches it.
        """
        settings = settings or FluxSettings()
        commit = commit_of(model, revision, file="model_index.json", fetch=_FETCH)
        dtypes = {"default": placement.dtype, "vae": torch.float32}  # lower ones cost quality
        pipeline = from_hub(FluxFillPipeline.from_pretrained, model, commit, fetch=_FETCH, dtype=dtypes)
        pipeline.to(placement.device).set_progress_bar_config(disable=True)
        prompt = encode_prompt(pipeline, settings.prompt)
        source = (model, name_of(model, commit))
        return cls(pipeline, prompt, placement, source=source, settings=settings, batch_size=batch_size)

    @property
    def identity(self) -> Identity:
        """The model, as the manifest names it."""
        model, revision = self._source
        settings = {**vars(self.settings), "precision": self._placement.precision}
        return Identity(name="flux-fill", model=model, revision=revision, settings=tuple(sorted(settings.items())))

    def bucket(self, height: int, width: int) -> tuple[int, int]:
        """Return the size at which it works on an image; those of equal size share a batch."""
        return self.settings.shape(height, width)

    def infill(self, rasters: Sequence[Raster], holes: Sequence[Mask]) -> list[Raster]:
        """Return each image with its hole filled; outside of the hole nothing changes."""
        return infilled(rasters, holes, self._fill, size=self.batch_size, bucket=self.bucket)

    def _fill(self, asked: list[Asked]) -> list[Raster]:
        settings, pipeline = self.settings, self._pipeline
        high, wide = self.bucket(*asked[0][1].shape)
        tokens, pooled = self._prompt.repeated(len(asked))
        with torch.inference_mode():
            # Not black in the hole: there the pipeline hides it, and what is resized would be dark around it.
            images, masks = enlarged(asked, (high, wide), self._placement, latent=LATENT, black=False)
            generators = [generator_of(raster, hole, settings.seed) for raster, hole in asked]
            # The pipeline would draw the same, but encode all images to no end.
            channels = 4 * pipeline.vae.config.latent_channels
            count = high * wide // (2 * LATENT) ** 2
            noise = torch.stack([torch.randn(count, channels, generator=one) for one in generators])
            output = pipeline(
                image=images,
                mask_image=masks,
                height=high,
                width=wide,
                prompt_embeds=tokens,
                pooled_prompt_embeds=pooled,
                latents=noise,
                num_inference_steps=settings.steps,
                guidance_scale=settings.guidance,
                generator=generators,
                output_type="pt",
            )
            return pasted(asked, finite(output.images, self._placement.precision), settings.feather)


def encode_prompt(pipeline: Any, prompt: str) -> EncodedPrompt:
    """Return the encoding of a prompt by the text encoders, which are then let go to free their memory."""
    with torch.inference_mode():
        tokens, pooled, _ = pipeline.encode_prompt(prompt=prompt, prompt_2=None)
    drop_text_encoders(pipeline)
    return EncodedPrompt(tokens, pooled)


def _lowered(network: Any, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Give a network that is called in float32 its own precision, but for places and times."""
    lower = ("hidden_states", "encoder_hidden_states", "pooled_projections")
    return given, {**named, **{name: named[name].to(network.dtype) for name in lower}}


def _raised(_: Any, __: Any, answer: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    return tuple(one.float() for one in answer)
