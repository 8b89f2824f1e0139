"""The `datasets` builder of ForNet: ImageNet taken apart into foregrounds and infilled backgrounds.

    load_dataset("TNauen/ForNet", trust_remote_code=True)      # datasets 3.6, which runs this script
    fornet_hf.load_dataset("TNauen/ForNet")                    # every version of datasets

It names what there is to load; the work is done by the library `fornet_hf`.
"""

import dataclasses
import typing

import datasets

# The library is imported inside of a block: datasets reads imports at the left margin as its own list of
# requirements, and hides this message behind a bare ModuleNotFoundError.
try:
    from fornet_hf import building, choosing
    from fornet_hf.features import row_features
    from fornet_hf.prepare import Unit
    from fornet_hf.processes import watched_forks
except ImportError as error:
    install = (
        'GIT_LFS_SKIP_SMUDGE=1 pip install -U "fornet-hf[torch] @ git+https://huggingface.co/datasets/TNauen/ForNet"'
    )
    raise ImportError(f"ForNet needs its library: {install}") from error


@dataclasses.dataclass
class ForNetConfig(building.RecombinationKeywords):  # type: ignore[misc]
    """What to load. The keywords of `fornet_hf.Recombine` may be given too: they set the transform.

    Attributes:
        patches: a folder or a Hub repository (`owner/name`, `owner/name@revision`) with a release of patches;
            default: where this script is.
        imagenet_dir: ImageNet as a folder with `train/` and `val/`, or with the Parquet shards of the Hub.
        imagenet_repo: a Hub repository with the Parquet shards; default: the one that the release names.
        splits: the splits to prepare, `train` and `validation`; default: all of the release.
        release_id: set by the builder: which release this is, and for an old one where its pictures are.
    """

    patches: str | None = None
    imagenet_dir: str | None = None
    imagenet_repo: str | None = None
    splits: typing.Sequence[str] | None = None
    release_id: str = ""

    def create_config_id(self, config_kwargs: dict[str, typing.Any], custom_features: object = None) -> str:
        """Name of the cache: by the content of the release, not by where it is or how it is recombined.

        For an old release, whose patches do not tell which pictures they are for, also by where those are.
        """
        del config_kwargs, custom_features
        return "-".join([self.name, self.release_id, *sorted(self.splits or [])])


class ForNet(datasets.GeneratorBasedBuilder):  # type: ignore[misc]
    """Pulls patches, applies them to the user's ImageNet in parallel, and yields prepared rows."""

    VERSION = datasets.Version("1.0.0")
    BUILDER_CONFIG_CLASS = ForNetConfig
    DEFAULT_WRITER_BATCH_SIZE = 256

    def __init__(
        self,
        cache_dir: str | None = None,
        *,
        config_name: str | None = None,
        base_path: str | None = None,
        repo_id: str | None = None,
        token: str | bool | None = None,
        patches: str | None = None,
        splits: typing.Sequence[str] | None = None,
        hash: str | None = None,  # noqa: A002 - without the script's hash the cache survives an edit of the script
        **kwargs: typing.Any,
    ) -> None:
        del hash
        building.check_name(config_name)
        self.release = choosing.find_release(patches, repo_id, base_path, token)
        splits = choosing.chosen_splits(self.release, splits)
        kwargs.update(
            patches=patches,
            release_id=building.release_id(
                self.release, kwargs.get("imagenet_dir"), kwargs.get("imagenet_repo"), token
            ),
            splits=None if splits == [*self.release.splits] else splits,  # all of them are one cache
        )
        super().__init__(cache_dir, base_path=base_path, repo_id=repo_id, token=token, **kwargs)

    @classmethod
    def get_all_exported_dataset_infos(cls) -> dict[str, datasets.DatasetInfo]:
        """None: the dataset card holds no features or sizes, which belong to a release and a source."""
        return {}

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo(
            description="Foregrounds and infilled backgrounds of ImageNet-1k, for recombination (ForAug).",
            features=row_features(self.release.class_names),
            homepage="https://huggingface.co/datasets/TNauen/ForNet",
            citation=building.CITATION,
        )

    def _split_generators(self, dl_manager: datasets.DownloadManager) -> list[datasets.SplitGenerator]:
        pictures = choosing.find_pictures(
            self.release, self.config.imagenet_dir, self.config.imagenet_repo, self.token
        )
        how = {"streaming": dl_manager.is_streaming, "anew": bool(dl_manager.download_config.force_download)}
        return [
            datasets.SplitGenerator(name=split, gen_kwargs={"units": [*self.release.units(split, pictures, **how)]})
            for split in choosing.chosen_splits(self.release, self.config.splits)
        ]

    def _generate_examples(self, units: typing.Sequence[Unit]) -> typing.Iterator[tuple[str, dict[str, typing.Any]]]:
        for unit in units:
            for row in unit.rows(choosing.opener(self.token)):
                yield row.key, dataclasses.asdict(row)

    def download_and_prepare(self, *args: typing.Any, num_proc: int | None = None, **kwargs: typing.Any) -> None:
        """Prepare the cache with MAX_WORKERS processes, or `num_proc` if that is fewer."""
        with building.own_errors(), watched_forks():
            super().download_and_prepare(*args, num_proc=building.workers(num_proc), **kwargs)

    def _download_and_prepare(self, *args: typing.Any, **kwargs: typing.Any) -> None:
        building.empty_folder(self._output_dir)
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
        with building.own_errors():
            yield from super()._prepare_split_single(*args, **kwargs)

    def _as_dataset(self, *args: typing.Any, **kwargs: typing.Any) -> datasets.Dataset:
        return building.recombined(super()._as_dataset(*args, **kwargs), self.config)

    def _as_streaming_dataset_single(self, splits_generator: datasets.SplitGenerator) -> datasets.IterableDataset:
        return building.recombined(super()._as_streaming_dataset_single(splits_generator), self.config)
