"""Products of halves, as GPUs multiply them, stay near to those of floats, and within a byte."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.photos import prepared_rows
from benchmarks.recombination import repeated, store
from fornet_hf.recombination import Recombine

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """16 rows of the benchmarks' photographs."""
    return store(repeated(prepared_rows(), 2), Path(tmp_path_factory.mktemp("device")) / "rows")


def test_halves_make_no_level_beyond_a_byte(rows: Any) -> None:
    """GPUs multiply halves: a mask a little above 1 would turn black on white into -1, and that into 255."""
    from fornet_hf.recombination.device.packing import pack
    from fornet_hf.recombination.device.products import compose

    deferred = rows.with_transform(Recombine(rows, seed=3, defer="pixels", crop=112))
    for under, over in ((255, 0), (0, 255)):
        images = [flat(example["image"], under, over) for example in deferred.__getitems__(list(range(16)))]
        batch = pack(images, None, {})
        halves, floats = (compose(batch, kind)[0].float() for kind in (torch.float16, torch.float32))
        assert halves.min() >= 0
        assert halves.max() <= 255
        assert (halves - floats).abs().max() <= 3


def test_rows_of_a_feather_sum_to_1_in_halves() -> None:
    from fornet_hf.recombination.device.filters import boxes

    half = torch.linspace(0.01, 6, 50)
    at = torch.arange(48.0).expand(50, -1)
    rows = boxes(at, half, torch.full((50,), 40), 48, torch.float16).float().sum(-1)
    assert torch.equal(rows[:, :40], torch.ones(50, 40))


def flat(image: Any, under: int, over: int) -> Any:
    """The image with one level in the background and one in the object; the mask stays."""
    background = np.full_like(image.background.quads, under)
    if image.foreground is None:
        return replace(image, background=replace(image.background, quads=background))
    foreground = np.array(image.foreground.quads)
    foreground[..., :3] = over
    return replace(
        image,
        background=replace(image.background, quads=background),
        foreground=replace(image.foreground, quads=foreground),
    )
