"""SAM 2.1: masks in boxes and at points, by the code of transformers.

Ravi et al., "SAM 2: Segment Anything in Images and Videos", ICLR 2025. Images are stretched to its square, and maps
of three sizes lead to masks.
"""

from __future__ import annotations

from typing import Any

import torch

from producers.devices.batches import BatchSize
from producers.devices.placement import Placement
from producers.devices.weights import commit_of, name_of, network_from_hub
from producers.segment.box_segmenter import BoxSegmenter, Embeddings
from producers.segment.sam import HubSam
from producers.segment.square import Square


class HubSam2(HubSam):
    """The network; prompts are given to it as to SAM of transformers."""

    def __init__(self, model: Any) -> None:
        self._model = model.eval()
        size = model.config.vision_config.backbone_config.image_size
        self.square = Square(side=size if isinstance(size, int) else size[0])

    def embed(self, pixels: torch.Tensor) -> Embeddings:
        """Return embeddings of normalised images: of three sizes, the finest first."""
        return tuple(self._model.get_image_embeddings(pixels))

    def _decoded(self, embeddings: Embeddings, **prompts: torch.Tensor) -> torch.Tensor:
        output = self._model(image_embeddings=[*embeddings], multimask_output=True, **prompts)
        logits: torch.Tensor = output.pred_masks[:, 0]
        return logits


def load(placement: Placement, model: str, revision: str | None = None, *, batch_size: int = 16) -> BoxSegmenter:
    """Load SAM 2 or 2.1 with weights from the Hub or a local folder.

    Raises:
        NotFoundError: they are not there; the message has the line that fetches them.
    """
    from transformers import Sam2Model

    commit = commit_of(model, revision)
    network = network_from_hub(Sam2Model.from_pretrained, model, commit)
    return BoxSegmenter(
        network=HubSam2(network.to(placement.device)),
        placement=placement,
        source=("sam2", model, name_of(model, commit)),
        batch_size=BatchSize(batch_size),
    )
