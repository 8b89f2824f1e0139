"""Boxes for prompts by OWLv2, through transformers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from transformers import AutoTokenizer, Owlv2ForObjectDetection
from transformers.utils.constants import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

from producers.detect.answers import confident
from producers.detect.shared import KEPT
from producers.devices.batches import BatchSize, run_batched
from producers.devices.placement import Placement
from producers.devices.stacks import stacks
from producers.devices.weights import commit_of, from_hub, name_of, network_from_hub
from producers.scene import Detection, Identity, Raster, Scene


class Owlv2:
    """Zero-shot detector of Minderer et al., "Scaling Open-Vocabulary Object Detection" (2023).

    It looks at an image once, whatever the number of prompts, and reads them without their full stop.

    Attributes:
        threshold: confidence from which a box counts, 0 to 1; the default is that of transformers.
        batch_size: images at a time.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        placement: Placement,
        *,
        source: tuple[str, str] = ("unknown", "unknown"),
        threshold: float = 0.1,
        batch_size: int = 8,
    ) -> None:
        self._model = model.to(placement.device).eval()
        self._tokenizer = tokenizer
        self._placement = placement
        self._source = source
        self._side = int(model.config.vision_config.image_size)
        self._read = lru_cache(KEPT)(self._embedded) if "texts" in placement.speedups else self._embedded
        self.threshold = threshold
        self.batch_size = BatchSize(batch_size)

    @classmethod
    def load(cls, placement: Placement, model: str, revision: str | None = None, **options: Any) -> Owlv2:
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
        network = network_from_hub(Owlv2ForObjectDetection.from_pretrained, model, commit)
        tokenizer = from_hub(AutoTokenizer.from_pretrained, model, commit)
        return cls(network, tokenizer, placement, source=(model, name_of(model, commit)), **options)

    @property
    def identity(self) -> Identity:
        """The model, as the manifest names it."""
        settings = {"threshold": self.threshold, "precision": self._placement.precision, "side": self._side}
        model, revision = self._source
        return Identity(name="owlv2", model=model, revision=revision, settings=tuple(sorted(settings.items())))

    def detect(self, scenes: Sequence[Scene]) -> list[list[Detection]]:
        """Return the boxes in each image: prompt by prompt, the most confident first."""
        return run_batched(scenes, self._detect_batch, size=self.batch_size, key=lambda scene: len(scene.prompts))

    def bucket(self, height: int, width: int) -> tuple[int, int]:  # noqa: ARG002  # all become squares of one side
        """Return what images of equal shape share, which meet in a batch: here all do."""
        return self._side, self._side

    def _detect_batch(self, scenes: list[Scene]) -> list[list[Detection]]:
        pixels = squares([scene.raster for scene in scenes], self._side, self._placement)
        with self._placement.inference():
            texts = torch.stack([torch.stack([self._read(prompt) for prompt in scene.prompts]) for scene in scenes])
            maps = self._model.image_embedder(pixel_values=pixels)[0]
            places = maps.flatten(1, 2)
            logits, _ = self._model.class_predictor(places, texts)
            boxes = self._model.box_predictor(places, maps)
            answer = torch.cat([logits.float().sigmoid(), boxes.float()], -1).cpu().numpy()
        scores, boxes = answer[..., :-4], answer[..., -4:]
        shapes = [scene.raster.shape for scene in scenes]
        stretch = [[max(height, width) / side for side in (width, height) * 2] for height, width, _ in shapes]
        boxes = boxes * np.array(stretch, np.float32)[:, None]  # from fractions of the square to those of the image
        beyond = np.any(boxes[..., :2] - boxes[..., 2:] / 2 >= 1, -1, keepdims=True)  # in the padding
        scores = np.where(beyond, 0, scores).transpose(0, 2, 1)
        return confident(scenes, scores, boxes[:, None], self.threshold)

    def _embedded(self, prompt: str) -> torch.Tensor:
        """Return the embedding of one prompt, which no other one has a part in."""
        most = self._model.config.text_config.max_position_embeddings
        tokens = self._tokenizer(prompt.removesuffix("."), truncation=True, max_length=most, return_tensors="pt")
        tokens = tokens.to(self._placement.device)
        pooled = self._model.owlv2.text_model(tokens["input_ids"], tokens["attention_mask"]).pooler_output
        embedding: torch.Tensor = functional.normalize(self._model.owlv2.text_projection(pooled), dim=-1)[0]
        return embedding


def squares(rasters: Sequence[Raster], side: int, placement: Placement) -> torch.Tensor:
    """Return normalised pixels as OWLv2's own processor makes them: n x 3 x side x side, float32.

    Images are padded with black at the bottom or at the right to squares. Those that are larger than `side` are
    blurred by a Gaussian before they are scaled, of half the number of pixels that one becomes, less one half.
    """
    pixels = torch.empty(len(rasters), 3, side, side, device=placement.device)
    for where, stack in stacks(rasters, placement):
        height, width = stack.shape[2:]
        full = max(height, width)
        square = functional.pad(stack / 255, (0, full - width, 0, full - height))
        if full > side:
            square = _blurred(square, (full / side - 1) / 2)
        pixels[where] = functional.interpolate(square, (side, side), mode="bilinear")
    mean, std = (pixels.new_tensor(values).view(3, 1, 1) for values in (OPENAI_CLIP_MEAN, OPENAI_CLIP_STD))
    return pixels.sub_(mean).div_(std)


def _blurred(images: torch.Tensor, sigma: float) -> torch.Tensor:
    """Return images after a Gaussian of so many pixels, cut off at three sigma; the images' edges are mirrored."""
    reach = math.ceil(3 * sigma)
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, device=images.device) / sigma) ** 2)
    weights = (weights / weights.sum()).expand(3, 1, 1, -1)
    images = functional.pad(images, (reach,) * 4, mode="reflect")
    return functional.conv2d(functional.conv2d(images, weights, groups=3), weights.mT, groups=3)
