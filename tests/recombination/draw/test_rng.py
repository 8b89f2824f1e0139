"""Generators by name, and seeds of processes."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fornet_hf.recombination.draw.rng import ProcessSeed, Uniforms, generator


def test_the_same_names_give_the_same_numbers_for_ever():
    expected = [0.3338609975968263, 0.8787941666030553]
    assert generator("example", 1, 0.0, "n01440764_10026").random(2).tolist() == pytest.approx(expected, abs=1e-15)


def test_other_names_give_other_numbers():
    assert generator(1, "a").random() != generator(1, "b").random() != generator(2, "a").random()


def test_numbers_by_name_are_those_of_the_generator():
    uniforms = Uniforms()
    for names in (("example", 1, 0.0, "n01440764_10026"), ("a",), ("example", 1, 0.0, "n01440764_10026")):
        assert uniforms.of(names, 31) == generator(*names).random(31).tolist()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: uniforms.of((number,), 3), range(200)))
    assert found == [generator(number).random(3).tolist() for number in range(200)]
    assert pickle.loads(pickle.dumps(uniforms)).of(("a",), 2) == uniforms.of(("a",), 2)


def test_the_global_generator_is_left_alone():
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    generator("a").random(10)
    ProcessSeed().next()
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


def test_a_process_counts_its_examples():
    seed = ProcessSeed()
    (first, zero), (second, one) = seed.next(), seed.next()
    assert (first, zero, one) == (second, 0, 1)


def test_it_follows_the_seed_of_torch():
    torch = pytest.importorskip("torch")
    made = []
    for number in (5, 6, 5):
        torch.manual_seed(number)
        made.append(ProcessSeed().next())
    assert made[0] == made[2] != made[1]


def test_a_new_seed_of_torch_begins_anew():
    torch = pytest.importorskip("torch")
    seed = ProcessSeed()
    for number in (5, 6):
        torch.manual_seed(number)
        assert seed.next()[1] == 0


def test_a_copy_starts_anew():
    seed = ProcessSeed()
    seed.next()
    assert pickle.loads(pickle.dumps(seed)).next()[-1] == 0


FORKS = """
import multiprocessing, os, sys
if "torch" in sys.argv:
    import torch
    torch.manual_seed(5)
from fornet_hf.recombination.draw.rng import ProcessSeed
seed = ProcessSeed()
if "used" in sys.argv:
    seed.next()

def show(*_):
    os.write(1, f"{seed.next()}\\n{ProcessSeed().next()}\\n".encode())

if "raw" in sys.argv:
    for _ in range(3):
        if os.fork() == 0:
            show()
            os._exit(0)
        os.wait()
else:
    for _ in range(3):
        process = multiprocessing.get_context("fork").Process(target=show, name="alike")
        process.start()
        process.join()
"""


@pytest.mark.parametrize("loaded", ["torch", "none"])
@pytest.mark.parametrize("used", ["used", "new"])
@pytest.mark.parametrize("how", ["raw", "multiprocessing"])
def test_forks_of_one_process_differ(loaded, used, how):
    if loaded == "torch":
        pytest.importorskip("torch")
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-W", "ignore", "-c", FORKS, loaded, used, how]
    seeds = subprocess.check_output(command, env=environment, text=True).splitlines()
    assert len(seeds) == len(set(seeds)) == 6


def _names(_):
    return ProcessSeed().next()


def test_workers_of_a_loader_are_repeatable_and_differ():
    torch = pytest.importorskip("torch")

    def run():
        torch.manual_seed(5)
        return list(torch.utils.data.DataLoader([0] * 4, batch_size=1, num_workers=2, collate_fn=_names))

    first, second = run(), run()
    assert first == second
    assert len({seed for seed, _ in first}) == 2


LOADERS = """
import multiprocessing, torch
from fornet_hf.recombination.draw.rng import ProcessSeed

def names(_):
    return ProcessSeed().next()

def show():
    print(list(torch.utils.data.DataLoader([0], batch_size=1, num_workers=1, collate_fn=names)), flush=True)

torch.manual_seed(5)
for _ in range(3):
    process = multiprocessing.get_context("fork").Process(target=show)
    process.start()
    process.join()
"""


def test_loaders_of_forks_of_one_process_differ_and_are_repeatable():
    pytest.importorskip("torch")
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-W", "ignore", "-c", LOADERS]
    runs = [subprocess.check_output(command, env=environment, text=True).splitlines() for _ in range(2)]
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 3


def test_ranks_with_equal_seeds_differ(monkeypatch):
    torch = pytest.importorskip("torch")
    torch.manual_seed(5)
    names = set()
    for rank in "012":
        monkeypatch.setenv("RANK", rank)
        names.add(ProcessSeed().next())
    assert len(names) == 3


def test_without_torch_every_process_draws_its_own():
    program = "from fornet_hf.recombination.draw.rng import ProcessSeed; print(ProcessSeed().next()[0])"
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"], "USE_TORCH": "0"}
    runs = [subprocess.check_output([sys.executable, "-c", program], env=environment) for _ in range(2)]
    assert runs[0] != runs[1]
