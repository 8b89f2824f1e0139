"""FMix masks in torch, on the CPU and on a GPU: the same for the same key on both, up to rounding."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from fornet_hf.mixing import ranking
from fornet_hf.mixing.configuration import MaskConfig, checked_lambdas
from fornet_hf.mixing.hashing import complex_normals, splitmix
from fornet_hf.mixing.spectrum import amplitudes


def fmix_masks(
    lam: npt.ArrayLike,
    size: int | Sequence[int],
    key: int,
    *,
    device: torch.device | str,
    decay: float = 3.0,
    max_soft: float = 0.0,
    legacy_spectrum: bool = False,
) -> torch.Tensor:
    """Draw a mask for each lambda, as `fornet_hf.mixing.masks.fmix_masks` does, from a key.

    Args:
        lam: shares of 1, from 0 to 1, one for each mask.
        size: a mask's shape: 1, 2 or 3 numbers of pixels.
        key: an integer from 0 to 2^63 - 1. A mask follows from key, lambda and its place in `lam`, and not from the
            number of masks.
        device: where the masks are made.
        decay, max_soft, legacy_spectrum: as there.

    Returns:
        float32 of len(lam) x size, 0 to 1, on the device.

    Raises:
        ConfigurationError: a value that is not allowed.
    """
    config = MaskConfig(size=size, decay=decay, max_soft=max_soft, legacy_spectrum=legacy_spectrum)  # type: ignore[arg-type]
    shares, place = checked_lambdas(lam), torch.device(device)
    coins = np.random.Generator(np.random.Philox(key=key)).random(len(shares))
    numbers = ranking.counts(shares, config.pixels, config.max_soft, coins)
    with torch.no_grad(), torch.autocast(place.type, enabled=False):
        maps = grey_maps(config, len(shares), key, place).flatten(1)
        if place.type == "cpu":
            made = torch.empty_like(maps)
            for values, mask, ones, soft in zip(maps.numpy(), made.numpy(), numbers.ones, numbers.soft, strict=True):
                ranking.cut(values, int(ones), int(soft), out=mask)
        else:
            made = by_sorting(maps, numbers)
    return made.view(-1, *config.size)


def grey_maps(config: MaskConfig, count: int, key: int, device: torch.device) -> torch.Tensor:
    """Draw the maps that masks are cut from."""
    factors, columns = _constants(config, device)
    noise = complex_normals(torch.from_numpy(splitmix(key, count)).to(device), columns)
    spectra = torch.view_as_real(noise).view(count, *factors.shape[:-1], 2).mul_(factors)
    dimensions = tuple(range(-len(config.size), 0))
    maps: torch.Tensor = torch.fft.irfftn(torch.view_as_complex(spectra), config.size, dim=dimensions)
    return maps


@functools.lru_cache(maxsize=16)
def _constants(config: MaskConfig, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the amplitudes, and a random number for each frequency."""
    factors = torch.from_numpy(amplitudes(config).copy()).to(device)
    frequencies = int(np.prod(factors.shape[:-1]))
    return factors, torch.from_numpy(splitmix(0, frequencies)).to(device)


def by_sorting(maps: torch.Tensor, numbers: ranking.Counts) -> torch.Tensor:
    """Return a mask for each map (masks x pixels); a stable sort for all of them, the same ranks as `ranking`."""
    ones, soft = (torch.from_numpy(values).to(maps.device)[:, None] for values in (numbers.ones, numbers.soft))
    ordered, places = maps.sort(dim=1, descending=True, stable=True)
    pixels = torch.arange(maps.shape[1], device=maps.device)
    if numbers.soft.any():
        ramp = (ones + soft - (soft > 0).long() - pixels).to(torch.float32).div_((2 * soft - 1).clamp_(min=1))
        # Places are a permutation: no two writes meet
        return torch.empty_like(maps).scatter_(1, places, ramp.clamp_(0, 1))
    last = (ones - 1).clamp_(min=0)
    limit, end = ordered.gather(1, last), places.gather(1, last)
    inside = (maps > limit) | (maps == limit) & (pixels <= end)
    return (inside & (ones > 0)).to(torch.float32)
