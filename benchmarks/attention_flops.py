"""The work of a map of Stable Diffusion 1 at 512 pixels, counted without doing it: two operations for a product."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.diffusion_like import WORDS, unet, vae
from producers.segment.attention_reader import AttentionReader, Shown, chosen, layers_of

SIDE, GRID, TOKENS = 512, 64, 77
COARSE = ("8", "16", "32")


def counted(steps: int = 40) -> dict[str, Any]:
    """Count the GFLOPs of one image with one object, on tensors that have no values."""
    with torch.device("meta"), torch.no_grad():
        network = unet()
        plain = _gflops(lambda: network(*_latents(1), torch.empty(1, TOKENS, WORDS)))
        image = _gflops(lambda: vae().encode(torch.empty(1, 3, SIDE, SIDE)))
        reading = _gflops(lambda: _read(network, None, steps))
        coarse = _gflops(lambda: _read(network, chosen(layers_of(network), COARSE, GRID), steps))
        maps = steps * sum(_map(network, name, factor) for name, factor in layers_of(network).items())
    return {
        "steps": steps,
        "encoding_gflops": round(image, 1),
        "one_by_one_gflops": round(image + steps * plain, 1),
        "gflops": round(image + reading, 1),
        "pass_gflops": round(plain, 1),
        "recomputed_gflops": round(maps, 1),
        "recomputed_share": round(maps / reading, 5),
        "left_out_share": round((steps * plain - (reading - maps)) / (steps * plain), 5),
        "coarse_layers": ",".join(COARSE),
        "coarse_left_out_share": round((steps * plain - coarse) / (steps * plain), 5),
    }


def _latents(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.empty(count, 4, GRID, GRID), torch.empty(count, dtype=torch.int64)


def _read(network: Any, layers: list[str] | None, steps: int) -> None:
    shown = Shown(torch.empty(1, TOKENS, WORDS), torch.empty(steps, dtype=torch.int64), torch.empty(steps, TOKENS))
    AttentionReader(network, layers).read(*_latents(steps), shown)


def _map(network: Any, name: str, factor: int) -> float:
    """The products of a layer's queries and keys, and of its weights and the object's tokens, in GFLOPs."""
    attn, places = network.get_submodule(name), (GRID // factor) ** 2
    return 2 * places * TOKENS * (attn.inner_dim + attn.heads) / 1e9


def _gflops(run: Callable[[], Any]) -> float:
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops() / 1e9
