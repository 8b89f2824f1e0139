"""The agreement of masks with the truth: pixels counted for each image, and the figures that follow from them.

With tp, fp, fn and tn, the pixels that both, only the prediction, only the truth, and neither have in the object:
IoU = tp / (tp + fp + fn), Dice = 2 tp / (2 tp + fp + fn), accuracy = (tp + tn) / all, and mIoU is the mean of the
object's IoU and that of what is not the object. "Pooled" is the figure of all images' pixels together, "per image"
the mean of each image's own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from fornet_hf.errors import ConfigurationError, NotFoundError, SourceError, explain
from fornet_hf.evaluation.masks.sets import MaskSet, Outline
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap
from fornet_hf.evaluation.statistics.values import Value
from fornet_hf.format.masks import Mask
from fornet_hf.processes import max_workers
from fornet_hf.progress import progress

Counts = npt.NDArray[np.float64]  # ... x 4: tp, fp, fn, tn

EMPTY = {"one": "counts as 1", "skip": "is left out"}
"""What an image is worth whose figure is 0 / 0: neither mask has an object, say."""

_AHEAD = 4  # images for each thread that are being read


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """The comparison of two sets of masks.

    Attributes:
        keys: of the images that were compared.
        sources: images of one source are resampled together: the frames of a film.
        counts: float64, images x 4: pixels tp, fp, fn, tn.
        missing: keys of the truth without a prediction.
        extra: keys of predictions without a truth.
        other_shape: keys whose two masks do not have one shape, not even after scaling.
        scaled: how many predictions were scaled to the truth's size.
        rules: which pixels are the object, of the prediction and of the truth.
        crop: side of the square in the centre that was counted, pixels; None: all of each image.
    """

    keys: Sequence[str]
    sources: Sequence[str]
    counts: Counts
    missing: Sequence[str]
    extra: Sequence[str]
    other_shape: Sequence[str]
    scaled: int
    rules: tuple[str, str]
    crop: int | None = None

    @property
    def empty_truths(self) -> int:
        """Number of images in which the truth has no object."""
        return int((self.counts[:, 0] + self.counts[:, 2] == 0).sum())

    @property
    def empty_predictions(self) -> int:
        """Number of images in which nothing was predicted."""
        return int((self.counts[:, 0] + self.counts[:, 1] == 0).sum())

    @property
    def left_out(self) -> dict[str, int]:
        """Images of the truth that were not compared, by reason."""
        reasons = {"no prediction": len(self.missing), "another shape": len(self.other_shape)}
        return {reason: count for reason, count in reasons.items() if count}

    def values(self, bootstrap: Bootstrap | None = None, *, empty: str = "one") -> list[Value]:
        """Return each figure, pooled and per image.

        Args:
            bootstrap: gives the intervals.
            empty: one of `EMPTY`; pooled figures of 0 / 0 are not defined.
        """
        bootstrap, values = bootstrap or Bootstrap(), []
        for name, figure in FIGURES.items():
            values.append(
                bootstrap.estimate(name, self.counts, self.sources, figure, part="pooled", left_out=self.left_out)
            )
            values.append(self._per_image(name, bootstrap, empty))
        return values

    def _per_image(self, name: str, bootstrap: Bootstrap, empty: str) -> Value:
        each, undefined = per_image(name, self.counts, empty), ~np.isfinite(FIGURES[name](self.counts))
        defined, note = np.isfinite(each), ""
        if defined.all() and undefined.any():
            note = f"{undefined.sum():,} of {len(each):,} images are 0 / 0 and count as 1"
        left_out = {**self.left_out, **_reasons(self.counts[~defined])}
        if not defined.any():
            note = "no image has such a figure"
            return Value(measure=name, part="per image", value=None, n=0, left_out=left_out, note=note)
        sources = [self.sources[number] for number in np.flatnonzero(defined).tolist()]
        samples = each[defined][:, None]
        return bootstrap.estimate(name, samples, sources, part="per image", left_out=left_out).noted(note)


def _reasons(counts: Counts) -> Mapping[str, int]:
    """Return why figures of images are 0 / 0, and of how many."""
    tp, fp, fn, tn = counts.T
    nothing, empty, full = tp + fp + fn + tn == 0, tp + fp + fn == 0, fp + fn + tn == 0
    found = {
        "no pixel is counted": nothing,
        "no object in either mask": empty & ~nothing,
        "the object fills both masks": full & ~nothing,
    }
    return {reason: int(those.sum()) for reason, those in found.items() if those.any()}


def per_image(figure: str, counts: Counts, empty: str = "one") -> npt.NDArray[np.float64]:
    """Return the figure of each image; NaN where it is left out."""
    if empty not in EMPTY:
        raise ConfigurationError(explain("empty is not allowed", found=repr(empty), allowed=", ".join(EMPTY)))
    return FIGURES[figure](counts, 1.0 if empty == "one" else np.nan)


def compare(
    predicted: MaskSet,
    truth: MaskSet,
    *,
    missing: str = "skip",
    crop: int | None = None,
    workers: int | None = None,
) -> Agreement:
    """Count the pixels in which masks agree with the truth.

    A prediction of another size, such as one of a shrunk image, is scaled to the truth's: each pixel becomes the
    nearest one's.

    Args:
        predicted: masks by name.
        truth: likewise.
        missing: "skip" leaves out images without a prediction; "empty" takes it that nothing was found in them.
        crop: scale both masks so that their shorter side has so many pixels, and count the square in the centre
            alone, as papers do that train on such squares; None: count every pixel of the truth.
        workers: threads; None: MAX_WORKERS, or the CPUs.

    Raises:
        NotFoundError: no name is in both sets.
        SourceError: no mask has the shape of its truth.
        ConfigurationError: no truth has an object, or `missing` or `crop` is not allowed.
        ForNetError: a mask cannot be read.
    """
    if missing not in {"skip", "empty"}:
        raise ConfigurationError(explain("missing is not allowed", found=repr(missing), allowed="skip, empty"))
    if crop is not None and crop < 1:
        raise ConfigurationError(explain("crop is not allowed", found=crop, allowed="1 or more, or None"))
    pairs = predicted.matched(truth)
    if not pairs:
        names = [one.keys()[:2] for one in (predicted, truth)]
        then = "Masks and truth go together by the names of their files, without ending."
        raise NotFoundError(explain("no mask has the name of a truth", found=names, then=then))
    counts = dict(_counted(predicted, truth, pairs, crop, workers or max_workers()))
    keys = truth.keys()
    lacking = sorted({*range(len(keys))} - {*pairs.values()})
    if missing == "empty":
        counts |= {number: _count(None, truth.read(number), crop) for number in lacking}
        lacking = []
    compared = sorted(number for number, one in counts.items() if one.pixels is not None)
    if not compared:
        found = keys[min(counts)]
        raise SourceError(
            explain("no mask has the shape of its truth", found=found, then="Are these the same images?")
        )
    pixels = np.array([counts[number].pixels for number in compared], np.float64)
    if not pixels[:, [0, 2]].any():
        found = f"{len(compared):,} truths, whose object is {truth.rule}"
        then = "Masks of 0 and 255 are those of --layout png. Look at --threshold and --category, too."
        raise ConfigurationError(explain("no truth has an object", found=found, then=then))
    return Agreement(
        keys=[keys[number] for number in compared],
        sources=[truth.names[number].folder if truth.sequences else keys[number] for number in compared],
        counts=pixels,
        missing=[keys[number] for number in lacking],
        extra=[key for number, key in enumerate(predicted.keys()) if number not in pairs],
        other_shape=[keys[number] for number in sorted({*counts} - {*compared})],
        scaled=sum(one.scaled for one in counts.values()),
        rules=(predicted.rule, truth.rule),
        crop=crop,
    )


class _Compared(NamedTuple):
    """Attributes: `pixels`: tp, fp, fn, tn; None: the shapes differ. `scaled`: whether the prediction was scaled."""

    pixels: tuple[int, int, int, int] | None
    scaled: bool


def _counted(
    predicted: MaskSet, truth: MaskSet, pairs: Mapping[int, int], crop: int | None, workers: int
) -> Iterator[tuple[int, _Compared]]:
    """Yield what was counted for each number of the truth."""

    def count(read: Callable[[], Outline], number: int) -> _Compared:
        return _count(read().mask, truth.read(number), crop)

    with ThreadPoolExecutor(workers) as executor:
        waiting: deque[tuple[int, Future[_Compared]]] = deque()
        readers = predicted.readers(pairs)
        for _ in progress([*pairs], "comparing", "masks"):
            found, read = next(readers)
            waiting.append((pairs[found], executor.submit(count, read, pairs[found])))
            if len(waiting) > _AHEAD * workers:
                number, future = waiting.popleft()
                yield number, future.result()
        for number, future in waiting:
            yield number, future.result()


def _count(mask: Mask | None, truth: Outline, crop: int | None) -> _Compared:
    """Count the pixels of a mask; None: an empty one."""
    if mask is None:
        mask = np.zeros_like(truth.mask)
    if not similar(mask.shape, truth.mask.shape):
        return _Compared(None, scaled=False)
    scaled = mask.shape != truth.mask.shape
    counted = np.ones_like(truth.mask) if truth.counted is None else truth.counted
    mask, true, counted = (_seen(one, truth.mask.shape, crop) for one in (mask, truth.mask, counted))
    both = int(np.count_nonzero(mask & true & counted))
    ours, theirs = (int(np.count_nonzero(one & counted)) for one in (mask, true))
    neither = int(np.count_nonzero(counted)) - ours - theirs + both
    return _Compared((both, ours - both, theirs - both, neither), scaled=scaled)


def _seen(mask: Mask, shape: tuple[int, ...], crop: int | None) -> Mask:
    """Return what is counted of a mask of an image of this shape; scaled pixels have the value of the nearest one."""
    scale = 1.0 if crop is None else crop / min(shape)
    height, width = (max(1, round(side * scale)) for side in shape)
    if mask.shape != (height, width):
        mask = np.asarray(Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST))
    if crop is None:
        return mask
    top, left = (height - crop) // 2, (width - crop) // 2
    return mask[top : top + crop, left : left + crop]


def similar(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Return whether two sizes are those of one image, larger or smaller, to a pixel of rounding."""
    small, large = sorted((one, other), key=max)
    scale = max(large) / max(small)
    return all(abs(side - whole / scale) <= 1 for side, whole in zip(small, large, strict=True))


def _ratio(above: Counts, below: Counts, undefined: float) -> Counts:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, above / below, undefined)


def iou(counts: Counts, undefined: float = np.nan) -> Counts:
    """Return the intersection of the objects over their union; `undefined` where both are empty."""
    tp, fp, fn, _ = np.moveaxis(counts, -1, 0)
    return _ratio(tp, tp + fp + fn, undefined)


def dice(counts: Counts, undefined: float = np.nan) -> Counts:
    """Return twice the intersection over the sum of the areas; `undefined` where both are empty."""
    tp, fp, fn, _ = np.moveaxis(counts, -1, 0)
    return _ratio(2 * tp, 2 * tp + fp + fn, undefined)


def pixel_accuracy(counts: Counts, undefined: float = np.nan) -> Counts:
    """Return the share of pixels that agree; `undefined` where none is counted."""
    tp, _, _, tn = np.moveaxis(counts, -1, 0)
    return _ratio(tp + tn, counts.sum(-1), undefined)


def miou(counts: Counts, undefined: float = np.nan) -> Counts:
    """Return the mean of the object's IoU and that of its surroundings."""
    return (iou(counts, undefined) + iou(counts[..., ::-1], undefined)) / 2


FIGURES: Mapping[str, Callable[..., Counts]] = {
    "iou": iou,
    "dice": dice,
    "pixel_accuracy": pixel_accuracy,
    "miou": miou,
}
"""The figures by name: of counts (... x 4) and of what a ratio 0 / 0 is worth."""
