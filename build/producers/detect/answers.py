"""The answers of detectors that score all prompts in all of many boxes: the few that are confident enough."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from producers.scene import Detection, Scene

Floats = npt.NDArray[np.float32]


def confident(scenes: Sequence[Scene], scores: Floats, boxes: Floats, threshold: float) -> list[list[Detection]]:
    """Return the boxes of each image whose scores exceed the threshold: prompt by prompt, the most confident first.

    Args:
        scenes: n images with the same number of prompts.
        scores: 0 to 1, n x prompts x boxes; among equals the first box stays first.
        boxes: centre x and y, width and height as fractions of the image, n x prompts x boxes x 4; n x 1 x boxes x 4
            where all prompts have the same.
        threshold: 0 to 1.
    """
    image, prompt, place = np.nonzero(scores > threshold)
    kept = scores[image, prompt, place]
    order = np.lexsort((-kept, prompt, image))
    image, prompt, place, kept = image[order], prompt[order], place[order], kept[order]
    sides = np.array([scene.raster.shape[1::-1] for scene in scenes])
    chosen = boxes[image, prompt if boxes.shape[1] > 1 else 0, place]
    found: list[list[Detection]] = [[] for _ in scenes]
    for at, which, score, (x0, y0, x1, y1) in zip(
        image.tolist(), prompt.tolist(), kept.tolist(), pixel_boxes(chosen, sides[image]).tolist(), strict=True
    ):
        found[at].append(Detection(box=(x0, y0, x1, y1), score=score, prompt=scenes[at].prompts[which]))
    return found


def pixel_boxes(boxes: Floats, sides: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return x0, y0, x1, y1 in pixels (n x 4), inside of the image and not empty.

    Args:
        boxes: centre x and y, width and height as fractions (n x 4).
        sides: width and height of the image of each box in pixels (n x 2).
    """
    centre, half = np.split(boxes.astype(np.float64), 2, axis=1)
    half /= 2
    low = np.clip(np.trunc((centre - half) * sides), 0, sides - 1)
    high = np.clip(np.trunc((centre + half) * sides), low + 1, sides)
    return np.hstack([low, high]).astype(np.int64)
