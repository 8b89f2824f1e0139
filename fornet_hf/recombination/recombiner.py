"""From one row to one example. Where the backgrounds come from is left open."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from fornet_hf.arguments import check_keywords, keywords
from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.recombination.device.layers import Deferred, deferring
from fornet_hf.recombination.draw.clock import Clock
from fornet_hf.recombination.draw.composition import Composition
from fornet_hf.recombination.draw.configuration import RecombinationConfig, differences
from fornet_hf.recombination.draw.rng import ProcessSeed, Uniforms, example_names
from fornet_hf.recombination.draw.sampling import BackgroundShape, Choice, arrange, choose
from fornet_hf.recombination.hooks import Hooks, cropped, split_geometry
from fornet_hf.recombination.pixels.compositing import Composed, rendering
from fornet_hf.recombination.pixels.cutout import Cutout
from fornet_hf.recombination.pixels.decoding import decoded, size_of
from fornet_hf.recombination.pixels.parts import Parts, with_digests
from fornet_hf.recombination.pixels.steps import Steps, finished, in_step
from fornet_hf.recombination.pools.pool import Pool

NEEDED = ("key", "label", "foreground", "mask", "background", "box", "foreground_ratio")


class Recombined(NamedTuple):
    """Attributes: `composed`, the pixels before the user's transforms; `composition`, what was drawn."""

    composed: Composed
    composition: Composition


class Drawn(NamedTuple):
    """Attributes: `row`; `parts`, what is shown of it; `composition`, what was drawn."""

    row: Mapping[str, Any]
    parts: Parts
    composition: Composition


class Recombiner:
    """Recombines rows against a set of backgrounds; see `Recombine` for the parameters."""

    def __init__(self, pool: Pool, config: RecombinationConfig, hooks: Hooks, clock: Clock) -> None:
        self.config, self.hooks, self.clock = config, hooks, clock
        self.pool = pool
        self._warn_if_all_are_pruned()
        self._process_seed, self._uniforms = ProcessSeed(), Uniforms()
        self.rows_of_a_pass: int | None = None  # None: not known

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self.differences())})"

    def differences(self) -> list[str]:
        """Return the parameters that are not the defaults, as `name=value`."""
        epochs = self.clock.epochs
        return differences(self.config) + differences(self.hooks) + ([f"epochs={epochs:g}"] if epochs else [])

    @property
    def hooks(self) -> Hooks:
        """The user's transforms; may be set. Workers that already run keep theirs."""
        return self._hooks

    @hooks.setter
    def hooks(self, hooks: Hooks) -> None:
        self._hooks = hooks
        # With background first, the user's crop or resize is called on the background, the rest on the result.
        self._first, self._rest = (None, hooks.transform)
        if not self.config.paste_pre_transform:
            self._first, self._rest = split_geometry(hooks.transform)

    @property
    def transform(self) -> Callable[..., Any] | None:
        """The user's transform of the recombined image; may be set, like `hooks`."""
        return self.hooks.transform

    @transform.setter
    def transform(self, transform: Callable[..., Any] | None) -> None:
        self.hooks = replace(self.hooks, transform=transform)

    @property
    def target_transform(self) -> Callable[[int], Any] | None:
        """The user's transform of the label; may be set, like `hooks`."""
        return self.hooks.target_transform

    @target_transform.setter
    def target_transform(self, transform: Callable[[int], Any] | None) -> None:
        self.hooks = replace(self.hooks, target_transform=transform)

    def __call__(self, batch: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
        """Turn a batch of rows (a dict of lists) into a batch of examples (a dict of lists).

        Raises:
            ConfigurationError: columns are missing.
        """
        names = tuple(dict.fromkeys((*NEEDED, *self.hooks.keep)))
        missing = [name for name in names if name not in batch]
        if missing:
            what = "rows lack columns that recombining needs"
            then = "Keep them; columns alone are read without recombining: ds.with_format(None)[name]."
            raise ConfigurationError(
                explain(what, found=f"{list(batch)}", allowed=f"all of {list(names)}", then=then)
            )
        rows = [dict(zip(names, values, strict=True)) for values in zip(*(batch[n] for n in names), strict=True)]
        examples = self.examples(rows)
        return {name: [example[name] for example in examples] for name in (examples[0] if examples else ())}

    def examples(self, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return an example of each row: the columns of `Recombine`'s output."""
        waiting, examples = iter(rows), list[dict[str, Any]]()
        while some := list(islice(waiting, _TOGETHER)):
            if self.rows_of_a_pass and self.config.follows_epochs:
                self.clock.advance(len(some) / self.rows_of_a_pass, 2)  # one to train, one to measure
            for group in _groups(in_step(self.drawing(row) for row in some)):
                composed = in_step(self.rendering(one, self.hooks.defer) for one in group)
                examples += map(self._handed_over, group, composed)
        return examples

    def recombine(self, row: Mapping[str, Any]) -> Recombined:
        """Recombine a row once; return the pixels before the user's `transform`, and what was drawn for it."""
        drawn = self._traced(finished(self.drawing(row)))
        return Recombined(finished(self.rendering(drawn, None)), drawn.composition)

    def drawing(self, row: Mapping[str, Any]) -> Steps[Drawn]:
        """Draw the numbers for one row."""
        parts = Parts.of(row)
        own = parts.cutout
        if self.hooks.foreground_transform is not None and own is not None:
            image = self.hooks.transformed(own.rgba())
            parts = parts._replace(cutout=Cutout.of_rgba(image, row["foreground_ratio"]))
        yield
        composition, parts = self._compose(row, parts)
        if composition.original:
            parts = parts._replace(cutout=own)
        if self.hooks.return_composition:
            index = composition.background
            composition = replace(composition, background_key=row["key"] if index is None else self.pool.key(index))
        return Drawn(row, parts, composition)

    def rendering(self, drawn: Drawn, way: str | None) -> Steps[Any]:
        """Make the pixels for one row, or with a `way` to defer that fetch what they will be made of."""
        with_mask = self.hooks.return_fg_masks
        if way is not None:
            return deferring(drawn.parts, drawn.composition, way, with_mask=with_mask)
        return rendering(drawn.parts, drawn.composition, with_mask=with_mask)

    def _traced(self, drawn: Drawn) -> Drawn:
        """Add the digests of what the user's transforms made, so that the composition can be replayed."""
        background = self._first is not None and not drawn.composition.original
        foreground = self.hooks.foreground_transform is not None
        made = with_digests(drawn.composition, drawn.parts, foreground=foreground, background=background)
        return drawn._replace(composition=made)

    def _handed_over(self, drawn: Drawn, composed: Composed | Deferred) -> dict[str, Any]:
        """Call the user's transforms on it."""
        if self.hooks.return_composition:
            drawn = self._traced(drawn)
        transform = self.hooks.transform if drawn.composition.original else self._rest
        return self.hooks.example(composed, drawn.row, drawn.composition, transform)

    def _compose(self, row: Mapping[str, Any], parts: Parts) -> tuple[Composition, Parts]:
        """Draw a composition, and fetch the background that it names.

        This is one step, without `yield`: pools remember what was picked last.
        """
        foreground = None if parts.cutout is None else parts.cutout.shape
        choice = choose(
            partial(self._uniforms.of, self._names(row["key"])),
            self.config,
            label=row["label"],
            foreground=foreground,
            own=self.own_background(row, parts),
            backgrounds=self.pool,
            original_probability=self.config.original_probability(self.clock.epoch, self.clock.epochs),
        )
        parts = self.with_background(row, parts, choice)
        if self._first is not None and parts.background is not None and not choice.original:
            image = cropped(self._first, decoded(parts.background))
            parts = parts._replace(background=image)
            left = replace(choice.background, width=image.width, height=image.height)
            choice = choice._replace(background=left)
        return arrange(self.config, choice, foreground), parts

    def own_background(self, row: Mapping[str, Any], parts: Parts) -> Callable[[], BackgroundShape] | None:
        """Return a function that measures the row's own background, for when it is shown; None if it has none."""
        background = parts.background
        if background is None:
            return None
        return lambda: BackgroundShape(None, *size_of(background), row["foreground_ratio"] or 0.0)

    def with_background(self, row: Mapping[str, Any], parts: Parts, choice: Choice) -> Parts:
        """Return the parts with the background that was chosen."""
        del row
        index = choice.background.row
        return parts if index is None else parts._replace(background=self.pool.read(index))

    def _warn_if_all_are_pruned(self) -> bool:
        least = None if self.config.background_combination == "orig" else self.pool.least_pruned
        if least is not None:
            what = f"pruning_ratio={self.config.pruning_ratio:g} leaves no background, so none is left out"
            warnings.warn(
                explain(what, allowed=f"above {least:.6g}, the smallest share that an object has"), stacklevel=3
            )
        return least is not None

    def _names(self, key: str) -> tuple[object, ...]:
        """Return the names that key the example's random numbers."""
        if self.config.evaluation:
            return example_names(self.config.seed or 0, 0, key)
        if self.config.seed is not None:
            return example_names(self.config.seed, self.clock.epoch, key)
        return "process", *self._process_seed.next(), key


_TOGETHER = 64  # rows that are in work at the same time
_ROOM = 2**23  # pixels of backgrounds that are decoded at the same time, 4 bytes each


def _groups(drawn: Sequence[Drawn]) -> list[list[Drawn]]:
    """Group them in order, as many at a time as there is room for; at least one."""
    groups: list[list[Drawn]] = []
    room = 0.0
    for one in drawn:
        left, top, right, bottom = one.composition.background_box
        pixels = (right - left) * (bottom - top)
        if room < pixels:
            groups.append([])
            room = _ROOM
        groups[-1].append(one)
        room -= pixels
    return groups


def settings(
    config: RecombinationConfig | Mapping[str, Any] | None,
    parameters: Mapping[str, Any],
    *doors: Callable[..., object],
    split: object = None,
    epochs: float | None = None,
    **hooks: Any,
) -> tuple[RecombinationConfig, Hooks, Clock]:
    """Return the settings of a recombination from the keywords that a user gave.

    Args:
        config: the parameters as one value.
        parameters: the parameters as keywords.
        doors: what the user called, whose own keywords are allowed beside those of the configuration.
        split: of the rows; decides on evaluation where the configuration does not.
        epochs: as of `Clock`.
        **hooks: as of `Hooks`.

    Raises:
        ConfigurationError: both were given, an unknown keyword, or a value that is not allowed.
    """
    check_keywords(parameters, keywords(RecombinationConfig, *doors))
    if config is None:
        config = RecombinationConfig.from_json(parameters)
    elif not isinstance(config, RecombinationConfig):
        found, allowed = type(config).__name__, "a RecombinationConfig"
        then = "Give its items as keywords (**config), or RecombinationConfig.from_json(config)."
        raise ConfigurationError(explain("config is not allowed", found=found, allowed=allowed, then=then))
    elif parameters:
        raise ConfigurationError(
            explain("give config or keywords, not both", found=f"config and {sorted(parameters)}")
        )
    return config.for_split(split), Hooks(**hooks), Clock(epochs=epochs)
