"""What the builder of `ForNet.py` is made of, as far as `datasets` has to do with it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import datasets

from fornet_hf.arguments import check_keywords, keywords, positive
from fornet_hf.builder.choosing import find_images
from fornet_hf.errors import ConfigurationError, ForNetError, explain
from fornet_hf.features import with_lazy_images
from fornet_hf.files import storage_error
from fornet_hf.format.patch import digest
from fornet_hf.hub.errors import OTHER_DISK, Token
from fornet_hf.hub.location import Folder
from fornet_hf.processes import max_workers
from fornet_hf.recombination import RecombinationConfig, Recombine, as_prepared, recombine_stream
from fornet_hf.recombination.draw.clock import Clock
from fornet_hf.recombination.hooks import Hooks
from fornet_hf.recombination.recombiner import configuration
from fornet_hf.release.release import Release

CITATION = """\
@misc{nauen2025foraug,
    title = {ForAug: Mitigating Biases and Improving Vision Transformer Training by Recombining Foregrounds and
             Backgrounds},
    author = {Tobias Christian Nauen and Brian Moser and Federico Raue and Stanislav Frolov and Andreas Dengel},
    year = {2025},
    eprint = {2503.09399},
    archivePrefix = {arXiv},
    primaryClass = {cs.CV},
}"""

PARAMETERS = tuple(name for name in keywords(RecombinationConfig, Recombine) if name != "dataset")

# The keywords of `Recombine` as fields of the builder's configuration; None: not given.
RecombinationKeywords: Any = dataclasses.make_dataclass(
    "RecombinationKeywords", [(name, Any, None) for name in PARAMETERS], bases=(datasets.BuilderConfig,)
)


@dataclasses.dataclass
class ForNetConfig(RecombinationKeywords):  # type: ignore[misc]
    """What to load. The keywords of `fornet_hf.Recombine` may be given too: they set the transform.

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
        """Name of the cache: by the content of the release, not by where it is or how it is recombined.

        For an old release, whose patches do not tell which images they are for, also by where those are.
        """
        del config_kwargs, custom_features
        return "-".join([self.name, self.release_id, *sorted(self.splits or [])])


def check_builder_keywords(given: Mapping[str, Any]) -> None:
    """Refuse keywords that neither `datasets` nor the configuration knows, and values before hours are spent."""
    theirs = keywords(datasets.DatasetBuilder, datasets.BuilderConfig)
    check_keywords(set(given) - set(theirs), set(keywords(ForNetConfig)) - set(theirs))
    values = {name: given[name] for name in PARAMETERS if given.get(name) is not None}
    Hooks(**{name: values.pop(name) for name in keywords(Hooks) if name in values})
    Clock(epochs=values.pop("epochs", None))
    configuration(values.pop("config", None), values)


def check_name(name: str | None) -> None:
    """Refuse names of configurations that do not exist, which `datasets` would take for new ones."""
    if name not in (None, "default"):
        raise ConfigurationError(explain("no such configuration", found=repr(name), allowed="default"))


def release_id(release: Release, imagenet_dir: str | None, imagenet_repo: str | None, token: Token) -> str:
    """What tells the prepared rows of a release from others.

    An old release gives other rows with other images, which it cannot notice, so where they are belongs to it.
    The folder need not be there any more.
    """
    if release.names_images:
        return release.fingerprint()
    folder = None if imagenet_dir is None else Folder(Path(imagenet_dir).expanduser())
    images = folder or find_images(release, None, imagenet_repo, token)
    return f"{release.fingerprint()}-{digest(images.identity().encode()).hex()[:8]}"


def workers(num_proc: int | None) -> int:
    """Processes to use: MAX_WORKERS, or fewer if the caller says so.

    Raises:
        ConfigurationError: MAX_WORKERS or `num_proc` is no positive number.
    """
    return max_workers() if num_proc is None else min(positive("num_proc", num_proc), max_workers())


def recombined(dataset: Any, config: Any) -> Any:
    """The dataset with the transform that the configuration's keywords ask for; as it is if there are none."""
    keywords = {name: getattr(config, name) for name in PARAMETERS if getattr(config, name) is not None}
    if isinstance(dataset, datasets.IterableDataset):
        return recombine_stream(dataset, **keywords) if keywords else with_lazy_images(dataset)
    dataset = as_prepared(dataset)
    return dataset.with_transform(Recombine(dataset, **keywords)) if keywords else dataset


def empty_folder(folder: str) -> None:
    """Remove the files that a killed preparation left where the next one writes.

    `datasets` would take them for part of the result: there may be other ones than the next attempt overwrites.
    """
    for path in Path(folder).glob("*.arrow"):
        path.unlink()


@contextlib.contextmanager
def locks_where_possible() -> Iterator[None]:
    """Let `datasets` do without lock files in folders that cannot be written, in which nothing changes anyway."""
    modules = (datasets.builder, datasets.utils.py_utils)
    locks = [(module, module.FileLock) for module in modules if hasattr(module, "FileLock")]

    def lock(path: str, *args: Any, **options: Any) -> Any:
        writable = os.access(Path(path).parent, os.W_OK)
        return locks[0][1](path, *args, **options) if writable else contextlib.nullcontext()

    try:
        for module, _ in locks:
            module.FileLock = lock
        yield
    finally:
        for module, original in locks:
            module.FileLock = original


@contextlib.contextmanager
def own_errors(folder: str) -> Iterator[None]:
    """Let our own error through where `datasets` says only that generating failed, in this folder of the cache.

    Between processes only the outermost exception travels, so it must be ours before it leaves the worker.
    """
    place = Path(folder).expanduser()
    try:
        yield
    except (datasets.exceptions.DatasetGenerationError, OSError) as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, ForNetError):
            full = storage_error(cause, place, OTHER_DISK) if isinstance(cause, OSError) else None
            cause = full or cause.__cause__ or cause.__context__
        if cause is None:
            raise
        raise cause from None
