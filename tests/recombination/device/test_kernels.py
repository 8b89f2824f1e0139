"""The Triton kernels paint what the CPU does: in Triton's interpreter, and on a GPU where there is one."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from fornet_hf.recombination.device.layers import WAYS
from tests.blocks import ROOT
from tests.recombination.device import cases

torch = pytest.importorskip("torch")
pytest.importorskip("triton", reason="a build of torch for CPUs comes without Triton")
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
EACH = list(itertools.product(WAYS, cases.KINDS))


@pytest.fixture(scope="module")
def interpreted() -> dict[str, dict[str, float]]:
    """What Triton's interpreter is off by."""
    command = [sys.executable, "-m", "tests.recombination.device.cases"]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    environment = {**os.environ, "TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, float]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("way", "kind"), EACH)
def test_kernels_paint_what_the_cpu_does(interpreted: Any, way: str, kind: str) -> None:
    check(interpreted[f"{way} {kind}"])


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("kernels", [True, False])
@pytest.mark.parametrize(("way", "kind"), EACH)
def test_a_gpu_paints_what_the_cpu_does(way: str, kind: str, kernels: bool) -> None:
    from fornet_hf.recombination.device.compositor import Compositor

    some = cases.KINDS[kind]()
    # Pillow decodes, so that the pixels are the same.
    compositor = Compositor(dtype=torch.uint8, kernels=kernels, decoder="pillow")
    batch = cases.batch(some, way).to("cuda")
    composed = compositor.composed(batch)
    found = cases.differences(composed, some)
    if kernels:
        check(found)
    else:  # of half precision
        assert found["most"] <= 2
        assert found["mask"] <= 3
        assert found["mean"] <= 0.3
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        with torch.autocast("cuda", dtype=torch.bfloat16):
            again = compositor.composed(batch)
    finally:
        torch.set_float32_matmul_precision(before)
    assert torch.equal(composed.images, again.images)
    assert torch.equal(composed.masks, again.masks)


@pytest.mark.gpu
@needs_gpu
def test_a_gpu_decodes_jpegs() -> None:
    from fornet_hf.recombination.device.compositor import Compositor

    some = cases.cases("bilinear")
    found = cases.differences(Compositor(dtype=torch.uint8).composed(cases.batch(some, "jpeg").to("cuda")), some)
    assert found["mean"] <= 2
    assert found["mask"] <= 1


def check(found: dict[str, float]) -> None:
    """Hold it to the bounds of `Compositor`; to 1 level where nothing is scaled, and there all are."""
    assert found["most"] <= 1
    assert found["mask"] <= 1
    assert found["mean"] <= 0.02
    assert found["mask mean"] <= 0.02


@pytest.mark.skipif(torch.cuda.is_available(), reason="the GPU's own tests compile")
@pytest.mark.parametrize("coded", [False, True])
def test_kernels_compile_for_gpus(coded: bool) -> None:
    """The interpreter does not see what a compiler refuses; that needs no GPU."""
    compiler = pytest.importorskip("triton.compiler")
    target = pytest.importorskip("triton.backends.compiler").GPUTarget("cuda", 80, 32)
    from fornet_hf.recombination.device.batch import AT, COLUMNS
    from fornet_hf.recombination.device.kernels import masks, painting

    pointers = {"pixels": "*u8" if coded else "*i32", "index": "*i32", "floats": "*fp32", "out": "*bf16"}
    pointers |= {"source": "*fp16", "feathered": "*fp16", "masks": "*u8"}
    numbers = {name: "fp32" for name in painting.paint.arg_names if name.endswith(("_scale", "_shift"))}
    constants = {"COLUMNS": len(COLUMNS), "BLOCK": 512, "HALF": AT["x_half"], "ALONG_X": coded, "TILE_X": 32}
    constants |= {"TILE_Y": 8, "CODED": coded, "CUBIC": coded, "MASKS": True}
    for kernel in (masks.scale_masks, masks.blur_masks, painting.paint):
        names = kernel.arg_names
        constant = {(at,): constants[name] for at, name in enumerate(names) if name in constants}
        kinds = {name: "constexpr" if name in constants else (pointers | numbers).get(name, "i32") for name in names}
        made = compiler.compile(compiler.ASTSource(kernel, kinds, constant), target=target)
        assert made.asm["cubin"]
