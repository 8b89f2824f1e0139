"""The canonical raster: one array of pixels for every kind of file."""

import hashlib
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFile

from fornet_hf.errors import SourceError
from fornet_hf.format.raster import MAX_SCANS, MAX_SOURCE_PIXELS, canonical_raster, decode_rgb, fitted_size
from tests.images import file_of, made_image, pixels


def png_header(width, height):
    """A PNG that declares a size and has no pixels."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    idat = b"IDAT" + zlib.compress(b"")
    parts = [struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in (chunk, idat)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def gray16():
    return Image.fromarray((np.arange(256 * 4, dtype=np.uint32).reshape(4, 256) * 64).astype(np.uint16))


FILES = {
    "gray": (file_of(made_image(9, 7).convert("L")), "L"),
    "cmyk": (file_of(made_image(9, 7).convert("CMYK")), "CMYK"),
    "gray-alpha": (file_of(made_image(9, 7).convert("LA"), "PNG"), "LA"),
    "rgb-alpha": (file_of(made_image(9, 7).convert("RGBA"), "PNG"), "RGBA"),
    "palette": (file_of(made_image(9, 7).convert("P"), "PNG"), "P"),
    "1-bit": (file_of(made_image(9, 7).convert("1"), "PNG"), "1"),
    "webp": (file_of(made_image(9, 7), "WEBP", lossless=True), "RGB"),
    "bmp": (file_of(made_image(9, 7), "BMP"), "RGB"),
}


@pytest.mark.parametrize("name", FILES)
def test_every_mode_becomes_what_pillow_converts_it_to(name):
    data, mode = FILES[name]
    with Image.open(io.BytesIO(data)) as opened:
        assert opened.mode == mode
        expected = np.asarray(opened.convert("RGB"))
    raster = canonical_raster(data, 512)
    assert raster.mode == "RGB"
    assert np.array_equal(np.asarray(raster), expected)


def test_16_bit_gray_keeps_its_high_byte():
    raster = np.asarray(canonical_raster(file_of(gray16(), "PNG"), 512))
    assert np.array_equal(raster, np.repeat((np.asarray(gray16()) >> 8).astype(np.uint8)[..., None], 3, axis=2))
    assert raster.max() > 200


def test_alpha_and_palette_transparency_are_dropped_silently():
    image = made_image(9, 7).convert("P")
    plain, clear = file_of(image, "PNG"), file_of(image, "PNG", transparency=bytes(range(200)))
    assert np.array_equal(canonical_raster(clear, 512), canonical_raster(plain, 512))


def test_exif_rotation_is_not_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert canonical_raster(file_of(made_image(40, 20), exif=exif), 512).size == (40, 20)


@pytest.mark.parametrize(
    "extra",
    [
        {"exif": b"Exif\0\0MM\0*\xff\xff\xff\xff"},
        {"exif": b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\xff" * 40},
        {"xmp": b"<x:xmpmeta"},
    ],
    ids=["corrupt-exif", "corrupt-exif-directory", "corrupt-xmp"],
)
def test_corrupt_metadata_does_not_matter(extra):
    plain = canonical_raster(file_of(made_image(40, 20)), 512)
    assert np.array_equal(canonical_raster(file_of(made_image(40, 20), **extra), 512), plain)


def test_nothing_but_pixels_is_kept():
    data = file_of(made_image(9, 7), icc_profile=b"profile", comment=b"hello", dpi=(300, 300))
    assert decode_rgb(data).info == {}


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((512, 512), (512, 512)),
        ((513, 10), (512, 10)),
        ((5000, 3), (512, 1)),
        ((3, 5000), (1, 512)),
        ((500, 375), (500, 375)),
        ((1000, 333), (512, 170)),
        ((1024, 1), (512, 1)),
        ((2048, 6), (512, 2)),
        ((1, 1), (1, 1)),
    ],
)
def test_the_longer_side_is_fitted_and_halves_are_rounded_up(size, expected):
    assert fitted_size(*size, 512) == expected


def test_large_images_are_shrunk_by_bicubic():
    image = made_image(300, 200)
    expected = image.resize((128, 85), Image.Resampling.BICUBIC)
    assert np.array_equal(canonical_raster(file_of(image, "PNG"), 128), expected)


def test_rows_are_resized_before_columns_whatever_pillow_finds_cheaper():
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (1000, 333, 3), dtype=np.uint8))
    raster = np.asarray(canonical_raster(file_of(image, "PNG"), 512))
    assert hashlib.sha256(raster.tobytes()).hexdigest()[:8] == "f9c476ef"  # as Pillow 12 made it in one call


def test_small_images_keep_every_pixel():
    assert np.array_equal(canonical_raster(file_of(made_image(100, 50), "PNG"), 128), pixels(100, 50))


GOOD = file_of(made_image(64, 64))
DAMAGED = {
    "empty": b"",
    "text": b"no image at all",
    "cut": GOOD[: len(GOOD) // 2],
    "header only": GOOD[:100],
    "gif": file_of(made_image(8, 8), "GIF"),
    "tiff": file_of(made_image(8, 8), "TIFF"),
    "float tiff": file_of(Image.new("F", (4, 4)), "TIFF"),
    "png without pixels": png_header(20, 20),
    "png that declares 10^10 pixels": png_header(100_000, 100_000),
    "png just above the limit": png_header(2**13, 2**13 + 1),
    "png of no width": png_header(0, 5),
}


def many_scans(count):
    """A progressive JPEG whose last scan comes again and again."""
    data = file_of(made_image(64, 64), progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * (count - data.count(b"\xff\xda") + 1) + data[-2:]


BEYOND = {
    "a narrow png": lambda: png_header(1, 2**16),
    "a flat png": lambda: png_header(2**16, 1),
    "a webp": lambda: file_of(Image.new("RGB", (8192, 4097)), "WEBP", lossless=True, quality=0, method=0),
    "a progressive jpeg": lambda: file_of(Image.new("RGB", (8192, 6554)), progressive=True),
    "a jpeg of many scans": lambda: many_scans(MAX_SCANS + 1),
}


@pytest.mark.parametrize("name", BEYOND)
def test_what_takes_too_much_room_or_time_is_refused_before_it_is_decoded(name, monkeypatch):
    data = BEYOND[name]()
    monkeypatch.setattr(Image.Image, "convert", None)
    monkeypatch.setattr(ImageFile.ImageFile, "load", None)
    with pytest.raises(SourceError, match="the source image is too large"):
        decode_rgb(data)


def test_as_many_scans_as_are_allowed_are_read():
    assert decode_rgb(many_scans(MAX_SCANS)).size == (64, 64)


def test_the_longest_side_is_shrunk():
    assert canonical_raster(file_of(Image.new("L", (65535, 3)), "PNG"), 512).size == (512, 1)


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_and_foreign_files_are_source_errors(name):
    with pytest.raises(SourceError, match="the source image"):
        decode_rgb(DAMAGED[name])


def test_the_limit_is_checked_before_pixels_are_decoded():
    with pytest.raises(SourceError, match=f"8192 x 8193.*{MAX_SOURCE_PIXELS} pixels"):
        decode_rgb(DAMAGED["png just above the limit"])
