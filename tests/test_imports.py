"""The library imports without torch and OpenCV, but for the modules that hold networks or tensors' work."""

import pkgutil
import subprocess
import sys

import pytest

import fornet_hf

ON_TENSORS = {
    "fornet_hf.adapters.by_peft",
    "fornet_hf.adapters.files",
    "fornet_hf.adapters.frozen",
    "fornet_hf.adapters.layers",
    "fornet_hf.adapters.orthogonal",
    "fornet_hf.adapters.tuning",
    "fornet_hf.evaluation.independence.bounds",
    "fornet_hf.evaluation.independence.critics",
    "fornet_hf.evaluation.independence.estimating",
    "fornet_hf.evaluation.independence.training",
    "fornet_hf.evaluation.leakage.learned",
    "fornet_hf.mixing.alternate",
    "fornet_hf.mixing.applying",
    "fornet_hf.mixing.backgrounds",
    "fornet_hf.mixing.calling",
    "fornet_hf.mixing.hashing",
    "fornet_hf.mixing.lightning",
    "fornet_hf.mixing.losses",
    "fornet_hf.mixing.mixers",
    "fornet_hf.mixing.on_tensors",
    "fornet_hf.recombination.device.ahead",
    "fornet_hf.recombination.device.batch",
    "fornet_hf.recombination.device.compositor",
    "fornet_hf.recombination.device.filters",
    "fornet_hf.recombination.device.form",
    "fornet_hf.recombination.device.jpegs",
    "fornet_hf.recombination.device.kernels.masks",
    "fornet_hf.recombination.device.kernels.painting",
    "fornet_hf.recombination.device.kernels.scaling",
    "fornet_hf.recombination.device.packing",
    "fornet_hf.recombination.device.products",
}
"""Modules that begin with `import torch`; nothing but each other and a caller's first use imports them."""
FOUND = {m.name for m in pkgutil.walk_packages(fornet_hf.__path__, "fornet_hf.")}
MODULES = ["fornet_hf", "ForNet", *sorted(FOUND - ON_TENSORS)]
PROGRAM = """
import importlib, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name in ("torch", "cv2"):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Refuse())
for name in {names}:
    importlib.import_module(name)
print(sorted({{"torch", "cv2"}} & set(sys.modules)))
"""


def run(names, then=""):
    environment = {"PYTHONPATH": ".", "PATH": "/usr/bin:/bin", "USE_TORCH": "0", "USE_TF": "0", "USE_JAX": "0"}
    command = [sys.executable, "-c", PROGRAM.format(names=names) + then]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_every_module_loads_neither_torch_nor_opencv():
    done = run(MODULES)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", sorted(ON_TENSORS))
def test_a_module_on_tensors_misses_torch_and_nothing_else(name):
    assert run([name]).stderr.strip().endswith("ModuleNotFoundError: No module named 'torch'")


def test_this_test_can_fail():
    assert run(["cv2"]).returncode != 0


def test_a_name_that_needs_torch_says_so():
    last = run([], "import fornet_hf; fornet_hf.Compositor").stderr.splitlines()[-1]
    assert "MissingDependencyError: fornet_hf.Compositor cannot be used (No module named 'torch')" in last
    assert last.endswith("Install it: pip install torch")


def test_the_star_needs_no_torch():
    done = run([], "from fornet_hf import *\nprint(Recombine)")
    assert done.returncode == 0, done.stderr


def test_parts_of_the_package_are_there_without_an_import_of_their_own_and_are_loaded_late():
    parts = "('adapters', 'evaluation', 'mixing')"
    then = f"""
import sys, fornet_hf
assert not [part for part in {parts} if f"fornet_hf.{{part}}" in sys.modules]
print([getattr(fornet_hf, part).__name__ for part in {parts}])
"""
    done = run([], then)
    assert done.stdout.endswith("['fornet_hf.adapters', 'fornet_hf.evaluation', 'fornet_hf.mixing']\n"), done.stderr


def test_the_modules_on_tensors_are_there():
    assert ON_TENSORS <= FOUND


@pytest.mark.parametrize("name", ["fornet_hf.format.patch", "fornet_hf.format.manifest", "fornet_hf.release.units"])
def test_applying_needs_no_datasets(name):
    program = f"import sys, {name}; print('datasets' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
