"""Pairs of image and mask, by name: of runs, of releases, of folders and of public sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.evaluation.masks.layouts import read_truth
from fornet_hf.evaluation.masks.predicted import ShardMasks, read_predicted, shards_of
from fornet_hf.evaluation.masks.sets import MaskSet, Outline
from fornet_hf.format.keys import SHARD
from fornet_hf.format.manifest import MANIFEST, read_manifest
from fornet_hf.sources import Columns
from producers.pairs.images import Images, Reader, Row, images_of, images_of_split
from producers.pairs.sizes import Pair


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Images and masks that are not read yet, in the order of the masks' files.

    Attributes:
        keys: of the images; the same one may be in two splits.
        splits: "train", "validation" or "test" for each; "" where nobody says.
        places: of the images.
        numbers: of the masks, each in its set.
        sets: of the masks, likewise.
        unmatched: masks without an image and images without a mask, counted.
    """

    keys: Sequence[str]
    splits: Sequence[str]
    places: Sequence[Path | Row]
    numbers: Sequence[int]
    sets: Sequence[MaskSet]
    unmatched: dict[str, int]

    def __len__(self) -> int:
        return len(self.keys)

    def read(self, index: int) -> Pair:
        """Return one pair; of Parquet shards a whole row group is read for it.

        Raises:
            ForNetError: the image or the mask cannot be read.
        """
        mask = self.sets[index].read(self.numbers[index]).mask
        return Pair(self.keys[index], Reader().read(self.places[index]), mask)

    def readers(self, wanted: Sequence[int] | None = None) -> Iterator[tuple[int, Callable[[], Pair]]]:
        """Yield the indices of some pairs in the order of their files, each with what reads it in any thread.

        Args:
            wanted: their indices; None: all.

        Raises:
            ForNetError: a shard cannot be read.
        """
        reader = Reader()
        chosen = range(len(self)) if wanted is None else sorted(wanted)
        for _, group in groupby(chosen, key=lambda index: id(self.sets[index])):
            indices = {self.numbers[index]: index for index in group}
            masks = self.sets[next(iter(indices.values()))].readers(indices)
            for number, mask in masks:
                index = indices[number]
                place = self.places[index]
                read = partial(reader.read, place) if isinstance(place, Path) else partial(_same, reader.read(place))
                yield index, partial(_pair, self.keys[index], read, mask)


def _pair(key: str, image: Callable[[], bytes], mask: Callable[[], Outline]) -> Pair:
    return Pair(key, image(), mask().mask)


def _same(data: bytes) -> bytes:
    return data


def read_pairs(
    images: Path,
    masks: Path,
    *,
    layout: str | None = None,
    threshold: int | None = None,
    columns: Columns | None = None,
) -> Pairs:
    """Return the pairs of images and masks that have one name.

    Args:
        images: laid out as for segment.py; any folder of images will do if the masks are not those of a run.
        masks: of a run, a release, a folder of PNG files, or of a public set.
        layout: of a public set, one of `LAYOUTS`; None: one of the others.
        threshold: grey level above which is the object; None: as `read_predicted`, or the layout's own.
        columns: of Parquet shards; by default those of the release, or found by their names and types.

    Raises:
        NotFoundError: there are no masks, no images, or none that go together.
        ForNetError: something is damaged.
    """
    if columns is None or columns == Columns():
        columns = _columns(masks)
    if layout is None and (shards := shards_of(masks)):
        if threshold is not None:
            found = f"{masks}, a run or release, whose masks have no grey levels"
            raise ConfigurationError(explain("a threshold is not allowed", found=found, allowed="PNG masks"))
        parts: list[tuple[MaskSet, Images]] = [
            (ShardMasks.of([*those]), images_of_split(images, split, columns))
            for split, those in groupby(shards, key=_split)
        ]
    else:
        truth = read_predicted(masks, threshold) if layout is None else read_truth(masks, layout, threshold=threshold)
        parts = [(truth, images_of(images, columns))]
    pairs = _matched(parts)
    if not len(pairs):
        names = [one.keys()[:2] for one in parts[0]]
        then = "Images and masks go together by the names of their files, without ending."
        raise NotFoundError(explain("no image has the name of a mask", found=names, then=then))
    return pairs


def _split(shard: Path) -> str:
    match = SHARD.fullmatch(shard.name)
    return match["stem"] if match else ""


def _columns(masks: Path) -> Columns:
    """Return the columns that a release was made from."""
    for folder in (masks, masks / "patches"):
        if (folder / MANIFEST).is_file():
            return Columns.of_release(read_manifest(folder).producer)
    return Columns()


def _matched(parts: Sequence[tuple[MaskSet, Images]]) -> Pairs:
    found: list[tuple[str, str, Path | Row, int, MaskSet]] = []
    without = {"masks without an image": 0, "images without a mask": 0}
    for masks, images in parts:
        keys, matched = masks.keys(), images.matched(masks)
        said = masks.splits or [""] * len(keys)
        for place, number in sorted(matched.items(), key=lambda pair: pair[1]):
            split = said[number] or (images.splits[place] if images.splits else "")
            found.append((keys[number], split, images.places[place], number, masks))
        without["masks without an image"] += len(keys) - len(matched)
        without["images without a mask"] += len(images.names) - len(matched)
    names, splits, at, numbers, sets = zip(*found, strict=True) if found else ((),) * 5
    return Pairs(keys=names, splits=splits, places=at, numbers=numbers, sets=sets, unmatched=without)
