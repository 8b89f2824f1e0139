"""Parts of images: the same pixels, whatever is left undecoded."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fornet_hf.errors import ConfigurationError
from fornet_hf.format import jpeg
from fornet_hf.recombination.pixels import decoding, scaling
from fornet_hf.recombination.pixels.decoding import decode_part, decoded, encoded, size_of
from fornet_hf.recombination.pixels.quads import image_of, quads_of
from tests.factory import photo

IMAGE = photo("coffee", 400)
CODED = jpeg.encode(IMAGE)
PIXELS = np.asarray(Image.open(io.BytesIO(CODED)))


def test_the_whole_image_is_what_pillow_decodes():
    assert np.array_equal(np.asarray(decoded(CODED)), PIXELS)


@given(st.integers(0, IMAGE.width - 1), st.integers(0, IMAGE.height - 1), st.integers(1, 400), st.integers(1, 400))
def test_any_box_is_exact_at_its_own_size(x, y, width, height):
    box = (x, y, min(x + width, IMAGE.width), min(y + height, IMAGE.height))
    part = decode_part(CODED, box, (box[2] - x, box[3] - y))
    assert np.array_equal(np.asarray(part), PIXELS[y : box[3], x : box[2]])


@pytest.mark.parametrize("width", range(385, 401))
def test_the_last_columns_are_exact_for_any_width(width):
    image = IMAGE.crop((0, 0, width, IMAGE.height))
    coded = jpeg.encode(image)
    pixels = np.asarray(Image.open(io.BytesIO(coded)))
    for left in range(width - 6, width):
        part = decode_part(coded, (left, 5, width, 20), (width - left, 15))
        assert np.array_equal(np.asarray(part), pixels[5:20, left:])


def test_small_parts_are_cut_out_of_the_file(monkeypatch):
    seen = []
    monkeypatch.setattr(
        decoding, "_load", lambda data, size, shrink: seen.append(size) or np.zeros((*size, 4), np.uint8)
    )
    decode_part(CODED, (100, 100, 150, 150), (50, 50))
    assert seen == [(64, 64)]


@pytest.mark.parametrize("box", [(10.25, 20.5, 250.75, 180.0), (3.0, 5.0, 203.0, 105.0), (0.0, 0.0, 400.0, 266.0)])
@pytest.mark.parametrize("output", [(224, 224), (100, 50), (31, 17)])
def test_scaled_parts_agree_with_scaling_the_whole(box, output):
    part = np.asarray(decode_part(CODED, box, output)).astype(float)
    whole = np.asarray(Image.fromarray(PIXELS).resize(output, Image.Resampling.BILINEAR, box=box)).astype(float)
    assert np.mean((part - whole) ** 2) < 255**2 / 10**3.5  # 35 dB; decoding at half the size is not exact


def test_torch_and_pillow_scale_alike(monkeypatch):
    pytest.importorskip("torch")
    quads = quads_of(Image.fromarray(PIXELS))
    with_torch = scaling.scaled(quads, (7, 9, 300, 250), (224, 200))[..., :3].astype(int)
    monkeypatch.setitem(scaling.sys.modules, "torch", None)
    without = scaling.scaled(quads, (7, 9, 300, 250), (224, 200))[..., :3].astype(int)
    assert np.abs(with_torch - without).max() <= 1


def test_a_box_of_whole_pixels_shows_nothing_beyond_it():
    image = Image.new("RGB", (64, 64), (255, 0, 0))
    image.paste((0, 0, 255), (16, 16, 48, 48))
    found = image_of(scaling.scaled(quads_of(image), (16, 16, 48, 48), (7, 7)))
    assert found.getcolors() == [(49, (0, 0, 255))]


def other_forms() -> dict[str, object]:
    loaded = Image.open(io.BytesIO(CODED))
    loaded.load()
    return {
        "opened": Image.open(io.BytesIO(CODED)),
        "loaded": loaded,
        "dict": {"bytes": CODED, "path": None},
        "bytes": CODED,
    }


@pytest.mark.parametrize("form", other_forms())
def test_every_form_of_a_image_is_taken(form):
    image = encoded(other_forms()[form])
    assert isinstance(image, bytes) or form == "loaded"
    assert size_of(image) == IMAGE.size
    assert np.array_equal(np.asarray(decoded(image)), PIXELS)


def test_nothing_else_is_taken():
    assert encoded(None) is None
    with pytest.raises(ConfigurationError, match="no image"):
        encoded(3)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_files_are_decoded_whole(mode):
    buffer = io.BytesIO()
    IMAGE.convert(mode).save(buffer, "JPEG")
    part = decode_part(buffer.getvalue(), (10, 20, 50, 60), (40, 40))
    expected = Image.open(io.BytesIO(buffer.getvalue())).convert("RGB").crop((10, 20, 50, 60))
    assert np.array_equal(np.asarray(part), np.asarray(expected))
