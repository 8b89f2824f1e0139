#!/usr/bin/env python
"""Plant a bias, train on the images as they are and on ForNet, and measure both.

    python examples/plant_bias.py OUT

For each of background, position and size, a set is drawn in which it alone predicts the class. Patches are made of
the set and applied. For each seed one small network learns from the images as they are and one from ForNet's; then
all are measured on the same validation images. OUT gets results.json, figure.png, and a report for each set. The same
command again goes on where it was.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from fornet_hf.arguments import positive
from fornet_hf.endings import ended
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.evaluating import evaluate
from fornet_hf.files import write_text
from planted_bias.draw import Planted
from planted_bias.figure import figure
from planted_bias.outcome import ARMS, BIASES, MEASURES, Run, table
from planted_bias.prepare import prepare
from planted_bias.train import classifier, train

SIZES = (0.25, 0.5, 1.0)  # twice as large, many of the objects would not fit


def experiment(folder: Path, bias: str, degree: float, counts: dict[str, int], seeds: int, epochs: int) -> list[Run]:
    """Plant one bias; return what each network's measures show.

    Raises:
        ConfigurationError: the folder has images that were drawn otherwise.
    """
    dataset = prepare(folder, Planted(**{bias: degree}), counts)
    networks = {}
    for seed in range(seeds):
        for arm, recombined in ARMS.items():
            weights = folder / f"{arm.replace(' ', '_')}_{seed}_of_{epochs}_epochs.pt"
            train(dataset["train"], weights, recombined=recombined, seed=seed, epochs=epochs)
            networks[arm, seed] = classifier(f"{arm}, seed {seed}", weights)
    results = evaluate(
        networks.values(),
        dataset["validation"],
        ["accuracy", "background", "centre", "size"],
        config=EvaluationConfig(sizes=SIZES),
        output=folder / "report",
    )
    return [
        Run(
            bias,
            arm,
            seed,
            {name: results.value(measure, part, one.name).value for name, (measure, part) in MEASURES.items()},
        )
        for (arm, seed), one in networks.items()
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the experiment; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("out", type=Path, metavar="OUT")
    add("--planted", nargs="+", choices=BIASES, default=BIASES, metavar="BIAS", help=f"of {', '.join(BIASES)}; all")
    add("--seeds", type=int, default=5, help="networks of each kind (%(default)s)")
    add("--epochs", type=int, default=20, help="of each training (%(default)s)")
    add("--degree", type=float, default=0.95, help="probability of the class's own, 0 to 1 (%(default)s)")
    add("--train", type=int, default=200, help="images of each class (%(default)s)")
    add("--val", type=int, default=100, help="images of each class (%(default)s)")
    chosen = parser.parse_args(arguments)
    return ended(partial(_experiments, chosen), interrupted="interrupted; the same command goes on from here")


def _experiments(chosen: argparse.Namespace) -> int:
    """Do all that was chosen; return the exit status."""
    for name in ("seeds", "epochs"):
        positive(name, getattr(chosen, name))
    counts = {"train": chosen.train, "val": chosen.val}
    runs = [
        run
        for bias in chosen.planted
        for run in experiment(chosen.out / bias, bias, chosen.degree, counts, chosen.seeds, chosen.epochs)
    ]
    write_text(chosen.out / "results.json", json.dumps([dataclasses.asdict(run) for run in runs], indent=1) + "\n")
    figure(runs).save(chosen.out / "figure.png")
    print(table(runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
