"""LoRA: layers of the library peft in the place of a network's own."""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import nn

from fornet_hf.adapters.settings import AdapterConfig
from fornet_hf.packages import needing

if TYPE_CHECKING:
    import torch
    from peft import PeftConfig


def insert(network: nn.Module, names: Sequence[str], config: AdapterConfig) -> None:
    """Put adapters around the layers of these names; the network answers as before.

    Raises:
        MissingDependencyError: peft is not installed.
    """
    with needing("LoRA", "peft"):
        from peft import inject_adapter_in_model
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "LoRA adapter added to ConvNd layer with groups")  # merging refuses it
        inject_adapter_in_model(_settings(names, config), network)
    vars(network).pop("peft_config", None)
    for name in names:
        _complete(network.get_submodule(name))


def remove(network: nn.Module) -> None:
    """Merge all adapters into the layers that they are around, which take their places again."""
    for name, layer in _inserted(network):
        layer.merge(safe_merge=True)
        parent, _, own = name.rpartition(".")
        setattr(network.get_submodule(parent), own, layer.get_base_layer())


def grouped(network: nn.Module) -> list[str]:
    """Return the names of convolutions of several groups with an adapter, which cannot be merged."""
    return [name for name, layer in _inserted(network) if getattr(layer.get_base_layer(), "groups", 1) > 1]


def _inserted(network: nn.Module) -> list[tuple[str, Any]]:
    """Return names and layers of all adapters; peft is loaded only where it was used before."""
    return [(name, layer) for name, layer in network.named_modules() if hasattr(layer, "get_base_layer")]


def _settings(names: Sequence[str], config: AdapterConfig) -> PeftConfig:
    from peft import LoraConfig

    targets = "|".join(map(re.escape, names))  # a regular expression for whole names: of a list, ends would do
    alpha: Any = config.alpha  # an int, says peft, and divides it by the rank
    return LoraConfig(r=config.rank, lora_alpha=alpha, lora_dropout=config.dropout, target_modules=targets)


def _complete(layer: Any) -> None:
    """Give an adapter what peft leaves out."""
    base = layer.get_base_layer()
    layer.train(base.training)
    if isinstance(base, nn.Linear):
        kind: Any = type(layer)
        layer.__class__ = _visible(kind)
    elif base.dilation != (1, 1) or base.padding_mode != "zeros":
        ((adapter, first),) = layer.lora_A.items()
        names = ("kernel_size", "stride", "padding", "dilation", "padding_mode")
        same: dict[str, Any] = {name: getattr(base, name) for name in names}
        whole = nn.Conv2d(first.in_channels, first.out_channels, bias=False, **same)
        whole.weight = first.weight
        layer.lora_A[adapter] = whole


@functools.cache
def _visible(kind: Any) -> Any:
    """Return a class of peft's linear layers whose `weight` has the adapter in it.

    Some attentions read the weight and never call the layer: those of torch, of torchvision's Swin, of timm's BEiT.
    """

    def weight(layer: Any) -> torch.Tensor:
        (adapter,) = layer.active_adapters
        both: torch.Tensor = layer.get_base_layer().weight + layer.get_delta_weight(adapter)
        return both

    return type(kind.__name__, (kind,), {"weight": property(weight)})
