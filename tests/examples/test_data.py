import numpy as np
import pytest

torch = pytest.importorskip("torch")

import fornet_hf  # noqa: E402
from fornet_hf.errors import ConfigurationError, MissingDependencyError  # noqa: E402
from fornet_hf.format.raster import canonical_raster  # noqa: E402
from training.augment import STD  # noqa: E402
from training.config import TrainConfig  # noqa: E402
from training.data import deferral, open_data  # noqa: E402
from training.loop import Trainer  # noqa: E402
from training.model import build_model, build_optimizer  # noqa: E402
from training.processes import Place  # noqa: E402
from training.schedule import Schedule  # noqa: E402


@pytest.fixture(scope="module")
def opened(demo, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")

    def open_for(rank=0, world=1, **values):
        folders = {"patches": str(demo / "made" / "patches"), "imagenet_dir": str(demo / "pictures")}
        settings = {"size": 64, "batch_size": 6, "workers": 0, "epochs": 10, **values}
        return open_data(TrainConfig(cache_dir=str(cache), **folders, **settings), Place(rank, world, 0))

    return open_for


def original(demo, split, key):
    """The middle of the source image, 64 pixels wide, as evaluation shows it."""
    (path,) = (demo / "pictures" / split).rglob(f"{key}.JPEG")
    raster = canonical_raster(path.read_bytes(), 512)
    side = round(min(raster.size) * 0.875)
    left, top = (raster.width - side) // 2, (raster.height - side) // 2
    return np.asarray(raster.crop((left, top, left + side, top + side)).resize((64, 64)), dtype=float)


@pytest.mark.parametrize(
    ("values", "device", "wanted"),
    [
        ({}, "cpu", None),
        ({}, "cuda", "jpeg"),
        ({"defer": "none"}, "cuda", None),
        ({"defer": "pixels"}, "cpu", "pixels"),
        ({"augment": "3augment"}, "cuda", None),
        ({"images": "pictures"}, "cuda", None),
    ],
)
def test_a_gpu_composes_where_nothing_else_changes_images(values, device, wanted, monkeypatch):
    monkeypatch.setattr("training.data.decoder_for", lambda _: "torchvision")
    assert deferral(TrainConfig(**values), torch.device(device)) == wanted


def test_a_gpu_without_decoder_gets_pixels(monkeypatch):
    def missing(_):
        raise MissingDependencyError("no decoder")

    monkeypatch.setattr("training.data.decoder_for", missing)
    assert deferral(TrainConfig(), torch.device("cuda")) == "pixels"


def test_validation_shows_original_images(opened, demo):
    rows = opened().evaluations["original"].dataset
    key = rows.dataset.with_format(None)[0]["key"]
    shown = rows[0]["image"].permute(1, 2, 0).numpy()
    assert np.abs(shown - original(demo, "val", key)).mean() < 6


def test_plain_training_shows_originals_only(opened):
    for plain in (True, False):
        rows = opened(plain=plain, recombination={}).train.dataset
        recombine = rows.format["format_kwargs"]["transform"].recombine
        assert {recombine(row).composition.original for row in rows.with_format(None)} == {plain}


def test_whole_images_are_shown_in_training_as_in_evaluation(opened):
    rows = opened(plain=True, recombination={}, crop="centre", flip=0.0).train.dataset
    shown = rows[0]["image"].int()
    whole = {"crop": fornet_hf.CropConfig(size=64, centre=1), "orig_img_prob": 1.0, "transform": fornet_hf.to_uint8}
    rows.set_transform(fornet_hf.Recombine(rows, evaluation=True, **whole))
    assert (shown - rows[0]["image"].int()).abs().float().mean() < 4


def test_every_validation_image_is_in_one_process(opened):
    parts = [opened(rank, 3).evaluations["original"].dataset.indices for rank in range(3)]
    assert sorted(row for part in parts for row in part) == list(range(10))


def test_processes_train_on_different_images(opened):
    one, other = (set(opened(rank, 2).train.sampler) for rank in range(2))
    assert not one & other
    assert len(one) == len(other) == 12


def test_the_epoch_changes_order_and_recombination(opened):
    data = opened()
    data.set_epoch(0)
    first, row = list(data.train.sampler), data.train.dataset[0]["image"]
    data.set_epoch(1)
    assert list(data.train.sampler) != first
    assert (data.train.dataset[0]["image"] != row).any()


def test_batches_that_the_device_composes_are_the_same_to_rounding(opened):
    """So are the losses of an epoch: dropout, order and compositions depend on the seed alone."""
    (wanted, loss), (pixels, one), (jpegs, other) = (epoch(opened, defer) for defer in ("none", "pixels", "jpeg"))
    for (images, labels, masks), (close, same, soft), (near, likewise, _) in zip(wanted, pixels, jpegs, strict=True):
        assert torch.equal(labels, same)
        assert torch.equal(labels, likewise)
        assert (masks.int() - soft).abs().max() <= 4  # a feather doubles what rounding changes
        off, further = ((images - found).abs() * 255 * torch.tensor(STD)[:, None, None] for found in (close, near))
        assert off.max() < 2.01
        assert off.mean() < 0.3
        assert further.mean() < 2  # the other path decodes small where it may
    assert one == pytest.approx(loss, rel=0.001)
    assert other == pytest.approx(loss, rel=0.001)


def epoch(opened, defer):
    """Return the batches of a first epoch, and their mean loss."""
    settings = {"size": 64, "batch_size": 5, "epochs": 1, "warmup_epochs": 0, "workers": 0, "precision": "fp32"}
    config = TrainConfig(model="tiny", defer=defer, **settings)
    data = opened(defer=defer, batch_size=5, mix="background")  # which has masks
    data.set_epoch(0)
    torch.manual_seed(0)
    model = build_model(config, data.classes)
    batches = []

    def kept(images, labels, masks):
        batches.append((images, labels, masks))
        return images, labels

    optimizer, schedule = build_optimizer(config, model), Schedule(config)
    trainer = Trainer(config, Place(0, 1, 0), model, model, optimizer, schedule, None, kept, print, lambda: None)
    return batches, trainer.train(data.train, 0)["train_loss"]


@pytest.mark.parametrize(
    ("mix", "labels", "masks"), [("fmix", "visible", True), ("background", "area", True), ("fmix", "area", False)]
)
def test_masks_are_loaded_where_mixing_looks_at_objects(mix, labels, masks, opened):
    data = opened(mix=mix, mix_labels=labels)
    batch = next(iter(data.train))
    assert ("mask" in batch) is masks
    if masks:
        assert (batch["mask"].dtype, batch["mask"].shape) == (torch.uint8, (6, 1, 64, 64))
        assert ((batch["mask"] > 0).flatten(1).any(1)).sum() >= 4
    assert "mask" not in next(iter(data.evaluations["original"]))


@pytest.mark.parametrize(("size", "allowed"), [(26, "at most 25 images"), (5, "a multiple of 2")])
def test_batches_that_do_not_fit_are_refused(size, allowed, opened):
    with pytest.raises(ConfigurationError, match=allowed):
        opened(0, 2, batch_size=size)
