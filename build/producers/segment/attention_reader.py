"""Maps of cross-attention, read while a U-Net of diffusers runs: which places look at which words.

The network computes by SDPA, which keeps no weights, whether maps are read or not. Only the layers whose maps count
compute the products of queries and keys a second time. Of each map, the sum over the tokens that were asked for
is kept, and behind the last of these layers the network is left.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from fornet_hf.errors import ConfigurationError, explain

_SUFFIX = ".processor"


@dataclass(frozen=True)
class Shown:
    """The sentences that a batch of latents is shown with.

    Attributes:
        tokens: of the distinct sentences, s x 77 x channels.
        rows: the sentence of each latent, int64, n.
        weights: of the tokens in the map of each latent, float32, n x 77.
    """

    tokens: torch.Tensor
    rows: torch.Tensor
    weights: torch.Tensor


def layers_of(unet: Any) -> dict[str, int]:
    """Return the layers of cross-attention in the order in which they run, each with the latent values that a side of
    one cell of its map spans: 1, 2, 4 or 8.

    Raises:
        ConfigurationError: the network has none of the kind that Stable Diffusion has.
    """
    names = [name.removesuffix(_SUFFIX) for name in unet.attn_processors if name.endswith(f".attn2{_SUFFIX}")]
    if not names:
        found = type(unet).__name__
        raise ConfigurationError(
            explain("the network has no layers of cross-attention that can be read", found=found)
        )
    bottom = len(unet.down_blocks) - 1

    def depth(name: str) -> int:
        half, block = name.split(".")[:2]
        if half == "mid_block":
            return bottom
        return int(block) if half == "down_blocks" else bottom - int(block)

    # by name, with its numbers as numbers: the dictionary has the upward half before the middle
    ordered = sorted(names, key=lambda name: [int(part) if part.isdigit() else part for part in name.split(".")])
    return {name: 2 ** depth(name) for name in ordered}


def chosen(layers: Mapping[str, int], wanted: Sequence[str], side: int) -> list[str]:
    """Return the names of the layers that are wanted, in the order in which they run.

    Args:
        layers: of `layers_of`.
        wanted: sides of maps, or names of layers, or beginnings of them up to a dot; none: all layers.
        side: of the latent image.

    Raises:
        ConfigurationError: there is no such layer.
    """

    def meant(word: str) -> list[str]:
        found = [
            name
            for name, factor in layers.items()
            if f"{name}.".startswith(f"{word}.") or word == f"{side // factor}"
        ]
        if not found:
            sides = ", ".join(f"{side // factor}" for factor in sorted(set(layers.values())))
            allowed = f"{sides}, or the beginning of a name such as {next(iter(layers))}"
            raise ConfigurationError(explain("the network has no such layers", found=repr(word), allowed=allowed))
        return found

    names = {name for word in wanted for name in meant(word)}
    return [name for name in layers if name in names or not wanted]


def probabilities(query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
    """Return how much each place looks at each token: float32, n x heads x places x tokens; tokens sum to 1.

    Args:
        query: n x heads x places x channels.
        key: n x heads x tokens x channels.
    """
    similar = (query.float() * query.shape[-1] ** -0.5) @ key.float().transpose(-1, -2)
    result: torch.Tensor = similar.softmax(-1)
    return result


class AttentionReader:
    """Reads maps out of a U-Net, whose layers of cross-attention belong to it from then on."""

    def __init__(self, unet: Any, layers: Sequence[str] | None = None) -> None:
        """Give the network's layers of cross-attention processors that can read.

        Args:
            unet: of diffusers.
            layers: names of those whose maps count; None: all.
        """
        factors = layers_of(unet)
        names = list(factors) if layers is None else list(layers)
        self._unet = unet
        self._reading = _Reading(count=len(names))
        mine = {
            f"{name}{_SUFFIX}": ReadingProcessor(
                self._reading, factor=factors[name] if name in names else None, last=name == names[-1]
            )
            for name in factors
        }
        unet.set_attn_processor({**unet.attn_processors, **mine})

    def read(self, latents: torch.Tensor, timesteps: torch.Tensor, shown: Shown) -> torch.Tensor:
        """Return the maps of a batch: float32, n x h x w, means over heads and layers, summed over the tokens.

        Args:
            latents: noised, n x channels x h x w.
            timesteps: of their noise, int64, n.
            shown: the sentences, with the tokens whose maps are wanted.
        """
        self._reading.begin(shown, latents.shape[-2:])
        with contextlib.suppress(_Read):
            self._unet(latents.to(self._unet.dtype), timesteps, shown.tokens.to(self._unet.dtype))
        return self._reading.mean()


class _Read(Exception):  # noqa: N818
    """The last map is read; nobody needs what the network would compute from here on."""


class _Reading:
    """State that the processors of all layers share while a batch goes through the network."""

    def __init__(self, count: int) -> None:
        self._count = count

    def begin(self, shown: Shown, size: Sequence[int]) -> None:
        """Start a batch with latents of this height and width."""
        self.shown = shown
        self._size = size
        self._sums: dict[int, torch.Tensor] = {}

    def add(self, factor: int, query: torch.Tensor, key: torch.Tensor) -> None:
        """Add the map of a layer to those of its size; a map on the finest grid is made of the sums, once."""
        heads = probabilities(query, key) @ self.shown.weights[:, None, :, None]
        found = heads.mean(1).view(-1, *(side // factor for side in self._size))
        self._sums[factor] = self._sums[factor] + found if factor in self._sums else found

    def mean(self) -> torch.Tensor:
        """Return the mean over layers; a layer's value is repeated for all the latent values that it stands for."""
        parts = [one.repeat_interleave(factor, 1).repeat_interleave(factor, 2) for factor, one in self._sums.items()]
        return torch.stack(parts).sum(0) / self._count


class ReadingProcessor:
    """Cross-attention for one layer of a diffusers U-Net; a drop-in for its `AttnProcessor2_0`.

    Each distinct sentence gives its keys and values once, however many latents are shown with it.
    """

    def __init__(self, reading: _Reading, *, factor: int | None, last: bool) -> None:
        """Bind a layer to the state.

        Args:
            reading: shared by all layers.
            factor: see `layers_of`; None: its map is not wanted.
            last: whether no later layer's is.
        """
        self._reading = reading
        self._factor = factor
        self._last = last

    def __call__(
        self, attn: Any, hidden_states: torch.Tensor, encoder_hidden_states: torch.Tensor, **_: Any
    ) -> torch.Tensor:
        """Attend, from n x places x channels to sentences x tokens x channels."""
        rows = self._reading.shown.rows
        query = self._heads(attn, attn.to_q(hidden_states))
        key = self._heads(attn, attn.to_k(encoder_hidden_states))[rows]
        if self._factor is not None:
            self._reading.add(self._factor, query, key)
        if self._last:
            raise _Read
        value = self._heads(attn, attn.to_v(encoder_hidden_states))[rows]
        output = functional.scaled_dot_product_attention(query, key, value)
        merged: torch.Tensor = attn.to_out[0](output.transpose(1, 2).flatten(2))
        result: torch.Tensor = attn.to_out[1](merged)
        return result

    def _heads(self, attn: Any, projected: torch.Tensor) -> torch.Tensor:
        """Return n x heads x places x channels of n x places x (heads x channels)."""
        result: torch.Tensor = projected.view(*projected.shape[:2], attn.heads, -1).transpose(1, 2)
        return result
