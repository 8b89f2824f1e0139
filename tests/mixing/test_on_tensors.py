"""Masks of torch: those of NumPy from the same noise, by a partition and by a sort, from a key alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fornet_hf.errors import ConfigurationError  # noqa: E402
from fornet_hf.mixing import on_tensors, ranking  # noqa: E402
from fornet_hf.mixing.configuration import MaskConfig  # noqa: E402
from fornet_hf.mixing.hashing import normals, splitmix  # noqa: E402
from fornet_hf.mixing.on_tensors import cut_by_partition, cut_by_sorting, fmix_masks, grey_maps  # noqa: E402
from tests.operations import Operations  # noqa: E402

CPU = torch.device("cpu")
LAM = [0.0, 1.0, 0.5, 0.123, 0.02, 0.97]
SIZES = [7, (1,), (32, 32), (9, 14), (14, 9), (8, 1), (4, 5, 6)]
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


def numbers_of(lam, pixels, soft=0.0):
    return ranking.counts(np.array(lam), pixels, soft, np.random.default_rng(0).random(len(lam)))


@pytest.mark.parametrize("legacy", [False, True], ids=["isotropic", "legacy"])
@pytest.mark.parametrize("soft", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_mean_is_lambda_to_within_a_pixel(size, soft, legacy):
    if legacy and np.atleast_1d(size)[0] == 1:
        pytest.skip("refused")
    masks = fmix_masks(LAM, size, 3, device="cpu", max_soft=soft, legacy_spectrum=legacy)
    assert masks.shape == (len(LAM), *np.atleast_1d(size))
    assert masks.dtype == torch.float32
    means = masks.double().flatten(1).mean(1)
    assert ((means - torch.tensor(LAM)).abs() < 1 / masks[0].numel() + 1e-7).all()
    assert 0 <= masks.min() <= masks.max() <= 1


@pytest.mark.parametrize("levels", [1, 2, 5, 10**6])
@pytest.mark.parametrize("soft", [0.0, 0.2, 0.5])
def test_sorting_and_partitioning_give_the_same_masks_also_under_ties(levels, soft):
    maps = torch.from_numpy(np.random.default_rng(0).integers(levels, size=(len(LAM), 60)).astype(np.float32))
    numbers = numbers_of(LAM, 60, soft)
    wanted, found = torch.empty_like(maps), torch.empty_like(maps)
    cut_by_partition(maps, numbers, out=wanted)
    cut_by_sorting(maps, numbers, out=found)
    assert np.allclose(wanted.sum(1), numbers.ones)
    assert torch.equal(found, wanted)


@pytest.mark.parametrize("size", [(12, 10), (9, 7), (5,), (3, 4, 5)], ids=str)
def test_a_mask_is_that_of_the_formulas_in_float64(size):
    key = 2**40 + 1
    bins = [*map(np.fft.fftfreq, size[:-1]), np.fft.rfftfreq(size[-1])]
    grid = np.sqrt(sum(np.square(axis) for axis in np.meshgrid(*bins, indexing="ij")))
    factors = 1 / np.maximum(grid, 1 / max(size)) ** 3
    factors[..., [0, -1] if size[-1] % 2 == 0 else [0]] *= np.sqrt(2)
    rows, columns = splitmix(key, len(LAM)), splitmix(2**63, factors.size)
    noise = normals(torch.from_numpy(rows), torch.from_numpy(columns)).double().numpy() @ [1, 1j]
    masks = fmix_masks(LAM, size, key, device="cpu").numpy()
    for mask, spectrum in zip(masks, noise.reshape(-1, *factors.shape) * factors, strict=True):
        map_ = np.fft.irfftn(spectrum, size, axes=range(len(size))).ravel()
        wanted = np.zeros(mask.size)
        wanted[np.argsort(-map_)[: int(mask.sum())]] = 1
        assert np.array_equal(mask.ravel(), wanted)


def test_a_mask_follows_from_key_and_place():
    def draw(key, lam=LAM):
        return fmix_masks(lam, (16, 16), key, device=CPU, max_soft=0.1)

    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))
    assert torch.equal(draw(1)[:2], draw(1, LAM[:2]))
    assert draw(1, []).shape == (0, 16, 16)


def test_parts_of_a_batch_give_the_masks_of_the_whole(monkeypatch):
    lam = np.linspace(0, 1, 20)
    whole = fmix_masks(lam, (8, 9), 1, device=CPU, max_soft=0.1)
    for pixels in (1, 7 * 72, 10**9):
        monkeypatch.setattr(on_tensors, "_AT_ONCE_ON_CPU", pixels)
        assert torch.allclose(fmix_masks(lam, (8, 9), 1, device=CPU, max_soft=0.1), whole)


def test_keys_are_checked():
    with pytest.raises(ConfigurationError, match="key is not allowed"):
        fmix_masks(LAM, 8, -1, device=CPU)


@pytest.mark.parametrize("legacy", [False, True], ids=["isotropic", "legacy"])
def test_a_caller_s_precision_changes_nothing(legacy):
    def draw():
        return fmix_masks(LAM, (16, 16), 5, device="cpu", max_soft=0.2, legacy_spectrum=legacy)

    plain = draw()
    with torch.autocast("cpu", torch.bfloat16), torch.inference_mode():
        assert torch.equal(draw(), plain)
    torch.set_default_dtype(torch.float64)
    try:
        found, none = draw(), fmix_masks([], (16, 16), 5, device="cpu")
    finally:
        torch.set_default_dtype(torch.float32)
    assert found.dtype == none.dtype == torch.float32
    assert torch.equal(found, plain)


@pytest.mark.parametrize("soft", [0.0, 0.1])
def test_a_batch_of_any_size_takes_the_same_operations(soft):
    config = MaskConfig(size=(16, 16), max_soft=soft)

    def operations(count):
        rows, out = torch.from_numpy(splitmix(1, count)), torch.empty(count, 256)
        with Operations() as seen:
            cut_by_sorting(grey_maps(config, rows).flatten(1), numbers_of([0.4] * count, 256, soft), out=out)
        return seen.names

    operations(1)  # makes what the size alone determines
    assert operations(8) == operations(256)
    assert len(operations(8)) < 60
    assert not any("index_put" in name or "scatter_add" in name or "cumsum" in name for name in operations(8))


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("soft", [0.0, 0.1])
@pytest.mark.parametrize("legacy", [False, True], ids=["isotropic", "legacy"])
def test_a_gpu_repeats_itself_bit_for_bit_and_agrees_with_the_cpu_up_to_rounding(soft, legacy):
    lam = np.linspace(0, 1, 256)

    def draw(device):
        return fmix_masks(lam, (224, 224), 5, device=device, max_soft=soft, legacy_spectrum=legacy).cpu()

    first, cpu = draw("cuda"), draw("cpu")
    assert torch.equal(first, draw("cuda"))
    assert torch.allclose(first.double().mean((1, 2)), cpu.double().mean((1, 2)), atol=1e-6)
    assert float((first - cpu).abs().mean()) < 1e-4
    assert math.isclose(float((first - cpu).abs().max()), 1.0) or float((first - cpu).abs().max()) < 0.05
