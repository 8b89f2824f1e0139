"""Parts of images that people have already: masks and infilled backgrounds, in any of the older forms."""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from fornet_hf.errors import ForNetError, NotFoundError, PatchFormatError, explain
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.masks import Mask, bounding_box
from fornet_hf.format.raster import canonical_raster, decode_rgb, resized
from fornet_hf.layout.paths import BACKGROUNDS, ENDINGS, FOREGROUNDS, KINDS, SPLITS, Layout
from fornet_hf.release.legacy import LegacyArchive, apply, find_release
from producers.scene import Raster
from producers.tasks.changes import changed_box, covering
from producers.tasks.offsets import CutOut, find_offset

_BLOCK = 8  # pixels, over which JPEG spreads a change


class MismatchError(ForNetError, ValueError):
    """A foreground cannot be placed in its image with certainty."""


@dataclass(frozen=True)
class Parts:
    """The parts that a patch is made of, at the size of the canonical raster.

    Attributes:
        mask: bool, height x width: the object.
        background: uint8, height x width x 3: the whole infilled image.
    """

    mask: Mask
    background: Raster


class OldRelease(Protocol):
    """A release in one of the older forms, open for reading."""

    def parts(self, wnid: str, key: str, source: bytes, encoding: Encoding) -> Parts | None:
        """Return the parts of an image; None if the release has not both of them.

        Raises:
            ForNetError: they are damaged, or do not fit the source.
        """


class PatchZips:
    """The zips of pickled differences; whatever they pickle, nothing in them is run."""

    def __init__(self, root: Path, split: str, stack: contextlib.ExitStack) -> None:
        names = find_release([path.name for path in root.iterdir()]).archives(split)
        self._archives = [stack.enter_context(LegacyArchive(root / name)) for name in names]

    def parts(self, wnid: str, key: str, source: bytes, encoding: Encoding) -> Parts | None:
        """See `OldRelease`."""
        archive = next((archive for archive in self._archives if (wnid, key) in archive), None)
        if archive is None:
            return None
        image = apply(source, archive.read((wnid, key)))
        if image.background is None or image.mask is None or image.offset is None:
            return None
        mask = _placed(image.mask, image.offset, image.background.shape[:2])
        return _at_size(mask, image.background, canonical_raster(source, encoding.max_side).size)


class ForNetFiles:
    """Foregrounds as WEBP with alpha and backgrounds as JPEG, in folders or in one zip of each."""

    def __init__(self, root: Path, split: str, stack: contextlib.ExitStack) -> None:
        self._kinds = {kind: _Files(Layout(root, split), kind, stack) for kind in KINDS}

    def parts(self, wnid: str, key: str, source: bytes, encoding: Encoding) -> Parts | None:
        """See `OldRelease`.

        Raises:
            MismatchError: the foreground fits nowhere, or in several places alike.
        """
        cut_out, infilled = (self._kinds[kind].read(wnid, key + ENDINGS[kind]) for kind in (FOREGROUNDS, BACKGROUNDS))
        if cut_out is None or infilled is None:
            return None
        background = decode_rgb(infilled)
        original = decode_rgb(source)
        if original.size != background.size:  # the public tool shrinks large images by Pillow's default filter
            original = resized(original, background.size)
        foreground = CutOut.decode(cut_out)
        offset = _offset(original, foreground, (background, infilled), encoding.dilation + _BLOCK)
        placed = _placed(foreground.mask, offset, (background.size[1], background.size[0]))
        return _at_size(placed, np.asarray(background), canonical_raster(source, encoding.max_side).size)


class _Files:
    """One kind of image of one split, in folders or else in a zip, which may be compressed."""

    def __init__(self, layout: Layout, kind: str, stack: contextlib.ExitStack) -> None:
        self._folder, archive = layout.folder(kind), layout.archive(kind)
        self._zip: zipfile.ZipFile | None = None
        self._members: dict[str, str] = {}
        if self._folder.is_dir():
            return
        if not archive.is_file():
            raise NotFoundError(
                explain(f"no {kind} of {layout.name}", found=f"neither {self._folder}/ nor {archive}")
            )
        try:
            self._zip = stack.enter_context(zipfile.ZipFile(archive))
        except zipfile.BadZipFile as error:
            raise PatchFormatError(explain(f"{archive}: the zip is damaged", found=error)) from error
        self._members = {"/".join(name.split("/")[-2:]): name for name in self._zip.namelist()}

    def read(self, wnid: str, name: str) -> bytes | None:
        """Return the bytes of a file, if there is one."""
        if self._zip is None:
            path = self._folder / wnid / name
            return path.read_bytes() if path.is_file() else None
        member = self._members.get(f"{wnid}/{name}")
        try:
            return self._zip.read(member) if member else None
        except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
            raise PatchFormatError(explain(f"{member}: the zip is damaged", found=error)) from error


def open_release(root: Path, split: str, stack: contextlib.ExitStack) -> OldRelease:
    """Open the release in a folder, whichever form it has; its files are closed with the stack.

    Raises:
        NotFoundError: there is none for this split.
    """
    if not root.is_dir():
        raise NotFoundError(explain("the folder of the release is missing", found=f"no folder {root}"))
    zips = [name for name in ("train_0.zip", "val.zip") if (root / name).is_file()]
    return PatchZips(root, split, stack) if zips else ForNetFiles(root, split, stack)


def splits_of(root: Path) -> Iterator[str]:
    """Yield the splits that a release has, as the manifest calls them."""
    for split, name in SPLITS.items():
        signs = (f"{name}.zip", f"{name}_0.zip", f"foregrounds_{name}.zip", f"{name}/foregrounds")
        if any((root / sign).exists() for sign in signs):
            yield split


def _offset(
    original: Image.Image, foreground: CutOut, background: tuple[Image.Image, bytes], reach: int
) -> tuple[int, int]:
    """Find where a foreground was cut out of the original, by its colours and the background, with its file.

    Raises:
        MismatchError: it fits nowhere, or in several places alike.
    """
    changed = changed_box(original, *background)
    possible = None if changed is None else covering(changed, bounding_box(foreground.mask), reach)
    fault = (match := find_offset(np.asarray(original), foreground, possible)).fault()
    if fault is not None:
        raise MismatchError(f"the foreground cannot be placed in its image: {fault}")
    return match.offset


def _placed(mask: Mask, offset: tuple[int, int], shape: tuple[int, ...]) -> Mask:
    """Return a mask of the whole image."""
    (x, y), (height, width) = offset, mask.shape
    placed = np.zeros(shape, np.bool_)
    if y + height > shape[0] or x + width > shape[1]:
        found = f"a mask of {width} x {height} at ({x}, {y})"
        raise PatchFormatError(explain("the mask leaves the image", found=found, allowed=f"{shape[1]} x {shape[0]}"))
    placed[y : y + height, x : x + width] = mask
    return placed


def _at_size(mask: Mask, background: Raster, size: tuple[int, int]) -> Parts:
    """Return the parts at the canonical raster's size, which they have unless the release was of larger ones."""
    if (background.shape[1], background.shape[0]) == size:
        return Parts(mask, background)
    small = Image.fromarray(background).resize(size, Image.Resampling.BICUBIC)
    return Parts(np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.NEAREST)), np.asarray(small))
