"""Cut-outs of older releases: the object's pixels in a file of their own, and where in an image they came from.

The sum of squared differences over the object's pixels, at all positions at once, is two correlations, which OpenCV
does by Fourier transform. Something small or smooth resembles the image at many of them: where the compression of
its file may have made the difference, the image is cut out and compressed again, which gives that file anew at
the right place.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from fornet_hf.errors import PatchFormatError, explain
from fornet_hf.format.masks import Box, Mask, bounding_box
from fornet_hf.format.raster import DECODE_ERRORS
from producers.devices.opencv import load_cv2
from producers.scene import Raster

_QUALITIES = (80, 75, 90, 85, 95, 100)  # Pillow's default, which the public tool uses, first
POOR = 24.0  # lossy WEBP of quality 75 differs by 2 to 9 levels on photographs
# The right position may differ more than the best: by the mean square of so many pixels, and by this share of all.
# Errors of compression are alike in neighbours: of 3,600 discs on photographs the worst needed 960 pixels.
_DOUBT_PIXELS, _DOUBT_SHARE = 1000, 0.04
_NOISE = 1e-5  # of sums in float32, relative to the largest
_LEAST = 0.25  # mean square of a pixel's difference that is put down to chance
_COMPARED, _COMPRESSED = 2**24, 2**21  # pixels at most, of all positions of a cut-out together
_TRIALS = 32  # of them, to find the quality of compression

Place = tuple[int, int]  # row and column, of those that are possible


@dataclass(frozen=True)
class CutOut:
    """A foreground that was cut out of an image.

    Attributes:
        colours: uint8, height x width x 3.
        alpha: uint8, height x width.
        file: its bytes, if they do not hold the very pixels of the image; else empty.
    """

    colours: Raster
    alpha: Raster
    file: bytes = b""

    @classmethod
    def decode(cls, data: bytes) -> CutOut:
        """Read a WEBP or PNG file.

        Raises:
            PatchFormatError: it cannot be decoded.
        """
        try:
            with Image.open(io.BytesIO(data), formats=("WEBP", "PNG")) as image:
                pixels = np.asarray(image.convert("RGBA"))
                lossy = image.format == "WEBP" and b"VP8 " in _chunks(data)
        except DECODE_ERRORS as error:
            raise PatchFormatError(explain("the foreground cannot be decoded", found=error)) from error
        return cls(np.ascontiguousarray(pixels[..., :3]), pixels[..., 3], data if lossy else b"")

    @property
    def mask(self) -> Mask:
        """The pixels that are the object."""
        return self.alpha > 127

    @property
    def qualities(self) -> tuple[int, ...]:
        """The qualities with which its file may have been compressed; the likeliest first."""
        return _QUALITIES if self.file else (100,)

    def is_made_of(self, colours: Raster, quality: int) -> bool:
        """Return whether just this file comes of it when these colours are cut out and compressed."""
        if not self.file:
            return np.array_equal(colours[self.mask], self.colours[self.mask])
        buffer = io.BytesIO()
        Image.fromarray(np.dstack([colours, self.alpha])).save(buffer, "WEBP", quality=quality)
        return buffer.getvalue() == self.file


@dataclass(frozen=True)
class Match:
    """The best position of a cut-out.

    Attributes:
        offset: x, y of its upper left corner in the image, pixels.
        error: root of the mean squared difference over the object's pixels, levels from 0 to 255.
        rivals: how many others it may have come from as well; those one pixel away do not count.
    """

    offset: tuple[int, int]
    error: float
    rivals: int = 0

    def fault(self) -> str | None:
        """Say why this position is not to be trusted, if so."""
        if self.error > POOR:
            return f"the best position differs by {self.error:.1f} levels; allowed: {POOR}"
        if self.rivals:
            return f"{self.rivals + 1} positions fit alike, by {self.error:.1f} levels and little more"
        return None


def find_offset(image: Raster, cut_out: CutOut, possible: Box | None = None) -> Match:
    """Find the position in an image at which a cut-out differs least, and whether it can be any other.

    Args:
        image: uint8, height x width x 3.
        cut_out: not larger than the image.
        possible: a box of offsets, see `changes.covering`; None: all.

    Raises:
        EmptyMaskError: the mask has no true pixel.
        PatchFormatError: the cut-out is larger than the image, or nowhere possible in it.
    """
    search = _Search.of(image, cut_out, possible)
    places, all_there = search.close()
    errors = {place: search.error(place) for place in places}
    ranked = sorted(places, key=errors.__getitem__)
    best = ranked[0]
    limit = errors[best] + search.doubt(errors[best])
    close = [place for place in ranked if errors[place] <= limit]
    rivals = _apart(best, close)
    few = all_there and len(close) * search.mask.size <= _COMPRESSED
    if rivals and few and (same := search.same(close)):
        best, rivals = same[0], _apart(same[0], same)
    error = float(np.sqrt(errors[best] / search.wanted.size))
    x, y = search.corner[0] + best[1], search.corner[1] + best[0]
    return Match((x, y), error, len(rivals) if all_there else len(places) - 1)


@dataclass(frozen=True)
class _Search:
    """A comparison: of the object's box in the cut-out, with the part of the image that this can lie on.

    Attributes:
        image: as a whole.
        cut_out: as a whole, for it is compressed as a whole.
        corner: x, y of its first possible offset.
        window: uint8, rows x columns x 3: where the box can lie.
        box: of the object in the cut-out.
        mask: bool, of the box.
        wanted: int32, the object's pixels x 3.
    """

    image: Raster
    cut_out: CutOut
    corner: tuple[int, int]
    window: Raster
    box: Box
    mask: Mask
    wanted: np.ndarray

    @classmethod
    def of(cls, image: Raster, cut_out: CutOut, possible: Box | None) -> _Search:
        mask = cut_out.mask
        box = x0, y0, x1, y1 = bounding_box(mask)  # transparent margins would only cost time
        left, top, right, bottom = _offsets(image.shape, mask.shape, possible)
        return cls(
            image=image,
            cut_out=cut_out,
            corner=(left, top),
            window=image[y0 + top : y1 + bottom - 1, x0 + left : x1 + right - 1],
            box=box,
            mask=mask[y0:y1, x0:x1],
            wanted=cut_out.colours[mask].astype(np.int32),
        )

    def doubt(self, lowest: float) -> float:
        """By how much the sum of squared differences may exceed the lowest one at the right position."""
        pixels = len(self.wanted)
        return max(lowest / pixels, _LEAST) * (_DOUBT_PIXELS + _DOUBT_SHARE * pixels)

    def close(self) -> tuple[list[Place], bool]:
        """Return the closest positions, and whether they are all that brightness alone does not rule out."""
        differences = self._differences()
        lowest = float(differences.min())
        rounding = _NOISE * float(np.abs(differences).max())
        limit = lowest + rounding + self.doubt(max(0.0, lowest))
        rows, columns = np.nonzero(differences <= limit)
        most = min(4096, max(_TRIALS, _COMPARED // self.mask.size))
        nearest = np.argsort(differences[rows, columns], kind="stable")[:most]
        return [(int(rows[index]), int(columns[index])) for index in nearest], rows.size <= most

    def _differences(self) -> np.ndarray:
        """Return the sums of squared differences of brightness: float32, a row for each y."""
        cv2 = load_cv2()
        x0, y0, x1, y1 = self.box
        colours = self.cut_out.colours[y0:y1, x0:x1]
        # Brightness alone takes a third of the time. Around zero, float32 keeps more of the digits.
        level = float(colours[self.mask].mean())
        scene = cv2.cvtColor(np.ascontiguousarray(self.window), cv2.COLOR_RGB2GRAY).astype(np.float32) - level
        cut = cv2.cvtColor(np.ascontiguousarray(colours), cv2.COLOR_RGB2GRAY).astype(np.float32) - level
        seen = self.mask.astype(np.float32)
        cut *= seen
        energy = cv2.matchTemplate(scene * scene, seen, cv2.TM_CCORR)
        common = cv2.matchTemplate(scene, cut, cv2.TM_CCORR)
        result: np.ndarray = energy - 2 * common + float(np.square(cut, dtype=np.float64).sum())
        return result

    def error(self, place: Place) -> int:
        """Return the sum of squared differences of all colours."""
        y, x = place
        return _squares(self.window[y : y + self.mask.shape[0], x : x + self.mask.shape[1]][self.mask], self.wanted)

    def same(self, places: Sequence[Place]) -> list[Place]:
        """Return those at which the cut-out comes of the image when it is cut out and compressed again."""
        for number, quality in enumerate(self.cut_out.qualities):
            same = [place for place in (places[:_TRIALS] if number else places) if self._is_made_at(place, quality)]
            if same:
                return [place for place in places if self._is_made_at(place, quality)] if number else same
        return []

    def _is_made_at(self, place: Place, quality: int) -> bool:
        (x, y), (height, width) = self.corner, self.cut_out.mask.shape
        y, x = y + place[0], x + place[1]
        return self.cut_out.is_made_of(self.image[y : y + height, x : x + width], quality)


def _offsets(image: tuple[int, ...], cut_out: tuple[int, ...], possible: Box | None) -> Box:
    """Return the offsets of a cut-out in an image, of these shapes; the ends excluded."""
    bottom, right = image[0] - cut_out[0] + 1, image[1] - cut_out[1] + 1
    if min(bottom, right) < 1:
        found, allowed = f"{cut_out[1]} x {cut_out[0]}", f"at most {image[1]} x {image[0]}"
        raise PatchFormatError(explain("the foreground is larger than its image", found=found, allowed=allowed))
    if possible is None:
        return 0, 0, right, bottom
    box = max(0, possible[0]), max(0, possible[1]), min(right, possible[2]), min(bottom, possible[3])
    if box[0] >= box[2] or box[1] >= box[3]:
        raise PatchFormatError("the background differs from the image where the foreground cannot have been")
    return box


def _apart(best: Place, places: Sequence[Place]) -> list[Place]:
    """Return the places more than one pixel away."""
    return [place for place in places if max(abs(place[0] - best[0]), abs(place[1] - best[1])) > 1]


def _squares(values: np.ndarray, wanted: np.ndarray) -> int:
    difference = values - wanted
    return int(np.sum(difference * difference, dtype=np.int64))


def _chunks(data: bytes) -> list[bytes]:
    """Return the names of a WEBP file's chunks: `VP8 ` holds lossy colours, `VP8L` lossless ones."""
    names, at = [], 12
    while at + 8 <= len(data):
        names.append(data[at : at + 4])
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    return names
