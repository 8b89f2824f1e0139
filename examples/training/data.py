"""Images for training and evaluation: one memory-mapped dataset, of which each process reads its share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import DataLoader, DistributedSampler, Subset

import fornet_hf
from fornet_hf.errors import ConfigurationError, MissingDependencyError, explain
from fornet_hf.recombination.device.jpegs import decoder_for
from training.augment import image_transform
from training.config import NONE, TrainConfig
from training.images import Images, open_images
from training.processes import Place


@dataclass(frozen=True)
class Data:
    """The images that a run reads.

    Attributes:
        train: gives `{"image": uint8 (n, 3, size, size), "label": int64 (n)}`, and where mixing looks at the objects
            `"mask"`, uint8 (n, 1, size, size); with `defer`, batches to compose.
        evaluations: always the former without masks, for validation, by name.
        classes: number of classes.
        images: number of training images.
    """

    train: DataLoader[Any]
    evaluations: dict[str, DataLoader[Any]]
    classes: int
    images: int

    def set_epoch(self, epoch: int) -> None:
        """Set order, recombination and schedules to those of an epoch, from 0."""
        self.train.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
        if not isinstance(self.train.dataset, Images):
            fornet_hf.set_epoch(self.train.dataset, epoch)


def open_data(config: TrainConfig, here: Place) -> Data:
    """Prepare the dataset if nobody did, and open it.

    All processes of a machine may come here at once: one prepares, the others wait for its lock.

    Raises:
        ForNetError: data or parameters are not as they must be.
    """
    train = _recombined(config, here) if config.images is None else open_images(config, "train")
    if len(train) < config.batch_size:
        raise ConfigurationError(
            explain("batch_size is not allowed", found=config.batch_size, allowed=f"at most {len(train)} images")
        )
    sampler: DistributedSampler[Any] = DistributedSampler(
        train, num_replicas=here.world, rank=here.rank, seed=config.seed, drop_last=True
    )
    options: dict[str, Any] = {
        "batch_size": _share(config, here),
        "num_workers": config.workers,
        "pin_memory": here.device.type == "cuda",
    }
    # Workers start anew in each epoch: so their random numbers, and a resumed run, depend on seed and epoch alone.
    return Data(
        train=DataLoader(train, sampler=sampler, drop_last=True, collate_fn=fornet_hf.collate, **options),
        evaluations={name: DataLoader(_validation(config, name, here), **options) for name in config.evaluations},
        classes=len(train.classes) if isinstance(train, Images) else train.features["label"].num_classes,
        images=len(train),
    )


def deferral(config: TrainConfig, device: torch.device) -> str | None:
    """Return what a device composes from: pixels, jpeg, or None where the workers compose."""
    if config.defer != "auto":
        return None if config.defer == NONE else config.defer
    if device.type != "cuda" or config.changes:
        return None
    try:
        decoder_for(device)
    except MissingDependencyError:
        return "pixels"
    return "jpeg"


def validation_rows(config: TrainConfig) -> Any:
    """Return the rows of ForNet that a run is evaluated on, as they are stored."""
    return _load(config, "validation")


def _recombined(config: TrainConfig, here: Place) -> Any:
    """Return the training rows of ForNet, recombined; or their original images."""
    train = _load(config, "train")
    deferred = deferral(config, here.device)
    parameters = {"orig_img_prob": 1.0} if config.plain else config.recombination
    whole: dict[str, Any] = {} if config.crop == "random" else {"scale": (1, 1), "ratio": (1, 1)}
    train.set_transform(
        fornet_hf.Recombine(
            train,
            crop=fornet_hf.CropConfig(size=config.size, **whole),
            flip=config.flip,
            seed=config.seed,
            epochs=config.epochs,
            transform=None if deferred else image_transform(config),
            defer=deferred,
            return_fg_masks=config.mix_needs_masks,
            **parameters,
        )
    )
    return train


def _load(config: TrainConfig, split: str) -> Any:
    return fornet_hf.load_dataset(
        config.dataset,
        split=split,
        patches=config.patches,
        imagenet_dir=config.imagenet_dir,
        cache_dir=config.cache_dir,
    )


def _validation(config: TrainConfig, name: str, here: Place) -> Subset[Any]:
    """Return this process's rows of a validation set; each row is in one process, none is repeated or left out."""
    if config.images is not None:
        images = open_images(config, "validation")
        return Subset(images, range(here.rank, len(images), here.world))
    rows = validation_rows(config)
    parameters: dict[str, Any] = {"orig_img_prob": 1.0}
    if name != "original":
        parameters = {**config.recombination, "orig_img_prob": 0.0, "background_combination": name}
    crop = fornet_hf.CropConfig(size=config.size, centre=config.centre)
    rows.set_transform(
        fornet_hf.Recombine(rows, crop=crop, evaluation=True, transform=fornet_hf.to_uint8, **parameters)
    )
    return Subset(rows, range(here.rank, len(rows), here.world))


def _share(config: TrainConfig, here: Place) -> int:
    """Return the images that one process computes at once."""
    parts = here.world * config.accumulate
    share, rest = divmod(config.batch_size, parts)
    if rest or not share:
        allowed = f"a multiple of {here.world} processes" + (
            f" x {config.accumulate} parts" if config.accumulate > 1 else ""
        )
        raise ConfigurationError(explain("batch_size is not allowed", found=config.batch_size, allowed=allowed))
    return share
