"""Contact sheets and animations: see what recombination with given parameters does, before training on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.format.rows import open_image
from fornet_hf.recombination.draw.configuration import CropConfig, differences
from fornet_hf.recombination.pixels.compositing import Composed
from fornet_hf.recombination.transform import Recombine

CELL = (200, 150)  # pixels of an image on the sheet
_GAP = 8
_LABELS = 150  # width of the column of row labels
_PAPER, _INK, _FAINT = (255, 255, 255), (32, 32, 32), (112, 112, 112)
_PARTS = ("original", "object mask", "background, infilled")
_ANIMATIONS = {".gif": "GIF", ".webp": "WEBP"}


@dataclass(frozen=True)
class Group:
    """Neighbouring columns of a sheet under a common heading.

    Attributes:
        title: above the group; may be empty.
        headings: one for each column.
    """

    title: str
    headings: Sequence[str]


@dataclass(frozen=True)
class Line:
    """One row of a sheet.

    Attributes:
        label: at the left, wrapped at spaces and line breaks.
        images: one for each column, any size and mode.
    """

    label: str
    images: Sequence[Image.Image]


def sheet(
    groups: Sequence[Group], lines: Sequence[Line], *, caption: str = "", cell: tuple[int, int] = CELL
) -> Image.Image:
    """Draw a table of images as one RGB image: groups of columns with headings, lines with labels.

    Args:
        groups: the columns; a gap separates the groups.
        lines: the rows.
        caption: small print below, wrapped.
        cell: width and height of the place of an image, which is fitted into it; pixels.

    Raises:
        ConfigurationError: a line has another number of images than there are headings.
    """
    lefts = _lefts(groups, cell[0])
    for line in lines:
        if len(line.images) != len(lefts):
            found = len(line.images)
            raise ConfigurationError(explain("a line does not fit the columns", found=found, allowed=len(lefts)))
    labelled = any(line.label for line in lines)
    margin = _GAP + (_LABELS if labelled else 0)
    titled = any(group.title for group in groups)
    top = _GAP + (26 if titled else 0) + 22
    width, bottom = margin + lefts[-1] + cell[0] + _GAP, top + len(lines) * (cell[1] + _GAP)
    caption = wrap(caption, _font(13), width - margin - _GAP)
    size = width, bottom + (7 + 17 * len(caption.splitlines()) if caption else 0)
    page = Image.new("RGB", size, _PAPER)
    _write_headings(page, groups, [margin + left for left in lefts], top, cell[0])
    draw = ImageDraw.Draw(page)
    for number, line in enumerate(lines):
        y = top + number * (cell[1] + _GAP)
        text = wrap(line.label, _font(14), _LABELS - _GAP)
        draw.multiline_text((_GAP, y + cell[1] / 2), text, _INK, _font(14), anchor="lm", spacing=4)
        for left, image in zip(lefts, line.images, strict=True):
            _place(page, image, (margin + left, y), cell)
    draw.multiline_text((margin, bottom + 4), caption, _FAINT, _font(13), spacing=2)
    return page


def contact_sheet(
    ds: Any, *, indices: Sequence[int] | None = None, epochs: int = 4, parts: bool | None = True, **parameters: Any
) -> Image.Image:
    """Draw one line for each image: original, object mask, background, and what each epoch makes of it.

    Args:
        ds: a prepared dataset; a transform on it is ignored.
        indices: which rows; default: the first 6.
        epochs: how many recombinations of each, 1 or more.
        parts: False leaves the first three columns away; None: where the place of no object is known.
        parameters: of `Recombine`; `seed` is 0 if not given, so that a preview can be repeated.

    Raises:
        ConfigurationError: a parameter is not allowed.
        IndexError: there is no such row.
    """
    rows = chosen_rows(ds, indices)
    parts = any(row["box"] is not None for row in rows.values()) if parts is None else parts
    made = list(recombined(ds, rows, epochs, parameters))
    groups = [Group("recombined, anew in every epoch", [f"epoch {epoch}" for epoch in range(epochs)])]
    if parts:
        groups.insert(0, Group("the image, taken apart", _PARTS))
    lines = [
        Line(
            f"{name_of(ds, row)}\n{row['key']}",
            [*(taken_apart(row) if parts else ()), *(images[at].image for images in made)],
        )
        for at, row in enumerate(rows.values())
    ]
    return sheet(groups, lines, caption=said(parameters))


def animation(
    ds: Any, *, indices: Sequence[int] | None = None, epochs: int = 8, columns: int = 3, **parameters: Any
) -> list[Image.Image]:
    """Draw one frame for each epoch: the same images in the same places, recombined anew.

    Args and errors as of `contact_sheet`; `columns` is the number of images side by side. See `save_animation`.
    """
    rows = chosen_rows(ds, indices)
    columns = min(columns, len(rows))
    blank = Image.new("RGB", CELL, _PAPER)
    frames = []
    for epoch, images in enumerate(recombined(ds, rows, epochs, parameters)):
        filled = [*(composed.image for composed in images), *[blank] * (-len(images) % columns)]
        lines = [Line("", filled[at : at + columns]) for at in range(0, len(filled), columns)]
        headings = [f"epoch {epoch}", *[""] * (columns - 1)]
        frames.append(sheet([Group("", headings)], lines, caption=said(parameters)))
    return frames


def save_animation(frames: Sequence[Image.Image], path: Path, *, milliseconds: int = 700) -> None:
    """Write frames as endless animation, GIF or WebP by the ending of `path`, each shown for `milliseconds`.

    Raises:
        ConfigurationError: another ending, or no frames.
    """
    kind = _ANIMATIONS.get(path.suffix.lower())
    if kind is None or not frames:
        found = f"{path.name}, {len(frames)} frames"
        raise ConfigurationError(
            explain("no animation to write", found=found, allowed=".gif or .webp, 1 frame or more")
        )
    if kind == "GIF":  # one palette for all frames, or colours flicker between them
        palette = _mosaic(frames).quantize(256)
        frames = [frame.quantize(palette=palette) for frame in frames]
    options = {"quality": 85} if kind == "WEBP" else {"optimize": False}
    frames[0].save(path, kind, save_all=True, append_images=frames[1:], duration=milliseconds, loop=0, **options)


def taken_apart(row: Mapping[str, Any]) -> tuple[Image.Image, Image.Image, Image.Image]:
    """Return original, mask (mode L) and background of a row; what it does not have is an empty image."""
    background = row["background"] and open_image(row["background"]).convert("RGB")
    box = row["box"]
    size = background.size if background else tuple(box[2:]) if box else CELL
    mask, original = Image.new("L", size), background.copy() if background else Image.new("RGB", size)
    if box and row["foreground"] and row["mask"]:
        original.paste(open_image(row["foreground"]).convert("RGB"), tuple(box))
        mask.paste(open_image(row["mask"]).convert("L"), tuple(box))
    return original, mask, background or Image.new("RGB", size)


def chosen_rows(ds: Any, indices: Sequence[int] | None) -> dict[int, Mapping[str, Any]]:
    """Return the rows by index, without the dataset's transform."""
    chosen = range(min(6, len(ds))) if indices is None else indices
    plain = ds.with_format(None)
    rows = {int(index): plain[int(index)] for index in chosen}
    if not rows:
        raise ConfigurationError(explain("there is nothing to show", found=f"{len(ds)} rows, indices {indices}"))
    return rows


def recombined(
    ds: Any, rows: Mapping[int, Mapping[str, Any]], epochs: int, parameters: Mapping[str, Any]
) -> Iterator[list[Composed]]:
    """Yield the recombinations of all rows, for one epoch after the other."""
    if epochs < 1:
        raise ConfigurationError(explain("epochs is not allowed", found=epochs, allowed="1 or more"))
    recombine = Recombine(ds, **{"seed": 0, "epochs": epochs, "evaluation": False, **parameters})
    for epoch in range(epochs):
        recombine.clock.epoch = epoch
        yield [recombine.recombine(row).composed for row in rows.values()]


def name_of(ds: Any, row: Mapping[str, Any]) -> str:
    """Return the first name of a row's class."""
    name: str = getattr(ds.features["label"], "int2str", str)(row["label"])
    return name.partition(",")[0]


def said(parameters: Mapping[str, Any]) -> str:
    """Return a recombination's parameters in words, for a caption."""
    crop = parameters.get("crop")
    short = {"crop": f"CropConfig({', '.join(differences(crop))})"} if isinstance(crop, CropConfig) else {}
    given = ", ".join(f"{name}={short.get(name) or repr(value)}" for name, value in parameters.items())
    return f"Recombine({given})"


def _lefts(groups: Sequence[Group], width: int) -> list[int]:
    """Return the left edge of each column of a width, from the left edge of the first."""
    lefts, at = [], 0
    for group in groups:
        for _ in group.headings:
            lefts.append(at)
            at += width + _GAP
        at += 2 * _GAP
    return lefts


def _write_headings(page: Image.Image, groups: Sequence[Group], lefts: Sequence[int], top: int, width: int) -> None:
    draw, column = ImageDraw.Draw(page), 0
    for group in groups:
        first, last = lefts[column], lefts[column + len(group.headings) - 1] + width
        if group.title:
            draw.text((first, _GAP), group.title, _INK, _font(17))
            draw.line((first, top - 24, last, top - 24), _FAINT)
        for heading in group.headings:
            draw.text((lefts[column], top - 5), heading, _FAINT, _font(14), anchor="ls")
            column += 1


def _place(page: Image.Image, image: Image.Image, at: tuple[int, int], cell: tuple[int, int]) -> None:
    """Fit an image into its cell, centred."""
    scale = min(cell[0] / image.width, cell[1] / image.height)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    small = image.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    page.paste(small, (at[0] + (cell[0] - size[0]) // 2, at[1] + (cell[1] - size[1]) // 2))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def wrap(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """Break lines at spaces, and words too long for a line anywhere."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            if line and font.getlength(f"{line} {word}") > width:
                lines.append(line)
                line = ""
            line = f"{line} {word}".strip()
            while font.getlength(line) > width:
                fits = next(n for n in range(len(line), 0, -1) if font.getlength(line[:n]) <= width)
                lines.append(line[:fits])
                line = line[fits:]
        lines.append(line)
    return "\n".join(lines)


def _mosaic(frames: Sequence[Image.Image]) -> Image.Image:
    """Put all frames below each other at a quarter of the size: the colours that a palette has to serve."""
    size = frames[0].width // 4 or 1, frames[0].height // 4 or 1
    page = Image.new("RGB", (size[0], size[1] * len(frames)))
    for number, frame in enumerate(frames):
        page.paste(frame.resize(size), (0, number * size[1]))
    return page
