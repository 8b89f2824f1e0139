"""Training of the small network, on the images as they are or recombined; all else is the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

import fornet_hf
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.files import atomic_path
from planted_bias.network import INPUT, small

BATCH, RATE, DECAY = 64, 3e-3, 0.05


def train(dataset: Any, weights: Path, *, recombined: bool, seed: int, epochs: int) -> None:
    """Train a network and write its weights; if the file is there, do nothing.

    Args:
        dataset: the training rows of ForNet.
        weights: file of the weights.
        recombined: by ForNet; False: the images as they are.
        seed: of weights, order and recombination.
        epochs: 1 or more.
    """
    if weights.exists():
        return
    rows = dataset.with_format(None)
    whole = fornet_hf.CropConfig(size=INPUT, scale=(1, 1), ratio=(1, 1))
    rows.set_transform(
        fornet_hf.Recombine(
            rows,
            crop=whole,
            orig_img_prob=0.0 if recombined else 1.0,
            flip=0.5,
            seed=seed,
            transform=fornet_hf.to_tensor,
        )
    )
    torch.manual_seed(seed)
    network = small(rows.features["label"].num_classes).train()
    order, whole_batches = torch.Generator().manual_seed(seed), len(rows) >= BATCH
    loader = DataLoader(rows, BATCH, shuffle=True, drop_last=whole_batches, generator=order)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=epochs * len(loader))
    for epoch in range(epochs):
        fornet_hf.set_epoch(rows, epoch)
        for batch in loader:
            loss = nn.functional.cross_entropy(network(batch["image"]), batch["label"])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    with atomic_path(weights) as temporary:
        torch.save(network.state_dict(), temporary)


def classifier(name: str, weights: Path) -> Classifier:
    """Return a trained network as the measures take it."""
    state = torch.load(weights, weights_only=True)
    network = small(len(state["18.bias"]))
    network.load_state_dict(state)
    whole = Preprocessing(size=INPUT, crop=1.0, interpolation="bilinear", mean=(0, 0, 0), std=(1, 1, 1))
    return Classifier(name=name, revision="", network=network.eval(), preprocessing=whole)
