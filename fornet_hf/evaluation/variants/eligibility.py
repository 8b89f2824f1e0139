"""Images that the variants are made of: rules of Xiao et al., each with its reason."""

from __future__ import annotations

import numpy as np

from fornet_hf.evaluation.variants.definition import SHOWN, Corners, cropped, resized

MOST_OF_THE_IMAGE = 0.9
LEAST_INSIDE = 0.5
LEAST_OF_THE_BOX = 0.1

NO_CLASS = "no class"
NO_FOREGROUND = "no foreground"
NO_PLACE = "place of the foreground not known"
NO_ANNOTATION = "no annotation"
BAD_ANNOTATION = "annotation cannot be read"
OTHER_SIZE = "annotation of another size"
NOT_ONE = "not exactly one box"
TOO_LARGE = "box covers more than 90 % of the crop"
CROPPED = "less than half of the box is inside of the crop"
FAILED = "GrabCut found less than 10 % of the box"
NO_BACKGROUND = "no strip of background beside the box"

OF_ANNOTATIONS = (NO_ANNOTATION, BAD_ANNOTATION, OTHER_SIZE, NOT_ONE)
"""Rules that apply to annotations only."""


def objection(box: Corners, width: int, height: int) -> str:
    """Return the reason why an image with this box is left out; empty: there is none."""
    inside = resized(box.mask(height, width))
    seen = np.count_nonzero(cropped(inside, SHOWN))
    if seen / SHOWN**2 > MOST_OF_THE_IMAGE:
        return TOO_LARGE
    if not seen or seen < LEAST_INSIDE * np.count_nonzero(inside):  # an annotation's box may lie outside of all
        return CROPPED
    beside = max(box.xmin, width - box.xmax, 0) + max(box.ymin, height - box.ymax, 0)
    return "" if beside else NO_BACKGROUND


def fills(area: int, box: Corners) -> bool:
    """Return whether GrabCut found at least a tenth of the box, of which the authors do not count the last edges."""
    room = (box.xmax - box.xmin) * (box.ymax - box.ymin)
    return room > 0 and area / room >= LEAST_OF_THE_BOX
