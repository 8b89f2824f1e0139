"""Contact sheets and animations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from PIL import Image

from fornet_hf.errors import ConfigurationError
from fornet_hf.features import row_features
from fornet_hf.preview import CELL, Group, Line, animation, contact_sheet, save_animation, sheet, taken_apart
from tests.factory import columns, make_row

pytest.importorskip("skimage")


@pytest.fixture(scope="module")
def ds() -> Any:
    rows = [columns(make_row(index)) for index in range(5)]
    return datasets.Dataset.from_list(rows, features=row_features(["tench, Tinca tinca", "goldfish", "tabby"]))


def flat(colour: str) -> Image.Image:
    return Image.new("RGB", CELL, colour)


def occurs(page: Image.Image, colour: tuple[int, int, int]) -> tuple[int, int, int, int] | None:
    """The box around all pixels of exactly that colour."""
    return Image.fromarray((np.asarray(page) == colour).all(axis=2)).getbbox()


def test_each_image_stands_in_its_column_and_row() -> None:
    groups = [Group("one", ["a", "b"]), Group("two", ["c"])]
    page = sheet(groups, [Line("first", list(map(flat, ["red", "lime", "blue"]))), Line("", [flat("#123456")] * 3)])
    red, green, blue = (occurs(page, colour) for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255)))
    assert red[2] <= green[0] < green[2] <= blue[0]
    assert red[1] == green[1] == blue[1]
    assert blue[0] - green[2] > green[0] - red[2]  # a wider gap between groups
    assert occurs(page, (0x12, 0x34, 0x56))[1] >= red[3]
    assert (red[2] - red[0], red[3] - red[1]) == CELL


def test_a_image_keeps_its_proportions() -> None:
    page = sheet([Group("", ["a"])], [Line("", [Image.new("RGB", (30, 300), "red")])])
    x0, y0, x1, y1 = occurs(page, (255, 0, 0))
    assert (x1 - x0, y1 - y0) == (CELL[1] // 10, CELL[1])


def test_long_labels_are_wrapped_to_their_column() -> None:
    text = "a-very-long-word-without-any-space " * 2
    lined = sheet([Group("", ["a"])], [Line(text, [flat("red")])])
    left = occurs(lined, (255, 0, 0))[0]
    dark = np.asarray(lined.convert("L"))[:, :left] < 128
    assert dark.any()
    assert not dark[:, -4:].any()


def test_a_long_caption_is_wrapped_below() -> None:
    groups, lines = [Group("", ["a", "b"])], [Line("", [flat("red")] * 2)]
    plain, short, long = (sheet(groups, lines, caption="word " * words) for words in (0, 1, 200))
    assert plain.height < short.height < long.height
    assert plain.width == long.width
    dark = np.asarray(long.convert("L")) < 128
    assert dark[plain.height :].any()
    assert not dark[plain.height :, -4:].any()
    assert not dark[-3:].any()


def test_a_line_that_does_not_fit_the_headings_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="does not fit the columns; found 1; allowed: 2"):
        sheet([Group("", ["a", "b"])], [Line("", [flat("red")])])


def test_a_row_is_taken_apart_into_original_mask_and_background(ds: Any) -> None:
    row = ds[0]
    original, mask, background = taken_apart(row)
    assert original.size == mask.size == background.size
    inside = np.asarray(mask) > 0
    assert inside.mean() == pytest.approx(row["foreground_ratio"], abs=1e-6)
    changed = np.abs(np.asarray(original).astype(int) - np.asarray(background)).mean(axis=2)
    assert changed[inside].mean() > 5 * changed[~inside].mean()


@pytest.mark.parametrize("absent", [("foreground", "mask", "box"), ("background",)])
def test_rows_with_a_missing_part_are_shown_too(ds: Any, absent: tuple[str, ...]) -> None:
    parts = taken_apart({**ds[0], **dict.fromkeys(absent)})
    assert len({part.size for part in parts}) == 1


def test_a_sheet_shows_parts_and_epochs_of_each_row(ds: Any) -> None:
    whole = contact_sheet(ds, indices=[0, 3], epochs=3)
    without = contact_sheet(ds, indices=[0, 3], epochs=3, parts=False)
    assert whole.mode == "RGB"
    assert whole.width - without.width >= 3 * CELL[0]
    assert contact_sheet(ds, indices=[0], epochs=3).height == whole.height - CELL[1] - 8


def test_a_sheet_can_be_repeated_and_ignores_the_datasets_transform(ds: Any) -> None:
    first = contact_sheet(ds, indices=[1], epochs=2)
    other = contact_sheet(ds.with_transform(lambda batch: {"nothing": batch["label"]}), indices=[1], epochs=2)
    assert first.tobytes() == other.tobytes()
    assert first.tobytes() != contact_sheet(ds, indices=[1], epochs=2, seed=1).tobytes()


def test_parameters_reach_the_recombination(ds: Any) -> None:
    plain, original = contact_sheet(ds, epochs=1), contact_sheet(ds, epochs=1, orig_img_prob=1.0)
    assert plain.tobytes() != original.tobytes()
    with pytest.raises(ConfigurationError, match="fg_size_mode"):
        contact_sheet(ds, fg_size_mode="huge")


def test_nothing_to_show_is_an_error(ds: Any) -> None:
    with pytest.raises(ConfigurationError, match="nothing to show"):
        contact_sheet(ds, indices=[])
    with pytest.raises(ConfigurationError, match="epochs"):
        contact_sheet(ds, epochs=0)


def test_frames_follow_the_epochs(ds: Any) -> None:
    frames = animation(ds, epochs=3, orig_img_prob="linear")
    assert len(frames) == 3
    assert len({frame.tobytes() for frame in frames}) == 3
    assert len({frame.size for frame in frames}) == 1


@pytest.mark.parametrize("ending", [".gif", ".webp"])
def test_an_animation_has_all_frames_and_repeats(ds: Any, tmp_path: Path, ending: str) -> None:
    frames = animation(ds, indices=[0, 1], epochs=3)
    save_animation(frames, tmp_path / f"a{ending}", milliseconds=500)
    with Image.open(tmp_path / f"a{ending}") as written:
        assert (written.n_frames, written.size, written.info["loop"]) == (3, frames[0].size, 0)
        for number, frame in enumerate(frames):
            written.seek(number)
            shown = np.asarray(written.convert("RGB")).astype(int)  # the duration is known after loading
            assert written.info["duration"] == 500
            error = np.abs(shown - np.asarray(frame))
            assert error.mean() < 8


def test_other_endings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"allowed: \.gif or \.webp"):
        save_animation([flat("red")], tmp_path / "a.mp4")
