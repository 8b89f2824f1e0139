"""SAM by the code of its authors, the package `segment-anything`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from segment_anything import sam_model_registry

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.files import sha256_of
from producers.devices.batches import BatchSize
from producers.devices.placement import Placement
from producers.segment.box_segmenter import BoxSegmenter

FILES = {
    "vit_b": "sam_vit_b_01ec64.pth",
    "vit_l": "sam_vit_l_0b3195.pth",
    "vit_h": "sam_vit_h_4b8939.pth",
}
"""The sizes of SAM and the files of their weights."""

_ADDRESS = "https://dl.fbaipublicfiles.com/segment_anything"


class SegmentAnything:
    """The network behind `BoxSegmenter`."""

    def __init__(self, model: Any) -> None:
        self._model = model.eval()
        with torch.inference_mode():
            self._positions = model.prompt_encoder.get_dense_pe()

    @property
    def side(self) -> int:
        """Pixels of the square which it looks at."""
        return int(self._model.image_encoder.img_size)

    def embed(self, pixels: torch.Tensor) -> torch.Tensor:
        """Embeddings of normalised images."""
        embeddings: torch.Tensor = self._model.image_encoder(pixels)
        return embeddings

    def masks(self, embedding: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
        """Logits of three masks for each box."""
        sparse, dense = self._model.prompt_encoder(points=None, boxes=boxes, masks=None)
        logits, _ = self._model.mask_decoder(
            image_embeddings=embedding[None],
            image_pe=self._positions,
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=True,
        )
        result: torch.Tensor = logits
        return result


def load(
    placement: Placement, weights: Path | None = None, size: str = "vit_b", *, batch_size: int = 16
) -> BoxSegmenter:
    """SAM with the weights that its authors publish.

    Args:
        placement: where it runs.
        weights: a local file; None: fetched into torch's cache.
        size: a name in `FILES`.
        batch_size: images at a time.

    Raises:
        NotFoundError: the file is missing and cannot be fetched; the message has the line that fetches it.
        ConfigurationError: the size is not known, or the file's weights do not fit it.
    """
    if size not in FILES:
        raise ConfigurationError(explain("unknown size of SAM", found=repr(size), allowed=sorted(FILES)))
    weights = _present(weights, FILES[size])
    model = sam_model_registry[size]()
    try:
        # weights_only: a file of weights must not be able to run code
        model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    except (RuntimeError, ValueError, TypeError, OSError, EOFError) as error:
        found = str(error).partition("\n")[0]
        raise ConfigurationError(explain(f"{weights} does not hold weights of SAM {size}", found=found)) from error
    source = ("segment-anything", size, f"sha256:{sha256_of(weights)}")
    network = SegmentAnything(model.to(placement.device))
    return BoxSegmenter(network=network, placement=placement, source=source, batch_size=BatchSize(batch_size))


def _present(weights: Path | None, name: str) -> Path:
    """The file of the weights; fetched if none is given."""
    found: object = f"no file {weights}"
    if weights is None:
        weights = Path(torch.hub.get_dir()) / "checkpoints" / name
        if not weights.is_file():
            weights.parent.mkdir(parents=True, exist_ok=True)
            try:
                digest = name.removesuffix(".pth").rpartition("_")[2]  # the names end with the start of their SHA-256
                torch.hub.download_url_to_file(f"{_ADDRESS}/{name}", str(weights), hash_prefix=digest)
            except (OSError, RuntimeError) as error:
                found = error
    if not weights.is_file():
        then = f"Fetch it: curl -o {name} {_ADDRESS}/{name} and give --segmenter sam={name}"
        raise NotFoundError(explain("SAM's weights are missing", found=found, then=then))
    return weights
