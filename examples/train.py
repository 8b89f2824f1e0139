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

import sys
from collections.abc import Sequence

from fornet_hf.errors import ForNetError
from training.options import parse
from training.processes import place
from training.session import train


def main(arguments: Sequence[str] | None = None) -> int:
    """Train; return the exit status."""
    speaks = place().is_first
    try:
        train(parse(arguments), report=lambda line: print(line, flush=True))
    except ForNetError as error:
        if speaks:
            print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        if speaks:
            print("interrupted; the same command goes on after the last whole epoch", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
