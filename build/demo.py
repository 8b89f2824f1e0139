#!/usr/bin/env python
"""The whole way on real photographs: take apart, publish as patches, load, recombine, look.

    python build/demo.py --out demo

Writes OUT/contact_sheet.png and prints what was made. Nothing is downloaded and no model weights are needed. Exit
status: 0 done, 1 an error that a message explains, 2 a wrong command line, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import create_patches
import demo_pictures
from demo_hub import through_the_hub
from fornet_hf import load_dataset
from fornet_hf.endings import ended
from fornet_hf.errors import ForNetError, MissingDependencyError
from fornet_hf.files import atomic_path
from fornet_hf.format.manifest import Manifest, read_manifest
from fornet_hf.hub.location import Folder
from fornet_hf.preview import contact_sheet
from fornet_hf.release.release import open_release

SHOWN = (0, 6, 11, 16, 21)  # an image of each class
_PACKAGES = {"cv2": "opencv-python-headless", "skimage": "scikit-image", "sklearn": "scikit-learn"}


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Figures that the demo measured."""

    images: int
    rows: int
    patch_bytes: float
    apply_milliseconds: float

    def table(self) -> str:
        """Return the figures for people."""
        lines = (
            ("images taken apart", f"{self.images}"),
            ("bytes a patch", f"{self.patch_bytes:,.0f}"),
            ("time to apply a patch", f"{self.apply_milliseconds:.1f} ms"),
            ("digests verified", f"{self.rows} of {self.images} backgrounds, bit for bit"),
        )
        return "\n".join(f"  {name:<24}{value}" for name, value in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder for everything (%(default)s)")
    parser.add_argument("--hub", action="store_true", help="also publish to a Hub on this machine, and load from it")
    chosen = parser.parse_args(arguments)
    return ended(partial(_shown, chosen.out, hub=chosen.hub))


def _shown(out: Path, *, hub: bool) -> int:
    """Run the demo, and show what came of it."""
    figures = run(out)
    loaded = through_the_hub(out, out / "made" / "patches", out / "pictures") if hub else None
    print(f"\n{figures.table()}\n")
    if loaded is not None:
        print(f"  published and loaded back: {loaded}\n")
    print(f"Look at {out / 'contact_sheet.png'}")
    return 0


def run(out: Path) -> Figures:
    """Make everything in the folder `out`.

    Raises:
        MissingDependencyError: a package of the extra `demo` is not installed.
        ForNetError: a step failed.
    """
    missing = [package for module, package in _PACKAGES.items() if find_spec(module) is None]
    if missing:
        raise MissingDependencyError(f"the demo needs {', '.join(missing)}: pip install {' '.join(missing)}")
    images, made = out / "pictures", out / "made"
    for command, words in (
        (demo_pictures, [str(images)]),
        (create_patches, [str(images), str(made), "--boxes", str(images / "boxes.json")]),
    ):
        if command.main(words) != 0:
            raise ForNetError(f"{command.__name__} failed; its message stands above")
    patches = made / "patches"
    dataset = load_dataset(patches=patches, imagenet_dir=images, cache_dir=out / "cache")
    page = contact_sheet(dataset["train"], indices=SHOWN)
    with atomic_path(out / "contact_sheet.png") as temporary:
        page.save(temporary, "PNG")
    return measure(patches, images, dataset)


def measure(patches: Path, images: Path, dataset: Any) -> Figures:
    """Apply all patches once more in this process, with the clock running; every digest is compared."""
    release = open_release(Folder(patches))
    started = time.perf_counter()
    rows = sum(1 for split in release.splits for unit in release.units(split, Folder(images)) for _ in unit.rows())
    seconds = time.perf_counter() - started
    manifest: Manifest = read_manifest(patches)
    size = sum(entry.bytes for entry in manifest.shards)
    return Figures(
        images=sum(len(part) for part in dataset.values()),
        rows=rows,
        patch_bytes=size / rows,
        apply_milliseconds=1e3 * seconds / rows,
    )


if __name__ == "__main__":
    sys.exit(main())
