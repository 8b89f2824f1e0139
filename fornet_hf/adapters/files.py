"""A tuned network in a folder: what differs from its base.

adapter.json          {"format": 1, "settings": of AdapterConfig, "base": FILE or null, "frozen": SHA-256}
adapter.safetensors   the adapter, the head, and statistics of batches that moved; named as in the state_dict
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from fornet_hf.adapters.settings import FILE, AdapterConfig
from fornet_hf.adapters.tuning import tune, tuned
from fornet_hf.arguments import require
from fornet_hf.errors import ConfigurationError, ForNetError, NotFoundError, explain
from fornet_hf.files import read_json, write_text
from fornet_hf.tensors import Weights, check_fit, digest, read_tensors, write_tensors

WEIGHTS = "adapter.safetensors"
_FORMAT = 1


class Adapter(NamedTuple):
    """An adapter in a folder.

    Attributes:
        settings: of the tuning.
        base: checkpoint that it was tuned on, if not on a library's own weights.
        frozen: digest of all that the base keeps; empty: nothing, as all was tuned.
        weights: what differs from the base.
    """

    settings: AdapterConfig
    base: Path | None
    frozen: str
    weights: Weights


def save(network: nn.Module, config: AdapterConfig, folder: str | Path, base: str | Path | None = None) -> None:
    """Write a tuned network into a folder, which is made if need be.

    Args:
        network: that `tune` returned, or a copy of it, such as one with averaged weights; without wrappers.
        config: that it was tuned with.
        folder: of its files.
        base: checkpoint that it was tuned on; None: the library's pretrained weights. It is noted as seen from the
            folder, so that both can be moved together.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    folder = Path(folder)
    state, names = network.state_dict(), tuned(network, config)
    document = {
        "format": _FORMAT,
        "settings": config.to_json(),
        "base": None if base is None else Path(os.path.relpath(base, folder)).as_posix(),
        "frozen": digest({name: tensor for name, tensor in state.items() if name not in names}),
    }
    write_tensors(folder / WEIGHTS, {name: state[name] for name in sorted(names)})
    write_text(folder / FILE, json.dumps(document, indent=1) + "\n")


def read(folder: str | Path) -> Adapter:
    """Return the adapter in a folder.

    Raises:
        NotFoundError: a file is missing.
        ConfigurationError: a file is damaged, or says something else than an adapter's.
    """
    folder = Path(folder)
    for file in (folder / FILE, folder / WEIGHTS):
        if not file.is_file():
            raise NotFoundError(explain("the folder holds no adapter", found=f"no file {file}"))
    with (folder / FILE).open("rb") as opened:
        try:
            settings, base, frozen = _parsed(read_json(opened, FILE))
        except ForNetError as error:
            raise ConfigurationError(f"{folder / FILE}: {error}") from error
    weights = read_tensors(folder / WEIGHTS)
    if damaged := [name for name, tensor in weights.items() if not tensor.isfinite().all()]:
        message = explain(f"{folder / WEIGHTS}: weights are not numbers", found=", ".join(damaged))
        raise ConfigurationError(message)
    return Adapter(settings, folder / base if base else None, frozen, weights)


def restore(network: nn.Module, folder: str | Path) -> nn.Module:
    """Tune a network as one that was saved, and return it. It is changed.

    Args:
        network: the base, with the weights that the saved one had before it was tuned, but for the head, and with as
            many classes as the saved one.
        folder: that `save` wrote.

    Raises:
        NotFoundError: a file is missing.
        ConfigurationError: a file is damaged, or the adapter is another network's.
        MissingDependencyError: peft is not installed.
    """
    folder = Path(folder)
    adapter = read(folder)
    network = tune(network, adapter.settings)
    own, names = network.state_dict(), tuned(network, adapter.settings)
    then = "Name the model that was tuned, with as many classes."
    check_fit(adapter.weights, {name: own[name] for name in sorted(names)}, folder / WEIGHTS, then)
    found = digest({name: tensor for name, tensor in own.items() if name not in names})
    if found != adapter.frozen:
        then = "Name the checkpoint or the pretrained weights that were tuned."
        raise ConfigurationError(explain(f"{folder} was tuned on other weights than these", found=found, then=then))
    network.load_state_dict(adapter.weights, strict=False)
    return network


def _parsed(value: Any) -> tuple[AdapterConfig, str, str]:
    """Return settings, base and digest from the value in adapter.json."""
    require(isinstance(value, dict), "the document", value, "an object")
    require(value.get("format") == _FORMAT, "format", value.get("format"), str(_FORMAT))
    base, frozen = value.get("base"), value.get("frozen")
    require(base is None or isinstance(base, str), "base", base, "the path of a file, or null")
    require(isinstance(frozen, str), "frozen", frozen, "a digest")
    return AdapterConfig.from_json(value.get("settings")), base or "", frozen
