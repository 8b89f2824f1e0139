"""A segmenter without boxes: a trained U-Net looks at whole images of any shape and gives one mask for each.

An image is scaled so that its shorter side is that of the training, and its longer side becomes the nearest multiple
that the network takes, so that few shapes occur and batches are full. The probabilities are scaled back to the
raster and cut there, which makes a smooth edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from fornet_hf.files import sha256_of
from fornet_hf.format.masks import Mask
from producers.devices.batches import BatchSize, run_batched
from producers.devices.opencv import closed, filled, largest, load_cv2
from producers.devices.placement import Placement
from producers.model_step import SegmentByPrompts
from producers.scene import Cut, Identity, Raster, Scene, SoftMap
from producers.segment.networks.card import LONGEST, Card
from producers.segment.networks.files import read_segmenter
from producers.segment.threads import threads
from producers.segment.unet_settings import UNetSettings


@dataclass(frozen=True, kw_only=True)
class TrainedUNet(SegmentByPrompts):
    """The step; see the module.

    Attributes:
        network: gives logits.
        card: of the network.
        digest: SHA-256 of its file.
        placement: of the network.
        settings: of the masks.
        batch_size: images at a time.
    """

    network: Any
    card: Card
    digest: str
    placement: Placement = field(default_factory=Placement)
    settings: UNetSettings = field(default_factory=UNetSettings)
    batch_size: BatchSize = field(default_factory=lambda: BatchSize(256))

    @property
    def identity(self) -> Identity:
        """The file and the settings."""
        settings = tuple(sorted({**asdict(self.settings), "side": self.side, "threshold": self.threshold}.items()))
        return Identity(name="unet", model=_named(self.card), revision=f"sha256:{self.digest}", settings=settings)

    @property
    def side(self) -> int:
        """The shorter side that images are scaled to."""
        return self.settings.side or self.card.side

    @property
    def threshold(self) -> float:
        """Probability above which a pixel is the object."""
        return self.settings.threshold or self.card.threshold

    @property
    def _level(self) -> int:
        """The lowest level of a map that is above the threshold."""
        return int(255 * self.threshold) + 1

    def __call__(self, scenes: Sequence[Scene]) -> list[Scene]:
        """Return the scenes with one mask each, or none where nothing is found."""
        with threads() as executor:
            small = [*executor.map(self._small, [scene.raster for scene in scenes])]
            maps = run_batched(small, self.maps, size=self.batch_size, key=np.shape)
            cuts = executor.map(self._cut, scenes, maps)
            return [replace(scene, masks=found) for scene, found in zip(scenes, cuts, strict=True)]

    def maps(self, images: Sequence[Raster]) -> list[SoftMap]:
        """Return for images of one shape, which the network takes, how much each pixel is the object."""
        import torch

        from producers.segment.networks.pixels import normalized, object_logits

        with self.placement.inference():
            batch = torch.from_numpy(np.stack(images)).to(self.placement.device, non_blocking=True)
            pixels = normalized(batch.permute(0, 3, 1, 2), self.card)  # channels last in memory, as they came
            chances = object_logits(self.network(pixels)).float().sigmoid()
            return [*chances.mul(255).round().byte().cpu().numpy()]

    def _small(self, raster: Raster) -> Raster:
        """Return an image at the size that the network sees, to a level as Pillow shrinks those of the training."""
        import torch

        size = shape_for(raster.shape[0], raster.shape[1], self.side, self.card.network.multiple)
        pixels = torch.tensor(raster).permute(2, 0, 1)[None]  # a copy: rasters may be read-only
        small = torch.nn.functional.interpolate(pixels, size=size, mode="bilinear", antialias=True)
        return np.ascontiguousarray(small[0].permute(1, 2, 0).numpy())

    def _cut(self, scene: Scene, soft: SoftMap) -> tuple[Cut, ...]:
        """Return the mask of an image, of its raster's size; its score is the mean probability inside of it."""
        tidied = self._tidied(soft)
        height, width = scene.raster.shape[:2]
        scaled = load_cv2().resize(tidied, (width, height), interpolation=load_cv2().INTER_LINEAR)
        mask: Mask = scaled >= self._level
        area = np.count_nonzero(mask)
        if not area or area < self.settings.least * mask.size:
            return ()
        inside = soft[tidied >= self._level]
        score = float(inside.mean() / 255) if inside.size else self.threshold
        return (Cut(mask, scene.prompts[0], score, soft),)

    def _tidied(self, soft: SoftMap) -> SoftMap:
        """Return a map in which holes are certain to be the object, and parts that do not count certain not to be."""
        raw = mask = soft >= self._level
        mask = closed(mask, self.settings.close)
        if self.settings.fill:
            mask = filled(mask)
        tidied = np.where(mask & ~raw, np.uint8(255), soft)
        if self.settings.largest:
            tidied = np.where(mask & ~largest(mask), np.uint8(0), tidied)
        return tidied


def shape_for(height: int, width: int, side: int, multiple: int) -> tuple[int, int]:
    """Return the height and width to which an image is scaled.

    Its shorter side becomes `side`, at most four times that the longer one; both then the nearest multiples.
    """
    scale = side / min(height, width)
    sides = (min(one * scale, LONGEST * side) for one in (height, width))
    tall, wide = (max(1, round(one / multiple)) * multiple for one in sides)
    return tall, wide


def _named(card: Card) -> str:
    spec = card.network
    return f"{spec.decoder}-{spec.encoder}" if spec.encoder else f"unet-{'-'.join(map(str, spec.widths))}"


def load(
    placement: Placement, model: str, *, settings: UNetSettings | None = None, batch_size: int = 256
) -> TrainedUNet:
    """Load a segmenter that build/train_segmenter.py has written.

    Raises:
        NotFoundError, ConfigurationError: as `read_segmenter`.
        MissingDependencyError: the package of its encoder is not installed.
    """
    import torch

    network, card = read_segmenter(Path(model))
    return TrainedUNet(
        network=network.to(placement.device).to(memory_format=torch.channels_last),  # type: ignore[call-overload]
        card=card,
        digest=sha256_of(Path(model)),
        placement=placement,
        settings=settings or UNetSettings(),
        batch_size=BatchSize(batch_size),
    )
