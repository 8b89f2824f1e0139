"""The columns of the prepared dataset, and images that are decoded only when somebody looks at them.

`datasets` decodes every Image column before it calls a transform. Recombining needs neither all images nor
whole ones, so that would cost more than everything else. Pillow itself decodes an opened image at first use.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import datasets
from PIL import Image, ImageFile


def row_features(class_names: Sequence[str]) -> datasets.Features:
    """Return the features of a prepared row (see `fornet_hf.format.rows.Row`), with the classes in label order."""
    features: dict[str, Any] = {
        "key": datasets.Value("string"),
        "label": datasets.ClassLabel(names=list(class_names)),
        "foreground": datasets.Image(),
        "mask": datasets.Image(),
        "background": datasets.Image(),
        # Of the lists, only this kind is stored by one name in all versions, so that each reads what others prepared.
        "box": datasets.LargeList(datasets.Value("int32")),
        "foreground_ratio": datasets.Value("float32"),
    }
    return datasets.Features(features)


def example_features(rows: datasets.Features | None, hooks: Any) -> datasets.Features:
    """Return the features of what recombining makes of rows: `Value("null")` where only the user's function knows.

    Streams need them to be joined. Examples are handed on as they are, whatever stands here.

    Args:
        rows: their features; None: not known.
        hooks: the `Hooks` of the recombination.
    """
    unknown = datasets.Value("null")
    image = datasets.Image() if hooks.transform is None and hooks.defer is None else unknown
    label = rows["label"] if rows is not None and "label" in rows else datasets.Value("int64")
    features = {"image": image, "label": label if hooks.target_transform is None else unknown}
    if hooks.return_fg_masks and hooks.defer is None:
        features["mask"] = image
    if hooks.return_composition:
        features["composition"] = unknown
    known = rows or {}
    return datasets.Features({**features, **{name: known.get(name, unknown) for name in hooks.keep}})


class LazyImage(datasets.Image):  # type: ignore[misc]  # datasets has no types
    """`datasets.Image` whose images decode their bytes at first use. In files it is a plain `Image`.

    EXIF orientation is not applied: the images of a prepared dataset have none.
    """

    def decode_example(self, value: dict[str, Any], token_per_repo_id: Any = None) -> Image.Image:
        """Return the image of a stored value as `Image` does, but not yet decoded."""
        data = value.get("bytes")
        if data is None or self.mode is not None or not self.decode:
            image: Image.Image = super().decode_example(value, token_per_repo_id)
            return image
        return Image.open(io.BytesIO(data))

    def encode_example(self, value: Any) -> dict[str, Any]:
        """Return a stored value; the bytes of an image that nobody looked at stay as they are."""
        data = unread_bytes(value)
        stored: dict[str, Any] = {"path": None, "bytes": data} if data is not None else super().encode_example(value)
        return stored

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, datasets.Image):
            return NotImplemented
        return (self.mode, self.decode, self.id) == (other.mode, other.decode, other.id)

    __hash__ = None  # type: ignore[assignment]  # as datasets.Image

    def __repr__(self) -> str:
        return repr(datasets.Image(mode=self.mode, decode=self.decode))


def unread_bytes(value: object) -> bytes | None:
    """Return the file behind an image whose pixels nobody has looked at yet; None for any other value."""
    if isinstance(value, ImageFile.ImageFile) and isinstance(value.fp, io.BytesIO):  # Pillow drops `fp` on decoding
        return value.fp.getvalue()
    return None


def with_lazy_images(dataset: Any) -> Any:
    """Let the images of a dataset (Dataset or IterableDataset, changed in place) be decoded at first use; return it.

    Derived datasets (select, shuffle, filter, ...) inherit it. Image columns with `decode=False` stay as they are.
    """
    columns = dataset.info.features
    for name, feature in list((columns or {}).items()):
        if type(feature) is datasets.Image and feature.decode:
            columns[name] = LazyImage(mode=feature.mode, id=feature.id)
    return dataset
