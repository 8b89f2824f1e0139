"""Weights in files: read without running any code, and loaded only if every tensor fits."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.models.of_hub import Hub
from fornet_hf.evaluation.models.source import Source
from fornet_hf.tensors import Weights, check_fit, read_tensors

SETS = ("state_dict", "model", "model_ema", "state_dict_ema")
"""Names under which training scripts keep weights, beside the optimizer's state and more."""

_WRAPPERS = ("module.", "_orig_mod.", "model.")  # of DistributedDataParallel, torch.compile, and Lightning
_AVERAGED = "n_averaged"  # a counter of torch's AveragedModel
_SETTINGS = "config.json"
_FILES = ("model.safetensors", "pytorch_model.bin")  # in a folder that save_pretrained wrote


def restored(source: Source, place: Path) -> Classifier:
    """Return a classifier with the weights of a checkpoint; it has as many classes as the checkpoint's last layer.

    Args:
        source: of the network and its preprocessing.
        place: .safetensors, or anything that torch.save wrote; after `#` one of the `SETS`, if there are several. Or
            a folder that save_pretrained wrote.

    Raises:
        NotFoundError: there is no such file.
        ConfigurationError: it is no checkpoint, holds more than data, or does not fit the network.
    """
    if isinstance(source, Hub) and (place / _SETTINGS).is_file():
        return source.tuned(place)  # files of transformers may have other names than its networks
    weights = read_weights(place)
    made = source.untrained()
    weights = unwrapped(weights, made.network.state_dict())
    classes = other_classes(made.network.state_dict(), weights)
    if classes is not None:
        made = source.untrained(classes)
    check_fit(weights, made.network.state_dict(), place, "Name the model that the checkpoint was made with.")
    made.network.load_state_dict(weights)
    return made


def read_weights(place: Path) -> Weights:
    """Return the tensors of a checkpoint; see `restored`."""
    file, part = (place, "") if place.exists() else _parted(place)
    if file.is_dir():
        file = next((file / name for name in _FILES if (file / name).is_file()), file / _FILES[0])
    if not file.is_file():
        raise NotFoundError(f"no checkpoint {file}")
    if file.suffix == ".safetensors":
        return read_tensors(file)
    return _chosen(_unpickled(file), file, part)


def _parted(place: Path) -> tuple[Path, str]:
    name, _, part = place.name.rpartition("#")
    return (place.with_name(name), part) if name else (place, "")


def _unpickled(file: Path) -> Any:
    import torch

    try:
        # timm and torchvision keep their arguments so
        with warnings.catch_warnings(), torch.serialization.safe_globals([argparse.Namespace]):
            warnings.simplefilter("ignore")  # what is no checkpoint is an error
            return torch.load(file, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # damage has many names
        reason = str(error).strip().partition("\n")[0]
        then = "Save the weights alone: torch.save(model.state_dict(), FILE), or as .safetensors"
        message = explain(f"{file} is no checkpoint of weights", found=reason, then=then)
        raise ConfigurationError(message) from error


def _chosen(value: Any, file: Path, part: str) -> Weights:
    """Return one of the sets of weights that a file holds."""
    import torch

    def is_weights(one: Any) -> bool:
        return isinstance(one, Mapping) and bool(one) and all(isinstance(v, torch.Tensor) for v in one.values())

    sets = {"": value} if is_weights(value) else {}
    if isinstance(value, Mapping) and not sets:
        sets = {name: value[name] for name in SETS if is_weights(value.get(name))}
    if part:
        sets = {name: weights for name, weights in sets.items() if name == part}
    if len(sets) != 1:
        found = ", ".join(sets) if sets else list(value) if isinstance(value, Mapping) else type(value).__name__
        allowed = f"a state_dict, or one under {', '.join(SETS)}"
        then = f"Choose one: {file}#{next(iter(sets))}" if sets else None
        what = "holds several sets of weights" if sets else "holds no weights"
        raise ConfigurationError(explain(f"{file} {what}", found=found, allowed=allowed, then=then))
    (weights,) = sets.values()
    return dict(weights)


def unwrapped(weights: Weights, own: Weights) -> Weights:
    """Take the prefixes of wrappers off the names: those that all names have, and none of the network's."""
    while True:
        if _AVERAGED in weights and _AVERAGED not in own:
            weights = {name: tensor for name, tensor in weights.items() if name != _AVERAGED}
        prefix = next((one for one in _WRAPPERS if all(name.startswith(one) for name in weights)), None)
        if prefix is None or not weights or all(name.startswith(prefix) for name in own):
            return weights
        weights = {name.removeprefix(prefix): tensor for name, tensor in weights.items()}


def other_classes(own: Weights, weights: Weights) -> int | None:
    """Return how many classes the weights are for, if the network has another number of them.

    The last layer is known by this: its tensors, and no others, differ from the network's, and in nothing but their
    first side. Where this is not so the weights do not fit, which `restored` says.
    """
    shared = [(tensor.shape, weights[name].shape) for name, tensor in own.items() if name in weights]
    pairs = [(mine, other) for mine, other in shared if mine != other]
    sides = {(mine[0], other[0]) for mine, other in pairs if mine and other and mine[1:] == other[1:]}
    if len(sides) != 1 or any(not mine or mine[1:] != other[1:] for mine, other in pairs):
        return None
    ((_, classes),) = sides
    return int(classes)


def carry(pretrained: Any, network: Any, place: str) -> set[str]:
    """Give a network the weights of a pretrained one; return the names of its last layer, if it has other classes.

    Raises:
        ConfigurationError: they differ in more than that.
    """
    own, trained = network.state_dict(), pretrained.state_dict()
    head = {name for name in own if name in trained and own[name].shape != trained[name].shape}
    if own.keys() != trained.keys() or (head and other_classes(own, trained) is None):
        found = ", ".join(sorted(head | (own.keys() ^ trained.keys()))[:4])
        raise ConfigurationError(explain(f"{place}: more than the last layer depends on the classes", found=found))
    network.load_state_dict({name: tensor for name, tensor in trained.items() if name not in head}, strict=False)
    return head
