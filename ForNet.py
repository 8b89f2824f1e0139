"""The `datasets` builder of ForNet: ImageNet taken apart into foregrounds and infilled backgrounds.

    load_dataset("TNauen/ForNet", trust_remote_code=True)      # datasets 3.6, which runs this script
    fornet_hf.load_dataset("TNauen/ForNet")                    # every version of datasets

The library `fornet_hf` does the work, and of it the script names nothing but the facade `fornet_hf.builder`, as the
library that is installed may be of another version. Where none is installed, the script fetches that of its own
commit: so the library is imported by methods, not by the module.
"""

import hashlib
import importlib.util
import inspect
import pathlib
import re
import sys
import typing
import urllib.parse

import datasets
import huggingface_hub

Token = str | bool | None

CONTRACT = 1  # of the facade, as in `fornet_hf/builder/__init__.py`
INSTALL = (
    'GIT_LFS_SKIP_SMUDGE=1 pip install -U "fornet-hf[torch] @ git+https://huggingface.co/datasets/TNauen/ForNet"'
)


class ForNet(datasets.GeneratorBasedBuilder):  # type: ignore[misc]
    """Pulls patches, applies them to the user's ImageNet in parallel, and yields prepared rows."""

    VERSION = datasets.Version("1.0.0")
    DEFAULT_WRITER_BATCH_SIZE = 256

    def __init__(
        self,
        cache_dir: str | None = None,
        *,
        config_name: str | None = None,
        base_path: str | None = None,
        repo_id: str | None = None,
        token: Token = None,
        hash: str | None = None,  # noqa: A002 - without the script's hash the cache survives an edit of the script
        **kwargs: typing.Any,
    ) -> None:
        del hash
        base_path = base_path or _own_place(repo_id)
        _use_library(repo_id, base_path, token)
        from fornet_hf import builder

        self.release, keywords = builder.begin(kwargs, config_name, repo_id, base_path, token)
        self.BUILDER_CONFIG_CLASS = builder.ForNetConfig
        with builder.guarded(cache_dir):
            super().__init__(cache_dir, base_path=base_path, repo_id=repo_id, token=token, **keywords)

    @classmethod
    def get_all_exported_dataset_infos(cls) -> dict[str, datasets.DatasetInfo]:
        """Return nothing: the dataset card holds no features or sizes, which belong to a release and a source."""
        return {}

    def _info(self) -> datasets.DatasetInfo:
        from fornet_hf import builder

        return builder.described(self.release)

    def _split_generators(self, dl_manager: datasets.DownloadManager) -> list[datasets.SplitGenerator]:
        from fornet_hf import builder

        return builder.split_generators(self.release, self.config, dl_manager, self.token)

    def _generate_examples(
        self, units: typing.Sequence[typing.Any]
    ) -> typing.Iterator[tuple[str, dict[str, typing.Any]]]:
        from fornet_hf import builder

        return builder.examples(units, self.token)

    def download_and_prepare(self, *args: typing.Any, num_proc: int | None = None, **kwargs: typing.Any) -> None:
        """Prepare the cache with MAX_WORKERS processes, or `num_proc` if that is fewer."""
        from fornet_hf import builder

        with builder.guarded(self._output_dir):
            super().download_and_prepare(*args, num_proc=builder.workers(num_proc), **kwargs)

    def _download_and_prepare(self, *args: typing.Any, **kwargs: typing.Any) -> None:
        from fornet_hf import builder

        builder.empty_folder(self._output_dir)
        super()._download_and_prepare(*args, **kwargs)

    def _prepare_split(
        self,
        split_generator: datasets.SplitGenerator,
        *args: typing.Any,
        num_proc: int | None = None,
        **kwargs: typing.Any,
    ) -> None:
        num_proc = min(num_proc or 1, len(split_generator.gen_kwargs["units"]))
        super()._prepare_split(split_generator, *args, num_proc=num_proc if num_proc > 1 else None, **kwargs)

    def _prepare_split_single(self, *args: typing.Any, **kwargs: typing.Any) -> typing.Iterator[typing.Any]:
        from fornet_hf import builder

        with builder.own_errors(self._output_dir):
            yield from super()._prepare_split_single(*args, **kwargs)

    def _as_dataset(self, *args: typing.Any, **kwargs: typing.Any) -> datasets.Dataset:
        from fornet_hf import builder

        return builder.recombined(super()._as_dataset(*args, **kwargs), self.config)

    def _as_streaming_dataset_single(self, splits_generator: datasets.SplitGenerator) -> datasets.IterableDataset:
        from fornet_hf import builder

        return builder.recombined(super()._as_streaming_dataset_single(splits_generator), self.config)


def _own_place(repo_id: str | None) -> str:
    """Return where this script is, at the revision that the user asked for, when `datasets` does not say.

    It takes the script from its cache if the Hub has no answer or no such revision, and keeps the revision for
    itself. The rows would be those of any other.
    """
    if repo_id is None:
        return "."
    frame, revision = inspect.currentframe(), None
    while frame is not None and revision is None:
        if frame.f_code.co_name == "load_dataset_builder" and frame.f_globals.get("__name__") == "datasets.load":
            revision = frame.f_locals.get("revision")
        frame = frame.f_back
    return f"hf://datasets/{repo_id}" + (f"@{urllib.parse.quote(str(revision), safe='')}" if revision else "")


def _use_library(repo_id: str | None, base_path: str, token: Token) -> None:
    """Make `fornet_hf` importable: the one that is installed, else that of this script's commit or folder.

    The fetched one comes last on the path, so that it hides nothing. Whoever lets this script run trusts it, too.

    Raises:
        ImportError: it cannot be fetched or imported, is older or newer than this script, or this process runs that
            of another commit already.
    """
    spec = importlib.util.find_spec("fornet_hf")
    # Without an origin it is just a folder of that name.
    found = pathlib.Path(spec.origin).parent if spec and spec.origin else None
    if found is None or re.search("/snapshots/[0-9a-f]{40}/fornet_hf$", found.as_posix()):
        place = _fetched_library(repo_id, base_path, token) if repo_id else pathlib.Path(base_path)
        if found is None:
            sys.path.append(str(place))
            importlib.invalidate_caches()
        elif _digests(found) != _digests(place / "fornet_hf"):
            then = f"Load each in a process of its own, or install one: {INSTALL}"
            raise ImportError(f"this process uses the library in {found}; found another in {place}. {then}")
    contract = None
    try:
        facade = importlib.import_module("fornet_hf.builder")
        contract = getattr(facade, "CONTRACT", None)
        if contract == CONTRACT:
            getattr(facade, "begin")  # noqa: B009 - which is imported now, with all that it needs
    except ImportError as error:
        if error.name != "fornet_hf.builder":  # which libraries that are older than it lack
            then = f"pip install 'bsdiff4>=1.3.2' 'pillow>=11.3', or the library with all that it needs: {INSTALL}"
            raise ImportError(f"ForNet needs its library: {error}. {then}") from error
    if contract != CONTRACT:
        library = importlib.import_module("fornet_hf")
        version = f"found {library.__version__} in {library.__path__[0]}, whose facade is {contract or 'missing'}"
        if contract is not None and contract > CONTRACT:
            then = "Load a newer revision of the script, or call fornet_hf.load_dataset, which brings its own."
            raise ImportError(f"ForNet.py is older than the library: {version}; needed: {CONTRACT}. {then}")
        raise ImportError(f"ForNet.py needs a newer library: {version}; needed: {CONTRACT}. Install it: {INSTALL}")


def _fetched_library(repo_id: str, base_path: str, token: Token) -> pathlib.Path:
    """Return the folder of the Hub's cache with the library of this revision; a damaged one is fetched again."""
    revision = re.search(r"(?:@|/resolve/)([^/]+)", base_path)
    wanted: dict[str, typing.Any] = {
        "repo_type": "dataset",
        "revision": urllib.parse.unquote(revision[1]) if revision else None,
        "allow_patterns": ["ForNet.py", "fornet_hf/*"],
        "token": token,
    }
    try:
        place = pathlib.Path(huggingface_hub.snapshot_download(repo_id, **wanted))
        damaged = any(
            re.fullmatch("[0-9a-f]{40}", name := (place / "fornet_hf" / path).resolve().name) and name != digest
            for path, digest in _digests(place / "fornet_hf").items()
        )
        if damaged:
            huggingface_hub.snapshot_download(repo_id, force_download=True, **wanted)
    except Exception as error:
        raise ImportError(f"ForNet's library cannot be fetched: {error}. Install it: {INSTALL}") from error
    return place


def _digests(library: pathlib.Path) -> dict[str, str]:
    """Return the blob ids by which Git, and so the Hub's cache, names the files of the library."""
    files = {path.relative_to(library).as_posix(): path for path in library.rglob("*") if path.suffix != ".pyc"}
    contents = {name: path.read_bytes() for name, path in files.items() if path.is_file()}
    return {
        name: hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        for name, data in contents.items()
    }
