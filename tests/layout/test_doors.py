"""Two doors, one recombination: files and prepared datasets give the same images."""

from __future__ import annotations

import datasets
import numpy as np
import pytest

from fornet_hf import ForNetDataset, Recombine
from fornet_hf.features import row_features
from fornet_hf.format.rows import Row
from fornet_hf.layout.samples import sample_of_folder
from fornet_hf.layout.sinks import files_of
from tests.layout.conftest import psnr
from tests.recombination.conftest import as_dataset
from tests.recombination.pools.test_arrow import LAYOUTS

PARAMETERS = [
    {},
    {"background_combination": "same", "crop": 64, "flip": 0.5},
    {"background_combination": "orig", "fg_in_nonant": 2},
    {"paste_pre_transform": False, "crop": 48, "rel_jut_out": 0.3, "fg_bates_n": -2},
    {"evaluation": True, "pruning_ratio": 0.2},
]


@pytest.mark.parametrize("parameters", PARAMETERS, ids=str)
@pytest.mark.parametrize("order", ["as it is", "shuffled"])
def test_pixels_of_one_encoding_are_recombined_alike(applied, parameters, order):
    """Compare rows that hold what the files hold: the foreground's pixels, and the background's bytes."""
    local = ForNetDataset(applied, seed=11, return_composition=True, **parameters)
    ds = LAYOUTS[order](sample_of_folder(applied, "train", 100))
    recombine = Recombine(ds, seed=11, return_composition=True, **parameters)
    for epoch in (0, 3):
        local.epoch = recombine.clock.epoch = epoch
        for row in ds.with_format(None):
            index = local.keys.index(row["key"])
            made, drawn = recombine.recombine(row)
            image, _, composition = local[index]
            assert composition["background_key"] == drawn.background_key
            assert image.tobytes() == made.image.tobytes()


def write_lossless(rows: list[Row], root) -> None:
    """Write the rows as files, whose WEBPs hold exactly the pixels of the rows."""
    ratios = []
    for row in rows:
        for kind, data in files_of(row, lossless=True).items():
            ending = ".WEBP" if kind == "foregrounds" else ".JPEG"
            path = root / "train" / kind / "abc"[row.label] / f"{row.key}{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        ratios.append(f'"train/backgrounds/{"abc"[row.label]}/{row.key}.JPEG": {row.foreground_ratio!r}')
    (root / "fg_bg_ratios_train.json").write_text("{" + ", ".join(ratios) + "}")


def test_rows_written_without_loss_are_recombined_alike(tmp_path):
    """Without scaling down by more than a half, which of JPEGs is done while decoding them."""
    pytest.importorskip("skimage")
    from tests.factory import make_row

    rows = [make_row(index) for index in range(8)]
    write_lossless(rows, tmp_path)
    parameters = {"seed": 1, "fg_size_mode": "max", "pruning_ratio": 1.1, "fg_size_fact": 1.5}
    local = ForNetDataset(tmp_path, **parameters)
    ds = as_dataset(rows)
    recombine = Recombine(ds, **parameters)
    exact = 0
    for row in ds.with_format(None):
        made = recombine.recombine(row).composed.image
        image = local[local.keys.index(row["key"])][0]
        exact += image.tobytes() == made.tobytes()
        assert psnr(np.asarray(image), np.asarray(made)) > 40
    assert exact >= 6


def test_applied_files_look_like_prepared_rows(release, applied):
    """Another encoding of the same objects, drawn alike."""
    from tests.layout.conftest import IMAGES

    columns = [
        {
            "key": row.key,
            "label": row.label,
            "box": row.box,
            "foreground_ratio": row.foreground_ratio,
            **{name: {"bytes": getattr(row, name), "path": None} for name in ("foreground", "mask", "background")},
        }
        for unit in release.units("train", IMAGES)
        for row in unit.rows()
    ]
    ds = datasets.Dataset.from_list(columns, features=row_features(release.class_names))
    recombine, local = Recombine(ds, seed=4), ForNetDataset(applied, seed=4)
    for row in ds.with_format(None):
        made, drawn = recombine.recombine(row)
        image, composition = local.recombine(local.keys.index(row["key"]))
        assert (composition.size, composition.offset) == (drawn.size, drawn.offset)
        assert psnr(np.asarray(image.image), np.asarray(made.image)) > 27
