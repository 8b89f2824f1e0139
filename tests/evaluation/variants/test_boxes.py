"""Annotations of ImageNet, and what is none."""

import pytest

from fornet_hf.errors import SourceError
from fornet_hf.evaluation.variants.boxes import Annotation, annotation_file, read_annotation
from fornet_hf.evaluation.variants.definition import Corners

BOX = "<object><bndbox><xmin>{}</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax></bndbox></object>"
XML = "<annotation><size><width>500</width><height>375</height><depth>3</depth></size>{}</annotation>"


def annotation(*boxes: str) -> str:
    return XML.format("".join(BOX.format(box) for box in boxes))


def test_size_and_boxes_are_read(tmp_path):
    file = tmp_path / "a.xml"
    file.write_text(annotation("1", "7"))
    assert read_annotation(file) == Annotation((500, 375), (Corners(1, 2, 30, 40), Corners(7, 2, 30, 40)))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<annotation>",
        annotation().replace("<width>500</width>", "").encode(),
        annotation("-1").encode(),
        annotation("1e3").encode(),
        annotation("31").encode(),
        annotation("1234567").encode(),
        ('<!DOCTYPE a [<!ENTITY x "' + "1" * 99 + '">]>' + annotation("&x;")).encode(),
        ('<?xml version="1.0" encoding="utf-16"?>' + annotation("1")).encode("utf-16"),
        ('<!doctype a SYSTEM "file:///etc/passwd">' + annotation("1")).encode(),
        XML.format("<object>" * 40_000).encode(),
        annotation(*["1"] * 1001).encode(),
        b" " * 300_000 + annotation("1").encode(),
        b'<?xml version="1.0" encoding="nonsense"?>' + annotation("1").encode(),
    ],
)
def test_anything_else_is_refused(tmp_path, data):
    file = tmp_path / "a.xml"
    file.write_bytes(data)
    with pytest.raises(SourceError, match=r"a\.xml is no annotation"):
        read_annotation(file)


@pytest.mark.parametrize(
    "place", ["n01440764/k.xml", "Annotation/n01440764/k.xml", "train/n01440764/k.xml", "val/k.xml", "k.xml"]
)
def test_annotations_are_found_where_the_archives_have_them(tmp_path, place):
    file = tmp_path / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")
    assert annotation_file(tmp_path, "k", "n01440764") == file
    assert annotation_file(tmp_path, "l", "n01440764") is None
