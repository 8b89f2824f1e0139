"""ImageNet-9: what a classifier makes of an object without its background, and of a background without its object.

Xiao et al., "Noise or Signal: The Role of Image Backgrounds in Object Recognition", arXiv 2006.09994.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fornet_hf.errors import explain
from fornet_hf.evaluation.answers.predictions import Predictions
from fornet_hf.evaluation.data.names import VARIANTS
from fornet_hf.evaluation.data.opening import Data
from fornet_hf.evaluation.data.trees import TreeData
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap
from fornet_hf.evaluation.statistics.values import Value
from fornet_hf.evaluation.stimuli.conditions import Condition

CATEGORIES = {
    "BG Required": (True, False, True),
    "BG Fools": (False, True, False),
    "BG+FG Required": (True, False, False),
    "BG+FG Fools": (False, True, True),
}
"""Whether the original, the foreground (`mixed_rand`) and the background (`only_bg_t`) are recognised.

An image of which the first two are alike is "BG Irrelevant".
"""

_UNKNOWN = "class of the background not known"
_CONFLICTING = ("mixed_rand", "mixed_next", "mixed_rand_i", "mixed_next_i")  # may have another class's background


@dataclass(frozen=True)
class ImageNet9:
    """The metrics of ImageNet-9, of all variants that the data have.

    Accuracy is that of all images of a variant, as the official script counts; what compares variants takes the
    images that were shown in each of them.
    """

    name: str = "in9"

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings of its own: none."""
        return {}

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """None: data of variants show those that they have."""
        return {}

    def lacks(self, data: Data) -> str:
        """Say what the data lack for this, and what to do about it; empty: nothing."""
        if isinstance(data, TreeData):
            return data.too_few_classes
        then = "Make them: fornet variants --help"
        return explain("the variants of ImageNet-9 are needed", found=data.name, then=then)

    def values(self, predictions: Predictions, bootstrap: Bootstrap) -> Sequence[Value]:
        """Return accuracy, BG-GAP, shares of the categories, and attack success; what lacks variants is named.

        Of images of one class alone there are accuracies and a note.
        """
        if len(np.unique(predictions.labels)) < 2:
            note = "images of one class alone, which a classifier can take for no other"
            return [*_accuracies(predictions, bootstrap), Value(measure="bg_gap", value=None, n=0, note=note)]
        return [
            *_accuracies(predictions, bootstrap),
            *_gaps(predictions, bootstrap),
            *_categories(predictions, bootstrap),
            *_attacks(predictions, bootstrap),
        ]


def _accuracies(predictions: Predictions, bootstrap: Bootstrap) -> Iterator[Value]:
    for variant in (name for name in VARIANTS if name in predictions.conditions):
        shown = predictions.complete(variant)
        value = _estimate(
            "accuracy", predictions.correct(variant), shown, predictions, bootstrap, variant, variants=(variant,)
        )
        yield value.noted(imbalance(predictions.labels[shown], predictions.class_names))
        for label, name in enumerate(predictions.class_names):
            items, part = shown & (predictions.labels == label), f"{variant} class {name}"
            yield _estimate("accuracy", predictions.correct(variant), items, predictions, bootstrap, part)


def imbalance(labels: npt.NDArray[np.int64], class_names: Sequence[str]) -> str:
    """Say which classes have the fewest and the most images; empty: all have as many, so chance is 1 / classes."""
    counts = np.bincount(labels, minlength=len(class_names))
    if counts.min() == counts.max():
        return ""
    ends = (f"{counts[label]} of {class_names[label]}" for label in (int(counts.argmin()), int(counts.argmax())))
    return f"classes are not balanced: {' to '.join(ends)}"


def _gaps(predictions: Predictions, bootstrap: Bootstrap) -> Iterator[Value]:
    """Yield accuracy on `mixed_same` less that on `mixed_rand`."""
    yield _compared("bg_gap", ("mixed_same", "mixed_rand"), predictions, bootstrap)
    if {"mixed_same_i", "mixed_rand_i"} <= {*predictions.conditions}:
        yield _compared("bg_gap", ("mixed_same_i", "mixed_rand_i"), predictions, bootstrap, "infilled")


def _compared(
    measure: str, variants: tuple[str, str], predictions: Predictions, bootstrap: Bootstrap, part: str = ""
) -> Value:
    if lacking := _lacking(predictions, variants):
        return Value(measure=measure, part=part, value=None, n=0, note=lacking)
    items = predictions.complete(*variants)
    right = predictions.correct(*variants)
    return _estimate(measure, right[:, :1] - right[:, 1:], items, predictions, bootstrap, part, variants=variants)


def _categories(predictions: Predictions, bootstrap: Bootstrap) -> Iterator[Value]:
    variants = ("original", "mixed_rand", "only_bg_t")
    lacking = _lacking(predictions, variants)
    for category in (*CATEGORIES, "BG Irrelevant"):
        if lacking:
            yield Value(measure="category", part=category, value=None, n=0, note=lacking)
            continue
        items, right = predictions.complete(*variants), predictions.correct(*variants).astype(bool)
        if category in CATEGORIES:
            belongs = (right == np.array(CATEGORIES[category])).all(axis=1)
        else:
            belongs = right[:, 0] == right[:, 1]
        yield _estimate("category", belongs[:, None], items, predictions, bootstrap, category, variants=variants)


def _attacks(predictions: Predictions, bootstrap: Bootstrap) -> Iterator[Value]:
    """Yield the shares of images with a background of another class that are taken for that class."""
    variants = [name for name in _CONFLICTING if name in predictions.conditions]
    if not variants:
        lacking = _lacking(predictions, ("mixed_rand",))
        yield Value(measure="attack_success", part="mixed_rand", value=None, n=0, note=lacking)
    for variant in variants:
        column = predictions.columns(variant)[0]
        backgrounds, predicted = predictions.backgrounds[:, column], predictions.predicted[:, column]
        shown = predictions.complete(variant)
        known = shown & (backgrounds >= 0)
        if not known.any():
            note = "not available: the data do not say which backgrounds they show"
            yield Value(measure="attack_success", part=variant, value=None, n=0, note=note)
            continue
        conflicting, taken = known & (backgrounds != predictions.labels), (predicted == backgrounds)[:, None]
        value = _estimate("attack_success", taken, conflicting, predictions, bootstrap, variant, variants=(variant,))
        unknown = Counter({_UNKNOWN: int(np.count_nonzero(shown & ~known))})
        yield replace(value, left_out=dict(+(unknown + Counter(value.left_out))))
        for label, name in enumerate(predictions.class_names):
            items, part = conflicting & (backgrounds == label), f"{variant} background {name}"
            yield _estimate("attack_success", taken, items, predictions, bootstrap, part)


def _lacking(predictions: Predictions, variants: Sequence[str]) -> str:
    missing = [name for name in variants if name not in predictions.conditions]
    return f"not available: no {', no '.join(missing)} among the data" if missing else ""


def _estimate(
    measure: str,
    samples: npt.NDArray[np.generic],
    items: npt.NDArray[np.bool_],
    predictions: Predictions,
    bootstrap: Bootstrap,
    part: str,
    variants: Sequence[str] = (),
) -> Value:
    """Return the mean of a column over some of the items; those not shown in these variants are counted."""
    left_out = predictions.left_out(*variants) if variants else {}
    if not items.any():
        return Value(measure=measure, part=part, value=None, n=0, left_out=left_out, note="no such images")
    sources = [predictions.sources[item] for item in np.flatnonzero(items).tolist()]
    return bootstrap.estimate(measure, samples[items].astype(np.float64), sources, part=part, left_out=left_out)
