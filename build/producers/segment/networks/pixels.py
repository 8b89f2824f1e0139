"""Colours as networks take them, and probabilities from what they give."""

from __future__ import annotations

import torch

from producers.segment.networks.card import Card


def normalized(images: torch.Tensor, card: Card) -> torch.Tensor:
    """Return colours as a network takes them, n x 3 x height x width, of uint8 or of float32 from 0 to 1."""
    pixels = images if images.is_floating_point() else images.float().div_(255)
    colours = torch.tensor([card.mean, card.std], dtype=pixels.dtype).view(2, 3, 1, 1)
    mean, std = colours.to(pixels.device, non_blocking=True).unbind()  # no GPU is waited for
    return (pixels - mean).div_(std)


def object_logits(logits: torch.Tensor) -> torch.Tensor:
    """Return logits of the object, n x height x width, whose sigmoid is its probability.

    Of two classes it is the difference: sigmoid(b - a) is the second's softmax, so their cross-entropy is the binary
    one of this.
    """
    return logits[:, 0] if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0]
