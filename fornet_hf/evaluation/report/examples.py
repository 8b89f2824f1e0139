"""Examples: images that fooled a model, with the background that did it, and images with what a model looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from fornet_hf.evaluation.answers.predictions import NOT_SHOWN, Predictions
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.evaluation.saliency.showing import Explained, by_turns
from fornet_hf.evaluation.stimuli.protocol import Stimuli

CAP = 8  # examples of each model
# Beginnings of conditions in which more than the background differs, or that show no object.
_ELSEWHERE = ("cell ", "size ", "noise ", "no_fg", "only_bg_")
_ALIKE = ("same", "mixed_same", "mixed_same_i", "orig", "original", "only_fg")  # beside which a mistake is clearest


@dataclass(frozen=True, kw_only=True)
class Fooled:
    """An image that a model took for another class.

    Attributes:
        image: as the model saw it.
        key: of the object's image.
        label: class of the object.
        predicted: the class that the model said; empty: none of the data's.
        background_key: image that the background comes from; empty: not known.
        background_label: its class; empty: not known.
        right: the same object on a background on which the model recognised it.
        probability: that the model gave to the right class, 0 to 1.
    """

    image: Image.Image
    key: str
    label: str
    predicted: str
    background_key: str = ""
    background_label: str = ""
    right: Image.Image | None = None
    probability: float | None = None


@dataclass(frozen=True, kw_only=True)
class SaliencyExample:
    """An image, and the same with what mattered to a model.

    Attributes:
        method: of saliency.
        image: as the model saw it.
        overlay: the image with its saliency.
        key: of the image.
        label: its class.
    """

    method: str
    image: Image.Image
    overlay: Image.Image
    key: str = ""
    label: str = ""


Example = Fooled | SaliencyExample


def fooled(
    predictions: Predictions, stimuli: Stimuli, preprocessing: Preprocessing, *, cap: int = CAP
) -> list[Fooled]:
    """Choose images that fooled a model though it recognised the same object on another background.

    First come those taken for the background's class, then those with the least probability for the right one; a
    class comes again after all others. The choice is the same at every call.

    Args:
        predictions: its answers.
        stimuli: that it was shown.
        preprocessing: of the images that it was shown.
        cap: how many at most.
    """
    chosen = []
    for item, wrong in _spread(predictions, _ranked(predictions))[:cap]:
        views = {view.condition: view for view in stimuli.shown(item, preprocessing).views}
        right = next((column for column in _right(predictions, item) if column in views), None)
        if wrong not in views:
            continue
        chosen.append(
            Fooled(
                image=_image(views[wrong].image),
                key=predictions.keys[item],
                label=predictions.class_names[predictions.labels[item]],
                predicted=_name(predictions, int(predictions.predicted[item, wrong])),
                background_key=str(predictions.background_keys[item, wrong]),
                background_label=_name(predictions, int(predictions.backgrounds[item, wrong])),
                right=None if right is None else _image(views[right].image),
                probability=float(predictions.probability[item, wrong]),
            )
        )
    return chosen


def salient(explained: Iterable[Explained]) -> list[SaliencyExample]:
    """Return examples of where a model looks, by each method.

    Args:
        explained: what `fornet_hf.evaluation.saliency.showing.examples` returns.
    """
    return [
        SaliencyExample(
            method=method,
            image=(image := _image(one.image)),
            overlay=overlay(image, importance),
            key=one.key,
            label=one.label,
        )
        for one in explained
        for method, importance in one.maps.items()
    ]


def overlay(image: Image.Image, importance: npt.NDArray[np.floating]) -> Image.Image:
    """Return an image with its important parts in colour and the rest in grey, darkened.

    Args:
        image: any size and mode.
        importance: height x width, 0 or more; scaled to the image.
    """
    top = float(importance.max(initial=0.0))
    share = np.asarray(importance, dtype=np.float32) / (top or 1.0)
    mask = Image.fromarray(np.rint(share * 255).astype(np.uint8)).resize(image.size, Image.Resampling.BILINEAR)
    grey = image.convert("L").point(lambda level: level * 0.45).convert("RGB")
    return Image.composite(image.convert("RGB"), grey, mask)


def _ranked(predictions: Predictions) -> list[tuple[int, int]]:
    """Return item and condition of the wrong answers to a foreign background, the best examples first."""
    of_background = np.array([not name.startswith(_ELSEWHERE) for name in predictions.conditions])
    labels, backgrounds = predictions.labels[:, None], predictions.backgrounds
    right = (predictions.predicted == labels) & of_background
    wrong = (predictions.predicted != labels) & (predictions.predicted != NOT_SHOWN) & of_background
    known = backgrounds >= 0
    foreign = (known & (backgrounds != labels)) | (~known & (predictions.background_keys != ""))
    candidates = np.argwhere(wrong & foreign & right.any(axis=1)[:, None])
    taken = known & (predictions.predicted == backgrounds)

    def rank(place: tuple[int, int]) -> tuple[bool, float, str, int]:
        return not taken[place], float(predictions.probability[place]), predictions.keys[place[0]], place[1]

    return sorted(((int(item), int(column)) for item, column in candidates), key=rank)


def _spread(predictions: Predictions, ranked: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return at most one place of each source image, so that the classes come in turn."""
    best: dict[str, tuple[int, int]] = {}
    for item, column in ranked:
        best.setdefault(predictions.sources[item], (item, column))
    places = list(best.values())
    return [places[number] for number in by_turns(predictions.labels[[item for item, _ in places]])]


def _right(predictions: Predictions, item: int) -> list[int]:
    """Return the conditions in which an item was recognised, the most alike to a mistake first."""
    names = predictions.conditions
    columns = [
        column
        for column in np.flatnonzero(predictions.predicted[item] == predictions.labels[item]).tolist()
        if not names[column].startswith(_ELSEWHERE)
    ]
    return sorted(columns, key=lambda column: _ALIKE.index(names[column]) if names[column] in _ALIKE else len(_ALIKE))


def _name(predictions: Predictions, label: int) -> str:
    return predictions.class_names[label] if label >= 0 else ""


def _image(pixels: npt.NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))
