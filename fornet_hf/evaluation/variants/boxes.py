"""ImageNet's annotations: boxes in XML files, which may come from anybody."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from fornet_hf.errors import SourceError, explain
from fornet_hf.evaluation.variants.definition import Corners

_MAX_BYTES = 2**18  # ImageNet's longest has 10 kB
_MAX_BOXES = 1000
_NUMBER = re.compile(r"\s*(\d{1,5})\s*")
_DECLARATIONS = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)


@dataclass(frozen=True)
class Annotation:
    """The annotation of one image.

    Attributes:
        size: width and height of the image, pixels.
        boxes: of its objects.
    """

    size: tuple[int, int]
    boxes: tuple[Corners, ...]


def annotation_file(folder: Path, key: str, wnid: str) -> Path | None:
    """Return the annotation of an image; None if there is none.

    ImageNet's archives have `n01440764/n01440764_10026.xml`, and `val/ILSVRC2012_val_00000293.xml`.
    """
    roots = [folder, folder / "Annotation", folder / "Annotations", folder / "bbox", folder / "Annotations/CLS-LOC"]
    places = (wnid, f"train/{wnid}", "val", "validation", f"val/{wnid}", "")
    files = (root / place / f"{key}.xml" for root in roots for place in places)
    return next((file for file in files if file.is_file()), None)


def read_annotation(file: Path) -> Annotation:
    """Return what an annotation says. Declarations, of entities or anything else, are refused unread.

    Raises:
        SourceError: it is no annotation, or a hostile one.
    """
    with file.open("rb") as opened:
        data = opened.read(_MAX_BYTES + 1)
    annotation = _parsed(data)
    if annotation is None:
        allowed = f"size, and up to {_MAX_BOXES} boxes, in {_MAX_BYTES} bytes of XML without declarations"
        raise SourceError(explain(f"{file} is no annotation like ImageNet's", allowed=allowed))
    return annotation


def _parsed(data: bytes) -> Annotation | None:
    if len(data) > _MAX_BYTES or _DECLARATIONS.search(data) or b"\0" in data:  # UTF-16 could hide declarations
        return None
    try:
        root = ET.fromstring(data)  # noqa: S314 - without declarations nothing grows
    except (ValueError, LookupError, ET.ParseError, RecursionError):
        return None
    size = _numbers(root.find("size"), "width", "height")
    boxes = [_numbers(one.find("bndbox"), *Corners._fields) for one in root.findall("object")[: _MAX_BOXES + 1]]
    found = [Corners(*box) for box in boxes if box and box[0] <= box[2] and box[1] <= box[3]]
    if not size or len(found) < len(boxes) or len(boxes) > _MAX_BOXES:
        return None
    return Annotation((size[0], size[1]), tuple(found))


def _numbers(element: ET.Element | None, *names: str) -> list[int]:
    """Return the numbers in these elements; none if one of them has none."""
    texts = [(element.findtext(name) if element is not None else None) or "" for name in names]
    return [int(text) for text in texts] if all(map(_NUMBER.fullmatch, texts)) else []
