"""A prompt that is encoded once, as pipelines of diffusers take it for all images."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch


class EncodedPrompt(NamedTuple):
    """The encoding of a prompt.

    Attributes:
        tokens: 1 x tokens x channels.
        pooled: 1 x channels.
    """

    tokens: torch.Tensor
    pooled: torch.Tensor

    def precise(self) -> EncodedPrompt:
        """Return it in float32: pipelines work as precisely as their prompt is."""
        return EncodedPrompt(self.tokens.float(), self.pooled.float())

    def repeated(self, count: int) -> EncodedPrompt:
        """Return it for so many images, without copies."""
        return EncodedPrompt(self.tokens.expand(count, -1, -1), self.pooled.expand(count, -1))


def drop_text_encoders(pipeline: Any) -> None:
    """Free the memory of a pipeline's text encoders, of which there are two."""
    pipeline.register_modules(text_encoder=None, text_encoder_2=None, tokenizer=None, tokenizer_2=None)
