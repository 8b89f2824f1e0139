"""docs/patch_format.md says what the code does: its numbers and tables are compared."""

import dataclasses
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fornet_hf import files
from fornet_hf.format import delta, encoding, jpeg, manifest, patch, raster, shards
from fornet_hf.format.encoding import Encoding
from tests.format.test_raster import FILES

TEXT = (Path(__file__).parents[1] / "docs" / "patch_format.md").read_text(encoding="utf-8")


def table(heading):
    """The rows of the table whose first heading is this."""
    lines = TEXT[TEXT.index(f"\n| {heading} |") + 1 :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\) \| ", line.strip("| "))] for line in lines]


def tables(heading):
    """The first cells of all tables with that heading."""
    parts = TEXT.split(f"\n| {heading} |")[1:]
    return [[line.split("|")[1].strip() for line in part.split("\n\n")[0].splitlines()[2:]] for part in parts]


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (raster, "MAX_SOURCE_PIXELS"),
        (raster, "MAX_SOURCE_SIDE"),
        (raster, "MAX_SOURCE_BYTES"),
        (raster, "MAX_SCANS"),
        (delta, "MAX_INSTRUCTIONS"),
        (patch, "MAX_PART_BYTES"),
        (shards, "MAX_ROW_GROUP_ROWS"),
        (shards, "MAX_ROW_GROUP_BYTES"),
        (shards, "MAX_ROWS"),
    ],
)
def test_limits(module, name):
    found = re.search(rf"(\d+)[ a-z]*\(`{name}`", TEXT)
    assert int(found[1]) == getattr(module, name)


def test_columns():
    found = [(name, kind, null) for name, kind, null, _ in table("column")]
    assert found == [(f.name, str(f.type), "yes" if f.nullable else "no") for f in shards.SCHEMA]


def test_header_of_the_jpegs():
    header = jpeg.header()
    rows = [(int(at), int(size)) for at, size, _ in table("offset")[:-1]]
    markers = ["d8", "e0", "db", "db", "c0", "c4", "c4", "c4", "c4", "dd", "da"]
    assert [header[at : at + 2].hex() for at, _ in rows] == [f"ff{marker}" for marker in markers]
    assert [int.from_bytes(header[at + 2 : at + 4], "big") + 2 for at, _ in rows[1:]] == [
        size for _, size in rows[1:]
    ]
    assert [at + size for at, size in rows] == [at for at, _ in rows[1:]] + [len(header)]
    assert table("offset")[-1][0] == str(len(header)) == "629"
    assert f"height at {jpeg._SIZE_AT}, width at {jpeg._SIZE_AT + 2}" in TEXT
    assert f"quality {jpeg.QUALITY}" in TEXT


def test_names_of_manifest_entry_and_encoding():
    names = [{field.name for field in dataclasses.fields(kind)} for kind in (manifest.Manifest, manifest.ShardEntry)]
    found = tables("name")
    assert set(found[0]) == names[0] | {"format", "format_version"}
    assert set(found[1]) == names[1]
    assert found[2] == [field.name for field in dataclasses.fields(Encoding)]


def test_values_of_the_encoding():
    part = TEXT[TEXT.index("| name | value in version 1 |") :].split("\n\n")[0].splitlines()[2:]
    values = {line.split("|")[1].strip(): line.split("|")[2].strip().strip('`"') for line in part}
    for name, (low, high) in encoding._RANGES.items():
        assert values.pop(name) == f"{low} to {high}, default {getattr(Encoding(), name)}"
    assert values == {name: str(value) for name, value in encoding._FIXED.items()}


def test_the_largest_target():
    header, mcu = map(int, re.search(r"max_target_bytes = (\d+) \+ (\d+) \* ceil", TEXT).groups())
    for side in (16, 500, 512, 4096):
        assert Encoding(max_side=side).max_target_bytes == header + mcu * (-(-side // 16)) ** 2
    assert f"of 512 that is {Encoding().max_target_bytes} bytes" in " ".join(TEXT.split())


def test_rows_and_bytes_of_the_groups_that_writers_make():
    assert f"row groups of {shards.ROW_GROUP_ROWS} rows" in TEXT
    assert f"would exceed {shards.MAX_ROW_GROUP_BYTES // 2} bytes" in TEXT


def test_size_of_the_manifest_and_format_names():
    assert f"at most {files.MAX_DOCUMENT_BYTES} bytes" in TEXT
    assert f'`"{manifest._FORMAT}"`' in TEXT
    assert f"version {shards.FORMAT_VERSION}" in TEXT
    assert f"the entry `{shards._METADATA_KEY.decode()}`" in TEXT


def test_formats_of_sources():
    assert f"Formats: {', '.join(raster.FORMATS)}." in TEXT


def test_the_formula_of_the_size_is_the_code():
    formula = re.search(r"`(max\(1, \(2 \* side .*?)`", " ".join(TEXT.split()))[1]
    for side, longer in ((1, 5000), (333, 1000), (3, 2048), (6, 2048), (375, 513)):
        expected = raster.fitted_size(longer, side, 512)[1]
        assert eval(formula, {"side": side, "longer": longer, "max_side": 512, "max": max}) == expected  # noqa: S307


def test_the_conversion_of_cmyk():
    data, _ = FILES["cmyk"]
    with Image.open(io.BytesIO(data)) as opened:
        cmyk = np.asarray(opened).astype(int)
    white = 255 - cmyk[..., 3:]
    expected = white - np.floor(cmyk[..., :3] * white / 255 + 0.5).astype(int)
    assert np.array_equal(np.asarray(raster.decode_rgb(data)), expected)
    assert "`(255 - K) - round(C * (255 - K) / 255)`" in TEXT
