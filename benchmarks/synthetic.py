"""A prepared dataset of any number of rows: tiny images, so that finding a row is what takes time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import numpy as np
from datasets.arrow_writer import ArrowWriter
from PIL import Image

from fornet_hf.features import row_features, with_lazy_images
from fornet_hf.format.jpeg import encode
from fornet_hf.format.masks import encode_mask

SIDE = 16
CLASSES = 1000


def write_rows(path: Path, rows: int) -> Any:
    """Write `rows` rows (1.4 kB each) to an Arrow file, and open it memory-mapped."""
    image = {"bytes": encode(Image.new("RGB", (SIDE, SIDE), (90, 120, 60))), "path": None}
    mask = {"bytes": encode_mask(np.ones((SIDE, SIDE), np.bool_)), "path": None}
    features = row_features([f"class {label}" for label in range(CLASSES)])
    batch = 1000  # rows in a record batch, as `datasets` writes them
    with ArrowWriter(path=str(path), features=features, writer_batch_size=batch) as writer:
        for start in range(0, rows, batch):
            count = min(batch, rows - start)
            columns = {
                "key": [f"row{row:08d}" for row in range(start, start + count)],
                "label": [row % CLASSES for row in range(start, start + count)],
                "foreground": [image] * count,
                "mask": [mask] * count,
                "background": [image] * count,
                "box": [[0, 0, SIDE, SIDE]] * count,
                "foreground_ratio": [0.3] * count,
            }
            writer.write_batch({name: columns[name] for name in features})
        writer.finalize()
    return with_lazy_images(datasets.Dataset.from_file(str(path)))
