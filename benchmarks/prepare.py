"""Preparing a release of as many shards as ImageNet has: time and memory against the number of rows.

    python benchmarks/prepare.py [--rows 10000 100000] [--workers 2]

Pictures have 32 pixels and shards 308, so that what is measured is the machinery and not the decoding.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import harness

SHARDS = 308
_LOAD = """
import sys, fornet_hf
path, pictures, cache = sys.argv[1:]
print(len(fornet_hf.load_dataset(path, imagenet_dir=pictures, cache_dir=cache, split="train")))
"""


def write_release(folder: Path, rows: int, shards: int = SHARDS) -> tuple[Path, Path]:
    """A release of `rows` rows in `shards` shards and its source shards; the two folders."""
    from fornet_hf.encoding import Encoding
    from fornet_hf.manifest import Manifest, ShardEntry, write_manifest
    from fornet_hf.patch import make_patch
    from fornet_hf.shards import write_shard

    encoding = Encoding(max_side=64, dilation=1)
    patches, pictures = folder / "patches", folder / "pictures"
    mask = np.zeros((32, 32), bool)
    mask[8:24, 8:24] = True
    random = np.random.default_rng(0)
    entries = []
    for shard in range(shards):
        made, sources = [], []
        for row in range(rows * shard // shards, rows * (shard + 1) // shards):
            buffer = io.BytesIO()
            Image.fromarray(random.integers(0, 256, (32, 32, 3), np.uint8)).save(buffer, "JPEG")
            key = f"n01440764_{row}"
            sources.append({"bytes": buffer.getvalue(), "path": f"{key}_n01440764.JPEG"})
            infilled = np.zeros((32, 32, 3), np.uint8)
            made.append(make_patch(buffer.getvalue(), mask, infilled, key=key, label=0, encoding=encoding))
        name = f"train-{shard:05}-of-{shards:05}.parquet"
        count = write_shard(patches / name, made, encoding)
        entries.append(ShardEntry.of(patches, name, count, f"data/{name}"))
        (pictures / "data").mkdir(parents=True, exist_ok=True)
        image = pa.array(sources, pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
        pq.write_table(
            pa.table({"image": image, "label": pa.array([0] * count, pa.int64())}), pictures / "data" / name
        )
    write_manifest(patches, Manifest(encoding=encoding, splits={"train": tuple(entries)}, source_revision="0" * 40))
    return patches, pictures


def prepare(folder: Path, workers: int) -> dict[str, Any]:
    """Prepare the release in `folder` in a process of its own; seconds, and the peak of memory of a process in MB."""
    environment = {**os.environ, "MAX_WORKERS": str(workers), "HF_HOME": str(folder / "home")}
    environment |= {"PYTHONPATH": str(Path(__file__).parents[1]), "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
    command = [sys.executable, "-c", _LOAD, *(str(folder / name) for name in ("patches", "pictures", "cache"))]
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.PIPE)  # noqa: S603
    peaks: dict[int, int] = {}
    watcher = threading.Thread(target=_watch, args=(process, peaks))
    watcher.start()
    output, _ = process.communicate()
    seconds = time.perf_counter() - start
    watcher.join()
    if process.returncode != 0:
        raise RuntimeError(f"preparing failed with status {process.returncode}")
    main = peaks.pop(process.pid)
    return {
        "rows": int(output),
        "seconds": round(seconds, 2),
        "main_peak_mb": round(main / 2**10),
        "worker_peak_mb": round(max(peaks.values()) / 2**10),
    }


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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    runs = []
    for rows in arguments.rows:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            harness.progress(f"{rows} rows: making the release")
            write_release(folder, rows)
            harness.progress(f"{rows} rows: preparing")
            runs.append({"shards": SHARDS, "workers": arguments.workers, **prepare(folder, arguments.workers)})
            harness.progress(str(runs[-1]))
    harness.write("prepare", {"runs": runs})


if __name__ == "__main__":
    main()
