"""Boxes for prompts by GroundingDINO, through transformers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import AutoModelForZeroShotObjectDetection, AutoTokenizer
from transformers.utils.hub import cached_file

from fornet_hf.format.masks import Box
from producers.devices.batches import BatchSize, run_batched
from producers.devices.placement import Placement
from producers.devices.weights import commit_of, from_hub, name_of
from producers.scene import Detection, Identity, Scene

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, as all published weights expect


@dataclass(frozen=True, kw_only=True)
class InputSize:
    """To which size images are brought before they are looked at.

    Attributes:
        shorter: side in pixels to which the shorter one is scaled,
        longer: unless the longer one would exceed this.
        multiple: to which both sides are padded, so that images of nearly the same shape share a batch.
    """

    shorter: int = 800
    longer: int = 1333
    multiple: int = 32

    def scaled(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width after scaling; the rounding is that of DETR's and its descendants' processors."""
        low, high = min(height, width), max(height, width)
        target = min(float(self.shorter), self.longer * low / high)
        short = round(target)
        long = int(target * high / low)
        return (short, long) if height <= width else (long, short)

    def padded(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width after scaling and padding."""
        high, wide = self.scaled(height, width)
        return high + -high % self.multiple, wide + -wide % self.multiple


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


class GroundingDino:
    """Zero-shot detector.

    Attributes:
        threshold: confidence from which a box counts, 0 to 1: that of the prompt's best token.
        text_threshold: confidence which a word of the prompt needs in that box, 0 to 1: with 0 the best token may be
            the full stop or a mark of the tokenizer, as in the public pipeline.
        batch_size: images at a time; each is there once for every prompt.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        placement: Placement,
        *,
        source: tuple[str, str] = ("unknown", "unknown"),
        threshold: float = 0.3,
        text_threshold: float = 0.0,
        batch_size: int = 8,
        size: InputSize | None = None,
    ) -> None:
        self._model = model.to(placement.device).eval()
        self._vision = SharedVision(self._model.model.backbone.conv_encoder)
        self._model.model.backbone.conv_encoder = self._vision
        self._tokenizer = tokenizer
        self._placement = placement
        self._source = source
        self._size = size or InputSize()
        self.threshold = threshold
        self.text_threshold = text_threshold
        self.batch_size = BatchSize(batch_size)

    @classmethod
    def load(cls, placement: Placement, model: str, revision: str | None = None, **options: Any) -> GroundingDino:
        """Load the detector with weights from the Hub or a local folder.

        Args:
            placement: where it runs.
            model: id on the Hub, or a folder.
            revision: commit, branch or tag.
            options: `threshold`, `text_threshold` and `batch_size`, as of the class.

        Raises:
            NotFoundError: they are not there; the message has the line that fetches them.
        """
        commit = commit_of(model, revision)
        network = from_hub(AutoModelForZeroShotObjectDetection.from_pretrained, model, commit)
        tokenizer = from_hub(AutoTokenizer.from_pretrained, model, commit)
        source, size = (model, name_of(model, commit)), input_size(model, commit)
        return cls(network, tokenizer, placement, source=source, size=size, **options)

    @property
    def identity(self) -> Identity:
        """The model, as the manifest names it."""
        settings = {
            "threshold": self.threshold,
            "text_threshold": self.text_threshold,
            "precision": self._placement.precision,
            **vars(self._size),
        }
        model, revision = self._source
        return Identity(
            name="grounding-dino", model=model, revision=revision, settings=tuple(sorted(settings.items()))
        )

    def detect(self, scenes: Sequence[Scene]) -> list[list[Detection]]:
        """Return the boxes in each image: prompt by prompt, the most confident first."""
        return run_batched(scenes, self._detect_batch, size=self.batch_size, key=self._shape)

    def _shape(self, scene: Scene) -> tuple[tuple[int, int], int]:
        return self._size.padded(*scene.raster.shape[:2]), len(scene.prompts)

    def _detect_batch(self, scenes: list[Scene]) -> list[list[Detection]]:
        prompts = len(scenes[0].prompts)
        pixels, seen = self._pixels(scenes)
        texts = [prompt for scene in scenes for prompt in scene.prompts]
        tokens = self._tokenizer(texts, padding=True, return_tensors="pt").to(self._placement.device)
        self._vision.repeats = prompts
        with self._placement.inference():
            output = self._model(
                pixel_values=pixels.repeat_interleave(prompts, 0),
                pixel_mask=seen.repeat_interleave(prompts, 0),
                input_ids=tokens["input_ids"],
                attention_mask=tokens["attention_mask"],
                token_type_ids=tokens.get("token_type_ids"),
            )
            scores = self._scores(output.logits.float().sigmoid(), tokens["input_ids"]).cpu()
            boxes = output.pred_boxes.float().cpu()
        answers = [
            list(self._detections(scene, prompt, *parts))
            for scene, prompt, *parts in zip(
                [scene for scene in scenes for _ in scene.prompts], texts, scores, boxes, strict=True
            )
        ]
        starts = range(0, len(answers), prompts)
        return [list(chain.from_iterable(answers[start : start + prompts])) for start in starts]

    def _scores(self, confidence: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Return the score of each box (n x boxes): 0 where no word of the prompt is confident enough.

        Args:
            confidence: of each place of the prompt in each box (n x boxes x places), 0 to 1.
            tokens: of the prompts (n x at most places).
        """
        scores = confidence.amax(-1)
        if self.text_threshold > 0:
            marks = [*self._tokenizer.all_special_ids, *self._tokenizer.convert_tokens_to_ids([".", ",", "?"])]
            words = ~torch.isin(tokens, tokens.new_tensor(marks))
            best_word = (confidence[..., : tokens.shape[1]] * words[:, None]).amax(-1)
            scores = scores.where(best_word > self.text_threshold, 0)
        return scores

    def _pixels(self, scenes: list[Scene]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return normalised pixels, padded with zeros, and which of them are image (int64)."""
        high, wide = self._size.padded(*scenes[0].raster.shape[:2])
        pixels = torch.zeros(len(scenes), 3, high, wide, device=self._placement.device)
        seen = torch.zeros(len(scenes), high, wide, dtype=torch.int64, device=self._placement.device)
        mean, std = (pixels.new_tensor(values).view(3, 1, 1) for values in (_MEAN, _STD))
        for index, scene in enumerate(scenes):
            size = self._size.scaled(*scene.raster.shape[:2])
            scaled = functional.interpolate(
                self._placement.pixels(scene.raster)[None], size, mode="bilinear", antialias=True
            )[0]
            pixels[index, :, : size[0], : size[1]] = (scaled / 255 - mean) / std
            seen[index, : size[0], : size[1]] = 1
        return pixels, seen

    def _detections(
        self, scene: Scene, prompt: str, scores: torch.Tensor, boxes: torch.Tensor
    ) -> Iterator[Detection]:
        height, width = scene.raster.shape[:2]
        for index in scores.argsort(descending=True, stable=True).tolist():
            score = float(scores[index])
            if score <= self.threshold:
                return
            yield Detection(box=pixel_box(boxes[index].tolist(), height, width), score=score, prompt=prompt)


def input_size(model: str, revision: str | None) -> InputSize:
    """Return the size that the model's own processor scales images to, where its repository says so."""
    path = cached_file(
        model, "preprocessor_config.json", revision=revision, _raise_exceptions_for_missing_entries=False
    )
    size = json.loads(Path(path).read_text(encoding="utf-8")).get("size", {}) if path else {}
    standard = InputSize()
    return InputSize(
        shorter=size.get("shortest_edge", standard.shorter), longer=size.get("longest_edge", standard.longer)
    )


def pixel_box(box: Sequence[float], height: int, width: int) -> Box:
    """Return x0, y0, x1, y1 in pixels, inside of the image and not empty, of centre and size as fractions."""
    x0, x1 = _edges(box[0], box[2], width)
    y0, y1 = _edges(box[1], box[3], height)
    return x0, y0, x1, y1


def _edges(centre: float, length: float, side: int) -> tuple[int, int]:
    low = min(max(int((centre - length / 2) * side), 0), side - 1)
    return low, min(max(int((centre + length / 2) * side), low + 1), side)
