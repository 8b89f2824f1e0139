"""Images of a run to show: those with candidates, those without, and their files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from fornet_hf.errors import ForNetError, NotFoundError, explain
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.keys import SHARD
from fornet_hf.sources import Columns
from producers.pairs.images import Reader, Row, images_of_split
from producers.tasks.candidate_shards import CandidatePatch, CandidateShard
from producers.work.report import Lost
from producers.work.run_folder import CandidateFolder


class Found(NamedTuple):
    """An image with candidates: the shard they are in, and its key."""

    shard: Path
    key: str


class Versions(NamedTuple):
    """All candidates of an image, and the settings that they were made with."""

    split: str
    candidates: tuple[CandidatePatch, ...]
    encoding: Encoding


def found(folder: CandidateFolder) -> list[Found]:
    """Return the images of all finished shards that have candidates, in their order."""
    paths = sorted(folder.candidates.glob("*.parquet"))
    return [Found(path, key) for path in paths for key in CandidateShard(path).image_keys()]


def versions(images: Sequence[Found]) -> Iterator[Versions]:
    """Yield the candidates of each image, shard by shard."""
    for path in dict.fromkeys(one.shard for one in images):
        shard, left = CandidateShard(path), {one.key for one in images if one.shard == path}
        for candidates in shard.by_image():
            if candidates[0].patch.key in left:
                left.remove(candidates[0].patch.key)
                yield Versions(split_of(path.stem), candidates, shard.encoding)
            if not left:
                break


def lost(folder: CandidateFolder) -> list[tuple[str, Lost]]:
    """Return the images of all finished shards that have no candidates, each with its split, by their reasons."""
    images = [(split_of(name), one) for name, report in folder.reports().items() for one in report.lost]
    return sorted(images, key=lambda image: (image[1].outcome, image[1].kind))


def split_of(shard: str) -> str:
    """Return the split of a shard by its name."""
    match = SHARD.fullmatch(f"{shard}.parquet")
    return match["stem"] if match else shard


class Sources:
    """The files of the images that were segmented, read one at a time."""

    def __init__(self, root: Path, columns: Columns) -> None:
        self._root = root
        self._columns = columns
        self._reader = Reader()
        self._places: dict[str, dict[str, Path | Row] | ForNetError] = {}

    def read(self, split: str, key: str) -> bytes:
        """Return the bytes of an image's file.

        Raises:
            NotFoundError: there is no such image.
            ForNetError: the split's images cannot be read.
        """
        if split not in self._places:
            self._places[split] = self._listed(split)
        places = self._places[split]
        if isinstance(places, ForNetError):
            raise places
        if key not in places:
            then = "Give the images that were segmented."
            raise NotFoundError(explain("the image of a candidate is missing", found=key, then=then))
        return self._reader.read(places[key])

    def _listed(self, split: str) -> dict[str, Path | Row] | ForNetError:
        try:
            images = images_of_split(self._root, split, self._columns)
        except ForNetError as error:
            return error
        return dict(zip(images.keys(), images.places, strict=True))
