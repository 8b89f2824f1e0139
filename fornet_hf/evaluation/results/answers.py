"""The answers behind the numbers as a table, for people: `predictions.parquet`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fornet_hf.errors import ForNetError
from fornet_hf.evaluation.answers.predictions import NOT_SHOWN, Predictions
from fornet_hf.evaluation.results.origin import Origin
from fornet_hf.sources import damage_named

_OF_ORIGIN = tuple(one.name for one in fields(Origin) if one.name != "version")


def predictions_table(origin: Origin, predictions: Predictions) -> pa.Table:
    """Return answers as a row for each item and condition; where none was given, `reason` tells why."""
    items, conditions = predictions.predicted.shape
    names = np.array([*predictions.class_names, "", ""], object)  # in the end those of NOT_SHOWN and NO_LABEL
    predicted = names[predictions.predicted.ravel()]
    missing, background = predictions.predicted.ravel() < 0, predictions.backgrounds.ravel()
    not_shown = predictions.predicted.ravel() == NOT_SHOWN
    places = ((item, condition) for item in range(items) for condition in range(conditions))
    columns = {
        **{name: pa.repeat(pa.scalar(getattr(origin, name)), items * conditions) for name in _OF_ORIGIN},
        "condition": list(predictions.conditions) * items,
        "key": np.repeat(np.array(predictions.keys, object), conditions),
        "source": np.repeat(np.array(predictions.sources, object), conditions),
        "label": np.repeat(names[predictions.labels], conditions),
        "predicted": pa.array(predicted, pa.string(), mask=missing),
        "probability": pa.array(predictions.probability.ravel(), pa.float32(), mask=not_shown),
        "background": pa.array(names[background], pa.string(), mask=background < 0),
        "background_key": predictions.background_keys.ravel().astype(object),
        "reason": [predictions.reasons.get(place, "") for place in places],
    }
    return pa.table(columns)


def joined_answers(path: Path, answers: Iterable[tuple[Origin, Predictions]]) -> pa.Table | None:
    """Return the table in the file, without what these answers replace, and these; None: nothing changes."""
    tables = [(origin, predictions_table(origin, predictions)) for origin, predictions in answers]
    if not tables:
        return None
    kept: list[pa.Table] = []
    # A file that is not there, damaged, or of another version counts for nothing.
    with contextlib.suppress(ForNetError, ValueError), damage_named(path):
        kept = [pq.read_table(path).cast(tables[0][1].schema)]
    for origin, table in tables:
        kept = [older.filter(pc.invert(_same(older, origin, table))) for older in kept]
    return pa.concat_tables([*kept, *(table for _, table in tables)])


def _same(older: pa.Table, origin: Origin, table: pa.Table) -> Any:
    same = pc.is_in(older["condition"], value_set=table["condition"].unique())
    for name in _OF_ORIGIN:
        same = pc.and_(same, pc.equal(older[name], getattr(origin, name)))
    return same
