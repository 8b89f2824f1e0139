"""Image classifiers of transformers, on the Hub or in a folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.models.of_timm import preprocessing_of as preprocessing_of_timm
from fornet_hf.evaluation.models.preprocessing import Preprocessing, share
from fornet_hf.hub.errors import explained

_LEVEL = 1.5  # of 255: where libraries resize alike


@dataclass(frozen=True)
class Hub:
    """A model on the Hub.

    Attributes:
        model: `NAMESPACE/NAME`, `NAMESPACE/NAME@REVISION` or the path of a folder.
        trust_remote_code: code of the repository may be run.
    """

    model: str
    trust_remote_code: bool = False

    def pretrained(self) -> Classifier:
        """Return it with its weights."""
        return self._trained(self.model)

    def tuned(self, folder: Path) -> Classifier:
        """Return it with the weights and classes in a folder that save_pretrained wrote."""
        return self._trained(str(folder))

    def _trained(self, model: str) -> Classifier:
        from transformers import AutoModelForImageClassification

        repository, commit = _pinned(model)
        network, report = AutoModelForImageClassification.from_pretrained(
            repository, revision=commit, trust_remote_code=self.trust_remote_code, output_loading_info=True
        )
        if lacking := sorted(map(str, {*report["missing_keys"], *report["mismatched_keys"]})):
            then = "It is no trained classifier; add =CHECKPOINT with the weights of one."
            message = explain(f"{repository} has no weights for all layers", found=lacking, then=then)
            raise ConfigurationError(message)
        revision = f"{repository}@{commit}" if commit else ""
        return self._classifier(network, revision, output_names(network.config.id2label))

    def untrained(self, classes: int | None = None) -> Classifier:
        """Return it with random weights."""
        return self._classifier(self._untrained({} if classes is None else {"num_labels": classes}))

    def network(self, classes: int, **options: Any) -> Any:
        """Return the network alone, with random weights."""
        return _giving_logits(self._untrained({"num_labels": classes, **options}))

    def _untrained(self, options: Mapping[str, Any]) -> Any:
        from transformers import AutoConfig, AutoModelForImageClassification

        repository, commit = _pinned(self.model)
        trust = self.trust_remote_code
        config = AutoConfig.from_pretrained(repository, revision=commit, trust_remote_code=trust, **options)
        return AutoModelForImageClassification.from_config(config, trust_remote_code=trust)

    def _classifier(self, network: Any, revision: str = "", names: tuple[str, ...] = ()) -> Classifier:
        from transformers import AutoImageProcessor

        repository, commit = _pinned(self.model)
        processor = AutoImageProcessor.from_pretrained(
            repository, revision=commit, trust_remote_code=self.trust_remote_code, backend="pil"
        )
        return Classifier(
            name=self.model,
            revision=revision,
            network=_giving_logits(network),
            preprocessing=preprocessing_of(processor),
            names=names,
        )


def preprocessing_of(processor: Any) -> Preprocessing:
    """Return the images that a processor of transformers makes; it is asked for some, to be sure.

    Its middle may lie one pixel beside ours, as transformers rounds its place down.

    Raises:
        ConfigurationError: it does something else than resizing, cutting out the middle, and normalising.
    """
    if hasattr(processor, "data_config"):  # a model of timm, in a wrapper
        return preprocessing_of_timm(processor.data_config)
    for candidate in _candidates(processor.to_dict()):
        if all(_makes(processor, candidate, turned=turned) for turned in (False, True)):
            return candidate
    found = type(processor).__name__
    allowed = "resizing, cutting out the middle, and normalising"
    then = "Return a fornet_hf.evaluation.Classifier from a function of your own: package.module:function"
    message = explain("the model's image processor does something else", found=found, allowed=allowed, then=then)
    raise ConfigurationError(message)


def output_names(labels: Mapping[Any, str]) -> tuple[str, ...]:
    """Return the names of a classifier's outputs; none where they are only numbered, as transformers does itself."""
    names = tuple(str(name) for _, name in sorted((int(output), name) for output, name in labels.items()))
    return () if all(re.fullmatch(r"LABEL_\d+", name) for name in names) else names


def _candidates(settings: Mapping[str, Any]) -> Iterator[Preprocessing]:
    """Yield what the settings may mean: each class of processors reads them in its own way."""
    size = settings.get("size") or {}
    if not (edge := size.get("shortest_edge") or size.get("height")):
        return
    side = settings["crop_size"]["height"] if settings.get("do_center_crop") else edge
    normalised = settings.get("do_normalize", True)
    common: dict[str, Any] = {
        "interpolation": Image.Resampling(settings.get("resample", 2)).name.lower(),
        "mean": tuple(settings["image_mean"]) if normalised else (0.0,) * 3,
        "std": tuple(settings["image_std"]) if normalised else (1.0,) * 3,
    }
    yield Preprocessing(size=side, crop=share(side, edge), squash="shortest_edge" not in size, **common)
    if crop := settings.get("crop_pct"):  # ConvNeXt, which knows no crop from 384 pixels on; PoolFormer
        yield Preprocessing(size=edge, crop=share(edge, int(edge / crop)), **common)
        yield Preprocessing(size=edge, crop=1.0, squash=True, **common)
        yield Preprocessing(size=side, crop=share(side, int(edge / crop)), **common)
    yield Preprocessing(size=side, crop=share(side, int(256 / 224 * edge)), **common)  # LeViT


def _makes(processor: Any, candidate: Preprocessing, *, turned: bool) -> bool:
    """Return whether a processor makes the same of a smooth image."""
    long = candidate.edge + 4 * (candidate.edge // 16) + (candidate.size - candidate.edge) % 4
    width, height = 2 * candidate.edge, 2 * long  # so that along the longer side all libraries round alike
    across, down = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    pixels = np.stack([across, down, (255 - across + down) / 2], -1).astype(np.uint8)
    image = Image.fromarray(pixels.transpose(1, 0, 2).copy() if turned else pixels)
    ours = candidate.prepared(image).astype(float)
    theirs = np.asarray(processor(image, return_tensors="np")["pixel_values"][0], float)
    if theirs.shape != ours.shape:
        return False
    mean, std = (np.array(values)[:, None, None] for values in (candidate.mean, candidate.std))
    aside = (candidate.edge - candidate.size) % 4 == 3  # the place is rounded in another direction
    step = 255 / candidate.edge if aside else 0.0
    return float(np.abs((theirs * std + mean) * 255 - ours).mean()) <= _LEVEL + step


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
