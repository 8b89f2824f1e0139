"""docs/recipes.md does what it says: its code runs, and each library gets what it was promised."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from tests.blocks import ROOT, blocks
from tests.hub.client import run_python
from tests.reader import surroundings

MISSING = [
    name for name in ("torch", "timm", "transformers", "pytorch_lightning", "accelerate") if not find_spec(name)
]
PAGE = "docs/recipes.md"
SHARES = "assert {0}.shape == (8, 1000) and torch.allclose({0}.sum(1), torch.ones(8))"
CHECKS = {
    "torchvision": ("assert images.shape == (8, 3, 224, 224)", SHARES.format("labels"), "assert ds.epoch == 1"),
    "timm": ("assert images.shape == (8, 3, 224, 224)", SHARES.format("targets")),
    "Lightning": (
        "assert trainer.datamodule.train.epoch == 1",
        "assert 0 <= trainer.callback_metrics['accuracy'] <= 1",
    ),
    "The Trainer of transformers": (
        "assert train.epoch == 1",
        "assert [round(line['epoch']) for line in trainer.state.log_history if 'eval_loss' in line] == [1, 2]",
    ),
    "accelerate": ("assert ds.epoch == 1", "assert loss.isfinite()"),
}
SHIM = "from tests.torchvision_shim import import_torchvision; import_torchvision()\n"
RUN = "space = {{'__name__': '__main__'}}; exec(compile({code!r}, {name!r}, 'exec'), space); exec({check!r}, space)\n"


def heading(line: int) -> str:
    """The section in which a line of the page stands."""
    lines = (ROOT / PAGE).read_text(encoding="utf-8").splitlines()[:line]
    return next(text.removeprefix("## ") for text in reversed(lines) if text.startswith("## "))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}")
def test_every_recipe_trains_on_what_it_promises(tmp_path_factory, demo):
    """In one process, as importing these libraries takes longer than all else."""
    steps = [(heading(block.line), block) for block in blocks(PAGE, "python")]
    assert {name for name, _ in steps} == CHECKS.keys()
    code = SHIM + "".join(
        RUN.format(code=block.code, name=str(block), check="\n".join(CHECKS[name])) for name, block in steps
    )
    with surroundings(tmp_path_factory.mktemp("reader"), demo) as (folder, environment):
        done = run_python(code, {**environment, "OMP_NUM_THREADS": "1"}, cwd=folder, timeout=500)
    assert done.returncode == 0, done.stderr
