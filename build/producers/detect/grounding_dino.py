"""Boxes for prompts by GroundingDINO, through transformers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import AutoModelForZeroShotObjectDetection, AutoTokenizer

from producers.detect.answers import confident
from producers.detect.input_size import InputSize, input_size
from producers.detect.sampling import kernel_runs, use_kernel
from producers.detect.shared import SharedText, SharedVision
from producers.devices.batches import BatchSize, run_batched
from producers.devices.placement import Placement
from producers.devices.weights import commit_of, from_hub, name_of
from producers.scene import Detection, Identity, Scene


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
        self._text = SharedText(self._model.model.text_backbone, remembers="texts" in placement.speedups)
        self._model.model.text_backbone = self._text
        if "sampling" in placement.speedups and kernel_runs(placement.device):
            use_kernel(self._model)
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
        return run_batched(scenes, self._detect_batch, size=self.batch_size, key=self._alike)

    def bucket(self, height: int, width: int) -> tuple[int, int]:
        """Return what images of equal shape share, which meet in a batch."""
        return self._size.padded(height, width)

    def _alike(self, scene: Scene) -> tuple[tuple[int, int], int]:
        return self.bucket(*scene.raster.shape[:2]), len(scene.prompts)

    def _detect_batch(self, scenes: list[Scene]) -> list[list[Detection]]:
        prompts = len(scenes[0].prompts)
        pixels, seen = self._size.pixels([scene.raster for scene in scenes], self._placement)
        texts = [prompt for scene in scenes for prompt in scene.prompts]
        tokens = self._tokenizer(texts, padding=True, return_tensors="pt")
        self._vision.repeats = prompts
        self._text.begin(tokens["input_ids"], tokens["attention_mask"])
        tokens = tokens.to(self._placement.device)
        with self._placement.inference():
            output = self._model(
                pixel_values=pixels.repeat_interleave(prompts, 0),
                pixel_mask=seen.repeat_interleave(prompts, 0),
                input_ids=tokens["input_ids"],
                attention_mask=tokens["attention_mask"],
                token_type_ids=tokens.get("token_type_ids"),
            )
            scores = self._scores(output.logits.float().sigmoid(), tokens["input_ids"])
            answer = torch.cat([scores[..., None], output.pred_boxes.float()], -1).cpu().numpy()
        answer = answer.reshape(len(scenes), prompts, -1, 5)
        return confident(scenes, answer[..., 0], answer[..., 1:], self.threshold)

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
