"""SAM by transformers, which fetches the weights by their name on the Hub."""

from __future__ import annotations

from typing import Any

import torch
from transformers import SamModel

from producers.devices.batches import BatchSize
from producers.devices.placement import Placement
from producers.devices.weights import commit_of, from_hub, name_of
from producers.segment.box_segmenter import BoxSegmenter

MODEL = "facebook/sam-vit-base"


class HubSam:
    """The network behind `BoxSegmenter`."""

    def __init__(self, model: Any) -> None:
        self._model = model.eval()

    @property
    def side(self) -> int:
        """Pixels of the square which it looks at."""
        return int(self._model.config.vision_config.image_size)

    def embed(self, pixels: torch.Tensor) -> torch.Tensor:
        """Embeddings of normalised images."""
        embeddings: torch.Tensor = self._model.get_image_embeddings(pixels)
        return embeddings

    def masks(self, embedding: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
        """Logits of three masks for each box."""
        output = self._model(image_embeddings=embedding[None], input_boxes=boxes[None], multimask_output=True)
        logits: torch.Tensor = output.pred_masks[0]
        return logits


def load(
    placement: Placement, model: str = MODEL, revision: str | None = None, *, batch_size: int = 16
) -> BoxSegmenter:
    """SAM with weights from the Hub or a local folder.

    Raises:
        NotFoundError: they are not there; the message has the line that fetches them.
    """
    commit = commit_of(model, revision)
    network: Any = from_hub(SamModel.from_pretrained, model, commit)
    return BoxSegmenter(
        network=HubSam(network.to(placement.device)),
        placement=placement,
        source=("sam", model, name_of(model, commit)),
        batch_size=BatchSize(batch_size),
    )
