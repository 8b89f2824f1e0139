"""Taking images apart: from source bytes to candidates, or to the reason why there are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fornet_hf.errors import SourceError
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.masks import Box, Mask, dilate
from fornet_hf.format.raster import canonical_raster
from producers.backends import Backends, Query, Raster
from producers.tasks.versions import Merging, Version, versions
from producers.work.report import Lost, Report


@dataclass(frozen=True)
class Labelled:
    """One source image, ready to be taken apart.

    Attributes:
        key: of the image.
        label: index of its class.
        data: bytes of its file.
        prompts: what to look for, most specific first; at least one.
    """

    key: str
    label: int
    data: bytes
    prompts: tuple[str, ...]


@dataclass(frozen=True)
class Candidate:
    """One way to take an image apart.

    Attributes:
        version: 0 for the most confident one.
        mask: bool, height x width of the canonical raster: the object.
        infilled: uint8, height x width x 3: the raster without the object.
        prompt: the most confident one which found it.
        score: of the detection, 0 to 1.
    """

    version: int
    mask: Mask
    infilled: Raster
    prompt: str
    score: float


Outcome = tuple[Candidate, ...] | Lost
"""The candidates of an image, at least one; or why there are none."""


def take_apart(images: Sequence[Labelled], backends: Backends, encoding: Encoding, report: Report) -> list[Outcome]:
    """The outcome for each image, in order.

    An image that cannot be used never stops the others. The report gets the times and nothing else: whether a
    image counts as ok is only known when its patch is made.
    """
    with report.clock("decode"):
        rasters = [raster_of(image, encoding) for image in images]
    queries = [
        Query(key=image.key, raster=raster, prompts=image.prompts)
        for image, raster in zip(images, rasters, strict=True)
        if not isinstance(raster, Lost)
    ]
    outcomes = iter(search(queries, backends, encoding, report))
    return [raster if isinstance(raster, Lost) else next(outcomes) for raster in rasters]


def raster_of(image: Labelled, encoding: Encoding) -> Raster | Lost:
    """Its canonical raster, or why there is none."""
    try:
        return np.asarray(canonical_raster(image.data, encoding.max_side))
    except SourceError as error:
        return Lost(image.key, "error", "SourceError", str(error))


def search(
    queries: Sequence[Query],
    backends: Backends,
    encoding: Encoding,
    report: Report,
    merging: Merging | None = None,
) -> list[Outcome]:
    """As `take_apart`, from rasters."""
    with report.clock("detect"):
        detections = backends.detector.detect(queries)
    with report.clock("segment"):
        boxes = [[detection.box for detection in found] for found in detections]
        masks = backends.segmenter.segment([query.raster for query in queries], boxes)
    found = [versions(*parts, merging) for parts in zip(detections, masks, strict=True)]
    rasters = [query.raster for query, distinct in zip(queries, found, strict=True) for _ in distinct]
    with report.clock("infill"):
        holes = [dilate(version.mask, encoding.dilation) for distinct in found for version in distinct]
        infilled = iter(backends.infiller.infill(rasters, holes))
    return [
        _candidates(distinct, [next(infilled) for _ in distinct]) if distinct else _not_found(query, boxed)
        for query, distinct, boxed in zip(queries, found, boxes, strict=True)
    ]


def _candidates(distinct: Sequence[Version], infilled: Sequence[Raster]) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(number, version.mask, pixels, version.prompt, version.score)
        for number, (version, pixels) in enumerate(zip(distinct, infilled, strict=True))
    )


def _not_found(query: Query, boxes: Sequence[Box]) -> Lost:
    if boxes:
        return Lost(query.key, "no_detect", "empty mask", f"the segmenter found no object in {list(boxes)}")
    return Lost(query.key, "no_detect", "no box", f"the detector found nothing for {list(query.prompts)}")
