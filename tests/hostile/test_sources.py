"""Images that are not those of the patches: a typed error that names the place, and never a wrong row."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from PIL import Image

from fornet_hf.errors import (
    IntegrityError,
    PatchFormatError,
    SourceError,
)
from fornet_hf.format.raster import canonical_raster
from tests.format.test_raster import png_header
from tests.hostile.attacked import KEY, PLACE, refused
from tests.images import file_of, made_image


def resaved(data):
    return file_of(Image.fromarray(np.asarray(canonical_raster(data, 128))), quality=95)


SOURCES = {
    "another image": lambda data: file_of(made_image(70, 80, seed=9)),
    "the same saved again": resaved,
    "cut off": lambda data: data[:-100],
    "one bit": lambda data: data[:900] + bytes([data[900] ^ 1]) + data[901:],
    "bytes behind": lambda data: data + b"\0",
    "empty": lambda data: b"",
}


@pytest.mark.parametrize("name", SOURCES)
def test_other_sources(attacked, name):
    attacked.source.write_bytes(SOURCES[name](attacked.source.read_bytes()))
    refused(attacked, IntegrityError, PLACE, "the source image is not the one")


HOSTILE_SOURCES = {
    "bomb": (png_header(10**5, 10**5), SourceError, "source image"),
    "text": (b"text", SourceError, "JPEG, PNG, WEBP, BMP"),
    "gif": (file_of(made_image(70, 80), "GIF"), SourceError, "source image"),
    "cut jpeg": (file_of(made_image(70, 80))[:800], SourceError, "source image"),
    "other size": (file_of(made_image(80, 70)), PatchFormatError, "(80, 70); allowed: (70, 80)"),
    "other pixels": (file_of(made_image(70, 80, seed=9)), IntegrityError, "prediction differs"),
}


@pytest.mark.parametrize("name", HOSTILE_SOURCES)
def test_sources_with_the_right_digest(attacked, name):
    data, error, says = HOSTILE_SOURCES[name]
    attacked.source.write_bytes(data)
    changes = {"source_sha256": hashlib.sha256(data).digest()}
    attacked.table(lambda records: [{**r, **(changes if r["key"] == KEY else {})} for r in records])
    refused(attacked, error, PLACE, says)
