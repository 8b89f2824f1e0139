"""Batches that Lightning's callback mixes."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import warnings

import pytest

from fornet_hf.errors import ConfigurationError
from tests.torchvision_shim import import_torchvision

torch = pytest.importorskip("torch")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    with contextlib.suppress(ImportError):
        import_torchvision()
    pl = pytest.importorskip("pytorch_lightning")

from fornet_hf.mixing import FMix, MixUp  # noqa: E402
from fornet_hf.mixing.lightning import MixCallback  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # Lightning's advice on loaders and devices

IMAGES, LABELS = torch.rand(10, 3, 8, 8, generator=torch.Generator().manual_seed(0)), torch.arange(10) % 3


class Columns(torch.utils.data.Dataset):
    def __len__(self):
        return len(IMAGES)

    def __getitem__(self, number):
        return {"image": IMAGES[number], "label": int(LABELS[number])}


class Module(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3 * 64, 3)
        self.seen, self.validated = [], []

    def parts(self, batch):
        return (batch["image"], batch["label"]) if isinstance(batch, dict) else batch

    def training_step(self, batch, _):
        images, targets = self.parts(batch)
        self.seen.append((images.clone(), targets.clone()))
        return torch.nn.functional.cross_entropy(self.layer(images.flatten(1)), targets)

    def validation_step(self, batch, _):
        self.validated.append(self.parts(batch)[0].clone())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


def trained(mix, data, epochs=2, **arguments):
    module = Module()
    loaders = [torch.utils.data.DataLoader(data, batch_size=4) for _ in range(2)]
    trainer = pl.Trainer(
        max_epochs=epochs, accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False,
        callbacks=[MixCallback(mix)], **{"enable_checkpointing": False, **arguments},
    )  # fmt: skip
    return module, trainer, loaders


@pytest.mark.parametrize("data", [Columns(), torch.utils.data.TensorDataset(IMAGES, LABELS)], ids=["dict", "list"])
def test_training_steps_see_mixed_batches_and_validation_plain_ones(data):
    module, trainer, loaders = trained(FMix(num_classes=3, seed=0), data)
    trainer.fit(module, *loaders)
    assert len(module.seen) == 6
    same = FMix(num_classes=3, seed=0)
    for number, (images, targets) in enumerate(module.seen):
        epoch, step = divmod(number, 3)
        same.set_epoch(epoch, step=step)
        part = slice(4 * step, 4 * step + 4)
        expected = same.mixed(IMAGES[part], LABELS[part])
        assert torch.equal(images, expected.images)
        assert torch.equal(targets, expected.targets)
    assert torch.equal(module.validated[-1], IMAGES[8:])


def test_the_last_epochs_are_not_mixed():
    module, trainer, loaders = trained(MixUp(num_classes=3, off_for_last=1, seed=0), Columns())
    trainer.fit(module, *loaders)
    assert not torch.equal(module.seen[0][0], IMAGES[:4])
    assert torch.equal(module.seen[3][0], IMAGES[:4])


class Noted(MixUp):
    def __init__(self):
        super().__init__(num_classes=3, seed=0)
        self.drawn = []

    def applied(self, mix, *batch):
        self.drawn.append(mix)
        return super().applied(mix, *batch)


def test_a_training_goes_on_in_the_middle_of_an_epoch(tmp_path):
    whole, part = Noted(), Noted()
    module, trainer, loaders = trained(whole, Columns(), enable_checkpointing=True, default_root_dir=tmp_path)
    trainer.callbacks.append(pl.callbacks.ModelCheckpoint(tmp_path, "{step}", every_n_train_steps=2, save_top_k=-1))
    trainer.fit(module, *loaders)
    module, trainer, loaders = trained(part, Columns())
    trainer.fit(module, *loaders, ckpt_path=tmp_path / "step=2.ckpt", weights_only=False)
    assert len(whole.drawn) == 6
    assert [mix.lam for mix in part.drawn] == [mix.lam for mix in whole.drawn[2:]]


def test_a_batch_that_cannot_be_changed():
    with pytest.raises(ConfigurationError, match="on_after_batch_transfer"):
        MixCallback(MixUp(num_classes=3)).on_train_batch_start(None, None, (IMAGES, LABELS), 0)


def test_without_lightning_the_error_says_what_to_install():
    program = """
import sys
sys.modules["lightning"] = sys.modules["pytorch_lightning"] = None
import fornet_hf.mixing.lightning
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "MissingDependencyError: MixCallback cannot be used" in done.stderr
    assert "pip install lightning" in done.stderr
