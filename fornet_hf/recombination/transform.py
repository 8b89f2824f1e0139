"""`Recombine`: the callable for `ds.set_transform`, which turns rows into recombined examples."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from PIL import Image

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.recombination.dataset import as_prepared
from fornet_hf.recombination.draw.configuration import RecombinationConfig
from fornet_hf.recombination.pools.arrow import BackgroundPool
from fornet_hf.recombination.recombiner import Recombiner, settings

if TYPE_CHECKING:
    import datasets


class Recombine(Recombiner):
    """Recombines rows of a prepared ForNet dataset: `ds.set_transform(Recombine(ds, ...))`.

    Every access to a row gives its object at a newly drawn place, size and background. Examples have the columns
    `image` (RGB, or what `transform` returns) and `label`; on request also `mask` and `composition`.

    - A row without foreground gives its own background as it is.
    - A row without background is never shown as original; where its own background is asked for, it gets one of
      its class.
    - The backgrounds are those of the dataset given here, also when the transform is used on a part of it.

    The dataset is changed in place to a `PreparedDataset`: `ds.epochs` and `ds.epoch` reach this transform and all
    workers, and images are decoded only when they are looked at.

    Args:
        dataset: the prepared dataset.
        config: the parameters as one value; else give the keywords of `RecombinationConfig`.
        foreground_transform: called on the object as tight RGBA image, before its size is drawn; returns RGBA.
        fg_transform: another name of `foreground_transform`.
        transform: called on the recombined image, such as `to_tensor` of this package; with masks see `Hooks`.
        target_transform: called on the label.
        return_fg_masks: also return the pasted mask, as `mask`.
        return_composition: also return what was drawn, as `composition`.
        keep: columns of the rows that examples have too, such as `("key",)`.
        defer: "pixels" or "jpeg": leave composing to a `Compositor`, on the device; see there.
        epochs: number of epochs of the training, for schedules.
        **parameters: see `RecombinationConfig`, which holds their meaning, allowed values and defaults.

    Raises:
        ConfigurationError: a parameter that is not allowed, or a dataset which is not a prepared one.

    Example:
        >>> import fornet_hf
        >>> ds = fornet_hf.load_dataset(patches="demo/made/patches", imagenet_dir="demo/pictures", split="train")
        >>> ds.set_transform(fornet_hf.Recombine(ds, background_combination="same", crop=96, return_fg_masks=True))
        >>> ds[0]["image"].size, ds[0]["mask"].mode
        ((96, 96), 'L')
    """

    pool: BackgroundPool

    def __init__(  # keywords, as users know them
        self,
        dataset: datasets.Dataset,
        *,
        config: RecombinationConfig | None = None,
        foreground_transform: Callable[[Image.Image], Image.Image] | None = None,
        fg_transform: Callable[[Image.Image], Image.Image] | None = None,
        transform: Callable[..., Any] | None = None,
        target_transform: Callable[[int], Any] | None = None,
        return_fg_masks: bool = False,
        return_composition: bool = False,
        keep: Collection[str] = (),
        defer: str | None = None,
        epochs: float | None = None,
        **parameters: Any,
    ) -> None:
        config, hooks, clock = settings(
            config,
            parameters,
            Recombine,
            split=getattr(dataset, "split", None),
            epochs=epochs,
            foreground_transform=foreground_transform,
            fg_transform=fg_transform,
            transform=transform,
            target_transform=target_transform,
            return_fg_masks=return_fg_masks,
            return_composition=return_composition,
            keep=keep,
            defer=defer,
        )
        pool = BackgroundPool(as_prepared(dataset), config.pruning_ratio)
        if missing := sorted(set(hooks.keep) - set(dataset.column_names)):
            raise ConfigurationError(explain("keep is not allowed", found=missing, allowed=dataset.column_names))
        super().__init__(pool, config, hooks, clock)
        self.rows_of_a_pass = len(dataset)
