"""Leakage in numbers: of all images and by class, with intervals, and what estimators say of a sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from fornet_hf.arguments import require
from fornet_hf.evaluation.independence.closed_form import scores
from fornet_hf.evaluation.independence.partners import drawn_partners
from fornet_hf.evaluation.leakage.betrayal import PARTS
from fornet_hf.evaluation.leakage.fields import Field, filled, light
from fornet_hf.evaluation.leakage.measuring import Leakage
from fornet_hf.evaluation.leakage.squares import Squares
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap, column
from fornet_hf.evaluation.statistics.differences import difference
from fornet_hf.evaluation.statistics.values import Value
from fornet_hf.packages import needing
from fornet_hf.recombination.draw.rng import generator

SCORE, CLOSED_FORM, TRACES = "leakage", "closed-form", "traces"
ESTIMATORS = (CLOSED_FORM, "mine", "infonce", TRACES)
INFILL, RING, BEYOND = "infill", "ring", "infill beyond ring"
"""What estimators speak of: the infill, the ring continued into its place, and the one less the other."""
LEAST_LEARNED = 256
"""Images that a sample has at least for estimators that are learned: of few, critics learn noise (-3 nats of 60)."""
_PARTNERS = 8  # of each row


def check_estimators(names: Sequence[str]) -> None:
    """Raise ConfigurationError if one of the estimators is not known, or none is named."""
    unknown = [name for name in names if name not in ESTIMATORS]
    require(bool(names) and not unknown, "estimators", list(names), ", ".join(ESTIMATORS))


def values(
    leakage: Leakage,
    class_names: Sequence[str],
    bootstrap: Bootstrap,
    estimators: Sequence[str] = (CLOSED_FORM,),
    device: str | None = None,
) -> list[Value]:
    """Return the numbers of a set.

    `leakage` is the mean score of all images, in standard deviations of shuffled pairs, and its parts `area` and
    `rim`, cosines; `class NAME` of a class. The estimators see a sample of the set: `laplace` and `gaussian` in
    logarithms of light, `mine` and `infonce` in nats; `traces`, in nats, is what whole backgrounds tell of outlines.

    Args:
        leakage: the scores.
        class_names: in label order.
        bootstrap: of the intervals.
        estimators: some of `ESTIMATORS`.
        device: of critics, as torch calls it; None: a GPU if there is one.

    Raises:
        ConfigurationError: an estimator is not known, or the sample is too small for one that is learned.
        MissingDependencyError: one is learned, and torch is not installed.
    """
    check_estimators(estimators)
    if set(estimators) - {CLOSED_FORM}:
        found, allowed = len(leakage.sample), f"{LEAST_LEARNED} or more for {', '.join(ESTIMATORS[1:])}"
        require(found >= LEAST_LEARNED, "number of images in the sample", found, allowed)
    return [
        *_of_scores(leakage, class_names, bootstrap),
        *_estimated(leakage.sample, bootstrap, estimators, device),
    ]


def _of_scores(leakage: Leakage, class_names: Sequence[str], bootstrap: Bootstrap) -> list[Value]:
    columns = np.column_stack([leakage.scores, leakage.parts])
    statistics = {name: column(number) for number, name in enumerate(("", *PARTS))}
    found = bootstrap.estimates(SCORE, columns, leakage.keys, statistics, left_out=leakage.left_out)
    labels = np.asarray(leakage.labels)
    for label in np.unique(labels).tolist():
        inside = np.flatnonzero(labels == label)
        keys = [leakage.keys[place] for place in inside.tolist()]
        found.append(bootstrap.estimate(SCORE, columns[inside, :1], keys, part=f"class {class_names[label]}"))
    return found


def _estimated(sample: Squares, bootstrap: Bootstrap, estimators: Sequence[str], device: str | None) -> list[Value]:
    """Return what estimators say of the infill, of the ring in its place, and of the one beyond the other."""
    infills, sources = light(sample.backgrounds), light(sample.sources)
    around = filled(infills, sample.rings)
    found = []
    for name in estimators:
        if name == TRACES:
            found.append(_traces(sample, bootstrap, device))
            continue
        made = _closed if name == CLOSED_FORM else _learned(name, device)
        of_infill, of_ring = (made(sample, sources, hidden, bootstrap) for hidden in (infills, around))
        for kind, value in of_infill.items():
            own = replace(value, measure=kind, part=INFILL)
            ring = replace(of_ring[kind], measure=kind, part=RING)
            note = f"of a sample of {len(sample):,} images"
            found += [one.noted(note) for one in (own, ring, replace(difference(own, ring, bootstrap), part=BEYOND))]
    return found


Estimates = Callable[[Squares, Field, Field, Bootstrap], Mapping[str, Value]]


def _closed(sample: Squares, sources: Field, hidden: Field, bootstrap: Bootstrap) -> dict[str, Value]:
    partners = drawn_partners([0] * len(sample), _PARTNERS, generator("leakage", "closed form", bootstrap.seed))
    found = {}
    for kind in ("laplace", "gaussian"):
        each = scores(sources, hidden, sample.masks, partners, kind=kind)
        found[kind] = bootstrap.estimate(kind, each[:, None], sample.keys)
    return found


def _traces(sample: Squares, bootstrap: Bootstrap, device: str | None) -> Value:
    with needing("leakage", "torch"):
        from fornet_hf.evaluation.leakage.learned import traces

    value = traces(sample, bootstrap, device).value
    return replace(value, measure=TRACES).noted(f"of a sample of {len(sample):,} images")


def _learned(name: str, device: str | None) -> Estimates:
    with needing("leakage", "torch"):
        from fornet_hf.evaluation.leakage.learned import information

    def learned(sample: Squares, sources: Field, hidden: Field, bootstrap: Bootstrap) -> dict[str, Value]:
        del sources
        return {name: information(sample, hidden, name, bootstrap, device).value}

    return learned
