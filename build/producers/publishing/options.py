"""The options that only some kinds of publications have."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from fornet_hf.errors import ConfigurationError, explain

Add = Callable[..., object]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add all of them, in a group for each set of kinds."""
    for kinds, add in _OF.items():
        add(parser.add_argument_group(f"only with --kind {' or '.join(kinds)}").add_argument)


def check_options(arguments: argparse.Namespace) -> None:
    """Refuse options that the kind does not have, and with --restore those of all kinds.

    Raises:
        ConfigurationError: there is one.
    """
    for kinds, add in _OF.items():
        own = argparse.ArgumentParser(add_help=False)
        add(own.add_argument)
        given = [name for name, usual in vars(own.parse_args([])).items() if getattr(arguments, name) != usual]
        if given and (arguments.restore is not None or arguments.kind not in kinds):
            found, allowed = f"--{given[0].replace('_', '-')}", f"with --kind {' or '.join(kinds)}"
            if arguments.restore is not None:
                raise ConfigurationError(explain("--restore does not have this option", found=found))
            what = f"--kind {arguments.kind} does not have this option"
            raise ConfigurationError(explain(what, found=found, allowed=allowed))


def _of_release(add: Add) -> None:
    names = ("-in", "--imagenet-dir", "--source")
    add(*names, dest="imagenet_dir", type=Path, metavar="DIR", help="the images: apply a sample of the patches")
    add("--sample", type=int, default=4, metavar="N", help="patches of every shard to apply (%(default)s)")
    text = "sample for the card; only images that may be published"
    add("--image", "--picture", type=Path, metavar="FILE", help=text)
    text = "leakage.json of `fornet leakage` for these patches: for the card"
    add("--leakage", type=Path, metavar="FILE", help=text)
    add("--source-repo", default="ILSVRC/imagenet-1k", help="of shards without manifest (%(default)s)")
    add("--source-revision", metavar="COMMIT", help="of the source, for shards without manifest")


def _of_model(add: Add) -> None:
    text = "id on the Hub, or name, of the model that the weights were made from; default: as their files say"
    add("--base-model", metavar="NAME", help=text)
    text = "model_index/MODEL.md of `fornet evaluate`, for the card; default: the one below FOLDER"
    add("--model-index", type=Path, metavar="FILE", help=text)


def _of_results(add: Add) -> None:
    add("--without-images", action="store_true", help="leave out all pages and files that hold images")


def _of_space(add: Add) -> None:
    text = "patches and their images for the app, which become release/; never those of ImageNet"
    add("--release", type=Path, metavar="FOLDER", help=text)


def _of_licensed(add: Add) -> None:
    text = "as the Hub calls it; default: of weights the terms of what they were trained on, of results cc-by-4.0"
    add("--license", metavar="NAME", help=text)


def _of_shown(add: Add) -> None:
    text = "say that you may publish all images in FOLDER; those of ImageNet are refused in any case"
    add("--images-may-be-published", action="store_true", help=text)


_OF: dict[tuple[str, ...], Callable[[Add], None]] = {
    ("release",): _of_release,
    ("model",): _of_model,
    ("results",): _of_results,
    ("space",): _of_space,
    ("model", "results"): _of_licensed,
    ("results", "space"): _of_shown,
}
