"""SAM: masks in boxes, by the code of its authors (`segment-anything`) or by that of transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.files import sha256_of
from producers.devices.batches import BatchSize
from producers.devices.placement import Placement
from producers.devices.weights import commit_of, name_of, network_from_hub
from producers.segment.box_segmenter import BoxSegmenter, Embeddings
from producers.segment.relative_positions import fuse
from producers.segment.square import Square

FILES = {
    "vit_b": "sam_vit_b_01ec64.pth",
    "vit_l": "sam_vit_l_0b3195.pth",
    "vit_h": "sam_vit_h_4b8939.pth",
}
"""The sizes of the authors' SAM and the files of their weights."""

_ADDRESS = "https://dl.fbaipublicfiles.com/segment_anything"


class SegmentAnything:
    """The network of `segment-anything`."""

    def __init__(self, model: Any) -> None:
        self._model = model.eval()
        self.square = Square(side=int(model.image_encoder.img_size), padded=True)
        with torch.inference_mode():
            self._positions = model.prompt_encoder.get_dense_pe()

    def embed(self, pixels: torch.Tensor) -> Embeddings:
        """Return embeddings of normalised images."""
        return (self._model.image_encoder(pixels),)

    def masks(self, embeddings: Embeddings, boxes: torch.Tensor) -> torch.Tensor:
        """Return logits of three masks for each box."""
        return self._decoded(embeddings, boxes=boxes, points=None)

    def masks_at(self, embeddings: Embeddings, points: torch.Tensor) -> torch.Tensor:
        """Return logits of three masks for each point."""
        inside = points.new_ones((len(points), 1), dtype=torch.int64)
        return self._decoded(embeddings, boxes=None, points=(points[:, None], inside))

    def _decoded(self, embeddings: Embeddings, **prompts: Any) -> torch.Tensor:
        (maps,) = embeddings
        sparse, dense = self._model.prompt_encoder(masks=None, **prompts)
        logits, _ = self._model.mask_decoder(
            # the decoder repeats one image for all prompts and adds what each says of it: here, its own image
            image_embeddings=torch.zeros_like(maps[:1]),
            image_pe=self._positions,
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=maps + dense,
            multimask_output=True,
        )
        result: torch.Tensor = logits
        return result


def load(
    placement: Placement, model: str | Path | None = None, revision: str = "vit_b", *, batch_size: int = 16
) -> BoxSegmenter:
    """Load SAM by `segment-anything`.

    Args:
        placement: where it runs.
        model: file of the weights; None: those of the authors, fetched into torch's cache.
        revision: its size, a name in `FILES`.
        batch_size: images at a time.

    Raises:
        NotFoundError: the file is missing and cannot be fetched; the message has the line that fetches it.
        ConfigurationError: the size is not known, or the file's weights do not fit it.
    """
    from segment_anything import sam_model_registry

    if revision not in FILES:
        raise ConfigurationError(explain("unknown size of SAM", found=repr(revision), allowed=sorted(FILES)))
    weights = _present(None if model is None else Path(model), FILES[revision])
    sam = sam_model_registry[revision]()
    try:
        # weights_only: a file of weights must not be able to run code
        sam.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    except (RuntimeError, ValueError, TypeError, OSError, EOFError) as error:
        found = str(error).partition("\n")[0]
        raise ConfigurationError(
            explain(f"{weights} does not hold weights of SAM {revision}", found=found)
        ) from error
    source = ("segment-anything", revision, f"sha256:{sha256_of(weights)}")
    return BoxSegmenter(
        network=placed(sam, placement), placement=placement, source=source, batch_size=BatchSize(batch_size)
    )


def placed(model: Any, placement: Placement) -> SegmentAnything:
    """Return a model of `segment-anything` where it runs, with the ways to be faster that are used."""
    if "relative-positions" in placement.speedups:
        fuse(model.image_encoder)
    if "compile" in placement.speedups:
        model.image_encoder = torch.compile(model.image_encoder)
    return SegmentAnything(model.to(placement.device))


def _present(weights: Path | None, name: str) -> Path:
    """Return the file of the weights; fetched if none is given."""
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


class HubSam:
    """The network of transformers."""

    def __init__(self, model: Any) -> None:
        self._model = model.eval()
        self.square = Square(side=int(model.config.vision_config.image_size), padded=True)

    def embed(self, pixels: torch.Tensor) -> Embeddings:
        """Return embeddings of normalised images."""
        return (self._model.get_image_embeddings(pixels),)

    def masks(self, embeddings: Embeddings, boxes: torch.Tensor) -> torch.Tensor:
        """Return logits of three masks for each box."""
        return self._decoded(embeddings, input_boxes=boxes[:, None])

    def masks_at(self, embeddings: Embeddings, points: torch.Tensor) -> torch.Tensor:
        """Return logits of three masks for each point."""
        inside = points.new_ones((len(points), 1, 1), dtype=torch.int64)
        return self._decoded(embeddings, input_points=points[:, None, None], input_labels=inside)

    def _decoded(self, embeddings: Embeddings, **prompts: torch.Tensor) -> torch.Tensor:
        output = self._model(image_embeddings=embeddings[0], multimask_output=True, **prompts)
        logits: torch.Tensor = output.pred_masks[:, 0]
        return logits


def load_from_hub(
    placement: Placement, model: str, revision: str | None = None, *, batch_size: int = 16
) -> BoxSegmenter:
    """Load SAM by transformers, with weights from the Hub or a local folder.

    Raises:
        NotFoundError: they are not there; the message has the line that fetches them.
    """
    from transformers import SamModel

    commit = commit_of(model, revision)
    network = network_from_hub(SamModel.from_pretrained, model, commit)
    return BoxSegmenter(
        network=HubSam(network.to(placement.device)),
        placement=placement,
        source=("sam", model, name_of(model, commit)),
        batch_size=BatchSize(batch_size),
    )
