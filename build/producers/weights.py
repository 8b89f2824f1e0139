"""Weights of models on the Hub, or in a local folder laid out like a Hub repository."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from fornet_hf.errors import NotFoundError, explain
from fornet_hf.files import sha256_of

Model = TypeVar("Model")

_WEIGHTS = (
    "model.safetensors",
    "unet/diffusion_pytorch_model.safetensors",
    "unet/diffusion_pytorch_model.fp16.safetensors",
    "pytorch_model.bin",
)


def from_hub(load: Callable[..., Model], model: str, revision: str | None, **options: Any) -> Model:
    """A `from_pretrained` whose failure says what to type.

    Raises:
        NotFoundError: the repository, the revision, the folder or a file in it is missing or out of reach.
    """
    try:
        return load(model, revision=revision, **options)
    except (OSError, ValueError) as error:
        pinned = f" --revision {revision}" if revision else ""
        then = f"Fetch it first: hf download {model}{pinned}; or give the path of a folder that has it."
        raise NotFoundError(explain(f"the model {model} cannot be loaded", found=_line(error), then=then)) from error


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]


def revision_of(model: str, asked: str | None, resolved: str | None = None) -> str:
    """What names these weights for ever: the commit on the Hub, or a digest of a local folder's weights.

    Args:
        model: id on the Hub or path of a folder.
        asked: the revision which was asked for.
        resolved: the commit which the loader found, where it tells.
    """
    folder = Path(model)
    if folder.is_dir():
        files = [folder / name for name in _WEIGHTS if (folder / name).is_file()]
        return f"sha256:{sha256_of(files[0])}" if files else "local"
    return resolved or asked or "main"
