"""Layers by name: the head of a network, and those that get an adapter."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from torch import nn

from fornet_hf.adapters.settings import LORA, OFT, AdapterConfig
from fornet_hf.errors import ConfigurationError, explain

_SHOWN = 8  # names in a message


def heads(network: nn.Module, config: AdapterConfig) -> list[str]:
    """Return the names of a network's last layers.

    They are those that the settings name, else those that timm knows of, else the last linear layer of
    `named_modules`, or where there is none the last convolution.

    Raises:
        ConfigurationError: the settings name one that is not there, or there is none.
    """
    modules = {name: module for name, module in network.named_modules() if name}
    if config.head:
        return _matching(modules, config.head, "head")
    known = (getattr(network, "pretrained_cfg", None) or {}).get("classifier") or ()
    named = [name for name in ((known,) if isinstance(known, str) else known) if name in modules]
    for kind in (nn.Linear, nn.Conv2d):
        named = named or [name for name, module in modules.items() if isinstance(module, kind)][-1:]
    if not named:
        then = "Name it: head in the adapter's settings."
        raise ConfigurationError(explain("the network has no last layer", found=type(network).__name__, then=then))
    return named


def adapted(network: nn.Module, config: AdapterConfig) -> list[str]:
    """Return the names of the layers that get an adapter.

    Raises:
        ConfigurationError: one that the settings name is not there, or cannot have the adapter; or there is none.
    """
    if config.kind not in (LORA, OFT):
        return []
    ends = heads(network, config)
    layers = {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, (nn.Linear, nn.Conv2d)) and not any(f"{name}.".startswith(f"{end}.") for end in ends)
    }
    names = _matching(layers, config.targets, "targets") if config.targets else list(layers)
    obstacles = {name: _shared(network, layers[name]) or obstacle(layers[name], config) for name in names}
    if not config.targets:  # groups have LoRA only where somebody asks for it, as it cannot be merged there
        names = [n for n in names if not obstacles[n] and not (config.kind == LORA and grouped(layers[n]))]
    elif faults := [f"{name}: {fault}" for name, fault in obstacles.items() if fault]:
        found = "; ".join(faults[:_SHOWN])
        then = "Leave it out of targets, or change rank or blocks."
        raise ConfigurationError(explain(f"a layer cannot have the adapter {config.kind}", found=found, then=then))
    if not names:
        then = "Take another kind, or change rank or blocks."
        raise ConfigurationError(
            explain(f"no layer can have the adapter {config.kind}", found=list(layers), then=then)
        )
    return names


def grouped(layer: nn.Module) -> bool:
    """Return whether a layer is a convolution of several groups."""
    return isinstance(layer, nn.Conv2d) and layer.groups > 1


def obstacle(layer: nn.Module, config: AdapterConfig) -> str:
    """Return why a layer cannot have an adapter; empty: it can."""
    if config.kind == LORA and type(layer).forward not in (nn.Linear.forward, nn.Conv2d.forward):
        return f"{type(layer).__name__} has a forward() of its own"
    if config.kind == LORA and isinstance(layer, nn.Conv2d) and config.rank % layer.groups:
        return f"its {layer.groups} groups do not divide rank {config.rank}"
    if not isinstance(layer.weight, nn.Parameter):
        return "its weight is computed"
    columns = layer.weight[0].numel()
    if config.kind == OFT and (columns % config.blocks or columns == config.blocks):
        return f"{config.blocks} blocks do not divide its {columns} columns into several each"
    return ""


def _shared(network: nn.Module, layer: nn.Module) -> str:
    """Return why a layer whose weight has other names too cannot have an adapter: the others would not have it."""
    places = sum(one is layer.weight for _, one in network.named_parameters(remove_duplicate=False))
    return "its weight is shared" if places > 1 else ""


def _matching(names: Iterable[str], patterns: Iterable[str], field: str) -> list[str]:
    """Return those of the names that match any of the patterns, of which none may match nothing."""
    names = list(names)
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            shown = ", ".join(names[-_SHOWN:])
            message = explain(f"{field}: no such layer", found=pattern, allowed=f"patterns of {shown}, ...")
            raise ConfigurationError(message)
    return [name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]
