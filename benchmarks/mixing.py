"""Speed of FMix masks: `python -m benchmarks.mixing`. README.md says what is measured, and how."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmarks import harness
from benchmarks.harness import Case, measure, progress
from fornet_hf.mixing import masks, on_tensors

LAM = np.linspace(0.03, 0.97, 16)
ON_A_GPU = 256  # masks
SHAPES: dict[str, tuple[tuple[int, ...], float]] = {
    "32 x 32": ((32, 32), 0.0),
    "224 x 224": ((224, 224), 0.0),
    "224 x 224, soft edges (.1)": ((224, 224), 0.1),
    "16 x 112 x 112": ((16, 112, 112), 0.0),
}
"""Size and `max_soft` by name."""

Array = npt.NDArray[Any]


def plain(lam: float, size: tuple[int, ...], rng: np.random.Generator, max_soft: float) -> Array:
    """Return a mask from FMix's formulas, one after the other, in NumPy."""
    axes = [*map(np.fft.fftfreq, size[:-1]), np.fft.rfftfreq(size[-1])]
    frequencies = np.sqrt(sum(axis * axis for axis in np.meshgrid(*axes, indexing="ij")))
    noise = rng.standard_normal((2, *frequencies.shape))
    spectrum = (noise[0] + 1j * noise[1]) / np.maximum(frequencies, 1 / max(size)) ** 3
    grey = np.fft.irfftn(spectrum, size, axes=range(len(size)))
    grey = (grey - grey.min()) / (grey.max() - grey.min())
    order = np.argsort(grey.ravel())[::-1]
    ones = math.ceil(lam * grey.size) if rng.random() > 0.5 else math.floor(lam * grey.size)
    soft = int(grey.size * min(max_soft, lam, 1 - lam))
    mask = np.zeros(grey.size, np.float32)
    mask[order[: ones - soft]] = 1
    mask[order[ones - soft : ones + soft]] = np.linspace(1, 0, 2 * soft)
    return mask.reshape(size)


def on_one_core(size: tuple[int, ...], max_soft: float, repeats: int) -> dict[str, Any]:
    """Compare the formulas with the library: each mask by a call of its own, then all by one, then on tensors."""
    rng = np.random.default_rng(0)
    check, count = means(LAM, size), len(LAM)

    def drawn(lam: npt.ArrayLike) -> Array:
        return masks.fmix_masks(lam, size, rng, max_soft=max_soft)

    cases = [
        Case("formulas", lambda: [plain(float(lam), size, rng, max_soft) for lam in LAM], count, check),
        Case("NumPy, a mask a call", lambda: [drawn(lam)[0] for lam in LAM], count, check),
        Case("NumPy", lambda: drawn(LAM), count, check),
        Case("torch", lambda: on_tensors.fmix_masks(LAM, size, 1, device="cpu", max_soft=max_soft), count, check),
    ]
    times = measure(cases, repeats=repeats, warm_up=min(2, repeats - 1))
    unit = "on_core_median_ms"
    return {"milliseconds_per_mask": times, "share_of_formulas": compared(times, lambda a, b: a / b, unit)}


def on_device(device: str, size: tuple[int, ...], max_soft: float, count: int, repeats: int) -> dict[str, Any]:
    """Compare the formulas on one core with one call for many masks on a device."""
    rng, lam = np.random.default_rng(0), np.linspace(0.03, 0.97, count)

    def many() -> torch.Tensor:
        made = on_tensors.fmix_masks(lam, size, 1, device=device, max_soft=max_soft)
        if made.is_cuda:
            torch.cuda.synchronize()
        return made

    cases = [
        Case("formulas", lambda: [plain(float(one), size, rng, max_soft) for one in LAM], len(LAM), means(LAM, size)),
        Case(f"{count} masks", many, count, means(lam, size)),
    ]
    times = measure(cases, repeats=repeats, warm_up=min(2, repeats - 1))
    return {
        "milliseconds_per_mask": times,
        "times_as_fast": compared(times, lambda a, b: b / a, "median_ms"),
        "repeats_bit_for_bit": bool(torch.equal(many(), many())),
    }


def means(lam: Array, size: tuple[int, ...]) -> Callable[[Sequence[Any]], None]:
    """Return a check: a mask for each lambda, of values from 0 to 1 whose mean is lambda to within one pixel."""

    def check(made: Sequence[Any]) -> None:
        assert len(made) == len(lam)
        for mask, share in zip(made, lam, strict=True):
            values = torch.as_tensor(mask).double()
            assert tuple(values.shape) == size
            assert 0 <= values.min() <= values.max() <= 1
            assert abs(float(values.mean()) - share) < 1 / values.numel() + 1e-6

    return check


def compared(
    times: Mapping[str, Mapping[str, float]], how: Callable[[float, float], float], unit: str
) -> dict[str, float]:
    """Return the quotient of each side's time and that of the formulas."""
    first = times["formulas"][unit]
    return {name: round(how(time[unit], first), 3) for name, time in times.items() if name != "formulas"}


def main() -> None:
    """Run all parts and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few repeats; writes no results")
    quick = parser.parse_args().quick
    repeats, cores = (1 if quick else 15), os.sched_getaffinity(0)
    harness.pin_to_one_core()
    results: dict[str, Any] = {"one_core": {}}
    for name, (size, max_soft) in SHAPES.items():
        results["one_core"][name] = on_one_core(size, max_soft, repeats)
        progress(f"{name}: {results['one_core'][name]['share_of_formulas']}")
    if torch.cuda.is_available():
        os.sched_setaffinity(0, cores)  # what starts kernels is not what is measured
        results["gpu"] = torch.cuda.get_device_name()
        results["on_gpu"] = {
            name: on_device("cuda", size, max_soft, ON_A_GPU, repeats) for name, (size, max_soft) in SHAPES.items()
        }
    progress(str(results) if quick else str(harness.write("mixing", results)))


if __name__ == "__main__":
    main()
