"""Adapters that peft trained on top of a classifier's own weights."""

from __future__ import annotations

import dataclasses
import warnings
from pathlib import Path
from typing import Any

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.evaluation.models.checkpoints import other_classes
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.models.source import Source
from fornet_hf.packages import needing

SETTINGS = "adapter_config.json"
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
    network = base.network
    if (classes := other_classes(network.state_dict(), layers)) is not None:
        network = _with_classes(source.untrained(classes).network, network, set(layers), folder)
        base = dataclasses.replace(base, names=())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of keys that are missing, of which the error below has more to say
            adapter = PeftModel.from_pretrained(network, str(folder))
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


def _with_classes(network: Any, pretrained: Any, layers: set[str], folder: Path) -> Any:
    """Return a network with pretrained weights, but for its last layer, which the adapter must have."""
    own, trained = network.state_dict(), pretrained.state_dict()
    head = {name for name in own if own[name].shape != trained[name].shape}
    if lacking := sorted(head - layers):
        found = f"no {', '.join(lacking)}"
        then = "Train it with the last layer among modules_to_save."
        raise ConfigurationError(explain(f"{folder} has no whole last layer", found=found, then=then))
    network.load_state_dict({name: tensor for name, tensor in trained.items() if name not in head}, strict=False)
    return network
