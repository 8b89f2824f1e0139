"""simplejpeg and Pillow decode restart-coded JPEGs alike, and errors do not depend on what is installed."""

from __future__ import annotations

import io
import multiprocessing
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fornet_hf.format import jpeg
from fornet_hf.format.jpeg import Rectangle
from fornet_hf.format.raster import DECODE_ERRORS
from fornet_hf.recombination.pixels import decoders
from fornet_hf.recombination.pixels.decoding import decoded
from tests.factory import photo

simplejpeg = pytest.importorskip("simplejpeg")
CODED = [jpeg.encode(photo(name, side)) for name, side in (("coffee", 400), ("chelsea", 255), ("rocket", 97))]


def colours(data: bytes, size: tuple[int, int], shrink: int = 1) -> tuple[tuple[int, ...], bytes]:
    """Height and width, and all pixels."""
    quads = decoders.load(data, size, shrink)
    return quads.shape[:2], quads[..., :3].tobytes()


def by_pillow(data: bytes, size: tuple[int, int], shrink: int) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoders, "optional", lambda name: None)
        return colours(data, size, shrink)


def by_simplejpeg(data: bytes, size: tuple[int, int], shrink: int) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Image.Image, "frombytes", None)  # Pillow's decoder is not called
        return colours(data, size, shrink)


def outcome(data: bytes, size: tuple[int, int]) -> object:
    try:
        return colours(data, size)[1]
    except DECODE_ERRORS as error:
        return type(error), str(error)


@given(st.sampled_from(CODED), st.data(), st.sampled_from([1, 2, 4, 8]))
def test_every_cut_has_the_same_pixels_at_every_scale(coded, data, shrink):
    width, height = jpeg.size_of(coded)
    (left, right), (top, bottom) = (
        sorted(data.draw(st.lists(st.integers(0, -(-side // jpeg.MCU)), min_size=2, max_size=2, unique=True)))
        for side in (width, height)
    )
    part = jpeg.cut(coded, Rectangle(left, top, right, bottom))
    size = jpeg.size_of(part)
    found, expected = by_simplejpeg(part, size, shrink), by_pillow(part, size, shrink)
    assert found == expected


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 2, 4, 8]))
def test_every_size_has_the_same_pixels(width, height, shrink):
    noise = np.random.default_rng(width * height).integers(0, 256, (height, width, 3), np.uint8)
    coded = jpeg.encode(Image.fromarray(noise))
    found, expected = (by(coded, (width, height), shrink) for by in (by_simplejpeg, by_pillow))
    assert found == expected


def test_damage_is_told_and_tolerated_alike(monkeypatch):
    rng, coded, outcomes = np.random.default_rng(0), CODED[2], []
    size = jpeg.size_of(coded)
    damaged = [coded[:length] for length in rng.integers(0, len(coded), 60)]
    places = rng.integers(629, len(coded), 240)
    damaged += [coded[:place] + bytes([rng.integers(256)]) + coded[place + 1 :] for place in places]
    with_simplejpeg = [outcome(data, size) for data in damaged]
    monkeypatch.setattr(decoders, "optional", lambda name: None)
    outcomes = [outcome(data, size) for data in damaged]
    assert with_simplejpeg == outcomes
    assert {type(one) for one in outcomes} == {bytes, tuple}


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("RGB", {"subsampling": 0}),
        ("RGB", {"subsampling": 1}),
        ("RGB", {"subsampling": 2, "progressive": True}),
        ("L", {}),
        ("CMYK", {}),
    ],
    ids=str,
)
def test_other_jpegs_are_decoded_by_pillow(mode, options, monkeypatch):
    monkeypatch.setattr(simplejpeg, "decode_jpeg", None)
    buffer = io.BytesIO()
    photo("coffee", 101).convert(mode).save(buffer, "JPEG", **options)
    expected = Image.open(io.BytesIO(buffer.getvalue())).convert("RGB")
    assert decoded(buffer.getvalue()).tobytes() == expected.tobytes()


def pixels(_: object = None) -> list[object]:
    return [colours(data, jpeg.size_of(data)) for data in CODED]


def _answer(queue) -> None:
    queue.put(pixels())


def test_threads_and_forked_processes_decode_alike():
    expected = pixels()
    with ThreadPoolExecutor(8) as pool:
        assert all(found == expected for found in pool.map(pixels, range(64)))
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=_answer, args=(queue,))
    process.start()
    assert queue.get(timeout=60) == expected
    process.join()


def test_without_simplejpeg_pillow_decodes(monkeypatch):
    expected = pixels()
    monkeypatch.setattr(simplejpeg, "decode_jpeg", None)
    monkeypatch.setattr(decoders, "optional", lambda name: None)
    assert pixels() == expected
