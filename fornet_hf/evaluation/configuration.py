"""Settings of an evaluation, validated here, once, for every way in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class EvaluationConfig:
    """Settings of an evaluation.

    Attributes:
        seed: of all draws and resamples, 0 or more.
        draws: backgrounds that each foreground is shown on, 1 or more.
        resamples: of the bootstrap, 2 or more.
        cells: "seen": the cells and sizes are those of the part that the classifier sees; "canvas": those of the
            whole image, as in the public order.
        sizes: factors on the object's area; 1 is always among them.
        batch_size: images; halved when memory runs out.
        workers: processes that make images; None: MAX_WORKERS, or the CPUs.
        precision: "float32" or "bfloat16".
        device: of torch; None: a GPU if there is one.
    """

    seed: int = 0
    draws: int = 1
    resamples: int = 1000
    cells: str = "seen"
    sizes: tuple[float, ...] = (0.25, 0.5, 1.0, 1.5, 2.0)
    batch_size: int = 256
    workers: int | None = None
    precision: str = "float32"
    device: str | None = None
