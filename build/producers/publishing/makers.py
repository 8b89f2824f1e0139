"""From a command line to the thing that it asks to publish."""

from __future__ import annotations

import argparse
from pathlib import Path

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.evaluation.leakage.read import read_numbers, sentence
from fornet_hf.hub.location import locate
from fornet_hf.publish.assembly import Ingredients, patches_in
from fornet_hf.publish.kinds.kind import Maker
from fornet_hf.publish.kinds.model import ModelMaker
from fornet_hf.publish.kinds.release import ReleaseMaker
from fornet_hf.publish.kinds.results import ResultsMaker
from fornet_hf.publish.kinds.space import SpaceMaker
from fornet_hf.release.release import open_release
from producers.publishing.options import check_options


def maker_of(arguments: argparse.Namespace, project: Path, token: str | None) -> Maker:
    """Return what is to be published, which nobody has looked at yet.

    Args:
        arguments: of `build/publish.py`.
        project: folder of the builder script and the library, which belong to a release and a Space.
        token: in use.

    Raises:
        ForNetError: an option is of another kind, or what it names cannot be read.
    """
    if arguments.folder is None:
        then = "publish.py FOLDER REPO publishes; publish.py REPO --restore TAG brings an old state back."
        raise ConfigurationError(explain("nothing to publish", allowed="FOLDER REPO", then=then))
    check_options(arguments)
    match arguments.kind:
        case "model":
            return ModelMaker(
                folder=arguments.folder,
                repository=arguments.repository,
                base=arguments.base_model,
                license=arguments.license,
                results=arguments.model_index,
                token=token,
            )
        case "results":
            return ResultsMaker(
                folder=arguments.folder,
                repository=arguments.repository,
                images_allowed=arguments.images_may_be_published,
                without_images=arguments.without_images,
                license=arguments.license,
                token=token,
            )
        case "space":
            return SpaceMaker(
                folder=arguments.folder,
                project=project,
                release=arguments.release,
                images_allowed=arguments.images_may_be_published,
                token=token,
            )
    return ReleaseMaker(_ingredients(arguments, project, token))


def _ingredients(arguments: argparse.Namespace, project: Path, token: str | None) -> Ingredients:
    return Ingredients(
        patches=arguments.folder,
        repository=arguments.repository,
        project=project,
        source_repository=arguments.source_repo,
        source_revision=arguments.source_revision,
        imagenet_dir=arguments.imagenet_dir,
        sample=arguments.sample,
        image=arguments.image,
        remarks=_remarks(arguments),
        token=token,
    )


def _remarks(arguments: argparse.Namespace) -> tuple[str, ...]:
    """Return sentences for the card: the leakage, if it was measured.

    Raises:
        ForNetError: the file cannot be read, or is of another release.
    """
    if arguments.leakage is None:
        return ()
    document = read_numbers(arguments.leakage)
    split = document["settings"]["split"]
    release = open_release(locate(str(patches_in(arguments.folder))))
    now = release.fingerprint(split) if split in release.splits else f"no split {split}"
    if document["settings"]["release"] != now:
        what, then = f"{arguments.leakage}: of another release", "Measure these patches: fornet leakage."
        raise ConfigurationError(explain(what, found=document["settings"]["release"], allowed=now, then=then))
    return (sentence(document),)
