"""SAM: masks in boxes, by the code of its authors (`segment-anything`) or by that of transformers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch
from torch.nn import functional

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.files import sha256_of
from fornet_hf.format.masks import Box, Mask
from producers.devices.batches import BatchSize, run_batched
from producers.devices.opencv import largest_filled
from producers.devices.placement import Placement
from producers.devices.weights import commit_of, from_hub, name_of
from producers.scene import Identity, Point, Raster

FILES = {
    "vit_b": "sam_vit_b_01ec64.pth",
    "vit_l": "sam_vit_l_0b3195.pth",
    "vit_h": "sam_vit_h_4b8939.pth",
}
"""The sizes of the authors' SAM and the files of their weights."""

_ADDRESS = "https://dl.fbaipublicfiles.com/segment_anything"
_MEAN, _STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)  # of SAM's training images, 0 to 255

Asking = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]  # of `Network.masks` and `Network.masks_at`


class Network(Protocol):
    """SAM, whoever's code it is."""

    @property
    def side(self) -> int:
        """Pixels of the square which it looks at."""

    def embed(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return embeddings (n x channels x h x w) of normalised images (n x 3 x side x side)."""

    def masks(self, embedding: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
        """Return logits (n x 3 x h x w), above 0 inside, of the three masks that each box (n x 4) may mean."""

    def masks_at(self, embedding: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        """Return logits of the three masks that each point (n x 2) may mean."""


@dataclass(frozen=True, kw_only=True)
class BoxSegmenter:
    """Unites the three masks that SAM offers for a box or a point and keeps the largest part, filled.

    Attributes:
        network: SAM.
        placement: of the network.
        source: what the manifest says: name, model, revision.
        batch_size: images at a time; they are all padded to the same square.
    """

    network: Network
    placement: Placement
    source: tuple[str, str, str]
    batch_size: BatchSize = field(default_factory=lambda: BatchSize(16))

    @property
    def identity(self) -> Identity:
        """The model, as the manifest names it."""
        name, model, revision = self.source
        settings = (("precision", self.placement.precision),)
        return Identity(name=name, model=model, revision=revision, settings=settings)

    def segment(self, rasters: Sequence[Raster], boxes: Sequence[Sequence[Box]]) -> list[list[Mask]]:
        """Return for each image a mask of its size for each of its boxes; images without boxes cost nothing."""
        return self._segment(rasters, boxes, self.network.masks)

    def segment_points(self, rasters: Sequence[Raster], points: Sequence[Sequence[Point]]) -> list[list[Mask]]:
        """Return the same for points."""
        return self._segment(rasters, points, self.network.masks_at)

    def _segment(
        self, rasters: Sequence[Raster], prompts: Sequence[Sequence[Sequence[int]]], ask: Asking
    ) -> list[list[Mask]]:
        asked = [image for image in zip(rasters, prompts, strict=True) if image[1]]
        answers = iter(run_batched(asked, partial(self._segment_batch, ask=ask), size=self.batch_size))
        return [next(answers) if found else [] for found in prompts]

    def _segment_batch(self, images: list[tuple[Raster, Sequence[Sequence[int]]]], ask: Asking) -> list[list[Mask]]:
        with self.placement.inference():
            embeddings = self.network.embed(torch.stack([self._square(raster) for raster, _ in images]))
            return [
                self._masks(embedding, raster.shape[:2], prompts, ask)
                for embedding, (raster, prompts) in zip(embeddings, images, strict=True)
            ]

    def _scaled(self, height: int, width: int) -> tuple[int, int]:
        scale = self.network.side / max(height, width)
        return int(height * scale + 0.5), int(width * scale + 0.5)

    def _square(self, raster: Raster) -> torch.Tensor:
        """Return the image scaled to the network's side, normalised and padded with zeros."""
        height, width = size = self._scaled(*raster.shape[:2])
        pixels = functional.interpolate(self.placement.pixels(raster)[None], size, mode="bilinear", antialias=True)[0]
        mean, std = (pixels.new_tensor(values).view(3, 1, 1) for values in (_MEAN, _STD))
        return functional.pad((pixels - mean) / std, (0, self.network.side - width, 0, self.network.side - height))

    def _masks(
        self, embedding: torch.Tensor, size: tuple[int, int], prompts: Sequence[Sequence[int]], ask: Asking
    ) -> list[Mask]:
        scaled = self._scaled(*size)
        pairs = torch.tensor(prompts, dtype=torch.float32, device=self.placement.device)
        factors = embedding.new_tensor([scaled[1] / size[1], scaled[0] / size[0]], dtype=torch.float32)
        logits = ask(embedding, (pairs.reshape(len(prompts), -1, 2) * factors).flatten(1)).float()
        square = functional.interpolate(logits, (self.network.side,) * 2, mode="bilinear", align_corners=False)
        image = functional.interpolate(
            square[..., : scaled[0], : scaled[1]], tuple(size), mode="bilinear", align_corners=False
        )
        united = (image > 0).any(1).cpu().numpy()
        return [largest_filled(mask) for mask in united]


class SegmentAnything:
    """The network of `segment-anything`."""

    def __init__(self, model: Any) -> None:
        self._model = model.eval()
        with torch.inference_mode():
            self._positions = model.prompt_encoder.get_dense_pe()

    @property
    def side(self) -> int:
        """Pixels of the square which it looks at."""
        return int(self._model.image_encoder.img_size)

    def embed(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return embeddings of normalised images."""
        embeddings: torch.Tensor = self._model.image_encoder(pixels)
        return embeddings

    def masks(self, embedding: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
        """Return logits of three masks for each box."""
        return self._decoded(embedding, boxes=boxes, points=None)

    def masks_at(self, embedding: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        """Return logits of three masks for each point."""
        inside = points.new_ones((len(points), 1), dtype=torch.int64)
        return self._decoded(embedding, boxes=None, points=(points[:, None], inside))

    def _decoded(self, embedding: torch.Tensor, **prompts: Any) -> torch.Tensor:
        sparse, dense = self._model.prompt_encoder(masks=None, **prompts)
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
    network = SegmentAnything(sam.to(placement.device))
    return BoxSegmenter(network=network, placement=placement, source=source, batch_size=BatchSize(batch_size))


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

    @property
    def side(self) -> int:
        """Pixels of the square which it looks at."""
        return int(self._model.config.vision_config.image_size)

    def embed(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return embeddings of normalised images."""
        embeddings: torch.Tensor = self._model.get_image_embeddings(pixels)
        return embeddings

    def masks(self, embedding: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
        """Return logits of three masks for each box."""
        return self._decoded(embedding, input_boxes=boxes[None])

    def masks_at(self, embedding: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        """Return logits of three masks for each point."""
        inside = points.new_ones((1, len(points), 1), dtype=torch.int64)
        return self._decoded(embedding, input_points=points[None, :, None], input_labels=inside)

    def _decoded(self, embedding: torch.Tensor, **prompts: torch.Tensor) -> torch.Tensor:
        output = self._model(image_embeddings=embedding[None], multimask_output=True, **prompts)
        logits: torch.Tensor = output.pred_masks[0]
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
    network: Any = from_hub(SamModel.from_pretrained, model, commit)
    return BoxSegmenter(
        network=HubSam(network.to(placement.device)),
        placement=placement,
        source=("sam", model, name_of(model, commit)),
        batch_size=BatchSize(batch_size),
    )
