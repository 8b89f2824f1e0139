"""`load_dataset` for every version of `datasets`."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import datasets

from fornet_hf.arguments import check_keywords, keywords
from fornet_hf.builder.about import REPOSITORY
from fornet_hf.builder.configuration import PARAMETERS
from fornet_hf.builder.preparation import guarded
from fornet_hf.errors import INSTALL, ConfigurationError
from fornet_hf.hub.errors import Token
from fornet_hf.hub.location import Repository, locate
from fornet_hf.hub.transfer import remote_address
from fornet_hf.recombination.draw.configuration import names_in


def load_dataset(
    path: str = REPOSITORY,
    name: str | None = None,
    *,
    split: str | Sequence[str] | None = None,
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
            Of a list of them, a list comes back. None: all, as a DatasetDict.
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
        **recombination: keywords of `fornet_hf.Recombine`, which set the transform, on each split its own:
            validation is recombined as in evaluation, unless `evaluation` says otherwise. They never cause a
            second preparation.

    Returns:
        A Dataset, an IterableDataset, or a list or dict of them. The first call prepares; later ones read the cache.

    Raises:
        ForNetError: a release, a source image, the Hub or a parameter is not as it must be.

    Example:
        >>> import fornet_hf
        >>> ds = fornet_hf.load_dataset(patches="demo/made/patches", imagenet_dir="demo/pictures", split="train")
        >>> ds.column_names
        ['key', 'label', 'foreground', 'mask', 'background', 'box', 'foreground_ratio']
        >>> ds = fornet_hf.load_dataset(
        ...     patches="demo/made/patches", imagenet_dir="demo/pictures", split="validation", crop=224, seed=0
        ... )
        >>> ds[0]["image"].size
        (224, 224)
    """
    del trust_remote_code
    check_keywords(recombination, [*keywords(load_dataset), *PARAMETERS])
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
    builder = _builder(make_builder, split, download_mode)
    if streaming:
        if isinstance(split, list | tuple):
            return [builder.as_streaming_dataset(one) for one in split]
        return builder.as_streaming_dataset(split)
    builder.download_and_prepare(
        num_proc=num_proc,
        **{k: v for k, v in (("download_mode", download_mode), ("verification_mode", verification_mode)) if v},
    )
    return builder.as_dataset(split, **({} if keep_in_memory is None else {"in_memory": keep_in_memory}))


def _builder(make_builder: Callable[..., Any], split: object, download_mode: str | None) -> Any:
    """Return the builder of the splits that are asked for; of all splits, if these are prepared already."""
    every = make_builder()
    if split is None:
        return every
    part = make_builder(splits=names_in(split), release=every.release)
    reuse = datasets.DownloadMode.REUSE_DATASET_IF_EXISTS
    anew = datasets.DownloadMode(download_mode or reuse) != reuse
    # The newer one, for a part may have been prepared anew because something was wrong with the whole.
    return part if anew or _prepared(part) >= _prepared(every) else every


def _prepared(builder: Any) -> float:
    """Return when a builder's dataset was prepared, in seconds since 1970; 0: it is not."""
    info = Path(builder.cache_dir) / datasets.config.DATASET_INFO_FILENAME
    return info.stat().st_mtime if info.is_file() else 0.0


def _dataset(path: str, revision: str | None, token: Token) -> dict[str, str | None]:
    """Return what a builder is told of the folder or repository that it belongs to."""
    folder = Path(path).expanduser()
    folder = folder.parent if folder.suffix == ".py" else folder
    if not folder.is_dir():
        location = locate(path + (f"@{revision}" if revision else ""), token)
        if isinstance(location, Repository):
            where = remote_address(location.id, "", location.revision)
            return {"repo_id": location.id, "base_path": where, "dataset_name": location.id.split("/")[1]}
    return {"repo_id": None, "base_path": str(folder), "dataset_name": None}


def _builder_class() -> Any:
    """Return the builder of `ForNet.py`.

    datasets 3 puts a lock file beside the folder of a builder's module, which may not be writable when the module
    is installed; its own way of loading scripts runs a copy in the cache instead.
    """
    if int(datasets.__version__.split(".")[0]) >= 4:
        from ForNet import ForNet

        return ForNet
    spec = importlib.util.find_spec("ForNet")
    if spec is None or spec.origin is None:
        raise ConfigurationError(f"the module ForNet is missing; install this package again: {INSTALL}")
    with (
        guarded(datasets.config.HF_MODULES_CACHE),
        _without_warnings("huggingface_hub.repocard"),  # a checkout's README is no dataset card
    ):
        module = datasets.load.dataset_module_factory(spec.origin, trust_remote_code=True)
        copy = Path(module.importable_file_path)
        if copy.read_bytes() != Path(spec.origin).read_bytes():  # a full disk cut it short
            copy.unlink()
            module = datasets.load.dataset_module_factory(spec.origin, trust_remote_code=True)
        return datasets.load.get_dataset_builder_class(module)


@contextlib.contextmanager
def _without_warnings(name: str) -> Iterator[None]:
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
