"""The photographs that tests and benchmarks share: samples of scikit-image and scikit-learn, sized as in ImageNet.

They have free licences and come with the packages, so nobody needs ImageNet to repeat a figure.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from fornet_hf.format.encoding import Encoding
from fornet_hf.format.masks import Box, Mask
from fornet_hf.format.patch import apply_patch, make_patch
from fornet_hf.format.rows import Row

SIZE = (500, 375)  # the commonest size of an ImageNet image
OBJECTS = {  # box around the object in thousandths of the image's width and height
    "chelsea": (5, 5, 860, 990),
    "astronaut": (20, 0, 730, 995),
    "coffee": (70, 30, 850, 970),
    "rocket": (460, 300, 550, 985),
    "motorcycle_left": (70, 90, 900, 900),
    "flower": (200, 150, 750, 850),
    "china": (110, 40, 660, 800),
    "retina": (5, 5, 990, 990),
}


@dataclass(frozen=True)
class Photo:
    """One image and its object.

    Attributes:
        name: of the sample.
        image: RGB, `SIZE`.
        mask: bool, height x width: the object's pixels.
    """

    name: str
    image: Image.Image
    mask: Mask

    @property
    def source(self) -> bytes:
        """The image as JPEG of quality 95, as a camera or a web site would have written it."""
        buffer = io.BytesIO()
        self.image.save(buffer, "JPEG", quality=95)
        return buffer.getvalue()


@functools.cache
def photos(*, outlines: bool = False) -> tuple[Photo, ...]:
    """All samples, in a fixed order.

    Args:
        outlines: masks that follow the object (OpenCV's GrabCut, half a second each), not ellipses.
    """
    segment = _outline if outlines else _ellipse
    return tuple(_photo(name, box, segment) for name, box in OBJECTS.items())


@functools.cache
def prepared_rows(*, outlines: bool = False) -> tuple[Row, ...]:
    """The samples as rows of the dataset: each its own class, by way of a patch, as a user gets them."""
    return tuple(prepare(photo, label) for label, photo in enumerate(photos(outlines=outlines)))


@functools.cache
def views() -> tuple[Photo, ...]:
    """64 different images: 8 views of each sample, in the commonest sizes of ImageNet.

    A view shows 55 to 100 % of the sample's width or height and at least a third of its object; every other one is
    mirrored.
    """
    rng = np.random.default_rng(0)
    sizes = [(500, 375), (500, 333), (375, 500), (500, 375), (333, 500), (500, 500), (500, 375), (500, 400)]
    return tuple(
        _view(photo, _load(photo.name), size, mirrored=bool(number % 2), rng=rng)
        for number, size in enumerate(sizes)
        for photo in photos(outlines=True)
    )


def _view(
    photo: Photo, whole: Image.Image, size: tuple[int, int], *, mirrored: bool, rng: np.random.Generator
) -> Photo:
    left, top, right, _ = _four_by_three(*whole.size)
    zoom = (right - left) / SIZE[0]  # pixels of the sample per pixel of the photo
    while True:
        scale = min(SIZE[0] / size[0], SIZE[1] / size[1]) * rng.uniform(0.55, 1)
        width, height = size[0] * scale, size[1] * scale
        x, y = rng.uniform(0, SIZE[0] - width), rng.uniform(0, SIZE[1] - height)
        mask = Image.fromarray(photo.mask).resize(size, box=(x, y, x + width, y + height))
        shown = np.asarray(mask).mean() * width * height
        if shown * 3 >= photo.mask.sum():
            break
    box = left + x * zoom, top + y * zoom, left + (x + width) * zoom, top + (y + height) * zoom
    image = whole.resize(size, Image.Resampling.LANCZOS, box=box)
    if mirrored:
        image, mask = (part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for part in (image, mask))
    return Photo(f"{photo.name} {x:.0f} {y:.0f} {size}", image, np.asarray(mask) > 0)


def prepare(photo: Photo, label: int) -> Row:
    """One prepared row."""
    encoding = Encoding()
    raster = np.asarray(Image.open(io.BytesIO(photo.source)).convert("RGB"))
    infilled = fill(raster, photo.mask, reach=encoding.dilation)
    patch = make_patch(photo.source, photo.mask, infilled, key=photo.name, label=label, encoding=encoding)
    return apply_patch(photo.source, patch, encoding)


def fill(pixels: npt.NDArray[np.uint8], mask: Mask, *, reach: int = 18) -> npt.NDArray[np.uint8]:
    """A stand-in for infilling: what is around the mask, smeared into it from coarse to fine.

    Args:
        pixels: uint8, height x width x 3.
        mask: bool, height x width.
        reach: how far around the mask the pixels are replaced, too.
    """
    hole = Image.fromarray(mask).convert("L").filter(ImageFilter.MaxFilter(2 * reach + 1))
    known = (np.asarray(hole) == 0).astype(np.float32)[..., None]
    weighted = pixels * known
    result = np.full(pixels.shape, weighted.sum((0, 1)) / max(1.0, known.sum()), np.float32)
    for radius in (96, 48, 24, 12, 6):
        share = _blur(known, radius)
        mean = _blur(weighted, radius) / np.maximum(share, 1e-6)
        trust = np.clip(4 * share, 0, 1)
        result = trust * mean + (1 - trust) * result
    return np.where(known > 0, pixels, result).round().astype(np.uint8)


def _blur(array: npt.NDArray[np.float32], radius: int) -> npt.NDArray[np.float32]:
    channels = [Image.fromarray(array[..., i]) for i in range(array.shape[2])]
    # Pillow blurs bytes only; shrinking and growing floats by a box and a bilinear filter is smooth enough here.
    small = (max(1, array.shape[1] // radius), max(1, array.shape[0] // radius))
    size = (array.shape[1], array.shape[0])
    smooth = [c.resize(small, Image.Resampling.BILINEAR).resize(size, Image.Resampling.BILINEAR) for c in channels]
    return np.stack([np.asarray(c) for c in smooth], axis=2)


def _photo(name: str, box: tuple[int, int, int, int], segment: Callable[[Image.Image, Box], Mask]) -> Photo:
    image = _load(name)
    image = image.resize(SIZE, Image.Resampling.LANCZOS, box=_four_by_three(*image.size))
    x0, x1 = (round(x * SIZE[0] / 1000) for x in box[0::2])
    y0, y1 = (round(y * SIZE[1] / 1000) for y in box[1::2])
    return Photo(name, image, segment(image, (x0, y0, x1, y1)))


def _load(name: str) -> Image.Image:
    from skimage import data
    from sklearn.datasets import load_sample_image

    if name in ("flower", "china"):
        return Image.fromarray(load_sample_image(f"{name}.jpg"))
    pixels = data.stereo_motorcycle()[0] if name == "motorcycle_left" else getattr(data, name)()
    return Image.fromarray(pixels).convert("RGB")


def _four_by_three(width: int, height: int) -> tuple[float, float, float, float]:
    """The largest central box of the aspect of `SIZE`."""
    scale = min(width / SIZE[0], height / SIZE[1])
    left, top = (width - SIZE[0] * scale) / 2, (height - SIZE[1] * scale) / 2
    return left, top, width - left, height - top


def _ellipse(_image: Image.Image, box: Box) -> Mask:
    x0, y0, x1, y1 = box
    y, x = np.mgrid[: SIZE[1], : SIZE[0]] + 0.5
    inside: Mask = (2 * (x - (x0 + x1) / 2) / (x1 - x0)) ** 2 + (2 * (y - (y0 + y1) / 2) / (y1 - y0)) ** 2 <= 1
    return inside


def _outline(image: Image.Image, box: Box) -> Mask:
    import cv2

    x0, y0, x1, y1 = box
    cv2.setRNGSeed(0)
    labels = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    bgr = np.ascontiguousarray(np.asarray(image)[..., ::-1])
    cv2.grabCut(bgr, labels, (x0, y0, x1 - x0, y1 - y0), *models, 4, cv2.GC_INIT_WITH_RECT)
    found = labels % 2  # sure and probable object have odd numbers
    outer, _ = cv2.findContours(found, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    solid = np.zeros_like(found)
    cv2.drawContours(solid, [max(outer, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    return solid > 0
