"""`Recombine`: the callable for `ds.set_transform`, which turns rows into recombined examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from PIL import Image

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.recombination.clock import Clock
from fornet_hf.recombination.compositing import Composed, Parts, render
from fornet_hf.recombination.composition import Composition
from fornet_hf.recombination.config import CropConfig, RecombinationConfig
from fornet_hf.recombination.cutout import Cutout
from fornet_hf.recombination.decoding import size_of
from fornet_hf.recombination.pool import BackgroundPool
from fornet_hf.recombination.rng import ProcessSeed, generator
from fornet_hf.recombination.sampling import BackgroundShape, draw

if TYPE_CHECKING:
    import datasets

NEEDED = ("key", "label", "foreground", "mask", "background", "box", "foreground_ratio")


class Recombine:
    """Recombines rows of a prepared ForNet dataset: `ds.set_transform(Recombine(ds, ...))`.

    Every access to a row gives its object at a newly drawn place, size and background. A row without foreground
    gives its own background as it is.

    Examples have the columns `image` (RGB, or what `transform` returns) and `label`; `mask` (mode L, the pasted
    mask) and `composition` (a JSON-able dict) on request.

    Args:
        dataset: the prepared dataset; the backgrounds are chosen from all its rows, also when the transform is
            later used on a part of it.
        config: the parameters as one value; else the keywords of `RecombinationConfig`, which hold their
            meaning, allowed values and defaults.
        foreground_transform: called on the object as tight RGBA picture, before its size is drawn; returns RGBA.
        transform: called on the recombined picture.
        target_transform: called on the label.
        return_fg_masks: also return the pasted mask.
        return_composition: also return what was drawn.
        epochs: number of epochs of the training, for schedules.
        fg_transform: another name of `foreground_transform`.
        **parameters: see `RecombinationConfig`.

    Raises:
        ConfigurationError: a parameter that is not allowed, or a dataset which is not a prepared one.
    """

    def __init__(
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
        epochs: float | None = None,
        **parameters: Any,
    ) -> None:
        self.config = configuration(config, parameters)
        self.pool = BackgroundPool(dataset, self.config.pruning_ratio)
        self.clock = Clock(epochs=epochs)
        self.foreground_transform = foreground_transform or fg_transform
        self.transform = transform
        self.target_transform = target_transform
        self.return_fg_masks = return_fg_masks
        self.return_composition = return_composition
        self._process_seed = ProcessSeed()

    def __call__(self, batch: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
        """A batch of rows (a dict of lists) as a batch of examples (a dict of lists)."""
        missing = [name for name in NEEDED if name not in batch]
        if missing:
            raise ConfigurationError(
                explain(
                    "rows to recombine lack columns",
                    found=f"{missing} missing from {list(batch)}",
                    allowed=f"all of {list(NEEDED)}",
                )
            )
        rows = [dict(zip(NEEDED, values, strict=True)) for values in zip(*(batch[n] for n in NEEDED), strict=True)]
        examples = [self._example(row) for row in rows]
        return {name: [example[name] for example in examples] for name in (examples[0] if examples else ())}

    def _example(self, row: dict[str, Any]) -> dict[str, Any]:
        composed, composition = self.recombine(row)
        image = composed.image if self.transform is None else self.transform(composed.image)
        label = row["label"] if self.target_transform is None else self.target_transform(row["label"])
        example = {"image": image, "label": label}
        if self.return_fg_masks:
            example["mask"] = composed.mask
        if self.return_composition:
            example["composition"] = composition.to_json()
        return example

    def recombine(self, row: Mapping[str, Any]) -> tuple[Composed, Composition]:
        """One recombination of a row, before `transform`, and what was drawn for it."""
        parts = Parts.of(row)
        if self.foreground_transform is not None and parts.cutout is not None:
            picture = self.foreground_transform(parts.cutout.rgba())
            parts = parts._replace(cutout=Cutout.of_rgba(picture, row["foreground_ratio"]))
        composition = self.compose(row, parts)
        if composition.background is not None:
            parts = parts._replace(background=self.pool.read(composition.background))
        return render(parts, composition, with_mask=self.return_fg_masks), composition

    def compose(self, row: Mapping[str, Any], parts: Parts) -> Composition:
        """Draw the composition for a row."""
        own = None
        if parts.background is not None:
            own = BackgroundShape(None, *size_of(parts.background), row["foreground_ratio"] or 0.0)
        return draw(
            self._generator(row["key"]),
            self.config,
            label=row["label"],
            foreground=None if parts.cutout is None else parts.cutout.shape,
            own=own,
            backgrounds=self.pool,
            original_probability=self.config.original_probability(self.clock.epoch, self.clock.epochs),
        )

    def _generator(self, key: str) -> Any:
        epoch, seed = self.clock.epoch, self.config.seed
        if self.config.evaluation:
            return generator("example", seed or 0, 0.0, key)
        if seed is not None:
            return generator("example", seed, epoch, key)
        return generator("process", *self._process_seed.next(), key)


def configuration(config: RecombinationConfig | None, parameters: Mapping[str, Any]) -> RecombinationConfig:
    """The configuration from one value, or from keywords.

    Raises:
        ConfigurationError: both were given, an unknown keyword, or a value that is not allowed.
    """
    if config is None:
        values = dict(parameters)
        if isinstance(values.get("crop"), (int, tuple)):
            values["crop"] = CropConfig(size=values["crop"])
        return RecombinationConfig.from_json(values)
    if parameters:
        raise ConfigurationError(explain("give either config or keywords", found=f"config and {sorted(parameters)}"))
    return config
