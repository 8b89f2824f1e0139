"""The layouts of public sets, written by other libraries and read back."""

from __future__ import annotations

import json

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from PIL import Image, ImageDraw

from fornet_hf.errors import ConfigurationError, NotFoundError, SourceError
from fornet_hf.evaluation.masks.coco import _pixels
from fornet_hf.evaluation.masks.layouts import read_truth
from fornet_hf.evaluation.masks.names import Name, image_files
from tests.cub import NAMES, bird, cub

MASK = np.zeros((6, 8), np.uint8)
MASK[1:4, 2:7] = 1


def write(path, levels, mode: str = "L") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(levels, np.uint8))
    if mode == "P":
        image.putpalette([*range(256)] * 3)
    (image.convert("1") if mode == "1" else image).save(path)


def only(found) -> np.ndarray:
    assert len(found.names) == 1
    return found.read(0).mask


@pytest.mark.parametrize(
    ("levels", "mode", "threshold"),
    [
        (MASK * 255, "1", None),
        (MASK * 255, "L", None),
        (MASK, "L", None),
        (MASK * 3, "P", None),
        (MASK * 100 + 50, "L", 127),
        (np.dstack([MASK * 0 + 9] * 3 + [MASK * 255]), "RGBA", None),
        (np.dstack([MASK * 255] * 3), "RGB", None),
        (np.dstack([*[MASK * 255] * 3, MASK * 0 + 255]), "RGBA", None),  # opaque: the colours are the mask
    ],
)
def test_png(tmp_path, levels, mode, threshold):
    write(tmp_path / "a.png", levels, mode)
    np.testing.assert_array_equal(only(read_truth(tmp_path, "png", threshold=threshold)), MASK == 1)


def palette(mask, colours) -> Image.Image:
    image = Image.fromarray(np.asarray(mask, np.uint8))
    image.putpalette([level for colour in colours for level in colour])
    return image


BLACK, WHITE, RED = (0, 0, 0), (255, 255, 255), (200, 0, 0)


@pytest.mark.parametrize(
    ("image", "threshold"),
    [
        (palette(MASK, [BLACK, WHITE]), None),
        (palette(1 - MASK, [WHITE, BLACK]), None),  # tools order colours as they like
        (palette(MASK, [BLACK, WHITE]), 127),
        (palette(1 - MASK, [WHITE, BLACK]), 127),
        (palette(MASK, [BLACK, RED]), None),
        (palette(MASK, [RED, WHITE]), None),
        (palette(MASK, [BLACK, BLACK]), None),  # colours that say nothing
        (Image.fromarray(MASK.astype(np.uint16) * 65535), None),
        (Image.fromarray(MASK.astype(np.uint16) * 65535), 127),
        (Image.fromarray(np.dstack([MASK * 0, MASK * 0, MASK * 3])), None),  # so dark a blue is black in grey
    ],
)
def test_png_of_all_kinds(tmp_path, image, threshold):
    image.save(tmp_path / "a.PNG")
    np.testing.assert_array_equal(only(read_truth(tmp_path, "png", threshold=threshold)), MASK == 1)


@pytest.mark.parametrize(
    ("colours", "transparency", "found"),
    [
        ([RED, BLACK], None, "black at index 1"),
        ([RED, WHITE], 1, "transparent at index 1"),  # a cut-out
        ([BLACK, WHITE], b"\xff\x00", "transparent at index 1"),
    ],
)
def test_a_palette_in_the_order_of_a_tool_is_refused(tmp_path, colours, transparency, found):
    options = {} if transparency is None else {"transparency": transparency}
    palette(1 - MASK, colours).save(tmp_path / "a.png", **options)
    with pytest.raises(ConfigurationError, match=rf"a\.png: a mask's palette is in no order; found {found}"):
        read_truth(tmp_path, "png").read(0)


@pytest.mark.parametrize("transparency", [0, b"\x00\xff", b"\x80\x80"])
def test_a_palette_whose_surroundings_are_transparent(tmp_path, transparency):
    palette(MASK, [BLACK, RED]).save(tmp_path / "a.png", transparency=transparency)
    np.testing.assert_array_equal(only(read_truth(tmp_path, "png")), MASK == 1)


def test_what_systems_leave_behind_is_no_mask(tmp_path):
    write(tmp_path / "a.png", MASK)
    (tmp_path / "._a.png").write_bytes(b"none")
    (tmp_path / "folder.png").mkdir()
    assert read_truth(tmp_path, "png").keys() == ["a"]


@pytest.mark.parametrize(
    ("layout", "options"),
    [
        ("voc", {"threshold": 0}),
        ("davis", {"threshold": 0}),
        ("coco", {"threshold": 0}),
        ("png", {"threshold": -1}),
        ("png", {"categories": ["cat"]}),
        ("voc", {"categories": ["cat"]}),
        ("png", {"split": "test"}),
        ("cub", {"split": "val"}),
    ],
)
def test_what_a_layout_does_not_take_is_refused(tmp_path, layout, options):
    write(tmp_path / "a.png", MASK)
    with pytest.raises(ConfigurationError, match=rf"{next(iter(options))[:5]}.* not allowed"):
        read_truth(tmp_path, layout, **options)


def test_voc_takes_no_colours(tmp_path):
    """Its void is a colour then, which would be taken for an object."""
    write(tmp_path / "SegmentationClass" / "a.png", np.dstack([MASK * 128] * 3), "RGB")
    with pytest.raises(ConfigurationError, match=r"a\.png: a mask has no indices; found mode RGB"):
        read_truth(tmp_path, "voc").read(0)


def test_png_in_class_folders(tmp_path):
    for name in ("x/1", "y/1", "y/n01440764_7_n01440764"):
        write(tmp_path / f"{name}.png", MASK)
    found = read_truth(tmp_path, "png")
    assert list(found.names) == [Name("1", "x"), Name("1", "y"), Name("n01440764_7", "y")]
    assert found.keys() == ["x--1", "y--1", "n01440764_7"]


def test_grey_levels_need_a_threshold(tmp_path):
    write(tmp_path / "a.png", MASK * 100 + np.eye(6, 8) * 5)
    with pytest.raises(ConfigurationError, match=r"a\.png: a mask is not black and white; found 4 grey levels"):
        read_truth(tmp_path, "png").read(0)


def test_a_damaged_mask_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(SourceError, match=r"a\.png: the mask cannot be decoded"):
        read_truth(tmp_path, "png").read(0)


@pytest.mark.parametrize("layout", ["png", "voc", "davis", "cub"])
def test_no_masks_are_an_error(tmp_path, layout):
    with pytest.raises(NotFoundError, match="no folder of masks"):
        read_truth(tmp_path / "none", layout)
    with pytest.raises(NotFoundError, match="no masks or images"):
        read_truth(tmp_path, layout)


def test_voc_counts_no_void(tmp_path):
    indices = MASK * 2
    indices[0] = 255
    write(tmp_path / "SegmentationObject" / "2007_000032.png", indices, "P")
    write(tmp_path / "SegmentationClass" / "2007_000032.png", indices * 0, "P")
    for root in (tmp_path, tmp_path / "SegmentationObject"):
        found = read_truth(root, "voc")
        np.testing.assert_array_equal(only(found), MASK == 1)
        np.testing.assert_array_equal(found.read(0).counted, indices != 255)


def test_davis_has_all_objects_and_films(tmp_path):
    write(tmp_path / "Annotations" / "480p" / "bear" / "00000.png", MASK * 38, "P")
    write(tmp_path / "Annotations" / "480p" / "dog" / "00000.png", MASK + MASK[:, ::-1] * 2, "P")
    found = read_truth(tmp_path, "davis")
    assert (found.keys(), found.sequences) == (["bear--00000", "dog--00000"], True)
    np.testing.assert_array_equal(found.read(0).mask, MASK == 1)
    np.testing.assert_array_equal(found.read(1).mask, (MASK | MASK[:, ::-1]) == 1)


def test_cub_has_a_threshold_with_a_name(tmp_path):
    levels = MASK * 204
    levels[0] = 102
    write(tmp_path / "segmentations" / "001.Black" / "Black_1.png", levels)
    found = read_truth(tmp_path, "cub")
    np.testing.assert_array_equal(only(found), MASK == 1)
    assert "127" in found.rule
    assert only(read_truth(tmp_path, "cub", threshold=51))[0].all()


KEYS = [name.rpartition("/")[2] for name in sorted(NAMES)]


@pytest.mark.parametrize("archives", [False, True])
def test_cub_has_an_official_test_split(tmp_path, archives):
    root = cub(tmp_path, archives=archives)
    everything = read_truth(root, "cub")
    assert everything.keys() == KEYS
    assert everything.splits == ["test", "train", "test", "train"]
    test = read_truth(root, "cub", split="test")
    assert (test.keys(), test.splits) == ([KEYS[0], KEYS[2]], ["test", "test"])
    assert test.rule == "above level 127, test split of train_test_split.txt"
    np.testing.assert_array_equal(test.read(0).mask, np.asarray(bird(1)[1]) > 127)
    (root / "train_val_test_split.txt").write_text("1 1\n2 2\n3 0\n4 0\n")
    found = {split: read_truth(root, "cub", split=split).keys() for split in ("train", "validation", "test")}
    assert found == {"train": KEYS[2:], "validation": [KEYS[1]], "test": [KEYS[0]]}


def test_cub_in_the_layout_of_concept_distillation(tmp_path):
    root = cub(tmp_path)
    (root / "images.txt").write_text(f"images/{NAMES[1]}.jpg 0\nimages/{NAMES[0]}.jpg 1\n")
    assert read_truth(root, "cub").splits == ["test", "train", "", ""]
    assert read_truth(root, "cub", split="test").keys() == [KEYS[0]]


def test_cub_without_splits_has_all_masks(tmp_path):
    root = cub(tmp_path)
    for name in ("train_test_split.txt", "images.txt"):
        (root / name).unlink()
        assert (read_truth(root, "cub").keys(), read_truth(root, "cub").splits) == (KEYS, None)
        with pytest.raises(NotFoundError, match=r"does not say which split|no list of images"):
            read_truth(root, "cub", split="test")


def test_a_split_whose_masks_are_not_there_is_an_error(tmp_path):
    root = cub(tmp_path)
    (root / "segmentations" / f"{NAMES[3]}.png").unlink()
    with pytest.raises(NotFoundError, match=rf"1 masks of the test split are missing; found \['{KEYS[2]}'\]"):
        read_truth(root, "cub", split="test")
    assert read_truth(root, "cub", split="train").keys() == [KEYS[1], KEYS[3]]


def test_images_are_those_of_the_list(tmp_path):
    root = cub(tmp_path)
    write(root / "images" / "036.Northern_Flicker" / "unlisted.jpg", MASK)
    assert sorted(image_files(root).keys()) == KEYS
    assert image_files(root / "images").keys() == [*KEYS, "unlisted"]


def test_drc_birds_are_those_of_the_test_split(tmp_path):
    for number in (1, 2, 3):
        write(tmp_path / "segmentations" / "x" / f"b{number}.png", MASK * 255)
    (tmp_path / "images.txt").write_text("1 x/b1.jpg\n2 x/b2.jpg\n3 x/b3.jpg\n")
    (tmp_path / "train_val_test_split.txt").write_text("1 0\n2 2\n3 1\n")
    assert (read_truth(tmp_path, "drc").keys(), read_truth(tmp_path, "drc").splits) == (["b2"], ["test"])
    (tmp_path / "images.txt").write_text("1 x/b1.jpg\n2 x/b9.jpg\n3 x/b3.jpg\n")
    with pytest.raises(NotFoundError, match="1 masks of the test split are missing"):
        read_truth(tmp_path, "drc")


def test_drc_cars_are_those_that_were_selected(tmp_path):
    for token in ("7", "8"):
        write(tmp_path / "data_mrcnn" / "test" / "resized" / f"{token}_maskresized.png", MASK * 255)
    with pytest.raises(NotFoundError, match="does not say which images are tests"):
        read_truth(tmp_path, "drc")
    np.save(tmp_path / "data_mrcnn_test_select.npy", np.array([8]))
    found = read_truth(tmp_path, "drc")
    assert found.keys() == ["8"]
    np.testing.assert_array_equal(only(found), MASK == 1)
    np.save(tmp_path / "data_mrcnn_test_select.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(SourceError, match="cannot be read"):  # no pickle is loaded
        read_truth(tmp_path, "drc")


def coco(path, annotations, **image) -> None:
    images = [{"id": 5, "file_name": "val2017/000005.jpg", "width": 8, "height": 6, **image}]
    categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))


def annotation(segmentation, category: int = 1, iscrowd: int = 0) -> dict:
    return {"image_id": 5, "category_id": category, "segmentation": segmentation, "iscrowd": iscrowd}


def runs(mask) -> dict:
    """COCO's runs of pixels, column by column, beginning with those that are not set."""
    flat = np.asarray(mask, bool).ravel(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    lengths = np.diff([0, *edges, flat.size]).tolist()
    return {"size": [*mask.shape], "counts": ([0] if flat[0] else []) + lengths}


class TestCoco:
    @pytest.fixture(autouse=True)
    def library(self):
        self.coded = pytest.importorskip("pycocotools.mask")

    def test_runs_of_pixels(self, tmp_path):
        compressed = self.coded.encode(np.asfortranarray(MASK))
        compressed["counts"] = compressed["counts"].decode()
        for segmentation in (runs(MASK), compressed):
            coco(tmp_path / "coco.json", [annotation(segmentation)])
            found = read_truth(tmp_path / "coco.json", "coco")
            assert found.keys() == ["000005"]
            np.testing.assert_array_equal(only(found), MASK == 1)

    @given(hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=80)))
    def test_runs_as_text_are_as_the_library_reads_them(self, mask):
        coded = self.coded.encode(np.asfortranarray(mask.astype(np.uint8)))
        np.testing.assert_array_equal(_pixels({**coded, "counts": coded["counts"].decode()}, mask.shape), mask)

    def test_images_of_one_name_in_two_folders(self, tmp_path):
        coco(tmp_path / "coco.json", [annotation(runs(MASK))])
        document = json.loads((tmp_path / "coco.json").read_text())
        document["images"].append({**document["images"][0], "id": 6, "file_name": "test2017/000005.jpg"})
        (tmp_path / "coco.json").write_text(json.dumps(document))
        assert read_truth(tmp_path / "coco.json", "coco").keys() == ["val2017--000005", "test2017--000005"]

    def test_two_categories_of_one_name_both_count(self, tmp_path):
        coco(tmp_path / "coco.json", [annotation(runs(MASK)), annotation(runs(1 - MASK), 2)])
        text = (tmp_path / "coco.json").read_text().replace('"dog"', '"cat"')
        (tmp_path / "coco.json").write_text(text)
        assert only(read_truth(tmp_path / "coco.json", "coco", categories=["cat"])).all()

    def test_polygons_are_as_pillow_draws_them(self, tmp_path):
        """But for the edge, on which the two need not agree."""
        corners = [(10, 10), (90, 15), (70, 80), (20, 60)]
        flat = [value for corner in corners for value in corner]
        coco(tmp_path / "coco.json", [annotation([flat, [1, 2, 3, 4]])], width=100, height=90)
        drawn = Image.new("1", (100, 90))
        ImageDraw.Draw(drawn).polygon(corners, fill=1)
        found = only(read_truth(tmp_path / "coco.json", "coco"))
        assert np.count_nonzero(found ^ np.asarray(drawn)) < 0.05 * np.count_nonzero(found)

    def test_crowds_are_not_counted(self, tmp_path):
        crowd = np.zeros_like(MASK)
        crowd[:, 5:] = 1
        coco(tmp_path / "coco.json", [annotation(runs(MASK)), annotation(runs(crowd), 2, 1)])
        found = read_truth(tmp_path / "coco.json", "coco")
        np.testing.assert_array_equal(only(found), MASK == 1)
        np.testing.assert_array_equal(found.read(0).counted, (MASK | (1 - crowd)) == 1)

    def test_objects_of_some_categories(self, tmp_path):
        coco(tmp_path / "coco.json", [annotation(runs(MASK)), annotation(runs(1 - MASK), 2)])
        assert only(read_truth(tmp_path / "coco.json", "coco")).all()
        dogs = read_truth(tmp_path / "coco.json", "coco", categories=["dog"])
        np.testing.assert_array_equal(only(dogs), MASK == 0)
        with pytest.raises(ConfigurationError, match=r"no such category; found 'cow'; allowed: cat, dog"):
            read_truth(tmp_path / "coco.json", "coco", categories=["cow"])

    def test_an_image_without_objects_has_an_empty_mask(self, tmp_path):
        coco(tmp_path / "coco.json", [])
        assert not only(read_truth(tmp_path / "coco.json", "coco")).any()

    @pytest.mark.parametrize(
        "segmentation",
        [
            {"size": [6, 9], "counts": [54]},
            {"size": [6, 8], "counts": [3, 4]},
            {"size": [6, 8], "counts": [-1, 49]},
            {"size": [6, 8], "counts": [2**70, 48 - 2**70]},
            {"size": [6, 8], "counts": ""},
            {"size": [6, 8], "counts": "zzz"},
            {"size": [6, 8], "counts": "X"},
            {"size": [6, 8], "counts": "oooooooooooo0"},
            {"size": [6, 8], "counts": "é"},
            {"counts": [48]},
            [[1, 1, 5, 1, 5, float("nan")]],
            [[1, 1, 5, 1, 5, 1e30]],
            [[1, 1, 5, 1, 5, 5, 7]],
            7,
        ],
    )
    def test_damaged_annotations_are_named(self, tmp_path, segmentation):
        coco(tmp_path / "coco.json", [annotation(segmentation)])
        with pytest.raises(SourceError, match="image 5: its annotations are damaged"):
            read_truth(tmp_path / "coco.json", "coco").read(0)

    def test_other_json_is_refused(self, tmp_path):
        (tmp_path / "coco.json").write_text("[]")
        with pytest.raises(SourceError, match="is not like COCO's"):
            read_truth(tmp_path / "coco.json", "coco")
        with pytest.raises(NotFoundError, match="no JSON of COCO"):
            read_truth(tmp_path, "coco")
