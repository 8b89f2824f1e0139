#!/usr/bin/env python
"""Tune a classifier for backgrounds in every way that train.py has, and compare what each does.

    python examples/tune_for_backgrounds.py OUT
    python examples/tune_for_backgrounds.py OUT --plan in9 --variants IN9

For each seed a base learns from originals. Then it is tuned: again on originals, and on recombined images its last
layer alone, by LoRA, by rotations (OFT), and in full. Each is measured on the eight variants of ImageNet-9, with
BG-GAP and the challenge. Without IN9, the images are drawn, and all of it runs on a CPU. OUT gets results.json,
results.md, figure.png and the runs, each with a report. The same command again goes on where it was.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from backgrounds.outcome import MEASURES, Run, figure, table
from backgrounds.plan import Plan
from backgrounds.sets import of_variants, planted
from fornet_hf.arguments import positive
from fornet_hf.endings import ended
from fornet_hf.files import write_text
from training.session import train


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    result = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = result.add_argument
    add("out", type=Path, metavar="OUT")
    add("--plan", default="planted", metavar="NAME", help="planted, in9, or a JSON file like theirs (%(default)s)")
    add(
        "--variants", type=Path, metavar="IN9", help="what fornet variants made of both splits; else images are drawn"
    )
    add("--seeds", type=int, default=5, help="networks of each kind (%(default)s)")
    add("--arms", nargs="+", metavar="ARM", help="some of the plan's; all")
    add("--train", type=int, default=200, help="drawn images of each class (%(default)s)")
    add("--val", type=int, default=100, help="drawn images of each class (%(default)s)")
    add("--shown", type=int, default=50, help="of these, images of each class in a variant, at most (%(default)s)")
    return result


def compare(chosen: argparse.Namespace) -> list[Run]:
    """Train and measure all networks, or what is left of them; return what was measured.

    Raises:
        ForNetError: a plan or images that do not fit.
    """
    positive("seeds", chosen.seeds)
    plan, counts = Plan.read(chosen.plan), {"train": chosen.train, "val": chosen.val}
    arms = plan.chosen(chosen.arms)
    drawn = chosen.variants is None
    sets = planted(chosen.out / "images", counts, chosen.shown) if drawn else of_variants(chosen.variants)
    configs = {
        (arm, seed): plan.run(arm, seed, sets, chosen.out / "runs") for seed in range(chosen.seeds) for arm in arms
    }
    runs = []
    for (arm, seed), config in configs.items():
        print(f"{arm}, seed {seed}", flush=True)
        row = train(config)
        runs.append(Run(arm, seed, row["trainable"], {column: row.get(column) for column in MEASURES}))
    return runs


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the comparison; return the exit status."""
    return ended(
        partial(_compared, parser().parse_args(arguments)),
        interrupted="interrupted; the same command goes on from here",
    )


def _compared(chosen: argparse.Namespace) -> int:
    """Write and print what was compared."""
    runs = compare(chosen)
    write_text(chosen.out / "results.json", json.dumps([dataclasses.asdict(run) for run in runs], indent=1) + "\n")
    write_text(chosen.out / "results.md", table(runs) + "\n")
    figure(runs).save(chosen.out / "figure.png")
    print(table(runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
