"""The texts that GroundingDINO and its relatives read for a batch of images, and the scores of prompts in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch

from producers.scene import Scene


def joined(prompts: Sequence[str]) -> str:
    """Return prompts as sentences of one text; the models see to it that these do not see each other."""
    return " ".join(prompts)


@dataclass(frozen=True)
class Texts:
    """Texts as tokens: one for each prompt of each image, or one for each image with all its prompts.

    Attributes:
        tokens: as the tokenizer returns them, texts x places.
        plain: the same as numbers, without padding.
        owner: the prompt that a token belongs to, counted from 0 in its text; -1: none (int64, texts x places).
        words: tokens that are neither punctuation nor marks of the tokenizer (bool, texts x places).
        prompts: of each text.
    """

    tokens: Any
    plain: list[tuple[int, ...]]
    owner: torch.Tensor
    words: torch.Tensor
    prompts: int

    @classmethod
    def of(cls, tokenizer: Any, scenes: Sequence[Scene], *, together: bool, most: int, device: str) -> Texts:
        """Return the texts for images with the same number of prompts: `together` one for each image.

        Prompts of more than `most` tokens end there; all together must not have more.
        """
        each = [(joined(scene.prompts),) if together else scene.prompts for scene in scenes]
        asked = [*chain.from_iterable(each)]
        tokens = tokenizer(asked, padding=True, truncation=True, max_length=most, return_tensors="pt")
        ids = tokens["input_ids"]
        owner = torch.zeros_like(ids)
        if together:
            owner -= 1
            for row, scene in enumerate(scenes):
                lengths = [
                    len(part) for part in tokenizer(list(scene.prompts), add_special_tokens=False)["input_ids"]
                ]
                own = torch.arange(len(lengths)).repeat_interleave(torch.tensor(lengths))
                owner[row, 1 : 1 + len(own)] = own  # behind the mark of the text's beginning
        marks = [*tokenizer.all_special_ids, *tokenizer.convert_tokens_to_ids([".", ",", "?"])]
        words = ~torch.isin(ids, ids.new_tensor(marks))
        plain = [
            tuple(row[: sum(seen)]) for row, seen in zip(ids.tolist(), tokens["attention_mask"].tolist(), strict=True)
        ]
        count = len(scenes[0].prompts) if together else 1
        return cls(tokens.to(device), plain, owner.to(device), words.to(device), count)

    def scores(self, confidence: torch.Tensor, least: float) -> torch.Tensor:
        """Return the score of each box for each prompt (texts x prompts x boxes): the confidence of its best token.

        Args:
            confidence: of each token in each box, 0 to 1 (texts x boxes x at least as many places).
            least: confidence above which a word of the prompt must be, else the score is 0; 0: none must.
        """
        confidence = confidence[..., : self.owner.shape[1]]
        scores = []
        for prompt in range(self.prompts):
            own = (self.owner == prompt)[:, None]
            best = (confidence * own).amax(-1)
            if least > 0:
                best = best.where((confidence * (own & self.words[:, None])).amax(-1) > least, 0)
            scores.append(best)
        return torch.stack(scores, 1)
