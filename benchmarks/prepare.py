"""Preparing a release: time, memory and bytes against the number of rows and of processes.

    python -m benchmarks.prepare [--quick]

Eight photographs of 500 x 375 pixels, repeated under other keys, in as many shards as ImageNet has (308).
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from benchmarks import harness
from benchmarks.photos import SIZE, Photo, fill, photos
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.manifest import Manifest, ShardEntry, write_manifest
from fornet_hf.format.patch import Patch, make_patch
from fornet_hf.format.shards import write_shard

SHARDS = 308
RUNS = ((4_000, 1), (4_000, 2), (20_000, 2))  # rows and processes
QUICK = ((616, 2),)
_PLACES = {"source": "pictures", "prepared": "cache"}
_LOAD = """
import sys, fornet_hf
path, images, cache = sys.argv[1:]
print(len(fornet_hf.load_dataset(path, imagenet_dir=images, cache_dir=cache, split="train")))
"""


def write_release(folder: Path, rows: int, shards: int = SHARDS) -> tuple[Path, Path]:
    """A release of `rows` rows in `shards` shards and its source shards; the two folders."""
    encoding = Encoding()
    patches, originals = folder / "patches", folder / "pictures"
    (originals / "data").mkdir(parents=True)
    sources = [photo.source for photo in photos(outlines=True)]
    made = [_patch(photo, encoding) for photo in photos(outlines=True)]
    entries = []
    for shard in range(shards):
        numbers = range(rows * shard // shards, rows * (shard + 1) // shards)
        keys = [f"n01440764_{number}" for number in numbers]
        name = f"train-{shard:05}-of-{shards:05}.parquet"
        shown = [replace(made[number % len(made)], key=key) for number, key in zip(numbers, keys, strict=True)]
        entries.append(ShardEntry.of(patches, name, write_shard(patches / name, shown, encoding), f"data/{name}"))
        images = [
            {"bytes": sources[number % len(sources)], "path": f"{key}_n01440764.JPEG"}
            for number, key in zip(numbers, keys, strict=True)
        ]
        image = pa.array(images, pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
        table = pa.table({"image": image, "label": pa.array([0] * len(keys), pa.int64())})
        # Row groups as ImageNet has on the Hub. A dictionary would store repeated photographs once.
        pq.write_table(table, originals / "data" / name, row_group_size=100, use_dictionary=False)
    write_manifest(patches, Manifest(encoding=encoding, splits={"train": tuple(entries)}, source_revision="0" * 40))
    return patches, originals


def _patch(photo: Photo, encoding: Encoding) -> Patch:
    pixels = np.asarray(Image.open(io.BytesIO(photo.source)).convert("RGB"))
    infilled = fill(pixels, photo.mask, reach=encoding.dilation)
    return make_patch(photo.source, photo.mask, infilled, key=photo.name, label=0, encoding=encoding)


def prepare(folder: Path, workers: int) -> dict[str, Any]:
    """Prepare the release in `folder` in a process of its own; seconds, and the peak of memory of a process in MB."""
    environment = {**os.environ, "MAX_WORKERS": str(workers), "HF_HOME": str(folder / "home")}
    environment |= {"PYTHONPATH": str(Path(__file__).parents[1]), "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
    command = [sys.executable, "-c", _LOAD, *(str(folder / name) for name in ("patches", "pictures", "cache"))]
    start, used = time.perf_counter(), _used()
    process = subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.PIPE)  # noqa: S603
    peaks: dict[int, int] = {}
    watcher = threading.Thread(target=_watch, args=(process, peaks))
    watcher.start()
    output, _ = process.communicate()
    seconds, on_core = time.perf_counter() - start, _used() - used
    watcher.join()
    if process.returncode != 0:
        raise RuntimeError(f"preparing failed with status {process.returncode}")
    main, rows = peaks.pop(process.pid), int(output)
    return {
        "rows": rows,
        "workers": workers,
        "seconds": round(seconds, 2),
        "seconds_on_core": round(on_core, 2),
        **{f"{name}_bytes_a_row": _bytes(folder / place) // rows for name, place in _PLACES.items()},
        "main_peak_mb": round(main / 2**10),
        "worker_peak_mb": round(max(peaks.values(), default=main) / 2**10),  # one process does all itself
    }


def _used() -> float:
    """Seconds on a core of all processes that this one started, and of theirs, once they have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.suffix in (".parquet", ".arrow"))


def _watch(process: subprocess.Popen[bytes], peaks: dict[int, int]) -> None:
    """Record the peak of resident memory (kB) of a process and of its children until it ends."""
    while process.poll() is None:
        for pid in (process.pid, *_children(process.pid)):
            try:
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:  # it has just ended
                continue
            peak = next((line for line in status.splitlines() if line.startswith("VmHWM")), "VmHWM: 0 kB")
            peaks[pid] = max(peaks.get(pid, 0), int(peak.split()[1]))
        time.sleep(0.1)


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def main() -> None:
    """Measure and write `results/prepare.json`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a few rows; writes no results")
    quick = parser.parse_args().quick
    runs = []
    for rows, workers in QUICK if quick else RUNS:
        with tempfile.TemporaryDirectory(prefix="fornet-prepare-") as name:
            folder = Path(name)
            harness.progress(f"{rows} rows: making the release")
            write_release(folder, rows)
            harness.progress(f"{rows} rows: preparing with {workers} processes")
            runs.append(prepare(folder, workers))
            harness.progress(str(runs[-1]))
    if not quick:
        harness.write("prepare", {"shards": SHARDS, "size": SIZE, "runs": runs})


if __name__ == "__main__":
    main()
