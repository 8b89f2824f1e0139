"""Recombination of files: a pool of their backgrounds, and a row's own and original images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from fornet_hf.errors import ConfigurationError, SourceError, explain
from fornet_hf.format.raster import decode_rgb, resized
from fornet_hf.layout.index import LocalSplit
from fornet_hf.recombination.draw.clock import Clock
from fornet_hf.recombination.draw.composition import Size
from fornet_hf.recombination.draw.configuration import RecombinationConfig
from fornet_hf.recombination.draw.sampling import BackgroundShape, Choice
from fornet_hf.recombination.hooks import Hooks
from fornet_hf.recombination.pixels.decoding import ImageError, size_of
from fornet_hf.recombination.pixels.parts import Parts
from fornet_hf.recombination.pixels.steps import Steps
from fornet_hf.recombination.pools.pool import SelectedPool, Selection
from fornet_hf.recombination.recombiner import Drawn, Recombiner
from fornet_hf.sources import ImageFiles


class LocalPool(SelectedPool):
    """The backgrounds of a split; `Selection` says which are chosen."""

    def __init__(self, split: LocalSplit, pruning_ratio: float) -> None:
        self._split = split
        keys, ratios = split.backgrounds.entries.keys, split.background_ratios
        super().__init__(Selection(keys, split.background_labels, ratios, ratios >= 0, pruning_ratio))

    def _fetch(self, row: int) -> bytes:
        return self._split.backgrounds.read(row)

    def ratio(self, row: int) -> float:
        """Return the area of the object that was removed from that background / its area."""
        return float(self._split.background_ratios[row])

    def key(self, row: int) -> str:
        """Return the key of the image which that background belongs to."""
        return self._split.backgrounds.entries.name(row)[1]

    def place(self, row: int | None) -> str:
        """Return the file of a background, for messages; None: of the one that was read last."""
        if row is None and self._last is not None:
            row = self._last[0]
        return "a background" if row is None else self._split.backgrounds.place(row)


@dataclass(frozen=True)
class Originals:
    """The images as they were, in a folder of ImageNet."""

    source: ImageFiles
    split: str

    def read(self, folder: str, key: str, size: Size) -> Image.Image:
        """Return the image as RGB, of the size of its background. Raises NotFoundError or SourceError."""
        found = self.source.read(self.split, key, folder)
        try:
            image = decode_rgb(found.data)
        except SourceError as error:
            raise error.at(found.origin) from error
        return image if image.size == size else resized(image, size)


class LocalRecombiner(Recombiner):
    """Recombines foregrounds in files. Rows have `own`, the index of their own background, and `folder`.

    A row's own background and original are only read when they are shown.
    """

    pool: LocalPool

    def __init__(
        self, pool: LocalPool, config: RecombinationConfig, hooks: Hooks, clock: Clock, originals: Originals | None
    ) -> None:
        super().__init__(pool, config, hooks, clock)
        self._originals = originals

    def drawing(self, row: Mapping[str, Any]) -> Steps[Drawn]:
        """Draw the numbers for a row. Raises SourceError, naming the image, if one is damaged."""
        try:
            return (yield from super().drawing(row))
        except ImageError as error:
            raise damaged(self.pool.place(None), error) from error

    def rendering(self, drawn: Drawn, way: str | None) -> Steps[Any]:
        """Make the pixels for a row. Raises SourceError, naming the image, if one is damaged."""
        shown = drawn.composition.background
        try:
            return (yield from super().rendering(drawn, way))
        except ImageError as error:
            raise damaged(self.pool.place(drawn.row["own"] if shown is None else shown), error) from error

    def own_background(self, row: Mapping[str, Any], parts: Parts) -> Callable[[], BackgroundShape] | None:
        """Return a function that reads and measures the row's own background; None if it has none."""
        del parts
        if row["own"] is None:
            return None
        return lambda: BackgroundShape(None, *size_of(self.pool.read(row["own"])), row["foreground_ratio"])

    def with_background(self, row: Mapping[str, Any], parts: Parts, choice: Choice) -> Parts:
        """Return the parts with the background that was chosen, or with the original."""
        if choice.original:
            if self._originals is None:
                raise ConfigurationError("originals are shown, but imagenet_dir was not given")
            size = size_of(self.pool.read(row["own"]))
            image = self._originals.read(row["folder"], row["key"], size)
            return parts._replace(background=image, foreground=image, box=(0, 0, *size))
        index = row["own"] if choice.background.row is None else choice.background.row
        return parts._replace(background=self.pool.read(index))


def damaged(place: str, error: Exception) -> SourceError:
    """Return the error for an image that cannot be decoded."""
    then = "Find all damaged images: fornet validate FOLDER"
    return SourceError(explain(f"{place}: the image cannot be decoded", found=error, then=then))
