"""COCO's JSON: objects are polygons or runs of pixels, and crowds, which are not counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from fornet_hf.errors import ConfigurationError, NotFoundError, SourceError, explain
from fornet_hf.evaluation.masks.names import Name
from fornet_hf.evaluation.masks.sets import MaskSet, Outline
from fornet_hf.format.keys import image_key
from fornet_hf.format.masks import Mask
from fornet_hf.format.raster import MAX_SOURCE_PIXELS
from fornet_hf.packages import needing

Record = Mapping[str, Any]


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
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise SourceError(
                explain(f"image {image.get('id')}: its annotations are damaged", found=error)
            ) from error
        mask = numbers != 0
        return Outline(mask, mask | ~crowd, numbers)


def _pixels(segmentation: Any, size: tuple[int, int]) -> Mask:
    from pycocotools import mask as runs

    height, width = size
    if isinstance(segmentation, list):
        areas = [one for one in segmentation if len(one) >= 6]  # less encloses nothing; four numbers would be a box
        if not areas:
            return np.zeros(size, np.bool_)
        coded = runs.merge(runs.frPyObjects(areas, height, width))
    elif tuple(segmentation["size"]) != size:
        raise SourceError(explain("an object does not fit its image", found=segmentation["size"], allowed=[*size]))
    elif isinstance(segmentation["counts"], list):
        if sum(segmentation["counts"]) != height * width or min(segmentation["counts"]) < 0:
            found = f"{sum(segmentation['counts'])} pixels"
            raise SourceError(explain("an object does not fit its image", found=found, allowed=height * width))
        coded = runs.frPyObjects(segmentation, height, width)
    else:
        coded = segmentation
    return np.asarray(runs.decode(coded)).astype(np.bool_)


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
        named = {str(one["name"]): one["id"] for one in document.get("categories", [])}
        wanted = {_category(name, named) for name in categories}
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
    names = [Name(image_key(PurePosixPath(image["file_name"]).name)[0]) for image in images]
    what = f"objects of {', '.join(categories)}" if categories else "all objects"
    return CocoMasks(names, images, objects, f"{what}; crowds are not counted")


def _category(name: str, named: Mapping[str, int]) -> int:
    if name not in named:
        raise ConfigurationError(explain("no such category", found=repr(name), allowed=", ".join(named)))
    return named[name]
