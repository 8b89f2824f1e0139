"""The `datasets` builder of ForNet: ImageNet taken apart into foregrounds and infilled backgrounds.

    load_dataset("TNauen/ForNet", trust_remote_code=True)      # datasets 3.6, which runs this script
    fornet_hf.load_dataset("TNauen/ForNet")                    # every version of datasets

Everything that is worth reading is in the library `fornet_hf`.
"""

import dataclasses
import typing

import datasets

# The library is imported inside of a block: datasets reads imports at the left margin as its own list of
# requirements, and hides this message behind a bare ModuleNotFoundError.
try:
    from fornet_hf import loading
    from fornet_hf.features import row_features
except ImportError as error:
    raise ImportError("ForNet needs its library: pip install 'fornet-hf[torch]'") from error


@dataclasses.dataclass
class ForNetConfig(datasets.BuilderConfig):
    """What to load.

    Attributes:
        patches: a folder with a release of patches; default: where this script is.
        imagenet_dir: the folder of ImageNet with `train/` and `val/`.
        splits: the splits to prepare; default: all that the release has.
    """

    patches: str | None = None
    imagenet_dir: str | None = None
    splits: typing.Sequence[str] | None = None

    def create_config_id(self, config_kwargs: dict[str, typing.Any], custom_features: object = None) -> str:
        """Name of the cache: by the content of the release, not by where it is or how it is recombined."""
        del config_kwargs, custom_features
        return loading.config_id(self.name, self.patches, self.splits)


class ForNet(datasets.GeneratorBasedBuilder):
    """Pulls patches, applies them to the user's ImageNet in parallel, and yields prepared rows."""

    VERSION = datasets.Version("1.0.0")
    BUILDER_CONFIG_CLASS = ForNetConfig
    DEFAULT_WRITER_BATCH_SIZE = 256

    def __init__(self, *args: typing.Any, hash: str | None = None, **kwargs: typing.Any) -> None:  # noqa: A002
        # Without the script's hash in its name the cache survives an edit of the script.
        del hash
        super().__init__(*args, **kwargs)

    def _info(self) -> datasets.DatasetInfo:
        release = loading.release(self.config.patches, self.base_path)
        return datasets.DatasetInfo(
            description="Foregrounds and infilled backgrounds of ImageNet-1k, for recombination (ForAug).",
            features=row_features(release.class_names),
            homepage="https://huggingface.co/datasets/TNauen/ForNet",
            citation=loading.CITATION,
        )

    def _split_generators(self, dl_manager: datasets.DownloadManager) -> list[datasets.SplitGenerator]:
        del dl_manager
        config = self.config
        release = loading.release(config.patches, self.base_path)
        units = loading.units(release, config.splits, config.imagenet_dir)
        return [datasets.SplitGenerator(name=name, gen_kwargs={"units": units[name]}) for name in units]

    def _generate_examples(
        self, units: typing.Sequence[loading.Unit]
    ) -> typing.Iterator[tuple[str, dict[str, typing.Any]]]:
        for unit in units:
            for row in unit.rows():
                yield row.key, dataclasses.asdict(row)

    def download_and_prepare(self, *args: typing.Any, num_proc: int | None = None, **kwargs: typing.Any) -> None:
        """Prepare the cache with MAX_WORKERS processes, or `num_proc` if that is fewer."""
        super().download_and_prepare(*args, num_proc=loading.workers(num_proc), **kwargs)

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
        with loading.own_errors():
            yield from super()._prepare_split_single(*args, **kwargs)
