"""Noise from a key is normal, independent everywhere, and the same as of integers without bounds."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fornet_hf.mixing.hashing import normals, splitmix  # noqa: E402


def noise(key=1, rows=64, columns=4096):
    """Return rows x columns x 2 numbers of variance 1, float64."""
    found = normals(torch.from_numpy(splitmix(key, rows)), torch.from_numpy(splitmix(2**63, columns)))
    return found.double().numpy() * np.sqrt(2)


def correlation(a, b):
    """Return the correlation of two sets of numbers in units of its standard deviation without any."""
    a, b = (part - part.mean() for part in (a.ravel(), b.ravel()))
    return (a @ b) / np.sqrt((a @ a) * (b @ b)) * np.sqrt(a.size)


def test_splitmix_is_that_of_others():
    found = splitmix(1234567, 5).view(np.uint64).tolist()  # published test vector
    assert found[:3] == [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert found[3:] == [4593380528125082431, 16408922859458223821]


def test_the_hash_is_that_of_integers_without_bounds():
    rows, columns = splitmix(7, 3), splitmix(2**63, 5)
    found = normals(torch.from_numpy(rows), torch.from_numpy(columns))
    for row in range(3):
        for column in range(5):
            bits = (int(rows[row]) + int(columns[column])) % 2**64
            for factor in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB):
                bits = (bits ^ (bits >> 32)) * factor % 2**64
            for part, half in enumerate((bits % 2**32, bits >> 32)):
                signed = half - 2**32 if half >= 2**31 else half
                wanted = NormalDist().inv_cdf((signed / 2**31 + 1) / 2) / np.sqrt(2)
                assert float(found[row, column, part]) == pytest.approx(wanted, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("key", [0, 1, 2**62 + 12345])
def test_it_has_the_moments_of_normal_numbers(key):
    found = noise(key)
    spread = 4 / np.sqrt(found.size)  # 4 standard deviations of a mean of numbers of variance 1
    assert abs(found.mean()) < spread
    assert abs((found**2).mean() - 1) < spread * np.sqrt(2)
    assert abs((found**3).mean()) < spread * np.sqrt(15)
    assert abs((found**4).mean() - 3) < spread * np.sqrt(96)
    ordered = np.sort(found.ravel())
    steps = torch.special.ndtr(torch.from_numpy(ordered)).numpy() - np.arange(found.size) / found.size
    assert abs(steps).max() * np.sqrt(found.size) < 1.63  # Kolmogorov and Smirnov, 1 in 100


@pytest.mark.parametrize("transform", [lambda x: x, np.square, np.sign], ids=["itself", "square", "sign"])
@pytest.mark.parametrize("key", [0, 5])
def test_parts_places_masks_and_keys_are_independent(key, transform):
    found, next_key = transform(noise(key)), transform(noise(key + 1))
    pairs = {
        "real and imaginary": (found[..., 0], found[..., 1]),
        "neighbours": (found[:, 1:], found[:, :-1]),
        "masks": (found[1:], found[:-1]),
        "keys": (found, next_key),
        "masks and places": (found[:, :64], found[:, :64].transpose(1, 0, 2)),
        "keys, a mask on": (found[1:], next_key[:-1]),
    }
    pairs["masks and places"] = tuple(half[np.triu_indices(64, 1)] for half in pairs["masks and places"])
    scores = {name: correlation(*pair) for name, pair in pairs.items()}
    assert all(abs(score) < 4 for score in scores.values()), scores


def test_no_two_of_many_masks_are_correlated():
    signs = np.sign(noise(3, 256, 2048)).reshape(256, -1)
    scores = signs @ signs.T / np.sqrt(signs.shape[1])
    off = scores[np.triu_indices(256, 1)]
    assert abs(off).max() < 5.5  # of 32,640 pairs
    assert off.std() == pytest.approx(1, abs=0.02)


def test_every_bit_of_a_number_is_fair():
    rows, columns = torch.from_numpy(splitmix(1, 64)), torch.from_numpy(splitmix(2**63, 1024))
    halves = (torch.special.ndtr(normals(rows, columns).double() * np.sqrt(2)) * 2**16).long().clamp(0, 2**16 - 1)
    ones = torch.stack([halves >> bit & 1 for bit in range(16)]).double().flatten(1).mean(1)
    assert ((ones - 0.5).abs() < 4.5 * 0.5 / np.sqrt(halves.numel())).all()


def test_a_mask_beyond_any_index_has_noise_as_good():
    rows = torch.from_numpy(splitmix(1, 2**17)[-8:])
    columns = torch.from_numpy(splitmix(2**63, 2**15))  # 2^33 numbers in all
    found = normals(rows, columns)
    assert float(found.mean()) == pytest.approx(0, abs=0.01)
    assert float(found.var()) == pytest.approx(0.5, abs=0.01)
    assert len(torch.unique(found)) > 0.98 * found.numel()


def test_the_ends_of_the_range_are_finite():
    """The hash can be undone, so there is a number for each result."""
    halves = [-(2**31), 2**31 - 1, 0]
    numbers = []
    for half in halves:
        bits = (half % 2**32) * (1 + 2**32)  # both halves
        for factor in (0x94D049BB133111EB, 0xBF58476D1CE4E5B9):
            bits = bits * pow(factor, -1, 2**64) % 2**64
            bits ^= bits >> 32
        numbers.append(bits - 2**64 if bits >= 2**63 else bits)
    found = normals(torch.tensor(numbers), torch.tensor([0]))[:, 0].double() * 2**0.5
    assert np.allclose(found, [[-5.42] * 2, [5.42] * 2, [0, 0]], atol=0.01)
