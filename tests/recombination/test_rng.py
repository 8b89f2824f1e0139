"""Generators by name, and seeds of processes."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from fornet_hf.recombination.rng import ProcessSeed, generator


def test_the_same_names_give_the_same_numbers_for_ever():
    expected = [0.3338609975968263, 0.8787941666030553]
    assert generator("example", 1, 0.0, "n01440764_10026").random(2).tolist() == pytest.approx(expected, abs=1e-15)


def test_other_names_give_other_numbers():
    assert generator(1, "a").random() != generator(1, "b").random() != generator(2, "a").random()


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
    seed = ProcessSeed()
    torch.manual_seed(5)
    assert seed.next() == (5, 0)
    torch.manual_seed(6)
    assert seed.next() == (6, 0)


def test_a_copy_starts_anew():
    seed = ProcessSeed()
    seed.next()
    assert pickle.loads(pickle.dumps(seed)).next()[1] == 0


def test_without_torch_every_process_draws_its_own():
    program = "from fornet_hf.recombination.rng import ProcessSeed; print(ProcessSeed().next()[0])"
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"], "USE_TORCH": "0"}
    runs = [subprocess.check_output([sys.executable, "-c", program], env=environment) for _ in range(2)]
    assert runs[0] != runs[1]
