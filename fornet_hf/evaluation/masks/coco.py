"""COCO's JSON: objects are polygons or runs of pixels, and crowds, which are not counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from fornet_hf.errors import ConfigurationError, NotFoundError, SourceError, explain
from fornet_hf.evaluation.masks.names import Name
from fornet_hf.evaluation.masks.sets import MaskSet, Outline
from fornet_hf.format.keys import image_key
from fornet_hf.format.masks import Mask
from fornet_hf.format.raster import MAX_SOURCE_PIXELS
from fornet_hf.packages import needing

Record = Mapping[str, Any]

_FARTHEST = 1e6  # pixels; corners may lie outside of the image
_MOST_DIGITS = 7  # of a run's length, to the base of 32


@dataclass(frozen=True)
class CocoMasks(MaskSet):
    """The objects of each image together; pixels of crowds that are in no object are not counted.

    Attributes:
        names: of the images.
        images: their records.
        objects: records of the annotations, by image id.
        rule: for a person.
    """

    names: Sequence[Name]
    images: Sequence[Record]
    objects: Mapping[int, Sequence[Record]]
    rule: str

    def read(self, number: int) -> Outline:
        """Return the objects of an image.

        Raises:
            SourceError: an annotation is damaged.
        """
        image = self.images[number]
        try:
            size = int(image["height"]), int(image["width"])
            if not (min(size) > 0 and size[0] * size[1] <= MAX_SOURCE_PIXELS):
                raise ValueError(size)
            crowd, numbers = np.zeros(size, np.bool_), np.zeros(size, np.int32)
            for place, one in enumerate(self.objects.get(image["id"], ()), 1):
                pixels = _pixels(one["segmentation"], size)
                if one.get("iscrowd"):
                    crowd |= pixels
                else:
                    numbers[pixels] = place  # what objects share is the last one's
        except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
            raise SourceError(
                explain(f"image {image.get('id')}: its annotations are damaged", found=error)
            ) from error
        mask = numbers != 0
        return Outline(mask, mask | ~crowd, numbers)


def _pixels(segmentation: Any, size: tuple[int, int]) -> Mask:
    """Return the pixels of polygons or runs. The library does not check: what runs leave out has any value."""
    if isinstance(segmentation, list):
        return _inside(segmentation, size)
    if tuple(segmentation["size"]) != size:
        raise SourceError(explain("an object does not fit its image", found=segmentation["size"], allowed=[*size]))
    counts = segmentation["counts"]
    lengths = np.array(counts, np.int64) if isinstance(counts, list) else _lengths(counts.encode())
    height, width = size
    if lengths.sum() != height * width or (lengths < 0).any():
        found = f"runs of {lengths.sum()} pixels"
        raise SourceError(explain("an object does not fit its image", found=found, allowed=height * width))
    columns = (np.arange(len(lengths)) % 2 == 1).repeat(lengths).reshape(width, height)
    return np.asarray(columns.T)


def _inside(polygons: Sequence[Sequence[float]], size: tuple[int, int]) -> Mask:
    from pycocotools import mask as coded

    for one in polygons:
        if len(one) % 2 or not all(abs(value) <= _FARTHEST for value in one):  # NaN is not
            raise SourceError(explain("an object cannot be read", found=f"a polygon of {len(one)} numbers"))
    areas = [one for one in polygons if len(one) >= 6]  # less encloses nothing; four numbers would be a box
    if not areas:
        return np.zeros(size, np.bool_)
    return np.asarray(coded.decode(coded.merge(coded.frPyObjects(areas, *size)))).astype(np.bool_)


def _lengths(text: bytes) -> npt.NDArray[np.int64]:
    """Return the lengths of runs that are written as COCO's text.

    Each character has 5 bits of a number, the lowest first, and says with the sixth that more follow; the highest bit
    is the sign. From the fourth number on it is the difference to the number before the last.
    """
    bits = np.frombuffer(text, np.uint8).astype(np.int64) - ord("0")
    ends = np.flatnonzero(bits & 32 == 0)
    starts = np.concatenate([[0], ends[:-1] + 1])
    digits = ends - starts + 1
    if not len(ends) or ends[-1] + 1 < len(bits) or ((bits < 0) | (bits > 63)).any() or digits.max() > _MOST_DIGITS:
        raise SourceError(explain("an object cannot be read", found="text that is none of COCO's runs"))
    shifts = 5 * (np.arange(len(bits)) - starts.repeat(digits))
    numbers: npt.NDArray[np.int64] = np.add.reduceat((bits & 31) << shifts, starts) - (
        (bits[ends] >> 4) << 5 * digits
    )
    for first in (1, 2):
        numbers[first::2] = numbers[first::2].cumsum()
    return numbers


def read_coco(path: Path, categories: Sequence[str] = ()) -> CocoMasks:
    """Return the masks of a file like `instances_val2017.json`.

    Args:
        path: of the file.
        categories: names of those whose objects count; empty: all. Images without any of them have an empty mask.

    Raises:
        NotFoundError: there is no such file.
        SourceError: it is not like COCO's.
        ConfigurationError: there is no such category.
        MissingDependencyError: pycocotools is not installed.
    """
    with needing("COCO's masks", "pycocotools"):
        import pycocotools.mask  # noqa: F401  # before much is read
    import json

    try:
        document = json.loads(path.read_bytes())
        images = [{**image, "file_name": str(image["file_name"])} for image in document["images"]]
        named = [(str(one["name"]), one["id"]) for one in document.get("categories", [])]
        if unknown := sorted({*categories} - {name for name, _ in named}):
            allowed = ", ".join(name for name, _ in named)
            raise ConfigurationError(explain("no such category", found=repr(unknown[0]), allowed=allowed))
        wanted = {number for name, number in named if name in categories}
        objects = defaultdict(list)
        for one in document["annotations"]:
            if not wanted or one["category_id"] in wanted:
                objects[one["image_id"]].append(one)
    except (FileNotFoundError, IsADirectoryError) as error:
        allowed = "a file like annotations/instances_val2017.json"
        raise NotFoundError(explain("no JSON of COCO", found=path, allowed=allowed)) from error
    except ConfigurationError:
        raise
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        found = f"{type(error).__name__}: {error}"
        raise SourceError(explain(f"{path} is not like COCO's", found=found)) from error
    paths = [PurePosixPath(image["file_name"]) for image in images]
    names = [Name(image_key(path.name)[0], path.parent.name) for path in paths]
    what = f"objects of {', '.join(categories)}" if categories else "all objects"
    return CocoMasks(names, images, objects, f"{what}; crowds are not counted")
