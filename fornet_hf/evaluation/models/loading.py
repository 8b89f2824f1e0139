"""Classifiers by name, ready to answer or to be trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fornet_hf.adapters.settings import FILE
from fornet_hf.errors import ConfigurationError, ForNetError, MissingDependencyError, NotFoundError, explain
from fornet_hf.evaluation.models.adapters import SETTINGS, adapted, tuned
from fornet_hf.evaluation.models.checkpoints import carry, restored
from fornet_hf.evaluation.models.classifier import Classifier, in_float32, weights_digest
from fornet_hf.evaluation.models.names import PACKAGES, ModelName, parse_name
from fornet_hf.evaluation.models.of_functions import Function, TorchHub
from fornet_hf.evaluation.models.of_hub import Hub
from fornet_hf.evaluation.models.of_timm import Timm
from fornet_hf.evaluation.models.of_torchvision import Torchvision
from fornet_hf.evaluation.models.source import Source
from fornet_hf.packages import needing

if TYPE_CHECKING:
    import torch


def load(
    name: str, device: str = "cpu", *, trust_remote_code: bool = False, use_test_size: bool = True
) -> Classifier:
    """Load a classifier with its pretrained weights, fetched if need be, or with those of a checkpoint.

    Args:
        name: in one of the `FORMS`. A function of your own returns a `Classifier`, or a network alone, which then
            gets the preprocessing that is usual for ImageNet. A checkpoint is a file of weights, a folder that
            save_pretrained wrote, or the folder of an adapter of `fornet_hf.adapters` or of peft.
        device: of torch.
        trust_remote_code: code of repositories on GitHub and on the Hub may be run.
        use_test_size: models of timm see images of the size that timm validates them with, not of their training.

    Raises:
        ConfigurationError: the name has another form, or is not known to its library; a checkpoint does not fit.
        MissingDependencyError: a library is not installed.
        NotFoundError: the weights cannot be fetched, or there is no such checkpoint.
        AccessError, UnreachableError: the Hub does not hand them out.
    """
    asked = parse_name(name)
    with _failures(name, asked.library):
        source = _source(asked, trust_remote_code=trust_remote_code, use_test_size=use_test_size)
        loaded = _loaded(asked, source)
    network = loaded.network
    if hasattr(network, "to"):
        network = in_float32(network).to(device).eval()
    digest = weights_digest(network)
    revision = loaded.revision or (f"sha256:{digest}" if digest else "")
    return dataclasses.replace(loaded, name=name, revision=revision, network=network)


def build(name: str, classes: int, **options: Any) -> torch.nn.Module:
    """Build a network with random weights, to be trained: it maps normalised images to logits.

    Args:
        name: in one of the `FORMS`, without a checkpoint.
        classes: number of classes.
        options: of the network, as its library calls them.

    Raises:
        ForNetError: as `load`.
    """
    asked = parse_name(name)
    if asked.checkpoint is not None:
        message = explain("a network with random weights has no checkpoint", found=name)
        raise ConfigurationError(message)
    with _failures(name, asked.library):
        network: torch.nn.Module = _source(asked).network(classes, **options)
    return network


def pretrained(name: str, classes: int, **options: Any) -> torch.nn.Module:
    """Load a network with its pretrained weights, or with those of a checkpoint, to be tuned.

    Args:
        name: in one of the `FORMS`.
        classes: number of classes; where the weights are for another number, the last layer has random ones.
        options: of the network, as its library calls them.

    Raises:
        ForNetError: as `load`.
    """
    asked = parse_name(name)
    with _failures(name, asked.library):
        source = _source(asked)
        network: torch.nn.Module = source.network(classes, **options)
        carry(_loaded(asked, source).network, network, name)
    return network


def _loaded(asked: ModelName, source: Source) -> Classifier:
    """Return a classifier with the weights that its name asks for."""
    place = asked.checkpoint
    if place is None:
        return source.pretrained()
    if (place / SETTINGS).is_file():
        return adapted(source, place)
    return tuned(source, place) if (place / FILE).is_file() else restored(source, place)


def _source(asked: ModelName, *, trust_remote_code: bool = False, use_test_size: bool = True) -> Source:
    if asked.library == "torchhub" and not trust_remote_code:
        then = "Look at it first; then allow it: --trust-remote-code, or trust_remote_code=True"
        raise ConfigurationError(explain("torchhub runs code of a repository", found=asked.model, then=then))
    sources: dict[str, Source] = {
        "timm": Timm(asked.model, use_test_size),
        "torchvision": Torchvision(asked.model),
        "hf": Hub(asked.model, trust_remote_code),
        "": Function(asked.model),
    }
    return sources[asked.library] if asked.library in sources else TorchHub(asked.model)


@contextmanager
def _failures(name: str, library: str) -> Iterator[None]:
    try:
        with needing(name, PACKAGES.get(library, "")):
            yield
    except ForNetError:
        raise
    except ValueError as error:
        if library != "hf":
            raise
        # transformers knows no such class for a model of another kind
        raise ConfigurationError(explain(f"{name}: no image classifier", found=error)) from error
    except OSError as error:
        then = "Load it once on a machine with a network; the cache of torch or of the Hub then has it."
        raise NotFoundError(explain(f"the weights of {name} cannot be loaded", found=error, then=then)) from error
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        then = "Install two that belong together: pip install -U torch torchvision"
        message = explain("torchvision was built for another torch", found=error, then=then)
        raise MissingDependencyError(message) from error
    except Exception as error:
        if not type(error).__module__.startswith("safetensors"):
            raise
        then = "Fetch or save them again."
        raise ConfigurationError(explain(f"the weights of {name} are damaged", found=error, then=then)) from error
