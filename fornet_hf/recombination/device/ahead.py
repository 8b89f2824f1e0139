"""A loader's batches composed on a stream of their own, while the training step before still runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch

from fornet_hf.recombination.device.batch import Batch
from fornet_hf.recombination.device.compositor import Compositor


class DeviceLoader:
    """Iterates over `(images, labels)` of a loader of batches.

    The step that a caller has started runs on its own stream. The next batch is moved and composed beside it, on a
    second one, as soon as the loader has it.

    Args:
        loader: a DataLoader with `collate_fn=fornet_hf.collate`, of a dataset whose `Recombine` has `defer=`.
        compositor: see there.
        device: such as "cuda".

    Example:
        >>> import fornet_hf, torch
        >>> ds = fornet_hf.load_dataset(patches="demo/made/patches", imagenet_dir="demo/pictures", split="train")
        >>> ds.set_transform(fornet_hf.Recombine(ds, background_combination="same", crop=96, defer="jpeg"))
        >>> loader = torch.utils.data.DataLoader(ds, batch_size=2, collate_fn=fornet_hf.collate)
        >>> images, labels = next(iter(fornet_hf.DeviceLoader(loader, fornet_hf.Compositor(), "cpu")))
        >>> images.shape
        torch.Size([2, 3, 96, 96])
    """

    def __init__(self, loader: Iterable[Batch], compositor: Compositor, device: torch.device | str) -> None:
        self.loader, self.compositor, self.device = loader, compositor, torch.device(device)

    def __len__(self) -> int:
        return len(self.loader)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[tuple[torch.Tensor, Any]]:
        if self.device.type != "cuda":
            yield from (self.compositor(batch.to(self.device)) for batch in self.loader)
            return
        beside = torch.cuda.Stream(self.device)  # type: ignore[no-untyped-call]
        for batch in self.loader:
            with torch.cuda.stream(beside):
                images, labels = self.compositor(batch.to(self.device, non_blocking=True))
            current = torch.cuda.current_stream(self.device)
            current.wait_stream(beside)
            for tensor in (images, labels):
                if isinstance(tensor, torch.Tensor):
                    tensor.record_stream(current)  # its memory is not used again before the step is over
            yield images, labels
