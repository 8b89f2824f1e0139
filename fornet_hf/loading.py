"""`load_dataset` for every version of `datasets`, and what the builder script needs."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib.util
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import datasets

from fornet_hf.errors import INSTALL, ConfigurationError, ForNetError, NotFoundError, StorageError, explain
from fornet_hf.features import with_lazy_images
from fornet_hf.files import Open
from fornet_hf.hub import Token, disk_full, open_file, remote_address
from fornet_hf.locations import Folder, Repository, locate
from fornet_hf.prepare import Unit
from fornet_hf.recombination import RecombinationConfig, Recombine, as_prepared, recombine_stream
from fornet_hf.release import Release, open_release
from fornet_hf.workers import end_with_parent, max_workers

__all__ = [
    "CITATION",
    "PARAMETERS",
    "REPOSITORY",
    "RecombinationKeywords",
    "Unit",
    "check_name",
    "chosen_splits",
    "empty_folder",
    "end_with_parent",
    "find_pictures",
    "find_release",
    "load_dataset",
    "opener",
    "own_errors",
    "recombined",
    "workers",
]

REPOSITORY = "TNauen/ForNet"
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

_CALLABLES = ("foreground_transform", "fg_transform", "transform", "target_transform")
_OUTPUTS = ("return_fg_masks", "return_composition", "epochs")
PARAMETERS = (*(field.name for field in dataclasses.fields(RecombinationConfig)), *_CALLABLES, *_OUTPUTS)

# The keywords of `Recombine` as fields of the builder's configuration; None: not given.
RecombinationKeywords: Any = dataclasses.make_dataclass(
    "RecombinationKeywords", [(name, Any, None) for name in PARAMETERS], bases=(datasets.BuilderConfig,)
)


def load_dataset(
    path: str = REPOSITORY,
    name: str | None = None,
    *,
    split: str | None = None,
    patches: str | Path | None = None,
    imagenet_dir: str | Path | None = None,
    imagenet_repo: str | None = None,
    streaming: bool = False,
    cache_dir: str | Path | None = None,
    revision: str | None = None,
    token: Token = None,
    num_proc: int | None = None,
    download_mode: str | None = None,
    verification_mode: str | None = None,
    keep_in_memory: bool | None = None,
    trust_remote_code: bool | None = None,
    **recombination: Any,
) -> Any:
    """Load ForNet, with any version of `datasets`: as `datasets.load_dataset`, but no remote code is run.

    Args:
        path: the dataset's repository on the Hub, or a folder which holds one.
        name: of the configuration; there is only `default`.
        split: `train` or `validation`, also sliced as in `train[:10%]`; only what is asked for is prepared.
            None: all, as a DatasetDict.
        patches: a folder or a Hub repository with a release of patches; default: the one in `path`.
        imagenet_dir: ImageNet as a folder with `train/` and `val/`, or with the Parquet shards of the Hub.
        imagenet_repo: a Hub repository with the Parquet shards; default: the one that the release names.
        streaming: read everything over the network as it is needed, and store nothing.
        cache_dir: where prepared datasets are kept; default: that of `datasets`.
        revision: branch, tag or commit of `path`.
        token: for the Hub; default: the one you are logged in with.
        num_proc: processes that apply patches; default and upper limit: MAX_WORKERS, or all CPUs.
        download_mode: as in `datasets.load_dataset`.
        verification_mode: as in `datasets.load_dataset`.
        keep_in_memory: as in `datasets.load_dataset`.
        trust_remote_code: accepted for compatibility.
        **recombination: keywords of `fornet_hf.Recombine`, which set the transform. They never cause a second
            preparation.

    Returns:
        A Dataset, an IterableDataset, or a dict of them. The first call prepares; later ones read the cache.

    Raises:
        ForNetError: a release, a source picture, the Hub or a parameter is not as it must be.
    """
    del trust_remote_code
    if unknown := sorted(set(recombination) - set(PARAMETERS)):
        raise ConfigurationError(explain("unknown keywords", found=unknown, allowed=sorted(PARAMETERS)))
    make_builder = functools.partial(
        _builder_class(),
        cache_dir=None if cache_dir is None else str(cache_dir),
        config_name=name,
        token=token,
        patches=None if patches is None else str(patches),
        imagenet_dir=None if imagenet_dir is None else str(imagenet_dir),
        imagenet_repo=imagenet_repo,
        **_dataset(path, revision, token),
        **recombination,
    )
    builder = make_builder()
    if split is not None and not Path(builder.cache_dir).is_dir():  # else all splits are prepared already
        builder = make_builder(splits=sorted({part.split("[")[0].strip() for part in str(split).split("+")}))
    if streaming:
        return builder.as_streaming_dataset(split)
    builder.download_and_prepare(
        num_proc=num_proc,
        **{k: v for k, v in (("download_mode", download_mode), ("verification_mode", verification_mode)) if v},
    )
    return builder.as_dataset(split, **({} if keep_in_memory is None else {"in_memory": keep_in_memory}))


def _dataset(path: str, revision: str | None, token: Token) -> dict[str, str | None]:
    """What a builder is told of the folder or repository that it belongs to."""
    folder = Path(path).expanduser()
    folder = folder.parent if folder.suffix == ".py" else folder
    if not folder.is_dir():
        location = locate(path + (f"@{revision}" if revision else ""), token)
        if isinstance(location, Repository):
            where = remote_address(location.id, "", location.revision)
            return {"repo_id": location.id, "base_path": where, "dataset_name": location.id.split("/")[1]}
    return {"repo_id": None, "base_path": str(folder), "dataset_name": None}


def _builder_class() -> Any:
    """The builder of `ForNet.py`.

    datasets 3 puts a lock file beside the folder of a builder's module, which may not be writable when the module
    is installed; its own way of loading scripts runs a copy in the cache instead.
    """
    if int(datasets.__version__.split(".")[0]) >= 4:
        from ForNet import ForNet

        return ForNet
    spec = importlib.util.find_spec("ForNet")
    if spec is None or spec.origin is None:
        raise ConfigurationError(f"the module ForNet is missing; install this package again: {INSTALL}")
    module = datasets.load.dataset_module_factory(spec.origin, trust_remote_code=True)
    return datasets.load.get_dataset_builder_class(module)


def find_release(patches: str | None, repo_id: str | None, base_path: str | None, token: Token) -> Release:
    """The release that `patches` names, else the one in the repository or folder of the script."""
    if patches is not None:
        return open_release(locate(patches, token))
    if repo_id is not None:
        revision = re.search(r"(?:@|/resolve/)([^/]+)", base_path or "")
        return open_release(Repository(repo_id, unquote(revision[1]) if revision else None, token))
    return open_release(locate(base_path or ".", token))


def find_pictures(release: Release, folder: str | None, repository: str | None, token: Token) -> Folder | Repository:
    """Where the source pictures are: a folder, a mirror, or the repository that the release names."""
    if folder is not None and repository is not None:
        raise ConfigurationError("imagenet_dir and imagenet_repo were both given; allowed: one of them")
    if folder is not None:
        if not Path(folder).expanduser().is_dir():
            raise NotFoundError(explain("imagenet_dir: no such folder", found=repr(folder)))
        return Folder(Path(folder).expanduser())
    if repository is None:
        return dataclasses.replace(release.source, token=token)
    return locate(repository, token)


def check_name(name: str | None) -> None:
    """Refuse names of configurations that do not exist, which `datasets` would take for new ones."""
    if name not in (None, "default"):
        raise ConfigurationError(explain("no such configuration", found=repr(name), allowed="default"))


def chosen_splits(release: Release, splits: Sequence[str] | None) -> list[str]:
    """The splits to prepare.

    Raises:
        ConfigurationError: one of them is not in the release.
    """
    if unknown := sorted(set(splits or ()) - set(release.splits)):
        raise ConfigurationError(explain("no such split", found=unknown, allowed=list(release.splits)))
    return [split for split in release.splits if splits is None or split in splits]


def opener(token: Token) -> Open:
    """What opens a unit's files, here or on the Hub."""
    return functools.partial(open_file, token=token)


def workers(num_proc: int | None) -> int:
    """Processes to use: MAX_WORKERS, or fewer if the caller says so.

    Raises:
        ConfigurationError: MAX_WORKERS or `num_proc` is no positive number.
    """
    if num_proc is not None and num_proc < 1:
        raise ConfigurationError(explain("num_proc", found=num_proc, allowed="1 or more, or None"))
    return max_workers() if num_proc is None else min(num_proc, max_workers())


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
def own_errors() -> Iterator[None]:
    """Let our own error through where `datasets` says only that generating failed.

    Between processes only the outermost exception travels, so it must be ours before it leaves the worker.
    """
    try:
        yield
    except (datasets.exceptions.DatasetGenerationError, OSError) as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, ForNetError):
            full: StorageError | None = disk_full(cause) if isinstance(cause, OSError) else None
            cause = full or cause.__cause__ or cause.__context__
        if cause is None:
            raise
        raise cause from None
