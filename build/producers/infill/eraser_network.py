"""The U-Net of Attentive Eraser in the hands of a pipeline: masks, steps, precision, and ways to be faster."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from producers.devices.placement import Placement
from producers.diffusion.shapes import LATENT
from producers.infill.eraser_attention import AttentiveEraserProcessor, EraserState, Tokens, erasing
from producers.infill.eraser_settings import EraserSettings
from producers.infill.shared_halves import shared_halves


class EraserNetwork:
    """A U-Net of diffusers which erases inside of `running`; the pipeline that calls it stays in float32.

    Attributes:
        step: the denoising step that is being done, from 0.
    """

    def __init__(self, unet: Any, settings: EraserSettings, placement: Placement) -> None:
        self.step = 0
        self._unet = unet
        self._settings = settings
        self._speedups = placement.speedups
        self._state = EraserState()
        levels = range(len(unet.up_blocks) - 1, -1, -1)  # the last block has a token for every latent value
        self._processors = [AttentiveEraserProcessor(self._state, LATENT * 2**level) for level in levels]
        self._plain = unet.forward
        # Sizes of images stay variables: each of its own would be compiled for minutes.
        self._forward = torch.compile(self._erased, dynamic=True) if "compile" in self._speedups else self._erased
        if "channels-last" in self._speedups:
            unet.to(memory_format=torch.channels_last)

    @contextlib.contextmanager
    def running(self, masks: torch.Tensor) -> Iterator[None]:
        """Let the U-Net erase what is 1 in masks (n x 1 x height x width) inside; afterwards all is as before."""
        suppression = self._settings.suppression
        weak = {one.reduction: Tokens.of(masks, one.reduction, suppression) for one in self._processors}
        usual = {reduction: tokens.unsuppressed() for reduction, tokens in weak.items()}
        dtype = self._unet.dtype

        def forward(sample: torch.Tensor, timestep: Any, encoder_hidden_states: torch.Tensor, **more: Any) -> Any:
            tokens = weak if self.step <= self._settings.suppressed_steps else usual
            (answer,) = self._forward(tokens, sample.to(dtype), timestep, encoder_hidden_states.to(dtype), more)
            return (answer.float(),)

        self.step = 0
        shared = shared_halves(self._unet) if "shared-halves" in self._speedups else contextlib.nullcontext()
        with erasing(self._unet, self._processors), shared:
            self._unet.forward = forward
            try:
                yield
            finally:
                del self._unet.forward  # that of its class comes to light again

    def _erased(
        self,
        tokens: Mapping[int, Tokens],
        sample: torch.Tensor,
        timestep: Any,
        prompt: torch.Tensor,
        more: dict[str, Any],
    ) -> Any:
        # Set in here, so that what is compiled takes them as arguments instead of constants.
        self._state.tokens = tokens
        return self._plain(sample, timestep, encoder_hidden_states=prompt, **more)
