"""Networks ready to be tuned, and merged afterwards."""

from __future__ import annotations

import copy

from torch import nn

from fornet_hf.adapters import by_peft, frozen, orthogonal
from fornet_hf.adapters.layers import adapted, heads
from fornet_hf.adapters.settings import FREEZE, FULL, LORA, OFT, AdapterConfig
from fornet_hf.errors import ConfigurationError, explain

_MARKS = {LORA: ".lora_", OFT: ".oft_"}  # in the names of adapters' parameters


def tune(network: nn.Module, config: AdapterConfig) -> nn.Module:
    """Prepare a network for tuning, and return it: it has adapters, and nothing else but its head can be trained.

    It answers as before. Its state_dict holds the adapters, and copies of it have them too. Modules are replaced, so
    the optimizer and DistributedDataParallel come after this. `SyncBatchNorm.convert_sync_batchnorm` comes before: it
    makes new layers, whose statistics would not stay frozen.

    Args:
        network: maps images to logits; of any library. It is changed.
        config: of the adapter.

    Raises:
        ConfigurationError: the settings do not fit the network, or it has adapters already.
        MissingDependencyError: peft is not installed, which LoRA needs.
    """
    if any(mark in name for name, _ in network.named_parameters() for mark in _MARKS.values()):
        then = "Merge it first, or take the network as it was before."
        raise ConfigurationError(explain("the network has an adapter already", then=then))
    layers = adapted(network, config)
    if config.kind == LORA:
        by_peft.insert(network, layers, config)
    for name in layers if config.kind == OFT else ():
        orthogonal.rotate(network.get_submodule(name), config.blocks, config.dropout)
    names = tuned(network, config)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name in names)
    if config.bn == FREEZE:
        frozen.freeze(network)
    return network


def tuned(network: nn.Module, config: AdapterConfig) -> set[str]:
    """Return the names in the state_dict of all that may differ from the base: what is trained, and statistics.

    Args:
        network: that `tune` returned, or a copy.
        config: of its adapter.
    """
    every = list(network.named_parameters(remove_duplicate=False))  # shared ones have several names in the state_dict
    chosen = every
    if config.kind != FULL:
        ends, mark = tuple(f"{name}." for name in heads(network, config)), _MARKS.get(config.kind)
        chosen = [(name, one) for name, one in every if name.startswith(ends) or (mark and mark in name)]
    trained = {id(parameter) for _, parameter in chosen}
    parameters = {name for name, parameter in every if id(parameter) in trained}
    if config.bn == FREEZE:
        return parameters
    moving = [(name, module) for name, module in frozen.with_statistics(network)]
    return parameters | {f"{name}.{buffer}" for name, module in moving for buffer, _ in module.named_buffers()}


def trainable(network: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """Return names and parameters of all that is trained."""
    return [(name, parameter) for name, parameter in network.named_parameters() if parameter.requires_grad]


def mergeable(network: nn.Module) -> bool:
    """Return whether `merge` can merge a network's adapters."""
    return not by_peft.grouped(network)


def merge(network: nn.Module) -> nn.Module:
    """Return a copy of a tuned network with the layers and names of its base, which answers as the network does.

    Raises:
        ConfigurationError: LoRA on convolutions of several groups, whose product is no weight of such a convolution.
    """
    if names := by_peft.grouped(network):
        then = "Use the network unmerged, or leave these layers out of targets."
        found = ", ".join(names)
        raise ConfigurationError(explain("LoRA on grouped convolutions cannot be merged", found=found, then=then))
    plain = copy.deepcopy(network)
    orthogonal.settle(plain)
    by_peft.remove(plain)
    frozen.thaw(plain)
    return plain
