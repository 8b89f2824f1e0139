#!/usr/bin/env python
"""Train a classifier on ForNet, with one process or with torchrun's, or tune a pretrained one by an adapter.

    torchrun --nproc-per-node 8 examples/train.py --preset 3augment --imagenet-dir imagenet --out runs/vit-s
    python examples/train.py --model timm:resnet50 --tune lora --imagenet-dir imagenet --out runs/tuned

Prints a line for each epoch. The run's folder gets config.json, metrics.jsonl (the same for programs), checkpoint.pt,
and at the end weights.safetensors, adapter/ and report/. The same command again goes on from the checkpoint. Exit
status: 0 done, 1 an error that a message explains, 2 a wrong command line, 130 interrupted. examples/README.md has
the presets.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial

from fornet_hf.endings import ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Train; return the exit status."""
    interrupted = "interrupted; the same command goes on after the last whole epoch"
    quiet = os.environ.get("RANK", "0") != "0"  # the first of torchrun's processes speaks
    return ended(partial(_train, arguments), interrupted=interrupted, quiet=quiet)


def _train(arguments: Sequence[str] | None) -> int:
    from training.options import parse  # imports take seconds, in which Ctrl-C shall end the command in a line, too
    from training.session import train

    train(parse(arguments), report=partial(print, flush=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
