"""FMix masks in torch, on the CPU and on a GPU: the same for the same key on both, up to rounding."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from fornet_hf.mixing import ranking
from fornet_hf.mixing.configuration import MaskConfig, checked_key, checked_lambdas
from fornet_hf.mixing.hashing import normals, splitmix
from fornet_hf.mixing.spectrum import amplitudes

_AT_ONCE, _AT_ONCE_ON_CPU = 2**26, 2**18  # pixels: within 3 GB of a GPU's memory, and within a core's cache


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

    Example:
        >>> from fornet_hf.mixing.on_tensors import fmix_masks
        >>> masks = fmix_masks([0.25, 0.5], (32, 32), key=7, device="cpu")
        >>> masks.shape, masks.mean(dim=(1, 2)).tolist()
        (torch.Size([2, 32, 32]), [0.25, 0.5])
    """
    config = MaskConfig(size=size, decay=decay, max_soft=max_soft, legacy_spectrum=legacy_spectrum)  # type: ignore[arg-type]
    shares, place = checked_lambdas(lam), torch.empty(0, device=device).device  # with its index
    coins = np.random.Generator(np.random.Philox(key=checked_key(key))).random(len(shares))
    numbers = ranking.counts(shares, config.pixels, config.max_soft, coins)
    rows = torch.from_numpy(splitmix(key, len(shares))).to(place, non_blocking=True)
    made = torch.empty((len(shares), config.pixels), dtype=torch.float32, device=place)
    on_cpu = place.type == "cpu"
    step = max(1, (_AT_ONCE_ON_CPU if on_cpu else _AT_ONCE) // config.pixels)
    with torch.no_grad(), torch.autocast(place.type, enabled=False):
        for part in (slice(first, first + step) for first in range(0, len(shares), step)):
            maps = grey_maps(config, rows[part]).flatten(1)
            (cut_by_partition if on_cpu else cut_by_sorting)(maps, numbers[part], out=made[part])
    return made.view(-1, *config.size)


def grey_maps(config: MaskConfig, rows: torch.Tensor) -> torch.Tensor:
    """Draw the maps that masks are cut from, each from a random number (int64)."""
    factors, columns = _constants(config, rows.device)
    spectra = torch.view_as_complex(normals(rows, columns).view(len(rows), *factors.shape).mul_(factors))
    maps: torch.Tensor = torch.fft.irfftn(spectra, config.size, dim=tuple(range(-len(config.size), 0)))
    return maps


@functools.lru_cache(maxsize=4)
def _constants(config: MaskConfig, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the amplitudes, and a random number for each frequency, on the device."""
    factors = amplitudes(config)
    columns = splitmix(2**63, math.prod(factors.shape[:-1]))  # no key starts there
    return torch.from_numpy(factors.copy()).to(device), torch.from_numpy(columns).to(device)


def cut_by_partition(maps: torch.Tensor, numbers: ranking.Counts, *, out: torch.Tensor) -> None:
    """Write the mask of each map (masks x pixels) by NumPy: torch's sort takes five times as long as all else."""
    for values, mask, ones, soft in zip(maps.numpy(), out.numpy(), numbers.ones, numbers.soft, strict=True):
        ranking.cut(values, int(ones), int(soft), out=mask)


def cut_by_sorting(maps: torch.Tensor, numbers: ranking.Counts, *, out: torch.Tensor) -> None:
    """Write the same by one sort of all maps, as a GPU does it best: as many operations for any number of them."""
    counts = torch.from_numpy(np.stack([numbers.ones, numbers.soft])).to(maps.device, non_blocking=True)
    ones, soft = counts[..., None]
    ordered, places = maps.sort(dim=1, descending=True, stable=True)
    pixels = torch.arange(maps.shape[1], device=maps.device)
    if numbers.soft.any():
        ramp = (ones + soft - (soft > 0).long() - pixels).to(torch.float32).div_((2 * soft - 1).clamp_(min=1))
        # Places are a permutation, so no two writes meet, and there are no atomics.
        out.scatter_(1, places, ramp.clamp_(0, 1))
    else:
        last = (ones - 1).clamp_(min=0)
        limit, end = ordered.gather(1, last), places.gather(1, last)
        inside = (maps > limit) | (maps == limit) & (pixels <= end)
        out.copy_(inside.logical_and_(ones > 0))
