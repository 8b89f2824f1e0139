"""Cleaning of masks: one object, no holes."""

from __future__ import annotations

import numpy as np

from fornet_hf.format.masks import Mask
from producers.devices.opencv import load_cv2


def largest_filled(mask: Mask) -> Mask:
    """The part of the mask with the largest outer contour, its holes filled. Empty stays empty.

    Contours are compared by the area which they enclose, as the public pipeline does, so a ring wins over a
    smaller disc with more pixels. A line or a point encloses no area and still counts when it is all there is.
    """
    cv2 = load_cv2()
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(mask.shape, np.uint8)
    if contours:
        cv2.drawContours(filled, [max(contours, key=cv2.contourArea)], -1, color=1, thickness=cv2.FILLED)
    return filled.astype(np.bool_)
