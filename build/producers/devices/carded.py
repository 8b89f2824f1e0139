"""Networks in files of `safetensors`, whose metadata hold a card, so that one file says all it needs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from fornet_hf.arguments import require
from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.files import atomic_path

if TYPE_CHECKING:
    from torch import nn

Network = TypeVar("Network", bound="nn.Module")
Read = TypeVar("Read")


@dataclass(frozen=True, kw_only=True)
class CardedFiles:
    """Files of one kind of network.

    Attributes:
        key: under which the metadata hold the card.
        missing: message for a file that is not there.
        foreign: message for a file without such a card.
        origin: a sentence that says which command writes them.
    """

    key: str
    missing: str
    foreign: str
    origin: str

    def write(self, path: Path, network: nn.Module, card: Mapping[str, Any]) -> None:
        """Write a network with its card; beside it the same card as JSON, for people."""
        from safetensors.torch import save_file

        text = json.dumps(card, ensure_ascii=False)
        with atomic_path(path) as temporary:
            tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
            save_file(tensors, temporary, {self.key: text})
        with atomic_path(path.with_suffix(".json")) as temporary:
            temporary.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def card(self, path: Path, read: Callable[[str], Read]) -> Read:
        """Return what a function reads from the JSON text of a file's card; the weights are not read.

        Raises:
            NotFoundError: there is no such file.
            ConfigurationError: it is damaged, or has no such card; or what the function raises, with the path.
        """
        from safetensors import SafetensorError, safe_open

        if not path.is_file():
            raise NotFoundError(explain(self.missing, found=f"no file {path}", then=self.origin))
        try:
            with safe_open(path, "numpy") as file:
                metadata: dict[str, str] = file.metadata() or {}
        except (SafetensorError, OSError) as error:
            raise ConfigurationError(explain(f"{path}: not a whole safetensors file", found=error)) from error
        if self.key not in metadata:
            raise ConfigurationError(explain(f"{path}: {self.foreign}", found=sorted(metadata), then=self.origin))
        try:
            return read(metadata[self.key])
        except ConfigurationError as error:
            raise error.at(path) from error


def load_weights(path: Path, network: nn.Module) -> None:
    """Give a network the weights in a file.

    Raises:
        ConfigurationError: they are those of another network, or not all finite.
    """
    from safetensors.torch import load_file

    tensors: dict[str, Any] = load_file(path)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise ConfigurationError(explain(f"{path}: the weights do not fit the card", found=error)) from error
    if not all(one.isfinite().all() for one in network.state_dict().values()):
        raise ConfigurationError(explain(f"{path}: weights are not numbers", then="Train it anew."))


def seeded(seed: int, make: Callable[..., Network], *arguments: Any, **options: Any) -> Network:
    """Return what a function makes, with random weights that follow from a seed; torch's generator stays as it is."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make(*arguments, **options)


def object_of(text: str, version: int) -> dict[str, Any]:
    """Return the JSON object in a card's text, without its format.

    Raises:
        ConfigurationError: it is none, or of another format than this.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(explain("the card is not valid JSON", found=error)) from error
    known = value.pop("format", None) if isinstance(value, dict) else None
    require(known == version, "the card's format", known, str(version))
    return dict(value)


def keywords_of(value: Any, kind: type) -> dict[str, Any]:
    """Return a JSON object as keywords of a dataclass: lists are tuples there.

    Raises:
        ConfigurationError: it is none, has other names, or lacks one without a default.
    """
    names = {one.name for one in fields(kind)}
    require(isinstance(value, dict) and set(value) <= names, kind.__name__, value, ", ".join(sorted(names)))
    needed = {one.name for one in fields(kind) if one.default is MISSING and one.default_factory is MISSING}
    missing = needed - set(value)
    require(not missing, kind.__name__, sorted(value), f"with {', '.join(sorted(missing))}")
    return {name: tuple(one) if isinstance(one, list) else one for name, one in value.items()}
