"""`ForNetDataset`: ForNet in folders or zips as a map-style dataset for PyTorch's DataLoader."""

from __future__ import annotations

import io
import operator
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fornet_hf.arguments import either
from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.layout.index import open_split
from fornet_hf.layout.recombining import LocalPool, LocalRecombiner, Originals, damaged
from fornet_hf.recombination.draw.clock import Clock
from fornet_hf.recombination.draw.configuration import RecombinationConfig
from fornet_hf.recombination.kinds import Compose
from fornet_hf.recombination.recombiner import Recombined, settings
from fornet_hf.sources import open_images

_COLUMNS = ("image", "label", "mask", "composition")
_KEPT = ("key", "folder", "foreground", "foreground_ratio")  # of a row, for `keep`


class ForNetDataset:
    """Recombined images from the public tools' folders or zips; `fornet apply` makes them.

    `ds[i]` is `(image, label)`, and with `return_fg_masks` `(image, label, mask)`: foreground `i` at a newly drawn
    place, size and background. It is recombined as by `Recombine`: with the same seed and epoch the same key gives
    the same composition, and the same image where the pixels come from the same encoding.

    It needs no torch and works with its DataLoader: any number of workers, forked or spawned; `epoch` reaches
    those that already run. The order is that of class folders and keys, on every machine.

    Args:
        root: the folder with `train/` and `val/`, or with the zips, and with the ratios.
        train: the training split; False: validation.
        transform: called on the recombined image; a list is called one after the other. With masks see `Hooks`.
        target_transform: called on the label.
        fg_transform: called on the object as RGBA image, before its size is drawn; returns RGBA.
        foreground_transform: another name of `fg_transform`.
        return_fg_masks: also return the pasted mask. Not together with original images, of which this layout
            does not tell where the object was.
        return_composition: also return what was drawn, a JSON-able dict, after these.
        keep: what else to return, at the end: some of "key", "folder", "foreground" and "foreground_ratio".
        defer: "pixels" or "jpeg": leave composing to a `Compositor`, on the device, as with `Recombine`.
        imagenet_dir: ImageNet with `train/` and `val/`, for the original images of `orig_img_prob`.
        orig_ds: another name of `imagenet_dir`.
        classes: names of the class folders in label order; default: `classes.json` beside the images if there is
            one, else ImageNet's 1000 if all folders are among them, else sorted.
        epochs: number of epochs of the training, for schedules of `orig_img_prob`.
        size_fact: another name of `fg_size_fact`.
        config: the parameters as one value; else give the keywords of `RecombinationConfig`.
        **parameters: see `RecombinationConfig`, which holds their meaning, allowed values and defaults.

    Attributes:
        classes: names of the class folders in label order.
        class_to_idx: the label of each class folder.

    Raises:
        NotFoundError: images, ratios or ImageNet are not there.
        PatchFormatError: a zip or the ratios are damaged.
        ConfigurationError: a parameter that is not allowed.

    Example:
        In a folder made by `fornet apply -p demo/made/patches -in demo/pictures -o fornet`:

        >>> import fornet_hf
        >>> ds = fornet_hf.ForNetDataset("fornet", crop=224, seed=0)
        >>> image, label = ds[0]
        >>> image.size, image.mode, label in range(len(ds.classes))
        ((224, 224), 'RGB', True)
    """

    def __init__(
        self,
        root: str | Path,
        *,
        train: bool = True,
        transform: Callable[..., Any] | Sequence[Callable[..., Any]] | None = None,
        target_transform: Callable[[int], Any] | None = None,
        fg_transform: Callable[[Image.Image], Image.Image] | None = None,
        foreground_transform: Callable[[Image.Image], Image.Image] | None = None,
        return_fg_masks: bool = False,
        return_composition: bool = False,
        keep: Collection[str] = (),
        defer: str | None = None,
        imagenet_dir: str | Path | None = None,
        orig_ds: str | Path | None = None,
        classes: Sequence[str] | None = None,
        epochs: float | None = None,
        size_fact: float | None = None,
        config: RecombinationConfig | None = None,
        **parameters: Any,
    ) -> None:
        split = "train" if train else "validation"
        factor = either(size_fact=size_fact, fg_size_fact=parameters.pop("fg_size_fact", None))
        if factor is not None:
            parameters["fg_size_fact"] = factor
        config, hooks, clock = settings(
            config,
            parameters,
            ForNetDataset,
            split=split,
            epochs=epochs or None,
            foreground_transform=foreground_transform,
            fg_transform=fg_transform,
            transform=_chained(transform),
            target_transform=target_transform,
            return_fg_masks=return_fg_masks,
            return_composition=return_composition,
            keep=keep,
            defer=defer,
        )
        if unknown := sorted(set(hooks.keep) - set(_KEPT)):
            raise ConfigurationError(explain("keep is not allowed", found=unknown, allowed=f"some of {list(_KEPT)}"))
        imagenet_dir = either(imagenet_dir=imagenet_dir, orig_ds=orig_ds)
        originals = _originals(config, imagenet_dir, split, masks=return_fg_masks)
        self._split = open_split(Path(root).expanduser(), split, classes)
        self.classes = list(self._split.classes)
        self.class_to_idx = {name: label for label, name in enumerate(self.classes)}
        pool = LocalPool(self._split, config.pruning_ratio)
        self._recombiner = LocalRecombiner(pool, config, hooks, clock, originals)
        self._recombiner.rows_of_a_pass = len(self)

    def __len__(self) -> int:
        return len(self._split.labels)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        """Return a recombined example: `(image, label)`, then mask and composition if asked for.

        Raises:
            IndexError: there is no such foreground.
            SourceError: one of the images is damaged.
        """
        return self._examples([index])[0]

    def __getitems__(self, indices: Iterable[int]) -> list[tuple[Any, ...]]:
        """Return several examples, as a DataLoader asks for them: cheaper a piece than one. Raises as for one."""
        if type(self).__getitem__ is not ForNetDataset.__getitem__:
            return [self[index] for index in indices]  # a subclass adds something to each
        return self._examples(indices)

    def _examples(self, indices: Iterable[int]) -> list[tuple[Any, ...]]:
        examples = self._recombiner.examples(self.row(index) for index in indices)
        keep = self._recombiner.hooks.keep
        return [tuple(example[name] for name in (*_COLUMNS, *keep) if name in example) for example in examples]

    def recombine(self, index: int) -> Recombined:
        """Return a recombination before `transform`, and what was drawn for it."""
        return self._recombiner.recombine(self.row(index))

    def row(self, index: int) -> dict[str, Any]:
        """Return what is recombined: key, label, the object's pixels and mask, and its ratio.

        Raises:
            IndexError: there is no such foreground.
            TypeError: not an integer.
            SourceError: the foreground is damaged.
        """
        index = operator.index(index)
        place = index + (len(self) if index < 0 else 0)
        if not 0 <= place < len(self):
            raise IndexError(f"no example {index}; there are {len(self)}")
        split = self._split
        folder, key = split.foregrounds.entries.name(place)
        try:
            with Image.open(io.BytesIO(split.foregrounds.read(place)), formats=("WEBP", "PNG")) as opened:
                image = opened.convert("RGBA")
        except (OSError, ValueError, SyntaxError) as error:
            raise damaged(split.foregrounds.place(place), error) from error
        own = int(split.own[place])
        row = {
            "key": key,
            "folder": folder,
            "label": int(split.labels[place]),
            "foreground": image.convert("RGB"),
            "mask": image.getchannel("A"),
            "background": None,
            "box": None,
            "own": own if own >= 0 else None,
        }
        return {**row, "foreground_ratio": self._ratio(place, row)}

    def background(self, index: int) -> bytes:
        """Return the file of a background, by its own index (a row's `own`)."""
        return self._split.backgrounds.read(index)

    def _ratio(self, index: int, row: dict[str, Any]) -> float:
        """Return area of the object / area of its image; measured where the file of ratios lacks it."""
        ratio = float(self._split.ratios[index])
        if ratio == ratio:  # noqa: PLR0124  # not NaN
            return ratio
        if row["own"] is None:
            return 0.0
        with Image.open(io.BytesIO(self._split.backgrounds.read(row["own"]))) as background:
            area = float(background.width * background.height)
        return min(1.0, float(np.count_nonzero(row["mask"])) / area)

    @property
    def keys(self) -> list[str]:
        """The keys of all foregrounds, in order."""
        keys: list[str] = self._split.foregrounds.entries.keys.to_pylist()
        return keys

    @property
    def targets(self) -> list[int]:
        """The labels of all foregrounds, in order."""
        labels: list[int] = self._split.labels.tolist()
        return labels

    @property
    def config(self) -> RecombinationConfig:
        """The parameters."""
        return self._recombiner.config

    @property
    def transform(self) -> Callable[..., Any] | None:
        """The callable for the recombined image. May be set, a list too; workers that already run keep theirs."""
        return self._recombiner.transform

    @transform.setter
    def transform(self, transform: Callable[..., Any] | Sequence[Callable[..., Any]] | None) -> None:
        self._recombiner.transform = _chained(transform)

    @property
    def target_transform(self) -> Callable[[int], Any] | None:
        """The callable for the label. May be set; workers that already run keep theirs."""
        return self._recombiner.target_transform

    @target_transform.setter
    def target_transform(self, transform: Callable[[int], Any] | None) -> None:
        self._recombiner.target_transform = transform

    @property
    def clock(self) -> Clock:
        """Epoch and number of epochs, in memory that workers share."""
        return self._recombiner.clock

    @property
    def epoch(self) -> float:
        """The current epoch, from 0; set it before each epoch."""
        return self.clock.epoch

    @epoch.setter
    def epoch(self, value: float) -> None:
        self.clock.epoch = value

    def set_epoch(self, epoch: float) -> None:
        """Set the epoch: the name by which training libraries look for it."""
        self.clock.epoch = epoch

    @property
    def epochs(self) -> float | None:
        """The number of epochs of the training; None if it was not set."""
        return self.clock.epochs

    @epochs.setter
    def epochs(self, value: float | None) -> None:
        self.clock.epochs = value

    def num_classes(self) -> int:
        """Return the number of classes."""
        return len(self.classes)

    def __repr__(self) -> str:
        layout = self._split.layout
        shown = [f"{str(layout.root)!r}", layout.split, f"{len(self)} foregrounds", *self._recombiner.differences()]
        return f"{type(self).__name__}({', '.join(shown)})"


def _chained(transform: Any) -> Any:
    return Compose(transform) if isinstance(transform, (list, tuple)) else transform


def _originals(
    config: RecombinationConfig, folder: str | Path | None, split: str, *, masks: bool
) -> Originals | None:
    """Return where original images are; None if none are shown."""
    if config.orig_img_prob == 0:
        return None
    if folder is None:
        then = "This layout does not hold the original images: pass imagenet_dir=FOLDER."
        raise ConfigurationError(explain("orig_img_prob needs ImageNet", found=config.orig_img_prob, then=then))
    if masks:
        then = "Where the object is in the original is only known to prepared datasets: fornet_hf.load_dataset."
        raise ConfigurationError(explain("return_fg_masks does not go with orig_img_prob here", then=then))
    source = open_images(Path(folder).expanduser())
    if not source.has(split):
        found = f"no folder of {split!r} in {source.root}"
        raise NotFoundError(explain("imagenet_dir holds no such images", found=found, allowed="train/ and val/"))
    return Originals(source, split)
