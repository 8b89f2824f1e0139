"""docs/recipes.md does what it says: its code runs, and each library gets what it was promised."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests import torchvision_shim
from tests.blocks import blocks, commands
from tests.local_hub.client import run_python
from tests.reader import surroundings

MISSING = [
    name for name in ("torch", "timm", "transformers", "pytorch_lightning", "accelerate") if not find_spec(name)
]
PAGE = "docs/recipes.md"
SHARES = "assert {0}.shape == (8, 1000) and torch.allclose({0}.sum(1), torch.ones(8))"
CHECKS = {  # by a word of the recipe
    "torchvision.transforms": (
        "assert images.shape == (8, 3, 224, 224)",
        SHARES.format("labels"),
        "assert ds.epoch == 1",
    ),
    "timm.loss": ("assert images.shape == (8, 3, 224, 224)", SHARES.format("targets")),
    "create_loader": ("assert images.shape == (8, 3, 224, 224)", "assert labels.shape == (8,)"),
    "pytorch_lightning": (
        "assert trainer.datamodule.train.epoch == 1",
        "assert 0 <= trainer.callback_metrics['accuracy'] <= 1",
    ),
    "TrainingArguments": (
        "assert train.epoch == 1",
        "assert [round(line['epoch']) for line in trainer.state.log_history if 'eval_loss' in line] == [1, 2]",
        "trainer.state.epoch = 1.8; SetEpoch().on_epoch_begin(None, trainer.state, None)",  # resumed within an epoch
        "assert train.epoch == 1",
    ),
    "Accelerator": ("assert ds.epoch == 1", "assert loss.isfinite()"),
}
RUN = "space = {{'__name__': '__main__'}}; exec(compile({code!r}, {name!r}, 'exec'), space); exec({check!r}, space)\n"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}")
def test_every_recipe_trains_on_what_it_promises(tmp_path_factory, demo):
    """In one process, as importing these libraries takes longer than all else."""
    steps = [(word, block) for block in blocks(PAGE, "python") for word in CHECKS if word in block.code]
    assert [word for word, _ in steps] == list(CHECKS)
    assert len(steps) == len(blocks(PAGE, "python"))
    (apply,) = [command for block in blocks(PAGE, "console") for command in commands(block)]
    code = torchvision_shim.CODE + "".join(
        RUN.format(code=block.code, name=str(block), check="\n".join(CHECKS[word])) for word, block in steps
    )
    with surroundings(tmp_path_factory.mktemp("reader"), demo) as (folder, environment):
        command = [sys.executable, "-m", "fornet_hf", *apply.split()[1:]]
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
        done = run_python(code, {**environment, "OMP_NUM_THREADS": "1"}, cwd=folder, timeout=500)
    assert done.returncode == 0, done.stderr
