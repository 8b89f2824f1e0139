"""Units of work: rows from patch shards and source images, in bounded memory."""

import dataclasses
import io
import pickle
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fornet_hf.errors import IntegrityError, NotFoundError, PatchFormatError
from fornet_hf.format import jpeg
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.shards import write_shard
from fornet_hf.release.units import PatchUnit
from fornet_hf.sources import FolderSource
from tests.images import CLASSES, ENCODING, file_of, made_image, patch_of, write_release


@pytest.fixture
def release(tmp_path):
    return write_release(tmp_path / "patches", tmp_path / "pictures", shards=1, each=5)


def unit(tmp_path, release, **changes):
    entry = release.splits["train"][0]
    fields = {
        "split": "train",
        "entry": entry,
        "encoding": ENCODING,
        "patches": str(tmp_path / "patches" / entry.path),
        "images": FolderSource(tmp_path / "pictures"),
        "class_folders": CLASSES,
    }
    return PatchUnit(**{**fields, **changes})


def parquet(tmp_path, *, order=(0, 1, 2, 3, 4), labels=None):
    """The same images as a Hub shard, in any order; returns its path."""
    files = [tmp_path / "pictures/train" / CLASSES[n % 2] / f"train_0_{n}.JPEG" for n in order]
    images = [{"bytes": file.read_bytes(), "path": file.name} for file in files]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    labels = [n % 2 for n in order] if labels is None else labels
    table = pa.table({"image": pa.array(images, kind), "label": pa.array(labels, pa.int64())})
    pq.write_table(table, tmp_path / "source.parquet")
    return str(tmp_path / "source.parquet")


def test_rows_come_in_the_order_of_the_shard(tmp_path, release):
    rows = list(unit(tmp_path, release).rows())
    assert [row.key for row in rows] == [f"train_0_{n}" for n in range(5)]
    assert [row.label for row in rows] == [0, 1, 0, 1, 0]
    for row in rows:
        jpeg.check(row.background, (60 + 10 * int(row.key[-1]), 80))


def test_parquet_sources_give_the_same_rows(tmp_path, release):
    expected = list(unit(tmp_path, release).rows())
    assert list(unit(tmp_path, release, images=parquet(tmp_path)).rows()) == expected


def test_rows_that_do_not_meet_in_order_are_joined_by_key(tmp_path, release):
    rows = list(unit(tmp_path, release, images=parquet(tmp_path, order=(3, 1, 4, 0, 2))).rows())
    assert [row.key for row in rows] == [f"train_0_{n}" for n in (3, 1, 4, 0, 2)]
    assert sorted(rows, key=lambda row: row.key) == list(unit(tmp_path, release).rows())


def test_images_without_a_patch_are_passed_over(tmp_path, release):
    extra = tmp_path / "pictures/train/ant/train_0_6.JPEG"
    extra.write_bytes(b"not even decoded")
    assert len(list(unit(tmp_path, release, images=parquet(tmp_path, order=(0, 6, 1, 2, 3, 4))).rows())) == 5


def test_patches_without_a_image_are_an_error_that_names_them(tmp_path, release):
    with pytest.raises(NotFoundError, match=r"2 of its 5 images.*train_0_1, train_0_4.*revision"):
        list(unit(tmp_path, release, images=parquet(tmp_path, order=(0, 2, 3))).rows())
    (tmp_path / "pictures/train/bee/train_0_3.JPEG").unlink()
    with pytest.raises(NotFoundError, match=r"row 3 \(train_0_3\).*no image"):
        list(unit(tmp_path, release).rows())


def test_labels_that_differ_from_the_source_are_an_error(tmp_path, release):
    with pytest.raises(PatchFormatError, match=r"row 2 \(train_0_2\).*label of .*source.parquet:2"):
        list(unit(tmp_path, release, images=parquet(tmp_path, labels=[0, 1, 1, 1, 0])).rows())
    assert list(unit(tmp_path, release, images=parquet(tmp_path, labels=[None] * 5)).rows())


@pytest.mark.parametrize("source", ["folder", "parquet"])
def test_labels_without_a_class_are_an_error(tmp_path, release, source):
    images = {"images": parquet(tmp_path)} if source == "parquet" else {}
    with pytest.raises(PatchFormatError, match=r"row 1 \(train_0_1\): label; found 1; allowed: 0 to 0"):
        list(unit(tmp_path, release, class_folders=CLASSES[:1], **images).rows())


def test_the_shard_must_be_what_the_manifest_says(tmp_path, release):
    entry = release.splits["train"][0]
    with pytest.raises(IntegrityError, match=entry.path):
        list(unit(tmp_path, release, entry=dataclasses.replace(entry, sha256="0" * 64)).rows())
    with pytest.raises(PatchFormatError, match=r"rows.*found 5; allowed: 4"):
        list(unit(tmp_path, release, entry=dataclasses.replace(entry, rows=4)).rows())
    with pytest.raises(PatchFormatError, match="other settings"):
        list(unit(tmp_path, release, encoding=Encoding()).rows())


def test_errors_name_file_row_and_key_once(tmp_path, release):
    (tmp_path / "pictures/train/ant/train_0_2.JPEG").write_bytes(b"other")
    with pytest.raises(IntegrityError) as caught:
        list(unit(tmp_path, release).rows())
    assert str(caught.value).count("train-00000-of-00001.parquet, row 2 (train_0_2)") == 1


def test_remote_files_are_read_through_the_given_function(tmp_path, release):
    opened = []

    def open_file(path):
        opened.append(path)
        return io.BytesIO(Path(path.removeprefix("hf://")).read_bytes())

    remote = unit(tmp_path, release)
    remote = dataclasses.replace(remote, patches="hf://" + remote.patches, images="hf://" + parquet(tmp_path))
    assert len(list(remote.rows(open_file))) == 5
    assert opened == [remote.patches, remote.images]


def test_units_travel_to_other_processes(tmp_path, release):
    one = unit(tmp_path, release)
    assert pickle.loads(pickle.dumps(one)) == one


MEMORY = """
import sys
from pathlib import Path
from fornet_hf.format.manifest import ShardEntry
from fornet_hf.release.units import PatchUnit
from fornet_hf.format.encoding import Encoding
from fornet_hf.sources import FolderSource
folder, count = Path(sys.argv[1]), int(sys.argv[2])
entry = ShardEntry.of(folder, "s.parquet", count)
unit = PatchUnit(split="train", entry=entry, encoding=Encoding(), patches=str(folder / "s.parquet"),
                 images=FolderSource(folder), class_folders=("a",))
assert sum(1 for row in unit.rows()) == count
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(entry.bytes, 1024 * int(peak.split()[1]))
"""


# What getrusage tells would include the parent's memory at the time of the fork.
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="tells the peak on Linux only")
def test_memory_stays_bounded_whatever_the_size_of_the_shard(tmp_path):
    source = file_of(made_image(100, 75), quality=95)
    patch = patch_of(source, encoding=Encoding())
    # empty blocks in the compressed pixels of the mask make the shard as large as one of noisy patches
    pixels = b"IDAT" + patch.mask[41:43] + b"\0\0\0\xff\xff" * 20_000 + patch.mask[43:-16]
    chunk = struct.pack(">I", len(pixels) - 4) + pixels + struct.pack(">I", zlib.crc32(pixels))
    patch = dataclasses.replace(patch, mask=patch.mask[:33] + chunk + patch.mask[-12:])
    (tmp_path / "train/a").mkdir(parents=True)
    for n in range(1000):
        (tmp_path / f"train/a/{n}.JPEG").write_bytes(source)
    write_shard(tmp_path / "s.parquet", (dataclasses.replace(patch, key=str(n)) for n in range(1000)), Encoding())
    command = [sys.executable, "-c", MEMORY, str(tmp_path), "1000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    size, peak = map(int, done.stdout.split())

    assert size > 90 * 2**20
    assert peak < 300 * 2**20
