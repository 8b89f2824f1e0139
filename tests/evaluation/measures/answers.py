"""Answers made by hand."""

import numpy as np

from fornet_hf.evaluation.answers.predictions import NOT_SHOWN, Predictions
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap

BOOTSTRAP = Bootstrap(resamples=200)
CLASSES = ("bird", "dog", "fish")


def predictions(conditions, labels, predicted, *, sources=None, backgrounds=None, keys=None, reasons=None):
    """Answers of a classifier; `predicted` maps conditions to the class for each item, as do backgrounds and keys."""
    shape = len(labels), len(conditions)

    def table(by_condition, default):
        filled = np.full(shape, default)
        for number, name in enumerate(conditions):
            if name in (by_condition or {}):
                filled[:, number] = by_condition[name]
        return filled

    items = [f"image {number:04}" for number in range(len(labels))]
    answers = table(predicted, NOT_SHOWN).astype(np.int32)
    return Predictions(
        conditions=list(conditions),
        keys=items,
        sources=items if sources is None else sources,
        labels=np.asarray(labels, np.int64),
        class_names=CLASSES,
        predicted=answers,
        probability=np.where(answers == NOT_SHOWN, np.nan, 0.5).astype(np.float32),
        backgrounds=table(backgrounds, -1).astype(np.int32),
        background_keys=table(keys, "x" * 20) if keys else np.full(shape, "another"),
        reasons=reasons or {},
    )


def right(labels, share, *, seed=0):
    """Answers of which about that share is right."""
    labels = np.asarray(labels)
    return np.where(np.random.default_rng(seed).random(len(labels)) < share, labels, (labels + 1) % len(CLASSES))


def by_part(values, measure):
    return {value.part: value for value in values if value.measure == measure}
