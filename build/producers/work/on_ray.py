"""Running tasks on a Ray cluster: the same work as on one machine, in actors on its GPUs."""

from __future__ import annotations

import gc
import math
import os
import signal
import socket
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fornet_hf.errors import ConfigurationError, ForNetError, MissingDependencyError, WorkerDiedError, explain
from fornet_hf.processes import max_workers
from producers.devices.seats import Seat
from producers.work.plan import Task
from producers.work.report import Report
from producers.work.roster import RETIRES_AFTER, Entry, Roster, say_retired
from producers.work.slots import AttemptFailedError, Work, plain

PATIENCE = 300.0  # seconds; clusters that grow on demand take minutes to add a node
_CODE = (Path(__file__).parents[3], Path(__file__).parents[2])  # for `fornet_hf` and for `producers`


class Actor:
    """Work that stays on its GPU, as the actor that Ray makes of it."""

    def __init__(self, work: Work, seat: Seat) -> None:
        self._work = work
        self._seat = replace(seat, name=f"cuda:{_own_gpu()}") if seat.device == "cuda" else seat
        self._seat.take()  # Ray does that, too, unless it is told to leave CUDA_VISIBLE_DEVICES alone

    def ready(self) -> str:
        """Return on which device this is; Ray has placed the actor once it answers."""
        return f"{self._seat.name} on {socket.gethostname()}"

    def do(self, task: Task) -> Report | Exception:
        """Return the report, or an error that another attempt would not put right; others are raised."""
        try:
            return self._work(task, self._seat)
        except ForNetError as error:
            return error
        except OSError as error:
            return plain(error)


def _own_gpu() -> Any:
    """Return the number or name, on its machine, of the GPU that Ray has given to this process."""
    import ray

    return ray.get_gpu_ids()[0]


def run_on_ray(
    make_work: Callable[[int], Work],
    tasks: Sequence[Task],
    *,
    address: str | None,
    gpus: int | None,
    processes: int = 1,
    workers: int | None,
    attempts: int = 3,
    patience: float = PATIENCE,
) -> Iterator[tuple[Task, Report]]:
    """Yield each task with its report, as they get finished; as `run_on_slots`.

    Folders and code must be at the same paths on all machines, as on a shared file system.

    Args:
        make_work: what is done, for a number of worker processes beside each actor.
        tasks: shards.
        address: of the cluster, such as `auto` or `ray://host:10001`; None starts one on this machine.
        gpus: GPUs that are used; None: as many as the cluster has; 0: none, but a CPU.
        processes: actors on each of them, which share its workers.
        workers: CPUs that Ray sets aside for each GPU; None: those that each GPU has on all nodes.
        attempts: at one task, at least 1.
        patience: seconds within which the first actor has to be placed.

    Raises:
        MissingDependencyError: Ray is not installed.
        ConfigurationError: the cluster has no GPUs, or no room for an actor in that time.
        WorkerDiedError: a task failed that many times.
        ForNetError: what a task raised.
        OSError: likewise.
    """
    ray = _ray()
    paths = os.pathsep.join([*map(str, _CODE), *filter(None, [os.environ.get("PYTHONPATH")])])
    own = {} if address else {"include_dashboard": False, "num_cpus": max_workers()}
    # Without "local" it would join a cluster that it knows of from elsewhere.
    before = signal.getsignal(signal.SIGTERM)
    ray.init(address=address or "local", runtime_env={"env_vars": {"PYTHONPATH": paths}}, log_to_driver=False, **own)
    try:
        gpus = _gpus(ray) if gpus is None else gpus
        # Ray fills one GPU before it takes the next one, which a few tasks would leave without work.
        processes = min(processes, math.ceil(len(tasks) / max(1, gpus)))
        each = cpus_each(ray.nodes(), on_gpus=gpus > 0) if workers is None else workers
        options = {"num_cpus": part(max(1, each), processes), "num_gpus": part(1 if gpus else 0, processes)}
        work = make_work(max(1, each // processes) if each else 0)
        actors = _Actors(ray, options, (work, Seat("cuda" if gpus else "cpu", processes)))
        count = min(max(gpus, 1) * processes, len(tasks))
        yield from _Run(actors, Roster(tasks, attempts, processes=processes), patience).reports(count)
    finally:
        ray.shutdown()
        gc.collect()  # Ray leaves cycles whose end in a process that is forked later would crash it
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)  # Ray leaves its own, which processes forked later would have, too


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise MissingDependencyError(f"--engine ray needs Ray ({error}). Install it: pip install ray") from error
    return ray


def _gpus(ray: Any) -> int:
    gpus = int(ray.cluster_resources().get("GPU", 0))
    if gpus == 0:
        then = "Start Ray's nodes with GPUs, or give --gpus 0 for the CPU."
        raise ConfigurationError(explain("the Ray cluster has no GPU", then=then))
    return gpus


def cpus_each(nodes: Iterable[Mapping[str, Any]], *, on_gpus: bool) -> int:
    """Return the CPUs for each GPU, or for an actor without one, so that actors fit on all nodes; at least 1.

    Args:
        nodes: what `ray.nodes()` gives.
        on_gpus: whether actors need a GPU; nodes without are not looked at then.
    """
    resources = [node["Resources"] for node in nodes if node["Alive"]]
    useful = [one for one in resources if one.get("GPU" if on_gpus else "CPU", 0)]
    return max(1, min((int(one.get("CPU", 0) / max(1, one.get("GPU", 0))) for one in useful), default=1))


def part(whole: int, processes: int) -> float:
    """Return the share of each process in CPUs or GPUs, not above the exact one: Ray rounds to a ten thousandth."""
    return whole * 10_000 // processes / 10_000


class _Actors:
    """Begins actors, and reads what they answer."""

    def __init__(self, ray: Any, options: Mapping[str, Any], arguments: tuple[Work, Seat]) -> None:
        self.ray = ray
        self.options = options
        # What fails is begun again here and not by Ray, which would give the same task to the same actor.
        self._class = ray.remote(max_restarts=0, max_task_retries=0, **options)(Actor)
        self._arguments = arguments

    def begin(self) -> tuple[Any, Any]:
        """Return a new actor, and the answer that it gives once it is placed."""
        actor = self._class.remote(*self._arguments)
        return actor, actor.ready.remote()

    def answer(self, done: Any) -> Any:
        """Return what came back; an AttemptFailedError where an actor failed or was lost."""
        try:
            return self.ray.get(done)
        except self.ray.exceptions.RayTaskError as error:
            return AttemptFailedError(_last_line(error))
        except self.ray.exceptions.RayError as error:
            return AttemptFailedError(f"its process was lost: {_last_line(error)}")


class _Run:
    """Tasks go to actors that have answered; an actor that fails is replaced by a new one."""

    def __init__(self, actors: _Actors, roster: Roster, patience: float) -> None:
        self._actors = actors
        self._roster = roster
        self._patience = patience
        self._slots: dict[int, Any] = {}  # actors by number
        self._names: dict[int, str] = {}  # devices of those that have answered
        self._devices: list[str] = []  # whose places here are their numbers in the roster
        self._in_vain: Counter[int] = Counter()  # attempts to begin in a row
        self._idle: deque[int] = deque()
        self._awaited: dict[Any, tuple[int, Entry | None]] = {}  # no entry: whether the actor is there
        self._failure: Exception | None = None

    def reports(self, count: int) -> Iterator[tuple[Task, Report]]:
        for slot in range(count):
            self._begin(slot)
        while not self._roster.over:
            self._hand_out()
            slot, entry, answer = self._next_answer()
            if isinstance(answer, AttemptFailedError):
                self._failed(slot, entry, answer)
            elif entry is None:
                self._join(slot, answer)
            elif isinstance(answer, Exception):
                self._roster.ended()
                self._failure = self._failure or answer
            else:
                self._roster.succeeded(self._device(slot))
                self._idle.append(slot)
                yield entry.task, answer
        if self._failure is not None:
            raise self._failure

    def _begin(self, slot: int) -> None:
        self._slots[slot], placed = self._actors.begin()
        self._awaited[placed] = (slot, None)

    def _join(self, slot: int, name: str) -> None:
        self._names[slot] = name
        self._in_vain[slot] = 0
        if name not in self._devices:
            self._devices.append(name)
        self._note_present()
        self._idle.append(slot)

    def _device(self, slot: int) -> int:
        return self._devices.index(self._names[slot])

    def _note_present(self) -> None:
        self._roster.present = {self._device(slot) for slot in self._names} - self._roster.retired

    def _hand_out(self) -> None:
        for slot in [self._idle.popleft() for _ in range(len(self._idle))]:
            entry = self._roster.take(self._device(slot))
            if entry is None:
                self._idle.append(slot)
            else:
                self._awaited[self._slots[slot].do.remote(entry.task)] = (slot, entry)

    def _next_answer(self) -> tuple[int, Entry | None, Any]:
        # A task may take as long as it likes; that an actor is placed, while none is at work, may not.
        timeout = None if self._roster.running else self._patience
        done, _ = self._actors.ray.wait(list(self._awaited), num_returns=1, timeout=timeout)
        if not done:
            raise self._no_room()
        slot, entry = self._awaited.pop(done[0])
        return slot, entry, self._actors.answer(done[0])

    def _no_room(self) -> ConfigurationError:
        then = "Give fewer --workers, fewer --gpus, or wait until the cluster has room; `ray status` shows its nodes."
        needs = dict(self._actors.options)
        what = f"no process that needs {needs} was placed on the Ray cluster within {self._patience:g} s"
        return ConfigurationError(explain(what, found=f"in all {self._actors.ray.cluster_resources()}", then=then))

    def _failed(self, slot: int, entry: Entry | None, error: AttemptFailedError) -> None:
        """Replace the actor, because an error of the GPU stays with the process that met it."""
        if entry is None:
            self._in_vain[slot] += 1
            if over := self._in_vain[slot] >= RETIRES_AFTER:
                say_retired(f"process {slot}", error)
        else:
            device = self._device(slot)
            known = device in self._roster.retired
            self._failure = self._roster.failed(device, entry, error) or self._failure
            if (over := device in self._roster.retired) and not known:
                say_retired(self._names[slot], error)
        if not over:
            self._names.pop(slot, None)
            self._actors.ray.kill(self._slots[slot])
            self._begin(slot)
        # The actor of a device that is given up stays, so that no other one gets its GPU.
        self._note_present()
        if not (self._roster.present or any(one is None for _, one in self._awaited.values())):
            raise WorkerDiedError(f"no process could begin on the Ray cluster, at last: {error}")


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]
