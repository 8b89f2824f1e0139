"""Images that must not be published are found, however they hide."""

from __future__ import annotations

import base64
import gzip
import io
import json
import pickle
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from fornet_hf.errors import ConfigurationError, SourceError
from fornet_hf.publish.kinds.images import holds_images, is_of_imagenet, refuse_images
from tests.blocks import ROOT


def encoded(kind: str = "JPEG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, kind)
    return file.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_an_image_counts_whatever_it_is_called(folder: Path, kind: str) -> None:
    (folder / "numbers.csv").write_bytes(encoded(kind))
    assert holds_images(folder / "numbers.csv")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.csv", "a.html", "a.css"])
def test_a_text_counts_if_an_image_is_written_in_it(folder: Path, kind: str, name: str) -> None:
    (folder / name).write_text(json.dumps({"x": base64.b64encode(encoded(kind) + bytes(64)).decode()}))
    assert holds_images(folder / name)


@pytest.mark.parametrize(
    "data", [gzip.compress(b"x"), pickle.dumps([1, 2]), b"P6 1 1 255\nabc\0", "<p>é</p>".encode("utf-16")]
)
def test_what_is_no_text_counts_whatever_it_is_called(folder: Path, data: bytes) -> None:
    (folder / "numbers.json").write_bytes(data)
    assert holds_images(folder / "numbers.json")


def test_the_library_s_own_texts_hold_no_images() -> None:
    paths = [path for path in (ROOT / "fornet_hf").rglob("*") if "__pycache__" not in path.parts and path.is_file()]
    assert [path.name for path in paths if holds_images(path)] == []


def test_pages_count_if_they_hold_images_within(folder: Path) -> None:
    data = base64.b64encode(encoded()).decode()
    pages = {
        "page.html": f'<img src="data:image/jpeg;base64,{data}">',
        "plot.svg": f'<svg><image href="data:image/png;base64,{data}"/></svg>',
        "other.svg": '<s:svg xmlns:s="http://www.w3.org/2000/svg"><s:image href="a.png"/></s:svg>',
        "note.ipynb": '{"data": {"image/png": "iVBOR"}}',
        "plain.html": '<svg><rect/></svg><img src="data:image/svg+xml,x">',
        "plain.md": "about data and images",
    }
    for name, text in pages.items():
        (folder / name).write_text(text)
    assert [name for name in pages if holds_images(folder / name)] == [
        "page.html",
        "plot.svg",
        "other.svg",
        "note.ipynb",
    ]


@pytest.mark.parametrize(
    "column",
    [
        [encoded()],
        [{"bytes": encoded(), "path": "a.jpg"}],
        [None, {"bytes": encoded(), "path": None}],
        [[encoded()]],
        [*[None] * 100, b"some pixels"],
        pa.array([b"abc"], pa.binary(3)),
        pa.array([[1, 2, 3]], pa.list_(pa.uint8())),
        pa.array([[[1, 2, 3]]], pa.list_(pa.list_(pa.uint8(), 3))),
        pa.array([b"abc"]).dictionary_encode(),
        [{"text": base64.b64encode(encoded()).decode()}],
    ],
)
def test_tables_count_if_a_column_holds_images_or_bytes(folder: Path, column: list[object]) -> None:
    pq.write_table(pa.table({"key": ["n01440764_10026"] * len(column), "x": column}), folder / "a.parquet")
    assert holds_images(folder / "a.parquet")


def test_tables_of_numbers_do_not_count_and_damaged_ones_are_told(folder: Path) -> None:
    pq.write_table(pa.table({"key": ["n01440764_10026"], "binary": [[0.5]], "n": [1]}), folder / "a.parquet")
    assert not holds_images(folder / "a.parquet")
    (folder / "b.parquet").write_bytes(b"PAR1")
    with pytest.raises(SourceError, match="cannot be read as Parquet"):
        holds_images(folder / "b.parquet")


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("examples/n01440764_10026.jpg", True),
        ("fg_n02085620_1235_bg_n02102040_7490.JPEG", True),
        ("val/n01440764/a.jpg", True),
        ("ILSVRC2012_val_00000293.JPEG", True),
        ("ILSVRC2012_val_00000293_n02113186.JPEG", True),
        ("n01440764-10026.jpg", True),
        ("N01440764_10026.JPG", True),
        ("my n01440764 (2).jpg", True),
        ("ILSVRC2017-test-00000293.jpg", True),
        ("examples/0a1b2c.jpg", False),
        ("version12345678.png", False),
    ],
)
def test_names_of_imagenet_are_known(path: str, found: bool) -> None:
    assert is_of_imagenet(path) is found


def test_images_of_imagenet_are_refused_with_and_without_consent(folder: Path) -> None:
    (folder / "n01440764_10026.jpg").write_bytes(encoded())
    for allowed in (False, True):
        with pytest.raises(ConfigurationError, match="images of ImageNet must not be published"):
            refuse_images({"a.jpg": folder / "n01440764_10026.jpg"}, allowed=allowed)


def test_a_link_to_an_image_of_imagenet_is_one(folder: Path) -> None:
    (folder / "n01440764_10026.jpg").write_bytes(encoded())
    (folder / "cover.jpg").symlink_to(folder / "n01440764_10026.jpg")
    with pytest.raises(ConfigurationError, match="images of ImageNet must not be published"):
        refuse_images({"cover.jpg": folder / "cover.jpg"}, allowed=True)


@pytest.mark.parametrize("name", ["keys.jsonl", "keys.parquet"])
def test_a_table_beside_images_tells_of_them_too(folder: Path, name: str) -> None:
    (folder / "0a1b.jpg").write_bytes(encoded())
    pq.write_table(pa.table({"key": ["n01440764_10026"]}), folder / "keys.parquet")
    (folder / "keys.jsonl").write_text('{"key": "n01440764_10026"}')
    with pytest.raises(ConfigurationError, match="beside the keys n01440764_10026"):
        refuse_images({"0a1b.jpg": folder / "0a1b.jpg"}, allowed=True, beside=[folder / name])


def test_images_whose_keys_stand_beside_them_are_those_of_imagenet(folder: Path) -> None:
    (folder / "0a1b.jpg").write_bytes(encoded())
    (folder / "examples.json").write_text('[{"key": "ILSVRC2012_val_00000293", "image": "0a1b.jpg"}]')
    with pytest.raises(ConfigurationError, match="beside the keys ILSVRC2012_val_00000293"):
        refuse_images({"0a1b.jpg": folder / "0a1b.jpg"}, allowed=True, beside=[folder / "examples.json"])


def test_other_images_need_a_word(folder: Path) -> None:
    (folder / "figure.png").write_bytes(encoded("PNG"))
    files = {"figure.png": folder / "figure.png"}
    with pytest.raises(ConfigurationError, match=r"such as figure\.png.*--images-may-be-published"):
        refuse_images(files, allowed=False)
    refuse_images(files, allowed=True)
