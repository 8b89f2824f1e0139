"""From a folder of patch shards to all files of a release, every one of them checked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fornet_hf.errors import ConfigurationError, NotFoundError, PatchFormatError, explain
from fornet_hf.files import write_text
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.manifest import MANIFEST, PATCHES, SPLITS, Manifest, ShardEntry, read_manifest
from fornet_hf.format.shards import PatchShard
from fornet_hf.hub.location import Place
from fornet_hf.publish.card import fill_card
from fornet_hf.publish.contents import Content, image_path, library_files, refuse_tokens
from fornet_hf.release.checks import Findings, check_list, check_sample, check_shards
from fornet_hf.release.release import PatchRelease
from fornet_hf.release.statistics import STATISTICS
from fornet_hf.release.verify import CARD
from fornet_hf.sources import shard_files

TEMPLATE = "dataset_card.md"
_MOST = 10  # problems that a message names
_ADVICE = "Write the manifest again if the shard was changed on purpose; else make the shard again."


@dataclass(frozen=True, kw_only=True)
class Ingredients:
    """The ingredients of a release.

    Attributes:
        patches: folder of the patch shards, with their manifest or without.
        repository: which they are published to; the card says how to load it.
        project: folder of the builder script, the library and the card's template.
        source_repository: for a folder without manifest: the repository of the images.
        source_revision: for a folder without manifest: its commit.
        imagenet_dir: the images, to apply patches to; None: none are applied.
        sample: patches of every shard to apply.
        image: for the card: a JPEG or PNG that may be published.
        remarks: sentences for the card, about how it was made.
        token: the token in use, which no file may hold.
    """

    patches: Path
    repository: str
    project: Path
    source_repository: str = "ILSVRC/imagenet-1k"
    source_revision: str | None = None
    imagenet_dir: Path | None = None
    sample: int = 4
    image: Path | None = None
    remarks: Sequence[str] = ()
    token: str | None = None


@dataclass(frozen=True, kw_only=True)
class Assembled:
    """A release that may be published.

    Attributes:
        files: all of it by path in the repository.
        card: the dataset card, one of them.
        known: SHA-256 of the shards.
        statistics: of every split.
        findings: of the checks, without problems.
        remarks: of the card.
    """

    files: Mapping[str, Content]
    card: bytes
    known: Mapping[str, str]
    statistics: Mapping[str, Any]
    findings: Findings
    remarks: Sequence[str] = ()

    def write(self, folder: Path) -> None:
        """Put manifest and statistics beside the shards, where they are missing or differ."""
        for name in (MANIFEST, STATISTICS):
            content = self.files[f"{PATCHES}/{name}"]
            if isinstance(content, bytes):
                write_text(folder / name, content.decode())


def assemble(ingredients: Ingredients) -> Assembled:
    """Check everything, count, and fill in the card.

    Raises:
        PatchFormatError: the release is not sound; the message names up to ten problems.
        ForNetError: something else cannot be published as it is; the message says what.
    """
    small = given_files(ingredients)
    folder = patches_in(ingredients.patches)
    listed = f"{PATCHES}/{MANIFEST}" in small
    manifest = read_manifest(folder) if listed else _new_manifest(folder, ingredients)
    findings = _check(folder, manifest, ingredients)
    statistics = {
        split: {"shards": len(manifest.splits[split]), **facts.to_json()} for split, facts in findings.facts.items()
    }
    made: dict[str, Content] = {f"{PATCHES}/{STATISTICS}": (json.dumps(statistics, indent=1) + "\n").encode()}
    if not listed:
        made[f"{PATCHES}/{MANIFEST}"] = (json.dumps(manifest.to_json(), indent=1, sort_keys=True) + "\n").encode()
    image = None if ingredients.image is None else image_path(ingredients.image)
    template = (ingredients.project / TEMPLATE).read_text(encoding="utf-8")
    made[CARD] = card = fill_card(
        template, manifest, statistics, repository=ingredients.repository, image=image, remarks=ingredients.remarks
    ).encode()
    refuse_tokens(made, ingredients.token)
    entries = manifest.shards
    return Assembled(
        card=card,
        files={**small, **made, **{f"{PATCHES}/{entry.path}": folder / entry.path for entry in entries}},
        known={f"{PATCHES}/{entry.path}": entry.sha256 for entry in entries},
        statistics=statistics,
        findings=findings,
        remarks=ingredients.remarks,
    )


def given_files(ingredients: Ingredients) -> dict[str, Content]:
    """Return the files that are there before the shards are read, by path: code, manifest, image.

    Raises:
        ForNetError: one of them, or another ingredient, is missing or cannot be used.
    """
    folder, images = patches_in(ingredients.patches), ingredients.imagenet_dir
    template = ingredients.project / TEMPLATE
    if ingredients.sample < 1:
        raise ConfigurationError(explain("patches to apply of each shard", found=ingredients.sample, allowed=">= 1"))
    if images is not None and not images.is_dir():
        raise NotFoundError(explain("the folder of images is missing", found=f"no folder {images}"))
    if not template.is_file():
        raise NotFoundError(explain("the card's template is missing", found=f"no file {template}"))
    files = library_files(ingredients.project)
    if (folder / MANIFEST).is_file():
        files[f"{PATCHES}/{MANIFEST}"] = folder / MANIFEST
    if ingredients.image is not None:
        files[image_path(ingredients.image)] = ingredients.image
    refuse_tokens(files, ingredients.token)
    return files


def patches_in(folder: Path) -> Path:
    """Return the folder of the shards: the one given, or `patches/` in the folder of a run.

    Raises:
        NotFoundError: there is no such folder.
    """
    if not folder.is_dir():
        raise NotFoundError(explain("the folder of patches is missing", found=f"no folder {folder}"))
    inner = folder / PATCHES
    return inner if inner.is_dir() and not (folder / MANIFEST).is_file() else folder


def _new_manifest(folder: Path, ingredients: Ingredients) -> Manifest:
    """Return the manifest of all splits whose shards, `train-00000-of-00294.parquet` on, are in a folder.

    Raises:
        NotFoundError: no source revision, no shards, or a shard is missing.
        PatchFormatError: a shard is damaged, or they were made with different settings.
    """
    if ingredients.source_revision is None:
        then = "Name the commit of the source: --source-revision COMMIT, and with --source-repo another repository."
        raise NotFoundError(explain(f"{folder}: the release is not described", found=f"no {MANIFEST}", then=then))
    encodings: dict[Encoding, str] = {}
    splits: dict[str, tuple[ShardEntry, ...]] = {}
    for split in SPLITS:
        names = [path.name for path in shard_files(folder, split)] if any(folder.glob(f"{split}-*.parquet")) else []
        for name in names:  # the source's shard in `data/` has the same name
            shard = PatchShard(folder / name, name)
            encodings.setdefault(shard.encoding, name)
            entry = ShardEntry.of(folder, name, len(shard), f"data/{name}")
            splits[split] = (*splits.get(split, ()), entry)
    if not splits:
        allowed = f"{SPLITS[0]}-00000-of-NNNNN.parquet, ..."
        raise NotFoundError(explain(f"{folder}: no patch shards", allowed=allowed))
    if len(encodings) > 1:
        found = "; ".join(f"{name}: {encoding}" for encoding, name in encodings.items())
        raise PatchFormatError(
            explain(f"{folder}: shards with different settings", found=found, allowed="one setting")
        )
    return Manifest(
        encoding=next(iter(encodings)),
        splits=splits,
        source=ingredients.source_repository,
        source_revision=ingredients.source_revision,
    )


def _check(folder: Path, manifest: Manifest, ingredients: Ingredients) -> Findings:
    place, findings = Place.of_folder(folder), Findings()
    release = PatchRelease(place.location, "", manifest)
    findings.problems.extend(check_list(release, place.paths))
    check_shards(place, release, findings, read=True, advice=_ADVICE)
    if ingredients.imagenet_dir is not None and not findings.problems:
        check_sample(place, release, ingredients.imagenet_dir, ingredients.sample, findings)
    if findings.problems:
        some = "\n  ".join(str(problem) for problem in findings.problems[:_MOST])
        count = len(findings.problems)
        raise PatchFormatError(f"the release has {count} problem{'s' * (count > 1)}:\n  {some}")
    return findings
