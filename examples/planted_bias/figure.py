"""The figure of the experiment: a panel for each measure, a point for each network."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from outcomes.dots import Dots, Group, Row
from planted_bias.outcome import ARMS, BIASES, IDEAL, Run, planted_in, values

_INKS = {"images as they are": "#d55e00", "ForNet": "#0072b2"}


def figure(runs: Sequence[Run]) -> Image.Image:
    """Draw all runs: a point for each network, a bar for the interval of the mean, a line where no bias is.

    A band is behind the networks of a measure's own bias.
    """
    own = dict(zip(BIASES, IDEAL, strict=True))
    groups = [
        Group(
            label=f"{planted}\nplanted",
            rows=[
                Row(ink=_INKS[arm], values={measure: values(runs, planted, arm, measure) for measure in IDEAL})
                for arm in ARMS
            ],
            banded=[own[planted]],
        )
        for planted in planted_in(runs)
    ]
    panels = {measure: (ideal, "no bias") for measure, ideal in IDEAL.items()}
    return Dots(panels=panels, groups=groups, legend={f"trained on {arm}": ink for arm, ink in _INKS.items()}).drawn()
