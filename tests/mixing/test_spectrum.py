"""Spectra: the paper's is alike in all directions, and the legacy one is the published code's, in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from fornet_hf.mixing.configuration import MaskConfig
from fornet_hf.mixing.masks import fmix_masks, grey_map
from fornet_hf.mixing.noise import complex_normals
from fornet_hf.mixing.spectrum import amplitudes

SIDE = 32


def power(maps, axis):
    """Return the mean share of a map's power, its mean left out, at 0, 1, and 2 or more waves along an axis."""
    spectra = np.abs(np.fft.fft2(maps - maps.mean((1, 2), keepdims=True))) ** 2
    waves = np.abs(np.fft.fftfreq(SIDE, 1 / SIDE)).astype(int)
    along = spectra.sum(axis=2 if axis == 0 else 1)
    shares = np.stack([along[:, waves == 0].sum(1), along[:, waves == 1].sum(1), along[:, waves > 1].sum(1)], axis=1)
    return (shares / shares.sum(1, keepdims=True)).mean(0)


def drawn(count, rng, **parameters):
    config = MaskConfig(size=(SIDE, SIDE), **parameters)
    return np.stack([grey_map(config, rng) for _ in range(count)])


def frequencies():
    return np.maximum(np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.fftfreq(SIDE)), 1 / SIDE)


def whole_spectrum(count, rng):
    """The definition of the paper: the real part of the inverse of a whole spectrum of complex noise."""
    noise = rng.standard_normal((2, count, SIDE, SIDE))
    return np.fft.ifft2((noise[0] + 1j * noise[1]) / frequencies() ** 3).real


def half_spectrum(count, rng):
    """What a real transform makes of half that noise: less power where nothing changes along the last axis."""
    half = SIDE // 2 + 1
    noise = rng.standard_normal((2, count, SIDE, half))
    return np.fft.irfft2((noise[0] + 1j * noise[1]) / frequencies()[:, :half] ** 3, (SIDE, SIDE))


def test_isotropic_maps_have_the_power_of_the_paper_s_in_both_directions():
    rng = np.random.default_rng(0)
    ours, paper, half = drawn(1500, rng), whole_spectrum(1500, rng), half_spectrum(1500, rng)
    assert np.allclose(power(ours, 0), power(ours, 1), atol=0.03)
    for axis in (0, 1):
        assert np.allclose(power(ours, axis), power(paper, axis), atol=0.03)
    assert np.allclose(power(half, 1), [0.297, 0.669, 0.030], atol=0.02)  # which is what others measured along x ...
    assert np.allclose(power(half, 0), [0.489, 0.483, 0.028], atol=0.02)  # ... and not what it has along y


@pytest.mark.parametrize("size", [(6, 8), (5, 7), (9,), (4,), (3, 4, 5), (4, 5, 6)], ids=str)
def test_each_frequency_has_its_power(size):
    factors = amplitudes(MaskConfig(size=size))[..., 0].astype(float)
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((4000, *factors.shape, 2)) @ [1, 1j]
    maps = np.fft.irfftn(noise * factors, size, axes=range(1, len(size) + 1))
    found = (np.abs(np.fft.fftn(maps, axes=range(1, len(size) + 1))) ** 2).mean(0)
    grid = np.meshgrid(*map(np.fft.fftfreq, size), indexing="ij")
    wanted = np.maximum(np.sqrt(sum(np.square(axis) for axis in grid)), 1 / max(size)) ** -6.0
    assert np.allclose(found / wanted, np.median(found / wanted), rtol=0.15)


def test_more_decay_makes_smoother_maps():
    rng = np.random.default_rng(0)

    def centroid(maps):
        spectra = np.abs(np.fft.fft2(maps - maps.mean((1, 2), keepdims=True))) ** 2
        return (spectra * frequencies()).sum() / spectra.sum()

    centroids = [centroid(drawn(50, rng, decay=decay, legacy_spectrum=False)) for decay in (0, 1, 2, 3, 5)]
    assert centroids == sorted(centroids, reverse=True)
    assert centroids[0] > 3 * centroids[-1]


def runs(rows):
    """Return the number of intervals in each row of masks, a row's end joined to its start."""
    return ((rows == 1) & (np.roll(rows, 1, axis=-1) == 0)).sum(-1)


def test_a_row_of_a_legacy_mask_is_at_most_one_interval():
    rng = np.random.default_rng(0)
    lam = rng.uniform(size=300)
    assert runs(fmix_masks(lam, (SIDE, SIDE), rng, legacy_spectrum=True)).max() == 1
    assert runs(fmix_masks(lam, (SIDE, SIDE), rng)).max() > 1


def test_legacy_maps_have_the_power_of_the_published_code_s():
    maps = drawn(1500, np.random.default_rng(0), legacy_spectrum=True)
    assert np.allclose(power(maps, 1), [0.114, 0.886, 0], atol=0.01)
    assert np.allclose(power(maps, 0), [0.539, 0.445, 0.014], atol=0.02)


def closed_form(size, noise, decay=3.0):
    """Return the published code's map, term by term: c = s(0, k) N_1 + i s(1, k) N_2 of mean and first wave."""
    half = [np.fft.fftfreq(width)[: width // 2 + 1 + width % 2] for width in size[1:2]]
    axes, places = [*map(np.fft.fftfreq, size[2:]), *half], np.indices(size)
    assert noise.shape == (*map(len, axes), 2)
    total = np.zeros(size)
    for waves in np.ndindex(noise.shape[:-1]):
        if any(wave >= side for wave, side in zip(waves, size, strict=False)):
            continue  # the transform cuts them
        square = sum(axis[wave] ** 2 for axis, wave in zip(axes, waves, strict=True))
        first, second = (max(np.sqrt(square + (r / size[0]) ** 2), 1 / max(size)) ** -decay for r in (0, 1))
        turn = sum(wave * place / side for wave, place, side in zip(waves, places, size, strict=False))
        mean, wave = (first * z.real + 1j * second * z.imag for z in noise[waves])
        total += (mean * np.exp(2j * np.pi * turn)).real
        total += 2 * (wave * np.exp(2j * np.pi * (turn + places[-1] / size[-1]))).real
    return total


@pytest.mark.parametrize(
    "size", [(8,), (9,), (32, 32), (7, 9), (9, 7), (4, 13), (13, 4), (4, 6, 8), (5, 7, 3), (3, 5, 9)], ids=str
)
def test_legacy_maps_are_the_closed_form(size):
    config = MaskConfig(size=size, legacy_spectrum=True)
    noise = complex_normals(np.random.default_rng(0), amplitudes(config).shape[:-1])
    found = grey_map(config, np.random.default_rng(0)).astype(float)
    wanted = closed_form(size, noise)
    assert np.allclose(found / found.std(), wanted / wanted.std(), atol=1e-4)


def test_amplitudes_are_shared_and_cannot_be_written():
    config = MaskConfig(size=(4, 4))
    assert amplitudes(config) is amplitudes(MaskConfig(size=(4, 4)))
    with pytest.raises(ValueError, match="read-only"):
        amplitudes(config)[:] = 0


@pytest.mark.parametrize("decay", [0.0, 17.0, 100.0])
def test_any_decay_stays_within_float32(decay):
    assert np.isfinite(grey_map(MaskConfig(size=(224, 224), decay=decay), np.random.default_rng(0))).all()
