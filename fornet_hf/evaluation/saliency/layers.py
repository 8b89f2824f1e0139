"""The layer whose output class activation maps are made of.

Without a name it is found by showing the network one image and looking at what all layers give:

- Of networks that end in feature maps (convolutional networks, ConvNeXt, Swin) it is the last one before pooling.
- Of Vision Transformers, and others whose tokens stay on the grid of the patches, it is the first norm of the last
  block: where a class token gives the answer, tokens of patches do not reach it from any later layer.

The grid of tokens is that of the last convolution that fits them. What they have beyond it are class tokens and
registers, which come first. Tokens that were merged since (transformers' Swin) fill a grid of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.evaluation.saliency.readings import Grid, Reading, reading

if TYPE_CHECKING:
    import torch

    from fornet_hf.evaluation.models.classifier import Classifier

    Hook = Callable[[str, torch.Tensor], torch.Tensor | None]

FIRST_NORMS = ("norm1", "ln_1", "layernorm_before")  # as timm, torchvision and transformers call it
NAME_IT = "Name a layer whose output holds feature maps, as named_modules() of the network calls it."


@dataclass(frozen=True)
class TargetLayer:
    """A layer, and how its output is read."""

    name: str
    module: torch.nn.Module
    reading: Reading


def target_layer(classifier: Classifier, image: torch.Tensor, name: str | None = None) -> TargetLayer:
    """Return the layer that class activation maps are made of.

    Args:
        classifier: in evaluation mode.
        image: float32, 1 x 3 x height x width, 0 to 1; any.
        name: of the layer, as `named_modules` calls it; None: it is found.

    Raises:
        ConfigurationError: the classifier has no such layer, its output holds no feature maps, or none is found.
    """
    import torch

    network = classifier.network
    readings = _readings(classifier, image) if isinstance(network, torch.nn.Module) else {}
    if name is None:
        name = _last(readings)
    if name not in readings:
        known = isinstance(network, torch.nn.Module) and name in dict(network.named_modules())
        found = None if name is None else f"{name}, which holds none" if known else f"{name}, which it does not have"
        raise ConfigurationError(
            explain(f"no feature maps for class activation maps in {classifier.name}", found=found, then=NAME_IT)
        )
    return TargetLayer(name, network.get_submodule(name), readings[name])


@contextmanager
def hooked(modules: Mapping[str, torch.nn.Module], hook: Hook) -> Iterator[None]:
    """Call a hook with the name and the output of each of these modules that runs; it may return another output.

    Of an output of several parts the hook gets the first one, if that is a tensor.
    """
    import torch

    def call(name: str, output: Any) -> Any:
        several = isinstance(output, tuple) and output
        first = output[0] if several else output
        if not isinstance(first, torch.Tensor):
            return None
        replaced = hook(name, first)
        return replaced if replaced is None or not several else (replaced, *output[1:])

    handles: list[Any] = []
    try:
        for name, module in modules.items():
            handles.append(module.register_forward_hook(lambda _module, _inputs, out, name=name: call(name, out)))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _readings(classifier: Classifier, image: torch.Tensor) -> dict[str, Reading]:
    """Return, in running order, how the output of each layer that holds feature maps is read; no pooling."""
    import torch

    modules = dict(classifier.network.named_modules())
    stated = (getattr(module, "num_prefix_tokens", None) for module in modules.values())
    prefix = next((one for one in stated if isinstance(one, int)), None)
    side = classifier.preprocessing.size
    found: dict[str, Reading | None] = {}
    grids: list[Grid] = []

    def look(name: str, output: torch.Tensor) -> None:
        found.pop(name, None)  # a layer that runs again comes where it ran last
        shape = tuple(output.shape)
        if shape[:1] == (1,):  # more: windows or heads instead of images
            if isinstance(modules[name], torch.nn.Conv2d):
                grids.append((shape[2], shape[3]))
            if "Pool" not in type(modules[name]).__name__:
                found[name] = reading(shape, (side, side), grids, prefix)

    with torch.no_grad(), hooked(modules, look):
        classifier.logits(image)
    return {name: one for name, one in found.items() if one}


def _last(readings: dict[str, Reading]) -> str | None:
    name = next(reversed(readings), None)
    if name is None or not (readings[name].patches or readings[name].prefix):
        return name
    norms = [name for name in readings if readings[name].tokens and name.rpartition(".")[2] in FIRST_NORMS]
    if norms:
        return norms[-1]
    return None if readings[name].prefix else name  # of an unknown architecture, the last tokens may lead nowhere
