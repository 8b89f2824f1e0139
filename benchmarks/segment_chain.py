"""The whole of `build/segment.py` on one GPU, by one process or several, with models at their real sizes.

Processes load the models and take an image of each common size apart before the clock starts for all of them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.image_sizes import write_photographs
from benchmarks.segment_models import SteadyDetector, SteadySegmenter, make
from benchmarks.segment_stages import BATCHES
from fornet_hf.format.encoding import Encoding
from fornet_hf.processes import InlineExecutor
from producers.devices.placement import Placement
from producers.devices.seats import Seat, seats
from producers.registry import Choice
from producers.step import Backends
from producers.tasks.segment import Engine, SegmentWorker, segment_shard
from producers.work.plan import Task, plan
from producers.work.report import Report
from producers.work.run_folder import CandidateFolder
from producers.work.settings import ModelSettings
from producers.work.slots import run_on_slots

SHARDS = 2  # of each process
WARM = 48  # images of the task that does not count, at most a tenth of the others
READY = "ready"
PATIENCE = 180.0  # seconds for which a process waits for the others
_TOOL = "nvidia-smi"
_SETTINGS = ModelSettings(
    detector=Choice("grounding-dino"), segmenter=Choice("sam"), infiller=Choice("lama"), encoding=Encoding()
)  # of which only encoding, prompts and merging are used


@dataclass(frozen=True, kw_only=True)
class Chain:
    """One way to run the producers.

    Attributes:
        segmenter: a name in `MAKERS`.
        infiller: likewise.
        processes: on the GPU.
        images: for each process.
        window: images on their way in each process.
        workers: processes beside each.
        batches: images at a time of each model that differs from `BATCHES`.
        tiny: whether networks for tests take the place of the real ones.
    """

    segmenter: str
    infiller: str
    processes: int
    images: int
    window: int
    workers: int
    batches: tuple[tuple[str, int], ...] = ()
    tiny: bool = False

    def sizes(self) -> dict[str, int]:
        """Return the models by name, in the order of the chain, with their images at a time."""
        given = dict(self.batches)
        return {name: given.get(name, BATCHES[name][0]) for name in ("grounding-dino", self.segmenter, self.infiller)}

    def backends(self, placement: Placement) -> Backends:
        """Return the models; boxes and masks are given, after their models have computed theirs."""
        detector, segmenter, infiller = (
            make(name, placement, size, tiny=self.tiny) for name, size in self.sizes().items()
        )
        return Backends(detector=SteadyDetector(detector), segmenter=SteadySegmenter(segmenter), infiller=infiller)


@dataclass
class BenchmarkWorker(SegmentWorker):
    """Work of one process: its models are random, and it begins when all processes are ready.

    Attributes:
        chain: the models.
        place: of the models.
        warm: a task that does not count.
        gate: a folder in which each process says that it is ready.
    """

    chain: Chain = field(kw_only=True)
    place: Placement = field(kw_only=True)
    warm: Task = field(kw_only=True)
    gate: Path = field(kw_only=True)

    def load(self, device: str) -> Backends:  # noqa: ARG002 - the placement says it
        """Make the models, use them once, and wait for the other processes.

        Raises:
            TimeoutError: they do not come, as one of them has failed.
        """
        models = self.chain.backends(self.place)
        own = self.gate / str(os.getpid())
        engine = Engine(backends=models, pool=InlineExecutor(), encoding=Encoding())
        segment_shard(self.warm, engine, CandidateFolder(own))
        (own / READY).touch()
        end = time.monotonic() + PATIENCE
        while (there := len(ready(self.gate))) < self.chain.processes:
            if time.monotonic() > end:
                raise TimeoutError(f"{there} of {self.chain.processes} processes are ready after {PATIENCE:g} s")
            time.sleep(0.02)
        return models


def ready(gate: Path) -> list[Path]:
    """Return what the processes say that are ready."""
    return list(gate.glob(f"*/{READY}"))


def measured(chain: Chain, place: Placement) -> dict[str, Any]:
    """Return the figures of a run.

    Raises:
        RuntimeError: not every image was taken apart.
        WorkerDiedError: a process failed. It is not replaced: a new one would start the clock anew.
    """
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_photographs(root / "images", chain.images * chain.processes)
        write_photographs(root / "first", max(1, min(WARM, chain.images // 10)))
        tasks = plan(root / "images", ["train"], SHARDS * chain.processes)
        (warm,) = plan(root / "first", ["train"], 1)
        (root / "gate").mkdir()
        work = BenchmarkWorker(
            CandidateFolder(root / "run"), chain.workers, _SETTINGS, chain.window,
            chain=chain, place=place, warm=warm, gate=root / "gate",
        )  # fmt: skip
        places = seats(1 if place.device.startswith("cuda") else 0, chain.processes)
        with watched(places[0]) as samples:
            reports = [report for _, report in run_on_slots(work, tasks, places, attempts=1)]
            end = time.time()
        start = max(path.stat().st_mtime for path in ready(root / "gate"))
    total = Report()
    for report in reports:
        total.add(report)
    if total.ok != chain.images * chain.processes:
        raise RuntimeError(f"not every image was taken apart: {total.summary()}")
    return {**_described(chain), **_figures(total, end - start), **_busy(samples, start, end)}


def _described(chain: Chain) -> dict[str, Any]:
    values = {name: getattr(chain, name) for name in ("processes", "window", "workers")}
    return {"infiller": chain.infiller, **values, "batches": chain.sizes()}


def _figures(total: Report, seconds: float) -> dict[str, Any]:
    return {
        "images": total.images,
        "seconds": round(seconds, 2),
        "images_an_hour": round(3600 * total.images / seconds),
        "ms_an_image": round(1000 * seconds / total.images, 2),
        "ms_by_stage": {stage: round(1000 * spent / total.images, 2) for stage, spent in total.seconds.items()},
    }


@contextlib.contextmanager
def watched(seat: Seat) -> Iterator[list[tuple[float, float, float]]]:
    """Collect time, percent of it that the GPU is busy, and GiB of its memory in use; of a CPU, nothing.

    Nor is there anything where the driver's tool is missing, as in some containers.
    """
    samples: list[tuple[float, float, float]] = []
    if seat.device != "cuda" or shutil.which(_TOOL) is None:
        yield samples
        return
    query = [_TOOL, "--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits", "-lms", "200"]
    with subprocess.Popen([*query, "-i", seat.name.removeprefix("cuda:")], stdout=subprocess.PIPE, text=True) as tool:  # noqa: S603
        reader = threading.Thread(target=_read, args=(tool.stdout, samples), daemon=True)
        reader.start()
        try:
            yield samples
        finally:
            tool.terminate()
            reader.join()


def _read(lines: Iterable[str], samples: list[tuple[float, float, float]]) -> None:
    for line in lines:
        busy, memory = line.split(",")
        samples.append((time.time(), float(busy), float(memory) / 1024))


def _busy(samples: Sequence[tuple[float, float, float]], start: float, end: float) -> dict[str, Any]:
    counted = [sample for sample in samples if start <= sample[0] <= end]
    if not counted:
        return {}
    return {
        "gpu_busy_mean_percent": round(float(np.mean([busy for _, busy, _ in counted])), 1),
        "gpu_memory_gib": round(max(memory for _, _, memory in counted), 2),
    }
