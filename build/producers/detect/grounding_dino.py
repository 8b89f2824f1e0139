"""Boxes for prompts by GroundingDINO, through transformers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import AutoModelForZeroShotObjectDetection, AutoTokenizer

from fornet_hf.errors import ConfigurationError, explain
from producers.detect.answers import confident
from producers.detect.grounding_settings import GroundingSettings
from producers.detect.input_size import InputSize, input_size
from producers.detect.sampling import kernel_runs, use_kernel
from producers.detect.shared import SharedText, SharedVision
from producers.detect.short_texts import project_texts
from producers.detect.texts import Texts, joined
from producers.devices.batches import BatchSize, run_batched
from producers.devices.placement import Placement
from producers.devices.weights import commit_of, from_hub, name_of, network_from_hub
from producers.scene import Detection, Identity, Scene

_KINDS = frozenset({"grounding-dino", "mm-grounding-dino"})


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
        settings: GroundingSettings | None = None,
    ) -> None:
        self._model = model.to(placement.device).eval()
        self._vision = SharedVision(self._model.model.backbone.conv_encoder)
        self._model.model.backbone.conv_encoder = self._vision
        self._text = SharedText(self._model.model.text_backbone, remembers="texts" in placement.speedups)
        self._model.model.text_backbone = self._text
        if "sampling" in placement.speedups and kernel_runs(placement.device):
            use_kernel(self._model)
        if "short-texts" in placement.speedups:
            project_texts(self._model)
        self._tokenizer = tokenizer
        self._placement = placement
        self._source = source
        self._size = size or InputSize()
        self._most_tokens: int = model.config.max_text_len
        self._settings = settings or GroundingSettings()
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
            options: `threshold`, `text_threshold`, `batch_size` and `settings`, as of the class.

        Raises:
            NotFoundError: they are not there; the message has the line that fetches them.
            ConfigurationError: they are another network's.
        """
        commit = commit_of(model, revision)
        network = network_from_hub(AutoModelForZeroShotObjectDetection.from_pretrained, model, commit)
        if (found := network.config.model_type) not in _KINDS:
            what = f"{model} has the weights of another network"
            raise ConfigurationError(explain(what, found=found, allowed=sorted(_KINDS)))
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
            **({"together": True} if self._settings.together else {}),
        }
        name, (model, revision) = self._model.config.model_type, self._source
        return Identity(name=name, model=model, revision=revision, settings=tuple(sorted(settings.items())))

    def detect(self, scenes: Sequence[Scene]) -> list[list[Detection]]:
        """Return the boxes in each image: prompt by prompt, the most confident first."""
        return run_batched(scenes, self._detect_batch, size=self.batch_size, key=self._alike)

    def bucket(self, height: int, width: int) -> tuple[int, int]:
        """Return what images of equal shape share, which meet in a batch."""
        return self._size.padded(height, width)

    def _alike(self, scene: Scene) -> tuple[tuple[int, int], int, bool]:
        return self.bucket(*scene.raster.shape[:2]), len(scene.prompts), self._in_one_text(scene)

    def _in_one_text(self, scene: Scene) -> bool:
        together = self._settings.together
        return together and len(self._tokenizer(joined(scene.prompts))["input_ids"]) <= self._most_tokens

    def _detect_batch(self, scenes: list[Scene]) -> list[list[Detection]]:
        pixels, seen = self._size.pixels([scene.raster for scene in scenes], self._placement)
        together = self._in_one_text(scenes[0])
        texts = Texts.of(
            self._tokenizer, scenes, together=together, most=self._most_tokens, device=self._placement.device
        )
        self._vision.repeats = repeats = len(texts.owner) // len(scenes)
        self._text.begin(texts.plain)
        with self._placement.inference():
            output = self._model(
                pixel_values=pixels.repeat_interleave(repeats, 0),
                pixel_mask=seen.repeat_interleave(repeats, 0),
                **texts.tokens,
            )
            scores = texts.scores(output.logits.float().sigmoid(), self.text_threshold)
            boxes = output.pred_boxes.float()
            answer = torch.cat([scores.flatten(), boxes.flatten()]).cpu().numpy()  # the GPU is waited for once
        places = boxes.shape[1]
        split = scores.numel()
        return confident(
            scenes,
            answer[:split].reshape(len(scenes), -1, places),
            answer[split:].reshape(len(scenes), -1, places, 4),
            self.threshold,
        )
