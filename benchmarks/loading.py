"""Speed of loading to bytes: `python -m benchmarks.loading`. README.md says what is measured, and how."""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from PIL import Image

from benchmarks import harness
from benchmarks.harness import Case, measure, progress
from benchmarks.photos import prepare, views
from benchmarks.recombination import SIZE, store
from benchmarks.stages import breakdown
from benchmarks.straightforward import PlainJpegs
from fornet_hf.packages import optional
from fornet_hf.recombination import CropConfig, Recombine, to_uint8
from fornet_hf.recombination.pixels import decoders, feather
from tests.torchvision_shim import import_torchvision

PLAIN = "plain, Pillow"


class PlainBySimplejpeg(PlainJpegs):
    """The same with another decoder: an array becomes what `transform` gets."""

    def __init__(self, files: Sequence[bytes], transform: Any, become: Callable[[Any], Any]) -> None:
        super().__init__(files, transform)
        self.become = become

    def __getitem__(self, index: int) -> tuple[Any, int]:
        import simplejpeg

        return self.transform(self.become(simplejpeg.decode_jpeg(self.files[index]))), index


def sides(folder: Path) -> dict[str, tuple[Any, bool]]:
    """Name in the results to dataset, and whether the library may use simplejpeg."""
    import torch

    transforms = import_torchvision().transforms
    crop, flip = transforms.RandomResizedCrop(SIZE), transforms.RandomHorizontalFlip()
    pipeline = transforms.Compose([crop, flip, transforms.PILToTensor()])
    on_tensors = transforms.Compose([transforms.RandomResizedCrop(SIZE, antialias=True), flip])
    photos = views()
    files = [photo.source for photo in photos]
    stored = store([prepare(photo, label) for label, photo in enumerate(photos)], folder)
    recombine = Recombine(stored, seed=0, crop=CropConfig(size=SIZE), flip=0.5, transform=to_uint8)
    ours = stored.with_transform(recombine)
    ours.recombine = recombine
    return {
        PLAIN: (PlainJpegs(files, pipeline), False),
        "plain, simplejpeg": (PlainBySimplejpeg(files, pipeline, Image.fromarray), False),
        "plain, simplejpeg, resized by torch": (
            PlainBySimplejpeg(files, on_tensors, lambda a: torch.from_numpy(a).permute(2, 0, 1)),
            False,
        ),
        "fused": (ours, False),
        "fused, simplejpeg and OpenCV": (ours, True),
    }


def case(name: str, dataset: Any, fast: bool) -> Case:  # noqa: FBT001
    """One epoch through a DataLoader in this process, to one batch of bytes."""
    import torch

    recombine, epochs = getattr(dataset, "recombine", None), itertools.count()
    found = optional if fast else lambda _: None
    batches = torch.utils.data.DataLoader(dataset, batch_size=len(dataset))

    def run() -> Any:
        if recombine is None:
            return next(iter(batches))
        recombine.clock.epoch = next(epochs)
        with mock.patch.object(decoders, "optional", found), mock.patch.object(feather, "optional", found):
            return next(iter(batches))

    def check(batch: Any) -> None:
        images, labels = (batch["image"], batch["label"]) if isinstance(batch, dict) else batch
        assert images.shape == (len(dataset), 3, SIZE, SIZE)
        assert images.dtype == torch.uint8
        assert images.float().std(dim=(1, 2, 3)).min() > 0
        assert labels.tolist() == list(range(len(dataset)))
        if recombine is not None:  # the others' crops are drawn by torchvision, so they cannot be drawn again
            assert torch.equal(images[5], dataset[5]["image"])

    return Case(name, run, len(dataset), check)


def main() -> None:
    """Run it and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few repeats; writes no results")
    quick = parser.parse_args().quick
    harness.pin_to_one_core()
    with tempfile.TemporaryDirectory() as name:
        progress("preparing photos")
        cases = [case(name, *side) for name, side in sides(Path(name)).items()]
        times = measure(cases, repeats=3 if quick else 25)
        stages = breakdown({one.name: one.run for one in cases}, len(views()), repeats=2 if quick else 8)
    results = {
        "packages": {name: version(name) for name in ("simplejpeg", "opencv-python-headless")},
        "photos": len(views()),
        "source_bytes": round(float(np.mean([len(photo.source) for photo in views()]))),
        "milliseconds_per_image": times,
        "share_of_plain": {
            name: round(time["on_core_median_ms"] / times[PLAIN]["on_core_median_ms"], 3)
            for name, time in times.items()
        },
        "stages_ms_per_image": stages,
    }
    progress(str(results) if quick else str(harness.write("loading", results)))


if __name__ == "__main__":
    main()
