"""Rows of a ForNet as the variants need them: the restored original image, the object's mask, and its box."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from fornet_hf.errors import SourceError
from fornet_hf.evaluation.variants import eligibility
from fornet_hf.evaluation.variants.boxes import annotation_file, read_annotation
from fornet_hf.evaluation.variants.definition import Corners, Pixels
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.masks import Mask, levels_of, open_mask
from fornet_hf.format.raster import fitted_size
from fornet_hf.packages import needing
from fornet_hf.recombination.pixels.compositing import original
from fornet_hf.recombination.pixels.decoding import decoded, encoded, size_of
from fornet_hf.recombination.pixels.parts import Parts

ITERATIONS = 5  # of GrabCut


class Subject(NamedTuple):
    """The parts that the variants of an image are made of.

    Attributes:
        image: uint8, height x width x 3.
        mask: bool, height x width: the object.
        box: around it.
    """

    image: Pixels
    mask: Mask
    box: Corners


@dataclass(frozen=True)
class Subjects:
    """Makes subjects of rows.

    Attributes:
        wnids: of the classes, in label order; empty where they are not ImageNet's.
        annotations: the folder of ImageNet's annotations; None: boxes are the tight boxes of the masks.
        grabcut: masks are GrabCut's, from the boxes; else the rows' own.
    """

    wnids: tuple[str, ...] = ()
    annotations: Path | None = None
    grabcut: bool = False

    def box(self, row: Mapping[str, Any]) -> Corners | str:
        """Return the box of a row that fits all rules, or the reason for leaving it out."""
        if row["background"] is None or row["foreground"] is None or row["mask"] is None:
            return eligibility.NO_FOREGROUND
        if row["box"] is None:
            return eligibility.NO_PLACE
        background = encoded(row["background"])
        width, height = (0, 0) if background is None else size_of(background)
        box = self._tight(row) if self.annotations is None else self._annotated(row, (width, height))
        if isinstance(box, str):
            return box
        if reason := eligibility.objection(box, width, height):
            return reason
        if self.grabcut:
            found = int(np.count_nonzero(grabcut(restored(row), box)))
            return box if eligibility.fills(found, box) else eligibility.FAILED
        return box

    def subject(self, row: Mapping[str, Any], box: Corners) -> Subject:
        """Return the subject of a row with the box that `box` gave."""
        image = restored(row)
        return Subject(image, grabcut(image, box) if self.grabcut else _mask(row, image.shape[:2]), box)

    def _tight(self, row: Mapping[str, Any]) -> Corners | str:
        box = Corners.around(_levels(row))
        if box is None:
            return eligibility.NO_FOREGROUND
        x, y = row["box"][:2]
        return Corners(box.xmin + x, box.ymin + y, box.xmax + x, box.ymax + y)

    def _annotated(self, row: Mapping[str, Any], size: tuple[int, int]) -> Corners | str:
        file = annotation_file(self.annotations or Path(), row["key"], self.wnids[row["label"]])
        if file is None:
            return eligibility.NO_ANNOTATION
        try:
            annotation = read_annotation(file)
        except SourceError:
            return eligibility.BAD_ANNOTATION
        if annotation.size != size and not is_shrunk(annotation.size, size):
            return eligibility.OTHER_SIZE
        if len(annotation.boxes) != 1:
            return eligibility.NOT_ONE
        if annotation.size == size:
            return annotation.boxes[0]
        scales = [now / before for now, before in zip(size, annotation.size, strict=True)] * 2
        return Corners(*(int(edge * scale) for edge, scale in zip(annotation.boxes[0], scales, strict=True)))


def is_shrunk(annotated: tuple[int, int], size: tuple[int, int]) -> bool:
    """Return whether an image of one size has the other in a release, which shrinks what is larger than it allows."""
    most = Encoding().max_side
    return max(annotated) > most == max(size) and fitted_size(*annotated, most) == size


def restored(row: Mapping[str, Any]) -> Pixels:
    """Return the original image of a row."""
    return np.asarray(decoded(original(Parts.of(row))))


def grabcut(image: Pixels, box: Corners) -> Mask:
    """Return the object that OpenCV's GrabCut finds in a box, as the authors call it; the same every time.

    Raises:
        MissingDependencyError: OpenCV is not installed.
    """
    with needing("--masks grabcut", "opencv-python-headless"):
        import cv2

    mask = np.zeros(image.shape[:2], np.uint8)
    models = np.zeros((1, 65), np.float64), np.zeros((1, 65), np.float64)
    rectangle = (box.xmin, box.ymin, box.xmax - box.xmin, box.ymax - box.ymin)
    cv2.setRNGSeed(0)  # GrabCut starts with clusters at random
    try:
        cv2.grabCut(np.ascontiguousarray(image), mask, rectangle, *models, ITERATIONS, cv2.GC_INIT_WITH_RECT)
    except cv2.error:  # nothing inside, or nothing outside of the box
        return np.zeros(image.shape[:2], np.bool_)
    return np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD))


def _levels(row: Mapping[str, Any]) -> Mask:
    """Return the mask over the row's box."""
    mask = encoded(row["mask"])
    levels = levels_of(mask) if isinstance(mask, Image.Image) else open_mask(mask or b"")
    return np.asarray(levels if levels.dtype == np.bool_ else levels >= 128)


def _mask(row: Mapping[str, Any], shape: tuple[int, ...]) -> Mask:
    x0, y0, x1, y1 = row["box"]
    mask = np.zeros(shape, np.bool_)
    mask[y0:y1, x0:x1] = _levels(row)
    return mask
