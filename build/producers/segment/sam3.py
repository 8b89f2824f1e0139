"""SAM 3: finds all objects that a noun phrase names and outlines them at once, by the code of transformers.

Carion et al., "SAM 3: Segment Anything with Concepts", 2025. The network looks at an image once, whatever is asked
about it; each prompt then takes a pass of the smaller part that finds objects. Its weights are under the SAM License
of Meta, which is accepted on their page of the Hub before they can be downloaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch

from producers.devices.batches import BatchSize, run_batched
from producers.devices.placement import Placement
from producers.devices.weights import commit_of, from_hub, name_of, network_from_hub
from producers.model_step import SegmentByPrompts
from producers.scene import Cut, Identity, Scene
from producers.segment.attention_words import objects
from producers.segment.sam3_settings import Sam3Settings
from producers.segment.square import Size, Square, fetched

_GREY = (127.5, 127.5, 127.5)  # mean and standard deviation of the pixels that the published weights expect
_VALUES = 2**27  # of masks at the image's size that a device holds at a time: 512 MiB


class _Asked(NamedTuple):
    image: int  # its number in the batch
    name: str  # of the object
    prompt: str


class _Found(NamedTuple):
    asked: _Asked
    score: float
    mask: torch.Tensor


class Sam3(SegmentByPrompts):
    """A segmenter of objects that prompts name; those of one prompt are one mask, with the score of the best.

    "a tench, a type of cyprinid." asks for "tench": the network takes noun phrases. Prompts for what a class is a
    kind of are asked as well, as of a detector.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        placement: Placement,
        settings: Sam3Settings | None = None,
        *,
        source: tuple[str, str] = ("unknown", "unknown"),
        batch_size: int = 8,
    ) -> None:
        """Take a network.

        Args:
            model: a `Sam3Model` of transformers.
            tokenizer: of its text encoder.
            placement: where it runs.
            settings: of the masks.
            source: id or folder of the weights, and their revision.
            batch_size: images at a time, and prompts.
        """
        self._model = model.to(placement.device).eval()
        self._tokenizer = tokenizer
        self._placement = placement
        self._source = source
        self.settings = settings or Sam3Settings()
        self.batch_size = BatchSize(batch_size)
        self.square = Square(side=int(model.config.image_size), mean=_GREY, std=_GREY)

    @property
    def identity(self) -> Identity:
        """The model, as the manifest names it."""
        model, revision = self._source
        settings = (("precision", self._placement.precision), ("threshold", self.settings.threshold))
        return Identity(name="sam3", model=model, revision=revision, settings=settings)

    def bucket(self, height: int, width: int) -> None:  # noqa: ARG002
        """Say that images of all sizes may share a batch."""
        return

    def __call__(self, scenes: Sequence[Scene]) -> list[Scene]:
        """Return the scenes with a mask for each prompt of which something was found."""
        return run_batched(scenes, self._batch, size=self.batch_size)

    def _batch(self, scenes: list[Scene]) -> list[Scene]:
        asked = [
            _Asked(index, name, prompt)
            for index, scene in enumerate(scenes)
            for name, prompt in objects(scene.prompts, parents=True).items()
        ]
        sizes = [(scene.raster.shape[0], scene.raster.shape[1]) for scene in scenes]
        with self._placement.inference():
            pixels = self.square.pixels([scene.raster for scene in scenes], self._placement)
            vision = self._model.get_vision_features(pixels)
            found = [
                one
                for start in range(0, len(asked), len(scenes))
                for one in self._found(vision, asked[start : start + len(scenes)], sizes)
            ]
            masks = fetched([one.mask for one in found])
        cuts: list[list[Cut]] = [[] for _ in scenes]
        for one, mask in zip(found, masks, strict=True):
            cuts[one.asked.image].append(Cut(mask, one.asked.prompt, one.score))
        return [replace(scene, masks=tuple(some)) for scene, some in zip(scenes, cuts, strict=True)]

    def _found(self, vision: Any, asked: Sequence[_Asked], sizes: Sequence[Size]) -> list[_Found]:
        """Return what is found of some prompts."""
        rows = self._placement.moved(torch.tensor([one.image for one in asked]))
        tokens = self._tokenizer(
            [one.name for one in asked],
            padding="max_length",
            truncation=True,
            max_length=self._model.config.text_config.max_position_embeddings,
            return_tensors="pt",
        )
        output = self._model(
            vision_embeds=type(vision)(
                fpn_hidden_states=tuple(maps[rows] for maps in vision.fpn_hidden_states),
                fpn_position_encoding=tuple(maps[rows] for maps in vision.fpn_position_encoding),
            ),
            input_ids=self._placement.moved(tokens["input_ids"]),
            attention_mask=self._placement.moved(tokens["attention_mask"]),
        )
        scores = (output.pred_logits.float().sigmoid() * output.presence_logits.float().sigmoid()).cpu()
        return [
            _Found(one, float(some.max()), self._united(logits[kept.to(logits.device)], sizes[one.image]))
            for one, some, logits in zip(asked, scores, output.pred_masks, strict=True)
            if len(kept := (some > self.settings.threshold).nonzero().flatten())
        ]

    def _united(self, logits: torch.Tensor, size: Size) -> torch.Tensor:
        """Return the mask of several objects: bool, of the image's size."""
        portions = torch.split(logits.float().sigmoid(), max(1, _VALUES // (size[0] * size[1])))
        masks = [(self.square.restored(some[None], size)[0] > 0.5).any(0) for some in portions]
        return torch.stack(masks).any(0)


def load(
    placement: Placement,
    model: str,
    revision: str | None = None,
    *,
    settings: Sam3Settings | None = None,
    batch_size: int = 8,
) -> Sam3:
    """Load SAM 3 with weights from the Hub or a local folder.

    Raises:
        NotFoundError: they are not there, or their licence was not accepted; the message says what to do.
    """
    from transformers import AutoTokenizer, Sam3Model

    commit = commit_of(model, revision)
    network = network_from_hub(Sam3Model.from_pretrained, model, commit)
    tokenizer = from_hub(AutoTokenizer.from_pretrained, model, commit)
    source = (model, name_of(model, commit))
    return Sam3(network, tokenizer, placement, settings, source=source, batch_size=batch_size)
