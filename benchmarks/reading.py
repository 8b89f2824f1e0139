"""What training reads: bytes and requests a sample, for each way to keep ForNet: `python -m benchmarks.reading`.

Bytes are those that the kernel fetched from storage for the process (`read_bytes` of /proc/self/io), with nothing of
the files in the page cache before. Requests are those that the test Hub answered. docs/scale.md says what it means.
"""

from __future__ import annotations

import argparse
import ctypes
import mmap
import os
import random
import shutil
import tempfile
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa

import fornet_hf
from benchmarks import harness
from benchmarks.streaming import streamed
from ForNet import ForNet
from fornet_hf.processes import pool

KINDS = ("foreground", "mask", "background")


def main() -> None:
    """Measure everything and write `results/reading.json`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("demo", type=Path, help="what `make demo` made")
    parser.add_argument("--rows", type=int, default=20_000, help="rows of the dataset (%(default)s)")
    parser.add_argument("--samples", type=int, default=40, help="rows read at random (%(default)s)")
    parser.add_argument("--out", default="reading", help="name of the result (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="600 rows, 5 samples; writes no results")
    options = parser.parse_args()
    if options.quick:
        options.rows, options.samples = 600, 5
    with tempfile.TemporaryDirectory(prefix="fornet-reading-") as name:
        folder = Path(name)
        harness.progress(f"writing {options.rows} rows")
        sizes = write_layouts(options.demo, folder, options.rows)
        results = {
            "rows": options.rows,
            "samples": options.samples,
            "read_ahead_kb": read_ahead_kb(folder),
            "bytes_of_a_row": sizes,
            "storage": {way: alone(read, folder, options.samples) for way, read in WAYS.items()},
            "zip_index": alone(zip_index, folder, options.rows),
            "streaming": streamed(options.demo, folder / "hub", 2 if options.quick else 16),
        }
    harness.progress(str(results if options.quick else harness.write(options.out, results)))


def write_layouts(demo: Path, folder: Path, rows: int) -> dict[str, float]:
    """The demo's rows, repeated, as Arrow file, as zips and as the original images; mean bytes of each part."""
    made = fornet_hf.load_dataset(
        patches=demo / "made" / "patches", imagenet_dir=demo / "pictures", split="train", cache_dir=folder / "cache"
    ).with_format(None)
    write_arrow(made, folder / "rows.arrow", rows)
    encoded = [{kind: made.data.column(kind)[row]["bytes"].as_py() for kind in KINDS} for row in range(len(made))]
    originals = sorted((demo / "pictures" / "train").rglob("*.JPEG"))
    sizes = {kind: sum(len(row[kind]) for row in encoded) / len(encoded) for kind in KINDS}
    sizes["original"] = sum(path.stat().st_size for path in originals) / len(originals)
    (folder / "files").mkdir()
    for row in range(400):
        shutil.copyfile(originals[row % len(originals)], folder / "files" / f"{row}.JPEG")
    with (
        zipfile.ZipFile(folder / "foregrounds.zip", "w") as one,
        zipfile.ZipFile(folder / "backgrounds.zip", "w") as two,
    ):
        for row in range(rows):
            parts = encoded[row % len(encoded)]
            one.writestr(f"train/foregrounds/n{row % 1000:08d}/n{row % 1000:08d}_{row}.WEBP", parts["foreground"])
            two.writestr(f"train/backgrounds/n{row % 1000:08d}/n{row % 1000:08d}_{row}.JPEG", parts["background"])
        return sizes


def write_arrow(made: datasets.Dataset, path: Path, rows: int) -> None:
    """The rows of a dataset, repeated, in record batches as the builder writes them."""
    table = made.data.table
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        for start in range(0, rows, ForNet.DEFAULT_WRITER_BATCH_SIZE):
            stop = min(start + ForNet.DEFAULT_WRITER_BATCH_SIZE, rows)
            batch = table.take([row % len(made) for row in range(start, stop)])
            writer.write_table(batch.combine_chunks())


def alone(measure: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a call in a process of its own, which has nothing mapped and nothing read before."""
    harness.progress(measure.__name__)
    with pool(1) as executor:
        return executor.submit(measure, *arguments).result()


def arrow_recombined(folder: Path, samples: int) -> dict[str, float]:
    """A memory-mapped Arrow file at random rows, recombined with the fused crop."""
    forget(folder)
    with Counted() as opening:
        rows = datasets.Dataset.from_file(str(folder / "rows.arrow"))
        rows.set_transform(fornet_hf.Recombine(rows, crop=224, flip=0.5, seed=0))
    forget(folder)  # what was only fetched ahead
    return counted(opening, rows, chosen(len(rows), samples))


def arrow_without_read_ahead(folder: Path, samples: int) -> dict[str, float]:
    """As `arrow_recombined`, after telling the kernel that this file is read at random: it fetches single pages."""
    forget(folder)
    with Counted() as opening:
        rows = datasets.Dataset.from_file(str(folder / "rows.arrow"))
        rows.set_transform(fornet_hf.Recombine(rows, crop=224, flip=0.5, seed=0))
    forget(folder)
    for line in Path("/proc/self/maps").read_text().splitlines():
        if line.endswith("rows.arrow"):
            start, stop = (int(number, 16) for number in line.split(" ")[0].split("-"))
            advise = ctypes.CDLL(None, use_errno=True).madvise
            assert advise(ctypes.c_void_p(start), ctypes.c_size_t(stop - start), mmap.MADV_RANDOM) == 0
    return counted(opening, rows, chosen(len(rows), samples))


def arrow_in_order(folder: Path, _: int) -> dict[str, float]:
    """2,000 of the same rows one after the other, not recombined."""
    forget(folder)
    with Counted() as opening:
        rows = datasets.Dataset.from_file(str(folder / "rows.arrow"))
    forget(folder)  # what was only fetched ahead
    return counted(opening, Bytes(rows), range(len(rows) // 2, min(len(rows), len(rows) // 2 + 2000)))


def zips(folder: Path, samples: int) -> dict[str, float]:
    """A foreground and a background from zips without compression, at random."""
    forget(folder)
    with Counted() as opening:
        archives = [zipfile.ZipFile(folder / f"{kind}.zip") for kind in ("foregrounds", "backgrounds")]
        names = [archive.namelist() for archive in archives]
    pairs = Pairs(archives, names)
    return counted(opening, pairs, chosen(len(names[0]), samples))


def files(folder: Path, samples: int) -> dict[str, float]:
    """Original images, each a file, at random: what training without ForNet reads."""
    forget(folder / "files")
    count = sum(1 for _ in os.scandir(folder / "files"))
    with Counted() as opening:
        images = Images(folder / "files")
    return counted(opening, images, chosen(count, samples))


WAYS = {
    "arrow, recombined": arrow_recombined,
    "arrow, recombined, no read-ahead": arrow_without_read_ahead,
    "arrow, in order": arrow_in_order,
    "zips": zips,
    "files": files,
}


class Bytes:
    """All columns of a row, undecoded."""

    def __init__(self, rows: datasets.Dataset) -> None:
        self._rows = rows.with_format("arrow")

    def __getitem__(self, row: int) -> dict[str, Any]:
        return self._rows[row].to_pydict()


class Pairs:
    """The bytes of foreground and background of a row."""

    def __init__(self, archives: Sequence[zipfile.ZipFile], names: Sequence[Sequence[str]]) -> None:
        self._archives, self._names = archives, names
        self._random = random.Random(1)

    def __getitem__(self, row: int) -> list[bytes]:
        rows = row, self._random.randrange(len(self._names[1]))
        return [archive.read(names[n]) for archive, names, n in zip(self._archives, self._names, rows, strict=True)]


class Images:
    """The bytes of an image."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, row: int) -> bytes:
        return (self._folder / f"{row}.JPEG").read_bytes()


class Counted:
    """Counts what the kernel fetched from storage for this process inside of the block, in `bytes`."""

    def __enter__(self) -> Counted:
        self._before, self.bytes = fetched(), 0
        return self

    def __exit__(self, *_: object) -> None:
        self.bytes = fetched() - self._before


def counted(opening: Counted, rows: Any, order: Sequence[int]) -> dict[str, float]:
    """Bytes to open a dataset, and bytes a sample in that order."""
    with Counted() as reading:
        for row in order:
            rows[row]
    return {"bytes_to_open": opening.bytes, "bytes_a_sample": reading.bytes / len(order)}


def zip_index(folder: Path, rows: int) -> dict[str, float]:
    """What the index of one zip costs the process that opens it, an entry."""
    forget(folder)
    tracemalloc.start()
    with Counted() as opening, zipfile.ZipFile(folder / "backgrounds.zip") as archive:
        memory = tracemalloc.get_traced_memory()[0]
        entries = len(archive.namelist())
    assert entries == rows
    return {"bytes_an_entry": opening.bytes / entries, "memory_an_entry": memory / entries}


def fetched() -> int:
    """Bytes that this process caused to be fetched from storage."""
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(lines["read_bytes"])


def forget(path: Path) -> None:
    """Let the page cache forget the files under a folder."""
    os.sync()
    for file in _files(path):
        handle = os.open(file, os.O_RDONLY)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def _files(path: Path) -> Iterator[Path]:
    yield from (file for file in path.rglob("*") if file.is_file())


def chosen(count: int, samples: int) -> list[int]:
    """Different rows at random, the same in every run."""
    return random.Random(0).sample(range(count), samples)


def read_ahead_kb(folder: Path) -> int:
    """What the kernel reads around a page of this device that it has to fetch, in kB."""
    number = folder.stat().st_dev
    return int(Path(f"/sys/class/bdi/{os.major(number)}:{os.minor(number)}/read_ahead_kb").read_text())


if __name__ == "__main__":
    main()
