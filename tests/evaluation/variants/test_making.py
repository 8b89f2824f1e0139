"""Sets of variants in files."""

import hashlib
import json
import shutil
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import datasets
import numpy as np
import pytest
from PIL import Image

from fornet_hf.errors import ConfigurationError, SourceError
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.data.names import OFFICIAL, VARIANTS
from fornet_hf.evaluation.data.trees import read_tree
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.evaluation.variants import making
from fornet_hf.evaluation.variants.configuration import VariantsConfig
from fornet_hf.evaluation.variants.making import make_variants
from fornet_hf.evaluation.variants.planning import Candidate, Plan, background_of
from fornet_hf.evaluation.variants.rendering import infilled, shown
from fornet_hf.evaluation.variants.subjects import Subjects, is_shrunk, restored
from fornet_hf.features import row_features, with_lazy_images
from tests.factory import columns, make_row

CLASSES = ("cat", "dog", "gnu")
ALL = VariantsConfig(seed=3, variants=VARIANTS)


def data_of(change=lambda number, row: row, split="validation"):
    values = [change(number, columns(make_row(number))) for number in range(14)]
    rows = with_lazy_images(datasets.Dataset.from_list(values, features=row_features(CLASSES)))
    return SimpleNamespace(split=split, rows=rows, class_names=CLASSES, fingerprint="f" * 16)


@pytest.fixture(scope="module")
def data():
    return data_of()


@pytest.fixture(scope="module")
def made(data, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    make_variants(data, folder, ALL, 1)
    return folder


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.suffix in {".JPEG", ".npy"})
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_files_lie_where_the_official_scripts_look(made):
    for variant in OFFICIAL:
        folders = sorted(path.name for path in (made / variant / "val").iterdir())
        assert folders == ["00_cat", "01_dog", "02_gnu"]  # the order of torchvision's ImageFolder
    masks = sorted(path.stem for path in (made / "fg_mask" / "val").rglob("*.npy"))
    assert masks == sorted(path.stem for path in (made / "original" / "val").rglob("*.JPEG"))
    mask = np.load(next((made / "fg_mask").rglob("*.npy")))
    assert mask.shape == (224, 224)
    assert mask.dtype == np.bool_


def test_classes_are_balanced_with_the_same_images_in_all_variants(made):
    tree = read_tree(made)
    items = {variant: set(files) for variant, files in tree.files.items()}
    assert set(items) == set(VARIANTS)
    assert all(found == items["original"] for found in items.values())
    assert len({*Counter(label for label, _ in items["original"]).values()}) == 1


def test_a_constant_model_is_right_in_one_of_as_many_as_there_are_classes(made):
    labels = read_tree(made).stimuli({}, EvaluationConfig()).labels
    assert {np.mean(labels == answer) for answer in range(3)} == {1 / 3}


def test_mixed_images_have_backgrounds_of_their_classes(made):
    stimuli = read_tree(made).stimuli({}, EvaluationConfig())
    for number, label in enumerate(stimuli.labels):
        shown_item = stimuli.shown(number, Preprocessing())
        assert not shown_item.missing
        views = {stimuli.conditions[view.condition]: view for view in shown_item.views}
        for ending in ("", "_i"):
            assert views[f"mixed_same{ending}"].background_label in {-1, label}
            assert views[f"mixed_next{ending}"].background_label == (label + 1) % 3
        assert views["mixed_rand"].background == views["mixed_rand_i"].background


def test_original_images_are_the_restored_ones(made, data):
    row = data.rows[0]
    with Image.open(next((made / "original").rglob(f"{row['key']}.JPEG"))) as image:
        difference = np.asarray(image).astype(int) - shown(restored(row), 224)
    assert np.abs(difference).mean() < 8  # JPEG of quality 75


def test_several_processes_make_the_same_bytes(made, data, tmp_path):
    make_variants(data, tmp_path, ALL, 2)
    assert digests(tmp_path) == digests(made)


def test_a_run_that_was_killed_goes_on(made, data, tmp_path, monkeypatch):
    make_item, calls = making._make_item, []

    def killed(*arguments):
        calls.append(arguments)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return make_item(*arguments)

    monkeypatch.setattr(making, "_make_item", killed)
    with pytest.raises(KeyboardInterrupt):
        make_variants(data, tmp_path, ALL, 1)
    assert not (tmp_path / "variants.json").exists()
    monkeypatch.undo()
    again = make_variants(data, tmp_path, ALL, 1)
    assert again.new == again.images - 3 * len(VARIANTS)
    assert digests(tmp_path) == digests(made)
    assert make_variants(data, tmp_path, ALL, 1).new == 0


def test_what_was_deleted_is_made_again(made, data, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(made, folder)
    next((folder / "mixed_rand").rglob("*.JPEG")).unlink()
    assert make_variants(data, folder, ALL, 1).new == 1
    assert digests(folder) == digests(made)


def test_a_folder_of_other_settings_is_refused(made, data):
    with pytest.raises(ConfigurationError, match="begun with other settings; found seed"):
        make_variants(data, made, VariantsConfig(seed=4), 1)


def test_the_note_says_what_was_made_of_what(made):
    note = json.loads((made / "variants.json").read_text())["val"]
    assert note["settings"]["data"] == "f" * 16
    assert note["settings"]["seed"] == 3
    assert note["side"] == 224
    assert "not exactly one box" in note["rules"]["not_applied"]
    assert sum(one["eligible"] for one in note["classes"].values()) + sum(note["excluded"].values()) == 14


def test_a_folder_of_variants_knows_the_classes_that_its_own_were_made_of(data, made, tmp_path):
    (tmp_path / "groups.json").write_text('{"pets": ["dog", "cat"], "wild": ["gnu"]}')
    config = VariantsConfig(variants=("original", "mixed_same"), taxonomy=tmp_path / "groups.json")
    make_variants(data, tmp_path / "two", config, 1)
    grouped = read_tree(tmp_path / "two").grouped
    assert (grouped.names, grouped.groups.tolist()) == (CLASSES, [0, 0, 1])
    assert read_tree(made).grouped.groups.tolist() == [0, 1, 2]
    note = tmp_path / "two" / "variants.json"
    note.write_text(note.read_text().replace('"pets"', '"others"'))  # of other folders
    assert read_tree(tmp_path / "two").grouped is None
    strange = ({}, {"settings": []}, {"settings": {"class_of_label": [2, 0, 0], "classes": ["pets", "wild"]}})
    for damaged in ("{", *(json.dumps({"val": part}) for part in strange)):
        note.write_text(damaged)
        with pytest.raises(SourceError, match=r"variants.json is no note of fornet variants"):
            read_tree(tmp_path / "two")
    note.unlink()
    assert read_tree(tmp_path / "two").grouped is None


def test_training_sets_have_images_to_crop_from(tmp_path):
    made = make_variants(
        data_of(split="train"), tmp_path, VariantsConfig(variants=("original", "mixed_rand"), per_class=1), 1
    )
    assert made.images == 6
    with Image.open(next((tmp_path / "mixed_rand" / "train" / "00_cat").iterdir())) as image:
        assert image.size == (256, 256)
    assert read_tree(tmp_path, "train").variants == ("original", "mixed_rand")


def test_rows_without_a_foreground_are_counted(tmp_path):
    data = data_of(lambda number, row: {**row, "foreground": None} if number < 3 else row)
    assert make_variants(data, tmp_path, VariantsConfig(), 1).plan.excluded["no foreground"] == 3


def test_rows_without_a_class_are_counted_and_in_none(tmp_path):
    data = data_of(lambda number, row: {**row, "label": [-1, None][number]} if number < 2 else row)
    plan = make_variants(data, tmp_path, VariantsConfig(variants=("original",)), 1).plan
    assert plan.excluded["no class"] == 2
    assert {data.rows[number]["key"] for number in (0, 1)}.isdisjoint(item.stem for item in plan.items)


@pytest.mark.parametrize("key", ["../../evil", ".evil", "a/evil"])
def test_keys_lead_nowhere_else(tmp_path, key):
    data = data_of(lambda number, row: {**row, "key": f"{key}{number}"})
    made = make_variants(data, tmp_path / "one" / "two", VariantsConfig(variants=("original",)), 1)
    files = {path.name for path in (tmp_path / "one" / "two" / "original" / "val").glob("0*/*evil*.JPEG")}
    assert len(files) == made.images == len([*tmp_path.rglob("*evil*.JPEG")])
    assert not any(name.startswith(".") for name in files)


@pytest.mark.parametrize("key", ["", None])
def test_a_row_without_a_key_is_an_error(tmp_path, key):
    data = data_of(lambda number, row: {**row, "key": key} if number == 1 else row)
    with pytest.raises(SourceError, match="a row has no key; found row 1"):
        make_variants(data, tmp_path, VariantsConfig(), 1)


def test_a_variant_that_is_named_twice_counts_once():
    assert VariantsConfig(variants=("original", "no_fg", "original")).variants == ("original", "no_fg")


def test_a_class_without_images_is_an_error(tmp_path):
    data = data_of(lambda number, row: {**row, "label": number % 2})
    with pytest.raises(ConfigurationError, match="no image of gnu fits the rules"):
        make_variants(data, tmp_path, VariantsConfig(), 1)
    groups = tmp_path / "groups.json"
    groups.write_text('{"pets": ["cat"], "others": ["dog"]}')
    assert make_variants(data, tmp_path, VariantsConfig(taxonomy=groups), 1).images  # as the message advises


def test_a_set_of_other_classes_alone_is_an_error(tmp_path):
    (tmp_path / "groups.json").write_text('{"pets": ["gnu"], "others": ["cat"]}')
    data = data_of(lambda number, row: {**row, "label": 1})
    with pytest.raises(ConfigurationError, match="found other classes alone"):
        make_variants(data, tmp_path, VariantsConfig(taxonomy=tmp_path / "groups.json"), 1)


def test_annotations_of_other_classes_are_refused(data, tmp_path):
    with pytest.raises(ConfigurationError, match="annotations are ImageNet's"):
        make_variants(data, tmp_path / "out", VariantsConfig(boxes=tmp_path), 1)


def xml(folder: Path, key: str, size: tuple[int, int], *boxes: tuple[int, ...]) -> None:
    names = ("xmin", "ymin", "xmax", "ymax")
    objects = "".join(
        f"<object><bndbox>{''.join(f'<{n}>{v}</{n}>' for n, v in zip(names, box, strict=True))}</bndbox></object>"
        for box in boxes
    )
    text = f"<annotation><size><width>{size[0]}</width><height>{size[1]}</height></size>{objects}</annotation>"
    (folder / "n01440764").mkdir(exist_ok=True)
    (folder / "n01440764" / f"{key}.xml").write_text(text)


BOX = (40, 30, 120, 110)


@pytest.mark.parametrize(
    ("scale", "boxes", "expected"),
    [
        (1, [BOX], BOX),
        (2, [tuple(2 * edge for edge in BOX)], "annotation of another size"),
        (1, [BOX, BOX], "not exactly one box"),
        (1, [], "not exactly one box"),
        (0.5, [BOX], "annotation of another size"),
        (1, [(0, 0, 191, 191)], "box covers more than 90 % of the crop"),
        (1, [(5000, 30, 5009, 110)], "less than half of the box is inside of the crop"),
        (1, [(0, 30, 3, 110)], "less than half of the box is inside of the crop"),
        (None, [], "no annotation"),
    ],
)
def test_annotations_decide_with_all_rules(data, tmp_path, scale, boxes, expected):
    row = {**data.rows[0], "label": 0}
    height, width = restored(row).shape[:2]
    if scale is not None:
        xml(tmp_path, row["key"], (int(width * scale), int(height * scale)), *boxes)
    assert Subjects(("n01440764",), tmp_path).box(row) == expected


def test_only_images_that_a_release_shrinks_have_annotations_of_another_size():
    assert is_shrunk((1000, 750), (512, 384))
    assert not is_shrunk((1000, 700), (512, 384))
    assert not is_shrunk((500, 374), (250, 187))


def test_a_damaged_annotation_leaves_its_image_out(data, tmp_path):
    row = {**data.rows[0], "label": 0}
    xml(tmp_path, row["key"], (1, 1))
    (tmp_path / "n01440764" / f"{row['key']}.xml").write_text("<!DOCTYPE a>")
    assert Subjects(("n01440764",), tmp_path).box(row) == "annotation cannot be read"


def test_grabcut_finds_the_same_object_every_time(data):
    pytest.importorskip("cv2")
    subjects, row = Subjects(grabcut=True), data.rows[0]
    box = subjects.box(row)
    first, second = (subjects.subject(row, box).mask for _ in range(2))
    assert np.array_equal(first, second)
    assert first.any()
    assert not first[: box.ymin].any()


def test_infilled_images_have_the_object_in_its_place(data):
    row, other = data.rows[0], data.rows[1]
    subject = Subjects().subject(row, Subjects().box(row))
    image, behind = np.asarray(infilled(row, 224, other)).astype(int), np.asarray(infilled(other, 224)).astype(int)
    mask = shown(subject.mask, 224).astype(bool)
    inner = mask & np.roll(mask, 4, 0) & np.roll(mask, -4, 0) & np.roll(mask, 4, 1) & np.roll(mask, -4, 1)
    outer = ~(mask | np.roll(mask, 4, 0) | np.roll(mask, -4, 0) | np.roll(mask, 4, 1) | np.roll(mask, -4, 1))
    assert (image[outer] == behind[outer]).mean() > 0.99
    assert np.abs(image - shown(subject.image, 224))[inner].mean() < 12  # bilinear beside nearest


def test_random_classes_include_the_own_one_unless_told_otherwise():
    items = [Candidate(number, number // 50, f"{number}", None) for number in range(150)]
    plan = Plan(CLASSES, items, [50] * 3, {})
    for other_class in (False, True):
        labels = [
            plan.items[background_of(plan, number, "mixed_rand", 0, other_class=other_class)].label
            for number in range(50)
        ]
        assert set(labels) == ({1, 2} if other_class else {0, 1, 2})


@pytest.mark.parametrize(
    "settings",
    [
        {"seed": -1},
        {"variants": ("mixed",)},
        {"variants": ()},
        {"per_class": 0},
        {"masks": "sam"},
        {"size": 257},
        {"quality": 0},
        {"boxes": Path("/none")},
    ],
)
def test_settings_are_checked(settings):
    with pytest.raises(ConfigurationError, match=f"variants: {next(iter(settings))}"):
        VariantsConfig(**settings)


def test_a_damaged_row_is_named(tmp_path):
    data = data_of(
        lambda number, row: {**row, "background": {"bytes": b"none", "path": None}} if number == 5 else row
    )
    with pytest.raises(SourceError, match=str(data.rows.with_format(None)["key"][5])):
        make_variants(data, tmp_path, VariantsConfig(), 1)
