"""The recipe of one recombined image: everything that was drawn, and no pixels."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.format.masks import Box
from fornet_hf.recombination.draw.configuration import BILINEAR

Size = tuple[int, int]  # width, height in pixels
Bounds = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels, edges also between two


@dataclass(frozen=True, kw_only=True)
class Composition:
    """Recipe of one image; replaying it gives the same pixels. JSON-able.

    The *canvas* is the image before cropping: the whole background, or, with `paste_pre_transform=False`, the
    background's crop at its output size.

    Attributes:
        original: the original image is shown, nothing is pasted.
        background: row of the background in the pool; None: the row's own.
        background_key: key of the background's row, if it was asked for.
        background_box: the part of the background that is shown, pixels of the background; in evaluation its edges
            lie between pixels.
        canvas: width and height of the canvas, pixels.
        window: the part of the canvas that is shown, pixels, as `background_box`.
        output: width and height of the result, pixels.
        interpolation: "bilinear" or "bicubic", for what is scaled to the output.
        paste_first: the object is pasted at the canvas's scale and scaled along with the background, as in
            evaluation; else both are scaled straight to the output's.
        flip: mirrored left to right at the end.
        size: width and height to which the whole foreground (the tight box of its mask) is scaled, pixels of the
            canvas; None: nothing is pasted.
        part: the part of the scaled foreground that is pasted, pixels.
        offset: x and y of that part's upper left corner on the canvas, pixels; negative where it juts out.
        fitted: area of the foreground / area that was drawn for it: below 1 where it was shrunk to fit into its cell
            of `fg_in_nonant`.
        sigma: radius of the edge's feather, pixels of the canvas; 0: the mask's area is left alone.
        foreground_digest: of the foreground that `foreground_transform` returned; None: it is the row's own.
        background_digest: of the background that the user's crop returned (`paste_pre_transform=False`); None: it is
            the one in the dataset.

    Example:
        >>> import fornet_hf
        >>> ds = fornet_hf.load_dataset(patches="demo/made/patches", imagenet_dir="demo/pictures", split="train")
        >>> ds.set_transform(fornet_hf.Recombine(ds, crop=96, return_composition=True))
        >>> fornet_hf.Composition.from_json(ds[0]["composition"]).output
        (96, 96)
    """

    original: bool
    background: int | None
    background_key: str | None = None
    background_box: Bounds
    canvas: Size
    window: Bounds
    output: Size
    interpolation: str = BILINEAR
    paste_first: bool = False
    flip: bool = False
    size: Size | None = None
    part: Box = (0, 0, 0, 0)
    offset: tuple[int, int] = (0, 0)
    fitted: float = 1.0
    sigma: float = 0.0
    foreground_digest: str | None = None
    background_digest: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object of numbers, strings, lists, true and false, of which a DataLoader can make batches.

        What is None has a value of its type: row -1, the empty string, size [0, 0].
        """
        values = {**dataclasses.asdict(self), **{n: none for n, none in _NONE.items() if getattr(self, n) is None}}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Composition:
        """Return the composition that `to_json` wrote.

        Raises:
            ConfigurationError: not an object with these names.
        """
        fields = dataclasses.fields(cls)
        names = {field.name for field in fields}
        needed = {field.name for field in fields if field.default is dataclasses.MISSING}  # others came later
        if not isinstance(value, Mapping) or not needed <= set(value) <= names:
            found = sorted(value) if isinstance(value, Mapping) else repr(value)
            raise ConfigurationError(
                explain("this is no composition", found=found, allowed=f"an object with {sorted(names)}")
            )
        values: dict[str, Any] = {n: tuple(item) if isinstance(item, list) else item for n, item in value.items()}
        values.update({name: None for name, none in _NONE.items() if values.get(name) == none})
        return cls(**values)


_NONE: dict[str, Any] = {
    "background": -1,
    "background_key": "",
    "size": (0, 0),
    "foreground_digest": "",
    "background_digest": "",
}
