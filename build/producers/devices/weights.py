"""Weights of models on the Hub, or in a local folder laid out like a Hub repository."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from huggingface_hub import hf_hub_download
from huggingface_hub.errors import GatedRepoError

from fornet_hf.errors import ConfigurationError, MissingDependencyError, NotFoundError, explain
from fornet_hf.files import sha256_of

Model = TypeVar("Model")

_WEIGHTS = (
    "model.safetensors",
    "unet/diffusion_pytorch_model.safetensors",
    "unet/diffusion_pytorch_model.fp16.safetensors",
    "transformer/diffusion_pytorch_model.safetensors",
    "transformer/diffusion_pytorch_model-00001-of-00003.safetensors",
    "pytorch_model.bin",
)

_UNKNOWN = "does not recognize this architecture"  # transformers says so of models that are newer than it


def from_hub(
    load: Callable[..., Model], model: str, revision: str | None, *, fetch: str = "", **options: Any
) -> Model:
    """Call a `from_pretrained` with these options; where it fails, say what to type.

    Args:
        load: the function.
        model: id on the Hub or path of a folder.
        revision: branch, tag or commit; None: the repository's main branch.
        fetch: what follows in `hf download MODEL`, where not all files are needed.
        options: for the function.

    Raises:
        NotFoundError: the repository, the revision, the folder or a file in it is missing or out of reach.
        MissingDependencyError: the installed transformers is older than the model.
    """
    try:
        return load(model, revision=revision, **options)
    except (OSError, ValueError) as error:
        if _UNKNOWN in str(error):
            what, then = (
                f"the model {model} is newer than transformers",
                "Install another: pip install -U transformers",
            )
            raise MissingDependencyError(explain(what, found=_line(error), then=then)) from error
        asked = f" --revision {revision}" if revision else ""
        asked += fetch and f" {fetch}"
        then = f"Fetch it first: hf download {model}{asked}; or give the path of a folder that has it."
        if isinstance(error, GatedRepoError):
            then = f"Accept its licence at https://huggingface.co/{model} and log in: hf auth login. {then}"
        raise NotFoundError(explain(f"the model {model} cannot be loaded", found=_line(error), then=then)) from error


def network_from_hub(load: Callable[..., Any], model: str, revision: str | None) -> Any:
    """Return a network of transformers by its `from_pretrained`, in float32 whatever its weights are published in.

    Raises:
        NotFoundError, MissingDependencyError: as `from_hub`.
        ConfigurationError: the weights are those of another network, most of which would be left at random values.
    """
    what = f"{model} has the weights of another network"
    try:
        network, loaded = from_hub(load, model, revision, output_loading_info=True)
    except (RuntimeError, AttributeError, KeyError, TypeError) as error:  # other sizes, or settings that it lacks
        raise ConfigurationError(explain(what, found=_line(error))) from error
    missing, most = sorted(loaded["missing_keys"]), len(network.state_dict())
    if 2 * len(missing) > most:
        found = f"no {missing[0]}, and {len(missing)} of {most} are missing"
        raise ConfigurationError(explain(what, found=found, allowed=f"weights of {type(network).__name__}"))
    return network.float()


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]


def commit_of(model: str, revision: str | None, *, file: str = "config.json", fetch: str = "") -> str | None:
    """Return the commit that a revision means now; None for a local folder.

    Models do not tell which commit they are of, and a branch may move between one file and the next. So the commit
    is found first, and everything is loaded from it.

    Args:
        model: id on the Hub or path of a folder.
        revision: branch, tag or commit; None: the repository's main branch.
        file: which the repository has for sure.
        fetch: as `from_hub`.

    Raises:
        NotFoundError: as `from_hub`.
    """
    if Path(model).is_dir():
        return None
    # in the Hub's cache every file is .../snapshots/COMMIT/FILE
    return Path(from_hub(hf_hub_download, model, revision, fetch=fetch, filename=file)).parent.name


def name_of(model: str, commit: str | None) -> str:
    """Return what names these weights for ever: the commit on the Hub, or a digest of a local folder's weights."""
    if commit is not None:
        return commit
    files = [Path(model) / name for name in _WEIGHTS if (Path(model) / name).is_file()]
    return f"sha256:{sha256_of(files[0])}" if files else "local"
