"""Rows of a preview: all that a run says about one image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fornet_hf.errors import ConfigurationError, ForNetError, explain
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.masks import decode_mask, open_mask
from fornet_hf.format.patch import apply_patch
from fornet_hf.format.raster import canonical_raster, decode_rgb
from producers.scene import Raster
from producers.tasks.candidate_shards import CandidatePatch
from producers.views.cells import SIZE, Cell, Note
from producers.views.drawing import Colour, boxed, colours_of, fitted, heat, outlined
from producers.views.shown import Sources, Versions
from producers.work.report import Lost

HEAT, OBJECT, BACKGROUND = VERSION = ("heat map", "object", "background, infilled")
"""Columns of a version."""


@dataclass(frozen=True)
class ImageRow:
    """One image, as a sheet shows it.

    Attributes:
        label: in front of it.
        cells: by the headings of their columns.
        versions: for each version likewise, by those of `VERSION`.
        trouble: why the image could not be read; empty if it could.
    """

    label: str
    cells: Mapping[str, Cell]
    versions: Sequence[Mapping[str, Cell]] = field(default=())
    trouble: str = ""


def row_of(image: Versions, sources: Sources) -> ImageRow:
    """Return the row of an image with candidates; one whose file is missing says so."""
    first = image.candidates[0]
    prompts = [one.prompt for one in first.detections or ()] + [one.prompt for one in image.candidates]
    colours = colours_of(prompts)
    count = len(image.candidates)
    label = f"{first.patch.key}\n{image.split}\n{count} version{'s' if count > 1 else ''}"
    try:
        source = sources.read(image.split, first.patch.key)
        return _row(label, source, image, colours)
    except (ForNetError, OSError) as error:
        versions = [{OBJECT: Cell(notes=_said(one, colours))} for one in image.candidates]
        return ImageRow(label, {"image": Cell(text=str(error))}, versions, str(error))


def _row(label: str, source: bytes, image: Versions, colours: Mapping[str, Colour]) -> ImageRow:
    raster = np.asarray(canonical_raster(source, image.encoding.max_side))
    small = fitted(raster, SIZE)
    cells = {"image": Cell(small, [Note(f"{raster.shape[1]} x {raster.shape[0]}")])}
    detections = image.candidates[0].detections
    if detections is not None:
        drawn = boxed(small, (raster.shape[1], raster.shape[0]), detections, colours)
        counts = {prompt: sum(one.prompt == prompt for one in detections) for prompt in colours}
        cells["boxes"] = Cell(
            drawn, [Note(f"{count} x {prompt}", colours[prompt]) for prompt, count in counts.items()]
        )
    versions = [_version(source, small, one, image.encoding, colours) for one in image.candidates]
    return ImageRow(label, cells, versions)


def _version(
    source: bytes, raster: Raster, candidate: CandidatePatch, encoding: Encoding, colours: Mapping[str, Colour]
) -> dict[str, Cell]:
    row = apply_patch(source, candidate.patch, encoding)
    if row.mask is None or row.box is None or row.background is None:
        raise ConfigurationError(explain(f"{row.key}: a candidate has both parts", found="one of them"))
    x0, y0, x1, y1 = row.box
    mask = np.zeros((candidate.patch.height, candidate.patch.width), np.bool_)
    mask[y0:y1, x0:x1] = decode_mask(row.mask, (x1 - x0, y1 - y0))
    cells = {} if candidate.soft is None else {HEAT: Cell(heat(raster, np.asarray(open_mask(candidate.soft))))}
    return {
        **cells,
        OBJECT: Cell(outlined(raster, mask, colours[candidate.prompt]), _said(candidate, colours)),
        BACKGROUND: Cell(np.asarray(decode_rgb(row.background))),
    }


def _said(candidate: CandidatePatch, colours: Mapping[str, Colour]) -> list[Note]:
    share = candidate.patch.foreground_ratio
    percent = f"{share:.{0 if share >= 0.1 else 1}%}" if share >= 0.001 else "less than 0.1%"
    said = f"{candidate.score:.2f}, {percent} of the image"
    return [Note(candidate.prompt, colours[candidate.prompt]), Note(said)]


def lost_row(split: str, image: Lost, sources: Sources) -> ImageRow:
    """Return the row of an image without candidates, which may be one that cannot be read."""
    trouble = ""
    try:
        cell = Cell(fitted(np.asarray(decode_rgb(sources.read(split, image.key))), SIZE))
    except (ForNetError, OSError) as error:
        trouble = str(error)
        cell = Cell(text=trouble)
    said = f"{image.outcome}: {image.kind}"
    return ImageRow(
        f"{image.key}\n{split}", {"image": cell, "reason": Cell(text=f"{said}\n\n{image.detail}")}, (), trouble
    )
