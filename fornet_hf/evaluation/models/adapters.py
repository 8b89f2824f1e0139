"""Adapters that were trained on top of a classifier's weights, by `fornet_hf.adapters` or by peft alone."""

from __future__ import annotations

import dataclasses
import warnings
from pathlib import Path

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.evaluation.models.checkpoints import carry, other_classes, restored
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.models.source import Source
from fornet_hf.packages import needing
from fornet_hf.tensors import Weights

SETTINGS = "adapter_config.json"
"""The file by which the folder of an adapter of peft is known."""

_PREFIX = "base_model.model."  # of the network's names in an adapter's


def adapted(source: Source, folder: Path) -> Classifier:
    """Return a pretrained classifier with an adapter merged into its weights.

    A last layer of another number of classes is taken from the adapter.

    Raises:
        ConfigurationError: the adapter does not fit the network.
        MissingDependencyError: peft is not installed.
    """
    with needing(f"the adapter {folder}", "peft"):
        from peft import PeftModel, get_peft_model_state_dict
        from peft.utils import load_peft_weights

    base = source.pretrained()
    weights = load_peft_weights(str(folder), device="cpu")
    layers = {name.removeprefix(_PREFIX): tensor for name, tensor in weights.items()}
    base = _with_classes(source, base, layers, folder)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of keys that are missing, of which the error below has more to say
            adapter = PeftModel.from_pretrained(base.network, str(folder))
    except (ValueError, RuntimeError) as error:
        raise ConfigurationError(explain(f"{folder} does not fit the network", found=error)) from error
    loaded = get_peft_model_state_dict(adapter)
    strange = [
        name
        for name in sorted({*loaded, *weights})
        if name not in loaded or name not in weights or not loaded[name].equal(weights[name].to(loaded[name].dtype))
    ]
    if strange:
        found = f"{len(strange)} keys: {', '.join(strange[:4])}"
        raise ConfigurationError(explain(f"{folder} does not fit the network", found=found))
    return dataclasses.replace(base, revision="", network=adapter.merge_and_unload())


def tuned(source: Source, folder: Path) -> Classifier:
    """Return a classifier with an adapter of `fornet_hf.adapters`, merged into its weights if that is possible.

    The base is the checkpoint that the adapter names, or has the library's weights.

    Raises:
        NotFoundError: a file of the adapter is missing, or its base.
        ConfigurationError: the adapter is damaged, or of another network.
        MissingDependencyError: peft is not installed.
    """
    with needing(f"the adapter {folder}", "torch safetensors"):
        from fornet_hf.adapters import merge, mergeable, restore
        from fornet_hf.adapters.files import read

    adapter = read(folder)
    base = restored(source, adapter.base) if adapter.base else source.pretrained()
    base = _with_classes(source, base, adapter.weights, folder)
    network = restore(base.network, folder)
    return dataclasses.replace(base, revision="", network=merge(network) if mergeable(network) else network)


def _with_classes(source: Source, base: Classifier, layers: Weights, folder: Path) -> Classifier:
    """Return a classifier with as many classes as an adapter's last layer, which it must have if they are others."""
    classes = other_classes(base.network.state_dict(), layers)
    if classes is None:
        return base
    network = source.untrained(classes).network
    head = carry(base.network, network, str(folder))
    if lacking := sorted(head - layers.keys()):
        found = f"no {', '.join(lacking)}"
        then = "Train it with the last layer among modules_to_save."
        raise ConfigurationError(explain(f"{folder} has no whole last layer", found=found, then=then))
    return dataclasses.replace(base, network=network, names=())
