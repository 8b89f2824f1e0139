"""`load_dataset` for every version of `datasets`, and what the builder script needs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import datasets

from fornet_hf.errors import ConfigurationError, ForNetError, explain
from fornet_hf.prepare import Unit
from fornet_hf.release import Release, open_release
from fornet_hf.workers import max_workers

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

__all__ = ["CITATION", "REPOSITORY", "Unit", "config_id", "load_dataset", "own_errors", "release", "units", "workers"]


def load_dataset(
    path: str = REPOSITORY,
    *,
    split: str | None = None,
    patches: str | Path | None = None,
    imagenet_dir: str | Path | None = None,
    cache_dir: str | Path | None = None,
    num_proc: int | None = None,
    trust_remote_code: bool | None = None,
) -> datasets.Dataset | datasets.DatasetDict:
    """Load ForNet, with any version of `datasets`.

    Args:
        path: the dataset's repository on the Hub.
        split: `train` or `validation`, also sliced as in `train[:10%]`; None: all, as a DatasetDict.
        patches: a folder with a release of patches; default: the repository's own.
        imagenet_dir: ImageNet as a folder with `train/` and `val/`.
        cache_dir: where prepared datasets are kept; default: that of `datasets`.
        num_proc: processes that apply patches; default and upper limit: MAX_WORKERS, or all CPUs.
        trust_remote_code: accepted for compatibility; no remote code is run.

    Returns:
        The prepared rows; the first call prepares them, later ones take them from the cache.

    Raises:
        ForNetError: a release, a source picture or a parameter is not as it must be.
    """
    del path, trust_remote_code
    from ForNet import ForNet

    wanted = None if split is None else sorted({part.split("[")[0].strip() for part in split.split("+")})
    builder = ForNet(
        cache_dir=None if cache_dir is None else str(cache_dir),
        patches=None if patches is None else str(patches),
        imagenet_dir=None if imagenet_dir is None else str(imagenet_dir),
        splits=wanted,
    )
    builder.download_and_prepare(num_proc=num_proc)
    return builder.as_dataset(split)


def release(patches: str | None, base_path: str | None) -> Release:
    """The release in the folder `patches`, else the one beside the script."""
    folder = patches or base_path
    if folder is None:
        raise ConfigurationError(explain("no release of patches", allowed="patches=FOLDER"))
    return open_release(Path(folder).expanduser())


def config_id(name: str, patches: str | None, splits: Sequence[str] | None) -> str:
    """Name of a cache folder: equal for equal content, wherever it comes from."""
    parts = [name]
    if patches is not None:
        parts.append(open_release(Path(patches).expanduser()).fingerprint())
    return "-".join(parts + sorted(splits or []))


def units(source: Release, splits: Sequence[str] | None, imagenet_dir: str | None) -> Mapping[str, list[Unit]]:
    """The work for each split.

    Raises:
        ConfigurationError: a split that the release does not have, or no source for the pictures.
    """
    wanted = source.splits if splits is None else splits
    if unknown := sorted(set(wanted) - set(source.splits)):
        raise ConfigurationError(explain("no such split", found=unknown, allowed=list(source.splits)))
    if imagenet_dir is None:
        raise ConfigurationError(explain("no source pictures", allowed="imagenet_dir=FOLDER with train/ and val/"))
    folder = Path(imagenet_dir).expanduser()
    return {name: list(source.units(name, folder)) for name in source.splits if name in wanted}


def workers(num_proc: int | None) -> int:
    """Processes to use: MAX_WORKERS, or fewer if the caller says so."""
    return max_workers() if num_proc is None else min(num_proc, max_workers())


@contextlib.contextmanager
def own_errors() -> Iterator[None]:
    """Let our own error through where `datasets` says only that generating failed.

    Between processes only the outermost exception travels, so it must be ours before it leaves the worker.
    """
    try:
        yield
    except datasets.exceptions.DatasetGenerationError as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, ForNetError):
            cause = cause.__cause__ or cause.__context__
        if cause is None:
            raise
        raise cause from None
