"""Configuration of the builder: what to load, and how to recombine it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import datasets

from fornet_hf.arguments import check_keywords, keywords
from fornet_hf.features import with_lazy_images
from fornet_hf.recombination import RecombinationConfig, Recombine, as_prepared, recombine_stream
from fornet_hf.recombination.hooks import Hooks
from fornet_hf.recombination.recombiner import settings

PARAMETERS = tuple(name for name in keywords(RecombinationConfig, Recombine) if name != "dataset")

# The keywords of `Recombine` as fields of the builder's configuration; None: not given.
RecombinationKeywords: Any = dataclasses.make_dataclass(
    "RecombinationKeywords", [(name, Any, None) for name in PARAMETERS], bases=(datasets.BuilderConfig,)
)


@dataclasses.dataclass
class ForNetConfig(RecombinationKeywords):  # type: ignore[misc]
    """A choice of what to load. The keywords of `fornet_hf.Recombine` may be given too: they set the transform.

    Attributes:
        patches: a folder or a Hub repository (`owner/name`, `owner/name@revision`) with a release of patches;
            default: where this script is.
        imagenet_dir: ImageNet as a folder with `train/` and `val/`, or with the Parquet shards of the Hub.
        imagenet_repo: a Hub repository with the Parquet shards; default: the one that the release names.
        splits: the splits to prepare, `train` and `validation`; default: all of the release.
        release_id: set by the builder: which release this is, and for an old one where its images are.
    """

    patches: str | None = None
    imagenet_dir: str | None = None
    imagenet_repo: str | None = None
    splits: Sequence[str] | None = None
    release_id: str = ""

    def create_config_id(self, config_kwargs: dict[str, Any], custom_features: object = None) -> str:
        """Return the name of the cache: by the content of the release, not by where it is or how it is recombined.

        For an old release, whose patches do not tell which images they are for, also by where those are.
        """
        del config_kwargs, custom_features
        return "-".join([self.name, self.release_id, *sorted(self.splits or [])])


def check_keywords_of_builder(given: Mapping[str, Any]) -> None:
    """Refuse keywords that neither `datasets` nor the configuration knows, and values before hours are spent."""
    theirs = keywords(datasets.DatasetBuilder, datasets.BuilderConfig)
    check_keywords(set(given) - set(theirs), set(keywords(ForNetConfig)) - set(theirs))
    values = {name: given[name] for name in PARAMETERS if given.get(name) is not None}
    hooks = {name: values.pop(name) for name in keywords(Hooks) if name in values}
    config, epochs = values.pop("config", None), values.pop("epochs", None)
    settings(config, values, epochs=epochs, **hooks)


def recombined(dataset: Any, config: Any) -> Any:
    """Return the dataset with the transform that the configuration's keywords ask for; as it is if there are none."""
    keywords = {name: getattr(config, name) for name in PARAMETERS if getattr(config, name) is not None}
    if isinstance(dataset, datasets.IterableDataset):
        return recombine_stream(dataset, **keywords) if keywords else with_lazy_images(dataset)
    dataset = as_prepared(dataset)
    return dataset.with_transform(Recombine(dataset, **keywords)) if keywords else dataset
