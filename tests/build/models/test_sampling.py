"""The kernel that samples against transformers' module: in Triton's interpreter, and on a GPU if there is one."""

import json
import logging
import os
import subprocess
import sys

import pytest
import torch

pytest.importorskip("transformers", reason="the module that is replaced is transformers'")

from producers.detect.sampling import KernelSampling, kernel_runs, use_kernel
from tests.blocks import ROOT
from tests.build import tiny_models
from tests.build.models import sampling_cases

BOUNDS = {name: 0.01 if case[-1] == torch.bfloat16 else 1e-5 for name, case in sampling_cases.CASES.items()}
no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


@pytest.fixture(scope="module")
def interpreted():
    """Its differences in Triton's interpreter."""
    pytest.importorskip("triton", reason="a build of torch for CPUs comes without Triton")
    command = [sys.executable, "-m", "tests.build.models.sampling_cases"]
    folders = [str(ROOT), str(ROOT / "build"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "TRITON_INTERPRET": "1", "PYTHONPATH": os.pathsep.join(folders).rstrip(os.pathsep)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", sampling_cases.CASES)
def test_the_kernel_samples_as_transformers_does(interpreted, name):
    assert interpreted[name] < BOUNDS[name]


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("name", sampling_cases.CASES)
def test_a_gpu_samples_as_transformers_does(name):
    assert kernel_runs("cuda")
    assert sampling_cases.differences(name, "cuda") < BOUNDS[name]


@no_gpu
def test_the_kernel_compiles_for_gpus():
    """The interpreter does not see what a compiler refuses; that needs no GPU."""
    compiler = pytest.importorskip("triton.compiler")
    target = pytest.importorskip("triton.backends.compiler").GPUTarget("cuda", 90, 32)
    from producers.detect.sampling_kernel import sample

    constants = {"HEADS": 8, "CHANNELS": 24, "WIDE": 32, "MAPS": 4, "POINTS": 4, "BLOCK": 32}
    kinds = {
        "value": "*bf16",
        "out": "*bf16",
        "shapes": "*i64",
        "starts": "*i64",
        "locations": "*fp32",
        "weights": "*fp32",
    }
    signature = {name: "constexpr" if name in constants else kinds.get(name, "i32") for name in sample.arg_names}
    places = {(at,): constants[name] for at, name in enumerate(sample.arg_names) if name in constants}
    assert compiler.compile(compiler.ASTSource(sample, signature, places), target=target).asm["cubin"]


def test_every_module_that_samples_is_exchanged_and_says_the_same():
    network, tokenizer = tiny_models.grounding_dino()
    inputs = {"pixel_values": torch.rand(1, 3, 64, 96), **tokenizer(["a cat."], return_tensors="pt")}
    with torch.inference_mode():
        expected = network(**inputs)
    names = list(network.state_dict())
    use_kernel(network)
    use_kernel(network)
    exchanged = [one for one in network.modules() if isinstance(one, KernelSampling)]
    assert len(exchanged) == 3
    assert not any(isinstance(one.original, KernelSampling) for one in exchanged)
    assert list(network.state_dict()) == names
    with torch.inference_mode():
        assert torch.equal(network(**inputs).pred_boxes, expected.pred_boxes)


def test_the_cpu_keeps_what_transformers_has():
    assert not kernel_runs("cpu")


@no_gpu
def test_a_gpu_that_does_not_run_the_kernel_is_warned_of(caplog):
    pytest.importorskip("triton", reason="without Triton there is nothing to warn of")
    with caplog.at_level(logging.WARNING):
        assert not kernel_runs("cuda")
    assert "Triton's kernels do not run on cuda" in caplog.text
