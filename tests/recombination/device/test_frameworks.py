"""Loops of accelerate and of Lightning: they move deferred batches, which are composed afterwards."""

from __future__ import annotations

import contextlib
import time
import warnings
from typing import Any

import pytest

from fornet_hf.recombination import Recombine, collate, set_epoch
from tests.torchvision_shim import import_torchvision

torch = pytest.importorskip("torch")

from fornet_hf.recombination.device.ahead import DeviceLoader  # noqa: E402
from fornet_hf.recombination.device.compositor import Compositor  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # advice on loaders and devices


@pytest.fixture
def loader(ds: Any) -> Any:
    ds.set_transform(Recombine(ds, crop=32, seed=1, defer="jpeg", keep=("key",)))
    return torch.utils.data.DataLoader(ds, batch_size=3, collate_fn=collate, num_workers=1)


def test_a_loader_that_accelerate_prepared_tells_its_end_in_time(loader: Any) -> None:
    accelerate = pytest.importorskip("accelerate")
    accelerator = accelerate.Accelerator(cpu=True)
    prepared, found = accelerator.prepare(loader), []
    for images, labels in DeviceLoader(prepared, Compositor(), accelerator.device):
        time.sleep(0.2)  # in which a thread would ask for the next batch
        found.append((len(images), len(accelerator.gather_for_metrics(labels)), prepared.end_of_dataloader))
    assert found == [(3, 3, False), (3, 3, False), (2, 2, True)]


def test_a_loader_that_accelerate_prepared_keeps_the_epoch_of_a_resumed_run(loader: Any) -> None:
    accelerate = pytest.importorskip("accelerate")
    prepared = accelerate.Accelerator(cpu=True).prepare(loader)
    for epoch in (5, 6):
        set_epoch(prepared, epoch)
        next(iter(prepared))  # left early, which its own count leaves out
        assert loader.dataset.epoch == epoch


def test_lightning_trains_on_what_is_composed_after_the_transfer(loader: Any) -> None:
    with warnings.catch_warnings(), contextlib.suppress(ImportError):
        warnings.simplefilter("ignore")
        import_torchvision()
    lightning = pytest.importorskip("pytorch_lightning", exc_type=ImportError)

    class Module(lightning.LightningModule):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.compositor, self.layer, self.seen = Compositor(), torch.nn.Linear(3 * 32 * 32, 3), []

        def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
            return self.compositor(batch)

        def training_step(self, batch: Any, _: int) -> Any:
            images, labels = batch
            self.seen.append(images)
            return torch.nn.functional.cross_entropy(self.layer(images.flatten(1)), labels)

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), 0.1)

    module = Module()
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    lightning.Trainer(max_epochs=1, accelerator="cpu", devices=1, **quiet).fit(module, loader)
    set_epoch(loader, 0)
    assert all(torch.equal(*pair) for pair in zip(module.seen, (Compositor()(b)[0] for b in loader), strict=True))
