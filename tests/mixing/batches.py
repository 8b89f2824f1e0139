"""Batches and mixers that several tests share."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from fornet_hf.mixing import CutMix, FMix, MixUp  # noqa: E402

MIXERS = [FMix, CutMix, MixUp]
EACH = ["batch", "image"]
CLASSES = 10

all_mixers = pytest.mark.parametrize("kind", MIXERS)
all_ways = pytest.mark.parametrize("each", EACH)


def batch(count=6, size=(16, 12), channels=3, dtype=torch.float32):
    generator = torch.Generator().manual_seed(count)
    images = torch.rand(count, channels, *size, generator=generator).to(dtype)
    return images, torch.arange(count) % CLASSES


def a_mix(kind, **parameters):
    return kind(**{"num_classes": CLASSES, "seed": 0, **parameters})
