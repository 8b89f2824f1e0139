"""Running tasks on a Ray cluster: the same work as on one machine, in one actor for each GPU."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fornet_hf.errors import ConfigurationError, ForNetError, MissingDependencyError, explain
from producers.parallel import WorkerDiedError
from producers.plan import Task
from producers.report import Report
from producers.slots import AttemptFailedError, Work, plain

_CODE = (Path(__file__).parents[2], Path(__file__).parents[1])  # for `fornet_hf` and for `producers`


class Segmenter:
    """What becomes an actor: work that stays on its GPU."""

    def __init__(self, work: Work, device: str) -> None:
        self._work = work
        self._device = device

    def do(self, task: Task) -> Report | Exception:
        """The report; an error that another attempt would not put right comes back instead of being raised."""
        try:
            return self._work(task, self._device)
        except ForNetError as error:
            return error
        except OSError as error:
            return plain(error)


def run_on_ray(
    work: Work,
    tasks: Sequence[Task],
    *,
    address: str | None,
    gpus: int | None,
    cpus_each: int,
    attempts: int = 3,
) -> Iterator[tuple[Task, Report]]:
    """Each task with its report, as they get finished; as `run_on_slots`.

    Folders and code must be at the same paths on all machines, as on a shared file system.

    Args:
        work: what is done.
        tasks: shards.
        address: of the cluster, such as `auto` or `ray://host:10001`; None starts one on this machine.
        gpus: actors, each with a GPU; None: as many as the cluster has; 0: one actor, on the CPU.
        cpus_each: CPUs that Ray sets aside for each actor.
        attempts: at one task, at least 1.

    Raises:
        MissingDependencyError: Ray is not installed.
        ConfigurationError: the cluster has no GPUs.
        WorkerDiedError: a task failed that many times.
        ForNetError: what a task raised.
        OSError: likewise.
    """
    ray = _ray()
    paths = os.pathsep.join([*map(str, _CODE), *filter(None, [os.environ.get("PYTHONPATH")])])
    own = {} if address else {"include_dashboard": False}
    ray.init(address=address, runtime_env={"env_vars": {"PYTHONPATH": paths}}, log_to_driver=False, **own)
    try:
        yield from _run(ray, _actors(ray, work, len(tasks), gpus, cpus_each, attempts), tasks, attempts)
    finally:
        ray.shutdown()


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise MissingDependencyError(f"--engine ray needs Ray ({error}). Install it: pip install ray") from error
    return ray


def _actors(ray: Any, work: Work, tasks: int, gpus: int | None, cpus_each: int, attempts: int) -> list[Any]:
    if gpus is None:
        gpus = int(ray.cluster_resources().get("GPU", 0))
        if gpus == 0:
            then = "Start Ray's nodes with GPUs, or give --gpus 0 for the CPU."
            raise ConfigurationError(explain("the Ray cluster has no GPU", then=then))
    # An actor that dies is begun again elsewhere, and so is what it was at.
    options = {"num_cpus": cpus_each, "max_restarts": -1, "max_task_retries": attempts - 1}
    actor = ray.remote(**options, num_gpus=1 if gpus else 0)(Segmenter)
    device = "cuda" if gpus else "cpu"
    return [actor.remote(work, device) for _ in range(min(max(gpus, 1), tasks))]


def _run(ray: Any, actors: list[Any], tasks: Sequence[Task], attempts: int) -> Iterator[tuple[Task, Report]]:
    waiting = list(reversed([(task, 1) for task in tasks]))
    running: dict[Any, tuple[Any, Task, int]] = {}
    idle = list(actors)
    failure: Exception | None = None
    while running or (waiting and failure is None):
        while idle and waiting and failure is None:
            actor, (task, attempt) = idle.pop(), waiting.pop()
            running[actor.do.remote(task)] = (actor, task, attempt)
        (done,), _ = ray.wait(list(running), num_returns=1)
        actor, task, attempt = running.pop(done)
        idle.append(actor)
        answer = _answer(ray, done)
        if isinstance(answer, Report):
            yield task, answer
        elif isinstance(answer, AttemptFailedError) and attempt < attempts:
            ray.kill(actor, no_restart=False)  # an error of the GPU stays with the process that met it
            waiting.append((task, attempt + 1))
        else:
            failure = failure or answer
    if failure is not None:
        raise failure


def _answer(ray: Any, done: Any) -> Report | Exception:
    try:
        answer: Report | Exception = ray.get(done)
    except ray.exceptions.RayTaskError as error:
        return AttemptFailedError(_last_line(error))
    except ray.exceptions.RayError as error:  # Ray has begun it again as often as it may
        return WorkerDiedError(f"a task's process was lost, time and again: {_last_line(error)}")
    return answer


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]
