"""Masks of torch: those of NumPy from the same noise, by a partition and by a sort, from a key alone."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fornet_hf.mixing import ranking  # noqa: E402
from fornet_hf.mixing.on_tensors import by_sorting, fmix_masks  # noqa: E402

CPU = torch.device("cpu")
LAM = [0.0, 1.0, 0.5, 0.123, 0.02, 0.97]


@pytest.mark.parametrize("legacy", [False, True], ids=["isotropic", "legacy"])
@pytest.mark.parametrize("soft", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("size", [7, (32, 32), (9, 14), (14, 9), (4, 5, 6)], ids=str)
def test_the_mean_is_lambda_to_within_a_pixel(size, soft, legacy):
    masks = fmix_masks(LAM, size, 3, device="cpu", max_soft=soft, legacy_spectrum=legacy)
    assert masks.shape == (len(LAM), *np.atleast_1d(size))
    assert masks.dtype == torch.float32
    means = masks.double().flatten(1).mean(1)
    assert ((means - torch.tensor(LAM)).abs() < 1 / masks[0].numel() + 1e-7).all()
    assert 0 <= masks.min() <= masks.max() <= 1


@pytest.mark.parametrize("levels", [1, 2, 5, 10**6])
@pytest.mark.parametrize("soft", [0.0, 0.2, 0.5])
def test_sorting_and_partitioning_give_the_same_masks_also_under_ties(levels, soft):
    rng = np.random.default_rng(0)
    maps = rng.integers(levels, size=(len(LAM), 60)).astype(np.float32)
    numbers = ranking.counts(np.array(LAM), 60, soft, rng.random(len(LAM)))
    wanted = np.empty_like(maps)
    for values, mask, ones, soft_ in zip(maps, wanted, numbers.ones, numbers.soft, strict=True):
        ranking.cut(values, int(ones), int(soft_), out=mask)
    assert np.allclose(wanted.sum(1), numbers.ones)
    assert np.array_equal(by_sorting(torch.from_numpy(maps), numbers).numpy(), wanted)


def test_a_mask_follows_from_key_and_place():
    def draw(key, lam=LAM):
        return fmix_masks(lam, (16, 16), key, device=CPU)

    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))
    assert torch.equal(draw(1)[:2], draw(1, LAM[:2]))
