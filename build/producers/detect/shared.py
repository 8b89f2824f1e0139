"""Encoders that look once at what stands in a batch several times: images at all prompts, prompts at many images."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence

KEPT = 4096
"""Texts that a detector remembers; those of ImageNet's classes are 1,730."""


class SharedVision(nn.Module):
    """A vision backbone that looks once at an image which stands in the batch once for each prompt.

    In the model the backbone does not know the text, so its answer is the same for all prompts of an image.
    """

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.repeats = 1

    def forward(self, pixels: torch.Tensor, mask: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Return feature maps and their masks; each image is `repeats` times in the batch, one after another."""
        once = self.backbone(pixels[:: self.repeats], mask[:: self.repeats])
        return [
            (maps.repeat_interleave(self.repeats, 0), seen.repeat_interleave(self.repeats, 0)) for maps, seen in once
        ]


class SharedText(nn.Module):
    """A text encoder that reads each text once, by itself, and remembers it for later batches.

    So what it says of a text depends on no other text, down to the last bit. Nothing is said of padding (zeros).
    """

    def __init__(self, encoder: nn.Module, *, remembers: bool = True) -> None:
        """Wrap an encoder; unless it `remembers`, it reads whole batches, as ever."""
        super().__init__()
        self.encoder = encoder
        self.remembers = remembers
        self._texts: list[tuple[int, ...]] = []
        self._known: dict[tuple[int, ...], torch.Tensor] = {}

    def begin(self, texts: list[tuple[int, ...]]) -> None:
        """Say which texts are in the next batch: their tokens, without padding."""
        self._texts = texts

    def forward(
        self, ids: torch.Tensor, mask: torch.Tensor, kinds: torch.Tensor, positions: torch.Tensor, **options: Any
    ) -> Any:
        """Return the `last_hidden_state` of texts (n x places x channels).

        Args:
            ids: tokens, n x places.
            mask: which tokens see each other, n x 1 x places x places.
            kinds: type of each token, n x places.
            positions: of each token in its sentence, n x places.
            options: for the encoder.
        """
        if not self.remembers:
            return self.encoder(ids, mask, kinds, positions, **options)
        if len(self._known) > KEPT:
            self._known.clear()
        for row, text in enumerate(self._texts):
            if text not in self._known:
                one, places = slice(row, row + 1), slice(len(text))
                parts = ids[one, places], mask[one, :, places, places], kinds[one, places], positions[one, places]
                self._known[text] = self.encoder(*parts, **options).last_hidden_state[0]
        distinct = {text: index for index, text in enumerate(dict.fromkeys(self._texts))}
        states = pad_sequence([self._known[text] for text in distinct], batch_first=True)
        return SimpleNamespace(last_hidden_state=states[[distinct[text] for text in self._texts]])


class SharedTower(nn.Module):
    """A vision tower that answers once for an image which stands in the batch once for each prompt."""

    def __init__(self, tower: nn.Module) -> None:
        super().__init__()
        self.tower = tower
        self.repeats = 1

    def forward(self, pixels: torch.Tensor, **options: Any) -> Any:
        """Return the tower's answer; each image is `repeats` times in the batch, one after another."""
        answer = self.tower(pixels[:: self.repeats], **options)
        answer.last_hidden_state = answer.last_hidden_state.repeat_interleave(self.repeats, 0)
        return answer
