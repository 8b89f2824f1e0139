"""Boxes for prompts by Florence-2, which writes them as a text, through transformers."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import torch
from torch.nn import functional
from transformers import AutoProcessor, Florence2ForConditionalGeneration, LogitsProcessor, LogitsProcessorList

from producers.detect.boxes import pixel_box
from producers.detect.prompts import name_and_kind
from producers.detect.shared import SharedTower
from producers.devices.batches import BatchSize, run_batched
from producers.devices.placement import Placement
from producers.devices.stacks import stacks
from producers.devices.weights import commit_of, from_hub, name_of, network_from_hub
from producers.scene import Detection, Identity, Raster, Scene

_TASK = "<CAPTION_TO_PHRASE_GROUNDING>"
_BINS = 1000  # locations along a side
_MOST = 256  # tokens of an answer: that is about sixty boxes


class Florence2:
    """Detector by phrase grounding of Xiao et al., "Florence-2" (2024): the name in a prompt is a caption to locate.

    The most probable token always follows, so that answers are the same every time. The score of a box is the
    geometric mean of the probabilities of its four locations, each among all tokens that could follow. It says how
    sure the model is of the edges, not of the object; so all boxes count by default.

    Attributes:
        threshold: score from which a box counts, 0 to 1.
        batch_size: images at a time; each is there once for every prompt, but looked at once.
    """

    def __init__(
        self,
        model: Any,
        processor: Any,
        placement: Placement,
        *,
        source: tuple[str, str] = ("unknown", "unknown"),
        threshold: float = 0.0,
        batch_size: int = 8,
    ) -> None:
        self._model = model.to(placement.device).eval()
        self._tower = SharedTower(model.model.vision_tower)
        model.model.vision_tower = self._tower
        # the published settings are for a search with several beams, of which each call would warn
        greedy = {"num_beams": 1, "do_sample": False, "early_stopping": False}
        model.generation_config.update(**greedy, max_new_tokens=_MOST, max_length=None)
        self._processor = processor
        locations = processor.tokenizer.convert_tokens_to_ids([f"<loc_{index}>" for index in range(_BINS)])
        self._bins = {token: index for index, token in enumerate(locations)}
        self._marks = frozenset(processor.tokenizer.all_special_ids)
        self._placement = placement
        self._source = source
        self.threshold = threshold
        self.batch_size = BatchSize(batch_size)

    @classmethod
    def load(cls, placement: Placement, model: str, revision: str | None = None, **options: Any) -> Florence2:
        """Load the detector with weights from the Hub or a local folder.

        Args:
            placement: where it runs.
            model: id on the Hub, or a folder.
            revision: commit, branch or tag.
            options: `threshold` and `batch_size`, as of the class.

        Raises:
            NotFoundError: they are not there; the message has the line that fetches them.
        """
        commit = commit_of(model, revision)
        network = network_from_hub(Florence2ForConditionalGeneration.from_pretrained, model, commit)
        processor = from_hub(AutoProcessor.from_pretrained, model, commit)
        return cls(network, processor, placement, source=(model, name_of(model, commit)), **options)

    @property
    def identity(self) -> Identity:
        """The model, as the manifest names it."""
        settings = {"threshold": self.threshold, "precision": self._placement.precision, "task": _TASK}
        model, revision = self._source
        return Identity(name="florence-2", model=model, revision=revision, settings=tuple(sorted(settings.items())))

    def detect(self, scenes: Sequence[Scene]) -> list[list[Detection]]:
        """Return the boxes in each image: prompt by prompt, the most confident first."""
        return run_batched(scenes, self._detect_batch, size=self.batch_size, key=lambda scene: len(scene.prompts))

    def bucket(self, height: int, width: int) -> tuple[int, int]:  # noqa: ARG002  # all are scaled to one size
        """Return what images of equal shape share, which meet in a batch: here all do."""
        size = self._processor.image_processor.size
        return size["height"], size["width"]

    def _detect_batch(self, scenes: list[Scene]) -> list[list[Detection]]:
        self._tower.repeats = prompts = len(scenes[0].prompts)
        pixels = self._pixels([scene.raster for scene in scenes])
        tokens = self._tokens([prompt for scene in scenes for prompt in scene.prompts])
        sure = Certainty()
        with self._placement.inference():
            answers = self._model.generate(
                **tokens,
                pixel_values=pixels.repeat_interleave(prompts, 0),
                logits_processor=LogitsProcessorList([sure]),
            )
        written = answers[:, 1:].tolist()  # the first token is what begins every answer
        certain = torch.stack(sure.probabilities, 1).tolist()
        found: list[list[Detection]] = []
        for index, scene in enumerate(scenes):
            found.append([])
            for row, prompt in enumerate(scene.prompts, start=index * prompts):
                found[-1] += self._found(scene, prompt, written[row], certain[row])
        return found

    def _pixels(self, rasters: Sequence[Raster]) -> torch.Tensor:
        """Return normalised pixels (n x 3 x height x width), scaled as the model's own processor does it."""
        made = self._processor.image_processor
        size = made.size["height"], made.size["width"]
        pixels = torch.empty(len(rasters), 3, *size, device=self._placement.device)
        for where, stack in stacks(rasters, self._placement):
            pixels[where] = functional.interpolate(stack, size, mode="bicubic", antialias=True).clamp_(0, 255)
        mean, std = (pixels.new_tensor(values).view(3, 1, 1) for values in (made.image_mean, made.image_std))
        return pixels.div_(255).sub_(mean).div_(std)

    def _tokens(self, prompts: Sequence[str]) -> Any:
        """Return places for the image and the question behind them, for each prompt: ids and mask, n x places."""
        tokenizer, question = self._processor.tokenizer, self._processor.task_prompts_with_input[_TASK]
        asked = [question.format(input=name_and_kind(prompt)[0]) for prompt in prompts]
        image = tokenizer.image_token * self._processor.num_image_tokens
        texts = [f"{image}{tokenizer.bos_token}{one}{tokenizer.eos_token}" for one in asked]
        tokens = tokenizer(texts, add_special_tokens=False, padding=True, padding_side="right", return_tensors="pt")
        return tokens.to(self._placement.device)

    def _found(self, scene: Scene, prompt: str, written: list[int], certain: list[float]) -> list[Detection]:
        """Return the boxes of one answer that are confident enough, the most confident first."""
        boxes = []
        for at in located(written, self._bins, self._marks):
            score = math.prod(certain[at : at + 4]) ** 0.25
            x0, y0, x1, y1 = ((self._bins[token] + 0.5) / _BINS for token in written[at : at + 4])
            if score > self.threshold and x0 <= x1 and y0 <= y1:
                box = pixel_box((x0, y0, x1, y1), scene.raster)
                boxes.append(Detection(box=box, score=score, prompt=prompt))
        return sorted(boxes, key=lambda one: -one.score)


class Certainty(LogitsProcessor):
    """A witness of generation that notes how probable the most probable token is, which is the one that follows.

    Attributes:
        probabilities: for each step those of all rows of the batch.
    """

    def __init__(self) -> None:
        self.probabilities: list[torch.Tensor] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        """Return the logits (rows x tokens) as they are."""
        self.probabilities.append(scores.float().softmax(-1).amax(-1))
        return scores


def located(written: Sequence[int], bins: Mapping[int, int], marks: Container[int]) -> Iterator[int]:
    """Yield where the boxes of an answer begin: four locations each, right behind the words that they are for.

    Args:
        written: tokens.
        bins: tokens that are locations.
        marks: tokens that are no words; locations may be among them.
    """
    at, named = 0, False
    for (location, word), group in groupby(written, lambda token: (token in bins, token not in marks)):
        length = len(list(group))
        if location and named:
            yield from range(at, at + length - 3, 4)
        at, named = at + length, word and not location
