"""Rows in conditions: the same pairs and pixels as by composing and preparing each alone, and named exclusions."""

from __future__ import annotations

import multiprocessing
import pickle
from dataclasses import replace

import datasets
import numpy as np
import pytest
from PIL import Image
from PIL.Image import Resampling

from fornet_hf.errors import ConfigurationError, SourceError
from fornet_hf.evaluation.labels import NO_LABEL
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.evaluation.stimuli.conditions import Condition, Noise
from fornet_hf.evaluation.stimuli.frame import seen_part
from fornet_hf.evaluation.stimuli.rows import Rows
from fornet_hf.features import row_features
from fornet_hf.format.masks import encode_mask
from fornet_hf.recombination import RecombinationConfig, Recombine, compose
from fornet_hf.recombination.pixels.decoding import decoded
from tests.factory import columns, make_row

CLASSES = ["a", "b", "c"]
SIZES = (0.25, 1.0, 2.0)
MODELS = [
    Preprocessing(size=56),
    Preprocessing(size=60, crop=1.0, interpolation="bilinear"),
    Preprocessing(size=64, squash=True, crop=0.9, interpolation="lanczos"),
]


def recombined(seen=False, whole=False, **parameters):
    return Condition(recombination=RecombinationConfig(**parameters), seen=seen, whole=whole)


CONDITIONS = {
    "original": Condition(),
    **{kind: recombined(background_combination=kind) for kind in ("orig", "same", "all")},
    **{f"cell {cell}": recombined(True, True, fg_in_nonant=cell) for cell in range(9)},
    **{f"size {size}": recombined(True, True, fg_size_fact=size) for size in SIZES},
    "noise foreground": Condition(noise=Noise(where="foreground", amount=25)),
    "noise background": Condition(noise=Noise(where="background", amount=25)),
}


def dataset_of(*rows):
    return datasets.Dataset.from_list([columns(row) for row in rows], features=row_features(CLASSES))


def eight():
    return [make_row(index) for index in range(8)]


def rows_of(conditions=CONDITIONS, dataset=None, **options):
    return Rows(dataset or dataset_of(*eight()), conditions, **options)


def plan_of(rows, item, condition, preprocessing=MODELS[0]):
    with rows._opened(item) as (planner, _):
        return planner.plan(condition, preprocessing)


def everything(rows, preprocessing=MODELS[0]):
    return [rows.shown(item, preprocessing) for item in range(len(rows.keys))]


def digest(rows):
    return [view.image.tobytes() for shown in everything(rows) for view in shown.views]


def reasons(rows, item=0):
    missing = rows.shown(item, MODELS[0]).missing
    return {rows.conditions[number]: reason for number, reason in missing.items()}


@pytest.mark.parametrize("preprocessing", MODELS, ids=lambda one: one.interpolation)
@pytest.mark.parametrize("kind", ["orig", "same", "all"])
def test_the_public_order_is_recombining_in_evaluation_then_preparing(preprocessing, kind):
    dataset = dataset_of(*eight())
    rows = rows_of(dataset=dataset, seed=3)
    recombine = Recombine(dataset, background_combination=kind, evaluation=True, seed=3, return_composition=True)
    for item, row in enumerate(eight()):
        wanted = recombine.recombine(columns(row))
        view = next(v for v in rows.shown(item, preprocessing).views if rows.conditions[v.condition] == kind)
        assert np.array_equal(view.image, preprocessing.prepared(wanted.composed.image))
        background = wanted.composition.background_key
        assert view.background == ("" if background == row.key else background)


@pytest.mark.parametrize("preprocessing", MODELS, ids=lambda one: one.interpolation)
def test_cells_and_sizes_are_pasted_on_the_part_that_is_seen_then_scaled(preprocessing):
    rows, compared = rows_of(seed=1), 0
    by_key = {row.key: row for row in eight()}
    for item, shown in enumerate(everything(rows, preprocessing)):
        for view in shown.views:
            condition = CONDITIONS[rows.conditions[view.condition]]
            if not condition.seen:
                continue
            key, plan = rows.keys[item], plan_of(rows, item, condition, preprocessing)
            background = decoded(by_key[view.background or key].background)
            part = seen_part(preprocessing, background.size)
            canvas = compose(by_key[key], background.crop(part), plan.composition).image
            side, filtering = preprocessing.size, Resampling[preprocessing.interpolation.upper()]
            wanted = np.asarray(canvas.resize((side, side), filtering)).transpose(2, 0, 1)
            assert np.array_equal(view.image, wanted), (key, rows.conditions[view.condition])
            compared += 1
    assert compared > 50


@pytest.mark.parametrize("preprocessing", MODELS, ids=lambda one: one.interpolation)
def test_each_view_is_its_full_size_image_prepared(preprocessing):
    rows = rows_of()
    for item, shown in enumerate(everything(rows, preprocessing)):
        for view in shown.views:
            name = rows.conditions[view.condition]
            image, mask = rows.image(item, name, preprocessing)
            assert image.size == mask.size
            if not (CONDITIONS[name].seen or CONDITIONS[name].noise):
                assert np.array_equal(view.image, preprocessing.prepared(image)), name


def test_a_view_does_not_depend_on_the_other_conditions():
    together = everything(rows_of())
    for name in ("cell 3", "size 1.0", "noise background", "all"):
        alone = everything(rows_of({name: CONDITIONS[name]}))
        number = list(CONDITIONS).index(name)
        for one, many in zip(alone, together, strict=True):
            expected = [view.image for view in many.views if view.condition == number]
            assert [view.image.tobytes() for view in one.views] == [image.tobytes() for image in expected]


def test_conditions_with_one_kind_of_background_show_the_same_pair_and_size():
    rows = rows_of()
    for item in range(len(rows.keys)):
        plans = {name: plan_of(rows, item, one) for name, one in CONDITIONS.items()}
        drawn = {name: plan.composition for name, plan in plans.items() if not isinstance(plan, str)}
        assert len({one.background for name, one in drawn.items() if name[:4] in ("all", "cell", "size")}) == 1
        cells = [composition for name, composition in drawn.items() if name[:4] == "cell"]
        assert len({(composition.size, composition.sigma) for composition in cells}) <= 1
        offsets = {composition.offset for composition in cells}
        assert len(offsets) == len(cells)


def test_cells_have_a_ninth_of_the_area_and_sizes_their_factor():
    partly = {name: replace(one, whole=False) for name, one in CONDITIONS.items()}
    sizes = {name: plan_of(rows_of(), 3, one).composition for name, one in partly.items()}
    area = {name: one.size[0] * one.size[1] for name, one in sizes.items() if one.size and "size" in name}
    assert area["size 2.0"] / area["size 1.0"] == pytest.approx(2, rel=0.05)
    cell = sizes["cell 4"].size
    assert area["size 1.0"] / (cell[0] * cell[1]) == pytest.approx(9, rel=0.15)


def test_an_object_that_is_not_shown_at_its_full_size_is_left_out_with_its_reason():
    large = {"cell 4": recombined(True, True, fg_in_nonant=4, fg_size_fact=50.0)}
    assert reasons(rows_of(large)) == {"cell 4": "larger than its cell"}
    huge = {"size": recombined(True, True, fg_size_fact=100.0)}
    assert reasons(rows_of(huge)) == {"size": "larger than the image, or cut off at its edge"}
    assert reasons(rows_of({"size": recombined(fg_size_fact=100.0)})) == {}
    jutting = {"all": recombined(whole=True, rel_jut_out=1.0, fg_bates_n=-500)}
    found = [list(reasons(rows_of(jutting), item).values()) for item in range(8)]
    assert ["larger than the image, or cut off at its edge"] in found


def test_what_a_row_lacks_is_named():
    full = make_row(1)
    without_object = replace(full, key="no object", foreground=None, mask=None, box=None, foreground_ratio=0.0)
    without_background = replace(full, key="no background", background=None)
    height, width = np.asarray(decoded(full.foreground)).shape[:2]
    empty = replace(full, key="empty", mask=encode_mask(np.zeros((height, width), bool)))
    unlabelled = replace(make_row(2), key="unlabelled", label=-1)
    without_place = replace(full, key="no place", box=None)
    names = ("original", "orig", "all", "cell 4", "noise foreground")
    rows = rows_of(
        {name: CONDITIONS[name] for name in names},
        dataset_of(full, without_object, without_background, empty, unlabelled, without_place),
    )
    assert set(reasons(rows, 1)) == set(names)
    assert set(reasons(rows, 1).values()) == {"no foreground"}
    assert {name: reasons(rows, 2)[name] for name in ("original", "orig", "noise foreground")} == dict.fromkeys(
        ("original", "orig", "noise foreground"), "no background"
    )
    assert "all" not in reasons(rows, 2)
    assert reasons(rows, 3) == dict.fromkeys(names[1:], "empty mask")
    assert reasons(rows, 4) == dict.fromkeys(names, "no class")
    assert reasons(rows, 5) == dict.fromkeys(("original", "noise foreground"), "place of the object not known")
    assert rows.masked(1, MODELS[0]) == "no foreground"
    assert rows.masked(3, MODELS[0]) == "empty mask"
    assert rows.image(2, "original", MODELS[0]) == "no background"


def test_a_class_without_backgrounds_gets_none_of_another_class():
    lonely = replace(make_row(1), background=None)
    rows = rows_of({"same": CONDITIONS["same"]}, dataset_of(make_row(0), lonely))
    assert reasons(rows, 1) == {"same": "no background of its class"}
    assert reasons(rows, 0) == {}


def test_the_backgrounds_class_is_told():
    rows = rows_of()
    by_key = dict(zip(rows.keys, rows.labels, strict=True))
    told = set()
    for item, shown in enumerate(everything(rows)):
        for view in shown.views:
            name = rows.conditions[view.condition]
            assert view.background_label == by_key.get(view.background, NO_LABEL)
            assert view.background != rows.keys[item]
            if name == "same" and view.background:
                assert view.background_label == rows.labels[item]
            told.add(view.background_label)
    assert told > {NO_LABEL}


def test_draws_are_items_of_one_source():
    rows = rows_of({"all": CONDITIONS["all"]}, draws=3)
    key = make_row(0).key
    assert rows.keys[:3] == [f"{key}#1", f"{key}#2", f"{key}#3"]
    assert rows.sources[:3] == [key] * 3
    assert len(rows.keys) == len(rows.labels) == len(rows.sources) == 24
    assert len({rows.shown(item, MODELS[0]).views[0].image.tobytes() for item in range(3)}) == 3
    assert digest(rows)[::3] == digest(rows_of({"all": CONDITIONS["all"]}))


def test_noise_changes_one_part_alone_by_its_deviation():
    names = {name: CONDITIONS[name] for name in ("original", "noise foreground", "noise background")}
    rows = rows_of(names)
    before, mask = rows.masked(1, MODELS[0])
    inside, outside = np.broadcast_to(mask == 1, before.shape), np.broadcast_to(mask == 0, before.shape)
    views = {rows.conditions[view.condition]: view.image.astype(float) for view in rows.shown(1, MODELS[0]).views}
    assert np.array_equal(views["original"], before)
    for name, changed, kept in (("foreground", inside, outside), ("background", outside, inside)):
        difference = views[f"noise {name}"] - before
        assert np.abs(difference[kept]).max() == 0
        middle = changed & (before > 100) & (before < 155)  # four deviations from black and white
        assert abs(difference[middle].mean()) < 2
        assert difference[middle].std() == pytest.approx(25, rel=0.05)


def test_noise_is_one_field_for_both_parts_and_all_amounts():
    parts = ("foreground", "background")
    noises = {f"{where} {amount}": Noise(where=where, amount=amount) for where in parts for amount in (10, 20)}
    other = {"seed": Noise(where="foreground", amount=10, seed=1)}
    rows = rows_of({name: Condition(noise=noise) for name, noise in (noises | other).items()})
    before, mask = rows.masked(1, MODELS[0])
    views = {rows.conditions[view.condition]: view.image.astype(float) for view in rows.shown(1, MODELS[0]).views}
    middle = (before > 110) & (before < 145)
    for where, share in zip(parts, (mask, 1 - mask), strict=True):
        once, twice = (views[f"{where} {amount}"] - before for amount in (10, 20))
        assert np.abs(2 * once - twice)[middle & (share > 0)].max() <= 1.5  # of rounding
    assert not np.array_equal(views["seed"], views["foreground 10"])


def test_seeds_change_draws_and_nothing_else():
    assert digest(rows_of(seed=0)) == digest(rows_of(seed=0))
    one, two = rows_of({"original": Condition()}, seed=0), rows_of({"original": Condition()}, seed=1)
    assert digest(one) == digest(two)
    assert digest(rows_of({"all": CONDITIONS["all"]}, seed=0)) != digest(rows_of({"all": CONDITIONS["all"]}, seed=1))


def test_the_order_of_the_rows_has_no_effect():
    dataset = dataset_of(*eight())
    rows, turned = Rows(dataset, CONDITIONS), Rows(dataset.select(range(7, -1, -1)), CONDITIONS)
    images = [[view.image.tobytes() for view in shown.views] for shown in everything(turned)]
    assert [image for shown in images[::-1] for image in shown] == digest(rows)


def test_rows_travel_and_make_the_same_bytes_in_a_spawned_process(tmp_path):
    dataset_of(*eight()).save_to_disk(str(tmp_path / "rows"))
    rows = Rows(datasets.load_from_disk(str(tmp_path / "rows")), CONDITIONS, draws=2)
    assert digest(pickle.loads(pickle.dumps(rows))) == digest(rows)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(digest, (rows,)) == digest(rows)


def test_the_fingerprint_tells_all_that_decides_on_the_images():
    dataset = dataset_of(*eight())
    base = Rows(dataset, CONDITIONS)
    others = [
        Rows(dataset, CONDITIONS, seed=1),
        Rows(dataset, CONDITIONS, draws=2),
        Rows(dataset, {"original": Condition()}),
        Rows(dataset, CONDITIONS, fingerprint="another release"),
        Rows(dataset, CONDITIONS | {"cell 0": recombined(True, True, fg_in_nonant=1)}),
    ]
    assert len({base.fingerprint, *(one.fingerprint for one in others)}) == 6
    assert pickle.loads(pickle.dumps(base)).fingerprint == base.fingerprint


def test_the_original_and_its_mask_are_prepared_alike():
    rows, preprocessing = rows_of(), Preprocessing(size=64)
    for item in range(4):
        image, mask = rows.masked(item, preprocessing)
        assert (image.shape, image.dtype, mask.shape, mask.dtype) == ((3, 64, 64), np.uint8, (64, 64), np.float32)
        assert mask.min() >= 0
        assert 0.9 < mask.max() <= 1
        view = rows.shown(item, preprocessing).views[0]
        assert np.array_equal(view.image, image)
        full = rows.image(item, "original", preprocessing).mask
        square = full.resize((64, 64), Resampling.BOX, box=preprocessing.box(full.size))
        assert np.abs(np.asarray(square) / 255 - mask).mean() < 0.02


def test_a_damaged_image_is_an_error_that_names_the_row():
    row = make_row(0)
    damaged = replace(row, background=row.background[:200])
    shortened = replace(row, background=row.background[:-4000])
    for one in (damaged, shortened):
        rows = rows_of({"orig": CONDITIONS["orig"]}, dataset_of(one, make_row(1)))
        with pytest.raises(SourceError, match=row.key):
            rows.shown(0, MODELS[0])


@pytest.mark.parametrize(
    "condition",
    [
        lambda: Condition(seen=True),
        lambda: Condition(whole=True),
        lambda: Condition(recombination=RecombinationConfig(crop=224)),
        lambda: Condition(recombination=RecombinationConfig(), noise=Noise(where="foreground", amount=1)),
        lambda: Noise(where="mask", amount=1),
        lambda: Noise(where="foreground", amount=-1),
    ],
)
def test_conditions_that_make_no_sense_are_refused(condition):
    with pytest.raises(ConfigurationError, match="not allowed"):
        condition()


def test_only_rows_of_a_fornet_are_taken():
    with pytest.raises(ConfigurationError, match="no rows of a ForNet"):
        Rows(datasets.Dataset.from_list([{"image": 1}]), CONDITIONS)


def test_repeated_keys_are_refused():
    twice = datasets.concatenate_datasets([dataset_of(*eight()), dataset_of(*eight()[3:5])])
    with pytest.raises(ConfigurationError, match=f"two rows have one key; found {twice[3]['key']} in 2 rows"):
        rows_of(dataset=twice)


def test_black_and_white_canvases_show_that_cells_are_cells_of_what_is_seen():
    rows = rows_of()
    for cell in (0, 4, 8):
        result = rows.image(3, f"cell {cell}", MODELS[0])
        left, top, right, bottom = result.mask.getbbox()
        width, height = result.mask.size
        assert cell % 3 * width / 3 - 1 <= left < right <= (cell % 3 + 1) * width / 3 + 1
        assert cell // 3 * height / 3 - 1 <= top < bottom <= (cell // 3 + 1) * height / 3 + 1
        assert isinstance(result.image, Image.Image)
