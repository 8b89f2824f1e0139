"""Classifiers by name: of timm, of torchvision, of transformers on the Hub, or made by a function of your own.

`timm:NAME`, `torchvision:NAME` and `hf:NAMESPACE/NAME` (or `hf:FOLDER`, or `hf:NAMESPACE/NAME@REVISION`) come before
modules of these names. `package.module:function` is called: without arguments it returns a pretrained classifier,
with `num_classes` and options a network to be trained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fornet_hf.errors import ConfigurationError, ForNetError, NotFoundError, explain
from fornet_hf.evaluation.classifier import Classifier, weights_digest
from fornet_hf.evaluation.preprocessing import Preprocessing
from fornet_hf.hub.errors import explained
from fornet_hf.packages import needing, resolve

if TYPE_CHECKING:
    import torch

FORMS = "timm:NAME, torchvision:NAME, hf:NAMESPACE/NAME or package.module:function"
_PACKAGES = {"timm": "timm", "torchvision": "torchvision", "hf": "transformers torchvision"}
_OWN = "A module of your own must be installed, or its folder be in PYTHONPATH."


def load(name: str, device: str = "cpu") -> Classifier:
    """Load a classifier with its pretrained weights, fetched if need be.

    Args:
        name: in one of the `FORMS`. A function of your own returns a `Classifier`, or a network alone, which then
            gets the preprocessing that is usual for ImageNet.
        device: of torch.

    Raises:
        ConfigurationError: the name has another form, or is not known to its library.
        MissingDependencyError: a library is not installed.
        NotFoundError: the weights cannot be fetched.
        AccessError, UnreachableError: the Hub does not hand them out.
    """
    library, model = parse_name(name)
    loaders = {"timm": _from_timm, "torchvision": _from_torchvision, "hf": _from_hub, "": _from_function}
    with _failures(name, library):
        loaded = loaders[library](model)
    network = loaded.network
    if hasattr(network, "to"):
        network = network.to(device).eval()
    revision = loaded.revision or f"sha256:{weights_digest(network)}"
    return Classifier(name=name, revision=revision, network=network, preprocessing=loaded.preprocessing)


def build(name: str, classes: int, **options: Any) -> torch.nn.Module:
    """Build a network with random weights, to be trained: it maps normalised images to logits.

    Args:
        name: in one of the `FORMS`.
        classes: number of classes.
        options: of the network, as its library calls them.

    Raises:
        ForNetError: as `load`.
    """
    library, model = parse_name(name)
    make: Callable[..., Any]
    with _failures(name, library):
        if library == "timm":
            import timm

            make, known = timm.create_model, timm.is_model(model)
        elif library == "torchvision":
            from torchvision import models

            make, known = models.get_model, model in models.list_models()
        else:
            make, known = _untrained_of_hub if library == "hf" else _call, True
        if not known:
            raise ConfigurationError(explain(f"{library} has no such model", found=repr(model)))
        network: torch.nn.Module = make(model, num_classes=classes, **options)
    return network


def parse_name(name: str) -> tuple[str, str]:
    """Return the library, empty for a function of one's own, and the model in it.

    Raises:
        ConfigurationError: the name has none of the `FORMS`, or its package is not there.
    """
    library, _, model = name.partition(":")
    if library in _PACKAGES and model:
        return library, model
    package = library.partition(".")[0]
    if not model or not package.isidentifier() or find_spec(package) is None:
        raise ConfigurationError(explain("unknown classifier", found=name, allowed=FORMS, then=_OWN))
    return "", name


@contextmanager
def _failures(name: str, library: str) -> Iterator[None]:
    try:
        with needing(name, _PACKAGES.get(library, "")):
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


def _from_timm(model: str) -> Classifier:
    import timm
    from timm.data.config import resolve_data_config

    try:
        network: Any = timm.create_model(model, pretrained=True)
    except RuntimeError as error:  # of which timm's error of unknown models is one
        raise ConfigurationError(explain(f"timm has no pretrained model {model}", found=error)) from error
    settings = resolve_data_config({}, model=network)
    preprocessing = Preprocessing(
        size=settings["input_size"][-1],
        crop=settings["crop_pct"],
        squash=settings["crop_mode"] == "squash",
        interpolation=settings["interpolation"],
        mean=tuple(settings["mean"]),
        std=tuple(settings["std"]),
    )
    revision = _timm_revision(network.pretrained_cfg)
    return Classifier(name=model, revision=revision, network=network, preprocessing=preprocessing)


def _timm_revision(settings: Mapping[str, Any]) -> str:
    """Return repository and commit of the weights that were just loaded; no commit where they are not of the Hub."""
    from huggingface_hub import try_to_load_from_cache

    repository = str(settings.get("hf_hub_id") or "")
    model, _, revision = repository.partition("@")
    for file in ("model.safetensors", "pytorch_model.bin") if model else ():
        path = try_to_load_from_cache(model, file, revision=revision or None)
        if isinstance(path, str):  # .../snapshots/COMMIT/FILE
            return f"{model}@{Path(path).parent.name}"
    return repository or str(settings.get("tag") or "pretrained")


def _from_torchvision(model: str) -> Classifier:
    from torchvision import models

    try:
        weights = models.get_model_weights(model).DEFAULT
    except ValueError as error:
        raise ConfigurationError(explain(f"torchvision has no model {model}", found=error)) from error
    settings = weights.transforms()
    preprocessing = Preprocessing(
        size=settings.crop_size[0],
        crop=settings.crop_size[0] / settings.resize_size[0],
        interpolation=settings.interpolation.value,
        mean=tuple(settings.mean),
        std=tuple(settings.std),
    )
    network = models.get_model(model, weights=weights)
    return Classifier(name=model, revision=str(weights), network=network, preprocessing=preprocessing)


def _from_hub(model: str) -> Classifier:
    from PIL.Image import Resampling
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    repository, commit = _pinned(model)
    network = AutoModelForImageClassification.from_pretrained(repository, revision=commit)
    settings = AutoImageProcessor.from_pretrained(repository, revision=commit).to_dict()
    edge = settings["size"].get("shortest_edge") or settings["size"]["height"]
    side = settings["crop_size"]["height"] if settings.get("do_center_crop") else edge
    preprocessing = Preprocessing(
        size=side,
        crop=settings.get("crop_pct") or side / edge,
        squash="shortest_edge" not in settings["size"],
        interpolation=Resampling(settings["resample"]).name.lower(),
        mean=tuple(settings["image_mean"]),
        std=tuple(settings["image_std"]),
    )
    revision = f"{repository}@{commit}" if commit else ""
    return Classifier(name=model, revision=revision, network=_giving_logits(network), preprocessing=preprocessing)


def _untrained_of_hub(model: str, num_classes: int, **options: Any) -> Any:
    from transformers import AutoConfig, AutoModelForImageClassification

    repository, commit = _pinned(model)
    config = AutoConfig.from_pretrained(repository, revision=commit, num_labels=num_classes, **options)
    return _giving_logits(AutoModelForImageClassification.from_config(config))


def _pinned(model: str) -> tuple[str, str | None]:
    """Return repository and commit, so that all files are of one; no commit for a folder."""
    from huggingface_hub import hf_hub_download

    if Path(model).is_dir():
        return model, None
    repository, _, revision = model.partition("@")
    with explained(repository, revision or None, "config.json"):
        path = hf_hub_download(repository, "config.json", revision=revision or None)
    return repository, Path(path).parent.name  # .../snapshots/COMMIT/config.json


def _giving_logits(network: Any) -> Any:
    network.register_forward_hook(lambda _module, _inputs, output: output.logits)
    return network


def _call(name: str, **options: Any) -> Any:
    return resolve(name, f"unknown classifier {name}", FORMS)(**options)


def _from_function(name: str) -> Classifier:
    made = _call(name)
    return made if isinstance(made, Classifier) else Classifier(name=name, revision="", network=made)
