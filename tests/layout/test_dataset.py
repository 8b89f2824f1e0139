"""`ForNetDataset`: what it gives, in which order, from what, to whom; and what it refuses."""

from __future__ import annotations

import importlib.util
import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

import fornet_hf
from fornet_hf import ForNetDataset, RecombinationConfig
from fornet_hf.errors import ConfigurationError, NotFoundError, PatchFormatError, SourceError
from fornet_hf.layout.pack import pack
from tests.layout.conftest import opened
from tests.release.legacy.test_apply import SAMPLE
from tests.torchvision_shim import import_torchvision


def pixels(dataset: ForNetDataset) -> list[bytes]:
    return [dataset[index][0].tobytes() for index in range(len(dataset))]


def test_examples_are_images_and_labels(applied):
    dataset = ForNetDataset(applied, transform=lambda image: image.size)
    assert len(dataset) == 9
    assert dataset[0][1] == 0
    assert dataset.targets == [0, 0, 0, 281, 281, 744, 744, 968, 968]
    image, label = dataset[-1]
    assert label == dataset.class_to_idx["n07930864"] == 968
    assert len(image) == 2
    assert dataset.num_classes() == 1000


def test_the_order_is_that_of_classes_and_keys(applied):
    dataset = ForNetDataset(applied, train=False)
    found = sorted((SAMPLE / "expected/val/foregrounds").rglob("*.WEBP"))
    assert dataset.keys == [path.stem for path in found]


def test_the_public_tools_result_loads(public):
    dataset = ForNetDataset(public, seed=1)
    assert len(dataset) == len(pixels(dataset)) == 9


@pytest.mark.filterwarnings("ignore:pass . over the rows")
def test_several_at_a_time_are_those_of_one_after_another(applied):
    dataset = ForNetDataset(applied, seed=3, crop=32)
    order = [8, 0, *range(9), *range(9), *range(9), *range(9), -1]
    several = [image.tobytes() for image, _ in dataset.__getitems__(order)]
    assert several == [dataset[index][0].tobytes() for index in order]


def test_any_collection_of_indices_is_a_batch(applied):
    dataset = ForNetDataset(applied)
    assert [label for _, label in dataset.__getitems__(iter({0: None, np.int64(3): None}))] == [0, 281]
    assert dataset.__getitems__([]) == []


@pytest.mark.parametrize("way", ["pixels", "jpeg"])
def test_files_are_composed_on_a_device_too(applied, way):
    torch = pytest.importorskip("torch")
    options = {"seed": 3, "crop": 32, "return_fg_masks": True, "keep": ("key",)}
    examples = ForNetDataset(applied, **options).__getitems__(range(4))
    dataset = ForNetDataset(applied, defer=way, **options)
    assert f"defer={way!r}" in repr(dataset)
    assert "Deferred(32 x 32" in repr(dataset[0])
    dataset.epoch = 0
    loader = torch.utils.data.DataLoader(dataset, 4, collate_fn=fornet_hf.collate, num_workers=1)
    batch = next(iter(loader))
    composed = fornet_hf.Compositor(dtype=torch.uint8).composed(batch)
    assert composed.labels.tolist() == [example[1] for example in examples]
    assert composed.columns == {"item 2": [example[3] for example in examples]}
    for place, found in ((0, composed.images.permute(0, 2, 3, 1)), (2, composed.masks[:, 0])):
        wanted = np.stack([np.asarray(example[place]) for example in examples])
        assert abs(found.numpy().astype(int) - wanted).mean() < (1 if way == "pixels" else 3)


def test_what_a_subclass_adds_to_an_example_is_in_batches_too(applied):
    class Numbered(ForNetDataset):
        def __getitem__(self, index):
            return (*super().__getitem__(index), index)

    assert [example[2] for example in Numbered(applied).__getitems__([4, 1])] == [4, 1]


def test_folders_and_zips_give_the_same(applied, zipped, tmp_path):
    shutil.copytree(applied, tmp_path, dirs_exist_ok=True)
    pack(tmp_path)
    shutil.rmtree(tmp_path / "train")
    wanted = pixels(ForNetDataset(applied, seed=3))
    assert pixels(ForNetDataset(zipped, seed=3)) == wanted
    assert pixels(ForNetDataset(tmp_path, seed=3)) == wanted


def test_pruning_everything_warns(applied):
    with pytest.warns(UserWarning, match="pruning_ratio=0 leaves no background"):
        ForNetDataset(applied, pruning_ratio=0)


def test_masks_and_compositions_come_last(applied):
    image, label, mask, composition = ForNetDataset(applied, return_fg_masks=True, return_composition=True)[2]
    assert mask.size == image.size
    assert json.loads(json.dumps(composition))["background_key"] in ForNetDataset(applied).keys
    assert isinstance(label, int)


def test_transforms_may_be_a_list_and_labels_are_transformed(applied):
    dataset = ForNetDataset(
        applied, transform=[lambda p: p.resize((8, 8)), np.asarray], target_transform=lambda label: -label
    )
    image, label = dataset[8]
    assert image.shape == (8, 8, 3)
    assert label < 0


def test_a_transform_that_is_set_later_is_honoured(applied):
    dataset = ForNetDataset(applied, seed=1, transform=np.asarray)
    dataset.transform = [lambda image: image.resize((8, 8)), np.asarray]
    dataset.target_transform = lambda label: -label
    image, label = dataset[8]
    assert image.shape == (8, 8, 3)
    assert label < 0
    assert dataset.transform.transforms[1] is np.asarray
    dataset.transform = None
    assert dataset[0][0].size == ForNetDataset(applied, seed=1)[0][0].size
    with pytest.raises(ConfigurationError, match="transform is not allowed"):
        dataset.transform = 3


def test_a_loader_of_timm_sets_the_transform(applied):
    pytest.importorskip("torch")
    if importlib.util.find_spec("torchvision") is None:
        pytest.skip("torchvision is not installed")
    import_torchvision()
    loaders = pytest.importorskip("timm.data.loader")
    dataset = ForNetDataset(applied, seed=1)
    loader = loaders.create_loader(
        dataset, (3, 64, 64), 4, is_training=True, use_prefetcher=False, num_workers=0, persistent_workers=False
    )
    images, labels = next(iter(loader))
    assert tuple(images.shape) == (4, 3, 64, 64)
    assert len(labels) == 4


def test_what_is_kept_comes_last(applied):
    dataset = ForNetDataset(applied, seed=1, keep=("key", "folder"), return_fg_masks=True)
    *_, mask, key, folder = dataset[4]
    assert (key, folder) == (dataset.keys[4], "n02123045")
    assert mask.size == dataset[4][0].size
    with pytest.raises(ConfigurationError, match=r"keep is not allowed.*'score'.*'key'"):
        ForNetDataset(applied, keep=("score",))


def test_it_shows_its_parameters(applied):
    shown = repr(ForNetDataset(applied, crop=64, flip=0.5))
    assert shown.endswith(", train, 9 foregrounds, crop=CropConfig(size=(64, 64)), flip=0.5)")


def test_the_public_names_of_parameters_are_known(applied):
    dataset = ForNetDataset(applied, size_fact=2.0, background_combination="original", fg_transform=lambda p: p)
    assert (dataset.config.fg_size_fact, dataset.config.background_combination) == (2.0, "orig")
    assert dataset[0][0].size == opened(applied / "train/backgrounds/n01440764/n01440764_1000.JPEG").size


def test_validation_is_the_same_every_time_unless_told_otherwise(applied):
    assert pixels(ForNetDataset(applied, train=False)) == pixels(ForNetDataset(applied, train=False))
    assert not ForNetDataset(applied, train=False, evaluation=False).config.evaluation
    assert ForNetDataset(applied, train=False, config=RecombinationConfig()).config.evaluation
    assert not ForNetDataset(applied, train=False, config=RecombinationConfig(evaluation=False)).config.evaluation
    assert ForNetDataset(applied, evaluation=True).config.evaluation
    training = ForNetDataset(applied)
    assert pixels(training) != pixels(training)


def test_original_images_come_from_imagenet(applied):
    dataset = ForNetDataset(applied, orig_img_prob="linear", epochs=2, imagenet_dir=SAMPLE / "imagenet")
    dataset.epoch = 2
    for index in (0, 8):
        key = dataset.keys[index]
        original = opened(next((SAMPLE / "imagenet/train").rglob(f"{key}.JPEG"))).convert("RGB")
        assert dataset[index][0].tobytes() == original.tobytes()
    fornet_hf.set_epoch(dataset, 0)
    assert not any(dataset.recombine(index).composition.original for index in range(9))


def test_originals_are_of_the_size_of_their_background(applied):
    dataset = ForNetDataset(applied, orig_img_prob=1.0, imagenet_dir=SAMPLE / "imagenet")
    large = dataset.keys.index("n01440764_1008")
    assert dataset[large][0].size == opened(applied / "train/backgrounds/n01440764/n01440764_1008.JPEG").size


def test_originals_need_imagenet(applied, tmp_path):
    with pytest.raises(ConfigurationError, match="imagenet_dir=FOLDER"):
        ForNetDataset(applied, orig_img_prob=0.5)
    with pytest.raises(NotFoundError, match="imagenet_dir holds no such images"):
        ForNetDataset(applied, orig_img_prob=0.5, orig_ds=tmp_path)
    with pytest.raises(ConfigurationError, match="return_fg_masks"):
        ForNetDataset(applied, orig_img_prob=0.5, imagenet_dir=SAMPLE / "imagenet", return_fg_masks=True)


def test_a_missing_ratio_is_measured(public):
    path = public / "fg_bg_ratios_train.json"
    ratios = json.loads(path.read_text())
    name = "train/backgrounds/n01440764/n01440764_1000.JPEG"
    known = ratios.pop(name)
    path.write_text(json.dumps(ratios))
    assert ForNetDataset(public).row(0)["foreground_ratio"] == pytest.approx(known, abs=1e-6)


def test_an_object_without_background_is_shown_on_others(public):
    (public / "train/backgrounds/n01440764/n01440764_1000.JPEG").unlink()
    dataset = ForNetDataset(public, background_combination="orig", return_composition=True)
    assert len(dataset) == 9
    assert dataset[0][2]["background_key"].startswith("n01440764_")


def test_classes_of_other_sets_are_numbered_as_they_say(public):
    for folder in public.glob("*/*/n01440764"):
        folder.rename(folder.with_name("tench"))
    assert ForNetDataset(public).classes == ["n02123045", "n04008634", "n07930864", "tench"]
    order = ["tench", "n07930864", "n04008634", "n02123045", "other"]
    (public / "classes.json").write_text(json.dumps(order))
    assert ForNetDataset(public).class_to_idx["n02123045"] == 3
    assert ForNetDataset(public, classes=order[::-1]).class_to_idx["tench"] == 4
    with pytest.raises(ConfigurationError, match=r"lacks class folders.*tench"):
        ForNetDataset(public, classes=["n02123045"])
    (public / "classes.json").write_text('["tench"]')
    with pytest.raises(PatchFormatError, match="lacks class folders"):
        ForNetDataset(public)


def test_it_travels_to_other_processes(zipped):
    dataset = ForNetDataset(zipped, seed=5)
    first = dataset[4][0].tobytes()
    assert pickle.loads(pickle.dumps(dataset))[4][0].tobytes() == first


@pytest.mark.parametrize("start", ["fork", "spawn"])
@pytest.mark.parametrize("layout", ["applied", "zipped"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_workers_give_what_one_process_gives(start, layout, request):
    data = pytest.importorskip("torch.utils.data")
    dataset = ForNetDataset(request.getfixturevalue(layout), seed=2, crop=32)
    dataset[0]  # the zip is open before the workers start
    loader = data.DataLoader(
        dataset,
        batch_size=None,
        num_workers=2,
        multiprocessing_context=start,
        persistent_workers=True,
    )
    for epoch in (0, 1):
        dataset.epoch = epoch
        wanted = pixels(dataset)
        assert [image.tobytes() for image, _ in loader] == wanted
    del loader


def test_other_files_are_passed_over(public):
    (public / "train/foregrounds/n01440764/.n01440764_1.WEBP").write_bytes(b"")
    (public / "train/foregrounds/n01440764/notes.txt").write_bytes(b"")
    (public / "train/foregrounds/notes.txt").write_bytes(b"")
    assert len(ForNetDataset(public)) == 9


def test_damaged_images_are_named(public):
    path = public / "train/foregrounds/n01440764/n01440764_1000.WEBP"
    path.write_bytes(path.read_bytes()[:200])
    dataset = ForNetDataset(public, background_combination="orig")
    with pytest.raises(SourceError, match=r"n01440764_1000.WEBP: the image cannot be decoded.*fornet validate"):
        dataset[0]
    path = public / "train/backgrounds/n01440764/n01440764_1004.JPEG"
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(SourceError, match=r"n01440764_1004.JPEG: the image cannot be decoded"):
        dataset[1]
    path.unlink()
    dataset[2]
    with pytest.raises(NotFoundError, match=r"n01440764_1004.JPEG.*open it again"):
        dataset[1]


@pytest.mark.parametrize("crop", [None, 64])
@pytest.mark.parametrize("left", [0.6, -2])
def test_a_background_that_was_cut_off_is_named(release, applied, tmp_path, left, crop):
    shutil.copytree(applied, tmp_path, dirs_exist_ok=True)
    for path in (tmp_path / "train/backgrounds").rglob("*.JPEG"):
        data = path.read_bytes()
        path.write_bytes(data[: int(left * len(data)) if left > 0 else left])
    for index in range(9):
        with pytest.raises(SourceError, match=r"train/backgrounds/n\d+/n\d+_\d+.JPEG: the image cannot be decoded"):
            ForNetDataset(tmp_path, seed=0, crop=crop)[index]


def test_errors_of_the_users_transforms_are_not_taken_for_damage(applied):
    def missing(image):
        raise FileNotFoundError("overlay.png")

    with pytest.raises(FileNotFoundError, match="overlay"):
        ForNetDataset(applied, fg_transform=missing)[0]


@pytest.mark.parametrize("index", [1.7, slice(3), "1"])
def test_an_index_is_an_integer(applied, index):
    with pytest.raises(TypeError):
        ForNetDataset(applied)[index]


@pytest.mark.parametrize("index", [9, -10])
def test_there_is_no_other_example(applied, index):
    with pytest.raises(IndexError, match="there are 9"):
        ForNetDataset(applied)[index]


def test_what_is_not_there_is_named(applied, tmp_path):
    with pytest.raises(NotFoundError, match="no such folder"):
        ForNetDataset(tmp_path / "nowhere")
    with pytest.raises(NotFoundError, match=r"no split 'train'.*fornet apply"):
        ForNetDataset(tmp_path)
    shutil.copytree(applied, tmp_path / "a")
    (tmp_path / "a/fg_bg_ratios_train.json").unlink()
    with pytest.raises(NotFoundError, match=r"fg_bg_ratios_train\.json"):
        ForNetDataset(tmp_path / "a")
    shutil.rmtree(tmp_path / "a/val/backgrounds")
    with pytest.raises(NotFoundError, match="no backgrounds of 'validation'"):
        ForNetDataset(tmp_path / "a", train=False)
    (tmp_path / "a/val/backgrounds").mkdir()
    with pytest.raises(NotFoundError, match="9 foregrounds and 0 backgrounds"):
        ForNetDataset(tmp_path / "a", train=False)


def test_unknown_parameters_are_refused(applied):
    with pytest.raises(ConfigurationError, match="colour"):
        ForNetDataset(applied, colour="blue")


def test_its_name_says_what_it_is(applied: Path):
    assert repr(ForNetDataset(applied)) == f"ForNetDataset({str(applied)!r}, train, 9 foregrounds)"
